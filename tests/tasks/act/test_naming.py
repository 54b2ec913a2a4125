"""What actions name: before a due date what nothing else will settle, through a plan what the plan covers (rule 5)."""

from datetime import date

import polars as pl
import pytest

from connectors.message import Outgoing
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, ActionItem, Case, Message, MessageAction, Payment, Plan, Tick
from tasks.disputes import open_dispute
from tasks.execute import execute_all
from tasks.promises import make_promise
from tasks.reasons import state_reason
from tasks.tick import tick
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


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


def test_the_second_letter_about_a_plan_says_what_it_is_about(house: House, case_id: int) -> None:
    with house.desk("carla", 7) as desk:
        state_reason(desk, desk.case(case_id), NonPaymentReason.CASH_FLOW)
    house.go_to(add_working_days(house.day, 1, "NL"))
    reminder = Script(house).until("soft_reminder")
    assert house.row(Plan).total == 150_000
    (message,) = _messages_of(house, reminder)
    assert "1,500.00" in str(message.subject)
    outgoing = Outgoing.from_json(house.engine.store.get(message.content))
    assert [(item["document_no"], item["asked"]) for item in outgoing.items] == [("F1", 100_000), ("F2", 50_000)]


@pytest.mark.stage("reminded")
def test_thanks_for_a_part_say_what_remains_also_when_it_is_promised(house: House, case_id: int) -> None:
    with house.desk("carla", 7) as desk:
        make_promise(desk, desk.case(case_id), add_working_days(house.day, 5, "NL"))
    paid_on = add_working_days(house.day, 1, "NL")
    house.pay("F1", paid_on, 80_000)
    with house.engine.database.session() as session:
        debtor_id = session.get_one(Case, case_id).debtor_id
        session.add(
            Payment(creditor_id=house.creditor_id, debtor_id=debtor_id, item_id=house.items["F1"], payment_no="P1",
                    paid_on=paid_on, currency="EUR", amount=80_000, applied=80_000, valid_from=paid_on,
                    recorded_at=at(paid_on, 5))
        )  # fmt: skip
    thanks = Script(house, calling=False).until("part_thanks")
    (message,) = _messages_of(house, thanks)
    outgoing = Outgoing.from_json(house.engine.store.get(message.content))
    assert {item["document_no"]: item["asked"] for item in outgoing.items} == {"F1": 20_000, "F2": 50_000}


def _messages_of(house: House, action: Action) -> list[Message]:
    served = {row.message_id for row in house.rows_of(MessageAction) if row.action_id == action.id}
    return [message for message in house.rows(Message) if message.id in served]
