"""The audit's room: events found and told, why a letter was sent, whether history is whole, and dossiers."""

import csv
import subprocess
import sys
import zipfile
from io import BytesIO, StringIO
from pathlib import Path

from maatpak.kernel.words import Channel, EvidenceKind
from maatpak.ledger.tables import Message
from tasks.access.sight import give_sight
from tasks.answers import record_answer
from tasks.audit.proving import prove_chain, prove_day
from tasks.desk import desk
from tasks.evidence import note_evidence
from tests.console.conftest import At
from tests.console.house import Console, links_of, words_of
from tests.tasks.outbox_world import House


def other_creditor(console: Console, login: str) -> int:
    """Another creditor with an event, which the person may not see; the event."""
    own = console.rows("SELECT min(id) AS id FROM creditor")[0]["id"]
    other = House(console.engine, code="NL2")
    case_id = other.customer().case_id
    person = console.rows("SELECT id FROM person WHERE login = :login", login=login)[0]["id"]
    with desk(console.engine, other.creditor_id, login, other.day, console.clock.now()) as at_other:
        at_other.record("reason_stated", case=at_other.case(case_id), reason="price")
    with console.engine.database.session() as session:
        give_sight(session, person, [own])
    return int(
        console.rows("SELECT max(seq) AS seq FROM event WHERE creditor_id = :id", id=other.creditor_id)[0]["seq"]
    )


def message(console: Console, template: str, channel: str) -> int:
    query = "SELECT id FROM message WHERE template = :template AND channel = :channel"
    return int(console.rows(query, template=template, channel=channel)[0]["id"])


def test_events_are_found_told_and_taken_along(at: At) -> None:
    console = at("placing")
    foreign = other_creditor(console, "max")
    max_ = console.browser("max")
    newest = console.rows("SELECT max(seq) AS seq FROM event WHERE kind <> 'reason_stated'")[0]["seq"]
    first = max_.get("/api/v1/audit").json()
    assert (first["events"][0]["event"]["seq"], len(first["events"])) == (newest, 50)
    second = max_.get("/api/v1/audit", before=first["before"]).json()
    assert second["events"][0]["event"]["seq"] < first["events"][-1]["event"]["seq"]
    page = max_.get("/audit", debtor="C1", kind="approval_given")
    assert "Final demand was approved: 1 of 1 approvals. C1 B.V. mo 30 Mar 2026" in words_of(page)
    assert "Every case was decided" not in words_of(page)
    assert "NL2" not in page.text
    assert "/audit.csv?debtor=C1&kind=approval_given" in links_of(page)
    for wrong in ({"since": "tomorrow"}, {"case": "one"}, {"before": "9" * 40}, {"creditor": "NL2"}):
        assert max_.get("/audit", **wrong).status_code == 422

    rows = list(csv.DictReader(StringIO(max_.get("/audit.csv").content.decode("utf-8-sig"))))
    kept = console.rows("SELECT count(*) AS all_ FROM event WHERE seq <> :foreign", foreign=foreign)
    assert len(rows) == kept[0]["all_"]
    assert [
        row["kind"] for row in csv.DictReader(StringIO(max_.get("/audit.csv", actor="mo", kind="approval_given").text))
    ]
    assert max_.get("/api/v1/audit.csv", kind="approval_given").text.count("approved") == 1

    seq = next(row["seq"] for row in rows if row["kind"] == "approval_given")
    one = max_.get(f"/audit/events/{seq}")
    for told in ("unchanged in its place anchored", "Content", "final_demand", "Follows"):
        assert told in words_of(one)
    assert {f"/audit/events/{int(seq) - 1}", f"/audit/events/{int(seq) + 1}"} <= set(links_of(one))
    assert [max_.get(f"/audit/events/{each}").status_code for each in (foreign, 10**9, 1)] == [404, 404, 200]
    assert console.browser("colin").get("/audit").status_code == 403


