"""Rounds that run, moved to the version of the pack that their creditor has now, many in one transaction (rule 4).

The same rules as a person's move of one case (tasks.case_move): position moves along by the names of steps, the round
comes in no further on than it had come, what was proposed and not begun is taken back, and where its journey differs it
has five working days before its next notice. A round keeps its version where its segment is gone, or where
its journey led to no demand and now would: that takes two people's word a case.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import content_hash
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import Role, Stage
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor, lock_parties
from maatpak.ledger.tables import Creditor, RoundCourse
from maatpak.ledger.versions import succeed_all
from policies.diff import journey_changes
from policies.walk import ENTRY_LIMIT
from tasks.access.sight import require_sight
from tasks.cancelling import cancel_actions
from tasks.current_pack import current_pack
from tasks.desk import acting_person
from tasks.today import looked_at_today, recorded_after
from tasks.waking import ask_for_a_look

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

VERSION = "version"
"""The cause of a course that a batch move began."""
MOVERS = (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)

RUNNING = """
SELECT c.id, c.round_id, r.case_id, k.party_id, c.segment, c.pack_id, c.entry_stage, c.entered_on,
  (SELECT max(array_position(ARRAY[{stages}], a.stage)) FROM action a
   WHERE a.round_id = r.id AND a.state = 'executed' AND a.occurrence IS NULL)::bigint AS reached
FROM round_course c JOIN round r ON r.id = c.round_id JOIN "case" k ON k.id = r.case_id
WHERE r.closed_at IS NULL AND c.replaced_at IS NULL AND k.creditor_id = {creditor} AND c.pack_id <> {pack}
ORDER BY c.id
"""

NOT_BEGUN = """
SELECT a.id AS action_id, a.case_id, a.state, a.amount FROM action a
JOIN round r ON r.id = a.round_id AND r.closed_at IS NULL
WHERE a.creditor_id = {creditor} AND a.state IN ('proposed', 'awaiting_approval', 'approved')
"""


@dataclass(frozen=True)
class Running:
    """The open rounds of a creditor that follow another version than the one they would be moved to."""

    moved: pl.DataFrame
    """id (of the course), round_id, case_id, party_id, segment, pack_id (the old one), entry_stage and entered_on (the
    new ones), differs (the journey)."""
    kept: pl.DataFrame
    """round_id, case_id, segment, pack_id: those that keep their version."""
    taken_back: pl.DataFrame
    """action_id, case_id, state, amount: proposals of the moved rounds that nobody has begun."""


@dataclass(frozen=True)
class Moved:
    """What a batch move came to."""

    rounds: int
    kept: int
    taken_back: int
    content_hash: str | None
    """Of the moved rounds, as the event holds it; None where nothing moved."""


def running_rounds(
    frames: Frames,
    creditor_id: int,
    pack_of: Callable[[int], "CompiledPack"],
    pack_id: int,
    pack: "CompiledPack",
    as_of: date,
) -> Running:
    """What moving the rounds that run to a pack would do; writes nothing. `pack_id` is one that no round follows."""
    stages = ", ".join(f"'{stage}'" for stage in Stage)
    found = frames.read(RUNNING.format(creditor=int(creditor_id), pack=int(pack_id), stages=stages))
    found = found.with_columns(pl.col("entered_on").cast(pl.Date), pl.col("reached").cast(pl.Int64))
    followed = found.select("pack_id", "segment").unique(maintain_order=True)
    known = [(each, segment, *_onto(pack_of(each), pack, segment)) for each, segment in followed.iter_rows()]
    schema = {"pack_id": pl.Int64, "segment": pl.String, "may": pl.Boolean, "differs": pl.Boolean}
    marked = found.join(pl.DataFrame(known, schema, orient="row"), on=["pack_id", "segment"], maintain_order="left")
    ranks = {str(stage): stage.rank for stage in Stage}
    reached = (pl.col("reached").fill_null(1) - 1).clip(0, ENTRY_LIMIT.rank)
    entry = pl.max_horizontal(reached, pl.col("entry_stage").replace_strict(ranks, return_dtype=pl.Int64))
    moved = marked.filter("may").with_columns(
        entry_stage=entry.replace_strict({rank: name for name, rank in ranks.items()}, return_dtype=pl.String),
        entered_on=pl.when("differs").then(pl.lit(as_of)).otherwise("entered_on"),
    )
    not_begun = frames.read(NOT_BEGUN.format(creditor=int(creditor_id)))
    return Running(
        moved.drop("may", "reached"),
        marked.filter(~pl.col("may")).select("round_id", "case_id", "segment", "pack_id"),
        not_begun.join(moved, on="case_id", how="semi", maintain_order="left").sort("action_id"),
    )


def move_running(
    engine: "Engine", creditor_id: int, actor: str, reason: str, as_of: date, now: datetime, flow_run: str | None = None
) -> Moved:
    """Move a creditor's rounds to the pack that it has now: one transaction, one event. Again, it moves nothing more.

    Raises:
        RefusedError: the person may not, or `as_of` is not the creditor's business date.
        UsageError: the reason is missing.
    """
    if not reason.strip():
        raise UsageError("A move needs its reason in words.", advice="Give a reason.")
    with engine.database.session() as session:
        acting_person(session, actor, "move the rounds that run to another version", *MOVERS)
        require_sight(session, actor, session.get_one(Creditor, creditor_id).code)
    with engine.database.frames() as frames:
        lock_creditor(frames, creditor_id)
        at = recorded_after(looked_at_today(frames, creditor_id, as_of), now)
        pack_id = current_pack(frames, creditor_id)
        pack = engine.pack(pack_id)
        found = running_rounds(frames, creditor_id, engine.pack, pack_id, pack, as_of)
        if found.moved.is_empty():
            return Moved(0, found.kept.height, 0, None)
        # Others wait for the creditor's own rows; a party may be another creditor's, too, and its day is given back.
        lock_parties(frames, found.moved["party_id"])
        taken_back = found.taken_back.select("action_id", reason=pl.lit(str(SkipReason.REROUTED)))
        cancelled = cancel_actions(frames, taken_back, at)
        changed = found.moved.select(
            *("id", "entry_stage", "entered_on"), pack_id=pl.lit(pack_id), cause=pl.lit(VERSION), actor=pl.lit(actor)
        )
        count = succeed_all(frames, RoundCourse, changed, as_of, at)
        rows = found.moved.select("round_id", "pack_id", "entry_stage").rows()
        batch = content_hash([list(row) for row in rows])
        key = engine.store.put_frame("moves", found.moved.drop("id", "party_id"))
        body = {
            "pack_id": pack_id,
            "rounds": count,
            "kept": found.kept.height,
            "taken_back": cancelled,
            "moved": batch,
            "evidence": key,
            "reason": engine.store.put("reasons", reason.encode(), "txt"),
        }
        draft = EventDraft(
            "rounds_moved",
            actor,
            business_date=as_of,
            creditor_id=creditor_id,
            flow_run=flow_run,
            policy_hash=pack.content_hash,
            body=body,
        )
        ask_for_a_look(frames, [draft], at)
        append_events(frames, [draft], at)
    engine.anchor()
    return Moved(count, found.kept.height, cancelled, batch)


def _onto(before: "CompiledPack", after: "CompiledPack", segment: str) -> tuple[bool, bool]:
    """Whether a round may go from its journey in one version onto that in another, and whether the two differ."""
    old, new = before.journeys[segment], after.journeys.get(segment)
    if new is None:
        return False, True
    threatens = [any(step.escalating for step in each.steps.values()) for each in (old, new)]
    return threatens != [False, True], bool(journey_changes(segment, old, new))
