from datetime import date
from typing import Any

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.tables import Promise, WorkTask
from tasks.promises import cancel_promise, make_promise
from tasks.settle import settle_records
from tasks.settle_notes import THANK
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

FRIDAY = date(2026, 3, 6)


def promise(house: House, case_id: int, on: date = FRIDAY, **what: object) -> str:
    with house.desk("carla") as desk:
        return make_promise(desk, desk.case(case_id), on, **what).promise_no  # type: ignore[arg-type]


def settle(house: House, day: date) -> dict[str, int]:
    house.go_to(day)
    return settle_records(house.engine, house.creditor_id, day, at(day, 6)).counts


@pytest.mark.parametrize(
    ("what", "amount", "items"),
    [
        ({}, 150_000, None),
        ({"amount": 40_000}, 40_000, None),
        ({"documents": ["F2"]}, 50_000, {"F2": 50_000}),
        ({"documents": ["F1", "F2"], "amount": 120_000}, 120_000, {"F1": 100_000, "F2": 20_000}),
    ],
    ids=["everything overdue", "an amount", "a document", "part of two documents"],
)
def test_covers(house: House, case_id: int, what: dict[str, Any], amount: int, items: dict[str, int] | None) -> None:
    number = promise(house, case_id, **what)
    row = house.row(Promise, promise_no=number)
    named = {str(house.items[document]): part for document, part in items.items()} if items else None
    assert (row.amount, row.items, row.state, row.promised_on, row.actor) == (amount, named, "open", FRIDAY, "carla")


@pytest.mark.parametrize(
    ("who", "on", "what", "error"),
    [
        ("carla", date(2026, 3, 1), {}, "already past"),
        ("carla", date(2026, 3, 17), {}, "reaches 10"),
        ("carla", FRIDAY, {"amount": 150_001}, "does not fit"),
        ("carla", FRIDAY, {"amount": 0}, "does not fit"),
        ("carla", FRIDAY, {"documents": ["F9"]}, "Not open"),
        ("olga", FRIDAY, {}, "may not take a promise"),
        ("audrey", FRIDAY, {}, "may not take a promise"),
    ],
    ids=["in the past", "too far", "too much", "nothing", "unknown document", "operator", "auditor"],
)
def test_refuses(house: House, case_id: int, who: str, on: date, what: dict[str, object], error: str) -> None:
    with house.desk(who) as desk:
        case = desk.case(case_id)
        with pytest.raises((RefusedError, UsageError), match=error):
            make_promise(desk, case, on, **what)  # type: ignore[arg-type]
    assert house.all_rows(Promise) == []


def test_a_manager_may_look_further_ahead(house: House, case_id: int) -> None:
    with house.desk("mo") as desk:
        make_promise(desk, desk.case(case_id), date(2026, 4, 1))
    assert house.row(Promise).promised_on == date(2026, 4, 1)


def test_a_new_one_supersedes_and_two_a_round_are_the_most(house: House, case_id: int) -> None:
    Script(house).day()
    first = promise(house, case_id, house.day)
    second = promise(house, case_id, house.day)
    assert [row.state for row in house.rows(Promise)] == ["superseded", "open"]
    with pytest.raises(RefusedError, match="2 is the most"):
        promise(house, case_id, house.day)
    assert house.row(Promise, state="open").promise_no == second
    with house.desk("carla") as desk:
        cancel_promise(desk, second)
    promise(house, case_id, house.day)
    assert house.row(Promise, promise_no=first).state == "superseded"


@pytest.mark.parametrize(
    ("paid", "on", "looked_on", "state", "received"),
    [
        ({"F1": None, "F2": None}, date(2026, 3, 4), date(2026, 3, 5), "kept", 150_000),
        ({"F1": None, "F2": 47_000}, date(2026, 3, 6), date(2026, 3, 9), "kept", 147_000),
        ({"F1": None, "F2": 46_900}, date(2026, 3, 6), date(2026, 3, 10), "open", 0),
        ({"F1": None, "F2": 46_900}, date(2026, 3, 6), date(2026, 3, 11), "partly_kept", 146_900),
        ({}, None, date(2026, 3, 10), "open", 0),
        ({}, None, date(2026, 3, 11), "broken", 0),
        ({"F1": None, "F2": None}, date(2026, 3, 10), date(2026, 3, 11), "kept", 150_000),
        ({"F1": None, "F2": None}, date(2026, 3, 11), date(2026, 3, 12), "broken", 0),
    ],
    ids=[
        "before the day",
        "98 % of it",
        "a little less, still time",
        "a little less, time over",
        "nothing, still two bank days",
        "nothing, time over",
        "on the last bank day",
        "a day too late",
    ],
)
def test_is_judged_by_money_and_bank_days(
    house: House,
    case_id: int,
    paid: dict[str, int | None],
    on: date | None,
    looked_on: date,
    state: str,
    received: int,
) -> None:
    promise(house, case_id)
    for document, amount in paid.items():
        assert on is not None
        house.pay(document, on, amount)
    settle(house, looked_on)
    row = house.row(Promise)
    assert (row.state, row.received) == (state, received)