def test_why_a_letter_was_sent_is_told_to_whoever_was_not_there(at: At) -> None:
    console = at("placing")
    letter = message(console, "final_demand", "post")
    audrey = console.browser("audrey")
    audrey.get("/audit")  # what is read once is read
    with console.counting() as sent:
        page = audrey.get(f"/audit/messages/{letter}")
    assert len(sent) <= 18, sent
    words = words_of(page)
    for told in (
        "Why did C1 B.V. get this letter?",
        "Acme Trading B.V. sent C1 B.V. a final demand by post on 31 Mar 2026, asking for €1,500.00 on 2 items.",
        "Version 1 of the pack standard proposed it on 30 Mar 2026: for customers who are forgetful, final demand was",
        "Mo, credit manager, approved it on 30 Mar 2026.",
        "It was accepted; nothing says that it did not arrive.",
        "an anchor outside the database proves them",
        "Dear C1 B.V.,",
        "Settled items 24m 0 Items cleared by payment or debit in 24 months",
        "Asked amount €1,500.00",
        "Before it, key, strained, new, habitual did not hold.",
        "computed again: the same",
        "what they saw is what left",
        "F1 31 Dec 2025 30 Jan 2026 €1,000.00 €1,000.00 still open",
        "11 Mar 2026 Second notice by post accepted",
        "No answer came, and nothing says that it was wrong.",
    ):
        assert told in words, told
    assert {f"/messages/{letter}/letter.pdf", "/cases/1/why?as_of=2026-03-30"} <= set(links_of(page))
    found = audrey.get(f"/api/v1/audit/messages/{letter}").json()
    assert found["why"]["letter"]["state"] == "sent"
    assert (found["grounds"][0]["same"], found["anchored"], found["wrongful"]) == (True, True, False)

    reminder = message(console, "reminder", "email")
    case = console.rows('SELECT id, creditor_id FROM "case"')[0]
    day = console.rows("SELECT business_date FROM creditor")[0]["business_date"]
    with desk(console.engine, case["creditor_id"], "colin", day, console.clock.now()) as at_desk:
        ref = at_desk.session.get_one(Message, reminder).message_ref
        note_evidence(at_desk, ref, EvidenceKind.ANSWERED, "mail")
        record_answer(at_desk, at_desk.case(case["id"]), Channel.EMAIL, message_ref=ref, content=b"We will pay.")
    page = audrey.get(f"/audit/messages/{reminder}")
    assert "The customer has it for sure (answered)." in words_of(page)
    assert "Answer A1 by email" in words_of(page)
    assert f'sandbox src="/messages/{reminder}/mail"' in page.text
    events = audrey.get("/audit", kind="answer_received")
    assert f"/audit/messages/{reminder}" in links_of(events), "events lead to the message that they are about"

    key = console.rows("SELECT content FROM message WHERE id = :id", id=reminder)[0]["content"]
    path = console.engine.store.path(key)
    assert path
    path.unlink()
    assert "Its words cannot be shown: the file is missing" in words_of(audrey.get(f"/audit/messages/{reminder}"))


def test_proofs_are_shown_with_what_they_found(at: At) -> None:
    console = at("placing")
    now, audrey = console.clock.now(), console.browser("audrey")
    assert "It has not been verified yet." in words_of(audrey.get("/audit/chain"))
    last = console.rows("SELECT max(business_date) AS day FROM tick")[0]["day"]
    creditor = console.rows("SELECT id FROM creditor")[0]["id"]
    prove_chain(console.engine, now, flow_run="run-1")
    prove_day(console.engine, creditor, last, now)
    page = audrey.get("/audit/chain", run="run-1")
    for told in (
        "The run is done",
        "whole Verified",
        "nothing was changed in",
        "comes out the same",
        "up to the last event",
    ):
        assert told in words_of(page), told
    assert "A run was started: run-2" in words_of(audrey.get("/audit/chain", run="run-2"))

    key = console.rows("SELECT content FROM message ORDER BY id LIMIT 1")[0]["content"]
    path = console.engine.store.path(key)
    assert path
    path.write_bytes(b"{}")
    prove_chain(console.engine, now)
    page = audrey.get("/audit/chain")
    assert "1 fault was found" in words_of(page)
    assert "keep the database as it is" in words_of(page)
    seq = console.rows("SELECT max(seq) AS seq FROM event")[0]["seq"]
    proof = words_of(audrey.get(f"/audit/chain/{seq}"))
    assert "The chain 1 fault" in proof
    assert "was changed" in proof
    assert audrey.get("/audit/chain/1").status_code == 404

    assert "last run" in words_of(audrey.get("/audit/chain/replay"))
    refused = audrey.send("/audit/chain/replay", creditor="ACME", as_of="2020-01-01")
    assert (refused.status_code, "No run of ACME on 2020-01-01 is there." in words_of(refused)) == (422, True)
    assert audrey.send("/audit/chain/verify").status_code == 502, "no Prefect runs here, and the page says so"
    assert console.rows("SELECT count(*) AS n FROM event WHERE kind = 'run_started'") == [{"n": 0}]


def test_a_dossier_is_taken_along_and_proves_itself(at: At, tmp_path: Path) -> None:
    console = at("placing")
    max_ = console.browser("max")
    page = max_.get("/debtors/1/dossiers")
    assert "None has left yet." in words_of(page)
    assert "/debtors/1/dossiers" in links_of(max_.get("/debtors/1"))
    taken = max_.press(page, "/debtors/1/dossier")
    assert (taken.status_code, taken.headers["content-type"]) == (200, "application/zip")
    (event,) = console.rows("SELECT seq, actor, body FROM event WHERE kind = 'dossier_exported'")
    seal = event["body"]["seal"]
    assert f"dossier-ACME-1-{seal[:12]}.zip" in taken.headers["content-disposition"]
    assert event["actor"] == "max"
    zipfile.ZipFile(BytesIO(taken.content)).extractall(tmp_path / "dossier")
    proof = [sys.executable, "verify.py", seal]
    subprocess.run(proof, cwd=tmp_path / "dossier", check=True, capture_output=True)
    told = words_of(max_.get("/debtors/1/dossiers"))
    assert seal in told
    assert "python3 verify.py" in told

    program = console.program("ada").post("/api/v1/debtors/1/dossier")
    assert (program.status_code, program.headers["content-type"]) == (200, "application/zip")
    assert len(console.program("ada").get("/api/v1/debtors/1/dossiers").json()["taken"]) == 2
    assert console.program("audrey", "read").post("/api/v1/debtors/1/dossier").status_code == 403
    assert console.browser("colin").get("/debtors/1/dossiers").status_code == 403
    assert "dossiers" not in "".join(links_of(console.browser("colin").get("/debtors/1")))
    assert console.rows("SELECT count(*) AS n FROM event WHERE kind = 'dossier_exported'") == [{"n": 2}]
