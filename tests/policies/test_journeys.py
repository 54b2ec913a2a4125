"""The six journeys of the standard pack, lived day by day from before the due date to a person's decision."""

from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days, working_days_between
from tests.policies.lives import Life

DUE = date(2026, 3, 2)
FIRST, LAST = date(2026, 2, 20), date(2026, 5, 29)

TAIL = ["consult", "final_demand", "last_call", "supply_stop", "handoff", "decide"]

PEOPLE: dict[str, dict[str, Any]] = {
    "prompt": {"share_paid_late_12m": 0.0},
    "forgetful": {"share_paid_late_12m": 0.3, "largest_item": 200_000},
    "habitual": {"share_paid_late_12m": 0.8, "median_delay_days": 9.0, "relation_days": 900},
    "strained": {"reason": "cash_flow", "overdue_over_60": 1},
    "key": {"key_account": True, "largest_item": 2_000_000},
    "new": {
        "relation_days": 50,
        "settled_items_24m": 0,
        "days_since_payment": None,
        "first_invoice_on": date(2026, 2, 18),
    },
}

COURSES = {
    "prompt": [
        *("thanks", "service_note", "tell_manager", "call", "reminder", "ask_manager", "personal_letter", "grace"),
        *TAIL,
    ],
    "forgetful": ["courtesy", "reminder", "second_notice", "call", *TAIL],
    "habitual": [
        *("readiness", "reminder", "statement", "call", "tell_manager", "manager_letter", "consult", "final_demand"),
        *("statement", "last_call", "supply_stop", "handoff", "decide", "statement"),
    ],
    "strained": ["call", "plan_offer", "risk_review", "soft_reminder", "second_call", *TAIL],
    "key": [
        *("approval_check", "statement", "call", "tell_manager", "consult", "personal_letter", "statement"),
        *("executive_talk", "decide", "statement"),
    ],
    "new": ["welcome", "courtesy", "reminder", "call", "second_notice", *TAIL],
}

DATES = {
    "prompt": {"service_note": 7, "call": 12, "reminder": 17, "personal_letter": 22},
    "forgetful": {"courtesy": -3, "reminder": 4, "second_notice": 10, "call": 15, "consult": 20},
    "habitual": {"readiness": -5, "reminder": 2, "call": 7, "manager_letter": 14, "consult": 21},
    "strained": {"call": 2, "plan_offer": 5, "soft_reminder": 12, "second_call": 17, "consult": 22},
    "key": {"approval_check": -5, "call": 3, "tell_manager": 5, "consult": 10, "personal_letter": 15},
    "new": {"courtesy": -3, "reminder": 3, "call": 8},
}
"""Working days from D; the courtesy to the new waits for its distance from the welcome."""


def _life(segment: str) -> Life:
    return Life(segment, DUE, dict(PEOPLE[segment]))


@cache
def _lived(segment: str) -> Life:
    """One whole life, to be looked at from several sides."""
    return _life(segment).run(FIRST, LAST)


@pytest.mark.parametrize("segment", COURSES)
def test_a_journey_goes_its_way(segment: str) -> None:
    life = _lived(segment)
    first_decision = life.order().index("decide") + 1
    again = [step for step in life.order()[first_decision:] if step != "decide"]
    assert life.order()[:first_decision] + again == COURSES[segment]
    assert life.segment == segment


@pytest.mark.parametrize("segment", COURSES)
def test_each_step_comes_on_its_day(segment: str) -> None:
    life = _lived(segment)
    for step, days in DATES[segment].items():
        assert life.on(step) == add_working_days(DUE, days, "NL"), step


@pytest.mark.parametrize("segment", COURSES)
def test_contacts_keep_their_distance(segment: str) -> None:
    life = _lived(segment)
    written = [
        step["executed_on"]
        for step in life.steps
        if step["state"] == "executed" and step["kind"] in {"message", "plan_offer"} and step["step"] != "confirm"
    ]
    for earlier, later in pairwise(written):
        assert working_days_between(earlier, later, "NL") >= 3
    for day in written:
        assert sum(add_working_days(day, -20, "NL") < each <= day for each in written) <= 3


@pytest.mark.parametrize("segment", COURSES)
def test_after_an_outage_a_case_takes_one_step_and_waits_again(segment: str) -> None:
    whole = _lived(segment)
    away = frozenset(date(2026, 3, 9 + day) for day in range(18))
    life = _life(segment).run(FIRST, date(2026, 7, 31), without=away)
    assert set(whole.order()) - {"thanks"} <= set(life.order())
    outward = {"message", "plan_offer", "call", "statement", "consult", "handoff", "decide"}
    by_day: dict[date, int] = {}
    for step in life.steps:
        if step["state"] == "executed" and step["kind"] in outward:
            by_day[step["executed_on"]] = by_day.get(step["executed_on"], 0) + 1
    assert max(by_day.values()) == 1
    gaps = [working_days_between(life.on(first), life.on(then), "NL") for first, then in [("consult", "decide")]]
    assert all(gap >= 5 for gap in gaps)


