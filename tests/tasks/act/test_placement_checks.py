"""The checks before a placement: recorded, shown, asked for, and what the last yes and the effect wait for.

What each state means is decided in policies/placing.py, and tried there (tests/policies/test_placing.py).
"""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import col, select

from maatpak.demo.checking import look_up
from maatpak.demo.worklist import Paper
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Channel, EvidenceKind, ReachState
from maatpak.ledger.tables import (
    Action,
    Approval,
    Case,
    DebtorProfile,
    Hold,
    Message,
    Placement,
    PlacementCheck,
    StatedReason,
    WorkTask,
)
from maatpak.ledger.versions import succeed
from tasks.answers import read_answer, record_answer
from tasks.approvals import approve, pending, reject
from tasks.checking import record_check, record_licence
from tasks.desk import Desk
from tasks.evidence import note_evidence
from tasks.execute import execute_all
from tasks.explaining import explain_case
from tasks.facts import build_facts
from tasks.finding import find_case
from tasks.placement_checks import AGENCY, LABELS, checks_of
from tasks.placements import recall_placement
from tasks.preferences import mark_address, set_contact
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.work import Outcome, finish_work
from tasks.worklist import CHECK_FIRST
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script, check_all

pytestmark = pytest.mark.stage("placing")

EVERY = list(CheckKind)


@pytest.fixture
def handoff(house: House) -> Action:
    """The placement that waits for its two yeses."""
    found: Action = house.row(Action, step="handoff", state="awaiting_approval")
    return found


def say_yes(house: House, action: Action, who: str) -> Action:
    with house.desk(who, 15) as desk:
        approve(desk, [int(action.id or 0)], "looked at it")
    found: Action = house.row(Action, id=action.id)
    return found


def execute(house: House) -> None:
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))


def record(house: House, kind: CheckKind, result: CheckResult, who: str = "olga", source: str = "extract 12") -> None:
    with house.desk(who, 11) as desk:
        if kind is CheckKind.AGENCY_LICENCE:
            record_licence(desk, "NL", result, source, desk.as_of + timedelta(days=9))
            return
        case = desk.case(house.row(Case).id)
        until = desk.as_of + timedelta(days=500) if kind is CheckKind.LIMITATION else None
        record_check(desk, desk.debtor(case.debtor_id), kind, result, source, until=until, case=case)


def age(house: House, kind: CheckKind, until: date) -> None:
    """Another record of the kind, which counts until that date only."""
    with house.engine.database.session() as session:
        query = select(PlacementCheck).where(PlacementCheck.kind == kind).order_by(col(PlacementCheck.id))
        known = session.exec(query).all()[-1]
        session.add(PlacementCheck(**known.model_dump(exclude={"id", "salt", "until_on"}), until_on=until))


def states(house: House) -> dict[str, str]:
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    return {check.kind: check.state for check in row.checks}


def test_a_proposed_placement_shows_every_check_and_how_to_record_it(house: House, handoff: Action) -> None:
    assert states(house) == {
        "identity": "missing",
        "address": "expired",
        "credit": "fine",
        "limitation": "missing",
        "insolvency_register": "missing",
        "agency_licence": "missing",
    }
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    assert row.unchecked == 5
    told = {check.kind: (check.told, check.mend) for check in row.checks}
    for kind in CUSTOMER_CHECKS:
        assert f"`maatpak check record C1 --creditor ACME --kind {kind} --result clear" in told[kind][1]
    assert "--document F1 --until" in told["limitation"][1]
    assert "`maatpak creditor licence ACME --country NL" in told["agency_licence"][1]
    assert told["limitation"][0] == "Limitation: until when F1 (due 2026-01-30) can be claimed is not on record"
    assert "last heard to be good on 2020-01-01, more than 12 months ago" in told["address"][0]
    check_all(house, int(handoff.id or 0))
    assert set(states(house).values()) == {"fine"}


def test_other_proposals_have_no_checks(house: House, handoff: Action) -> None:
    with house.desk("mo") as desk:
        reject(desk, int(handoff.id or 0), "too hard", "call", house.day + timedelta(days=7))
        assert pending(desk) == []
        assert checks_of(lambda _: pytest.fail("read"), [], desk.pack.guardrails.placement, desk.as_of, desk.now) == []


