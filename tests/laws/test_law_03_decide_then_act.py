"""Law 3. Unique rows before any effect; states only go where the words allow; the same day twice is once."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import ACTION_TRANSITIONS, ActionState
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    ContactSlot,
    Event,
    Message,
    Plan,
    Round,
    RoundItem,
    Tick,
    Touch,
    WorkTask,
)
from tasks.actions import move_action
from tasks.day import run_day
from tests.laws.examples import house_at, played, pure
from tests.tasks.act.house import at
from tests.tasks.act.script import Script
from tests.tasks.act.stages import MONDAY, Stages

TABLES = (Action, ActionItem, ContactSlot, Event, Message, Plan, Round, RoundItem, Tick, Touch, WorkTask)
KEY = ("case_id", "round_id", "stage", "step", "attempt", "occurrence")


class _Session:
    """Takes a flush: what is tried here is the guard before it."""

    def flush(self) -> None:
        """Nothing is stored."""


@pure
@given(st.sampled_from(ActionState), st.sampled_from(ActionState))
def test_a_state_that_may_not_follow_is_refused(before: ActionState, after: ActionState) -> None:
    assume(after not in ACTION_TRANSITIONS[before])
    columns: dict[str, Any] = {"id": 1, "state": before}
    action = Action(**columns)
    with pytest.raises(RefusedError, match="cannot become"):
        move_action(_Session(), action, after, MONDAY, at(MONDAY))  # type: ignore[arg-type]
    assert action.state == before


@played
@given(st.sampled_from(["start", "reminded"]), st.lists(st.integers(1, 3), min_size=3, max_size=6))
def test_a_day_run_any_number_of_times_is_run_once(stages: Stages, stage: str, times: list[int]) -> None:
    with house_at(stages, stage) as house:
        script = Script(house)
        for count in times:
            script.day()
            before = {table: house.count(table) for table in TABLES}
            for again in range(count):
                day = run_day(house.engine, house.creditor_id, house.day, at(house.day, 6 + 4 * again))
                assert not day.began
                assert all(tick.tick_id is None for tick in day.ticks)
            assert {table: house.count(table) for table in TABLES} == before
        keys = [tuple(getattr(action, name) for name in KEY) for action in house.rows(Action)]
        assert len(keys) == len(set(keys))


def test_the_database_itself_refuses_the_same_step_twice(stages: Stages) -> None:
    with house_at(stages, "reminded") as house:
        columns = ", ".join(name for name in Action.model_fields if name != "id")
        statement = text(f"INSERT INTO action ({columns}) SELECT {columns} FROM action WHERE step = 'reminder'")
        with pytest.raises(DBAPIError, match="uq_action"), house.engine.database.session() as session:
            session.execute(statement)