def test_a_call_that_takes_days_moves_what_follows() -> None:
    life = _life("forgetful")
    life.days_to_do = {"call": 4}
    life.run(FIRST, LAST)
    assert life.on("call") == add_working_days(DUE, 15, "NL")
    assert life.on("consult") == add_working_days(DUE, 24, "NL")


def test_a_consumer_comes_to_a_person_and_never_to_a_demand() -> None:
    life = _life("forgetful")
    life.facts |= {"party_kind": "consumer"}
    life.run(FIRST, LAST)
    assert life.order()[:5] == ["courtesy", "reminder", "second_notice", "call", "decide"]
    assert {"final_demand", "handoff", "consult"}.isdisjoint(life.order())
    assert {(step, reason) for _, step, reason in life.skipped} >= {
        ("final_demand", "law_not_covered"),
        ("handoff", "law_not_covered"),
    }


def test_a_small_amount_of_a_consumer_gets_a_text_and_a_person() -> None:
    life = _life("forgetful")
    life.facts |= {"party_kind": "consumer", "asked_amount": 4_000, "overdue_open": 4_000, "round_open": 4_000}
    life.run(date(2026, 3, 3), LAST)
    assert life.order()[:3] == ["reminder", "second_text", "decide"]


def test_hardship_never_meets_a_demand() -> None:
    life = _life("strained")
    life.facts |= {"hardship": True}
    life.run(FIRST, LAST)
    assert life.order()[:6] == ["call", "plan_offer", "risk_review", "soft_reminder", "second_call", "decide"]
    assert "final_demand" not in life.order()


def test_a_lost_invoice_is_sent_and_given_time() -> None:
    life = _life("forgetful")

    def tell(life: Life, step: dict[str, object], as_of: date) -> None:
        if step["step"] == "call":
            life.facts["reason"] = "lost_invoice"

    life.on_step = tell
    life.run(FIRST, LAST)
    copied, asked = life.on("invoice_copy"), life.on("consult")
    assert working_days_between(life.on("call"), copied, "NL") == 1
    assert working_days_between(copied, asked, "NL") == 7


@pytest.mark.parametrize(
    ("facts", "letter", "review"),
    [
        ({"rounds_12m": 5, "manager_letters_12m": 1}, True, True),
        ({"rounds_12m": 2, "manager_letters_12m": 2}, False, False),
    ],
    ids=["many rounds, one letter", "few rounds, two letters"],
)
def test_the_manager_writes_twice_a_year_however_many_rounds(facts: dict[str, int], letter: bool, review: bool) -> None:
    life = _life("habitual")
    life.facts |= facts
    life.run(FIRST, LAST)
    assert ("manager_letter" in life.order()) is letter
    assert ("terms_review" in life.order()) is review


def test_who_pays_by_runs_is_reminded_after_the_run_that_missed_it() -> None:
    """Due on a Monday, paid on Fridays: not before the Monday after."""
    life = _life("habitual")
    friday = date(2026, 3, 6)
    life.facts |= {"driver_pay_run_on": friday}
    life.run(FIRST, LAST)
    assert life.on("reminder") == add_working_days(friday, 1, "NL")
    life = _life("habitual")
    life.facts |= {"driver_pay_run_on": DUE}
    life.run(FIRST, LAST)
    assert life.on("reminder") == add_working_days(DUE, 2, "NL")


@pytest.mark.parametrize("segment", ["prompt", "forgetful", "habitual", "strained", "new"])
def test_where_no_evidence_comes_the_end_is_a_decision(segment: str) -> None:
    life = _life(segment)
    life.facts |= {"demandable_amount": 0}
    life.run(FIRST, LAST)
    assert "final_demand" not in life.order()
    assert "decide" in life.order()


def test_a_customer_of_long_standing_gets_no_second_notice_before_the_manager_knows() -> None:
    life = _life("forgetful")
    life.facts |= {"relation_days": 2_000}
    life.run(FIRST, LAST)
    assert life.on("tell_manager") < life.on("second_notice")


def test_nothing_is_placed_while_the_customer_has_a_credit() -> None:
    life = Life("forgetful", date(2026, 3, 2), facts={"cash_unallocated": 100})
    life.run(date(2026, 3, 3), date(2026, 8, 31))
    assert "final_demand" in life.order()
    assert "handoff" not in life.order()
    assert "decide" in life.order(), "a person decides then (rule 24)"
