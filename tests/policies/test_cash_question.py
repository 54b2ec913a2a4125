"""What unallocated money is for is asked politely: once a payment, within the limits, and nothing else is asked."""

from datetime import date
from typing import Any

import pytest

from tests.policies.lives import actions_of, case_of, decided, in_round, overdue, step_row

DUE, PAID, TODAY = date(2026, 3, 2), date(2026, 3, 16), date(2026, 3, 17)


def covered(**given: Any) -> dict[str, Any]:
    """A customer whose overdue invoice money that lies unallocated would cover."""
    cash = {"cash_unallocated": 50_000, "cash_unallocated_on": PAID, "asked_amount": 0, "driver_item_id": None}
    return overdue(DUE, TODAY, **{**cash, **given})


def asked(on: date = PAID, **given: Any) -> dict[str, Any]:
    """The question, asked about the payment of a day."""
    told: dict[str, Any] = {"round_id": None, "occurrence": on, "executed_on": on, "proposed_on": on}
    return step_row("cash_question", "remind", "message", **{**told, **given})


@pytest.mark.parametrize("segment", [None, "prompt", "strained", "key"])
def test_it_is_asked_whether_or_not_a_round_is_open(segment: str | None) -> None:
    decisions = decided(covered(**(in_round(segment) if segment else {})), TODAY)
    (action,) = actions_of(decisions)
    assert (action["step"], action["occurrence"], action["round_id"]) == ("cash_question", PAID, None)
    assert action["written"], "it counts as a contact"
    assert action["approvals_needed"] == 0
    assert case_of(decisions)["step"] == "cash_question"


def test_once_a_payment_and_again_for_a_new_one() -> None:
    silent = decided(covered(), TODAY, asked())
    assert actions_of(silent) == []
    assert case_of(silent)["reason"] == "covered_by_cash"
    again = decided(covered(cash_unallocated_on=date(2026, 3, 13)), TODAY, asked(date(2026, 3, 4)))
    assert [action["occurrence"] for action in actions_of(again)] == [date(2026, 3, 13)]


@pytest.mark.parametrize(
    "facts",
    [
        {"last_written_on": date(2026, 3, 13)},
        {"contacts_20wd": 3},
        {"paused_until": date(2026, 3, 20)},
        {"hold_reason": "complaint"},
        {"unread_reply": True},
        {"our_turn": True},
        {"email_known": False, "phone_known": False, "post_known": False},
        {"experience_balance": -6},
        {"data_age_wd": 3},
        {"cash_unallocated_on": TODAY},
    ],
    ids=str,
)
def test_not_against_a_limit_or_a_silence_nor_before_we_looked(facts: dict[str, Any]) -> None:
    assert actions_of(decided(covered(**facts), TODAY)) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"cash_unallocated": 20_000, "asked_amount": 30_000, "driver_item_id": 10},
        {"overdue_open": 0, "not_due_open": 50_000},
        {"cash_unallocated": 0, "cash_unallocated_on": None, "credit_notes_open": 50_000},
        {"cash_unallocated": 90_000, "credit_notes_open": 0},
        {"promised_open": 40_000, "cash_unallocated": 10_000},
    ],
    ids=["the rest is asked", "nothing is overdue", "a credit note", "we owe them", "a promise parks the case"],
)
def test_only_where_money_covers_what_would_be_asked(facts: dict[str, Any]) -> None:
    assert "cash_question" not in [action["step"] for action in actions_of(decided(covered(**facts), TODAY))]


def test_a_trifle_is_passed_over() -> None:
    (action,) = actions_of(decided(covered(overdue_open=800, cash_unallocated=400, asked_amount=400), TODAY))
    assert (action["step"], action["state"], action["reason"]) == ("cash_question", "skipped", "condition_false")
