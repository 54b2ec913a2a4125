"""Replay: is a past day still what it was? Decisions from stored facts, facts from history, items from snapshots.

Law 10 asks that a past decision can be recomputed from the stored facts, and the facts from the stored snapshots, with
the same result. Whatever differs is listed; a newer engine is said first, for then a difference may be an improvement.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak import __version__
from maatpak.kernel.errors import UsageError
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import visible
from policies.decide import decide
from tasks.facts import build_facts

if TYPE_CHECKING:
    from tasks.engine import Engine

MOST_SHOWN = 50
"""Differences listed of one kind and column."""

TICKS = """
SELECT id, shard, shards, business_date, known_at, engine_version, facts_evidence, steps_evidence, decisions_evidence,
  packs::text AS packs FROM tick
WHERE creditor_id = {creditor} AND business_date = DATE '{day}' ORDER BY id
"""

PACK_THEN = """
SELECT pack_id FROM creditor_pack v WHERE creditor_id = {creditor} AND {visible}
"""

SNAPSHOTS = """
SELECT DISTINCT ON (source) source, evidence FROM snapshot
WHERE creditor_id = {creditor} AND kind = 'full' AND as_of <= DATE '{day}' AND recorded_at <= TIMESTAMPTZ '{known_at}'
ORDER BY source, as_of DESC, id DESC
"""

ITEMS_THEN = """
SELECT d.debtor_no, v.item_type AS document_type, v.document_no, v.issued_on, v.open_amount AS open_now
FROM item_version v JOIN debtor d ON d.id = v.debtor_id WHERE v.creditor_id = {creditor} AND {visible}
"""

ITEM_KEY = ["debtor_no", "document_type", "document_no", "issued_on"]


@dataclass(frozen=True)
class Difference:
    """Something that a replay computed otherwise than it was."""

    what: str
    """engine, packs, decisions, facts, steps or items."""
    case_id: int | None
    column: str
    then: str
    now: str


@dataclass(frozen=True)
class Replay:
    """What a replay of a day found."""

    ticks: int
    cases: int
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the day is still what it was; a newer engine alone does not change it."""
        return all(each.what == "engine" for each in self.differences)


def replay(engine: "Engine", creditor_id: int, as_of: date) -> Replay:
    """Recompute a past day of a creditor and compare.

    Raises:
        UsageError: no run of that day is there.
    """
    with engine.database.frames(read_only=True) as frames:
        ticks = frames.read(TICKS.format(creditor=int(creditor_id), day=as_of)).to_dicts()
        if not ticks:
            raise UsageError(f"No run of {as_of} is there.", advice="`maatpak cases` shows what the last run decided.")
        found: list[Difference] = []
        cases = 0
        for tick in ticks:
            facts = engine.store.get_frame(tick["facts_evidence"])
            cases += facts.height
            found += _versions(engine, tick)
            found += _decisions(engine, frames, creditor_id, tick, facts)
            found += _facts(engine, frames, creditor_id, tick, facts)
            found += _items(engine, frames, creditor_id, tick)
    return Replay(len(ticks), cases, tuple(found))


def _versions(engine: "Engine", tick: dict[str, Any]) -> Iterator[Difference]:
    if tick["engine_version"] != __version__:
        yield Difference("engine", None, "version", tick["engine_version"], __version__)
    for pack_id, then in json.loads(tick["packs"]).items():
        now = engine.pack(int(pack_id)).content_hash
        if now != then:
            yield Difference("packs", None, pack_id, then, now)


