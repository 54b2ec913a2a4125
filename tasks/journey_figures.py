"""The numbers on a drawn journey: how many cases stand at each step, what passed through, and what blocks.

They are worked out once a business date, from what its ticks decided and from the steps of the last 90 days, and kept;
a page reads a few rows of one index. Running the day again works them out anew.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlmodel import Session, col, func, select

from maatpak.kernel.calendars import count_working_days, shift_working_days
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from maatpak.ledger.tables import JourneyFigure
from tasks.facts.collecting import collected

if TYPE_CHECKING:
    from tasks.engine import Engine

FLOW_DAYS = 90
"""Calendar days that flow, times and cash look back upon."""
CASH_WITHIN = 10
"""Working days after a step in which money counts as having come after it."""

STANDING = "standing"
"""Cases with a round that have come to the step: it is taken today, under way, or the next."""
BLOCKED = "blocked"
"""Of these the ones that get nothing today, by reason."""
TAKEN = "taken"
"""How often it was executed in the last 90 days."""
MEDIAN_WAIT = "median_wait"
"""Median working days since the step executed before it in the round, by that step; those of the last 90 days."""
CASH = "cash"
"""Money that came within 10 working days after it on the items that it named, by currency; executed in those days."""

KEYS = ("segment", "pack_id", "step")
ROWS = {
    "segment": pl.String,
    "pack_id": pl.Int64,
    "step": pl.String,
    "name": pl.String,
    "key": pl.String,
    "value": pl.Int64,
}

SINGLE_LOCK = "SELECT pg_advisory_xact_lock(hashtext('maatpak:journeys:{creditor}'))"

DECIDED = """
SELECT DISTINCT ON (shard) decisions_evidence FROM tick
WHERE creditor_id = {creditor} AND business_date = DATE '{day}' ORDER BY shard, id DESC
"""
"""The last look at each shard: it saw what had been proposed before."""
OF_DECISIONS = ("segment", "pack_id", "round_id", "opens_round", "outcome", "step", "next_step", "reason")

EXECUTED = """
SELECT c.country, a.id AS action_id, a.round_id, a.segment, a.pack_id, a.step, a.executed_on
FROM creditor c LEFT JOIN action a ON a.creditor_id = c.id AND a.business_date > DATE '{day}' - 2 * {flow}
  AND a.state = 'executed' AND a.executed_on <= DATE '{day}'
WHERE c.id = {creditor}
"""
"""One row without an action where nothing was."""

MONEY = """
WITH named AS (
  SELECT a.id AS action_id, a.executed_on, i.item_id, t.currency, i.amount
  FROM action a JOIN action_item i ON i.action_id = a.id JOIN item t ON t.id = i.item_id
  WHERE a.creditor_id = {creditor} AND a.business_date > DATE '{day}' - 2 * {flow} AND a.state = 'executed'
    AND a.executed_on > DATE '{day}' - {flow} AND a.executed_on <= DATE '{day}')
SELECT n.action_id, n.currency, p.id AS payment_id, n.item_id, p.paid_on, p.applied FROM named n
JOIN payment p ON p.creditor_id = {creditor} AND p.item_id = n.item_id AND p.paid_on > n.executed_on
  AND p.paid_on <= DATE '{day}' AND p.valid_from <= DATE '{day}'
UNION ALL
SELECT n.action_id, n.currency, NULL, n.item_id, v.settled_on, n.amount FROM named n
JOIN item_version v ON v.creditor_id = {creditor} AND v.item_id = n.item_id AND v.replaced_at IS NULL
  AND v.open_amount = 0 AND v.settled_on > n.executed_on AND v.settled_on <= DATE '{day}'
  AND COALESCE(v.settled_by, 'payment') IN ('payment', 'debit')
WHERE NOT EXISTS (SELECT 1 FROM payment p WHERE p.item_id = v.item_id)
"""
"""What came after a step on the items that it named: payments, and what a ledger without payments says is paid."""


@dataclass(frozen=True)
class StepFigures:
    """The numbers of one step."""

    standing: int = 0
    taken: int = 0
    blocked: dict[str, int] = field(default_factory=dict)
    """Reason → cases, the commonest first."""
    median_wait: dict[str, int] = field(default_factory=dict)
    """Step before → working days."""
    cash: dict[str, int] = field(default_factory=dict)
    """Currency → minor units."""


@dataclass(frozen=True)
class JourneyFigures:
    """The numbers of a segment's journey: of one version of the pack, or of all together (`pack_id` null)."""

    creditor_id: int
    segment: str
    pack_id: int | None
    as_of: date | None
    """The last business date that they were worked out for; None if they never were."""
    steps: dict[str, StepFigures]
    """By step; the name is empty where a case has come to the end. A step without numbers is not there."""


def keep_journey_figures(engine: "Engine", creditor_id: int, as_of: date) -> int:
    """Work a business date's numbers out and keep them, in place of those that it had; how many there are."""
    whose = f"{int(creditor_id)}, DATE '{as_of}'"
    with engine.database.frames() as frames:
        frames.execute(SINGLE_LOCK.format(creditor=int(creditor_id)))
        ticks = frames.read(DECIDED.format(creditor=int(creditor_id), day=as_of))["decisions_evidence"]
        decisions = [engine.store.get_frame(key, columns=OF_DECISIONS) for key in ticks]
        rows = _worked_out(frames, creditor_id, as_of, decisions)
        frames.execute(f"DELETE FROM journey_figure WHERE (creditor_id, as_of) = ({whose})")  # noqa: S608 - typed literals
        if rows:
            listed = ", ".join(
                f"({whose}, {quoted(segment)}, {pack_id}, {', '.join(map(quoted, words))}, {value})"
                for segment, pack_id, *words, value in rows
            )
            frames.execute(
                f"INSERT INTO journey_figure (creditor_id, as_of, {', '.join(ROWS)}) VALUES {listed}"  # noqa: S608
            )
    return len(rows)


