"""Law 1. `as_of` and `now` come in from the edge; a date only goes forward; what is recorded lies after a look."""

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maatpak
import policies
import tasks
from maatpak.kernel.errors import RefusedError
from tasks.day import begin_day
from tasks.today import recorded_after
from tests.laws.examples import house_at, played, pure
from tests.tasks.act.house import at
from tests.tasks.act.script import creditor
from tests.tasks.act.stages import MONDAY, Stages

CLOCKS = {("date", "today"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("time", "time")}
ROOMS = [Path(str(room.__file__)).parent for room in (tasks, policies)]
ROOMS += [Path(str(maatpak.__file__)).parent / name for name in ("ledger", "kernel")]
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_no_clock_is_read_below_the_flows(room: Path) -> None:
    read = [
        f"{path}:{node.lineno}"
        for path in room.rglob("*.py")
        if path.name != "clock.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    ]
    assert read == []


@pure
@given(INSTANTS, st.none() | INSTANTS)
def test_what_is_recorded_lies_after_what_was_looked_at(now: datetime, looked_at: datetime | None) -> None:
    recorded = recorded_after(looked_at, now)
    assert recorded >= now
    assert looked_at is None or recorded > looked_at


@played
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=5))
def test_a_business_date_only_goes_forward(stages: Stages, moves: list[int]) -> None:
    with house_at(stages) as house:
        reached = MONDAY
        for move in moves:
            wanted: date = reached + timedelta(days=move)
            if move < 0:
                with pytest.raises(RefusedError, match="is not run again"):
                    begin_day(house.engine, house.creditor_id, wanted, at(wanted, 6))
            else:
                assert begin_day(house.engine, house.creditor_id, wanted, at(wanted, 6)) == (move > 0)
                reached = wanted
            assert creditor(house).business_date == reached
