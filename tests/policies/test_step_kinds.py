"""Kinds of steps: demands, reactions, agreements, offers, calls, what lives outside rounds, and decisions."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.reasons import SkipReason
from tests.policies.lives import (
    actions_of,
    case_of,
    decided,
    fact_row,
    in_round,
    overdue,
    step_row,
)

DUE = date(2026, 3, 2)


def _taken(decisions: Any) -> list[str]:
    return [action["step"] for action in actions_of(decisions) if action["state"] == "proposed"]


def _skipped(decisions: Any) -> dict[str, str]:
    return {action["step"]: action["reason"] for action in actions_of(decisions) if action["state"] == "skipped"}


REMINDED = step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6), evidence_on=date(2026, 3, 11))
TOLD = step_row("tell_manager", "remind", "notify", state="skipped", proposed_on=date(2026, 3, 6))


EVIDENCED = [
    step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)),
    step_row("call", "listen", "call", executed_on=date(2026, 3, 20)),
    step_row("consult", "solve", "consult", executed_on=date(2026, 3, 30), result="agree"),
]


MAY_DEMAND = {"consult_answer": "agree", "manager_heard": True, "tried_call": True, "demandable_amount": 30_000}


class TestEscalation:
    def test_it_asks_only_what_may_be_demanded_and_needs_a_yes(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND)
        demand = actions_of(decided(row, day, *EVIDENCED))[-1]
        assert (demand["step"], demand["escalating"], demand["asked_amount"]) == ("final_demand", True, 30_000)
        assert (demand["approval_role"], demand["approvals_needed"]) == ("credit_manager", 1)
        assert demand["overdue_open"] == 50_000

    def test_what_it_lacks_is_spelled_out(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "tried_call": False, "promise_open": True})
        case = case_of(decided(row, day, *EVIDENCED))
        assert case["detail"] == (
            "Before this step there must be: a tried call, or its waiver by a credit manager;"
            " the end of the open promise."
        )
        waived = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "tried_call": False, "call_waived": True})
        assert case_of(decided(waived, day, *EVIDENCED))["step"] == "final_demand"

    def test_the_wait_before_the_next_counts_from_evidence(self) -> None:
        demanded = step_row(
            "final_demand", "demand", "message", executed_on=date(2026, 3, 31), evidence_on=date(2026, 4, 9)
        )
        rest = [
            step_row("last_call", "demand", "call", executed_on=date(2026, 4, 8)),
            step_row("supply_stop", "demand", "review", executed_on=date(2026, 4, 15)),
        ]
        day = date(2026, 4, 30)
        row = overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND)
        case = case_of(decided(row, day, *EVIDENCED, demanded, *rest))
        assert (case["next_step"], case["next_on"]) == ("handoff", date(2026, 5, 1))
        day = date(2026, 5, 1)
        placed = actions_of(
            decided(overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND), day, *EVIDENCED, demanded, *rest)
        )
        assert [(action["step"], action["approvals_needed"]) for action in placed if action["state"] == "proposed"] == [
            ("handoff", 2)
        ]

    def test_where_it_can_never_be_had_a_person_decides(self) -> None:
        row = {**MAY_DEMAND, "demandable_amount": 0}
        waiting, given_up = date(2026, 4, 14), date(2026, 4, 15)
        case = case_of(decided(overdue(DUE, waiting, **in_round("forgetful"), **row), waiting, *EVIDENCED))
        assert case["reason"] == "evidence_missing"
        case = case_of(decided(overdue(DUE, given_up, **in_round("forgetful"), **row), given_up, *EVIDENCED))
        assert case["step"] == "decide"

    def test_a_promise_that_blocks_it_for_long_is_no_end(self) -> None:
        day = date(2026, 5, 20)
        row = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "promise_open": True})
        assert case_of(decided(row, day, *EVIDENCED))["reason"] == "escalation_blocked"

    def test_consumers_end_with_a_person(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND, party_kind="consumer")
        decisions = decided(row, day, *EVIDENCED)
        assert _skipped(decisions)["final_demand"] == SkipReason.LAW_NOT_COVERED
        assert _skipped(decisions)["handoff"] == SkipReason.LAW_NOT_COVERED
        assert _taken(decisions) == ["decide"]

    def test_a_no_of_the_account_manager_ends_with_a_person_at_once(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "consult_answer": "no"})
        assert _taken(decided(row, day, *EVIDENCED)) == ["decide"]


class TestReactions:
    def _row(self, day: date, **facts: Any) -> dict[str, Any]:
        return overdue(DUE, day, **in_round("forgetful"), **facts)

    @pytest.mark.parametrize(
        ("facts", "day", "step"),
        [
            ({"part_paid_on": date(2026, 3, 10), "part_paid_half": True}, date(2026, 3, 10), "part_thanks"),
            ({"part_paid_on": date(2026, 3, 10)}, date(2026, 3, 11), "part_call"),
            ({"promise_broken_on": date(2026, 3, 10)}, date(2026, 3, 11), "promise_call"),
            ({"debit_returned_on": date(2026, 3, 10)}, date(2026, 3, 10), "debit_note"),
            ({"bounced_on": date(2026, 3, 10)}, date(2026, 3, 11), "resend"),
            ({"answered_on": date(2026, 3, 10)}, date(2026, 3, 10), "answer_note"),
            ({"plan_breached_on": date(2026, 3, 10)}, date(2026, 3, 11), "breach_call"),
        ],
    )
    def test_an_event_is_answered_once(self, facts: dict[str, Any], day: date, step: str) -> None:
        decisions = decided(self._row(day, **facts), day, REMINDED, TOLD)
        assert _taken(decisions) == [step]
        action = next(action for action in actions_of(decisions) if action["step"] == step)
        assert action["occurrence"] == date(2026, 3, 10)
        done = step_row(
            step, action["stage"], action["kind"], executed_on=day, occurrence=action["occurrence"], for_driver=False
        )
        assert step not in _taken(decided(self._row(day, **facts), day, REMINDED, TOLD, done))

    def test_a_second_event_is_answered_again(self) -> None:
        day = date(2026, 3, 20)
        done = step_row("promise_call", "listen", "call", executed_on=date(2026, 3, 11), occurrence=date(2026, 3, 10))
        row = self._row(day, promise_broken_on=date(2026, 3, 19))
        assert _taken(decided(row, day, REMINDED, TOLD, done)) == ["promise_call"]

    def test_the_journey_waits_for_the_answer_to_a_broken_promise(self) -> None:
        """Never a harsher letter on the day on which a promise breaks."""
        day = date(2026, 3, 16)
        assert _taken(decided(self._row(day), day, REMINDED, TOLD)) == ["second_notice"]
        case = case_of(decided(self._row(day, promise_broken_on=day), day, REMINDED, TOLD))
        assert (case["reason"], case["next_on"]) == ("wait", date(2026, 3, 17))

    def test_a_part_payment_gets_thanks_or_a_call_never_both(self) -> None:
        paid = date(2026, 3, 10)
        half = decided(self._row(paid, part_paid_on=paid, part_paid_half=True), paid, REMINDED, TOLD)
        assert (_taken(half), _skipped(half)) == (["part_thanks"], {})
        # Another pause says nothing of the payment.
        paused = self._row(paid, part_paid_on=paid, paused_until=date(2026, 3, 24))
        less = decided(paused, paid, REMINDED, TOLD)
        assert _skipped(less) == {"part_thanks": "condition_false"}

    @pytest.mark.parametrize(
        ("cause", "second"),
        [
            ("funds", None),
            ("other", None),
            ("mandate", "debit_call"),
            ("account", "debit_call"),
            ("refused", "refund_call"),
        ],
    )
    def test_a_returned_debit_gets_a_note_and_then_what_its_cause_asks(self, cause: str, second: str | None) -> None:
        """First a note that names the cause; then a call where the mandate or the customer's will is in question."""
        returned = date(2026, 3, 3)
        facts = {"debit_returned_on": returned, "debit_return_cause": cause}
        facts |= {"paused_until": date(2026, 3, 10)} if cause == "funds" else {}
        opening = decided(overdue(DUE, returned, **facts), returned)
        assert case_of(opening)["opens_round"]
        assert _taken(opening) == ["debit_note"]
        noted = step_row("debit_note", "remind", "message", executed_on=returned, occurrence=returned)
        following = date(2026, 3, 6)
        decisions = decided(self._row(following, **facts), following, noted)
        expected = {None: ["reminder"], "debit_call": ["debit_call"], "refund_call": ["refund_call"]}[second]
        assert _taken(decisions) == ([] if cause == "funds" else expected)
        if second:
            called = step_row(second, "listen", "call", executed_on=following, occurrence=returned)
            later = date(2026, 3, 9)
            assert _taken(decided(self._row(later, **facts), later, noted, called)) == ["reminder"]

    def test_an_event_outside_a_round_is_not_answered(self) -> None:
        day = date(2026, 3, 3)
        row = overdue(DUE, day, promise_broken_on=date(2026, 3, 2))
        assert _taken(decided(row, day)) == []


