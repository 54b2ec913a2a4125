"""The impact sheet: what publishing a pack would change for today's real cases, case by case (issue 4, journeys).

Two ticks are foreseen (tasks.foresight), one with the packs as they are and one as if the draft were the creditor's,
and laid beside each other. Published for new rounds only, rounds that run keep their version and see the newest limits;
published with a move, they are seen on the new version as `tasks.version_move` would put them there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.words import ActionState
from maatpak.ledger.database import Frames
from tasks.current_pack import current_pack
from tasks.facts import Supposed
from tasks.foresight import NOTHING, Foreseen, foresee, see_facts
from tasks.today import looked_at_today
from tasks.turns import Part
from tasks.version_move import Running, running_rounds

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

DRAFT = 0
"""Stands for the id that the draft has not got yet."""


class ImpactKind(StrEnum):
    """How a case would fare otherwise; a case may do so in several ways."""

    SEGMENT = "segment"
    """Another segment's journey: of its round, of the round that opens, or of the one that would open next."""
    OPENS_ROUND = "opens_round"
    NO_ROUND = "no_round"
    """No round opens that would have opened."""
    ACTS = "acts"
    """A step is taken today, which would have waited."""
    WAITS = "waits"
    """No step is taken today, which would have been."""
    OTHER_STEP = "other_step"
    BESIDE = "beside"
    """Other work beside the step: notices inside, reviews."""
    CHANNEL = "channel"
    WORDS = "words"
    """Another template, or other words in it."""
    APPROVAL = "approval"
    """Another role approves, or another number of people."""
    OTHERWISE = "otherwise"
    """The same step with another due date, attempt, amount, stage or recipient."""
    SKIPS = "skips"
    """A step is passed over that would not have been."""
    SKIPS_NOT = "skips_not"
    REASON = "reason"
    """It waits for another reason, or for another step."""
    SOONER = "sooner"
    LATER = "later"
    """It waits until another date."""
    MORE_MESSAGES = "more_messages"
    FEWER_MESSAGES = "fewer_messages"
    """On the whole way ahead of its round, as the facts stand now."""
    TAKEN_BACK = "taken_back"
    """What is proposed and not begun is taken back by the move."""


SIDE: dict[str, pl.DataType | type[pl.DataType]] = {
    "segment": pl.String,
    "pack_id": pl.Int64,
    "opens_round": pl.Boolean,
    "reroute": pl.String,
    "outcome": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "step": pl.String,
    "stage": pl.String,
    "kind": pl.String,
    "channel": pl.String,
    "template": pl.String,
    "approval_role": pl.String,
    "approvals_needed": pl.Int64,
    "next_step": pl.String,
    "next_on": pl.Date,
    "steps": pl.List(pl.String),
    "beside": pl.List(pl.String),
    "skipped": pl.List(pl.String),
    "messages_ahead": pl.Int64,
}
"""What the sheet says of a case before and after: as decided (policies.reporting), the channel, words and approval of
its step, `steps` proposed, those of them `beside` the case's step, and steps `skipped` today."""

_EXACTLY = ("stage", "kind", "written", "written_to", "escalating", "attempt", "occurrence", "due_on", "asked_amount")


@dataclass(frozen=True)
class ImpactCount:
    """Cases that would fare otherwise in one way."""

    segment: str
    """That they are in, or would be put in, as things are."""
    kind: ImpactKind
    currency: str
    cases: int
    overdue: int
    """Overdue and open, minor units."""


@dataclass(frozen=True)
class ImpactSheet:
    """What publishing would change today."""

    creditor_id: int
    as_of: date
    base_pack_id: int
    """The creditor's pack, that the draft would replace."""
    content_hash: str
    """Of the draft."""
    move_running: bool
    moved: int
    """Rounds that would be moved to the new version."""
    kept: int
    """Rounds that would keep their version although the others are moved."""
    counts: tuple[ImpactCount, ...]
    cases: pl.DataFrame
    """All cases: case_id, debtor_id, currency, overdue_open, `kinds` (empty where nothing changes), and `before_…` and
    `after_…` for each of `SIDE`. A `pack_id` of 0 is the draft's."""

    @property
    def changed(self) -> pl.DataFrame:
        """The cases that would fare otherwise, the largest amount first."""
        found = self.cases.filter(pl.col("kinds").list.len() > 0)
        return found.sort("overdue_open", "case_id", descending=[True, False])


