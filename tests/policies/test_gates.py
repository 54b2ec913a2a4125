"""Every reason for no action: when it is named, what it says, and which comes first."""

from datetime import date, timedelta
from typing import Any

import pytest

from maatpak.kernel.reasons import NoActionReason, SkipReason
from policies.changes import WHAT_CHANGES
from policies.pack import CompiledPack, load_pack, standard_pack_files
from policies.walk import STUCK
from tests.policies.lives import case_of, decided, fact_row, in_round, overdue, step_row

R = NoActionReason
DUE = date(2026, 3, 2)
DAY = date(2026, 3, 6)
"""D + 4: the reminder of the forgetful falls due."""

NOTHING_LEFT = {"asked_amount": 0, "wake_on": date(2026, 3, 20)}
DONE = [
    step_row("reminder", "remind", "message", executed_on=date(2026, 1, 5), evidence_on=date(2026, 1, 8)),
    step_row("tell_manager", "remind", "notify", executed_on=date(2026, 1, 5)),
    step_row("second_notice", "remind", "message", executed_on=date(2026, 1, 13), evidence_on=date(2026, 1, 16)),
    step_row("second_text", "remind", "message", state="skipped", proposed_on=date(2026, 1, 13)),
    step_row("call", "listen", "call", executed_on=date(2026, 1, 20)),
    step_row("invoice_copy", "listen", "message", state="skipped", proposed_on=date(2026, 1, 21)),
    step_row("consult", "solve", "consult", executed_on=date(2026, 3, 5), result="agree"),
]
AGREED = {"consult_answer": "agree", "manager_heard": True, "tried_call": True, "demandable_amount": 50_000}
DEMANDED = [
    *DONE,
    step_row("final_demand", "demand", "message", executed_on=date(2026, 1, 27), evidence_on=date(2026, 1, 30)),
    step_row("last_call", "demand", "call", executed_on=date(2026, 2, 3)),
    step_row("supply_stop", "demand", "review", executed_on=date(2026, 2, 10)),
    step_row("handoff", "handoff", "handoff", state="skipped", proposed_on=date(2026, 2, 27)),
    step_row("decide", "handoff", "decide", executed_on=date(2026, 3, 2), result="hold"),
]


def _failed(attempt: int, state: str = "failed", **more: Any) -> dict[str, Any]:
    return step_row("reminder", "remind", "message", attempt=attempt, state=state, **more)


def _open(step: str, kind: str, state: str = "in_progress") -> dict[str, Any]:
    return step_row(step, "remind", kind, state=state)