class TestParkedCases:
    def test_an_agreement_is_confirmed_though_the_case_is_parked(self) -> None:
        day = date(2026, 3, 5)
        row = overdue(DUE, day, **in_round("strained"), promised_open=50_000, agreed_on=date(2026, 3, 4))
        row |= {"asked_amount": 0}
        called = step_row("call", "listen", "call", executed_on=date(2026, 3, 4), result="promised")
        decisions = decided(row, day, called)
        assert _taken(decisions) == ["confirm"]
        assert not actions_of(decisions)[0]["written"]

    def test_a_plan_that_was_accepted_later_is_confirmed_too(self) -> None:
        day, accepted = date(2026, 4, 2), date(2026, 4, 1)
        done = step_row("confirm", "remind", "message", executed_on=date(2026, 3, 5), occurrence=date(2026, 3, 4))
        row = overdue(DUE, day, **in_round("strained"), in_plan_open=50_000, plan_state="active", agreed_on=accepted)
        row |= {"asked_amount": 0}
        decisions = decided(row, day, CALLED, done)
        assert _taken(decisions) == ["confirm"]
        assert actions_of(decisions)[0]["occurrence"] == accepted

    def test_the_copy_that_we_owe_goes_while_the_ball_is_with_us(self) -> None:
        day = date(2026, 3, 24)
        row = overdue(DUE, day, **in_round("forgetful"), reason="lost_invoice", our_turn=True)
        steps = [
            step_row(
                "second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)
            ),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 23)),
        ]
        assert _taken(decided(row, day, *steps)) == ["invoice_copy"]


