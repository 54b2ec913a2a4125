"""Services call back: only those that signed are heard, and what they say arrives where it belongs."""

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from connectors.post.hooks import signature
from connectors.sms import build_sms
from connectors.sms.hooks import INCOMING_PATH, STATUS_PATH
from connectors.sms.twilio_client import TwilioSms
from maatpak.console.app import create_app
from maatpak.console.hooks import LONGEST, PINGEN_PATH
from maatpak.kernel.settings import LOCAL_TOKEN
from tasks.engine import Engine
from tests.console.serving import PATIENCE, served
from tests.flows.conftest import free_port
from tests.tasks.outbox_world import House
from tests.tasks.send.sending import messages, send

PUBLIC = "https://maatpak.example"
TOKEN = "a token of the service's own"
SECRET = "signing key of the webhook"
NUMBER = "+31612345678"


@pytest.fixture
def house(engine: Engine) -> House:
    """A house that services may call back."""
    house = House(engine)
    given = {"public_url": PUBLIC, "sms_token": SecretStr(TOKEN), "pingen_hook_secret": SecretStr(SECRET)}
    engine.settings = engine.settings.model_copy(update=given)
    return house


@pytest.fixture
def texted(house: House) -> dict[str, Any]:
    """A text that was sent."""
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    send(house)
    (message,) = messages(house)
    return message


def call(
    house: House, path: str, form: dict[str, str], token: str = TOKEN, base: str = PUBLIC, body: str | None = None
) -> int:
    """Twilio posts a form; what it is answered."""
    signed = RequestValidator(token).compute_signature(f"{base}{path}", form)
    headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
    return posted(house, path, (body or urlencode(form)).encode(), headers)


def posted(house: House, path: str, content: bytes, headers: dict[str, str]) -> int:
    """What is answered."""
    with served(house.engine, free_port()) as address:
        return httpx.post(f"{address}{path}", content=content, headers=headers, timeout=PATIENCE).status_code


def kinds(house: House) -> list[str]:
    return [row["kind"] for row in house.rows("SELECT kind FROM evidence ORDER BY id")]


def test_a_signed_report_is_taken_and_others_are_not(house: House, texted: dict[str, Any]) -> None:
    form = {
        "MessageSid": texted["service_ref"],
        "MessageStatus": "delivered",
        "AccountSid": house.engine.settings.sms_account,
    }
    path = f"{STATUS_PATH}?ref={texted['message_ref']}"
    assert call(house, path, form, token="another") == 403
    assert call(house, path, form, base="https://elsewhere.example") == 403
    assert call(house, path, form, body=urlencode({**form, "MessageStatus": "undelivered"})) == 403
    assert kinds(house) == ["accepted"]
    assert call(house, path, form) == 204
    assert call(house, path, form) == 204
    assert kinds(house) == ["accepted", "delivered"]


def test_what_is_not_understood_or_too_long_is_refused(house: House, texted: dict[str, Any]) -> None:
    assert call(house, STATUS_PATH, {"MessageSid": texted["service_ref"], "MessageStatus": "dancing"}) == 400
    assert call(house, INCOMING_PATH, {"MessageSid": "SM1", "From": "nobody"}) == 400
    assert call(house, INCOMING_PATH, {"Body": "a" * LONGEST}) == 403


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        (STATUS_PATH, {"MessageSid": "SM\0"}),
        (STATUS_PATH, {"MessageSid": "SM" + "9" * 5000}),
        (STATUS_PATH, {"ErrorCode": "9" * 5000}),
        (f"{STATUS_PATH}?ref=%00", {}),
        (INCOMING_PATH, {"MessageSid": "SM\0"}),
        (INCOMING_PATH, {"MessageSid": "SM" + "9" * 5000}),
    ],
)
def test_what_is_signed_and_cannot_be_is_not_understood(house: House, path: str, changes: dict[str, str]) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "failed", "From": NUMBER, "Body": "On Friday"}
    assert call(house, path, {**form, **changes}) == 400
    assert house.rows("SELECT 1 AS one FROM incoming") == []


@pytest.mark.parametrize("path", [STATUS_PATH, INCOMING_PATH])
def test_another_account_is_not_heard(house: House, path: str) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "failed", "From": NUMBER, "Body": "Stop"}
    assert call(house, path, {**form, "AccountSid": "ACother"}) == 403
    assert call(house, path, {**form, "AccountSid": house.engine.settings.sms_account}) == 204


def test_a_customer_texts_us(house: House, texted: dict[str, Any]) -> None:
    assert call(house, INCOMING_PATH, {"MessageSid": "SM1", "From": NUMBER, "Body": "Stop.", "To": "+1"}) == 204
    assert house.rows("SELECT state FROM address_state") == [{"state": "opted_out"}]


