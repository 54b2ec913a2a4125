"""Mail connections that are private, envelopes that say which mail came back, and signatures."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dkim
import pytest
import trustme
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail import build_mail, return_path
from connectors.mail.envelope import LONGEST_LOCAL_PART, ReturnPath
from connectors.mail.smtp import MailServer, SmtpMail
from connectors.outcome import NoService, Outcome, Sent
from maatpak.kernel.errors import UsageError
from maatpak.kernel.settings import MailSecurity, Settings
from tests.connectors.letters import mail

LOGGED_IN = b"\x00maatpak\x00hunter2"


class Keeper:
    """Keeps mails, and whether each came over a private connection."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bool]] = []
        self.content = b""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append((envelope.mail_from, session.ssl is not None or server.transport.get_extra_info("sslcontext")))
        self.content = envelope.original_content
        return "250 2.0.0 ok"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssl.SSLContext]:
    """The certificate of a server on localhost, whose authority we trust."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield context


@asynccontextmanager
async def serving(offer: str, context: ssl.SSLContext) -> Any:
    keeper, loop = Keeper(), asyncio.get_running_loop()
    upgraded = context if offer == "starttls" else None
    server = await loop.create_server(
        lambda: SMTP(keeper, tls_context=upgraded, loop=loop), "127.0.0.1", 0, ssl=context if offer == "tls" else None
    )
    async with server:
        yield keeper, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("offer", "security", "private"),
    [
        ("none", MailSecurity.AUTO, False),
        ("none", MailSecurity.NONE, False),
        ("none", MailSecurity.STARTTLS, None),
        ("none", MailSecurity.TLS, None),
        ("starttls", MailSecurity.AUTO, True),
        ("starttls", MailSecurity.STARTTLS, True),
        ("starttls", MailSecurity.NONE, False),
        ("tls", MailSecurity.TLS, True),
    ],
)
def test_a_connection_is_as_private_as_was_asked(
    authority: ssl.SSLContext, offer: str, security: MailSecurity, private: bool | None
) -> None:
    outcome, kept = asyncio.run(attempt(authority, offer, security))
    if private is None:
        assert isinstance(outcome, NoService)
        assert "MAATPAK_SMTP_SECURITY" in outcome.mend
        assert not kept
    else:
        assert isinstance(outcome, Sent)
        assert [bool(each) for _, each in kept] == [private]


@pytest.mark.parametrize(("offer", "security"), [("starttls", MailSecurity.AUTO), ("tls", MailSecurity.TLS)])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, authority: ssl.SSLContext, offer: str, security: MailSecurity
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    outcome, kept = asyncio.run(attempt(authority, offer, security))
    assert isinstance(outcome, NoService)
    assert "certificate" in outcome.mend
    assert not kept


async def attempt(
    context: ssl.SSLContext, offer: str, security: MailSecurity
) -> tuple[Outcome, list[tuple[str, bool]]]:
    async with serving(offer, context) as (keeper, number):
        port = SmtpMail(MailServer(host="localhost", port=number, security=security))
        try:
            return await port.send(mail(), []), keeper.kept
        finally:
            await port.close()


def test_each_mail_has_a_return_path_of_its_own() -> None:
    async def twice() -> list[str]:
        async with serving("none", ssl.create_default_context()) as (keeper, number):
            port = SmtpMail(MailServer(port=number), return_path=ReturnPath("bounces@ours.example", "key"))
            for each in (mail(1), mail(2)):
                assert isinstance(await port.send(each, []), Sent)
            await port.close()
            return [sender for sender, _ in keeper.kept]

    first, second = asyncio.run(twice())
    assert first != second
    assert all(each.startswith("bounces+") and each.endswith("@ours.example") for each in (first, second))


@given(token=st.text("0123456789abcdef", min_size=32, max_size=32), upper=st.booleans())
def test_what_comes_back_says_which_mail_it_was(token: str, upper: bool) -> None:
    path = ReturnPath("Bounces@Ours.example", "key")
    address = path.of(f"{token}@ours.example")
    assert len(address.rpartition("@")[0]) <= LONGEST_LOCAL_PART
    assert path.token(f"<{address.upper() if upper else address}>") == token


@given(st.data())
def test_no_other_address_passes_for_one_of_ours(data: st.DataObject) -> None:
    path = ReturnPath("bounces@ours.example", "key")
    token = "0123456789abcdef" * 2
    address = path.of(f"{token}@ours.example")
    at = data.draw(st.integers(0, len(address) - 1))
    sign = data.draw(st.characters(codec="ascii").filter(lambda each: each.lower() != address[at]))
    assert path.token(address[:at] + sign + address[at + 1 :]) is None
    assert ReturnPath("bounces@ours.example", "another key").token(address) is None


def test_the_local_sink_shows_what_a_server_would_get(tmp_path: Path) -> None:
    assert return_path(Settings(workspace=tmp_path), "key") is not None
    assert return_path(Settings(workspace=tmp_path, smtp_host="mail.ours.example"), "key") is None


@pytest.mark.parametrize("address", ["bounces", "a" * 19 + "@ours.example", "bounces+@ours.example", "x@localhost"])
def test_a_return_path_that_cannot_be_one_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="return_path"):
        Settings(workspace=tmp_path, return_path=address)


def test_a_signature_holds_and_a_changed_mail_breaks_it(tmp_path: Path, key: Path, record: bytes) -> None:
    async def sent() -> bytes:
        async with serving("none", ssl.create_default_context()) as (keeper, number):
            given = {"smtp_host": "127.0.0.1", "smtp_port": number, "dkim_domain": "ours.example", "dkim_key": key}
            port = build_mail(Settings(workspace=tmp_path, **given), tmp_path, "key")
            assert isinstance(await port.send(mail(), []), Sent)
            await port.close()
            return bytes(keeper.content)

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        assert (name, timeout) == (b"maatpak._domainkey.ours.example.", 5)
        return record

    def holds(content: bytes) -> bool:
        found: bool = dkim.verify(content, dnsfunc=look_up)
        return found

    content = asyncio.run(sent())
    assert content.startswith(b"DKIM-Signature: ")
    assert holds(content)
    assert not holds(content.replace(b"Subject: ", b"Subject: URGENT "))
    assert not holds(content.rstrip() + b"\r\nP.S. another IBAN\r\n")
    assert not holds(b"From: somebody@else.example\r\n" + content)


@pytest.fixture(scope="module")
def pair() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key(tmp_path: Path, pair: Any) -> Path:
    from cryptography.hazmat.primitives import serialization as form

    file = tmp_path / "dkim.pem"
    file.write_bytes(pair.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()))
    return file


@pytest.fixture
def record(pair: Any) -> bytes:
    """What the domain's DNS would say."""
    from base64 import b64encode

    from cryptography.hazmat.primitives import serialization as form

    public = pair.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + b64encode(public)


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"-----BEGIN X-----\nAAAA\n-----END X-----\n"])
def test_a_key_that_cannot_sign_is_refused_at_once(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "dkim.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"dkim\.pem"):
        build_mail(Settings(workspace=tmp_path, dkim_domain="ours.example", dkim_key=file), tmp_path, "key")


def test_a_domain_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MAATPAK_DKIM_KEY"):
        build_mail(Settings(workspace=tmp_path, dkim_domain="ours.example"), tmp_path, "key")
