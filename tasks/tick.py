"""One tick: facts, decisions, and what is proposed, in one transaction that leaves one event (laws 2, 3, 10).

Nothing goes to the outside from here. Unique rows are written, a day of each party that will be written to is claimed,
and the frames from which all of it can be recomputed are kept as evidence. The same tick again proposes nothing more; a
second tick of a business date leaves a trace only if it found something to propose.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak import __version__
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import ActionState
from maatpak.ledger.audit import EventDraft, append_events, last_event
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_shard
from policies.decide import Decisions, decide
from tasks.cancelling import cancel_actions
from tasks.checking import tend_checks
from tasks.content import bind_contents
from tasks.current_pack import current_pack
from tasks.exceptions import tend_exceptions
from tasks.facts import FactFrames, build_facts
from tasks.proposal import Proposal, make_proposal
from tasks.repairs import open_repairs, unreached
from tasks.revalidate import step_properties
from tasks.seen import Seen
from tasks.tick_rows import write_proposal
from tasks.today import TICK, looked_at_today
from tasks.turns import Part, find_turns, note_waits, wanting_letters
from tasks.withdraw import unwanted_work

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

EVIDENCE = ("facts_evidence", "steps_evidence", "decisions_evidence")
NOBODY = pl.DataFrame(schema={"case_id": pl.Int64})
ADVICE = "`maatpak run` begins a day; `maatpak explain` looks at a customer without effect."


@dataclass(frozen=True)
class TickSummary:
    """What a tick saw and proposed."""

    tick_id: int | None
    """None when the day had been ticked and nothing was left to propose."""
    cases: int
    proposed: int = 0
    awaiting_approval: int = 0
    skipped: int = 0
    withdrawn: int = 0
    rounds_opened: int = 0
    rerouted: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Reason → how many cases get nothing today for it."""


@dataclass(frozen=True)
class Look:
    """What a tick looked at, before anything is written."""

    facts: FactFrames
    decisions: Decisions
    packs: dict[int, "CompiledPack"]
    pack_id: int


def look(
    engine: "Engine", frames: Frames, creditor_id: int, as_of: date, known_at: datetime, shard: int, shards: int
) -> Look:
    """Facts and decisions as of a date, with what was known at an instant; writes nothing."""
    facts = build_facts(frames, creditor_id, as_of, known_at, shard, shards)
    pack_id = current_pack(frames, creditor_id)
    running = facts.cases["round_pack_id"].drop_nulls().unique().to_list()
    packs = {each: engine.pack(each) for each in sorted({pack_id, *running})}
    return Look(facts, decide(facts.cases, facts.steps, packs, pack_id, as_of), packs, pack_id)


def tick(
    engine: "Engine",
    creditor_id: int,
    as_of: date,
    now: datetime,
    shard: int = 0,
    shards: int = 1,
    actor: str = "engine",
    flow_run: str | None = None,
) -> TickSummary:
    """Decide every case of a creditor's shard and propose what is due.

    Raises:
        RefusedError: `as_of` is not the creditor's business date.
    """
    return tick_and_see(engine, creditor_id, as_of, now, shard, shards, actor, flow_run)[0]


def tick_and_see(
    engine: "Engine",
    creditor_id: int,
    as_of: date,
    now: datetime,
    shard: int = 0,
    shards: int = 1,
    actor: str = "engine",
    flow_run: str | None = None,
) -> tuple[TickSummary, Seen]:
    """`tick`, and what it saw: whoever acts at once need not read it all again, if nothing was recorded since."""
    with engine.database.frames() as frames, ThreadPoolExecutor(max_workers=1) as keeper:
        lock_shard(frames, creditor_id, shard, shards)
        # Never before what the day began with: what it saw, this tick sees.
        known_at = max(now, looked_at_today(frames, creditor_id, as_of, ADVICE) or now)
        ticked = was_ticked(frames, creditor_id, as_of, shard, shards)
        seen = look(engine, frames, creditor_id, as_of, known_at, shard, shards)

        def keep(kind: str, frame: pl.DataFrame) -> Future[str]:
            return keeper.submit(engine.store.put_frame, kind, frame)

        # Frames are packed while the database works; both let go of the interpreter.
        kept = [keep("facts", seen.facts.cases), keep("steps", seen.facts.steps)] if not ticked else []
        done_today = had_their_step(frames, creditor_id, as_of) if ticked else NOBODY
        unwanted = unwanted_work(engine, frames, creditor_id, seen, shard, shards)
        part = Part(creditor_id, shard, shards)
        turns = find_turns(frames, part, as_of, seen.decisions.actions, unwanted["party_id"])
        steps = step_properties(seen.packs.__getitem__, seen.decisions.actions)
        proposal = make_proposal(seen.decisions, seen.facts.items, steps, turns, done_today, as_of)
        withdrawn = cancel_actions(frames, unwanted.select("action_id", "reason"), known_at + TICK)
        if ticked and proposal.is_empty and not withdrawn:
            idle = TickSummary(None, proposal.cases.height, reasons=_reasons(proposal))
            return idle, Seen(seen.facts, last_event(frames), proposal.cases, known_at)
        kept = kept or [keep("facts", seen.facts.cases), keep("steps", seen.facts.steps)]
        kept.append(keep("decisions", proposal.cases))
        row = _tick_row(frames, creditor_id, as_of, known_at, shard, shards, proposal, seen, flow_run)
        row |= dict(zip(EVIDENCE, (key.result() for key in kept), strict=True))
        waiting = write_proposal(frames, row, proposal)
        bind_contents(engine, frames, waiting, as_of, row["recorded_at"])
        _tend(frames, part, as_of, seen, proposal, row["recorded_at"])
        limits = seen.packs[seen.pack_id].guardrails.placement
        tend_checks(frames, creditor_id, limits, as_of, row["recorded_at"], shard, shards)
        summary = _summary(row["id"], proposal, withdrawn)
        seq, _ = append_events(frames, [_event(row, summary, seen, actor)], row["recorded_at"])
    engine.anchor()
    return summary, Seen(seen.facts, seq, proposal.cases, known_at)


