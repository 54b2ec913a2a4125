"""A customer is rung in its own hours and the pack's, or says otherwise (rule 28 and section 2)."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import CallResult as C
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import ContactResult, WorkTask
from policies.guardrails import Hours
from tasks.call_hours import Side, call_window
from tasks.calls import CALLBACK, Call, record_call
from tasks.listing import WorkFilter, list_work
from tasks.preferences import set_preference
from tasks.worklist import open_work
from tests.tasks.act.house import House, build_house

HOURS = Hours(business="08:00-19:00", consumer="09:00-19:00")
HERE = {"our_zone": "Europe/Amsterdam", "our_country": "NL"}
NL = {"kind": "business", "country": "NL", "time_zone": None, "call_hours": None, **HERE}
NY = {**NL, "country": "US", "time_zone": "America/New_York"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# In winter Amsterdam is an hour before UTC, New York five after it. 2026-03-11 is a Wednesday.
@pytest.mark.parametrize(
    ("customer", "at", "opens"),
    [
        (NL, "2026-03-11T07:00", "2026-03-11T07:00"),
        (NL, "2026-03-11T06:59", "2026-03-11T07:00"),
        (NL, "2026-03-11T17:59", "2026-03-11T17:59"),
        (NL, "2026-03-11T18:00", "2026-03-12T07:00"),
        (NL | {"kind": "consumer"}, "2026-03-11T07:30", "2026-03-11T08:00"),
        (NL, "2026-03-13T18:00", "2026-03-16T07:00"),  # a Friday evening
        (NL, "2026-03-15T10:00", "2026-03-16T07:00"),  # a Sunday
        (NL, "2026-04-03T20:00", "2026-04-07T06:00"),  # before Easter, and summer time
        (NL | {"call_hours": "09:00-11:30"}, "2026-03-11T07:30", "2026-03-11T08:00"),
        (NL | {"call_hours": "09:00-11:30"}, "2026-03-11T10:29", "2026-03-11T10:29"),
        (NL | {"call_hours": "09:00-11:30"}, "2026-03-11T10:30", "2026-03-12T08:00"),
        (NL | {"call_hours": "07:00-08:20"}, "2026-03-11T06:30", "2026-03-11T07:00"),
        (NL | {"call_hours": "19:30-21:00"}, "2026-03-11T19:00", None),  # never in the pack's hours: only if asked
        (NY, "2026-02-11T10:00", "2026-02-11T13:00"),
        (NY | {"call_hours": "14:00-16:00"}, "2026-02-11T13:00", "2026-02-11T19:00"),
        (NY, "2026-07-03T16:00", "2026-07-06T12:00"),  # their holiday is no working day
        (NY, "2026-04-27T16:00", "2026-04-28T12:00"),  # nor is ours: King's Day
        (NL | {"country": "US"}, "2026-02-11T14:00", "2026-02-11T18:00"),  # whoever lives in no known zone
        (NL | {"country": "US", "call_hours": "09:00-10:00"}, "2026-02-11T13:00", "2026-02-11T19:00"),
    ],
)
def test_from_when_a_customer_may_be_rung(customer: dict[str, Any], at: str, opens: str | None) -> None:
    found = call_window(customer, HOURS).next_from(utc(at))
    assert found == (None if opens is None else utc(opens))


def call(house: House, task_id: Any, code: C, hour: int = 10, **more: Any) -> None:
    with house.desk("carla", hour) as desk:
        record_call(desk, int(task_id), Call(code, "morning", **more))


def prefer(house: House, case_id: int, hours: str) -> None:
    with house.desk("carla") as desk:
        set_preference(desk, desk.debtor(desk.case(case_id).debtor_id), "call_hours", hours)


@pytest.mark.stage("calling")
@pytest.mark.parametrize(
    ("hours", "hour", "more", "refused"),
    [
        (None, 10, {}, None),
        (None, 20, {}, "is rung between 08:00 and 19:00"),
        (None, 5, {}, "is rung between 08:00 and 19:00"),
        ("13:00-15:00", 10, {}, "is rung between 13:00 and 15:00"),
        ("13:00-15:00", 13, {}, None),
        ("13:00-15:00", 20, {"at": time(14, 30)}, None),
        ("13:00-15:00", 13, {"at": time(9, 30)}, "is rung between 13:00 and 15:00"),
        ("13:00-15:00", 10, {"side": Side.INBOUND}, None),
        ("13:00-15:00", 20, {"side": Side.ASKED}, None),
    ],
)
def test_a_call_is_recorded_in_the_customers_hours(
    house: House,
    case_id: int,
    call_task: WorkTask,
    hours: str | None,
    hour: int,
    more: dict[str, Any],
    refused: str | None,
) -> None:
    if hours is not None:
        prefer(house, case_id, hours)
    if refused is None:
        call(house, call_task.id, C.SPOKE_NO_COMMITMENT, hour, **more)
        assert house.row(ContactResult).code == C.SPOKE_NO_COMMITMENT
        return
    with pytest.raises(RefusedError, match=refused) as error:
        call(house, call_task.id, C.SPOKE_NO_COMMITMENT, hour, **more)
    assert "--inbound" in str(error.value.advice)
    assert house.rows(ContactResult) == []


@pytest.mark.stage("calling")
def test_a_call_is_not_recorded_before_it_is_made(house: House, call_task: WorkTask) -> None:
    """Else whoever rings at seven in the morning could say that it is ten."""
    for side in Side:
        with pytest.raises(UsageError, match="A call at 10:00 is still to be made: it is 07:00"):
            call(house, call_task.id, C.SPOKE_NO_COMMITMENT, 6, at=time(10), side=side)


@pytest.mark.stage("calling")
def test_nobody_who_rang_us_was_not_reached(house: House, call_task: WorkTask) -> None:
    with pytest.raises(UsageError, match="did not ring us"):
        call(house, call_task.id, C.VOICEMAIL, side=Side.INBOUND)


@pytest.mark.stage("calling")
def test_a_second_call_of_the_day_is_due_tomorrow(house: House, case_id: int, call_task: WorkTask) -> None:
    euros = house.another_currency(case_id, "USD")
    beta = build_house(house.engine, house.day, "BETA")
    other = beta.debtor("B1", party=f"{house.creditor_id}:C1")
    tasks = {}
    for its, case, subject in ((house, euros, "Ask why."), (beta, other, "Ask why."), (house, euros, CALLBACK)):
        with its.desk("carla") as desk:
            task = open_work(desk, desk.case(case), WorkKind.CALL, subject, Role.COLLECTOR, working_days=0)
            tasks[its.creditor_id, subject] = task.id
    call(house, call_task.id, C.NO_ANSWER)
    tomorrow = add_working_days(house.day, 1, "NL")
    due = {key: house.row(WorkTask, id=task_id).due_on for key, task_id in tasks.items()}
    assert due == {
        (house.creditor_id, "Ask why."): tomorrow,
        (beta.creditor_id, "Ask why."): tomorrow,
        (house.creditor_id, CALLBACK): house.day,  # a day that we agreed on stands
    }


@pytest.mark.stage("calling")
def test_the_list_says_who_may_be_rung_when(house: House, case_id: int, call_task: WorkTask) -> None:
    later = house.debtor("C2")
    prefer(house, case_id, "14:00-15:00")
    with house.desk("carla") as desk:
        second = open_work(desk, desk.case(later), WorkKind.CALL, "Ask.", Role.COLLECTOR, working_days=0)
        due = {int(second.id or 0): second.due_on}
        desk.session.get_one(WorkTask, call_task.id).due_on = house.day
    due[int(call_task.id or 0)] = house.day

    def listed(hour: int) -> list[tuple[int, bool, str]]:
        rows = list_work(house.engine, WorkFilter(kind="call"), datetime.combine(house.day, time(hour), UTC))
        return [(row["task_id"], row["may_ring"], f"{row['ring_from']:%Y-%m-%d %H:%M}") for row in rows]

    day, tomorrow = house.day, add_working_days(house.day, 1, "NL")
    assert listed(10) == [(second.id, True, f"{day} 11:00"), (call_task.id, False, f"{day} 14:00")]
    assert {row[0]: row[1] for row in listed(13)} == {call_task.id: True, second.id: True}
    call(house, second.id, C.VOICEMAIL)
    rows = {row[0]: row[1:] for row in listed(13)}
    assert rows == {call_task.id: (True, f"{day} 14:00"), second.id: (False, f"{tomorrow} 08:00")}
