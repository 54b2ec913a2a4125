"""Why a debtor gets what it gets: for the past from the frames that the day was decided from, else from fresh facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.errors import UsageError
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import visible
from policies.explain import Explanation, explain
from tasks.current_pack import PACK_THEN, current_pack
from tasks.facts import build_facts
from tasks.finding import Found, acting_date
from tasks.placement_checks import Check, Read, checks_of
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.timeline import timeline
from tasks.written import written

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

TICKS = """
SELECT t.id, t.known_at, t.engine_version, t.facts_evidence, t.steps_evidence, t.decisions_evidence,
  t.packs::text AS packs
FROM tick t JOIN "case" k ON k.id = {case} AND k.shard_key % t.shards = t.shard
WHERE t.creditor_id = {creditor} AND t.business_date = DATE '{day}' ORDER BY t.id DESC
"""
PROPOSED = """
SELECT a.id AS action_id FROM action a WHERE a.case_id = {case} AND a.kind = 'handoff' AND a.state <> 'skipped'
  AND a.business_date <= DATE '{day}' AND (a.ended_at IS NULL OR a.ended_at > {at}) ORDER BY a.id DESC LIMIT 1
"""
LAST = "SELECT max(business_date) AS day FROM tick WHERE creditor_id = {creditor} AND business_date <= DATE '{day}'"


@dataclass(frozen=True)
class Basis:
    """What a decision was taken from: it explains it, and what it would be with other facts."""

    row: Mapping[str, Any]
    """The case's facts."""
    steps: pl.DataFrame
    packs: "Mapping[int, CompiledPack]"
    current: int
    """Which of the packs new rounds use."""
    as_of: date

    def explain(self, hypothetical: Mapping[str, Any]) -> Explanation:
        """The explanation with these facts put in.

        Raises:
            UsageError: one of them does not fit.
        """
        return explain(self.row, self.steps, self.packs, self.current, self.as_of, hypothetical)


@dataclass(frozen=True)
class Told:
    """An explanation, and where it comes from."""

    explanation: Explanation
    basis: Basis
    known_at: datetime
    tick_id: int | None
    """The stored run that decided this; None for fresh facts."""
    engine_version: str | None
    stored: dict[str, Any] | None
    """The decision as it was stored; it may say more, such as a contact that gave way to another creditor's."""
    timeline: list[dict[str, Any]]
    """An item a row: its way from order to payment, as far as it is known (rule 29)."""
    written: list[dict[str, Any]]
    """A message a row, newest first: how it went, and why by that channel."""
    checks: tuple[Check, ...] = ()
    """Where the checks of the placement stand that was proposed then, if one was (rule 20)."""


def explain_case(
    engine: "Engine", found: Found, as_of: date | None, now: datetime, hypothetical: Mapping[str, Any]
) -> Told:
    """Explain the decision of a case: of a past day as it was taken, without a date as it would be now.

    Raises:
        UsageError: the case was not looked at on that day, has nothing to decide, or a hypothetical fact does not fit.
    """
    with engine.database.frames(read_only=True) as frames:
        if as_of is None:
            return _fresh(engine, frames, found, acting_date(engine, found.creditor, now), now, hypothetical)
        return _stored(engine, frames, found, as_of, hypothetical)


def _fresh(
    engine: "Engine", frames: Frames, found: Found, as_of: date, now: datetime, hypothetical: Mapping[str, Any]
) -> Told:
    facts = build_facts(frames, found.creditor_id, as_of, now, case_ids=[found.the_case])
    row = _row_of(facts.cases, found, as_of)
    current = current_pack(frames, found.creditor_id)
    packs = {each: engine.pack(each) for each in {current, row["round_pack_id"] or current}}
    basis = Basis(row, facts.steps, packs, current, as_of)
    told = basis.explain(hypothetical)
    checks = _checks(frames, found, packs[current], as_of, EVERYTHING_RECORDED)
    messages = written(frames, found.the_case, as_of, EVERYTHING_RECORDED)
    items = timeline(engine, frames, found.the_case, as_of, EVERYTHING_RECORDED, messages)
    return Told(told, basis, now, None, None, None, items, messages, checks)


