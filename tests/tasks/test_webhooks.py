"""Programs are told of events: signed, once each, and again until they are taken."""

import base64
import contextlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from connectors.webhook import post_event
from deployments.telling import tell_programs
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.tables import Case, Creditor, Person, PersonCreditor, WebhookDelivery
from tasks.promises import make_promise
from tasks.webhooks import RETRIES, add_webhook, gather, send_again, send_events, switch_webhook, those_due
from tests.flows.patience import until
from tests.tasks.act.house import House, at
from tests.tasks.act.stages import Stages

ABOUT: dict[str, Any] = {"country": "NL", "language": "nl", "currency": "EUR", "time_zone": "Europe/Amsterdam"}


class Receiver(HTTPServer):
    """A program that is told of events, and answers as it is made to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 204

        class Hears(BaseHTTPRequestHandler):
            def do_POST(hears) -> None:  # noqa: N805
                body = hears.rfile.read(int(hears.headers["Content-Length"]))
                self.heard.append(({name.lower(): value for name, value in hears.headers.items()}, body))
                hears.send_response(self.status)
                hears.send_header("Location", f"http://127.0.0.1:{self.server_port}/elsewhere")
                hears.end_headers()

            def log_message(hears, *args: Any) -> None:  # noqa: N805
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Hears)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events"


@contextmanager
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def promised(house: House) -> None:
    with house.desk("carla") as desk:
        case = desk.session.exec(select(Case)).first()
        assert case is not None
        make_promise(desk, desk.case(int(case.id or 0)), desk.as_of + timedelta(days=3))


def states(house: House) -> list[str]:
    return [row.state for row in sorted(house.rows(WebhookDelivery), key=lambda row: int(row.event_seq))]


@pytest.fixture
def house(stages: Stages, tmp_path: Path) -> Iterator[House]:
    with stages.at("reminded", tmp_path / "house") as house:
        yield house


def test_an_event_is_told_signed_and_once(house: House) -> None:
    now = at(house.day)
    with receiver() as program:
        row, secret = add_webhook(house.engine, program.url, ["promise_made"], "ACME", "ada", now)
        other, _ = add_webhook(house.engine, program.url, ["dispute_opened"], None, "ada", now)
        promised(house)
        assert gather(house.engine, now) == 1
        assert gather(house.engine, now) == 0
        hook_id = int(row.id or 0)
        assert those_due(house.engine, now) == [hook_id]
        assert send_events(house.engine, hook_id, now) == {"delivered": 1}
        assert send_events(house.engine, hook_id, now) == {}
        assert those_due(house.engine, now) == []
        ((headers, body),) = program.heard
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    told = json.loads(body)
    assert told["type"] == "promise_made"
    assert (told["data"]["creditor"], told["data"]["debtor_no"]) == ("ACME", "C1")
    assert row.id != other.id


def test_what_is_not_taken_is_told_again_and_at_last_given_up(house: House) -> None:
    now = at(house.day)
    with receiver() as program:
        row, _ = add_webhook(house.engine, program.url, [], None, "ada", now)
        hook_id = int(row.id or 0)
        promised(house)
        gather(house.engine, now)
        program.status = 302
        assert send_events(house.engine, hook_id, now) == {"waiting": 1}
        assert send_events(house.engine, hook_id, now) == {}
        for wait in RETRIES:
            now += wait
            last = send_events(house.engine, hook_id, now)
        assert last == {"given_up": 1}
        assert len(program.heard) == 1 + len(RETRIES)
        (delivery,) = house.rows(WebhookDelivery)
        with pytest.raises(RefusedError, match="may not send an event again"):
            send_again(house.engine, int(delivery.id or 0), "carla", now)
        send_again(house.engine, int(delivery.id or 0), "ada", now)
        program.status = 200
        assert send_events(house.engine, hook_id, now) == {"delivered": 1}


def test_who_was_stopped_is_told_afterwards_what_happened_meanwhile(house: House) -> None:
    now = at(house.day)
    with receiver() as program:
        row, _ = add_webhook(house.engine, program.url, ["promise_made"], None, "ada", now)
        switch_webhook(house.engine, int(row.id or 0), "ada", now, active=False)
        promised(house)
        assert gather(house.engine, now) == 0
        switch_webhook(house.engine, int(row.id or 0), "ada", now, active=True)
        assert gather(house.engine, now) == 1
        assert send_events(house.engine, int(row.id or 0), now) == {"delivered": 1}


def test_who_does_not_see_whose_cases_they_are_connects_no_program_to_them(house: House) -> None:
    now, url = at(house.day), "https://erp.example/"
    row, _ = add_webhook(house.engine, url, [], "ACME", "ada", now)
    with house.engine.database.session() as session:
        session.add(Creditor(code="OTHER", name="Other", recorded_at=now, **ABOUT))
        session.flush()
        ada = session.exec(select(Person.id).where(Person.login == "ada")).one()
        other = session.exec(select(Creditor.id).where(Creditor.code == "OTHER")).one()
        session.add(PersonCreditor(person_id=int(ada or 0), creditor_id=int(other or 0)))
    for creditor in ("ACME", None):
        with pytest.raises(RefusedError, match="ada may not see"):
            add_webhook(house.engine, url, [], creditor, "ada", now)
    with pytest.raises(RefusedError, match="ada may not see"):
        switch_webhook(house.engine, int(row.id or 0), "ada", now, active=False)
    add_webhook(house.engine, url, [], "OTHER", "ada", now)


class Stubborn:
    """A program that takes what comes and answers bit by bit, without an end."""

    def __init__(self, said: bytes, every: float) -> None:
        self._said, self._every, self._over = said, every, threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        caller, _ = self._socket.accept()
        with caller, contextlib.suppress(OSError):
            while not self._over.wait(self._every):
                caller.sendall(self._said)


def test_one_that_is_silent_holds_up_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.telling.LOOK_EVERY", 0.02)
    monkeypatch.setattr("connectors.webhook.posting.PATIENCE", 60.0)
    house.engine.clock = FixedClock(at(house.day))
    stop = threading.Event()
    telling = threading.Thread(target=tell_programs, args=(house.engine, stop))
    with Stubborn(b"", 0.05) as silent, receiver() as program:
        hooks = [add_webhook(house.engine, url, [], None, "ada", at(house.day))[0] for url in (silent, program.url)]
        telling.start()
        promised(house)
        until(lambda: len(program.heard) == 1, "the first event")
        promised(house)
        until(lambda: len(program.heard) == 2, "the second")
        tries = {(row.webhook_id, row.tries) for row in house.rows(WebhookDelivery)}
        assert (hooks[0].id, 0) in tries
        assert (hooks[0].id, 1) not in tries, "the silent one is still waited for"
        stop.set()
    telling.join()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", 200, id="only its status counts"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", None, id="and it has to come in time"),
    ],
)
def test_nobody_is_listened_to_for_long(monkeypatch: pytest.MonkeyPatch, said: bytes, status: int | None) -> None:
    monkeypatch.setattr("connectors.webhook.posting.PATIENCE", 0.3)
    with Stubborn(said, 0.05) as url:
        assert post_event(url, b"{}", {}).status == status


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/",
        "ftp://x.example",
        "https://",
        "https://me:secret@x.example/",
        "https://x.example/#a",
        "https://x.example:99999/",
        "https://exa mple.com/",
        "https://xn--/",
        "http://127.0.0.1\\@x.example/",
        "x",
    ],
)
def test_an_address_is_https_or_here(house: House, url: str) -> None:
    with pytest.raises(UsageError):
        add_webhook(house.engine, url, [], None, "ada", at(house.day))
