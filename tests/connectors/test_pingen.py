import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pingen2sdk
import pytest
from aiohttp import web
from pingen2sdk.incoming_webhook import WebhookSignature
from pypdf import PdfReader

from connectors.faults import Fault
from connectors.message import Correspondent, Enclosure, Outgoing
from connectors.outcome import Failed, Held, NoService, Outcome, Sent, Unknown
from connectors.post import build_post
from connectors.post.hooks import read_pingen_hook, signature
from connectors.post.letters import letter_pdf
from connectors.post.pingen import PingenPost
from connectors.post.pingen_simulator import PingenSimulator
from connectors.post.port import LetterReport, LetterState
from connectors.post.spool import PostSpool
from maatpak.kernel.errors import RefusedError, TransientError, UsageError
from maatpak.kernel.settings import Settings
from tests.connectors.letters import letter

SECRET = "signing-key"
TODAY = date(2026, 3, 11)
DELIVERED = datetime(2026, 3, 13, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PingenPost]:
    folder = tmp_path_factory.mktemp("post")
    built = build_post(Settings(workspace=folder, pingen_url="simulator"), folder)
    assert isinstance(built, PingenPost)
    yield built
    built.shut()


@pytest.fixture
def simulator(port: PingenPost) -> Iterator[PingenSimulator]:
    assert port.simulator is not None
    port.simulator.plan_faults([])
    yield port.simulator
    port.simulator.plan_faults([])


def send(port: PingenPost, outgoing: Outgoing, *enclosures: Enclosure) -> Outcome:
    return asyncio.run(port.send(outgoing, enclosures))


def ask(port: PingenPost, outgoing: Outgoing) -> Outcome:
    return asyncio.run(port.ask(outgoing))


def of(simulator: PingenSimulator, outgoing: Outgoing) -> list[dict[str, Any]]:
    name = f"{outgoing.message_ref.partition('@')[0]}.pdf"
    return [each for each in simulator.letters() if each["attributes"]["file_original_name"] == name]


def test_a_letter_arrives_with_the_id_that_we_were_told(port: PingenPost, simulator: PingenSimulator) -> None:
    made = letter(1)
    outcome = send(port, made)
    assert isinstance(outcome, Sent)
    (kept,) = of(simulator, made)
    assert kept["id"] == outcome.service_ref
    asked = {name: kept["attributes"][name] for name in ("address_position", "delivery_product", "print_mode")}
    assert asked == {"address_position": "left", "delivery_product": "cheap", "print_mode": "simplex"}
    assert kept["attributes"]["address"].startswith("van den heuvel & zonen b.v.")
    assert simulator.pdf(kept["id"]) == letter_pdf(made, sender_line=False)
    assert ask(port, made) == outcome


def test_a_letter_that_is_stopped_while_it_was_set_is_not_made(port: PingenPost, simulator: PingenSimulator) -> None:
    made = letter(3)

    async def stopped() -> bool:
        return False

    assert asyncio.run(port.send(made, (), begun=stopped)) == Held()
    assert of(simulator, made) == []


def test_enclosures_are_printed_behind_the_letter(port: PingenPost, simulator: PingenSimulator) -> None:
    made = letter(2)
    copy = Enclosure("F-2041.pdf", "application/pdf", letter_pdf(letter(rows=60)))
    outcome = send(port, made, copy)
    assert isinstance(outcome, Sent)
    assert len(PdfReader(BytesIO(simulator.pdf(str(outcome.service_ref)))).pages) == 3
    assert send(port, letter(3), Enclosure("F.xlsx", "", b"PK")) == Failed(
        "no PDF, so it cannot be printed: F.xlsx", permanent=True
    )
    assert of(simulator, letter(3)) == []


