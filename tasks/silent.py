"""Silence, with its cause: items long overdue about which nothing was done. Auditors test omission too."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.calendars import count_working_days, shift_working_days
from maatpak.ledger.database import Frames
from tasks.tick import look

if TYPE_CHECKING:
    from tasks.engine import Engine

SILENT_AFTER = 10
"""Working days past D, and working days without an action, after which silence is told of."""

LAST_ACTIONS = """
SELECT case_id, max(COALESCE(executed_on, started_on, business_date)) AS last_on FROM action
WHERE creditor_id = {creditor} AND state IN ('awaiting_approval', 'approved', 'in_progress', 'executed')
  AND business_date <= DATE '{day}' GROUP BY case_id
"""

SET_APART = """
SELECT q.debtor_no, q.raw ->> 'document_no' AS document_no, q.rules, q.business_date FROM quarantined_row q
WHERE q.creditor_id = {creditor} AND q.state = 'open' AND q.table_name = 'items' ORDER BY q.id
"""

NAMES = "SELECT id AS debtor_id, debtor_no FROM debtor WHERE creditor_id = {creditor}"


@dataclass(frozen=True)
class Silence:
    """The long overdue items without an action, each with the cause, and the rows that wait in quarantine."""

    items: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]


def silent_items(engine: "Engine", creditor_id: int, as_of: date, now: datetime) -> Silence:
    """Items overdue for over ten working days whose case has had no action for as long, as of a date."""
    shards = engine.settings.shards
    with engine.database.frames(read_only=True) as frames:
        last = frames.read(LAST_ACTIONS.format(creditor=int(creditor_id), day=as_of))
        names = frames.read(NAMES.format(creditor=int(creditor_id)))
        quarantined = frames.read(SET_APART.format(creditor=int(creditor_id))).to_dicts()
        parts = [_shard(engine, frames, creditor_id, as_of, now, shard, shards, last) for shard in range(shards)]
    items = pl.concat(parts).join(names, on="debtor_id", how="left")
    shown = items.select(
        "debtor_no", "document_no", "currency", "open_amount", "due_on", "overdue_wd", "last_on", "cause", "detail",
        "next_step", "next_on",
    ).sort("open_amount", "debtor_no", "document_no", descending=[True, False, False])  # fmt: skip
    return Silence(shown.to_dicts(), quarantined)


def _shard(
    engine: "Engine",
    frames: Frames,
    creditor_id: int,
    as_of: date,
    now: datetime,
    shard: int,
    shards: int,
    last: pl.DataFrame,
) -> pl.DataFrame:
    seen = look(engine, frames, creditor_id, as_of, now, shard, shards)
    countries = seen.facts.cases.select("case_id", "debtor_id", "currency", "country")
    items = (
        seen.facts.items.filter(pl.col("overdue")).join(countries, on="case_id").join(last, on="case_id", how="left")
    )
    items = items.with_columns(
        overdue_wd=count_working_days(items["bank_due_on"], as_of, items["country"]),
        quiet_since=shift_working_days(items["last_on"], SILENT_AFTER, items["country"]),
    ).filter((pl.col("overdue_wd") > SILENT_AFTER) & (pl.col("last_on").is_null() | (pl.col("quiet_since") < as_of)))
    decided = seen.decisions.cases.select(
        "case_id", "next_step", "next_on", "detail",
        cause=pl.when(pl.col("outcome") == "act").then(pl.format("{} is due", "step")).otherwise("reason"),
    )  # fmt: skip
    covers = [
        pl.when(pl.col(name) > 0).then(pl.lit(name))
        for name in ("placed", "disputed", "in_plan", "promised", "claimed")
    ]
    # What covers the item itself says more than what the case waits for.
    return items.join(decided, on="case_id", how="left").with_columns(cause=pl.coalesce(*covers, pl.col("cause")))
