"""One case told in full: the same decision, with every rule, gate and step, and what would change it."""

from datetime import date

import pytest
from hypothesis import given, settings

from maatpak.kernel.errors import UsageError
from policies.decide import decide
from policies.explain import Explanation, explain, fitting
from tests.policies.lives import PACK, facts_frame, in_round, overdue, standard, step_row, steps_frame
from tests.policies.test_properties import DAY, Row, _cases

DUE = date(2026, 3, 2)
TODAY = date(2026, 3, 31)
STEPS = [
    step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6)),
    step_row("tell_manager", "remind", "notify", state="skipped", proposed_on=date(2026, 3, 6)),
    step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 16), evidence_on=date(2026, 3, 19)),
    step_row("second_text", "remind", "message", state="skipped", proposed_on=date(2026, 3, 16)),
    step_row("call", "listen", "call", executed_on=date(2026, 3, 23)),
    step_row("consult", "solve", "consult", executed_on=date(2026, 3, 30), result="agree"),
]


def _explained(**facts: object) -> Explanation:
    hypothetical = facts.pop("suppose", {})
    assert isinstance(hypothetical, dict)
    row = overdue(DUE, TODAY, **{**in_round("forgetful"), "consult_answer": "agree", **facts})
    return explain(row, steps_frame(STEPS), {PACK: standard()}, PACK, TODAY, hypothetical)


@settings(max_examples=40)
@given(_cases())
def test_it_tells_the_very_decision(case: tuple[Row, list[Row]]) -> None:
    row, steps = case
    decisions = decide(facts_frame([row]), steps_frame(steps), {PACK: standard()}, PACK, DAY)
    told = explain(row, steps_frame(steps), {PACK: standard()}, PACK, DAY)
    assert told.decision == decisions.cases.row(0, named=True)
    assert list(told.actions) == decisions.actions.to_dicts()
    taken = {step.name for step in told.steps if step.status == "taken"}
    assert taken == {action["step"] for action in told.actions if action["state"] == "proposed"}


def test_every_segment_rule_is_tried_with_its_values() -> None:
    told = _explained()
    assert [rule.name for rule in told.segments] == ["key", "strained", "new", "habitual", "forgetful", "prompt"]
    forgetful = told.segments[4]
    assert (forgetful.outcome, forgetful.chosen) == ("true", True)
    assert forgetful.values == {"share_paid_late_12m": 0.2, "settled_items_24m": 10}
    assert [rule.chosen for rule in told.segments].count(True) == 1


def test_reroutes_are_tried_inside_a_round_only() -> None:
    assert [rule.name for rule in _explained().reroutes][:2] == ["key_flag", "hardship"]
    assert _explained(round_id=None).reroutes == ()


def test_what_is_unknown_shows_so() -> None:
    assert _explained(key_account=None).segments[0].outcome == "unknown"


def test_every_step_stands_somewhere() -> None:
    told = {step.name: step for step in _explained(tried_call=True).steps}
    assert told["reminder"].status == "done"
    assert told["reminder"].done_on == date(2026, 3, 6)
    assert told["second_text"].status == "skipped before"
    assert told["invoice_copy"].status == "skipped: condition_false"
    assert told["final_demand"].status == "stopped"
    assert told["final_demand"].stopped_by == ("escalation_blocked", "evidence_missing")
    assert told["handoff"].status == "not reached"
    rule = told["final_demand"].rule
    assert rule is not None
    assert rule.values == {"party_kind": "business", "consult_answer": "agree", "asked_amount": 50_000}


def test_every_gate_is_shown_and_all_that_hold() -> None:
    told = _explained(hold_reason="complaint", unread_reply=True, quarantined_rows=2)
    assert [gate.reason for gate in told.gates if gate.holds] == ["quarantined", "hold", "unread_answer"]
    assert all(gate.detail for gate in told.gates)
    assert told.decision["reason"] == "quarantined"


def test_what_comes_next_and_what_would_change_it() -> None:
    told = _explained()
    assert (told.next_step, told.change) == (
        "final_demand",
        "Before this step there must be: the account manager's word; a tried call, or its waiver by a credit manager.",
    )


def test_other_facts_are_put_in_before() -> None:
    told = _explained(suppose={"manager_heard": "true", "tried_call": True, "demandable_amount": "20000"})
    assert told.decision["step"] == "final_demand"
    assert told.hypothetical["demandable_amount"] == "20000"
    assert told.facts["demandable_amount"] == 20_000


def test_days_past_due_move_the_due_date() -> None:
    row = overdue(date(2026, 3, 30), TODAY, **in_round("forgetful"))
    told = explain(row, steps_frame(), {PACK: standard()}, PACK, TODAY)
    assert (told.decision["reason"], told.next_on) == ("wait", date(2026, 4, 7))
    told = explain(row, steps_frame(), {PACK: standard()}, PACK, TODAY, {"days_past_due": 40})
    assert told.decision["step"] == "reminder"
    assert told.facts["driver_due_on"] == date(2026, 2, 19)


def test_days_that_are_no_date_or_unknown_move_nothing() -> None:
    row = overdue(date(2026, 3, 30), TODAY, **in_round("forgetful"))
    told = explain(row, steps_frame(), {PACK: standard()}, PACK, TODAY, {"days_past_due": "null"})
    assert told.facts["driver_due_on"] == date(2026, 3, 30)
    with pytest.raises(UsageError, match="4000000 days before 2026-03-31 is no date"):
        explain(row, steps_frame(), {PACK: standard()}, PACK, TODAY, {"days_past_due": "4000000"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("days_pastdue", "4", "did you mean 'days_past_due'?"),
        ("days_past_due", "soon", "Give a whole number"),
        ("hardship", "maybe", "Give true or false"),
        ("reason", "cashflow", "Give one of none, lost_invoice"),
        ("next_pay_run_on", "31-01-2026", "Give a date such as 2026-01-31"),
        ("share_paid_late_12m", "half", "Give a number"),
        ("share_paid_late_12m", "nan", "Give a number"),
        ("asked_amount", "99999999999999999999", "Give a whole number"),
    ],
)
def test_a_fact_that_does_not_fit_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        fitting(name, value)
    assert message in str(refused.value)


def test_what_fits_is_read() -> None:
    assert fitting("hardship", "yes") is True
    assert fitting("credit_limit_used", "null") is None
    assert fitting("next_pay_run_on", "2026-01-31") == date(2026, 1, 31)
    assert fitting("share_paid_late_12m", "0.5") == 0.5
    assert fitting("reason", "forgot") == "forgot"
