"""What actions name: before a due date what nothing else will settle, through a plan what the plan covers (rule 5)."""

from datetime import date

import polars as pl
import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, ActionItem, Tick
from tasks.disputes import open_dispute
from tasks.execute import execute_all
from tasks.tick import tick
from tests.tasks.act.house import House, at


@pytest.fixture
def newcomer(house: House) -> int:
    """A new customer, of whom nothing is due yet."""
    return house.debtor("N1", customer_since=date(2026, 1, 12))


def due(house: House) -> date:
    """Five working days on: when the courtesy of a first invoice comes."""
    return add_working_days(house.day, 5, "NL")


def named(house: House, case_id: int) -> dict[int, int]:
    """Item → amount of the case's only action."""
    action = house.row(Action, case_id=case_id)
    return {row.item_id: row.amount for row in house.rows_of(ActionItem) if row.action_id == action.id}


def test_a_courtesy_leaves_out_what_is_disputed_or_about_to_be_collected(house: House, newcomer: int) -> None:
    house.item(newcomer, "N-1", 90_000, due(house), payment_method="sepa", collect_on=due(house))
    partly = house.item(newcomer, "N-2", 70_000, due(house))
    with house.desk("carla", 7) as desk:
        open_dispute(desk, desk.case(newcomer), "N-2", NonPaymentReason.PRICE, amount=20_000)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 8))
    assert house.row(Action, case_id=newcomer).step == "courtesy"
    assert named(house, newcomer) == {partly: 50_000}


def test_nothing_left_no_courtesy(house: House, newcomer: int) -> None:
    house.item(newcomer, "N-1", 90_000, due(house), payment_method="sepa", collect_on=due(house))
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    assert house.rows(Action, case_id=newcomer) == []
    decisions = house.engine.store.get_frame(house.row(Tick).decisions_evidence)
    (why,) = decisions.filter(pl.col("case_id") == newcomer).select("outcome", "reason", "withheld").rows()
    assert why == ("none", "nothing_overdue", "covered")


def test_a_courtesy_whose_item_is_disputed_meanwhile_is_taken_back(house: House, newcomer: int) -> None:
    house.item(newcomer, "N-2", 70_000, due(house))
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    with house.desk("carla", 7) as desk:
        open_dispute(desk, desk.case(newcomer), "N-2", NonPaymentReason.PRICE)
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 8))
    action = house.row(Action, case_id=newcomer)
    assert (action.step, action.state) == ("courtesy", "cancelled")