def _tend(frames: Frames, part: Part, as_of: date, seen: Look, proposal: Proposal, at: datetime) -> None:
    """What cases ask for that get nothing: their turn at the party, or work on money without a purpose."""
    wanting = wanting_letters(proposal.cases, seen.facts.cases, seen.packs, as_of)
    note_waits(frames, part, as_of, wanting, proposal.gave_way, at)
    told = (
        *("legal_stop", "cash_unallocated", "overdue_open", "not_due_open"),
        *("email_known", "phone_known", "post_known", "own_post_known"),
    )
    facts = seen.facts.cases.select("case_id", "party_id", "country", *told)
    decided = proposal.cases.select("case_id", "debtor_id", "reason").join(
        facts, on="case_id", how="left", maintain_order="left"
    )
    tend_exceptions(frames, part.creditor_id, decided, seen.packs[seen.pack_id], as_of, at)
    open_repairs(frames, part.creditor_id, unreached(decided), as_of, at)


def was_ticked(frames: Frames, creditor_id: int, as_of: date, shard: int, shards: int) -> bool:
    """Whether a shard has had its tick of a business date."""
    rows = frames.read(
        f"SELECT 1 AS one FROM tick WHERE creditor_id = {int(creditor_id)} AND business_date = DATE '{as_of}'"  # noqa: S608
        f" AND shard = {int(shard)} AND shards = {int(shards)} LIMIT 1"
    )
    return not rows.is_empty()


def had_their_step(frames: Frames, creditor_id: int, as_of: date) -> pl.DataFrame:
    """Cases that something was proposed, taken up or executed for on this business date: one step a day."""
    return frames.read(
        f"SELECT DISTINCT case_id FROM action WHERE creditor_id = {int(creditor_id)}"  # noqa: S608
        f" AND (business_date = DATE '{as_of}' OR started_on = DATE '{as_of}' OR executed_on = DATE '{as_of}')"
    )


def _tick_row(
    frames: Frames,
    creditor_id: int,
    as_of: date,
    known_at: datetime,
    shard: int,
    shards: int,
    proposal: Proposal,
    seen: Look,
    flow_run: str | None,
) -> dict[str, Any]:
    snapshots = frames.read(
        "SELECT DISTINCT ON (source) source, content_hash FROM snapshot"  # noqa: S608
        f" WHERE creditor_id = {int(creditor_id)} AND recorded_at <= TIMESTAMPTZ '{known_at.isoformat()}'"
        f" AND (as_of <= DATE '{as_of}' OR kind = 'history') ORDER BY source, as_of DESC, id DESC"
    )
    return {
        "id": frames.read("SELECT nextval('tick_id_seq') AS id").item(),
        "creditor_id": creditor_id,
        "shard": shard,
        "shards": shards,
        "business_date": as_of,
        "known_at": known_at,
        "engine_version": __version__,
        "case_count": proposal.cases.height,
        "action_count": proposal.actions.height,
        "packs": {str(pack_id): pack.content_hash for pack_id, pack in seen.packs.items()},
        "snapshots": dict(snapshots.iter_rows()),
        "flow_run": flow_run,
        "recorded_at": known_at + TICK,
    }


def _event(row: dict[str, Any], summary: TickSummary, seen: Look, actor: str) -> EventDraft:
    body = {
        "tick": row["id"],
        "shard": row["shard"],
        "shards": row["shards"],
        "engine": row["engine_version"],
        "facts": row["facts_evidence"],
        "steps": row["steps_evidence"],
        "decisions": row["decisions_evidence"],
        "packs": row["packs"],
        "counts": {
            "cases": summary.cases,
            "proposed": summary.proposed,
            "awaiting_approval": summary.awaiting_approval,
            "skipped": summary.skipped,
            "withdrawn": summary.withdrawn,
            "rounds_opened": summary.rounds_opened,
            "rerouted": summary.rerouted,
        },
    }
    return EventDraft(
        kind="tick_decided",
        actor=actor,
        business_date=row["business_date"],
        creditor_id=row["creditor_id"],
        flow_run=row["flow_run"],
        policy_hash=seen.packs[seen.pack_id].content_hash,
        snapshot_hash=_one_hash(row["snapshots"]),
        body=body,
    )


def _one_hash(snapshots: dict[str, str]) -> str | None:
    """The snapshot's hash; of several sources, the hash of their hashes."""
    return next(iter(snapshots.values()), None) if len(snapshots) < 2 else content_hash(snapshots)


def _summary(tick_id: int, proposal: Proposal, withdrawn: int) -> TickSummary:
    actions = proposal.actions
    skipped = actions.filter(pl.col("state") == ActionState.SKIPPED).height
    awaiting = actions.filter((pl.col("state") != ActionState.SKIPPED) & (pl.col("approvals_needed") > 0)).height
    return TickSummary(
        tick_id=tick_id,
        cases=proposal.cases.height,
        proposed=actions.height - skipped,
        awaiting_approval=awaiting,
        skipped=skipped,
        withdrawn=withdrawn,
        rounds_opened=proposal.rounds.height,
        rerouted=proposal.reroutes.height,
        reasons=_reasons(proposal),
    )


def _reasons(proposal: Proposal) -> dict[str, int]:
    counted = proposal.cases.filter(pl.col("outcome") == "none").group_by("reason").len().sort("reason")
    return dict(counted.iter_rows())