@pytest.mark.parametrize(
    ("number", "fault", "expected", "taken"),
    [
        (10, Fault(reply="422"), Failed("", permanent=True), 0),
        (11, Fault(reply="429"), Failed("", permanent=False), 0),
        (12, Fault(reply="402"), Failed("", permanent=False), 0),
        (13, Fault(reply="401"), NoService("", ""), 0),
        (14, Fault(reply="409"), Unknown(""), 0),
        (15, Fault(reply="503"), Unknown(""), 0),
        (16, Fault(drop=True), Unknown(""), 0),
        (17, Fault(at="after", drop=True), Unknown(""), 1),
        (18, Fault(at="after", reply="500"), Unknown(""), 1),
        (19, Fault(at="upload", reply="500"), Failed("", permanent=False), 0),
        (20, Fault(at="upload", drop=True), NoService("", ""), 0),
        (21, Fault(at="login", reply="503"), Failed("", permanent=False), 0),
        (22, Fault(at="login", drop=True), NoService("", ""), 0),
        (23, Fault(delay=0.01), Sent(), 1),
    ],
)
def test_every_failure_has_its_outcome_and_another_attempt_prints_once(
    port: PingenPost, simulator: PingenSimulator, number: int, fault: Fault, expected: Outcome, taken: int
) -> None:
    made = letter(number)
    asyncio.run(port.close())
    simulator.plan_faults([fault])
    outcome = send(port, made)
    assert type(outcome) is type(expected)
    if isinstance(outcome, Failed) and isinstance(expected, Failed):
        assert outcome.permanent is expected.permanent
    simulator.plan_faults([])
    assert len(of(simulator, made)) == taken
    assert isinstance(ask(port, made), Sent if taken else Unknown)
    again = send(port, made)
    (kept,) = of(simulator, made)
    assert again == Sent(kept["id"]) == ask(port, made)


def test_an_idempotency_key_keeps_a_second_creation_from_printing(port: PingenPost, simulator: PingenSimulator) -> None:
    made = letter(30)
    first = send(port, made)
    file = port._upload(letter_pdf(made, sender_line=False))
    assert port._create(made, *file) == first
    assert len(of(simulator, made)) == 1


def test_what_pingen_will_not_print_is_a_failure(port: PingenPost, simulator: PingenSimulator) -> None:
    nobody = replace(letter(31), recipient=Correspondent("Nobody"))
    assert send(port, nobody) == Failed("the letter has no address", permanent=True)
    boxes = letter(32, lines=("Łódź 株式会社", "Dam 1", "1012 AB Amsterdam"))
    assert send(port, boxes) == Failed("the letter's fonts have no 会式株社", permanent=True)
    made = letter(33)
    outcome = send(port, made)
    assert isinstance(outcome, Sent)
    simulator.happen(str(outcome.service_ref), "rejected_from_printcenter", DELIVERED)
    assert ask(port, made) == Failed("the service has it as unprintable", permanent=True)


def test_what_stands_where_the_postage_goes_is_not_posted(port: PingenPost, simulator: PingenSimulator) -> None:
    made = letter(34)
    outcome = port._create(made, *port._upload(letter_pdf(made, sender_line=True)))
    assert isinstance(outcome, Sent)
    assert isinstance(ask(port, made), Failed)


def test_a_letter_is_cancelled_until_the_printers_have_it(port: PingenPost, simulator: PingenSimulator) -> None:
    simulator.plan_faults([Fault(at="letterbox")])
    made = letter(36)
    early = send(port, made)
    assert isinstance(early, Sent)
    assert asyncio.run(port.cancel(str(early.service_ref), TODAY))
    assert ask(port, made) == Failed("the service has it as cancelled", permanent=True)
    simulator.plan_faults([])
    outcome = send(port, letter(35))
    assert isinstance(outcome, Sent)
    assert not asyncio.run(port.cancel(str(outcome.service_ref), TODAY))
    assert not asyncio.run(port.cancel("00000000-0000-0000-0000-000000000000", TODAY))


def test_a_wrong_secret_is_no_letters_failure(simulator: PingenSimulator) -> None:
    other = pingen(simulator.url(), secret="wrong")
    outcome = send(other, letter(40))
    assert isinstance(outcome, NoService)
    assert "MAATPAK_PINGEN_SECRET" in outcome.mend
    assert isinstance(ask(other, letter(40)), Unknown)


