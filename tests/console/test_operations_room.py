"""Operations in the console: imports, rows set apart, messages of which nobody knows, and Prefect that is not there."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from connectors.ledgers.source_file import parse_source
from maatpak.console.orchestration.overview import look_again
from maatpak.kernel.errors import InputRejectedError
from maatpak.kernel.words import Channel
from maatpak.ledger.tables import AddressState, Incoming, Message
from tasks.intake import ingest_ledger
from tests.console.conftest import At
from tests.console.house import Console, links_of, words_of
from tests.tasks.act.stages import MONDAY
from tests.tasks.intake.books import FIRST_DAY, HEADER, SECOND_DAY, SOURCE, at, first_day, write, written

DUE = HEADER.index("due")
BROKEN = 3
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _no_prefect(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None is known here, whatever server tests before had, and what they saw of it is not shown to these."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        look_again()
        yield
    look_again()


def imported(console: Console, folder: Path) -> None:
    """A ledger with a row that is set apart, and a second one that is refused whole."""
    source = parse_source("books.yaml", SOURCE)
    rows = [entry.cells() for entry in first_day()]
    rows[BROKEN][DUE] = "soon"
    ingest_ledger(console.engine, source, [write(folder, "first.csv", written(rows))], FIRST_DAY, at(FIRST_DAY), "olga")
    empty = write(folder, "second.csv", written([]))
    with pytest.raises(InputRejectedError):
        ingest_ledger(console.engine, source, [empty], SECOND_DAY, at(SECOND_DAY), "olga")


def test_what_a_ledger_brought_is_seen_a_row_corrected_and_released_and_a_refusal_is_on_record(
    at: At, tmp_path: Path
) -> None:
    console = at("start")
    imported(console, tmp_path)
    olga, audrey = console.browser("olga"), console.browser("audrey")
    (snapshot,) = console.rows("SELECT id, row_count FROM snapshot WHERE source = 'books'")
    assert f"/imports/{snapshot['id']}" in links_of(olga.get("/imports", source="books"))
    page = olga.get(f"/imports/{snapshot['id']}")
    assert "quarantines rows" in words_of(page)
    assert "soon" in words_of(page)
    report = olga.get(f"/imports/{snapshot['id']}/report")
    assert report.status_code == 200
    assert "sandbox" in report.headers["content-security-policy"]

    (row,) = console.rows("SELECT id FROM quarantined_row WHERE state = 'open'")
    path = f"/quarantine/{row['id']}"
    assert path in links_of(olga.get("/quarantine"))
    page = audrey.get(path)
    assert "soon" in words_of(page)
    assert "The cell is no date" in words_of(page)
    assert f'action="{path}/fix"' not in page.text
    assert console.program("audrey", "read").post(f"/api/v1{path}/discard", {"reason": "no"}).status_code == 403

    wrong = olga.press(olga.get(path), f"{path}/fix", open_amount="twelve", reason="they said so")
    assert wrong.status_code == 422
    assert "open_amount cannot be 'twelve'" in words_of(wrong)
    assert 'name="due_on"' in wrong.text
    assert 'name="po_number"' not in wrong.text, "only its own columns are asked for"
    nothing = olga.press(olga.get(path), f"{path}/fix", reason="they said so")
    assert "No cell is corrected" in words_of(nothing)
    due = first_day()[BROKEN].due.isoformat()
    assert olga.press(olga.get(path), f"{path}/fix", due_on=due, reason="they said so").status_code == 303
    assert f'value="{due}"' in olga.get(path).text
    done = console.program("olga").post(f"/api/v1{path}/release", {"reason": "it is right"})
    assert done.json()["data"]["written"]["items"] == 1
    assert path in links_of(olga.get("/quarantine", state="released"))
    assert "No row is quarantined" in words_of(olga.get("/quarantine"))
    done_by = "SELECT kind FROM event WHERE actor = 'olga' AND kind LIKE 'row%' ORDER BY seq"
    assert [each["kind"] for each in console.rows(done_by)] == ["row_corrected", "row_released"]

    ada = console.browser("ada")
    (event,) = console.rows("SELECT seq, body FROM event WHERE kind = 'ledger_rejected'")
    path = f"/imports/rejected/{event['seq']}"
    assert path in links_of(ada.get("/imports/rejected"))
    told = words_of(ada.get(path))
    assert "refused whole" in told
    assert "The ledger has no rows" in told
    assert ada.get(f"{path}/report").status_code == 200
    assert ada.get("/quarantine").status_code == 403, "administrators need no customers"
    (other,) = console.rows("SELECT min(seq) AS seq FROM event WHERE kind <> 'ledger_rejected'")
    assert ada.get(f"/imports/rejected/{other['seq']}").status_code == 404


def unknown_message(console: Console, case: dict[str, Any]) -> int:
    """A mail of which nobody knows whether it left."""
    with console.engine.database.session() as session:
        message = Message(
            **case,
            channel=Channel.EMAIL,
            recipient="a@b.example",
            language="en",
            template="reminder",
            content_key="unknown",
            message_ref="unknown@x",
            content="mail/aa/aa.json",
            state="unknown",
            failure="the connection broke off",
            business_date=MONDAY,
            queued_at=console.clock.now(),
            ended_at=console.clock.now(),
        )
        session.add(message)
        session.flush()
        return int(message.id or 0)


def arrive(console: Console, key: str, mail: str) -> int:
    """A mail of nobody's."""
    with console.engine.database.session() as session:
        row = Incoming(
            incoming_key=key,
            channel=Channel.EMAIL,
            kind="answer",
            content=console.engine.store.put("incoming", mail.encode(), "eml"),
            state="unassigned",
            received_at=console.clock.now(),
            recorded_at=console.clock.now(),
        )
        session.add(row)
        session.flush()
        return int(row.id or 0)


