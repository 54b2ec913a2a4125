"""The dictionary, the page, the tables of columns and what is computed are one."""

from pathlib import Path
from random import Random

import polars as pl
import pytest

from maatpak.ledger.database import Database
from policies.context_facts import CONTEXT
from policies.fact_frames import COLUMNS, ITEM_COLUMNS, STEP_COLUMNS
from policies.facts import FACTS
from policies.facts_page import page
from tasks.facts import build_facts
from tasks.facts.build import MAY_BE_NULL
from tests.tasks.facts.random_world import random_world
from tests.tasks.facts.world import World, morning

PAGE = Path(__file__).parents[3] / "docs" / "facts.md"


def test_the_page_is_the_dictionary() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m policies.facts_page"


def test_there_are_sixty_facts_and_each_is_told_on_the_page() -> None:
    assert len(FACTS) == 60
    text = page()
    assert [name for name in (*FACTS, *CONTEXT) if f"`{name}`" not in text] == []
    assert [name for name, fact in FACTS.items() if not (fact.meaning and fact.unit)] == []


@pytest.mark.parametrize("seed", range(12))
def test_every_fact_has_a_provider_and_a_value_of_its_kind(database: Database, seed: int) -> None:
    world = random_world(Random(500 + seed))
    world.save(database)
    with database.frames(read_only=True) as frames:
        facts = build_facts(frames, world.creditor_id, world.as_of, world.known_at)
    assert facts.cases.schema == pl.Schema(COLUMNS)
    assert facts.items.schema == pl.Schema(ITEM_COLUMNS)
    assert facts.steps.schema == pl.Schema(STEP_COLUMNS)
    nulls = {name for name in COLUMNS if facts.cases[name].null_count()}
    assert nulls <= MAY_BE_NULL
    for name, fact in {**FACTS, **CONTEXT}.items():
        if fact.values:
            assert set(facts.cases[name]) <= set(fact.values), name
        if fact.unit == "share" and name != "credit_limit_used":
            assert facts.cases[name].is_between(0, 1).all(), name


def test_a_creditor_with_nothing_has_no_rows(database: Database) -> None:
    day = random_world(Random(1)).as_of
    world = World(day, morning(day))
    world.save(database)
    with database.frames(read_only=True) as frames:
        facts = build_facts(frames, world.creditor_id, day, world.known_at)
    assert (facts.cases.height, facts.items.height, facts.steps.height) == (0, 0, 0)
    assert facts.cases.schema == pl.Schema(COLUMNS)