def test_no_service_is_no_letters_failure() -> None:
    nowhere = pingen("http://127.0.0.1:9")
    outcome = send(nowhere, letter(41))
    assert isinstance(outcome, NoService)
    assert "MAATPAK_PINGEN_URL" in outcome.mend
    assert isinstance(ask(nowhere, letter(41)), Unknown)
    for act in (nowhere.reports(TODAY), nowhere.cancel("x", TODAY), nowhere.watch("http://127.0.0.1/", SECRET)):
        with pytest.raises(TransientError):
            asyncio.run(act)


def pingen(url: str, secret: str = "simulator") -> PingenPost:
    return PingenPost(
        url=url,
        client="simulator",
        secret=secret,
        organisation="simulator",
        product="cheap",
        print_mode="simplex",
        print_spectrum="color",
    )


def test_pingen_tells_when_asked_what_became_of_letters(port: PingenPost, simulator: PingenSimulator) -> None:
    simulator.plan_faults([Fault(match="heuvel", at="letterbox", reply="undeliverable", times=1)])
    first, second = send(port, letter(50)), send(port, letter(51))
    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    simulator.happen(str(second.service_ref), "delivered", DELIVERED)
    today = datetime.now(UTC).date()
    told = asyncio.run(port.reports(date(2026, 1, 1)))
    assert {(each.state, each.on) for each in told if each.service_ref == first.service_ref} == {
        (LetterState.HANDED_OVER, today),
        (LetterState.UNDELIVERABLE, today),
    }
    assert LetterReport(date(2026, 3, 13), str(second.service_ref), LetterState.DELIVERED, "delivered") in told
    assert list(told) == sorted(told)
    later = asyncio.run(port.reports(date(2026, 3, 14)))
    assert LetterState.DELIVERED not in {each.state for each in later if each.service_ref == second.service_ref}


def test_webhooks_are_called_back_with_signatures_that_hold(port: PingenPost, simulator: PingenSimulator) -> None:
    calls = asyncio.run(_called_back(port, simulator, letter(60)))
    reports = []
    for body, signed in calls:
        assert WebhookSignature.verify_header(body, {"Signature": signed}, SECRET)
        reports.append(read_pingen_hook(body, signed, SECRET))
        for forged in (signed[:-1], "", None, signature(body, "another key")):
            with pytest.raises(RefusedError):
                read_pingen_hook(body, forged, SECRET)
        with pytest.raises(RefusedError):
            read_pingen_hook(body + b" ", signed, SECRET)
    states = [each.state for each in reports if each is not None]
    # Handed over; the next one never comes, the last one twice.
    assert states == [LetterState.HANDED_OVER, LetterState.DELIVERED, LetterState.DELIVERED]
    assert reports[1] == reports[2]
    assert len({each.service_ref for each in reports if each is not None}) == 1