@pytest.mark.parametrize("lacking", [kind for kind in EVERY if kind is not CheckKind.CREDIT])
@pytest.mark.parametrize("how", ["missing", "failed", "expired"])
def test_the_last_yes_waits_for_every_check(house: House, handoff: Action, lacking: CheckKind, how: str) -> None:
    check_all(house, int(handoff.id or 0), *([lacking] if how == "missing" else []))
    if how == "failed":
        record(house, lacking, CheckResult.FAILED, "mia" if lacking is CheckKind.AGENCY_LICENCE else "olga")
    elif how == "expired" and lacking is not CheckKind.ADDRESS:
        age(house, lacking, house.day - timedelta(days=1))
    elif how == "expired":
        with house.engine.database.session() as session:
            session.connection().exec_driver_sql("ALTER TABLE placement_check DISABLE TRIGGER keep_update")
            session.connection().exec_driver_sql(
                "UPDATE placement_check SET checked_on = DATE '2025-01-01' WHERE kind = 'address'"
            )
    assert say_yes(house, handoff, "mo").state == "awaiting_approval"
    with pytest.raises(RefusedError, match="cannot go to the agency yet") as refused:
        say_yes(house, handoff, "mia")
    assert f"{LABELS[lacking]}: " in refused.value.message
    assert sum(label in refused.value.message for label in LABELS.values()) == 1
    assert f"{lacking}: " in str(refused.value.advice)
    assert house.row(Action, id=handoff.id).state == "awaiting_approval"
    assert len(house.rows(Approval, action_id=handoff.id)) == 1
    record(house, lacking, CheckResult.CLEAR, "mia" if lacking is CheckKind.AGENCY_LICENCE else "olga")
    assert say_yes(house, handoff, "mia").state == "approved"


@pytest.mark.parametrize("kind", ["credit_note", "payment"])
def test_what_lies_unapplied_of_the_customers_forbids_it(house: House, handoff: Action, kind: str) -> None:
    check_all(house, int(handoff.id or 0))
    house.item(handoff.case_id, "K1", 1_000, house.day, item_type=kind, issued_on=house.day, reference="F1")
    assert states(house)["credit"] == "failed"
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    (credit,) = (check for check in row.checks if check.kind == "credit")
    assert "€10.00 of credit notes or payments" in credit.told
    with house.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, house.creditor_id, house.day, EVERYTHING_RECORDED).cases
    assert facts["credit_notes_open"].item() + facts["cash_unallocated"].item() == 1_000


def returned(house: House) -> None:
    """The letter of the demand came back."""
    letter = next(each for each in house.rows(Message, channel="post", state="sent"))
    with house.desk("olga", 12) as desk:
        note_evidence(desk, letter.message_ref, EvidenceKind.RETURNED, "post")


SINCE: dict[str, Callable[[House], None]] = {
    "identity": lambda house: record(house, CheckKind.IDENTITY, CheckResult.FAILED),
    "address": lambda house: record(house, CheckKind.ADDRESS, CheckResult.FAILED),
    "letter": returned,
    "limitation": lambda house: age(house, CheckKind.LIMITATION, house.day + timedelta(days=89)),
    "insolvency_register": lambda house: age(house, CheckKind.INSOLVENCY_REGISTER, house.day - timedelta(days=1)),
    "agency_licence": lambda house: record(house, CheckKind.AGENCY_LICENCE, CheckResult.FAILED, "mo"),
}
"""What may come up between the last yes and the effect."""


@pytest.mark.parametrize("what", SINCE)
def test_what_came_up_since_the_last_yes_stops_it_with_a_reason(house: House, handoff: Action, what: str) -> None:
    Script(house).approve(int(handoff.id or 0))
    SINCE[what](house)
    execute(house)
    found = house.row(Action, id=handoff.id)
    assert (found.state, found.reason, house.rows(Placement)) == ("cancelled", "check_missing", [])
    assert not (house.engine.workspace.sinks / "agency").exists()
    (event,) = [each for each in house.rows_of_events("step_executed") if each.business_date == house.day][-1:]
    assert event.body["counts"] == {"cancelled check_missing": 1}
    execute(house)
    assert house.row(Action, id=handoff.id).reason == "check_missing"


def test_it_is_proposed_afresh_and_somebody_is_asked_to_look(house: House, handoff: Action) -> None:
    Script(house).approve(int(handoff.id or 0))
    age(house, CheckKind.INSOLVENCY_REGISTER, house.day)
    script = Script(house, approving=False)
    script.day()
    again = script.until("handoff", "awaiting_approval", most=3)
    assert (house.row(Action, id=handoff.id).reason, again.attempt) == ("check_missing", 2)
    task = house.row(WorkTask, subject=CHECK_FIRST, state="open")
    assert (task.kind, task.role, task.record_no, task.blocks) == ("review", "operator", f"G-{again.id}", False)
    record(house, CheckKind.INSOLVENCY_REGISTER, CheckResult.CLEAR)
    assert house.row(WorkTask, id=task.id).outcome == "done"
    script.approving = True
    script.people()
    script.day()
    assert house.row(Placement).placement_no == f"G-{again.id}"


