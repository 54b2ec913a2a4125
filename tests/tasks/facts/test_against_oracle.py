"""All facts of worlds that nobody thought of, against an oracle that works them out one by one."""

from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maatpak.ledger.database import Database
from policies.fact_frames import COLUMNS
from tasks.facts import FactFrames, build_facts
from tests.tasks.facts.oracle import Oracle
from tests.tasks.facts.random_world import random_world
from tests.tasks.facts.world import World


def facts_of(database: Database, world: World, **scope: Any) -> FactFrames:
    with database.frames(read_only=True) as frames:
        return build_facts(frames, world.creditor_id, world.as_of, world.known_at, **scope)


def differences(found: list[dict[str, Any]], expected: list[dict[str, Any]], key: str) -> list[str]:
    """What differs, row by row, in words."""
    told = []
    if [row[key] for row in found] != [row[key] for row in expected]:
        told.append(f"rows: {[row[key] for row in found]} instead of {[row[key] for row in expected]}")
    by_key = {row[key]: row for row in found}
    for row in expected:
        other = by_key.get(row[key], {})
        for name, value in row.items():
            same = other.get(name) == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value)
            if not same:
                told.append(f"{key} {row[key]}: {name} is {other.get(name)!r}, not {value!r}")
    return told


def compare(database: Database, world: World) -> None:
    found = facts_of(database, world)
    oracles = sorted(Oracle(world).cases(), key=lambda case: case.row.id or 0)
    assert differences(found.cases.to_dicts(), [case.facts() for case in oracles], "case_id") == []
    items = [row for case in oracles for row in case.item_rows()]
    assert differences(found.items.to_dicts(), items, "item_id") == []
    steps = sorted((row for case in oracles for row in case.step_rows()), key=lambda row: row["step"])
    assert differences(found.steps.sort("step").to_dicts(), steps, "step") == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000_000))
def test_every_fact_is_what_the_oracle_says(database: Database, seed: int) -> None:
    world = random_world(Random(seed))
    world.save(database)
    compare(database, world)


def test_the_oracle_knows_every_fact(database: Database) -> None:
    world = random_world(Random(1))
    assert set(Oracle(world).cases()[0].facts()) == set(COLUMNS)
    world.save(database)
    assert facts_of(database, world).cases.schema == pl.Schema(COLUMNS)