def _decisions(
    engine: "Engine", frames: Frames, creditor_id: int, tick: dict[str, Any], facts: pl.DataFrame
) -> Iterator[Difference]:
    """The same facts and steps must give the same decisions; what the tick withheld after all is told apart."""
    steps = engine.store.get_frame(tick["steps_evidence"])
    then = engine.store.get_frame(tick["decisions_evidence"])
    seen = visible("v", tick["business_date"], tick["known_at"])
    current = frames.read(PACK_THEN.format(creditor=int(creditor_id), visible=seen)).item()
    packs = {int(pack_id): engine.pack(int(pack_id)) for pack_id in json.loads(tick["packs"])}
    again = decide(facts, steps, packs, current, tick["business_date"]).cases
    withheld = then.filter(pl.col("withheld").is_not_null()).select("case_id")
    kept = then.join(withheld, on="case_id", how="anti").drop("withheld")
    yield from _compare("decisions", kept, again.join(withheld, on="case_id", how="anti"))
    chosen = ["case_id", "segment", "pack_id", "step", "stage", "kind", "due_on", "asked_amount"]
    yield from _compare(
        "decisions",
        then.join(withheld, on="case_id", how="semi").select(chosen),
        again.join(withheld, on="case_id", how="semi").select(chosen),
    )


def _facts(
    engine: "Engine", frames: Frames, creditor_id: int, tick: dict[str, Any], facts: pl.DataFrame
) -> Iterator[Difference]:
    """History as it was known then must give the same facts."""
    again = build_facts(frames, creditor_id, tick["business_date"], tick["known_at"], tick["shard"], tick["shards"])
    yield from _compare("facts", facts, again.cases)
    steps = engine.store.get_frame(tick["steps_evidence"])
    key = ["round_id", "stage", "step", "attempt", "occurrence"]
    yield from _compare("steps", steps, again.steps, key)


def _items(engine: "Engine", frames: Frames, creditor_id: int, tick: dict[str, Any]) -> Iterator[Difference]:
    """What the newest full ledgers of that day said must be what history says of it."""
    day, known_at = tick["business_date"], tick["known_at"]
    snapshots = frames.read(SNAPSHOTS.format(creditor=int(creditor_id), day=day, known_at=known_at.isoformat()))
    seen = visible("v", day, known_at)
    for source, evidence in snapshots.iter_rows():
        keys = [key for key in json.loads(evidence) if key.startswith("ledger_items/")]
        for key in keys:
            told = engine.store.get_frame(key)
            if not {"open_amount", *ITEM_KEY} <= set(told.columns):
                continue
            then = frames.read(ITEMS_THEN.format(creditor=int(creditor_id), visible=seen))
            both = told.select(*ITEM_KEY, then=pl.col("open_amount")).join(then, on=ITEM_KEY, how="left")
            differ = both.filter(pl.col("then").ne_missing(pl.col("open_now")))
            for row in differ.head(MOST_SHOWN).iter_rows(named=True):
                yield Difference(
                    "items", None, f"{source} {row['document_no']}", str(row["then"]), str(row["open_now"])
                )


def _compare(what: str, then: pl.DataFrame, now: pl.DataFrame, key: list[str] | None = None) -> Iterator[Difference]:
    """Rows and columns that differ, by case."""
    keys = ["case_id", *(key or [])]
    missing = then.join(now, on=keys, how="anti", nulls_equal=True)
    added = now.join(then, on=keys, how="anti", nulls_equal=True)
    for frame, was, is_ in ((missing, "there", "gone"), (added, "absent", "there")):
        for case_id in frame["case_id"].head(MOST_SHOWN):
            yield Difference(what, case_id, "row", was, is_)
    columns = [name for name in then.columns if name not in keys and name in now.columns]
    both = then.join(now.select(*keys, *columns), on=keys, how="inner", suffix="__now", nulls_equal=True)
    for name in columns:
        differ = both.filter(pl.col(name).ne_missing(pl.col(f"{name}__now")))
        for row in differ.head(MOST_SHOWN).iter_rows(named=True):
            yield Difference(what, row["case_id"], name, str(row[name]), str(row[f"{name}__now"]))
    for name in sorted(set(then.columns) ^ set(now.columns)):
        yield Difference(what, None, name, "known" if name in then.columns else "unknown",
                         "known" if name in now.columns else "unknown")  # fmt: skip
