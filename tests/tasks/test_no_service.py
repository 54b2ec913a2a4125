"""A service that cannot be reached, or refuses our login, ends a channel's delivery and costs no message a try."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.faults import Fault
from connectors.mail.smtp import MailServer, SmtpMail
from connectors.sms.twilio_client import TwilioSms
from maatpak.cli.deliver import undelivered
from tasks.engine import Engine
from tasks.send import DeliverySummary, deliver
from tasks.send.pace import Unthrottled
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import let_rests_end

PASSWORD = "535 5.7.8 wrong password"


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


def send(house: House) -> DeliverySummary:
    return deliver(house.engine, house.creditor_id, DAY, NOW, "worker-1")


class _Refusing(socketserver.StreamRequestHandler):
    """A mail server that knows another password."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            replies = {b"EHLO": b"250-localhost\r\n250 AUTH PLAIN LOGIN", b"AUTH": PASSWORD.encode()}
            self.server.heard.append(word)  # type: ignore[attr-defined]
            self.wfile.write(replies.get(word, b"250 ok") + b"\r\n")


@contextmanager
def refusing(house: House) -> Iterator[list[bytes]]:
    """The engine's mail goes to such a server; what it heard."""
    heard: list[bytes] = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Refusing) as server:
        server.daemon_threads = True
        server.heard = heard  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sink = house.engine.mail
        house.engine.mail = SmtpMail(MailServer(port=server.server_address[1], user="maatpak", password="hunter2"))
        try:
            yield heard
        finally:
            house.engine.mail = sink
            server.shutdown()


def waiting(house: House) -> list[dict[str, Any]]:
    return house.rows(
        "SELECT tries, failure, send_after, leased_by FROM message WHERE state = 'queued' ORDER BY failure NULLS LAST"
    )


def test_a_wrong_password_ends_the_delivery_of_mails_and_of_nothing_else(house: House) -> None:
    house.customers(40)
    house.customer(preferred_channel="post")
    house.written()
    before = {row["send_after"] for row in waiting(house)}
    with refusing(house) as heard:
        summary = send(house)
        assert summary.plain() == {"post": {"sent": 1}}
        assert summary.stopped == {"email": PASSWORD}
        assert not summary.whole
        assert heard.count(b"AUTH") <= 2 * house.engine.mail.lanes, "one connection a lane, by either way of login"
        rows = waiting(house)
        assert len(rows) == 40
        assert {row["tries"] for row in rows} == {0}
        assert {row["leased_by"] for row in rows} == {None}
        assert {row["send_after"] for row in rows} == before
        assert rows[0]["failure"] == PASSWORD, "who looks at the waiting messages sees why"
        for _ in range(7):  # more often than a message may be tried
            let_rests_end(house)
            send(house)
        assert {row["tries"] for row in waiting(house)} == {0}
        assert heard.count(b"AUTH") <= 2 * (house.engine.mail.lanes + 7), "one lane each time that a rest was over"
    let_rests_end(house)
    assert send(house).plain() == {"email": {"sent": 40}}
    assert house.rows("SELECT DISTINCT failure FROM message") == [{"failure": None}]


def test_a_server_that_is_not_there_costs_no_try(house: House) -> None:
    house.customers(3)
    house.written()
    sink, house.engine.mail = house.engine.mail, SmtpMail(MailServer(port=9))
    summary = send(house)
    assert summary.counts == {}
    assert "no connection" in summary.stopped["email"]
    assert [row["tries"] for row in waiting(house)] == [0, 0, 0]
    house.engine.mail = sink
    let_rests_end(house)
    assert send(house).plain() == {"email": {"sent": 3}}


def test_a_wrong_token_of_the_service_for_texts_does_the_same(house: House) -> None:
    for amount in (9900, 8800, 7700):
        house.customer("second_text", kind="consumer", amounts=(amount,))
    house.customer()
    house.written()
    sms = house.engine.sms
    assert isinstance(sms, TwilioSms)
    assert sms.simulator is not None
    sms.simulator.plan_faults([Fault(reply="401 20003")])
    summary = send(house)
    assert summary.plain() == {"email": {"sent": 1}}
    assert summary.stopped["sms"].startswith("401 20003")
    assert [row["tries"] for row in waiting(house)] == [0, 0, 0]
    sms.simulator.plan_faults([])
    let_rests_end(house)
    assert send(house).plain() == {"sms": {"sent": 3}}


def test_the_command_and_the_run_say_what_to_mend(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import steps  # Prefect, which most workers of the tests need not wait for
    from flows.workplace import lent

    monkeypatch.setattr(steps, "_report", lambda *_: None)  # an artifact needs a Prefect server, as limits do
    monkeypatch.setattr(steps, "GlobalLimits", Unthrottled)
    house.customer()
    house.written()
    with refusing(house):
        trouble = undelivered("NL1", send(house))
        assert PASSWORD in trouble.message
        assert "Correct MAATPAK_SMTP_USER and MAATPAK_SMTP_PASSWORD" in trouble.advice
        with lent(house.engine):
            state = steps.deliver.fn("NL1", DAY, NOW)
    assert state.is_failed()
    told = str(state.message)
    assert "email given up" in told
    assert "Correct MAATPAK_SMTP_USER and MAATPAK_SMTP_PASSWORD" in told
    assert PASSWORD not in told, "a service's words may name somebody"