def test_the_work_of_checking_ends_with_the_last_record_only(house: House, handoff: Action) -> None:
    task = house.row(WorkTask, subject=CHECK_FIRST, state="open")
    assert task.record_no == f"G-{handoff.id}"
    check_all(house, int(handoff.id or 0), CheckKind.IDENTITY)
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="Identity: nobody has checked that C1"):
        finish_work(desk, task.id, Outcome("done"))
    record(house, CheckKind.IDENTITY, CheckResult.FAILED)
    found = house.row(WorkTask, id=task.id)
    assert (found.state, found.outcome, found.done_by) == ("done", "done", "olga")
    assert states(house)["identity"] == "failed"


def test_the_work_of_checking_goes_with_the_proposal(house: House, handoff: Action) -> None:
    with house.desk("mo") as desk:
        reject(desk, int(handoff.id or 0), "not now", "handoff", house.day + timedelta(days=30))
    Script(house, approving=False).day()
    assert [task.outcome for task in house.rows(WorkTask, subject=CHECK_FIRST)] == ["ended"]


def test_the_staff_of_the_demo_look_up_what_is_missing_once(house: House, handoff: Action) -> None:
    work: Any = house.row(WorkTask, subject=CHECK_FIRST)
    customer: Any = SimpleNamespace(country="NL")
    for _ in range(2):
        for act, who in zip(look_up(Paper(work, customer), Random(1)), ("olga", "mo"), strict=True):
            with house.desk(who) as desk:
                act.do(desk)
    assert set(states(house).values()) == {"fine"}
    assert house.count(PlacementCheck) == len(CUSTOMER_CHECKS) + 1


@pytest.mark.parametrize("looked_up", [False, True])
def test_a_placement_that_nobody_let_go_in_time_says_why(house: House, handoff: Action, looked_up: bool) -> None:
    say_yes(house, handoff, "mo")
    if looked_up:
        check_all(house, int(handoff.id or 0))
    script = Script(house, approving=False)
    for _ in range(6):
        summary = script.day()
    reason = "approval_lapsed" if looked_up else "check_missing"
    assert summary.settled.counts[f"action {reason}"] == 1
    assert house.row(Action, id=handoff.id).reason == reason
    (again,) = house.rows(Action, step="handoff", state="awaiting_approval")
    asked = [task.record_no for task in house.rows(WorkTask, subject=CHECK_FIRST, state="open")]
    assert asked == ([] if looked_up else [f"G-{again.id}"])


def test_a_second_run_of_the_day_asks_nothing_twice(house: House, handoff: Action) -> None:
    from tasks.tick import tick

    before = house.count(WorkTask)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 9))
    assert house.count(WorkTask) == before


def test_who_stands_in_the_insolvency_register_is_left_alone_at_once(house: House, handoff: Action) -> None:
    Script(house).approve(int(handoff.id or 0))
    record(house, CheckKind.INSOLVENCY_REGISTER, CheckResult.INSOLVENT)
    hold = house.row(Hold, state="active")
    assert (hold.reason, hold.source, hold.scope) == ("legal_stop", "insolvent", "party")
    assert house.row(StatedReason).source == "register"
    assert [task.subject for task in house.rows(WorkTask, state="open")] == ["Insolvent; file the claim."]
    execute(house)
    found = house.row(Action, id=handoff.id)
    assert (found.state, found.reason) == ("cancelled", "legal_stop")
    record(house, CheckKind.INSOLVENCY_REGISTER, CheckResult.INSOLVENT)
    assert len(house.rows(Hold, state="active")) == 1


def test_recording_takes_no_word_away_but_changing_an_address_does(house: House, handoff: Action) -> None:
    for kind in CUSTOMER_CHECKS:
        record(house, kind, CheckResult.CLEAR, "mo")
    record(house, CheckKind.AGENCY_LICENCE, CheckResult.CLEAR, "mia")
    say_yes(house, handoff, "mo")
    assert say_yes(house, handoff, "mia").state == "approved"


def test_who_changed_an_address_does_not_approve(house: House, handoff: Action) -> None:
    with house.desk("mo") as desk:
        case = desk.case(handoff.case_id)
        mark_address(desk, case, "post", "Elsewhere 1, Town", ReachState.DEAD, "left")
        set_contact(desk, desk.debtor(case.debtor_id), "Jo", "escalation", phone="+31612345678")
    with pytest.raises(RefusedError, match="changed a"):
        say_yes(house, handoff, "mo")