CALLED = step_row("call", "listen", "call", executed_on=date(2026, 3, 4))


class TestPlans:
    def test_an_offer_comes_after_the_talk(self) -> None:
        day = date(2026, 3, 9)
        row = overdue(DUE, day, **in_round("strained"), spoken=True, last_spoken_on=date(2026, 3, 4))
        decisions = decided(row, day, CALLED)
        assert _taken(decisions) == ["plan_offer"]
        assert _skipped(decisions)["plan_letter"] == "condition_false"

    def test_by_post_too_where_nobody_was_spoken(self) -> None:
        day = date(2026, 3, 9)
        offer = actions_of(decided(overdue(DUE, day, **in_round("strained")), day, CALLED))[-1]
        assert (offer["step"], offer["channel"]) == ("plan_letter", "post_and_email")

    def test_at_once_where_it_was_asked_for(self) -> None:
        day = date(2026, 3, 5)
        asked = {**CALLED, "result": "plan_asked"}
        row = overdue(DUE, day, **in_round("strained"), spoken=True, last_spoken_on=date(2026, 3, 4))
        assert "plan_offer" in _taken(decided(row, day, asked))

    @pytest.mark.parametrize(("amount", "role"), [(250_000, None), (250_001, "credit_manager")])
    def test_a_large_one_needs_a_yes(self, amount: int, role: str | None) -> None:
        day = date(2026, 3, 9)
        offer = actions_of(decided(overdue(DUE, day, amount, **in_round("strained"), spoken=True), day, CALLED))
        assert [each["approval_role"] for each in offer if each["step"] == "plan_offer"] == [role]