def _worked_out(frames: Frames, creditor_id: int, as_of: date, decisions: list[pl.DataFrame]) -> list[tuple[Any, ...]]:
    """The values of `ROWS`. `decisions`: those of the day's ticks (tasks.proposal)."""
    marks = {"creditor": int(creditor_id), "day": as_of, "flow": FLOW_DAYS}
    executed = frames.read(EXECUTED.format(**marks)).cast({"executed_on": pl.Date})
    country = executed["country"].item(0)
    executed = executed.drop_nulls("action_id")
    parts = [_standing(pl.concat(decisions).lazy())] if decisions else []
    if not executed.is_empty():
        flowed = executed.filter(pl.col("executed_on") > as_of - timedelta(days=FLOW_DAYS))
        parts += [_counted(flowed.lazy(), TAKEN, pl.lit("")), _waits(executed, as_of, country)]
        money = frames.read(MONEY.format(**marks)).cast({"paid_on": pl.Date})
        if not money.is_empty():
            parts.append(_cash(flowed, money, country))
    return collected(pl.concat(parts)).rows() if parts else []


def journey_figures(session: Session, creditor_id: int, segment: str, pack_id: int | None = None) -> JourneyFigures:
    """The numbers of a segment's journey as they were last worked out.

    Over all versions of the pack, counts and money are summed up, and of the waits the longest is given.
    """
    last = select(func.max(JourneyFigure.as_of)).where(JourneyFigure.creditor_id == creditor_id)
    as_of = session.exec(last).one()
    query = select(JourneyFigure).where(
        JourneyFigure.creditor_id == creditor_id, JourneyFigure.as_of == as_of, JourneyFigure.segment == segment
    )
    if pack_id is not None:
        query = query.where(JourneyFigure.pack_id == pack_id)
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for row in session.exec(query.order_by(col(JourneyFigure.value).desc(), col(JourneyFigure.key))):
        present = found[row.step][row.name]
        present[row.key] = max(present[row.key], row.value) if row.name == MEDIAN_WAIT else present[row.key] + row.value
    steps = {
        step: StepFigures(
            standing=names[STANDING][""],
            taken=names[TAKEN][""],
            blocked=dict(names[BLOCKED]),
            median_wait=dict(names[MEDIAN_WAIT]),
            cash=dict(names[CASH]),
        )
        for step, names in sorted(found.items())
    }
    return JourneyFigures(creditor_id, segment, pack_id, as_of, steps)


def _standing(decided: pl.LazyFrame) -> pl.LazyFrame:
    inside = decided.filter(pl.col("round_id").is_not_null() | pl.col("opens_round")).with_columns(
        step=pl.when(pl.col("outcome") == "act").then("step").otherwise("next_step").fill_null("")
    )
    idle = inside.filter(pl.col("outcome") != "act")
    return pl.concat([_counted(inside, STANDING, pl.lit("")), _counted(idle, BLOCKED, pl.col("reason"))])


def _counted(rows: pl.LazyFrame, name: str, key: pl.Expr) -> pl.LazyFrame:
    return _kept(rows.group_by(*KEYS, key=key).agg(value=pl.len()), name)


def _kept(figures: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return figures.select(
        pl.lit(name).alias(each) if each == "name" else pl.col(each).cast(ROWS[each]) for each in ROWS
    )


def _waits(executed: pl.DataFrame, as_of: date, country: str) -> pl.LazyFrame:
    """From each step to the next one that was executed in the same round."""
    ordered = executed.drop_nulls("round_id").sort("round_id", "executed_on", "action_id")
    pairs = ordered.with_columns(
        before=pl.col("step").shift().over("round_id"), since=pl.col("executed_on").shift().over("round_id")
    ).filter(pl.col("before").is_not_null() & (pl.col("executed_on") > as_of - timedelta(days=FLOW_DAYS)))
    waited = count_working_days(pairs["since"], pairs["executed_on"], country).rename("waited")
    medians = pairs.lazy().with_columns(waited).group_by(*KEYS, key="before").agg(value=pl.median("waited").round())
    return _kept(medians, MEDIAN_WAIT)


def _cash(flowed: pl.DataFrame, money: pl.DataFrame, country: str) -> pl.LazyFrame:
    """Money on the items that a step named, from the day after it on; each payment once a step, however often that was
    taken."""
    until = shift_working_days(flowed["executed_on"], CASH_WITHIN, country).rename("until")
    came = (
        flowed.lazy()
        .with_columns(until)
        .join(money.lazy(), on="action_id")
        .filter(pl.col("paid_on") <= pl.col("until"))
    )
    once = came.select(*KEYS, "currency", "payment_id", "item_id", "paid_on", "applied").unique()
    return _kept(once.group_by(*KEYS, key="currency").agg(value=pl.sum("applied")), CASH)