def test_an_address_that_is_wrong_is_to_be_mended(house: House, handoff: Action) -> None:
    record(house, CheckKind.ADDRESS, CheckResult.FAILED)
    assert house.row(WorkTask, kind="repair").subject == "A letter did not arrive: find the right postal address."


def test_a_new_address_is_young_whatever_was_said_of_the_old_one(house: House, handoff: Action) -> None:
    record(house, CheckKind.ADDRESS, CheckResult.FAILED)
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, house.day, at(house.day, 13), street="Elsewhere 9")
    assert states(house)["address"] == "fine"
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile).where(DebtorProfile.street == "Elsewhere 9")).one()
        succeed(session, profile, house.day, at(house.day, 14), phone="+31201111111")
    assert states(house)["address"] == "fine"
    returned(house)  # a letter to the old one
    assert states(house)["address"] == "fine"


def test_a_new_name_is_another_identity(house: House, handoff: Action) -> None:
    record(house, CheckKind.IDENTITY, CheckResult.CLEAR)
    assert states(house)["identity"] == "fine"
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, house.day, at(house.day, 13), name="C1 Holding B.V.")
    assert states(house)["identity"] == "missing"


def test_a_letter_that_was_received_proves_the_address(house: House, handoff: Action) -> None:
    letter = next(each for each in house.rows(Message, channel="post", state="sent"))
    with house.desk("olga", 12) as desk:
        note_evidence(desk, letter.message_ref, EvidenceKind.RECEIPT, "post")
    assert states(house)["address"] == "fine"
    returned(house)
    assert states(house)["address"] == "failed"
    with house.desk("olga", 13) as desk:
        case = desk.case(handoff.case_id)
        record_check(
            desk, desk.debtor(case.debtor_id), CheckKind.ADDRESS, CheckResult.CLEAR, "their porter was ill; we rang"
        )
    assert states(house)["address"] == "fine"


