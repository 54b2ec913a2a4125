"""Money without a purpose: no reminder, but work for cash and a polite word, once and while it lasts (rules 5, 19)."""

from datetime import timedelta

import pytest

from maatpak.ledger.tables import Message, WorkTask
from tasks.day import run_day
from tasks.exceptions import ALLOCATE, ASK, TELL
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at


def run(house: House) -> dict[str, int]:
    house.day += timedelta(days=1)
    house.snapshot(house.day)
    return run_day(house.engine, house.creditor_id, house.day, at(house.day, 6)).ticks[0].reasons


@pytest.mark.parametrize(
    ("item_type", "amount", "reason", "subjects"),
    [
        ("payment", 150_000, "covered_by_cash", {ALLOCATE: ("cash", "operator"), ASK: ("reply", "collector")}),
        ("credit_note", 200_000, "we_owe_customer", {TELL: ("reply", "collector")}),
    ],
)
def test_asks_people_once_while_it_lasts(
    house: House, case_id: int, item_type: str, amount: int, reason: str, subjects: dict[str, tuple[str, str]]
) -> None:
    house.item(case_id, "X1", amount, house.day, item_type=item_type, issued_on=house.day)
    assert run(house) == {reason: 1}
    tasks = house.rows(WorkTask)
    assert {task.subject: (task.kind, task.role) for task in tasks} == subjects
    assert all(task.due_on > house.day and not task.blocks for task in tasks)
    assert house.rows(Message) == []
    with house.desk("colin") as desk:
        finish_work(desk, tasks[-1].id, Outcome("answered"))
    run(house)
    assert len(house.rows(WorkTask)) == len(tasks), "what somebody has done is not asked again at once"


def test_what_no_longer_lasts_is_taken_back(house: House, case_id: int) -> None:
    house.item(case_id, "X1", 150_000, house.day, item_type="payment", issued_on=house.day)
    run(house)
    house.pay("X1", house.day, known_on=house.day + timedelta(days=1))
    assert "covered_by_cash" not in run(house)
    assert {(task.state, task.outcome) for task in house.rows(WorkTask, subject=ASK)} == {("cancelled", "ended")}


def test_cash_for_a_part_is_to_be_allocated_while_the_rest_is_asked_for(house: House, case_id: int) -> None:
    house.item(case_id, "X1", 120_000, house.day, item_type="payment", issued_on=house.day)
    run(house)
    assert [task.subject for task in house.rows(WorkTask, kind="cash")] == [ALLOCATE]
    assert house.rows(WorkTask, subject=ASK) == []
