"""Executing: approved actions are taken up, asked again, and given their effect, in one transaction (laws 3, 4).

The order is fixed: the creditor shared, the parties of the cohort in ascending order, then everything is read afresh,
so a payment, hold, dispute or promise that was recorded before this moment cancels the effect. Messages become rows of
the outbox here and leave later (tasks.send); calls, questions and reviews become work; a placement is handed over after
the commit (tasks.handoff).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.errors import UsageError
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import StepKind
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor, lock_parties
from tasks.apart import Failure, apart
from tasks.cancelling import cancel_actions
from tasks.checking import unchecked
from tasks.conditions import no_longer_so
from tasks.content import hashes_of
from tasks.current_pack import current_pack
from tasks.effects import OUTCOME, Cohort, carry_out
from tasks.facts import FactFrames
from tasks.handoff import hand_over
from tasks.revalidate import closed_today, objections, offered_meanwhile, silent_today, step_properties
from tasks.seen import Seen, facts_now
from tasks.spacing import crowded_letters, move_days
from tasks.today import looked_at_today, recorded_after

if TYPE_CHECKING:
    from policies.guardrails import GuardrailsFile
    from tasks.engine import Engine

MOST_SHOWN = 100
"""Case ids that a summary lists."""

CANDIDATES = """
SELECT a.id AS action_id, a.case_id, k.party_id, k.debtor_id, a.round_id, a.stage, a.step, a.attempt, a.kind, a.segment,
  a.pack_id, a.occurrence, a.channel, a.template, a.written, COALESCE(a.payer_party_id, k.party_id) AS written_to,
  a.escalating, a.approvals_needed, a.amount,
  a.overdue_amount, a.content_hash, a.due_on, a.business_date, k.currency, false AS own_offer
FROM action a JOIN "case" k ON k.id = a.case_id
WHERE a.creditor_id = {creditor} AND a.state = 'approved' AND k.shard_key % {shards} = {shard} {which}
ORDER BY a.id
"""

NAMED = """
SELECT i.action_id, i.item_id, i.amount FROM action_item i JOIN pg_temp.taken_up t ON t.action_id = i.action_id
"""


@dataclass(frozen=True)
class StepSummary:
    """What became of a cohort: counts by outcome and reason, and at most 100 of its cases."""

    counts: dict[str, int] = field(default_factory=dict)
    case_ids: tuple[int, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Customers whose step could not be taken; everybody else's was."""

    @property
    def total(self) -> int:
        """How many actions were taken up."""
        return sum(self.counts.values())


def execute_step(
    engine: "Engine",
    creditor_id: int,
    segment: str,
    pack_id: int,
    step: str,
    as_of: date,
    now: datetime,
    shard: int = 0,
    shards: int = 1,
    flow_run: str | None = None,
    seen: Seen | None = None,
) -> StepSummary:
    """Give one step's approved actions of one segment and pack version their effect.

    `seen` is what the tick just before saw.

    Raises:
        RefusedError: `as_of` is not the creditor's business date.
    """
    steps = engine.pack(pack_id).journeys[segment].steps
    if step not in steps:
        raise UsageError(f"The journey {segment} has no step {step!r}.", advice=f"One of: {', '.join(steps)}.")
    hands_over = steps[step].kind is StepKind.HANDOFF
    which = f"AND a.segment = '{segment}' AND a.pack_id = {int(pack_id)} AND a.step = '{step}'"
    return _execute(
        engine,
        creditor_id,
        which,
        f"{segment}/{step}",
        as_of,
        now,
        shard,
        shards,
        flow_run,
        seen,
        hands_over=hands_over,
    )


def execute_all(
    engine: "Engine",
    creditor_id: int,
    as_of: date,
    now: datetime,
    shard: int = 0,
    shards: int = 1,
    flow_run: str | None = None,
    seen: Seen | None = None,
) -> StepSummary:
    """The same for every cohort of a creditor's shard at once: what a day by direct calls does."""
    return _execute(engine, creditor_id, "", "all", as_of, now, shard, shards, flow_run, seen, hands_over=True)


def _execute(
    engine: "Engine",
    creditor_id: int,
    which: str,
    title: str,
    as_of: date,
    now: datetime,
    shard: int,
    shards: int,
    flow_run: str | None,
    seen: Seen | None,
    *,
    hands_over: bool,
) -> StepSummary:
    def query(debtors: Sequence[int] | None) -> str:
        among = "" if debtors is None else f"AND k.debtor_id IN ({', '.join(map(str, debtors))})"
        return CANDIDATES.format(
            creditor=int(creditor_id), shard=int(shard), shards=int(shards), which=f"{which} {among}"
        )

    def listed() -> list[int]:
        with engine.database.frames(read_only=True) as frames:
            return frames.read(query(None))["debtor_id"].unique().sort().to_list()

    def part(debtors: Sequence[int] | None) -> tuple[pl.DataFrame, datetime]:
        return _transaction(engine, creditor_id, query(debtors), title, as_of, now, shard, flow_run, seen)

    def with_steps(failure: Failure) -> Failure:
        with engine.database.frames(read_only=True) as frames:
            steps = frames.read(query([failure.debtor_id]))["step"].unique().sort()
        return replace(failure, steps=tuple(steps))

    done, failures = apart(part, listed)
    outcomes = pl.concat([pl.DataFrame(schema=OUTCOME), *(frame for frame, _ in done)])
    if hands_over:
        hand_over(engine, creditor_id, as_of, max((at for _, at in done), default=now), shard, shards, flow_run)
    if not outcomes.is_empty():
        engine.anchor()
    case_ids = outcomes["case_id"].unique().sort().head(MOST_SHOWN)
    return StepSummary(_counts(outcomes), tuple(case_ids), tuple(map(with_steps, failures)))


