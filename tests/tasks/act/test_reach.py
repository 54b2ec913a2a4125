"""Whom no message reaches: another way, then a person's decision, and never the same attempt for ever (rule 24)."""

from datetime import date

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, ContactSlot, Message, Plan, WorkTask
from tasks.reasons import state_reason
from tests.tasks.act.house import House
from tests.tasks.act.script import Script

OLD = date(2026, 1, 30)


@pytest.fixture
def unreachable(house: House) -> int:
    """A customer whose addresses the ledger has and no message takes."""
    case_id = house.debtor("U1", email="no mail", street="Kade 1", city="", phone="+31201234567")
    house.item(case_id, "U-1", 90_000, OLD)
    return case_id


def test_a_text_to_a_number_on_land_becomes_a_letter(house: House) -> None:
    case_id = house.debtor("L1", kind="consumer", phone="+31201234567")
    house.item(case_id, "L-1", 9_900, OLD)
    Script(house, calling=False).until("second_text")
    channels = [message.channel for message in house.rows(Message, case_id=case_id)]
    assert channels == ["email", "post"]


def test_what_reaches_nobody_fails_and_ends_in_a_decision(house: House, unreachable: int) -> None:
    script = Script(house, calling=False)
    script.until("decide", "in_progress")
    for _ in range(6):
        script.day()
    actions = house.rows(Action, case_id=unreachable)
    tries = [action for action in actions if action.step == "reminder"]
    assert [(action.state, action.reason) for action in tries] == [("failed", "no_address")] * len(tries)
    assert len(tries) <= 2
    assert [action.state for action in actions if action.step == "decide"] == ["in_progress"]
    assert house.rows(Message, case_id=unreachable) == []
    assert {slot.action_id for slot in house.rows_of(ContactSlot)}.isdisjoint(action.id for action in tries)
    assert house.rows(WorkTask, case_id=unreachable, kind="repair")


def test_an_offer_that_reaches_nobody_never_stood(house: House, unreachable: int) -> None:
    with house.desk("carla", 7) as desk:
        state_reason(desk, desk.case(unreachable), NonPaymentReason.CASH_FLOW)
    house.go_to(add_working_days(house.day, 1, "NL"))
    Script(house).until("plan_letter", "failed")
    assert [plan.state for plan in house.rows(Plan, case_id=unreachable)] == ["cancelled"]