WRONG: dict[str, tuple[Callable[[Desk, Case], object], type[Exception], str]] = {
    "no source": (
        lambda desk, case: record_check(desk, desk.debtor(case.debtor_id), CheckKind.IDENTITY, CheckResult.CLEAR, " "),
        UsageError,
        "what was looked at",
    ),
    "a licence of a customer": (
        lambda desk, case: record_check(
            desk, desk.debtor(case.debtor_id), CheckKind.AGENCY_LICENCE, CheckResult.CLEAR, "x"
        ),
        UsageError,
        "is not checked of a customer",
    ),
    "insolvent by name": (
        lambda desk, case: record_check(
            desk, desk.debtor(case.debtor_id), CheckKind.IDENTITY, CheckResult.INSOLVENT, "x"
        ),
        UsageError,
        "no result of a check of kind identity",
    ),
    "a date of one's own": (
        lambda desk, case: record_check(
            desk, desk.debtor(case.debtor_id), CheckKind.IDENTITY, CheckResult.CLEAR, "x", until=desk.as_of
        ),
        UsageError,
        "the pack says",
    ),
    "a limitation without a date": (
        lambda desk, case: record_check(
            desk, desk.debtor(case.debtor_id), CheckKind.LIMITATION, CheckResult.CLEAR, "x", case=case
        ),
        UsageError,
        "Until when can F1 be claimed",
    ),
    "a limitation that is past": (
        lambda desk, case: record_check(
            desk,
            desk.debtor(case.debtor_id),
            CheckKind.LIMITATION,
            CheckResult.CLEAR,
            "x",
            until=date(2026, 1, 1),
            case=case,
        ),
        UsageError,
        "is past",
    ),
    "a limitation of nothing open": (
        lambda desk, case: record_check(
            desk,
            desk.debtor(case.debtor_id),
            CheckKind.LIMITATION,
            CheckResult.CLEAR,
            "x",
            until=date(2030, 1, 1),
            document="F9",
            case=case,
        ),
        UsageError,
        "Not open on case",
    ),
    "a licence without an end": (
        lambda desk, _: record_licence(desk, "NL", CheckResult.CLEAR, "x"),
        UsageError,
        "its last day",
    ),
    "a licence of nowhere": (
        lambda desk, _: record_licence(desk, "Holland", CheckResult.CLEAR, "x", date(2030, 1, 1)),
        UsageError,
        "is not a country",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_hold_is_not_recorded(house: House, handoff: Action, wrong: str) -> None:
    act, error, said = WRONG[wrong]
    with house.desk("mo") as desk, pytest.raises(error, match=said):
        act(desk, desk.case(handoff.case_id))
    assert house.rows(PlacementCheck) == []


@pytest.mark.parametrize(
    ("who", "customer", "licence"),
    [("olga", True, False), ("mo", True, True), ("ada", False, True), ("audrey", False, False)],
)
def test_who_may_record(house: House, handoff: Action, who: str, customer: bool, licence: bool) -> None:
    def may(act: Callable[[Desk], object]) -> bool:
        try:
            with house.desk(who) as desk:
                act(desk)
        except RefusedError:
            return False
        return True

    def look_up(desk: Desk) -> object:
        debtor = desk.debtor(desk.case(handoff.case_id).debtor_id)
        return record_check(desk, debtor, CheckKind.IDENTITY, CheckResult.CLEAR, "x")

    assert may(look_up) is customer
    assert may(lambda desk: record_licence(desk, "NL", CheckResult.CLEAR, "x", date(2030, 1, 1))) is licence


def test_a_record_leaves_an_event_without_its_words(house: House, handoff: Action) -> None:
    record(house, CheckKind.INSOLVENCY_REGISTER, CheckResult.CLEAR, source="CIR extract 2026/88")
    (event,) = house.rows_of_events("check_recorded")
    check = house.row(PlacementCheck)
    assert (event.actor, event.debtor_id) == ("olga", check.debtor_id)
    assert event.body["check_kind"] == "insolvency_register"
    assert check.until_on == house.day + timedelta(days=14)
    assert "extract" not in str(event.body)


def test_the_dossier_holds_the_checks_and_what_the_customer_wrote(house: House, handoff: Action) -> None:
    with house.desk("carla", 9) as desk:
        answer = record_answer(desk, desk.case(handoff.case_id), Channel.EMAIL, content=b"We shall pay in May.")
        read_answer(desk, answer.answer_no)
    Script(house).approve(int(handoff.id or 0))
    execute(house)
    folder: Path = next((house.engine.workspace.sinks / "agency" / AGENCY).iterdir())
    rows = list(csv.DictReader((folder / "checks.csv").read_text("utf-8-sig").splitlines()))
    assert [row["check"] for row in rows] == [str(kind) for kind in CheckKind]
    by_kind = {row["check"]: row for row in rows}
    assert {row["result"] for row in rows} == {"fine"}
    assert (by_kind["identity"]["actor"], by_kind["identity"]["source"]) == ("olga", "extract 12")
    assert (by_kind["credit"]["on"], by_kind["credit"]["actor"]) == (house.day.isoformat(), "")
    history = list(csv.DictReader((folder / "history.csv").read_text("utf-8-sig").splitlines()))
    (written,) = (row for row in history if row["kind"] == "answer")
    assert (folder / written["evidence"]).read_bytes() == b"We shall pay in May."
    assert written["evidence"].endswith(".txt")
    assert all((folder / row["evidence"]).is_file() for row in history if row["kind"] == "message")


def test_what_is_placed_is_recalled_whatever_the_checks_say(house: House, handoff: Action) -> None:
    Script(house).approve(int(handoff.id or 0))
    execute(house)
    record(house, CheckKind.IDENTITY, CheckResult.FAILED)
    record(house, CheckKind.AGENCY_LICENCE, CheckResult.FAILED, "mo")
    assert house.row(Placement).state == "placed"
    with house.desk("mo", 18) as desk:
        recall_placement(desk, house.row(Placement).placement_no, "error")
    assert house.row(Placement).state == "recalled"


def test_an_explanation_tells_the_checks_of_the_proposal(house: House, handoff: Action) -> None:
    found = find_case(house.engine, "C1")
    today = explain_case(house.engine, found, None, at(house.day, 17), {})
    assert {check.kind: check.state for check in today.checks} == states(house)
    assert today.explanation.decision["reason"] == "approval_open"
    record(house, CheckKind.IDENTITY, CheckResult.CLEAR)
    check = explain_case(house.engine, found, None, at(house.day, 17), {}).checks[0]
    assert check.fine
    assert check.told == f"Identity: C1 B.V. owes this, checked by olga on {house.day} (extract 12)"
    then = explain_case(house.engine, found, house.day, at(house.day, 17), {})
    assert then.checks[0].state == "missing"
    with house.desk("mo") as desk:
        reject(desk, int(handoff.id or 0), "too hard", "call", house.day + timedelta(days=7))
    assert explain_case(house.engine, found, None, at(house.day, 17), {}).checks == ()