def _stored(engine: "Engine", frames: Frames, found: Found, as_of: date, hypothetical: Mapping[str, Any]) -> Told:
    ticks = frames.read(TICKS.format(creditor=found.creditor_id, case=found.the_case, day=as_of.isoformat())).to_dicts()
    if not ticks:
        last = frames.read(LAST.format(creditor=found.creditor_id, day=as_of.isoformat())).item()
        advice = f"The last one before was of {last}." if last else "Without --as-of the facts of today are looked at."
        raise UsageError(f"No run of {found.creditor} of {as_of} is there.", advice=advice)
    case = pl.col("case_id") == found.the_case
    for tick in ticks:
        facts = engine.store.get_frame(tick["facts_evidence"], where=case)
        if facts.height:
            break
    _row_of(facts, found, as_of)
    then = {**tick, "business_date": as_of, "packs": json.loads(tick["packs"])}
    basis, kept = basis_then(engine, frames.read, found.creditor_id, then, facts)
    told = basis.explain(hypothetical)
    checks = _checks(frames, found, basis.packs[basis.current], as_of, tick["known_at"])
    messages = written(frames, found.the_case, as_of, tick["known_at"])
    items = timeline(engine, frames, found.the_case, as_of, tick["known_at"], messages)
    run = (tick["known_at"], tick["id"], tick["engine_version"])
    return Told(told, basis, *run, kept, items, messages, checks)


def _checks(frames: Frames, found: Found, pack: "CompiledPack", as_of: date, known_at: datetime) -> tuple[Check, ...]:
    at = f"TIMESTAMPTZ '{known_at.isoformat()}'"
    proposed = frames.read(PROPOSED.format(case=found.the_case, day=as_of.isoformat(), at=at))["action_id"].to_list()
    return tuple(checks_of(frames.read, proposed, pack.guardrails.placement, as_of, known_at))


def decided_then(
    engine: "Engine",
    read: Read,
    creditor_id: int,
    tick: Mapping[str, Any],
    facts: pl.DataFrame,
    hypothetical: Mapping[str, Any],
) -> "tuple[Explanation, dict[str, Any] | None, CompiledPack]":
    """Why a pass decided as it did on a case: explained, as it was stored, and by which pack of the creditor.

    `tick` is its row; `facts` the case's row of the facts frame that it kept.
    """
    basis, stored = basis_then(engine, read, creditor_id, tick, facts)
    return basis.explain(hypothetical), stored, basis.packs[basis.current]


def basis_then(
    engine: "Engine", read: Read, creditor_id: int, tick: Mapping[str, Any], facts: pl.DataFrame
) -> tuple[Basis, dict[str, Any] | None]:
    """What a pass decided a case from, and its decision as it was stored; arguments as above."""
    case = pl.col("case_id") == facts["case_id"].item()
    steps = engine.store.get_frame(tick["steps_evidence"], where=case)
    stored = engine.store.get_frame(tick["decisions_evidence"], where=case)
    packs = {int(each): engine.pack(int(each)) for each in tick["packs"]}
    current = _pack_then(read, creditor_id, tick["business_date"], tick["known_at"], packs)
    basis = Basis(facts.row(0, named=True), steps, packs, current, tick["business_date"])
    return basis, stored.row(0, named=True) if stored.height else None


def _pack_then(
    read: Read, creditor_id: int, as_of: date, known_at: datetime, packs: "Mapping[int, CompiledPack]"
) -> int:
    """The creditor's pack as of that day; where that cannot be told, the newest that the run used."""
    query = PACK_THEN.format(creditor=int(creditor_id), visible=visible("v", as_of, known_at))
    ids = [each for each in read(query)["pack_id"].to_list() if each in packs]
    return int(ids[0]) if ids else max(packs)


def _row_of(facts: pl.DataFrame, found: Found, as_of: date) -> dict[str, Any]:
    if facts.is_empty():
        raise UsageError(
            f"Debtor {found.debtor_no} of {found.creditor} had nothing to decide on {as_of}.",
            advice="A case is looked at while anything is open, a round runs, or something was settled in 24 months.",
        )
    return facts.row(0, named=True)