def impact(
    engine: "Engine",
    creditor_id: int,
    pack: "CompiledPack",
    as_of: date,
    now: datetime,
    *,
    move_running: bool,
) -> ImpactSheet:
    """The sheet of a pack for a creditor: what the next tick of this business date would do with it and without.

    Raises:
        RefusedError: `as_of` is not the creditor's business date.
        UsageError: there is no such creditor, or it has no pack yet.
    """
    with engine.database.frames() as frames:
        # One view of the ledger for both; it is staged into, so it is not a read-only one, but nothing is written.
        frames.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        looked = looked_at_today(frames, creditor_id, as_of)
        known_at = max(now, looked or now)
        base = current_pack(frames, creditor_id)
        running = running_rounds(frames, creditor_id, engine.pack, DRAFT, pack, as_of) if move_running else None
        shards = engine.settings.shards
        parts = [Part(creditor_id, shard, shards) for shard in range(shards)]
        pairs = [_pair(engine, frames, part, as_of, known_at, base, pack, running) for part in parts]
    told = pl.concat([_beside(*pair, running) for pair in pairs]).sort("case_id")
    return ImpactSheet(
        creditor_id=creditor_id,
        as_of=as_of,
        base_pack_id=base,
        content_hash=pack.content_hash,
        move_running=move_running,
        moved=running.moved.height if running else 0,
        kept=running.kept.height if running else 0,
        counts=_counts(told),
        cases=told,
    )


def _pair(
    engine: "Engine",
    frames: Frames,
    part: Part,
    as_of: date,
    known_at: datetime,
    base: int,
    pack: "CompiledPack",
    running: Running | None,
) -> tuple[Foreseen, Foreseen]:
    facts = see_facts(frames, part, as_of, known_at)
    before = foresee(engine, frames, part, as_of, facts, base, engine.pack(base))
    gone = NOTHING
    if running is not None and not running.moved.is_empty():
        gone = running.taken_back["action_id"]
        courses = running.moved.select("round_id", "entry_stage", "entered_on", pack_id=pl.lit(DRAFT, pl.Int64))
        facts = see_facts(frames, part, as_of, known_at, Supposed(courses, gone))
    return before, foresee(engine, frames, part, as_of, facts, DRAFT, pack, gone)


def _beside(before: Foreseen, after: Foreseen, running: Running | None) -> pl.DataFrame:
    """The two laid beside each other, a row a case, with the kinds of change."""
    own = before.proposal.cases.select("case_id", "debtor_id", "currency", "overdue_open")
    sides = [
        _side(each).select("case_id", pl.all().exclude("case_id").name.prefix(f"{name}_"))
        for name, each in (("before", before), ("after", after))
    ]
    joined = own
    for side in sides:
        joined = joined.join(side, on="case_id", how="left", maintain_order="left")
    taken_back = running.taken_back["case_id"].unique() if running else NOTHING
    reworded = _reworded(joined, before.packs, after.packs)
    kinds = _kinds(joined.with_columns(reworded, taken_back=pl.col("case_id").is_in(taken_back.implode())))
    wanted = [f"{side}_{name}" for side in ("before", "after") for name in SIDE]
    return joined.select(own.columns + wanted).insert_column(len(own.columns), kinds)


def _side(seen: Foreseen) -> pl.DataFrame:
    """case_id, the columns of `SIDE`, and `exactly`: everything of the case's step that the kinds name together."""
    actions = seen.proposal.actions
    proposed = pl.col("state") != ActionState.SKIPPED
    lists = actions.group_by("case_id", maintain_order=True).agg(
        steps=pl.col("step").filter(proposed), skipped=pl.col("step").filter(~proposed)
    )
    exact = pl.struct(*_EXACTLY)
    taken = actions.filter(proposed).select(
        *("case_id", "step", "channel", "template", "approval_role", "approvals_needed"), exactly=exact
    )
    decided = seen.proposal.cases.with_columns(step=pl.when(pl.col("outcome") == "act").then("step"))
    return (
        decided.join(taken, on=["case_id", "step"], how="left", maintain_order="left")
        .join(lists, on="case_id", how="left", maintain_order="left")
        .join(seen.ahead, on="case_id", how="left", maintain_order="left")
        .with_columns(pl.col("steps", "skipped").fill_null([]))
        .with_columns(beside=pl.col("steps").list.set_difference(pl.concat_list("step")).list.sort())
        .select("case_id", *(pl.col(name).cast(kind) for name, kind in SIDE.items()), "exactly")
    )