def test_nobody_is_heard_before_it_was_told_where_to_call(house: House, texted: dict[str, Any]) -> None:
    house.engine.settings = house.engine.settings.model_copy(update={"public_url": None, "pingen_hook_secret": None})
    form = {"MessageSid": texted["service_ref"], "MessageStatus": "delivered"}
    assert call(house, STATUS_PATH, form) == 403
    assert pingen(house, b"{}", "") == 403


@pytest.mark.parametrize(
    ("public", "token", "called", "answer"),
    [
        (PUBLIC, LOCAL_TOKEN, "127.0.0.1", 503),
        ("http://127.0.0.1:4243", LOCAL_TOKEN, "192.0.2.7", 503),
        ("http://127.0.0.1:4243", LOCAL_TOKEN, "127.0.0.1", 204),
        ("http://localhost:4243", LOCAL_TOKEN, "::1", 204),
        (PUBLIC, TOKEN, "192.0.2.7", 204),
    ],
)
@pytest.mark.parametrize("path", [STATUS_PATH, INCOMING_PATH])
def test_a_token_that_everybody_knows_opens_nothing_to_others(
    house: House, texted: dict[str, Any], path: str, public: str, token: str, called: str, answer: int
) -> None:
    given = {"public_url": public, "sms_token": SecretStr(token)}
    house.engine.settings = house.engine.settings.model_copy(update=given)
    form = {"MessageSid": texted["service_ref"], "MessageStatus": "delivered", "From": NUMBER, "Body": "stop"}
    headers = {"X-Twilio-Signature": RequestValidator(token).compute_signature(f"{public}{path}", form)}

    async def called_at() -> int:
        host = f"[{called}]" if ":" in called else called
        transport = httpx.ASGITransport(create_app(house.engine))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return (await client.post(path, data=form, headers=headers)).status_code

    assert asyncio.run(called_at()) == answer
    learned = len(kinds(house)) - 1 + len(house.rows("SELECT 1 AS one FROM address_state"))
    assert bool(learned) == (answer == 204)


def pingen(house: House, body: bytes, secret: str = SECRET) -> int:
    """Pingen posts an event; what it is answered."""
    return posted(house, PINGEN_PATH, body, {"Signature": signature(body, secret)})


def test_pingen_tells_of_a_letter(house: House) -> None:
    house.customer(preferred_channel="post")
    house.written()
    send(house)
    (letter,) = messages(house)
    at = letter["sent_at"] + timedelta(hours=1)
    event = {
        "type": "letters_events",
        "id": "e1",
        "attributes": {"code": "undeliverable", "emitted_at": at.isoformat()},
    }
    related = {
        "letter": {"data": {"type": "letters", "id": letter["service_ref"]}},
        "event": {"data": {"type": "letters_events", "id": "e1"}},
    }
    told = {"data": {"type": "webhook_undeliverable", "id": "1", "relationships": related}, "included": [event]}
    body = json.dumps(told).encode()
    assert pingen(house, body, "another key") == 403
    assert pingen(house, b"[]") == 400
    assert kinds(house) == ["accepted"]
    assert pingen(house, body) == 204
    assert kinds(house) == ["accepted", "returned"]


def event_of(letter: object, code: object = "undeliverable") -> bytes:
    """What Pingen would post of a letter."""
    attributes = {"code": code, "emitted_at": "2026-03-11T10:00:00Z"}
    related = {"letter": {"data": {"id": letter}}, "event": {"data": {"id": "e"}}}
    return json.dumps(
        {
            "data": {"type": "webhook_undeliverable", "relationships": related},
            "included": [{"type": "letters_events", "id": "e", "attributes": attributes}],
        }
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        *(event_of(letter) for letter in ("a\0b", 5, None, {"a": 1}, "\ud800", "9" * 5000)),
        *(event_of("a", code) for code in ("a\0b", "\ud800", {"a": "\0"}, "9" * 5000)),
    ],
    ids=range(11),
)
def test_what_pingen_cannot_have_said_is_not_understood(house: House, body: bytes) -> None:
    assert pingen(house, body) == 400
    assert pingen(house, event_of("a")) == 204


def test_the_simulator_calls_back_and_is_heard(house: House, tmp_path: Path) -> None:
    port = free_port()
    settings = house.engine.settings.model_copy(
        update={"public_url": f"http://127.0.0.1:{port}", "sms_token": SecretStr(LOCAL_TOKEN)}
    )
    house.engine.settings = settings
    house.engine.__dict__["sms"] = build_sms(settings, tmp_path)
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    with served(house.engine, port):
        assert send(house).plain() == {"sms": {"sent": 1}}
        deadline = time.monotonic() + 20
        while "delivered" not in kinds(house):
            assert time.monotonic() < deadline, kinds(house)
            time.sleep(0.05)
        sms = house.engine.sms
        assert isinstance(sms, TwilioSms)
        assert sms.simulator is not None
        sms.simulator.text_in(NUMBER, "On Friday")
        while not house.rows("SELECT 1 AS one FROM answer"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
