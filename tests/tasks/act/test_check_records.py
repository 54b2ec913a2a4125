"""Recording a check before a placement: who may, what holds, and what it changes."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Channel, EvidenceKind
from maatpak.ledger.tables import (
    Action,
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
from policies.reach import Learned
from tasks.answers import read_answer, record_answer
from tasks.approvals import reject
from tasks.checking import record_check, record_licence
from tasks.desk import Desk
from tasks.evidence import note_evidence
from tasks.explaining import explain_case
from tasks.finding import find_case
from tasks.placement_checks import AGENCY
from tasks.placements import recall_placement
from tasks.preferences import mark_address, set_contact
from tests.tasks.act.checking import execute, record, returned, say_yes, states
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

pytestmark = pytest.mark.stage("placing")


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
        mark_address(desk, case, "post", "Elsewhere 1, Town", Learned.GONE, "left")
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
