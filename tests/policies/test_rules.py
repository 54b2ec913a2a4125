"""What a rule may say, what it may not, and that a row decided alone equals that row in any frame."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.facts import FACTS
from policies.rules import RuleError, both, compile_rule, held, outcomes
from tests.policies.lives import fact_row, facts_frame, standard


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("TRUE", ()),
        ("key_account", ("key_account",)),
        ("NOT hardship", ("hardship",)),
        ("asked_amount >= 5000 AND reason = 'forgot'", ("asked_amount", "reason")),
        ("reason NOT IN ('cash_flow', 'policy')", ("reason",)),
        ("days_past_due BETWEEN 1 AND 20", ("days_past_due",)),
        ("credit_limit_used IS NULL OR credit_limit_used > 0.9", ("credit_limit_used",)),
        ("asked_amount * 2 > overdue_open + 3 - not_due_open", ("asked_amount", "overdue_open", "not_due_open")),
        ("next_pay_run_on > DATE '2026-01-31'", ("next_pay_run_on",)),
        ("mean_delay_days > days_past_due", ("mean_delay_days", "days_past_due")),
        ("hardship = FALSE", ("hardship",)),
        ("experience_balance <= -6", ("experience_balance",)),
    ],
)
def test_a_rule_is_taken(rule: str, facts: tuple[str, ...]) -> None:
    assert compile_rule(rule).facts == facts


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("asked_amount", "is a whole number, not a truth value"),
        ("1", "not a truth value"),
        ("SUM(asked_amount) > 1", "the function SUM() is refused"),
        ("COUNT(*) > 1", "the function COUNT() is refused"),
        ("ROW_NUMBER() OVER (ORDER BY asked_amount) > 1", "ROW_NUMBER() is refused"),
        ("now() > driver_due_on", "the function now() is refused"),
        ("CURRENT_DATE > driver_due_on", "there is no fact 'CURRENT_DATE'"),
        ("asked_amount / 0 > 1", "division has no value at zero"),
        ("asked_amount / 2 > 1", "division"),
        ("asked_amount % 2 = 0", "division"),
        ("asked_amount IN (SELECT 1)", "subqueries are refused"),
        ("EXISTS (SELECT 1)", "subqueries are refused"),
        ("CASE WHEN hardship THEN TRUE ELSE FALSE END", "there is no fact 'CASE'"),
        ("asked_amount::int > 1", "':' is refused"),
        ('"asked_amount" > 1', "quoted names are refused"),
        ("asked_amount > 1 -- really", "comments are refused"),
        ("asked_amount > 1 hardship", "behind the end of the rule"),
        ("asked_amount >", "is no SQL expression"),
        ("(hardship", "is no SQL expression"),
        ("  ", "cannot be empty"),
        ("1" + " + 1" * 29_000 + " > 0", "400 are the most"),
        ("asked_amout > 1", "did you mean 'asked_amount'?"),
        ("driver_item_id > 3", "the engine's own"),
        ("reason = 'cashflow'", "did you mean 'cash_flow'?"),
        ("reason IN ('forgot', 'cashflow')", "did you mean 'cash_flow'?"),
        ("'F' = risk_class", "risk_class is never 'F'; one of A, B"),
        ("asked_amount > 0.5", "minor units"),
        ("asked_amount * 0.5 > 1", "* takes whole numbers"),
        ("asked_amount = 'x'", "cannot be compared"),
        ("asked_amount IN (1, 'x')", "cannot be 'x'"),
        ("risk_class > 'B'", "has no order"),
        ("hardship AND asked_amount", "AND takes a truth value"),
        ("NOT asked_amount", "NOT takes a truth value"),
        ("credit_limit_used = NULL", "nothing equals NULL"),
        ("random() > 1", "the function random() is refused"),
        ("asked_amount > 1; DROP TABLE x", "';' is refused"),
        ("asked_amount IS DISTINCT FROM 1", "there is no fact 'DISTINCT'"),
    ],
)
def test_a_rule_is_refused(rule: str, message: str) -> None:
    with pytest.raises(RuleError) as refused:
        compile_rule(rule)
    assert message in str(refused.value)


def test_what_is_unknown_counts_as_false_and_shows_as_unknown() -> None:
    frame = facts_frame([fact_row(credit_limit_used=None), fact_row(credit_limit_used=0.95)])
    rules = [compile_rule("credit_limit_used > 0.9"), compile_rule("NOT (credit_limit_used > 0.9)")]
    assert [each.to_list() for each in outcomes(rules, frame)] == [[None, True], [None, False]]
    assert [each.tolist() for each in held(rules, frame)] == [[False, True], [False, False]]


def test_an_always_true_rule_has_a_row_a_case() -> None:
    assert held([compile_rule("TRUE")], facts_frame([fact_row(), fact_row(), fact_row()]))[0].tolist() == [True] * 3


def test_two_rules_are_joined_whole() -> None:
    joined = both(compile_rule("hardship OR key_account"), compile_rule("asked_amount > 1"))
    assert joined is not None
    frame = facts_frame([fact_row(hardship=True, asked_amount=0), fact_row(key_account=True, asked_amount=2)])
    assert held([joined], frame)[0].tolist() == [False, True]
    assert both(None, None) is None


def test_no_decimal_is_rounded_on_the_way() -> None:
    frame = facts_frame([fact_row(share_paid_late_12m=share) for share in (0.1, 0.1000001, 0.3, 0.4999999, 0.5)])
    assert held([compile_rule("share_paid_late_12m > 0.10")], frame)[0].tolist() == [False, True, True, True, True]
    assert held([compile_rule("share_paid_late_12m >= 0.5")], frame)[0].tolist() == [False, False, False, False, True]


_VALUES = {
    pl.Boolean: st.booleans() | st.none(),
    pl.Int64: st.integers(-5, 300_000) | st.none(),
    pl.Float64: st.floats(0, 1) | st.none(),
}


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, object]:
    given_facts: dict[str, object] = {}
    for name, fact in FACTS.items():
        if fact.values:
            given_facts[name] = draw(st.sampled_from(fact.values))
        elif fact.dtype in _VALUES and draw(st.booleans()):
            given_facts[name] = draw(_VALUES[fact.dtype])
    return fact_row(**given_facts)


@given(rows=st.lists(_rows(), min_size=1, max_size=6), at=st.integers(0, 5))
def test_a_row_alone_equals_that_row_in_any_frame(rows: list[dict[str, object]], at: int) -> None:
    pack = standard()
    rules = [segment.rule for segment in pack.segments] + [reroute.rule for reroute in pack.reroutes]
    rules += [step.when for journey in pack.journeys.values() for step in journey.steps.values() if step.when]
    at %= len(rows)
    together = outcomes(rules, facts_frame(rows))
    alone = outcomes(rules, facts_frame([rows[at]]))
    assert [each[at] for each in together] == [each[0] for each in alone]
