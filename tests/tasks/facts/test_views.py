"""The same rows give the same facts: in any order, in any shard, alone, and whatever becomes known later (law 1)."""

from datetime import date, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import text

from maatpak.kernel.errors import UsageError
from maatpak.ledger.database import Database
from maatpak.ledger.tables import Case, Debtor, Hold, Payment
from tasks.facts import FactFrames, build_facts
from tests.tasks.facts.random_world import random_world
from tests.tasks.facts.world import World, morning

SEEDS = range(4)


def facts_of(database: Database, world: World, **scope: Any) -> FactFrames:
    with database.frames(read_only=True) as frames:
        return build_facts(frames, world.creditor_id, world.as_of, world.known_at, **scope)


def same(left: FactFrames, right: FactFrames) -> None:
    assert_frame_equal(left.cases, right.cases)
    assert_frame_equal(left.items, right.items)
    assert_frame_equal(left.steps, right.steps)


def joined(parts: list[FactFrames]) -> FactFrames:
    return FactFrames(
        pl.concat([part.cases for part in parts]).sort("case_id"),
        pl.concat([part.items for part in parts]).sort("case_id", "due_on", "item_id"),
        pl.concat([part.steps for part in parts]),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_does_not_matter(database: Database, empty_copy: Database, seed: int) -> None:
    world = random_world(Random(seed))
    world.save(database)
    world.save(empty_copy, shuffled_by=Random(seed))
    left, right = facts_of(database, world), facts_of(empty_copy, world)
    same(left, right)


@pytest.mark.parametrize("seed", SEEDS)
def test_shards_together_are_the_whole(database: Database, seed: int) -> None:
    world = random_world(Random(100 + seed))
    world.save(database)
    whole = facts_of(database, world)
    parts = joined([facts_of(database, world, shard=shard, shards=3) for shard in range(3)])
    steps = ["case_id", "step"]
    assert_frame_equal(whole.cases, parts.cases)
    assert_frame_equal(whole.items, parts.items)
    assert_frame_equal(whole.steps.sort(steps), parts.steps.sort(steps))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_case_alone_is_what_it_is_among_others(database: Database, seed: int) -> None:
    world = random_world(Random(200 + seed))
    world.save(database)
    whole = facts_of(database, world)
    for case_id in whole.cases["case_id"]:
        alone = facts_of(database, world, case_ids=[case_id])
        assert_frame_equal(alone.cases, whole.cases.filter(pl.col("case_id") == case_id))
        assert_frame_equal(alone.items, whole.items.filter(pl.col("case_id") == case_id))
        assert_frame_equal(alone.steps, whole.steps.filter(pl.col("case_id") == case_id))
    assert facts_of(database, world, case_ids=[]).cases.is_empty()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_becomes_known_later_changes_no_earlier_view(database: Database, seed: int) -> None:
    """Rows recorded after the instant, and versions replaced after it, are as if they were not there."""
    world = random_world(Random(300 + seed))
    world.save(database)
    before = facts_of(database, world)
    later = world.known_at + timedelta(seconds=1)
    for rows in world.rows.values():
        rows.clear()
    with database.engine.connect() as connection:
        cases = connection.execute(
            text(f'SELECT id, debtor_id FROM "case" WHERE creditor_id = {world.creditor_id}')
        ).all()
    for case_id, debtor_id in cases:
        debtor = Debtor(
            id=debtor_id, creditor_id=world.creditor_id, party_id=1, debtor_no="x", recorded_at=world.known_at
        )
        version = world.item(debtor, world.as_of - timedelta(days=9), 500_000, recorded_at=later)
        world.add(
            Payment(
                id=world.id(),
                creditor_id=world.creditor_id,
                debtor_id=debtor_id,
                item_id=version.item_id,
                payment_no=f"L{world.id()}",
                paid_on=world.as_of,
                currency="EUR",
                amount=1,
                applied=1,
                valid_from=world.as_of,
                recorded_at=later,
            )
        )
        hold = world.record(
            Hold,
            world.as_of,
            scope="case",
            debtor_id=debtor_id,
            case_id=case_id,
            reason="legal_stop",
            source="insolvent",
            from_on=world.as_of,
            until_on=world.as_of + timedelta(days=9),
            note="",
        )
        hold.recorded_at = later
        case = Case(
            id=case_id,
            creditor_id=world.creditor_id,
            debtor_id=debtor_id,
            party_id=1,
            currency="EUR",
            shard_key=0,
            recorded_at=later,
        )
        world.rows[Case].append(case)
        world.action(case, world.as_of, proposed_at=later, started_at=later, ended_at=later)
        world.call(case, world.as_of, "promised", recorded_at=later)
        world.rows[Case].clear()
    world.save(database)
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("item_version", "debtor_profile", "hold", "promise", "dispute", "plan"):
            connection.execute(
                text(
                    f"UPDATE {table} SET replaced_at = :later, replaced_from = :day"
                    " WHERE replaced_at IS NULL AND id BETWEEN :low AND :high"
                ),
                {"later": later, "day": world.as_of, "low": world.first_id, "high": world.first_id + 9_999},
            )
    same(before, facts_of(database, world))


def test_what_is_dated_later_does_not_exist_yet(database: Database) -> None:
    """Rule 14: the ledger may know today of a settlement or a dispute of tomorrow; as of today there is none."""
    day = date(2026, 3, 11)
    world = World(day, morning(day))
    world.snapshot(day)
    debtor = world.debtor()
    tomorrow = day + timedelta(days=1)
    version = world.item(debtor, day - timedelta(days=20), 700)
    world.succeed(version, day, open_amount=0, settled_on=tomorrow, settled_by="payment")
    other = world.item(debtor, day - timedelta(days=19), 300)
    world.succeed(other, day, disputed_amount=300, disputed_on=tomorrow)
    world.save(database)
    row = facts_of(database, world).cases.row(0, named=True)
    assert (row["overdue_open"], row["asked_amount"], row["settled_items_24m"]) == (1_000, 1_000, 0)
    assert row["driver_item_id"] == version.item_id


def test_a_shard_or_creditor_that_is_not_there_is_told(database: Database) -> None:
    world = random_world(Random(5))
    with pytest.raises(UsageError, match="no shard 3 of 3"):
        facts_of(database, world, shard=3, shards=3)
    with pytest.raises(UsageError, match="no creditor"):
        facts_of(database, world)


LEDGER, CASH, BESIDE = ("debtors", "items"), ("payments",), ("contacts", "tickets")


@pytest.mark.parametrize(
    ("came", "age"),
    [
        pytest.param([], 10_000, id="nothing"),
        pytest.param([(0, "delta", BESIDE)], 10_000, id="no-ledger-at-all"),
        pytest.param([(5, "full", LEDGER), (0, "delta", BESIDE)], 3, id="contacts-make-no-ledger-fresh"),
        pytest.param([(5, "full", LEDGER), (0, "delta", CASH)], 3, id="nor-do-payments"),
        pytest.param([(5, "delta", CASH), (0, "full", LEDGER)], 3, id="cash-is-the-older"),
        pytest.param([(0, "full", LEDGER)], 0, id="open-amounts-speak-for-cash"),
        pytest.param([(0, "full", (*LEDGER, *CASH))], 0, id="both-in-one"),
        pytest.param([(9, "history", (*LEDGER, *CASH)), (0, "full", LEDGER)], 0, id="a-history-says-nothing-of-later"),
    ],
)
def test_data_are_as_old_as_the_older_of_ledger_and_cash(
    database: Database, came: list[tuple[int, str, tuple[str, ...]]], age: int
) -> None:
    day = date(2026, 3, 11)
    world = World(day, morning(day))
    for ago, kind, tables in came:
        world.snapshot(day - timedelta(days=ago), kind=kind, tables=tables)
    world.item(world.debtor(), day - timedelta(days=20))
    world.save(database)
    assert facts_of(database, world).cases["data_age_wd"].to_list() == [age]
