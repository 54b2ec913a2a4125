import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.base.exceptions import TwilioException

from connectors.faults import Fault
from connectors.outcome import Failed, NoService, Outcome, Sent, Unknown
from connectors.sms import build_sms, twilio_client
from connectors.sms.simulated import POOL
from connectors.sms.simulator import SmsSimulator
from connectors.sms.twilio_client import TwilioSms
from maatpak.kernel.clock import SystemClock
from maatpak.kernel.settings import Settings
from maatpak.kernel.words import ReachState
from tests.connectors.letters import text

SERVICE = "MG" + "a" * 32


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwilioSms]:
    folder = tmp_path_factory.mktemp("sms")
    built = build_sms(Settings(workspace=folder), folder)
    assert isinstance(built, TwilioSms)
    yield built
    built.shut()


@pytest.fixture
def simulator(port: TwilioSms) -> Iterator[SmsSimulator]:
    assert port.simulator is not None
    port.simulator.plan_faults([])
    yield port.simulator
    port.simulator.plan_faults([])


def run(
    port: TwilioSms,
    act: str,
    number: str,
    words: str = "Hallo",
    later: timedelta = timedelta(),
) -> Outcome:
    async def once() -> Outcome:
        from dataclasses import replace

        outgoing = replace(text(number, words), written_at=SystemClock().now() + later)
        try:
            return await (port.ask(outgoing) if act == "ask" else port.send(outgoing, []))
        finally:
            await port.close()

    return asyncio.run(once())


def stored(simulator: SmsSimulator) -> list[dict[str, Any]]:
    return [json.loads(line) for line in simulator.messages.read_text().splitlines()]


def test_a_text_arrives_with_the_sid_that_the_client_was_told(port: TwilioSms, simulator: SmsSimulator) -> None:
    outcome = run(port, "send", "+31612340001", "Factuur F-2041, € 1.250,00")
    assert isinstance(outcome, Sent)
    kept = stored(simulator)[-1]
    assert (kept["sid"], kept["to"], kept["body"]) == (
        outcome.service_ref,
        "+31612340001",
        "Factuur F-2041, € 1.250,00",
    )


def test_the_official_client_fetches_what_it_created(port: TwilioSms, simulator: SmsSimulator) -> None:
    outcome = run(port, "send", "+31612340002")
    assert isinstance(outcome, Sent)

    async def fetch() -> Any:
        client = await port._connected()
        try:
            return await client.messages(outcome.service_ref).fetch_async()
        finally:
            await port.close()

    fetched = asyncio.run(fetch())
    assert (fetched.sid, fetched.status, fetched.to) == (outcome.service_ref, "delivered", "+31612340002")


@pytest.mark.parametrize(
    ("number", "fault", "expected"),
    [
        ("0612", None, Failed("", permanent=True, address=ReachState.DEAD)),
        ("+31612340010", Fault(reply="400 21610"), Failed("", permanent=True, address=ReachState.OPTED_OUT)),
        ("+31612340011", Fault(reply="400 21614"), Failed("", permanent=True, address=ReachState.DEAD)),
        ("+31612340012", Fault(reply="400 21617"), Failed("", permanent=True)),
        ("+31612340013", Fault(reply="429 20429"), Failed("", permanent=False)),
        ("+31612340014", Fault(reply="401 20003"), NoService("", "")),
        ("+31612340018", Fault(reply="403 20005"), NoService("", "")),
        ("+31612340015", Fault(reply="503 20503"), Unknown("")),
        ("+31612340016", Fault(drop=True), Unknown("")),
        ("+31612340017", Fault(at="after", drop=True), Unknown("")),
    ],
)
def test_every_failure_has_its_outcome(
    port: TwilioSms, simulator: SmsSimulator, number: str, fault: Fault | None, expected: Outcome
) -> None:
    simulator.plan_faults([fault] if fault else [])
    outcome = run(port, "send", number)
    assert type(outcome) is type(expected)
    if isinstance(outcome, Failed) and isinstance(expected, Failed):
        assert (outcome.permanent, outcome.address) == (expected.permanent, expected.address)


def test_the_service_can_be_asked_what_became_of_a_text(port: TwilioSms, simulator: SmsSimulator) -> None:
    simulator.plan_faults([Fault(at="after", drop=True)])
    assert isinstance(run(port, "send", "+31612340020", "Taken"), Unknown)
    simulator.plan_faults([Fault(drop=True)])
    assert isinstance(run(port, "send", "+31612340020", "Lost"), Unknown)
    simulator.plan_faults([])
    assert isinstance(run(port, "ask", "+31612340020", "Taken"), Sent)
    assert isinstance(run(port, "ask", "+31612340020", "Lost"), Unknown)


@pytest.mark.parametrize("number", ["", "0612345678", "+316", "+31 6 1234 5678 9012 34", "Bank"])
def test_what_is_no_number_is_dead_before_anything_is_sent(
    port: TwilioSms, simulator: SmsSimulator, number: str
) -> None:
    simulator.plan_faults([Fault(reply="503 20503")])
    assert run(port, "send", number) == Failed("not a telephone number", permanent=True, address=ReachState.DEAD)