def _reworded(
    told: pl.DataFrame, before: Mapping[int, "CompiledPack"], after: Mapping[int, "CompiledPack"]
) -> pl.Series:
    """Per case: whether its message's template is the same by name, and its words are not."""
    keys = ("before_pack_id", "after_pack_id", "after_template")
    found = {}
    for old, new, name in told.select(keys).unique().drop_nulls().iter_rows():
        found[old, new, name] = _words_of(before[old], name) != _words_of(after[new], name)
    return pl.Series("reworded", [found.get(row, False) for row in told.select(keys).iter_rows()], dtype=pl.Boolean)


def _words_of(pack: "CompiledPack", template: str) -> dict[str, str]:
    named = {path: path.split("/") for path in pack.templates}
    return {
        path: pack.templates[path]
        for path, parts in named.items()
        if len(parts) != 3 or parts[2].partition(".")[0] == template
    }


def _kinds(told: pl.DataFrame) -> pl.Series:
    """The kinds of change of each case."""

    def was(name: str) -> pl.Expr:
        return pl.col(f"before_{name}")

    def will(name: str) -> pl.Expr:
        return pl.col(f"after_{name}")

    def differs(name: str) -> pl.Expr:
        return was(name).ne_missing(will(name))

    acted, acts = was("outcome") == "act", will("outcome") == "act"
    both, neither = acted & acts, ~acted & ~acts
    same_step = both & ~differs("step")
    named = same_step & pl.col("after_template").is_not_null()
    more = {
        ImpactKind.SEGMENT: differs("segment"),
        ImpactKind.OPENS_ROUND: ~was("opens_round") & will("opens_round"),
        ImpactKind.NO_ROUND: was("opens_round") & ~will("opens_round"),
        ImpactKind.ACTS: ~acted & acts,
        ImpactKind.WAITS: acted & ~acts,
        ImpactKind.OTHER_STEP: both & differs("step"),
        ImpactKind.BESIDE: was("beside") != will("beside"),
        ImpactKind.CHANNEL: same_step & differs("channel"),
        ImpactKind.WORDS: (same_step & differs("template")) | (named & pl.col("reworded")),
        ImpactKind.APPROVAL: same_step & (differs("approval_role") | differs("approvals_needed")),
        ImpactKind.OTHERWISE: same_step & differs("exactly"),
        ImpactKind.SKIPS: will("skipped").list.set_difference(was("skipped")).list.len() > 0,
        ImpactKind.SKIPS_NOT: was("skipped").list.set_difference(will("skipped")).list.len() > 0,
        ImpactKind.REASON: neither & (differs("reason") | differs("detail") | differs("next_step")),
        ImpactKind.SOONER: neither & (will("next_on") < was("next_on")),
        ImpactKind.LATER: neither & (will("next_on") > was("next_on")),
        ImpactKind.MORE_MESSAGES: will("messages_ahead") > was("messages_ahead"),
        ImpactKind.FEWER_MESSAGES: will("messages_ahead") < was("messages_ahead"),
        ImpactKind.TAKEN_BACK: pl.col("taken_back"),
    }
    listed = [pl.when(test.fill_null(value=False)).then(pl.lit(str(kind))) for kind, test in more.items()]
    return told.select(kinds=pl.concat_list(listed).list.drop_nulls())["kinds"]


def _counts(told: pl.DataFrame) -> tuple[ImpactCount, ...]:
    grouped = (
        told.explode("kinds")
        .drop_nulls("kinds")
        .group_by(segment="before_segment", kind="kinds", currency="currency")
        .agg(cases=pl.len(), overdue=pl.sum("overdue_open"))
        .sort("segment", "kind", "currency")
    )
    return tuple(
        ImpactCount(segment, ImpactKind(kind), currency, cases, overdue)
        for segment, kind, currency, cases, overdue in grouped.iter_rows()
    )