def _transaction(
    engine: "Engine",
    creditor_id: int,
    query: str,
    title: str,
    as_of: date,
    now: datetime,
    shard: int,
    flow_run: str | None,
    seen: Seen | None,
) -> tuple[pl.DataFrame, datetime]:
    """What became of the actions, and the instant that it was recorded at."""
    with engine.database.frames() as frames:
        lock_creditor(frames, creditor_id, shared=True)
        at = recorded_after(looked_at_today(frames, creditor_id, as_of), now)
        found = frames.read(query)
        if found.is_empty():
            return pl.DataFrame(schema=OUTCOME), at
        lock_parties(frames, pl.concat([found["party_id"], found["written_to"]]))
        actions = frames.read(query)
        if actions.is_empty():
            return pl.DataFrame(schema=OUTCOME), at
        facts = facts_now(frames, creditor_id, as_of, actions["case_id"], [seen] if seen else ())
        outcomes = _take_up(engine, frames, creditor_id, actions, facts, as_of, at)
        if not outcomes.is_empty():
            evidence = engine.store.put_frame("executed", outcomes.sort("action_id"))
            body = {"step": title, "counts": _counts(outcomes), "evidence": evidence, "shard": shard}
            draft = EventDraft(
                "step_executed",
                "engine",
                business_date=as_of,
                creditor_id=creditor_id,
                flow_run=flow_run,
                body=body,
            )
            append_events(frames, [draft], at)
    return outcomes, at


def _take_up(
    engine: "Engine",
    frames: Frames,
    creditor_id: int,
    actions: pl.DataFrame,
    facts: FactFrames,
    as_of: date,
    at: datetime,
) -> pl.DataFrame:
    """(action_id, case_id, outcome, reason) of the actions that were not left for another day."""
    current = engine.pack(current_pack(frames, creditor_id))
    guardrails = current.guardrails
    frames.stage("taken_up", actions.select("action_id"))
    named = frames.read(NAMED)
    properties = step_properties(engine.pack, actions)
    asked = actions.join(properties, on=["pack_id", "segment", "step"], how="left", maintain_order="left")
    against = pl.concat(
        [
            objections(asked, named, facts, guardrails),
            no_longer_so(engine.pack, actions, facts.cases),
            _changed(engine, frames, actions, as_of, at),
        ]
    ).unique("action_id", keep="first", maintain_order=True)
    cancel_actions(frames, against, at, as_of)
    wanted = asked.join(against, on="action_id", how="anti", maintain_order="left")
    countries = facts.cases.select("case_id", "country")
    later = pl.concat(
        [
            closed_today(wanted, countries, guardrails, as_of),
            silent_today(engine.pack, wanted, facts.cases, current, as_of),
            offered_meanwhile(frames, wanted),
        ]
    )
    may_go = wanted.join(later, on="action_id", how="anti", maintain_order="left")
    crowded = crowded_letters(frames, may_go, countries, guardrails.contacts, as_of)
    now_due = may_go.join(crowded, on="action_id", how="anti", maintain_order="left")
    forbidden = _forbidden(frames, now_due, guardrails, as_of)
    cancel_actions(frames, forbidden, at, as_of)
    now_due = now_due.join(forbidden, on="action_id", how="anti", maintain_order="left")
    move_days(frames, now_due, as_of, at)
    cohort = Cohort(engine, frames, creditor_id, now_due, named, facts, as_of, at)
    done = carry_out(cohort)
    cancelled = (
        pl.concat([against, forbidden])
        .join(actions.select("action_id", "case_id"), on="action_id")
        .select("action_id", "case_id", "reason", outcome=pl.lit("cancelled"))
    )
    columns = ["action_id", "case_id", "outcome", "reason"]
    return pl.concat([cancelled.select(columns), done.select(columns)])


def _forbidden(frames: Frames, due: pl.DataFrame, guardrails: "GuardrailsFile", as_of: date) -> pl.DataFrame:
    """(action_id, reason): placements that would go now, were it not for a check (rule 20)."""
    placements = due.filter(pl.col("kind") == StepKind.HANDOFF)["action_id"].to_list()
    forbidden = unchecked(frames, placements, guardrails.placement, as_of)
    return forbidden.to_frame().with_columns(reason=pl.lit(str(SkipReason.CHECK_MISSING)))


def _changed(engine: "Engine", frames: Frames, actions: pl.DataFrame, as_of: date, at: datetime) -> pl.DataFrame:
    """(action_id, reason): what a person approved is no longer what would go out."""
    approved = actions.filter(pl.col("approvals_needed") > 0)
    schema = {"action_id": pl.Int64, "reason": pl.String}
    if approved.is_empty():
        return pl.DataFrame(schema=schema)
    hashes = hashes_of(engine, frames, approved["action_id"].to_list(), as_of, at)
    bound = approved.select("action_id", "content_hash").iter_rows()
    changed = [(action_id, "amount_changed") for action_id, bound_to in bound if hashes.get(action_id) != bound_to]
    return pl.DataFrame(changed, schema=schema, orient="row")


def _counts(outcomes: pl.DataFrame) -> dict[str, int]:
    rows = outcomes.group_by("outcome", "reason").len().sort("outcome", "reason")
    return {f"{outcome} {reason}" if reason else outcome: count for outcome, reason, count in rows.iter_rows()}