def test_a_stale_ledger_breaks_no_promise(house: House, case_id: int) -> None:
    promise(house, case_id)
    settle_records(house.engine, house.creditor_id, date(2026, 3, 20), at(date(2026, 3, 20), 6))
    assert house.row(Promise).state == "open"


def test_money_not_yet_allocated_keeps_it(house: House, case_id: int) -> None:
    promise(house, case_id)
    house.item(case_id, "CASH", 150_000, FRIDAY, item_type="payment", issued_on=FRIDAY, known_from=FRIDAY)
    settle(house, date(2026, 3, 9))
    assert house.row(Promise).state == "kept"


@pytest.mark.parametrize(
    ("paid", "state", "received"),
    [
        ({"F1": "credit_note", "F2": "write_off"}, "cancelled", 0),
        ({"F1": "credit_note"}, "broken", 0),
        ({"F1": "credit_note", "F2": "payment"}, "kept", 50_000),
        ({"F1": "payment", "F2": "credit_note"}, "kept", 100_000),
    ],
    ids=["all of it", "the rest not paid", "the rest paid", "the other way round"],
)
def test_what_we_credit_keeps_no_promise(
    house: House, case_id: int, paid: dict[str, str], state: str, received: int
) -> None:
    promise(house, case_id, documents=["F1", "F2"])
    for document, by in paid.items():
        house.pay(document, date(2026, 3, 4), by=by)
    settle(house, date(2026, 3, 11))
    row = house.row(Promise)
    assert (row.state, row.received) == (state, received)


def test_what_was_paid_before_the_rest_was_credited_counts(house: House, case_id: int) -> None:
    promise(house, case_id, documents=["F1"])
    house.pay("F1", date(2026, 3, 4), 60_000)
    house.pay("F1", date(2026, 3, 5), by="credit_note")
    settle(house, date(2026, 3, 6))
    assert (house.row(Promise).state, house.row(Promise).received) == ("kept", 60_000)


def test_for_a_part_a_person_says_thanks_and_asks_for_the_rest(house: House, case_id: int) -> None:
    number = promise(house, case_id)
    house.pay("F2", date(2026, 3, 4))
    assert settle(house, date(2026, 3, 11)) == {"promise partly_kept": 1, "note asked for": 1}
    task = house.row(WorkTask, record_no=number)
    assert (task.kind, task.subject, task.due_on, task.blocks) == ("reply", THANK, date(2026, 3, 12), True)
    assert settle(house, date(2026, 3, 12)) == {}


def test_settling_again_changes_nothing(house: House, case_id: int) -> None:
    promise(house, case_id)
    assert settle(house, date(2026, 3, 11)) == {"promise broken": 1}
    events = house.rows_of_events()
    assert settle_records(house.engine, house.creditor_id, house.day, at(house.day, 7)).counts == {}
    assert house.rows_of_events() == events
    assert [row.state for row in house.all_rows(Promise)] == ["open", "broken"]


def test_broken_it_is_a_call_the_next_working_day_and_never_a_letter(house: House, case_id: int) -> None:
    from maatpak.ledger.tables import Action

    script = Script(house)
    script.day()
    promise(house, case_id, house.day)
    while house.row(Promise).state == "open":
        script.day()
    broken_on = house.day
    action = script.until("promise_call", "in_progress")
    assert action.kind == "call"
    assert (action.business_date - broken_on).days <= 4
    between = [each for each in house.rows(Action) if broken_on <= each.business_date < action.business_date]
    assert [each.step for each in between if each.kind == "message"] == []
