"""The IMAP mailbox against a real Dovecot."""

import imaplib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.inbox import build_mailbox
from connectors.inbox.port import Mailbox
from maatpak.kernel.errors import MaatpakError, OutsideError, TransientError
from maatpak.kernel.settings import ImapSecurity, Settings
from tests.connectors.inbox.dovecot import HOST, PASSWORD, Dovecot
from tests.connectors.inbox.mails import mail
from tests.connectors.token_server import CLIENT, SECRET, TokenServer, token_server

ONE, TWO = mail("Een."), mail("Twee.")


@pytest.fixture(scope="module")
def access() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


@pytest.fixture(scope="module")
def running(access: TokenServer) -> Iterator[Dovecot]:
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    server = Dovecot(folder, f"http://127.0.0.1:{access.port}/introspect")
    try:
        folder.chmod(0o755)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    with imaplib.IMAP4(HOST, running.port) as client:
        client.login("jan", PASSWORD)
        if client.select("INBOX")[1] != [b"0"]:
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()
        client.unselect()
        client.delete("Verwerkt")
    return running


def _mailbox(server: Dovecot, **changed: object) -> Mailbox:
    given = {
        "imap_host": "localhost",
        "imap_port": server.port,
        "imap_security": ImapSecurity.NONE,
        "imap_user": "jan",
        "imap_password": SecretStr(PASSWORD),
        **changed,
    }
    return build_mailbox(Settings.model_validate(given), server.folder)


def test_an_access_token_opens_the_mailbox(server: Dovecot, access: TokenServer) -> None:
    server.deliver(ONE)
    given = {"imap_password": None, "oauth_url": access.url, "oauth_client": CLIENT}
    mailbox = _mailbox(server, **given, oauth_secret=SECRET)
    assert _contents(mailbox) == [ONE]
    mailbox.close()
    assert access.granted == ["token-0"]
    with pytest.raises(OutsideError, match="gives no access"):
        _contents(_mailbox(server, **given, oauth_secret="wrong"))
    access.granted.clear()
    with pytest.raises(OutsideError, match="refuses the login"):
        _contents(mailbox)


def _contents(mailbox: Mailbox) -> list[bytes]:
    return [each.content.replace(b"\r\n", b"\n") for each in mailbox.arrived()]


@pytest.mark.parametrize("done_folder", [None, "Verwerkt"])
def test_a_mail_comes_until_it_is_filed(server: Dovecot, done_folder: str | None) -> None:
    server.deliver(ONE)
    server.deliver(TWO)
    killed = _mailbox(server, imap_done_folder=done_folder)
    assert _contents(killed) == [ONE, TWO]
    mailbox = _mailbox(server, imap_done_folder=done_folder)
    first, second = mailbox.arrived()
    mailbox.file(first)
    mailbox.file(first)
    assert _contents(mailbox) == [TWO]
    killed.file(second)
    later = _mailbox(server, imap_done_folder=done_folder)
    assert _contents(killed) == _contents(later) == []
    for each in (killed, mailbox, later):
        each.close()
        each.close()
    if done_folder:
        done = _mailbox(server, imap_folder=done_folder)
        assert _contents(done) == [ONE, TWO]
        done.close()


def test_what_people_marked_as_deleted_stays_theirs(server: Dovecot) -> None:
    server.deliver(ONE)
    server.deliver(TWO)
    with imaplib.IMAP4(HOST, server.port) as client:
        client.login("jan", PASSWORD)
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Deleted")
        for done_folder in (None, "Verwerkt"):
            mailbox = _mailbox(server, imap_done_folder=done_folder)
            for each in mailbox.arrived():
                assert each.content.replace(b"\r\n", b"\n") == TWO
                mailbox.file(each)
            mailbox.close()
        client.noop()
        assert client.search(None, "DELETED")[1] == [b"1"]


def test_a_server_that_hung_up_is_asked_again(server: Dovecot) -> None:
    server.deliver(ONE)
    mailbox = _mailbox(server)
    (arrived,) = mailbox.arrived()
    server.stop()
    with pytest.raises(TransientError, match="not reached"):
        mailbox.file(arrived)
    server.start()
    mailbox.file(arrived)
    server.stop()
    server.start()
    assert _contents(mailbox) == []
    mailbox.close()


def test_a_mail_is_not_filed_in_place_of_another_that_has_its_number(server: Dovecot) -> None:
    server.deliver(ONE)
    mailbox = _mailbox(server, imap_folder="Klanten")
    with imaplib.IMAP4(HOST, server.port) as client:
        client.login("jan", PASSWORD)
        client.create("Klanten")
        client.append("Klanten", "", "", ONE)
        (arrived,) = mailbox.arrived()
        mailbox.close()
        client.delete("Klanten")
        client.create("Klanten")
        client.append("Klanten", "", "", TWO)
        validity, _, number = arrived.uid.partition(".")
        (other,) = mailbox.arrived()
        assert (other.uid.partition(".")[2], other.uid.partition(".")[0] == validity) == (number, False)
        with pytest.raises(TransientError, match="anew"):
            mailbox.file(arrived)
        assert _contents(mailbox) == [TWO]
        mailbox.close()
        client.delete("Klanten")


@pytest.mark.parametrize("security", [ImapSecurity.TLS, ImapSecurity.STARTTLS])
def test_a_private_connection_needs_a_certificate_that_holds(
    server: Dovecot, security: ImapSecurity, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(ONE)
    port = server.tls_port if security is ImapSecurity.TLS else server.port
    with pytest.raises(OutsideError, match=f"certificate of localhost:{port} does not hold"):
        _contents(_mailbox(server, imap_security=security, imap_port=port))
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    mailbox = _mailbox(server, imap_security=security, imap_port=port)
    assert _contents(mailbox) == [ONE]
    mailbox.close()


@pytest.mark.parametrize(
    ("changed", "told", "retryable"),
    [
        ({"imap_password": SecretStr("verkeerd")}, "refuses the login", False),
        ({"imap_password": SecretStr("verkéérd")}, "refuses the login", False),
        ({"imap_folder": "Nergens"}, "no folder 'Nergens'", False),
        ({"imap_port": 1}, "localhost:1 is not reached", True),
    ],
)
def test_what_is_wrong_is_told_to_people(
    server: Dovecot, changed: dict[str, object], told: str, retryable: bool
) -> None:
    with pytest.raises(OutsideError, match=told) as caught:
        _contents(_mailbox(server, **changed))
    assert isinstance(caught.value, MaatpakError)
    assert caught.value.retryable is retryable
    assert "MAATPAK_IMAP_" in caught.value.advice
    assert "verk" not in str(caught.value)
