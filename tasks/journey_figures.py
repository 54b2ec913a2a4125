"""The numbers on a drawn journey: how many cases stand at each step, what passed through, and what blocks.

They are worked out once a business date, from what its ticks decided and from the steps of the last 90 days, and kept;
a page reads a few rows of one index. Running the day again works them out anew.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl
from sqlmodel import Session, col, func, select

from maatpak.kernel.calendars import count_working_days, shift_working_days
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor
from maatpak.ledger.tables import JourneyFigure

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

DECIDED = """
SELECT DISTINCT ON (shard) decisions_evidence FROM tick
WHERE creditor_id = {creditor} AND business_date = DATE '{day}' ORDER BY shard, id DESC
"""
"""The last look at each shard: it saw what had been proposed before."""

EXECUTED = """
SELECT a.id AS action_id, a.round_id, a.segment, a.pack_id, a.step, a.executed_on FROM action a
WHERE a.creditor_id = {creditor} AND a.business_date > DATE '{day}' - 2 * {flow} AND a.state = 'executed'
  AND a.executed_on <= DATE '{day}'
"""

NAMED = """
SELECT i.action_id, i.item_id, t.currency, i.amount FROM pg_temp.flowed f JOIN action_item i USING (action_id)
JOIN item t ON t.id = i.item_id
"""

PAID = """
SELECT p.item_id, p.paid_on, p.applied FROM payment p
WHERE p.creditor_id = {creditor} AND p.item_id IS NOT NULL AND p.paid_on > DATE '{day}' - {flow}
  AND p.paid_on <= DATE '{day}' AND p.valid_from <= DATE '{day}'
"""

SETTLED = """
SELECT v.item_id, v.settled_on AS paid_on FROM item_version v
WHERE v.creditor_id = {creditor} AND v.replaced_at IS NULL AND v.open_amount = 0
  AND v.settled_on > DATE '{day}' - {flow} AND v.settled_on <= DATE '{day}'
  AND COALESCE(v.settled_by, 'payment') IN ('payment', 'debit')
  AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.item_id = v.item_id)
"""
"""Items that a ledger without payments says are paid."""


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
    with engine.database.frames() as frames:
        lock_creditor(frames, creditor_id, shared=True)
        ticks = frames.read(DECIDED.format(creditor=int(creditor_id), day=as_of))["decisions_evidence"]
        decisions = [engine.store.get_frame(key) for key in ticks]
        rows = work_out(frames, creditor_id, as_of, decisions)
        frames.execute(
            f"DELETE FROM journey_figure WHERE creditor_id = {int(creditor_id)} AND as_of = DATE '{as_of}'"  # noqa: S608
        )
        if not rows.is_empty():
            frames.stage("new_figure", rows)
            listed = ", ".join(ROWS)
            frames.execute(
                f"INSERT INTO journey_figure (creditor_id, as_of, {listed})"  # noqa: S608 - names of our own columns
                f" SELECT {int(creditor_id)}, DATE '{as_of}', {listed} FROM pg_temp.new_figure"
            )
    return rows.height


def work_out(frames: Frames, creditor_id: int, as_of: date, decisions: list[pl.DataFrame]) -> pl.DataFrame:
    """segment, pack_id, step, name, key, value. `decisions`: those of the day's ticks (tasks.proposal)."""
    marks = {"creditor": int(creditor_id), "day": as_of, "flow": FLOW_DAYS}
    country = frames.read(f"SELECT country FROM creditor WHERE id = {int(creditor_id)}").item()  # noqa: S608
    executed = frames.read(EXECUTED.format(**marks)).cast({"executed_on": pl.Date})
    flowed = executed.filter(pl.col("executed_on") > as_of - timedelta(days=FLOW_DAYS))
    parts = [_standing(pl.concat(decisions))] if decisions else []
    parts.append(_counted(flowed, TAKEN, pl.lit("")))
    parts.append(_waits(executed, as_of, country))
    if not flowed.is_empty():
        frames.stage("flowed", flowed.select("action_id"))
        named = frames.read(NAMED)
        paid = frames.read(PAID.format(**marks)).cast({"paid_on": pl.Date})
        settled = frames.read(SETTLED.format(**marks)).cast({"paid_on": pl.Date})
        parts.append(_cash(flowed, named, paid, settled, country))
    return pl.concat([part.select(list(ROWS)).cast(pl.Schema(ROWS)) for part in parts])


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


def _standing(decided: pl.DataFrame) -> pl.DataFrame:
    inside = decided.filter(pl.col("round_id").is_not_null() | pl.col("opens_round")).with_columns(
        step=pl.when(pl.col("outcome") == "act").then("step").otherwise("next_step").fill_null("")
    )
    idle = inside.filter(pl.col("outcome") != "act")
    return pl.concat([_counted(inside, STANDING, pl.lit("")), _counted(idle, BLOCKED, pl.col("reason"))])


def _counted(rows: pl.DataFrame, name: str, key: pl.Expr) -> pl.DataFrame:
    counted = rows.group_by(*KEYS, key=key.cast(pl.String)).agg(value=pl.len())
    return counted.with_columns(name=pl.lit(name)).select(list(ROWS)).cast(pl.Schema(ROWS))


def _waits(executed: pl.DataFrame, as_of: date, country: str) -> pl.DataFrame:
    """From each step to the next one that was executed in the same round."""
    ordered = executed.drop_nulls("round_id").sort("round_id", "executed_on", "action_id")
    pairs = ordered.with_columns(
        before=pl.col("step").shift().over("round_id"), since=pl.col("executed_on").shift().over("round_id")
    ).filter(pl.col("before").is_not_null() & (pl.col("executed_on") > as_of - timedelta(days=FLOW_DAYS)))
    waited = count_working_days(pairs["since"], pairs["executed_on"], country).rename("waited")
    medians = pairs.with_columns(waited).group_by(*KEYS, key="before").agg(value=pl.median("waited").round())
    return medians.with_columns(name=pl.lit(MEDIAN_WAIT))


def _cash(
    flowed: pl.DataFrame, named: pl.DataFrame, paid: pl.DataFrame, settled: pl.DataFrame, country: str
) -> pl.DataFrame:
    """Money on the items that a step named, from the day after it on; on each of them once a step, however often it
    was taken."""
    until = shift_working_days(flowed["executed_on"], CASH_WITHIN, country).rename("until")
    asked = flowed.with_columns(until).join(named, on="action_id")
    whole = asked.join(settled, on="item_id").with_columns(applied="amount")
    money = pl.concat(
        [
            each.select(*KEYS, "item_id", "currency", "paid_on", "applied", "executed_on", "until")
            for each in (asked.join(paid, on="item_id"), whole)
        ]
    ).filter((pl.col("paid_on") > pl.col("executed_on")) & (pl.col("paid_on") <= pl.col("until")))
    once = money.select(*KEYS, "item_id", "currency", "paid_on", "applied").unique()
    return once.group_by(*KEYS, key="currency").agg(value=pl.sum("applied")).with_columns(name=pl.lit(CASH))