def test_a_number_goes_out_in_its_international_form(port: TwilioSms, simulator: SmsSimulator) -> None:
    assert isinstance(run(port, "send", "+31 (0)6 1234 0050"), Sent)
    assert stored(simulator)[-1]["to"] == "+31612340050"
    assert isinstance(run(port, "ask", "+31 (0)6 1234 0050"), Sent)


def test_a_text_over_the_cap_fails_before_anything_is_sent(port: TwilioSms, simulator: SmsSimulator) -> None:
    assert isinstance(run(port, "send", "+31612340051", "a" * 459), Sent)
    assert stored(simulator)[-1]["num_segments"] == "3"
    refused = run(port, "send", "+31612340051", "a" * 460)
    assert refused == Failed("too long: 4 segments, at most 3 are sent", permanent=True)
    assert len(stored(simulator)[-1]["body"]) == 459


def test_the_cap_is_a_setting(tmp_path: Path) -> None:
    built = build_sms(Settings(workspace=tmp_path, sms_segments=1), tmp_path)
    assert isinstance(built, TwilioSms)
    outcome = run(built, "send", "+31612340052", "a" * 161)
    assert outcome == Failed("too long: 2 segments, at most 1 are sent", permanent=True)


def test_typographic_signs_go_out_as_plain_ones_and_are_found_again(port: TwilioSms, simulator: SmsSimulator) -> None:
    words = "Betaal ‘F-2041’ – vandaag…"
    outcome = run(port, "send", "+31612340053", words)
    assert stored(simulator)[-1]["body"] == "Betaal 'F-2041' - vandaag..."
    assert run(port, "ask", "+31612340053", words) == outcome


@pytest.mark.parametrize("later", [timedelta(minutes=10), timedelta(days=1)])
def test_a_text_made_before_the_message_was_written_is_not_it(
    port: TwilioSms, simulator: SmsSimulator, later: timedelta
) -> None:
    assert isinstance(run(port, "send", "+31612340056"), Sent)
    assert isinstance(run(port, "ask", "+31612340056", later=later), Unknown)
    assert isinstance(run(port, "ask", "+31612340056", later=timedelta(seconds=30)), Sent), "clocks may differ"


@pytest.mark.parametrize(
    ("sender", "asking"),
    [(POOL, "+31970000009"), (POOL, SERVICE), (SERVICE, POOL), (SERVICE, "MG" + "b" * 32)],
)
def test_a_text_of_another_sender_is_not_ours(simulator: SmsSimulator, sender: str, asking: str) -> None:
    """Not even that of a messaging service which sends from our number."""

    def port_of(number: str) -> TwilioSms:
        settings = Settings()
        return TwilioSms(
            account=settings.sms_account,
            token=settings.sms_token.get_secret_value(),
            sender=number,
            base_url=simulator.url(),
            simulator=None,
        )

    number = f"+3161234{len(simulator.messages.read_text().splitlines()):04}"
    sent = run(port_of(sender), "send", number)
    assert isinstance(sent, Sent)
    assert isinstance(run(port_of(asking), "ask", number), Unknown)
    assert run(port_of(sender), "ask", number) == sent


def test_a_text_of_another_account_is_not_ours(port: TwilioSms, simulator: SmsSimulator) -> None:
    assert isinstance(run(port, "send", "+31612340057"), Sent)
    *before, ours = simulator.messages.read_text().splitlines()
    another = json.dumps({**json.loads(ours), "account_sid": "AC" + "9" * 32})
    simulator.messages.write_text("\n".join([*before, another, ""]))
    assert isinstance(run(port, "ask", "+31612340057"), Unknown)


class _Peers:
    """A server that takes every text and notes from which connection it came, or hangs up on each."""

    def __init__(self, *, hangs_up: bool = False) -> None:
        self.peers: list[object] = []
        self.forms: list[dict[str, object]] = []
        self._hangs_up = hangs_up

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.forms.append(dict(await request.post()))
        self.peers.append(request.transport.get_extra_info("peername"))
        if self._hangs_up:
            request.transport.abort()
        return web.json_response({"sid": "SM" + "0" * 32}, status=201)

    async def send(self, count: int, valid_for: timedelta | None = None) -> list[Outcome]:
        application = web.Application()
        application.router.add_post("/{path:.*}", self.answer)
        async with TestServer(application) as server:
            url = str(server.make_url("/")).rstrip("/")
            port = TwilioSms(account="AC1", token="t", sender="+31970000000", base_url=url, simulator=None)
            try:
                return [await port.send(text(), [], valid_for) for _ in range(count)]
            finally:
                await port.close()


