"""Law 2. Each tick decides afresh: missed days are caught up one step a contact, and no step is skipped silently."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.words import StepKind
from maatpak.ledger.tables import Action
from tests.laws.examples import house_at, played
from tests.tasks.act.script import Script
from tests.tasks.act.stages import Stages

OUTWARD = {StepKind.MESSAGE, StepKind.CALL, StepKind.CONSULT, StepKind.PLAN_OFFER, StepKind.HANDOFF, StepKind.DECIDE}


@played
@given(st.lists(st.integers(0, 15), min_size=4, max_size=9))
def test_after_any_gap_one_step_a_contact_and_every_skip_has_its_reason(stages: Stages, gaps: list[int]) -> None:
    with house_at(stages) as house:
        script = Script(house)
        for gap in gaps:
            house.day += timedelta(days=gap)
            script.day()
        actions = house.rows(Action)
        a_day = Counter(
            (action.case_id, action.business_date)
            for action in actions
            if action.kind in OUTWARD and action.state != "skipped"
        )
        assert set(a_day.values()) <= {1}
        assert all(action.reason for action in actions if action.state in ("skipped", "cancelled"))
        assert "reminder" in {action.step for action in actions}, "a missed day loses no step"