def test_what_nobody_knows_is_settled_by_people(at: At) -> None:
    console = at("start")
    (case,) = console.rows('SELECT id AS case_id, debtor_id, creditor_id FROM "case"')
    message_id = unknown_message(console, case)
    mail = f"From: x@unknown.example\nTo: us@ours.example\nSubject: {HOSTILE}\nMessage-Id: <1@x>\n\n{HOSTILE} I paid.\n"
    mine, spam = arrive(console, "1", mail), arrive(console, "2", mail)
    with console.engine.database.session() as session:
        kept: dict[str, Any] = {"debtor_id": case["debtor_id"], "channel": "email", "actor": "engine"}
        session.add(
            AddressState(
                **kept,
                address="gone@b.example",
                state="dead",
                cause="550 5.1.1",
                valid_from=MONDAY,
                recorded_at=console.clock.now(),
            )
        )
    colin = console.browser("colin")
    with console.counting() as sent:
        page = colin.get("/operations")
    assert len(sent) <= 15, sent
    told = words_of(page)
    assert "What runs cannot be shown just now. No Prefect server is known here." in told
    assert "Unknown messages 1" in told
    assert "Unassigned mail 2" in told

    assert f"/messages/{message_id}" in links_of(colin.get("/messages/unknown"))
    assert "Unknown 1" in words_of(colin.get("/operations/channels"))
    done = colin.press(
        colin.get(f"/messages/{message_id}/resolve"),
        f"/messages/{message_id}/resolve",
        outcome="sent",
        reason="the service has it",
    )
    assert done.status_code == 303
    assert console.rows("SELECT state, resolved_by FROM message WHERE id = :id", id=message_id) == [
        {"state": "sent", "resolved_by": "colin"}
    ]
    assert "it is known whether it left" in words_of(colin.get("/messages/unknown"))

    page = colin.get(f"/incoming/{mine}")
    assert "I paid." in words_of(page)
    assert HOSTILE not in page.text
    refused = colin.send(f"/incoming/{mine}/assign", debtor_no="C9")
    assert (refused.status_code, "There is no debtor 'C9'" in words_of(refused)) == (422, True)
    assert colin.send(f"/incoming/{mine}/assign", debtor_no="C1").headers["location"] == "/answers"
    answers = console.program("colin").get("/api/v1/answers").json()["items"]
    assert [(each["answer_no"], each["case_id"]) for each in answers] == [(f"I{mine}", case["case_id"])]
    assert f"/work/{answers[0]['task_id']}" in links_of(colin.get("/answers"))
    assert colin.press(colin.get(f"/incoming/{spam}"), f"/incoming/{spam}/drop").status_code == 303
    assert colin.get(f"/incoming/{spam}").status_code == 404
    assert "gone@b.example" in words_of(colin.get("/addresses"))


def test_without_prefect_pages_say_so_and_nothing_breaks(at: At) -> None:
    console = at("start")
    olga, program = console.browser("olga"), console.program("olga")
    assert "Runs cannot be shown just now" in words_of(olga.get("/operations/runs"))
    assert program.get("/api/v1/operations").json()["trouble"] == "No Prefect server is known here."
    one = "00000000-0000-0000-0000-000000000001"
    for path in (f"/operations/runs/{one}", f"/operations/deployments/{one}"):
        assert (olga.get(path).status_code, program.get(f"/api/v1{path}").status_code) == (502, 502)
    assert olga.get("/operations/runs/none").status_code == 404
    asked = program.post(f"/api/v1/operations/deployments/{one}/pause")
    assert (asked.status_code, asked.json()["code"]) == (502, "outside")
    assert console.program("colin").post(f"/api/v1/operations/deployments/{one}/pause").status_code == 403
    (code,) = console.rows("SELECT code FROM creditor")
    late = (console.clock.now().date() + timedelta(days=9)).isoformat()
    caught = olga.send(f"/operations/creditors/{code['code']}/catch-up", as_of=late)
    assert (caught.status_code, "still to come" in words_of(caught)) == (422, True)
    assert olga.get("/operations/runs", since="yesterday").status_code == 422
    assert "No letter is there" in words_of(olga.get("/operations/letters"))
