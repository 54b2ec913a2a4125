"""The impact sheet equals what then happens: random small changes are published, and the tick does what it said."""

from collections import Counter
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any

import polars as pl
import pytest
from sqlmodel import col, select

from maatpak.ledger.tables import Action, PolicyPack, Tick
from tasks.day import begin_day, run_day
from tasks.drafts import confirm_pack, submit_pack
from tasks.engine import Engine
from tasks.impact import DRAFT, SIDE, ImpactSheet, impact
from tasks.settle import settle_records
from tasks.tick import tick
from tests.lives.life import night
from tests.lives.world import Lives, acts_of
from tests.tasks.publishing.changing import changed, english

DECIDED = (
    *("segment", "opens_round", "reroute", "outcome", "reason", "detail", "stage", "kind"),
    *("next_step", "next_on"),
)


def play(engine: Engine, seed: int, lives: int, before: int, days: int) -> Counter[str]:
    """Live, and publish something every day after the first ones; how often cases changed in which way."""
    world, random = Lives(engine, seed, lives), Random(seed)
    seen: Counter[str] = Counter()
    for number, day in enumerate(world.days(before + days)):
        for life in world.lives:
            night(life, world.ledger, day)
        world.ledger.close_day(day)
        if number >= before:
            seen.update(_publish_and_compare(world, random, day, number))
        run_day(engine, world.ledger.creditor_id, day, _at(day, 8), "engine").require_whole()
        world._office(day).perform(acts_of(engine, world.lives, day))
    return seen


def test_what_the_sheet_says_happens(engine: Engine) -> None:
    seen = play(engine, seed=5, lives=40, before=4, days=6)
    assert {"segment", "acts", "words", "skips"} <= set(seen), seen


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20, 30))
def test_many_changes(engine: Engine, seed: int) -> None:
    assert len(play(engine, seed, lives=80, before=15, days=40)) >= 8


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _publish_and_compare(world: Lives, random: Random, day: date, number: int) -> list[str]:
    """Before the day's tick, or after it when the day's work is done and the tick comes again."""
    engine, creditor_id = world.engine, world.ledger.creditor_id
    if number % 4 == 3:
        run_day(engine, creditor_id, day, _at(day, 5), "engine").require_whole()
    else:
        begin_day(engine, creditor_id, day, _at(day, 5))
        settle_records(engine, creditor_id, day, _at(day, 5), "engine", None)
    move = number % 2 == 1
    files, pack = changed(english(_files(engine, world.pack_id)), random)
    sheet = impact(engine, creditor_id, pack, day, _at(day, 6), move_running=move)
    draft = submit_pack(engine, files, "tried out", "admin", _at(day, 6), ["LIFE"], move_running=move)
    done = confirm_pack(engine, int(draft.id or 0), "life.director", "looked at it", _at(day, 6))
    assert sheet.moved == sum(each.rounds for each in done.moved.values())
    world.pack_id = done.published.pack_id
    summary = tick(engine, creditor_id, day, _at(day, 7))
    if summary.tick_id is None:
        assert sheet.cases.filter(pl.col("after_outcome") == "act").is_empty()
    else:
        _compare(engine, sheet, summary.tick_id, world.pack_id)
    unchanged = sheet.cases.filter(pl.col("kinds").list.len() == 0)
    assert unchanged.select(pl.col(f"before_{name}").alias(name) for name in SIDE if name != "pack_id").equals(
        unchanged.select(pl.col(f"after_{name}").alias(name) for name in SIDE if name != "pack_id")
    )
    return list(sheet.cases["kinds"].explode().drop_nulls())


def _files(engine: Engine, pack_id: int) -> dict[str, str]:
    with engine.database.reading() as session:
        return dict(session.get_one(PolicyPack, pack_id).files)


def _compare(engine: Engine, sheet: ImpactSheet, tick_id: int, pack_id: int) -> None:
    """Case by case: what the sheet said, and what the tick left behind."""
    with engine.database.reading() as session:
        ticked = session.get_one(Tick, tick_id)
        actions = session.exec(select(Action).where(Action.tick_id == tick_id).order_by(col(Action.id))).all()
    decided = engine.store.get_frame(ticked.decisions_evidence)
    said = {row["case_id"]: row for row in sheet.cases.iter_rows(named=True)}
    assert set(decided["case_id"]) == set(said)
    for row in decided.iter_rows(named=True):
        told = {name.removeprefix("after_"): value for name, value in said[row["case_id"]].items()}
        mine = [each for each in actions if each.case_id == row["case_id"]]
        happened: dict[str, Any] = {name: row[name] for name in DECIDED}
        happened["pack_id"] = DRAFT if row["pack_id"] == pack_id else row["pack_id"]
        happened["steps"] = sorted(each.step for each in mine if each.state != "skipped")
        happened["skipped"] = sorted(each.step for each in mine if each.state == "skipped")
        for each in mine:
            if each.step == row["step"] and row["outcome"] == "act":
                names = ("step", "channel", "template", "approval_role", "approvals_needed")
                happened |= {name: getattr(each, name) for name in names}
        told["steps"], told["skipped"] = sorted(told["steps"]), sorted(told["skipped"])
        assert {name: told[name] for name in happened} == happened, row["case_id"]