CASES: dict[str, tuple[NoActionReason, dict[str, Any], list[dict[str, Any]], date | None]] = {
    "the law forbids contact": (R.LEGAL_STOP, {"legal_stop": "insolvent"}, [], None),
    "the ledger is old": (R.DATA_STALE, {"data_age_wd": 2}, [], None),
    "the age of the ledger is unknown": (R.DATA_STALE, {"data_age_wd": None}, [], None),
    "a row waits in quarantine": (R.QUARANTINED, {"quarantined_rows": 1}, [], None),
    "an agency has it": (R.PLACED, {"placed_open": 1}, [], None),
    "a hold": (R.HOLD, {"hold_reason": "complaint", "wake_on": date(2026, 3, 16)}, [], date(2026, 3, 16)),
    "all disputed": (R.DISPUTE, {**NOTHING_LEFT, "disputed_open": 50_000}, [], date(2026, 3, 20)),
    "all in a plan": (R.PLAN, {**NOTHING_LEFT, "in_plan_open": 50_000}, [], date(2026, 3, 20)),
    "all promised": (R.PROMISE, {**NOTHING_LEFT, "promised_open": 50_000}, [], date(2026, 3, 20)),
    "all claimed paid": (R.CLAIMED_PAID, {**NOTHING_LEFT, "claimed_paid_open": 50_000}, [], date(2026, 3, 20)),
    "a debit in flight": (R.DEBIT_IN_FLIGHT, {**NOTHING_LEFT, "debits_in_flight": 50_000}, [], date(2026, 3, 20)),
    "most of it promised, the first in the order disputed": (
        R.DISPUTE,
        {**NOTHING_LEFT, "promised_open": 40_000, "disputed_open": 10_000},
        [],
        date(2026, 3, 20),
    ),
    "a net credit": (R.WE_OWE_CUSTOMER, {"asked_amount": 0, "credit_notes_open": 60_000}, [], None),
    "money to allocate": (R.COVERED_BY_CASH, {"asked_amount": 0, "cash_unallocated": 50_000}, [], None),
    "next to nothing": (R.BELOW_TOLERANCE, {"asked_amount": 500, "overdue_open": 500}, [], None),
    "an unread answer": (R.UNREAD_ANSWER, {"unread_reply": True}, [], None),
    "work that is ours": (R.OUR_TURN, {"our_turn": True}, [], None),
    "an open complaint": (R.OUR_TURN, {"tickets_open": 1}, [], None),
    "a consultation runs": (R.CONSULT_OPEN, {"consult_answer": "open"}, [], None),
    "a consultation is open": (R.CONSULT_OPEN, {}, [_open("consult", "consult")], None),
    "an approval is awaited": (R.APPROVAL_OPEN, {}, [_open("reminder", "message", "awaiting_approval")], None),
    "a call is to be made": (R.CALL_OPEN, {}, [_open("call", "call")], None),
    "a callback was agreed": (R.CALL_OPEN, {"callback_on": date(2026, 3, 10)}, [], date(2026, 3, 11)),
    "a decision is open": (R.WORK_OPEN, {}, [_open("decide", "decide")], None),
    "the step is under way": (R.STEP_UNDER_WAY, {}, [_open("reminder", "message", "approved")], None),
    "failed on every channel": (R.STEP_FAILED, {}, [_failed(1), _failed(2)], None),
    "failed without another channel": (
        R.STEP_FAILED,
        {"phone_known": False, "post_known": False},
        [_failed(1)],
        None,
    ),
    "nobody knows whether it went": (R.STEP_UNKNOWN, {}, [_failed(1, "unknown")], None),
    "rejected until a date": (
        R.STEP_REJECTED,
        {},
        [_failed(1, "rejected", retry_on=date(2026, 3, 12), retry_step="reminder")],
        date(2026, 3, 12),
    ),
    "enough notices for this customer": (R.EXPERIENCE, {"experience_balance": -6}, [], None),
    "no manager heard": (R.ESCALATION_BLOCKED, {**AGREED, "manager_heard": False}, DONE, None),
    "no call tried": (R.ESCALATION_BLOCKED, {**AGREED, "tried_call": False}, DONE, None),
    "a promise blocks a demand": (R.ESCALATION_BLOCKED, {**AGREED, "promise_open": True}, DONE, None),
    "a dispute blocks a demand": (R.ESCALATION_BLOCKED, {**AGREED, "dispute_open": True}, DONE, None),
    "an offer blocks a demand": (R.ESCALATION_BLOCKED, {**AGREED, "offer_open": True}, DONE, None),
    "no evidence for a demand": (R.EVIDENCE_MISSING, {**AGREED, "demandable_amount": 500}, DONE, None),
    "no address at all": (R.NO_ADDRESS, {"email_known": False, "phone_known": False, "post_known": False}, [], None),
    "three letters in twenty days": (R.BUDGET, {"contacts_20wd": 3}, [], date(2026, 3, 9)),
    "a letter two days ago": (R.BUDGET, {"last_written_on": date(2026, 3, 4)}, [], date(2026, 3, 9)),
    "silence after a talk": (R.WAIT, {"last_spoken_on": date(2026, 3, 5)}, [], date(2026, 3, 10)),
    "a rest for the reason given": (
        R.WAIT,
        {"last_spoken_on": date(2026, 3, 5), "reason": "approval_pending"},
        [],
        date(2026, 3, 12),
    ),
    "a rest for a reason given in writing": (
        R.WAIT,
        {"reason_on": date(2026, 3, 5), "reason": "payment_failed"},
        [],
        date(2026, 3, 10),
    ),
    "seven days after the copy arrived": (
        R.WAIT,
        {"reason_on": date(2026, 2, 20), "reason_answered_on": date(2026, 3, 4), "reason": "lost_invoice"},
        [],
        date(2026, 3, 13),
    ),
    "a rest after a part payment": (R.WAIT, {"paused_until": date(2026, 3, 11)}, [], date(2026, 3, 11)),
    "days of rest after a reroute": (R.WAIT, {"rerouted_on": date(2026, 3, 4)}, [], date(2026, 3, 11)),
    "at the end of the journey": (R.JOURNEY_ENDED, AGREED, DEMANDED, date(2026, 3, 30)),
}


