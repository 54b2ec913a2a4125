"""Programs are told of events: signed, once each, and again until they are taken."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.tables import Case, WebhookDelivery
from tasks.promises import make_promise
from tasks.webhooks import RETRIES, add_webhook, gather, send_again, send_events, switch_webhook
from tests.tasks.act.house import House, at
from tests.tasks.act.stages import Stages


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
        assert send_events(house.engine, now) == {"delivered": 1}
        assert send_events(house.engine, now) == {}
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
        add_webhook(house.engine, program.url, [], None, "ada", now)
        promised(house)
        gather(house.engine, now)
        program.status = 302
        assert send_events(house.engine, now) == {"waiting": 1}
        assert send_events(house.engine, now) == {}
        for wait in RETRIES:
            now += wait
            last = send_events(house.engine, now)
        assert last == {"given_up": 1}
        assert len(program.heard) == 1 + len(RETRIES)
        (delivery,) = house.rows(WebhookDelivery)
        with pytest.raises(RefusedError, match="may not send an event again"):
            send_again(house.engine, int(delivery.id or 0), "carla", now)
        send_again(house.engine, int(delivery.id or 0), "ada", now)
        program.status = 200
        assert send_events(house.engine, now) == {"delivered": 1}


def test_who_was_stopped_is_told_afterwards_what_happened_meanwhile(house: House) -> None:
    now = at(house.day)
    with receiver() as program:
        row, _ = add_webhook(house.engine, program.url, ["promise_made"], None, "ada", now)
        switch_webhook(house.engine, int(row.id or 0), "ada", now, active=False)
        promised(house)
        assert gather(house.engine, now) == 0
        switch_webhook(house.engine, int(row.id or 0), "ada", now, active=True)
        assert gather(house.engine, now) == 1
        assert send_events(house.engine, now) == {"delivered": 1}


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/",
        "ftp://x.example",
        "https://",
        "https://me:secret@x.example/",
        "https://x.example/#a",
        "x",
    ],
)
def test_an_address_is_https_or_here(house: House, url: str) -> None:
    with pytest.raises(UsageError):
        add_webhook(house.engine, url, [], None, "ada", at(house.day))
