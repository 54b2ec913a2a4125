"""Replay: is a past day still what it was? Decisions from stored facts, facts from history, items from snapshots.

Law 10 asks that a past decision can be recomputed from the stored facts, and the facts from the stored snapshots, with
the same result. Whatever differs is named by case and column. A day that another version of the engine decided is said
to be such: there a difference may be an improvement. Nothing is written.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak import __version__
from maatpak.kernel.errors import PolicyError, UsageError
from maatpak.kernel.ids import content_hash
from maatpak.ledger.database import Frames
from maatpak.ledger.packs import load_pack_files
from maatpak.ledger.tables import visible
from policies.decide import decide
from tasks.current_pack import PACK_THEN
from tasks.differences import Difference, differing_rows, read_kept
from tasks.facts import build_facts
from tasks.proposal import with_withheld
from tasks.replay_items import replay_items

if TYPE_CHECKING:
    from tasks.engine import Engine

TICKS = """
SELECT t.id, t.shard, t.shards, t.business_date, t.known_at, t.engine_version, t.facts_evidence, t.steps_evidence,
  t.decisions_evidence, t.packs::text AS packs, e.body::text AS told
FROM tick t LEFT JOIN event e ON e.kind = 'tick_decided' AND e.creditor_id = t.creditor_id
  AND e.business_date = t.business_date AND CAST(e.body ->> 'tick' AS bigint) = t.id
WHERE t.creditor_id = {creditor} AND t.business_date = DATE '{day}' ORDER BY t.id
"""

LAST = "SELECT max(business_date) AS day FROM tick WHERE creditor_id = {creditor}"
MERGED = """
SELECT unnest(ARRAY[id, merged_into]) AS party_id FROM party
WHERE merged_at > TIMESTAMPTZ '{known_at}'
"""
"""Parties that became one since: their history is one now, so their facts of then cannot be rebuilt."""

STEP_KEY = ("case_id", "round_id", "stage", "step", "attempt", "occurrence")


@dataclass(frozen=True)
class Replay:
    """What a replay of a creditor's day found."""

    ticks: int
    cases: int
    items: int
    """Items of the ledger that snapshots were compared with."""
    unproven: int
    """Items that no snapshot with evidence tells of: only their history can be looked at."""
    merged: int
    """Cases left out of the facts: their party became one with another since. Their decisions are looked at."""
    engines: tuple[str, ...]
    """Other versions of the engine that decided on that day."""
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether all of the day comes out as it was."""
        return not self.differences


def replay(engine: "Engine", creditor_id: int, as_of: date) -> Replay:
    """Recompute a past day of a creditor and compare.

    Raises:
        UsageError: no run of that day is there.
    """
    with engine.database.frames(read_only=True) as frames:
        ticks = frames.read(TICKS.format(creditor=int(creditor_id), day=as_of.isoformat())).to_dicts()
        if not ticks:
            last = frames.read(LAST.format(creditor=int(creditor_id))).item()
            raise UsageError(f"No run of {as_of} is there.", advice=f"The last one was of {last}." if last else "")
        found: list[Difference] = []
        cases = merged = 0
        for tick in ticks:
            again = build_facts(
                frames, creditor_id, tick["business_date"], tick["known_at"], tick["shard"], tick["shards"]
            )
            cases += again.cases.height
            found += _told(engine, tick)
            facts, steps, decisions = (_kept(engine, tick, name, found) for name in ("facts", "steps", "decisions"))
            if facts is not None and steps is not None and decisions is not None:
                found += _decisions(engine, frames, creditor_id, tick, facts, steps, decisions)
            apart = _merged_since(frames, tick, [each for each in (facts, again.cases) if each is not None])
            merged += apart.len()
            if facts is not None:
                found += differing_rows("facts", _but(facts, apart), _but(again.cases, apart), ("case_id",))
            if steps is not None:
                found += differing_rows("steps", _but(steps, apart), _but(again.steps, apart), STEP_KEY)
        ledger = replay_items(engine, frames, creditor_id, as_of, max(tick["known_at"] for tick in ticks))
    engines = tuple(sorted({tick["engine_version"] for tick in ticks} - {__version__}))
    return Replay(len(ticks), cases, ledger.items, ledger.unproven, merged, engines, (*found, *ledger.differences))


def _merged_since(frames: Frames, tick: dict[str, Any], facts: Sequence[pl.DataFrame]) -> pl.Series:
    """The cases of a tick, then or now, of which a party was merged since."""
    parties = frames.read(MERGED.format(known_at=tick["known_at"].isoformat()))["party_id"].implode()
    touched = pl.col("party_id").is_in(parties) | pl.col("payer_party_id").is_in(parties)
    return pl.concat([frame.filter(touched)["case_id"] for frame in facts]).unique()


def _but(rows: pl.DataFrame, apart: pl.Series) -> pl.DataFrame:
    return rows.filter(~pl.col("case_id").is_in(apart.implode()))


def _kept(engine: "Engine", tick: dict[str, Any], name: str, found: list[Difference]) -> pl.DataFrame | None:
    frame, problem = read_kept(engine.store, tick[f"{name}_evidence"])
    if problem is not None:
        found.append(Difference("evidence", None, tick[f"{name}_evidence"], name, "kept", problem))
    return frame


def _told(engine: "Engine", tick: dict[str, Any]) -> Iterator[Difference]:
    """The row of the tick says what its event in the chain says, and its packs are what they were."""
    about, told = f"tick {tick['id']}", json.loads(tick["told"] or "{}")
    for name in ("facts", "steps", "decisions"):
        if told.get(name) != tick[f"{name}_evidence"]:
            yield Difference("tick", None, about, name, str(told.get(name)), tick[f"{name}_evidence"])
    packs = json.loads(tick["packs"])
    if told.get("packs") != packs:
        yield Difference("tick", None, about, "packs", str(told.get("packs")), str(packs))
    for pack_id, then in packs.items():
        now = _pack_hash(engine, int(pack_id))
        if now != then:
            yield Difference("packs", None, about, pack_id, then, now)


def _pack_hash(engine: "Engine", pack_id: int) -> str:
    """The hash of a pack's files as they are, whether or not they still make a pack."""
    with engine.database.reading() as session:
        return content_hash(load_pack_files(session, pack_id))


def _decisions(
    engine: "Engine",
    frames: Frames,
    creditor_id: int,
    tick: dict[str, Any],
    facts: pl.DataFrame,
    steps: pl.DataFrame,
    then: pl.DataFrame,
) -> Sequence[Difference]:
    """The same facts and steps must give the same decisions; what the tick withheld after all is withheld again."""
    as_of = tick["business_date"]
    seen = visible("v", as_of, tick["known_at"])
    try:
        packs = {int(pack_id): engine.pack(int(pack_id)) for pack_id in json.loads(tick["packs"])}
    except PolicyError as error:
        return [Difference("packs", None, f"tick {tick['id']}", "files", "a pack", error.problems[0])]
    current = frames.read(PACK_THEN.format(creditor=int(creditor_id), visible=seen))["pack_id"].to_list()
    if len(current) != 1 or current[0] not in packs:
        return [Difference("packs", None, f"tick {tick['id']}", "current", str(sorted(packs)), str(current))]
    withheld = then.filter(pl.col("withheld").is_not_null()).select("case_id", "withheld")
    again = with_withheld(decide(facts, steps, packs, current[0], as_of).cases, withheld, as_of)
    return differing_rows("decisions", then, again, ("case_id",))