@pytest.mark.parametrize("name", CASES)
def test_why_nothing_happens(name: str) -> None:
    reason, changes, steps, next_on = CASES[name]
    case = case_of(decided(overdue(DUE, DAY, **in_round("forgetful"), **changes), DAY, *steps))
    assert (case["outcome"], case["reason"]) == ("none", reason)
    assert case["next_on"] == next_on
    assert case["detail"]


def test_without_any_of_these_the_step_is_taken() -> None:
    case = case_of(decided(overdue(DUE, DAY, **in_round("forgetful")), DAY))
    assert (case["outcome"], case["step"], case["reason"], case["detail"]) == ("act", "reminder", None, None)
    case = case_of(decided(overdue(DUE, DAY, **in_round("forgetful"), **AGREED), DAY, *DONE))
    assert (case["outcome"], case["step"]) == ("act", "final_demand")


def test_work_of_ours_prolongs_no_rest_that_is_the_customers() -> None:
    given = {"reason_on": date(2026, 2, 20), "reason_answered_on": date(2026, 3, 5), "reason": "approval_pending"}
    assert case_of(decided(overdue(DUE, DAY, **in_round("forgetful"), **given), DAY))["step"] == "reminder"


def test_too_many_letters_stop_the_letter_in_place_of_a_call_too() -> None:
    row = overdue(DUE, DAY, **in_round("strained"), experience_balance=-20)
    assert case_of(decided(row, DAY))["step"] == "call"
    case = case_of(decided(row | {"phone_known": False}, DAY))
    assert (case["outcome"], case["reason"]) == ("none", R.EXPERIENCE)


def test_a_call_needs_a_working_day_of_both_sides() -> None:
    """On 27 April 2026 the Netherlands rest and Germany works."""
    day = date(2026, 4, 27)
    row = overdue(date(2026, 4, 20), day, **in_round("strained"), country="DE")
    case = case_of(decided(row, day))
    assert (case["reason"], case["next_on"]) == (R.WINDOW, date(2026, 4, 28))
    assert case_of(decided(row | {"creditor_country": "DE"}, day))["step"] == "call"
    assert case_of(decided(row | {"phone_known": False}, day))["step"] == "call"


def test_nothing_overdue_tells_what_comes() -> None:
    row = fact_row(not_due_open=200_000, largest_item=200_000, upcoming_bank_due_on=date(2026, 3, 20))
    case = case_of(decided({**row, "share_paid_late_12m": 0.3}, DAY))
    assert (case["reason"], case["next_step"], case["next_on"]) == (R.NOTHING_OVERDUE, "courtesy", date(2026, 3, 17))


def test_the_step_waits_for_its_date() -> None:
    case = case_of(decided(overdue(DUE, date(2026, 3, 5), **in_round("forgetful")), date(2026, 3, 5)))
    assert (case["reason"], case["next_step"], case["next_on"]) == (R.WAIT, "reminder", DAY)


def test_silence_after_a_round() -> None:
    row = overdue(DUE, DAY, last_round_closed_on=date(2026, 3, 3))
    case = case_of(decided(row, DAY))
    assert (case["reason"], case["next_on"], case["opens_round"]) == (R.SILENCE_AFTER_ROUND, date(2026, 3, 10), False)
    assert case_of(decided(row, date(2026, 3, 10)))["opens_round"]