@pytest.mark.parametrize(
    ("valid_for", "told"),
    [(None, None), (timedelta(hours=11), "36000"), (timedelta(minutes=10), "600"), (-timedelta(seconds=1), "5")],
)
def test_twilio_is_told_how_long_a_text_may_wait(valid_for: timedelta | None, told: str | None) -> None:
    server = _Peers()
    asyncio.run(server.send(1, valid_for))
    (form,) = server.forms
    assert form.get("ValidityPeriod") == told


def test_a_wait_that_twilio_does_not_take_is_refused_by_the_simulator(port: TwilioSms) -> None:
    async def create(seconds: int) -> None:
        client = await port._connected()
        try:
            await client.messages.create_async(
                to="+31612340001", from_="+31970000000", body="x", validity_period=seconds
            )
        finally:
            await port.close()

    for seconds in (0, 36_001):
        with pytest.raises(TwilioException, match="validity"):
            asyncio.run(create(seconds))


def test_texts_go_over_one_connection() -> None:
    server = _Peers()
    assert asyncio.run(server.send(5)) == [Sent("SM" + "0" * 32)] * 5
    assert len(server.peers) == 5
    assert len(set(server.peers)) == 1


def test_a_text_whose_connection_was_lost_is_not_sent_again() -> None:
    server = _Peers(hangs_up=True)
    (outcome,) = asyncio.run(server.send(1))
    assert isinstance(outcome, Unknown)
    assert len(server.peers) == 1


def test_a_text_whose_answer_takes_too_long_is_unknown_and_sent_once(
    port: TwilioSms, simulator: SmsSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(run(port, "send", "+31612340055", "First"), Sent)  # and the simulator runs
    monkeypatch.setattr(twilio_client, "TIMEOUT", 1.0)
    simulator.plan_faults([Fault(at="after", delay=3.0)])
    assert isinstance(run(port, "send", "+31612340055", "Slow"), Unknown)
    assert [each["body"] for each in stored(simulator) if each["to"] == "+31612340055"] == ["First", "Slow"]


def test_a_wrong_token_is_refused(port: TwilioSms, simulator: SmsSimulator) -> None:
    other = TwilioSms(account="AC" + "0" * 32, token="wrong", sender="+1", base_url=simulator.url(), simulator=None)
    outcome = run(other, "send", "+31612340030")
    assert isinstance(outcome, NoService)
    assert outcome.code.startswith("401 20003")
    assert "MAATPAK_SMS_TOKEN" in outcome.mend


def test_no_service_is_no_texts_failure() -> None:
    port = TwilioSms(account="AC1", token="t", sender="+1", base_url="http://127.0.0.1:9", simulator=None)
    outcome = run(port, "send", "+31612340031")
    assert isinstance(outcome, NoService)
    assert "MAATPAK_SMS_URL" in outcome.mend
    assert isinstance(run(port, "ask", "+31612340031"), Unknown)


def test_the_simulator_speaks_as_twilio_describes_itself(
    port: TwilioSms, simulator: SmsSimulator, shared_data: Path
) -> None:
    api = json.loads((shared_data / "openapi" / "twilio_api_v2010.json").read_text())
    schemas = api["components"]["schemas"]
    described = schemas["api.v2010.account.message"]["properties"]
    collection = api["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]
    body = collection["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
    assert {"To", "From", "Body"} <= body.keys()
    listed = {each["name"] for each in collection["get"]["parameters"]}
    assert {"To", "From", "DateSent>"} <= listed
    made, fetched, page = asyncio.run(_raw(simulator.url()))
    for message in (made, fetched, page["messages"][0]):
        assert message.keys() <= described.keys()
        assert described.keys() - message.keys() <= {"tags"}
        for name, value in message.items():
            _fits(name, value, described[name], schemas)
    envelope = collection["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    assert page.keys() <= envelope.keys()


async def _raw(url: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    account = "AC00000000000000000000000000000000"
    base = f"{url}/2010-04-01/Accounts/{account}/Messages"
    from base64 import b64encode

    headers = {"Authorization": "Basic " + b64encode(f"{account}:local-simulator".encode()).decode()}
    async with aiohttp.ClientSession(headers=headers) as session:
        form = {"To": "+31612340040", "From": "+31970000000", "Body": "Raw"}
        async with session.post(f"{base}.json", data=form) as response:
            assert response.status == 201
            made = await response.json()
        async with session.get(f"{base}/{made['sid']}.json") as response:
            fetched = await response.json()
        async with session.get(f"{base}.json", params={"To": "+31612340040"}) as response:
            page = await response.json()
    return made, fetched, page


def _fits(name: str, value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The little of JSON Schema that the description uses."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if value is None:
        assert schema.get("nullable", False), f"{name} may not be null"
        return
    if "enum" in schema:
        assert value in schema["enum"], name
    if "pattern" in schema:
        import re

        assert re.fullmatch(schema["pattern"], value), name
    types: dict[str, type] = {"string": str, "integer": int, "object": dict}
    assert isinstance(value, types[schema["type"]]), name
