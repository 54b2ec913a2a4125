"""What each coded result of a call does, row by row."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import CallResult as C
from maatpak.kernel.words import HoldReason, NonPaymentReason, Role, WorkKind
from maatpak.ledger.tables import Action, AddressState, ContactResult, Hold, Promise, StatedReason, WorkTask
from tasks.approvals import approve
from tasks.calls import CALLBACK, CONSEQUENCES, Call, record_call
from tasks.holds import set_hold
from tasks.settle import settle_records
from tasks.work import Outcome, finish_work
from tasks.worklist import WAIVE_CALL, open_work
from tests.tasks.act.house import House, at, build_house
from tests.tasks.act.script import Script

pytestmark = pytest.mark.stage("calling")

FOLLOWS: dict[C, dict[str, Any]] = {
    C.NO_ANSWER: {"task": "open", "action": "in_progress"},
    C.VOICEMAIL: {"task": "open", "action": "in_progress"},
    C.WRONG_NUMBER: {"action": "failed", "phone": "dead", "work": [("repair", "collector", False)]},
    C.LEFT_COMPANY: {"action": "failed", "phone": "dead", "work": [("repair", "collector", False)]},
    C.THIRD_PARTY: {"task": "open", "action": "in_progress"},
    C.CALLBACK_AGREED: {"phone": "proven", "work": [("call", "collector", False)]},
    C.PROMISED: {"phone": "proven", "promise": True},
    C.PLAN_ASKED: {"phone": "proven", "reason": "cash_flow", "work": [("review", "credit_manager", False)]},
    C.SPOKE_NO_COMMITMENT: {"phone": "proven"},
    C.REFUSES: {"phone": "proven", "reason": "unwilling", "work": [("review", "credit_manager", True)]},
    C.COMPLAINT: {"phone": "proven", "hold": "complaint", "work": [("reply", "account_manager", False)]},
    C.DISTRESS: {"phone": "proven", "hold": "hardship", "work": [("review", "credit_manager", False)]},
    C.DO_NOT_CALL: {"phone": "opted_out"},
}


def call(house: House, task: WorkTask, code: C, part: str = "morning", **more: Any) -> None:
    with house.desk("carla") as desk:
        record_call(desk, int(task.id or 0), Call(code, part, **more))


def details(house: House, code: C) -> dict[str, Any]:
    known: dict[C, dict[str, Any]] = {
        C.CALLBACK_AGREED: {"callback_on": date.fromordinal(house.day.toordinal() + 2)},
        C.PROMISED: {"promised_on": date.fromordinal(house.day.toordinal() + 3)},
        C.REFUSES: {"note": "says it is too dear"},
    }
    return known.get(code, {})


def test_the_table_is_complete() -> None:
    assert set(FOLLOWS) == set(CONSEQUENCES) == set(C)


@pytest.mark.parametrize("code", FOLLOWS, ids=str)
def test_does_what_the_trade_says(house: House, call_task: WorkTask, code: C) -> None:
    call(house, call_task, code, **details(house, code))
    follows = FOLLOWS[code]
    task = house.row(WorkTask, id=call_task.id)
    action = house.row(Action, id=call_task.action_id)
    assert task.state == follows.get("task", "done")
    assert action.state == follows.get("action", "executed")
    if action.state == "executed":
        assert (action.result, action.executed_on, task.outcome) == (code, house.day, code)
    if task.state == "open":
        assert task.due_on > house.day
    others = [(each.kind, each.role, each.blocks) for each in house.rows(WorkTask, state="open") if each.id != task.id]
    assert [each for each in others if each[0] != "notice"] == follows.get("work", [])
    assert [state.state for state in house.rows(AddressState)] == ([follows["phone"]] if "phone" in follows else [])
    assert [hold.reason for hold in house.rows(Hold)] == ([follows["hold"]] if "hold" in follows else [])
    assert [row.reason for row in house.rows(StatedReason)] == ([follows["reason"]] if "reason" in follows else [])
    assert len(house.rows(Promise)) == (1 if follows.get("promise") else 0)
    result = house.row(ContactResult)
    assert (result.code, result.called_on, result.actor) == (code, house.day, "carla")


def test_three_attempts_on_three_days_at_two_times_are_a_tried_call(house: House, call_task: WorkTask) -> None:
    script = Script(house, calling=False)
    parts = ["morning", "morning", "morning", "afternoon"]
    for number, part in enumerate(parts, 1):
        call(house, call_task, C.NO_ANSWER if number % 2 else C.VOICEMAIL, part)
        state = house.row(WorkTask, id=call_task.id).state
        assert state == ("done" if number == 4 else "open"), "three mornings are not yet a tried call"
        script.day()
    assert house.row(Action, id=call_task.action_id).result == "tried"


def test_one_attempt_a_day(house: House, call_task: WorkTask) -> None:
    call(house, call_task, C.NO_ANSWER)
    with pytest.raises(RefusedError, match="already called"):
        call(house, call_task, C.NO_ANSWER, "afternoon")
    call(house, call_task, C.SPOKE_NO_COMMITMENT, "afternoon")


@pytest.mark.parametrize("elsewhere", ["currency", "creditor"])
def test_one_attempt_a_day_holds_for_the_customer(
    house: House, case_id: int, call_task: WorkTask, elsewhere: str
) -> None:
    call(house, call_task, C.NO_ANSWER)
    if elsewhere == "currency":
        its, other = house, house.another_currency(case_id, "USD")
    else:
        its = build_house(house.engine, house.day, "BETA")
        other = its.debtor("B1", party=f"{house.creditor_id}:C1")
    its.item(other, "U1", 8_000, date(2026, 1, 30))
    with its.desk("carla") as desk:
        task = open_work(desk, desk.case(other), WorkKind.CALL, "Ask why.", Role.COLLECTOR, working_days=0)
    with pytest.raises(RefusedError, match="One attempt a day, over all its cases"):
        call(its, task, C.VOICEMAIL, "afternoon")
    following = add_working_days(its.day, 1, "NL")
    its.go_to(following)
    call(its, task, C.VOICEMAIL, "afternoon")


def test_a_callback_is_a_call_of_its_own_on_its_day(house: House, call_task: WorkTask) -> None:
    agreed = date.fromordinal(house.day.toordinal() + 2)
    call(house, call_task, C.CALLBACK_AGREED, callback_on=agreed)
    task = house.row(WorkTask, kind="call", state="open")
    assert (task.subject, task.due_on, task.assignee, task.action_id) == (CALLBACK, agreed, "carla", None)
    call(house, task, C.SPOKE_NO_COMMITMENT)
    assert house.row(WorkTask, id=task.id).state == "done"


@pytest.mark.parametrize("end", ["round_closed", "on_hold", "legal_stop", None])
def test_a_callback_ends_with_what_it_was_for(house: House, case_id: int, call_task: WorkTask, end: str | None) -> None:
    agreed = date.fromordinal(house.day.toordinal() + 7)
    call(house, call_task, C.CALLBACK_AGREED, callback_on=agreed)
    following = add_working_days(house.day, 1, "NL")
    if end == "round_closed":
        house.pay("F1", house.day, known_on=following)
        house.pay("F2", house.day, known_on=following)
    elif end is not None:
        with house.desk("mo", 15) as desk:
            legal = end == "legal_stop"
            reason, source = (HoldReason.LEGAL_STOP, "insolvent") if legal else (HoldReason.COMPLAINT, "person")
            set_hold(desk, desk.case(case_id), reason, agreed, "told by letter", source=source)
    house.go_to(following)
    counts = settle_records(house.engine, house.creditor_id, following, at(following, 6)).counts
    task = house.row(WorkTask, subject=CALLBACK)
    assert (task.state, task.outcome) == (("cancelled", end) if end else ("open", None))
    assert counts.get(f"call {end}", 0) == (1 if end else 0)


def test_a_complaint_rests_until_the_account_manager_has_answered(house: House, call_task: WorkTask) -> None:
    call(house, call_task, C.COMPLAINT)
    task = house.row(WorkTask, kind="reply")
    with house.desk("anna") as desk:
        finish_work(desk, task.id, Outcome("answered"))
    assert house.row(Hold).state == "lifted"


def test_distress_rests_on_when_the_specialist_has_looked(house: House, call_task: WorkTask) -> None:
    call(house, call_task, C.DISTRESS)
    task = house.row(WorkTask, kind="review", state="open")
    with house.desk("mo") as desk:
        finish_work(desk, task.id, Outcome("done"))
    assert house.row(Hold).state == "active"


def test_a_reason_told_on_the_phone_is_stated(house: House, call_task: WorkTask) -> None:
    call(house, call_task, C.SPOKE_NO_COMMITMENT, reason=NonPaymentReason.LOST_INVOICE)
    assert (house.row(StatedReason).reason, house.row(StatedReason).source) == ("lost_invoice", "call")


def test_after_a_refusal_no_machine_until_the_manager_has_looked(house: House, call_task: WorkTask) -> None:
    call(house, call_task, C.REFUSES, note="says no")
    script = Script(house, consulting=False)
    script.people = lambda: None  # type: ignore[method-assign]
    reasons = [reason for _ in range(6) for reason in script.day().ticks[0].reasons]
    assert set(reasons) <= {"our_turn", "wait"}


@pytest.mark.parametrize(
    ("code", "more", "error"),
    [
        (C.CALLBACK_AGREED, {}, "needs its date"),
        (C.CALLBACK_AGREED, {"callback_on": date(2026, 1, 1)}, "needs its date"),
        (C.PROMISED, {}, "needs its date"),
        (C.REFUSES, {"note": " "}, "in words"),
        (C.NO_ANSWER, {"part": "night"}, "no part of a day"),
    ],
)
def test_refuses(house: House, call_task: WorkTask, code: C, more: dict[str, Any], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        call(house, call_task, code, **more)
    assert house.rows(ContactResult) == []


def test_without_a_number_a_letter_goes_and_somebody_looks_for_one(house: House) -> None:
    case_id = house.debtor("C2", phone=None)
    house.item(case_id, "G1", 100_000, date(2026, 1, 30))
    script = Script(house, calling=False)
    while not [action for action in house.rows(Action, step="call", case_id=case_id) if action.state == "executed"]:
        script.day()
    assert house.row(Action, step="call", case_id=case_id).result == "no_phone"
    assert house.row(WorkTask, kind="repair").subject == "There is no phone number to call: find one."


def test_a_manager_waives_a_call_with_a_reason(house: House, call_task: WorkTask) -> None:
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="may not waive"):
        finish_work(desk, int(call_task.id or 0), Outcome("waived", "no use"))
    with house.desk("mo") as desk, pytest.raises(UsageError, match="in words"):
        finish_work(desk, int(call_task.id or 0), Outcome("waived"))
    with house.desk("mo") as desk:
        finish_work(desk, int(call_task.id or 0), Outcome("waived", "they only write"))
    assert house.row(Action, id=call_task.action_id).result == "waived"


def test_without_a_number_a_manager_may_waive_the_call(house: House) -> None:
    """A letter goes in its place; who waives it has a hand in what follows (rules 7 and 10)."""
    mute = house.debtor("M1", phone=None)
    house.item(mute, "M-1", 80_000, date(2026, 1, 30))
    script = Script(house, approving=False)
    people, script.people = script.people, lambda: None  # type: ignore[method-assign]
    while not house.rows(WorkTask, case_id=mute, subject=WAIVE_CALL):
        script.day()
    task = house.row(WorkTask, case_id=mute, subject=WAIVE_CALL)
    assert (task.kind, task.role) == ("review", "credit_manager")
    letter = house.row(Action, id=task.action_id)
    assert (letter.kind, letter.state, letter.result) == ("call", "executed", "no_phone")
    with house.desk("carla") as desk, pytest.raises(RefusedError):
        finish_work(desk, int(task.id), Outcome("waived", "they only write"))
    with house.desk("mo") as desk, pytest.raises(UsageError, match="in words"):
        finish_work(desk, int(task.id), Outcome("waived"))
    with house.desk("mo") as desk:
        finish_work(desk, int(task.id), Outcome("waived", "they only write"))
    script.people = people  # type: ignore[method-assign]
    while not (demands := house.rows(Action, case_id=mute, step="final_demand", state="awaiting_approval")):
        script.day()
        assert house.day < date(2026, 6, 1), "without a call nobody may be threatened"
    with house.desk("mo", 15) as desk, pytest.raises(RefusedError, match="waived the call"):
        approve(desk, [demands[0].id], "looked at it")
    with house.desk("mia", 15) as desk:
        approve(desk, [demands[0].id], "looked at it")
