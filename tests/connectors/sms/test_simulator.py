"""The simulator: SIDs and segments that hold, what Twilio refuses, signed callbacks, and failures on demand."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.faults import Fault
from connectors.outcome import Failed, Outcome, Sent, Unknown
from connectors.sms import build_sms
from connectors.sms.hooks import REF, STATUS_PATH, Word, read_incoming, read_status, verified
from connectors.sms.simulator import SmsSimulator
from connectors.sms.twilio_client import TwilioSms
from maatpak.kernel.clock import SystemClock
from maatpak.kernel.settings import Settings
from maatpak.kernel.words import EvidenceKind, ReachState
from tests.connectors.letters import text
from tests.connectors.sms.conftest import Hook

SERVICE = "MG" + "a" * 32
CUSTOMER = "+31612340001"
OTHER = "+31612340002"


@pytest.fixture
def port(tmp_path: Path, hook: Hook) -> Iterator[TwilioSms]:
    built = build_sms(Settings(workspace=tmp_path, public_url=hook.url), tmp_path)
    assert isinstance(built, TwilioSms)
    yield built
    built.shut()


@pytest.fixture
def service(tmp_path: Path, hook: Hook) -> Iterator[TwilioSms]:
    """A port that sends through a messaging service."""
    built = build_sms(Settings(workspace=tmp_path, public_url=hook.url, sms_sender=SERVICE), tmp_path)
    assert isinstance(built, TwilioSms)
    yield built
    built.shut()


def simulator(port: TwilioSms) -> SmsSimulator:
    assert port.simulator is not None
    return port.simulator


def send(port: TwilioSms, number: str = CUSTOMER, words: str = "Hallo") -> Outcome:
    async def once() -> Outcome:
        try:
            return await port.send(replace(text(number, words), written_at=SystemClock().now()), [])
        finally:
            await port.close()

    return asyncio.run(once())


def ask(port: TwilioSms, words: str = "Hallo") -> Outcome:
    async def once() -> Outcome:
        try:
            return await port.ask(replace(text(CUSTOMER, words), written_at=SystemClock().now()))
        finally:
            await port.close()

    return asyncio.run(once())


def fetch(port: TwilioSms, sid: str) -> Any:
    async def once() -> Any:
        client = await port._connected()
        try:
            return await client.messages(sid).fetch_async()
        finally:
            await port.close()

    return asyncio.run(once())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_reports_what_became_of_a_text_with_its_sid_and_a_valid_signature(port: TwilioSms, hook: Hook) -> None:
    outcome = send(port)
    assert isinstance(outcome, Sent)
    calls = [hook.next(), hook.next()]
    assert [call.params["MessageStatus"] for call in calls] == ["sent", "delivered"]
    assert all(call.signed for call in calls)
    report = read_status(calls[1].params)
    assert report is not None
    assert (report.service_ref, report.evidence) == (outcome.service_ref, EvidenceKind.DELIVERED)
    called = urlsplit(calls[1].path)
    assert (called.path, parse_qs(called.query)[REF]) == (STATUS_PATH, [text().message_ref])
    url = f"{hook.url}{calls[1].path}"
    assert not verified(url, calls[1].params, calls[1].signature, "another token")
    assert not verified(url, {**calls[1].params, "MessageStatus": "failed"}, calls[1].signature, "local-simulator")


def test_an_address_is_called_as_it_was_signed(port: TwilioSms, hook: Hook) -> None:
    """An escape that need not be one stays one: who tidies it up signs another address."""

    async def once() -> Outcome:
        try:
            return await port.send(replace(text(CUSTOMER), message_ref="a/b+c@zuidermeer.example"), [])
        finally:
            await port.close()

    assert isinstance(asyncio.run(once()), Sent)
    call = hook.next()
    assert (call.path, call.signed) == (f"{STATUS_PATH}?{REF}=a%2Fb%2Bc@zuidermeer.example", True)


def test_a_messaging_service_queues_first_and_picks_its_number(service: TwilioSms, hook: Hook) -> None:
    outcome = send(service, words="a" * 161)
    assert isinstance(outcome, Sent)
    assert outcome.service_ref is not None
    calls = [hook.next() for _ in range(3)]
    assert [call.params["MessageStatus"] for call in calls] == ["queued", "sent", "delivered"]
    assert {call.params["MessagingServiceSid"] for call in calls} == {SERVICE}
    (made,) = lines(simulator(service).messages)
    assert (made["from"], made["messaging_service_sid"], made["num_segments"], made["status"]) == (
        *(None, SERVICE),
        *("0", "accepted"),
    )
    fetched = fetch(service, outcome.service_ref)
    assert (fetched.from_, fetched.messaging_service_sid, fetched.num_segments) == ("+31970000000", SERVICE, "2")
    assert ask(service, "a" * 161) == outcome
    assert isinstance(ask(service, "something else"), Unknown)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("undelivered 30003", ["sent", "undelivered"]),
        ("undelivered 30005", ["sent", "undelivered"]),
        ("failed 30007", ["failed"]),
    ],
)
def test_a_text_that_does_not_arrive(port: TwilioSms, hook: Hook, reply: str, told: list[str]) -> None:
    simulator(port).plan_faults([Fault(at="delivery", reply=reply)])
    outcome = send(port)
    assert isinstance(outcome, Sent)
    assert outcome.service_ref is not None
    calls = [hook.next() for _ in told]
    assert [call.params["MessageStatus"] for call in calls] == told
    report = read_status(calls[-1].params)
    assert report is not None
    assert f"{report.state} {report.error_code}" == reply
    assert report.evidence is EvidenceKind.BOUNCED
    fetched = fetch(port, outcome.service_ref)
    assert f"{fetched.status} {fetched.error_code}" == reply


def test_reports_come_twice_or_the_last_one_first(port: TwilioSms, hook: Hook) -> None:
    simulator(port).plan_faults([Fault(at="callback", reply="twice", times=1), Fault(at="callback", reply="reversed")])
    send(port)
    assert hook.states(4) == ["sent", "sent", "delivered", "delivered"]
    send(port)
    assert hook.states(2) == ["delivered", "sent"]


def test_reports_come_late_or_not_at_all(port: TwilioSms, hook: Hook) -> None:
    late = Fault(match=CUSTOMER, at="callback", delay=0.3, times=1)
    simulator(port).plan_faults([late, Fault(match=CUSTOMER, at="callback", drop=True)])
    send(port, CUSTOMER)
    send(port, CUSTOMER)
    send(port, OTHER)
    calls = [hook.next() for _ in range(4)]
    assert [call.params["To"] for call in calls] == [OTHER, OTHER, CUSTOMER, CUSTOMER]
    simulator(port).stop()
    assert hook.calls.empty()
    assert len(lines(simulator(port).callbacks)) == 4


def test_what_was_taken_before_the_connection_was_lost_is_reported_by_its_reference(
    port: TwilioSms, hook: Hook
) -> None:
    simulator(port).plan_faults([Fault(at="after", drop=True)])
    assert isinstance(send(port), Unknown)
    (kept,) = lines(simulator(port).messages)
    call = hook.next()
    assert parse_qs(urlsplit(call.path).query)[REF] == [text().message_ref]
    assert call.params["MessageSid"] == kept["sid"]
    assert ask(port) == Sent(kept["sid"])


def test_something_becomes_of_a_text_when_it_is_told_so(port: TwilioSms, hook: Hook) -> None:
    simulator(port).plan_faults([Fault(at="callback", drop=True)])
    outcome = send(port)
    assert isinstance(outcome, Sent)
    assert outcome.service_ref is not None
    simulator(port).happen(outcome.service_ref, "undelivered", 30005)
    call = hook.next()
    assert call.signed
    assert (call.params["MessageStatus"], call.params["ErrorCode"]) == ("undelivered", "30005")
    assert fetch(port, outcome.service_ref).status == "undelivered"
    assert hook.calls.empty()


def test_it_is_started_by_hand(tmp_path: Path, hook: Hook) -> None:
    given = Settings(workspace=tmp_path, public_url=hook.url)
    token = given.sms_token.get_secret_value()
    command = [sys.executable, "-m", "connectors.sms.simulator", str(tmp_path), given.sms_account, token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        by_hand = build_sms(given.model_copy(update={"sms_url": url}), tmp_path)
        assert isinstance(by_hand, TwilioSms)
        assert isinstance(send(by_hand), Sent)
        assert hook.states(2) == ["sent", "delivered"]


def test_calls_under_way_come_to_their_end_when_it_is_stopped(port: TwilioSms, hook: Hook) -> None:
    send(port)
    simulator(port).stop()
    told = [(line["params"]["MessageStatus"], line["answer"]) for line in lines(simulator(port).callbacks)]
    assert told == [("sent", 204), ("delivered", 204)]


def test_a_webhook_that_nobody_serves_is_noted(tmp_path: Path) -> None:
    port = build_sms(Settings(workspace=tmp_path, public_url="http://127.0.0.1:9"), tmp_path)
    assert isinstance(port, TwilioSms)
    send(port)
    port.shut()
    assert [line["answer"] for line in lines(simulator(port).callbacks)] == [None, None]


def test_a_customer_opts_out_and_in_again(port: TwilioSms, hook: Hook) -> None:
    assert isinstance(send(port), Sent)
    hook.states(2)
    sid = simulator(port).text_in(CUSTOMER, "Stop")
    call = hook.next()
    assert (call.path, call.signed) == ("/hooks/twilio/incoming", True)
    said = read_incoming(call.params)
    assert said is not None
    assert (said.service_ref, said.sender, said.recipient, said.word) == (sid, CUSTOMER, "+31970000000", Word.STOP)
    refused = send(port)
    assert isinstance(refused, Failed)
    assert (refused.permanent, refused.address) == (True, ReachState.OPTED_OUT)
    assert isinstance(send(port, OTHER), Sent)
    simulator(port).text_in(CUSTOMER, "Help")
    assert isinstance(send(port), Failed)
    simulator(port).text_in(CUSTOMER, "start")
    assert isinstance(send(port), Sent)


def test_an_answer_is_handed_on_word_for_word(port: TwilioSms, hook: Hook) -> None:
    sid = simulator(port).text_in(CUSTOMER, "Ik betaal vrijdag € 50 & stop dan")
    said = read_incoming(hook.next().params)
    assert said is not None
    assert (said.body, said.word) == ("Ik betaal vrijdag € 50 & stop dan", None)
    assert fetch(port, sid).direction == "inbound"
    assert isinstance(send(port), Sent)


def test_a_messaging_service_says_what_a_word_asks_for(service: TwilioSms, hook: Hook) -> None:
    simulator(service).text_in(CUSTOMER, "Yes")
    call = hook.next()
    assert (call.params["OptOutType"], call.params["MessagingServiceSid"]) == ("START", SERVICE)
    simulator(service).text_in(CUSTOMER, "Afmelden")
    call = hook.next()
    assert "OptOutType" not in call.params
    said = read_incoming(call.params)
    assert said is not None
    assert said.word is Word.STOP


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "0612340001"}, 21211),
        ({"To": "+316"}, 21211),
        ({"To": "+31302345678"}, 21635),
        ({"From": ""}, 21603),
        ({"From": "1234"}, 21212),
        ({"From": "", "MessagingServiceSid": "XX"}, 21705),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"StatusCallback": "maatpak.example.com"}, 21609),
    ],
)
def test_it_refuses_what_twilio_refuses(port: TwilioSms, form: dict[str, str], code: int) -> None:
    from base64 import b64encode
    from http.client import HTTPConnection
    from urllib.parse import urlencode

    account = "AC" + "0" * 32
    full = {"To": CUSTOMER, "From": "+31970000000", "Body": "Hallo", **form}
    login = b64encode(f"{account}:local-simulator".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
    connection = HTTPConnection(urlsplit(simulator(port).url()).netloc)
    connection.request("POST", f"/2010-04-01/Accounts/{account}/Messages.json", urlencode(full), headers)
    response = connection.getresponse()
    assert (response.status, json.load(response)["code"]) == (400, code)
    connection.close()