def _months_before(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    dated = ("executed_on", "proposed_on", "evidence_on")
    back = timedelta(days=126)
    return [{**step, **{name: step[name] - back for name in dated if step[name]}} for step in steps]


@pytest.mark.parametrize(
    ("day", "country", "steps", "facts"),
    [
        (date(2026, 4, 27), "NL", [], {}),
        (date(2026, 3, 7), "NL", [], {}),
        (date(2026, 4, 2), "NL", DONE, AGREED),
        (date(2025, 12, 22), "NL", _months_before(DONE), AGREED),
        (date(2026, 1, 2), "NL", _months_before(DONE), AGREED),
    ],
    ids=["King's Day", "Saturday", "the eve of Good Friday", "before Christmas", "after New Year"],
)
def test_the_window(day: date, country: str, steps: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    row = overdue(date(2025, 12, 1), day, **in_round("forgetful"), **facts, country=country)
    case = case_of(decided(row, day, *steps))
    assert (case["reason"], case["next_on"] > day) == (R.WINDOW, True)


def _lawless() -> CompiledPack:
    """A pack whose author forgot that consumers are not covered."""
    files = standard_pack_files()
    for old in ("party_kind = 'business' AND ", "when: party_kind = 'business', "):
        files["fragments/tail.yaml"] = files["fragments/tail.yaml"].replace(old, "")
    return load_pack(files)


@pytest.mark.parametrize("kind", ["consumer", "public"])
def test_no_demand_without_a_law_pack_and_a_person_decides_at_once(kind: str) -> None:
    row = overdue(DUE, DAY, **in_round("forgetful"), **AGREED, party_kind=kind)
    decisions = decided(row, DAY, *DONE, pack=_lawless())
    assert case_of(decisions)["step"] == "decide"
    held = case_of(decided({**row, "our_turn": True}, DAY, *DONE, pack=_lawless()))
    assert held["reason"] == R.OUR_TURN
    under_way = case_of(
        decided(row, DAY, *DONE, step_row("decide", "handoff", "decide", executed_on=DAY), pack=_lawless())
    )
    assert (under_way["reason"], under_way["next_step"]) == (R.LAW_NOT_COVERED, "final_demand")


TESTED_ELSEWHERE = {R.NOTHING_OVERDUE, R.WINDOW, R.SILENCE_AFTER_ROUND, R.LAW_NOT_COVERED}


def test_every_reason_is_tried_here_and_says_what_would_change_it() -> None:
    assert {reason for reason, *_ in CASES.values()} | TESTED_ELSEWHERE == set(R)
    assert list(WHAT_CHANGES) == list(R)


FIRST_TO_LAST: list[tuple[NoActionReason, dict[str, Any]]] = [
    (reason, facts) for reason, facts, steps, _ in CASES.values() if not steps and reason < R.WAIT
]


@pytest.mark.parametrize("at", range(len(FIRST_TO_LAST)))
def test_the_first_reason_in_the_order_is_named(at: int) -> None:
    """Together with every reason that comes later in the order, each reason still is the one that is named."""
    reason, facts = FIRST_TO_LAST[at]
    order = list(R)
    later: dict[str, Any] = {}
    for other, more in reversed(FIRST_TO_LAST):
        if order.index(other) > order.index(reason) and not more.keys() & {"asked_amount", "overdue_open"}:
            later |= {key: value for key, value in more.items() if key != "wake_on"}
    case = case_of(decided(overdue(DUE, DAY, **{**in_round("forgetful"), **later, **facts}), DAY))
    assert case["reason"] == reason


DECIDED_SKIPS = {
    SkipReason.CONDITION_FALSE,
    SkipReason.TOO_LATE,
    SkipReason.LAW_NOT_COVERED,
    SkipReason.STAGE_PASSED,
}
"""What decide passes a step over for; tests/policies/test_steps.py has each."""

CANCELLED_FOR = {
    *(SkipReason.BY_HAND, SkipReason.PAID, SkipReason.AMOUNT_CHANGED, SkipReason.ON_HOLD, SkipReason.DISPUTED),
    *(SkipReason.PROMISED, SkipReason.IN_PLAN, SkipReason.CLAIMED_PAID, SkipReason.DEBIT_IN_FLIGHT),
    *(SkipReason.ANSWER_UNREAD, SkipReason.LEGAL_STOP, SkipReason.QUARANTINED, SkipReason.DATA_STALE),
    *(SkipReason.OPTED_OUT, SkipReason.NO_ADDRESS, SkipReason.APPROVAL_LAPSED, SkipReason.NOTHING_LEFT),
    *(SkipReason.ROUND_CLOSED, SkipReason.REROUTED, SkipReason.WINDOW, SkipReason.STOPPED, SkipReason.PAYER_CHANGED),
    *(SkipReason.CHECK_MISSING, SkipReason.LETTER_RETURNED, SkipReason.NO_CONSENT),
}
"""What a proposed step is taken back for, by the last look before the effect or by a person."""


def test_every_reason_to_pass_over_is_the_decisions_or_the_last_looks() -> None:
    assert set(SkipReason) == DECIDED_SKIPS | CANCELLED_FOR
    assert not DECIDED_SKIPS & CANCELLED_FOR


TEMPORARY = set(R) - STUCK - {R.ESCALATION_BLOCKED, R.LAW_NOT_COVERED}


def test_a_reason_that_can_last_sends_the_case_to_a_person() -> None:
    assert R.WAIT in TEMPORARY
    assert {
        *(R.EXPERIENCE, R.EVIDENCE_MISSING, R.NO_ADDRESS),
        *(R.STEP_FAILED, R.STEP_UNKNOWN, R.STEP_REJECTED),
    } == STUCK