async def _called_back(port: PingenPost, simulator: PingenSimulator, outgoing: Outgoing) -> list[tuple[bytes, str]]:
    calls: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        await calls.put((await request.read(), request.headers["Signature"]))
        return web.Response()

    application = web.Application()
    application.add_routes([web.post("/hooks", receive)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        await port.watch(url, SECRET)
        await port.watch(url, SECRET)
        outcome = await port.send(outgoing, [])
        assert isinstance(outcome, Sent)
        told = [await asyncio.wait_for(calls.get(), 30)]
        happen = [("undeliverable", Fault(at="hook", drop=True)), ("delivered", Fault(at="hook", reply="again"))]
        for code, fault in happen:
            simulator.plan_faults([fault])
            await asyncio.to_thread(simulator.happen, str(outcome.service_ref), code, DELIVERED)
        simulator.plan_faults([Fault(at="hook", delay=0.01)])
        await asyncio.to_thread(simulator.happen, str(outcome.service_ref), "track_and_trace", DELIVERED)
        while not calls.empty():
            told.append(calls.get_nowait())
        return told
    finally:
        await runner.cleanup()


SAMPLES = {
    "webhook_delivered_sample.json": (LetterState.DELIVERED, date(2026, 6, 18), "6c0a9d1e-4f2b-42d7-8f0c-6b7a8c9d0e1f"),
    "webhook_sample.json": (LetterState.FAILED, date(2022, 12, 3), "295e1b48-7766-44bc-955e-b3e97ee2f3be"),
    "webhook_sent_deliverables_sample.json": (
        LetterState.HANDED_OVER,
        date(2026, 7, 29),
        "b413792a-4a6f-4634-a868-9bd4c529f20a",
    ),
    "webhook_undeliverable_deliverable_only_sample.json": (
        LetterState.UNDELIVERABLE,
        date(2026, 7, 29),
        "b413792a-4a6f-4634-a868-9bd4c529f20a",
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_pingens_own_samples_are_understood(shared_data: Path, name: str) -> None:
    body = (shared_data / "openapi" / name).read_bytes()
    report = read_pingen_hook(body, signature(body, SECRET).upper(), SECRET)
    assert report is not None
    assert (report.state, report.on, report.service_ref) == SAMPLES[name]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"data": {}}', b'{"data": {"relationships": {}}, "included": []}', b"\xff"]
)
def test_what_is_signed_and_is_no_letters_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(UsageError):
        read_pingen_hook(body, signature(body, SECRET), SECRET)


def test_the_simulator_writes_as_pingen_does(port: PingenPost, simulator: PingenSimulator, shared_data: Path) -> None:
    sample = json.loads((shared_data / "openapi" / "webhook_sent_deliverables_sample.json").read_text())
    theirs = {each["type"]: each for each in sample["included"]}
    (body, _), *_ = asyncio.run(_called_back(port, simulator, letter(61)))
    ours = json.loads(body)
    assert ours["data"].keys() == sample["data"].keys()
    assert ours["data"]["attributes"].keys() == sample["data"]["attributes"].keys()
    for each in ours["included"]:
        if each["type"] != "organisations":
            same_shape(each["attributes"], theirs[each["type"]]["attributes"])


def same_shape(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    assert ours.keys() - {"fonts"} == theirs.keys() - {"fonts"}
    for name, value in theirs.items():
        if value is not None and name in ours and ours[name] is not None:
            assert type(ours[name]) is type(value), name


def test_letters_and_webhooks_outlive_the_simulator(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path, pingen_url="simulator")
    first, second = build_post(settings, tmp_path), build_post(settings, tmp_path)
    assert isinstance(first, PingenPost)
    assert isinstance(second, PingenPost)
    try:
        outcome = send(first, letter(70))
        first.shut()
        assert isinstance(outcome, Sent)
        assert ask(second, letter(70)) == outcome == send(second, letter(70))
    finally:
        first.shut()
        second.shut()


def test_it_is_started_by_hand(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "connectors.post.pingen_simulator", str(tmp_path), "org", "client", "secret"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        login = {"pingen_organisation": "org", "pingen_client": "client", "pingen_secret": "secret"}
        settings = Settings.model_validate({"workspace": tmp_path, "pingen_url": url, **login})
        by_hand = build_post(settings, tmp_path)
        assert isinstance(by_hand, PingenPost)
        assert isinstance(send(by_hand, letter(80)), Sent)


def test_pingen_is_used_where_the_settings_name_it(tmp_path: Path) -> None:
    assert isinstance(build_post(Settings(workspace=tmp_path), tmp_path), PostSpool)
    url = "https://api.pingen.example"
    with pytest.raises(UsageError, match="MAATPAK_PINGEN_ORGANISATION, MAATPAK_PINGEN_SECRET is missing"):
        build_post(Settings(workspace=tmp_path, pingen_url=url, pingen_client="c"), tmp_path)
    whole = Settings.model_validate(
        {
            "workspace": tmp_path,
            "pingen_url": url,
            "pingen_client": "c",
            "pingen_secret": "s",
            "pingen_organisation": "o",
        }
    )
    built = build_post(whole, tmp_path)
    assert isinstance(built, PingenPost)
    assert built.simulator is None


def test_the_clients_own_calls_find_what_we_made(port: PingenPost, simulator: PingenSimulator) -> None:
    outcome = send(port, letter(80))
    assert isinstance(outcome, Sent)
    shown = port._of(pingen2sdk.Letters).get_details(outcome.service_ref)
    assert shown.data["data"]["id"] == outcome.service_ref
