"""The worklist of calls, in the order in which they are worth making, and the sheet that is read while ringing."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import CallResult as C
from maatpak.kernel.words import NonPaymentReason, Role, WorkKind
from maatpak.ledger.tables import WorkTask
from tasks.access.people import change_person
from tasks.call_list import RESERVED_FOR, CallPage, call_list, take_next_call
from tasks.call_sheet import CallSheet, call_sheet
from tasks.calls import CALLBACK, CONSEQUENCES, Call, record_call
from tasks.day import run_day
from tasks.disputes import open_dispute
from tasks.notes import write_note
from tasks.preferences import set_preference
from tasks.promises import make_promise
from tasks.reasons import state_reason
from tasks.worklist import open_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


def page(house: House, now: datetime, **more: Any) -> CallPage:
    with house.engine.database.reading() as session:
        return call_list(house.engine, session, [house.creditor_id], now, **more)


def sheet(house: House, task_id: int, now: datetime) -> CallSheet:
    with house.engine.database.reading() as session:
        return call_sheet(house.engine, session, [house.creditor_id], task_id, now)


def owes(house: House, number: str, amount: int, **profile: Any) -> int:
    case_id = house.debtor(number, **profile)
    house.item(case_id, f"I-{number}", amount, date(2026, 2, 13))
    return case_id


def call_for(house: House, case_id: int, subject: str = "Ask why.", assignee: str | None = None) -> int:
    with house.desk("mo") as desk:
        case = desk.case(case_id)
        task = open_work(desk, case, WorkKind.CALL, subject, Role.COLLECTOR, working_days=0, assignee=assignee)
        return int(task.id or 0)


def test_the_order_is_who_may_be_rung_what_was_agreed_and_what_is_at_risk(house: House, case_id: int) -> None:
    yen = owes(house, "YEN", 100_000, currency="JPY")
    york = owes(house, "NY", 90_000_000, country="US", time_zone="America/New_York")
    payer = owes(house, "PAYER", 100, country="JP", time_zone="Asia/Tokyo")
    paid_for = owes(house, "PAID", 50_000_000, payer_no="PAYER")
    agreed = owes(house, "BACK", 2_000)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6)).require_whole()
    calls = {case: call_for(house, case) for case in (case_id, yen, york, paid_for)}
    calls[agreed] = call_for(house, agreed, CALLBACK, assignee="carla")
    later = call_for(house, payer)
    with house.engine.database.session() as session:
        session.get_one(WorkTask, later).due_on = house.day + timedelta(days=1)
    # Ten in Amsterdam: four in New York, six in the evening in Tokyo, whose account pays for PAID.
    found = page(house, at(house.day, 9))
    assert [row.task_id for row in found.rows] == [calls[each] for each in (agreed, paid_for, yen, case_id, york)]
    assert (found.total, found.open_now) == (5, 4)
    assert [row.may_ring for row in found.rows] == [True, True, True, True, False]
    last = found.rows[-1]
    assert last.ring_from == at(house.day, 13), "eight in New York"
    mine = found.rows[3]
    assert (mine.name, mine.overdue_open, mine.value_at_risk, mine.segment) == ("C1 B.V.", 150_000, 4_400, "forgetful")
    assert [row.task_id for row in page(house, at(house.day, 9), skip=1, most=2).rows] == [calls[paid_for], calls[yen]]
    assert calls[agreed] not in [row.task_id for row in page(house, at(house.day, 9), mine="colin").rows]
    # An hour later Tokyo sleeps, and what a customer asked for counts.
    with house.desk("carla") as desk:
        set_preference(desk, desk.debtor(desk.case(yen).debtor_id), "call_hours", "13:00-16:00")
    evening = page(house, at(house.day, 11))
    order = [row.task_id for row in evening.rows]
    assert order == [calls[each] for each in (agreed, case_id, yen, york, paid_for)]
    assert evening.rows[2].call_hours == "13:00-16:00"


def test_nobody_is_given_the_call_that_another_is_about_to_make(house: House, case_id: int) -> None:
    second = owes(house, "TWO", 90_000)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6)).require_whole()
    most, least = call_for(house, case_id), call_for(house, second)
    now = at(house.day, 9)

    def go_on(who: str, after: int | None = None) -> int | None:
        return take_next_call(house.engine, [house.creditor_id], who, now, after)

    assert [go_on("carla"), go_on("colin"), go_on("carla")] == [most, least, most]
    assert go_on("carla", most) is None
    assert {row.task_id: row.reserved_by for row in page(house, now).rows} == {most: "carla", least: "colin"}
    assert sheet(house, least, now).reserved_by == "colin"
    now += RESERVED_FOR
    assert (page(house, now).rows[0].reserved_by, sheet(house, least, now).reserved_by) == (None, None)
    assert go_on("colin", least) == most
    assert go_on("mo", most) == least, "who goes on gives back what they had"


@pytest.mark.parametrize("change", [{"active": False}, {"role": "auditor"}])
def test_a_callback_of_who_leaves_is_anybodys(house: House, case_id: int, change: dict[str, Any]) -> None:
    agreed = call_for(house, case_id, CALLBACK, assignee="carla")
    assert not page(house, at(house.day, 9), mine="colin").rows
    change_person(house.engine, "carla", "ada", at(house.day), **change)
    assert [row.task_id for row in page(house, at(house.day, 9), mine="colin").rows] == [agreed]


@pytest.mark.stage("calling")
def test_the_sheet_tells_what_there_is_and_what_follows(house: House, case_id: int, call_task: WorkTask) -> None:
    task_id = int(call_task.id or 0)
    with house.desk("carla") as desk:
        case = desk.case(case_id)
        make_promise(desk, case, house.day + timedelta(days=2), amount=40_000)
        open_dispute(desk, case, "F2", NonPaymentReason.PRICE, amount=10_000)
        state_reason(desk, case, NonPaymentReason.CASH_FLOW)
        write_note(desk, case, "Jan <i>only</i> works mornings")
        record_call(desk, task_id, Call(C.VOICEMAIL, "morning"))
    house.go_to(add_working_days(house.day, 1, "NL"))
    found = sheet(house, task_id, at(house.day, 9))
    assert (found.name, found.phone, found.may_ring, found.tries) == ("C1 B.V.", "+31201234567", True, 1)
    assert (found.hours, found.there.hour) == ("between 08:00 and 19:00, on a working day of both sides", 10)
    assert ([item.document_no for item in found.items], found.item_count, found.overdue) == (["F1", "F2"], 2, 150_000)
    assert [(each.what, each.words) for each in found.contacts][:2] == [
        ("voicemail", ""),
        ("note", "Jan <i>only</i> works mornings"),
    ]
    assert found.owed[0].what == "The dispute of F2 (price)"
    script = "\n".join(found.script)
    for told in (
        "Ours to mend first: The dispute of F2 (price), by",
        "€1,500.00 in 2 documents; the oldest is F1",
        "They promised €400.00 for",
        "cash flow. Is it still so?",
        "Last contact: call, voicemail",
    ):
        assert told in script, script
    assert call_task.subject in found.script
    follows = {choice.code: " ".join(choice.follows) for choice in found.results}
    assert set(follows) == set(CONSEQUENCES)
    assert "this is day 2 of 3 that make a tried call" in follows[C.NO_ANSWER]
    assert follows[C.COMPLAINT] == (
        "The call is done. No contact for 10 working days (complaint). "
        "A reply by the account manager within 1 working day: Answer the complaint."
    )
    assert "An offer of a plan follows." in follows[C.PLAN_ASKED]
    assert {choice.code: choice.needs for choice in found.results if choice.needs} == {
        C.CALLBACK_AGREED: ("callback_on",),
        C.PROMISED: ("promised_on",),
        C.REFUSES: ("note",),
    }


@pytest.mark.stage("calling")
def test_a_result_without_what_it_needs_is_refused(house: House, call_task: WorkTask) -> None:
    found = sheet(house, int(call_task.id or 0), at(house.day, 9))
    for choice in found.results:
        if choice.needs:
            with pytest.raises(UsageError), house.desk("carla") as desk:
                record_call(desk, found.task_id, Call(choice.code, "morning"))


@pytest.mark.stage("calling")
def test_there_is_no_sheet_of_what_is_not_ones_call(house: House, call_task: WorkTask) -> None:
    Script(house, calling=False).people()
    with house.engine.database.reading() as session:
        for creditors, task_id in (([house.creditor_id + 1], int(call_task.id or 0)), ([house.creditor_id], 0)):
            with pytest.raises(UsageError, match="There is no call"):
                call_sheet(house.engine, session, creditors, task_id, at(house.day))