class TestCalls:
    def test_without_a_phone_a_letter_goes_and_counts(self) -> None:
        day = date(2026, 3, 4)
        (call,) = actions_of(decided(overdue(DUE, day, **in_round("strained"), phone_known=False), day))
        assert (call["kind"], call["template"], call["channel"], call["written"]) == (
            "call",
            "lets_talk",
            "preferred",
            True,
        )
        spent = overdue(DUE, day, **in_round("strained"), phone_known=False, contacts_20wd=3)
        assert case_of(decided(spent, day))["reason"] == "budget"
        assert case_of(decided(spent | {"phone_known": True}, day))["step"] == "call"

    @pytest.mark.parametrize("facts", [{"calls_5wd": 3}, {"last_call_on": date(2026, 3, 4)}])
    def test_not_too_often(self, facts: dict[str, Any]) -> None:
        day = date(2026, 3, 4)
        assert case_of(decided(overdue(DUE, day, **in_round("strained"), **facts), day))["reason"] == "budget"


UPCOMING = {"not_due_open": 200_000, "largest_item": 200_000, "share_paid_late_12m": 0.3}


class TestOutsideRounds:
    def _row(self, **facts: Any) -> dict[str, Any]:
        return fact_row(**{**UPCOMING, "upcoming_bank_due_on": date(2026, 3, 20), **facts})

    @pytest.mark.parametrize(
        ("day", "taken"),
        [(date(2026, 3, 16), []), (date(2026, 3, 17), ["courtesy"]), (date(2026, 3, 20), ["courtesy"])],
    )
    def test_a_courtesy_before_the_due_date(self, day: date, taken: list[str]) -> None:
        decisions = decided(self._row(), day)
        assert _taken(decisions) == taken
        if taken:
            (action,) = actions_of(decisions)
            assert (action["round_id"], action["occurrence"]) == (None, date(2026, 3, 20))

    def test_once_a_due_date(self) -> None:
        done = step_row("courtesy", "prepare", "message", round_id=None, occurrence=date(2026, 3, 20))
        assert _taken(decided(self._row(), date(2026, 3, 18), done)) == []
        assert _taken(decided(self._row(upcoming_bank_due_on=date(2026, 3, 19)), date(2026, 3, 18), done)) == [
            "courtesy"
        ]

    def test_where_its_condition_fails_it_is_passed_over_with_a_reason(self) -> None:
        assert _skipped(decided(self._row(largest_item=99_999), date(2026, 3, 17))) == {"courtesy": "condition_false"}

    def test_a_window_missed_lately_is_told_an_old_one_is_not(self) -> None:
        new = {"relation_days": 30, "settled_items_24m": 0, "upcoming_bank_due_on": None}
        late = self._row(**new, first_invoice_on=date(2026, 3, 2))
        assert _taken(decided(late, date(2026, 3, 4))) == ["welcome"]
        assert _skipped(decided(late, date(2026, 3, 18))) == {"welcome": "too_late"}
        assert actions_of(decided(late, date(2026, 4, 20))) == []

    def test_not_while_a_round_is_open(self) -> None:
        day = date(2026, 3, 17)
        row = overdue(DUE, day, **in_round("forgetful"), **UPCOMING, upcoming_bank_due_on=date(2026, 3, 20))
        assert "courtesy" not in [action["step"] for action in actions_of(decided(row, day))]

    @pytest.mark.parametrize(
        ("facts", "day", "occurrence"),
        [
            ({}, date(2026, 3, 4), date(2026, 3, 4)),
            ({"statement_on": date(2026, 3, 11)}, date(2026, 3, 11), date(2026, 3, 11)),
            ({"statement_on": date(2026, 3, 11)}, date(2026, 3, 4), None),
            ({}, date(2026, 3, 3), None),
            ({}, date(2026, 3, 11), date(2026, 3, 4)),
        ],
        ids=["third working day", "their day", "before their day", "second working day", "five days later"],
    )
    def test_a_statement_a_month(self, facts: dict[str, Any], day: date, occurrence: date | None) -> None:
        row = self._row(key_account=True, **facts, upcoming_bank_due_on=None)
        found = [action["occurrence"] for action in actions_of(decided(row, day)) if action["step"] == "statement"]
        assert found == ([occurrence] if occurrence else [])

    def test_a_statement_goes_during_a_round_and_while_much_is_parked(self) -> None:
        day = date(2026, 3, 4)
        row = overdue(DUE, day, **in_round("key"), key_account=True, contacts_20wd=3, disputed_open=50_000)
        row |= {"asked_amount": 0}
        decisions = decided(row, day)
        assert _taken(decisions) == ["statement"]
        assert actions_of(decisions)[0]["round_id"] is None
        assert _taken(decided(row | {"unread_reply": True}, day)) == []

    @pytest.mark.parametrize(
        ("day", "taken"),
        [(date(2026, 3, 17), []), (date(2026, 3, 18), ["statement"]), (date(2026, 3, 24), ["statement"])],
    )
    def test_before_the_pay_run_and_once_a_month(self, day: date, taken: list[str]) -> None:
        row = self._row(
            share_paid_late_12m=0.8,
            median_delay_days=9.0,
            next_pay_run_on=date(2026, 3, 24),
            upcoming_bank_due_on=None,
            country="NL",
        )
        assert _taken(decided(row, day)) == taken
        told = step_row("statement", "prepare", "statement", round_id=None, occurrence=date(2026, 3, 10))
        assert _taken(decided(row, day, told)) == []

    def test_no_note_on_the_same_items_days_after_a_statement(self) -> None:
        day = date(2026, 3, 13)
        row = self._row(share_paid_late_12m=0.8, median_delay_days=9.0)
        sent = date(2026, 3, 9)
        told = step_row(
            "statement", "prepare", "statement", round_id=None, occurrence=date(2026, 3, 4), executed_on=sent
        )
        assert _taken(decided(row, day)) == ["readiness"]
        assert _skipped(decided(row, day, told)) == {"readiness": "condition_false"}

    def test_thanks_once_a_year(self) -> None:
        row = self._row(share_paid_late_12m=0.0, settled_items_24m=30, first_invoice_on=date(2022, 3, 14))
        (thanks,) = actions_of(decided(row, date(2026, 3, 16)))
        assert (thanks["step"], thanks["occurrence"]) == ("thanks", date(2026, 3, 14))
        done = step_row("thanks", "prepare", "message", round_id=None, occurrence=date(2026, 3, 14))
        assert _taken(decided(row, date(2026, 3, 16), done)) == []
        assert _taken(decided(row | {"first_invoice_on": date(2026, 3, 2)}, date(2026, 3, 5))) == []


PASSED = [
    step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)),
    *(
        step_row(name, "handoff", kind, state="skipped", proposed_on=date(2026, 3, 23))
        for name, kind in [
            *(("call", "call"), ("invoice_copy", "message"), ("consult", "consult"), ("last_call", "call")),
            *(("final_demand", "message"), ("supply_stop", "review"), ("handoff", "handoff")),
        ]
    ),
]


class TestDecisions:
    @pytest.mark.parametrize(
        ("result", "again"),
        [("hold", True), ("continue", True), ("plan", True), ("write_off", False), ("legal", False)],
    )
    def test_what_let_the_case_rest_is_asked_again(self, result: str, again: bool) -> None:
        decision = step_row("decide", "handoff", "decide", executed_on=date(2026, 3, 23), result=result)
        before, after = date(2026, 4, 20), date(2026, 4, 23)
        row = in_round("forgetful")
        case = case_of(decided(overdue(DUE, before, **row), before, *PASSED, decision))
        assert (case["reason"], case["next_on"]) == ("journey_ended", date(2026, 4, 22) if again else None)
        assert _taken(decided(overdue(DUE, after, **row), after, *PASSED, decision)) == (["decide"] if again else [])
