"""A demand whose letter came back was not made: it is due again from that day, and nothing builds on it (law 5)."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.reasons import NoActionReason
from tests.policies.lives import actions_of, case_of, decided, in_round, overdue, step_row
from tests.policies.test_gates import AGREED, DONE, DUE

R = NoActionReason
SENT, CAME_BACK, DAY = date(2026, 2, 2), date(2026, 2, 10), date(2026, 3, 6)
"""The handoff would fall due fifteen working days after the letter was evidenced, on 4 March at the latest."""

BEFORE = [*DONE[:-1], step_row("consult", "solve", "consult", executed_on=date(2026, 1, 27), result="agree")]


def demand(**more: Any) -> dict[str, Any]:
    return step_row("final_demand", "demand", "message", executed_on=SENT, **more)


AFTER = [
    step_row("last_call", "demand", "call", executed_on=date(2026, 2, 9)),
    step_row("supply_stop", "demand", "review", executed_on=date(2026, 2, 16)),
]
ARRIVED = {"evidence_on": date(2026, 2, 11)}
BACK = {"returned_on": CAME_BACK}


@pytest.mark.parametrize(
    ("steps", "facts", "day", "outcome"),
    [
        pytest.param([demand(**ARRIVED)], {}, DAY, ("act", None, "handoff"), id="it arrived"),
        pytest.param([demand(**BACK)], {}, date(2026, 2, 16), ("act", None, "final_demand"), id="it goes again"),
        pytest.param(
            [demand(**BACK)],
            {"own_post_known": False},
            date(2026, 2, 16),
            ("none", R.NO_ADDRESS, "final_demand"),
            id="there is no address",
        ),
        pytest.param(
            [demand(**BACK)], {"own_post_known": False}, date(2026, 2, 25), ("act", None, "decide"), id="nor will be"
        ),
        pytest.param(
            [demand(**BACK), demand(attempt=2, evidence_on=date(2026, 3, 2))],
            {},
            DAY,
            ("none", R.WAIT, "handoff"),
            id="the second arrived: its own days count",
        ),
        pytest.param(
            [demand(**BACK), demand(attempt=2, returned_on=date(2026, 3, 5))],
            {},
            DAY,
            ("act", None, "final_demand"),
            id="the second came back too",
        ),
        pytest.param([demand()], {}, DAY, ("none", R.EVIDENCE_MISSING, "handoff"), id="nothing is known of it"),
        pytest.param([demand()], {}, date(2026, 3, 11), ("act", None, "decide"), id="and nothing comes"),
    ],
)
def test_what_follows(
    steps: list[dict[str, Any]], facts: dict[str, Any], day: date, outcome: tuple[str, str | None, str]
) -> None:
    row = overdue(DUE, DAY, **in_round("forgetful"), **AGREED, **facts)
    case = case_of(decided(row, day, *BEFORE, *steps, *AFTER))
    assert (case["outcome"], case["reason"], case["step"] or case["next_step"]) == outcome


def test_the_second_is_another_attempt_and_due_from_the_return() -> None:
    row = overdue(DUE, DAY, **in_round("forgetful"), **AGREED)
    (action,) = actions_of(decided(row, date(2026, 2, 16), *BEFORE, demand(**BACK), *AFTER))
    assert (action["step"], action["attempt"], action["due_on"], action["approvals_needed"]) == (
        "final_demand",
        2,
        CAME_BACK,
        1,
    )
