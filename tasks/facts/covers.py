"""What keeps an open item from being asked: placements, disputes, plans, promises, claims, debits in flight, holds.

One row a record and item. A record without items stands with its amount alone and covers the oldest overdue ones.
"""

import polars as pl

from maatpak.kernel.calendars import BANK, shift_working_days
from maatpak.kernel.words import DisputeState, PlanState, PromiseState
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.scope import Scope

COVERS = ("placed", "disputed", "in_plan", "promised", "claimed", "in_flight")
"""In the order in which they take their part of an item."""

LIVE_DISPUTES = (DisputeState.OPEN.value, DisputeState.ACCEPTED.value, DisputeState.PART_ACCEPTED.value)
LIVE_PLANS = (PlanState.OFFERED.value, PlanState.ACTIVE.value)

BUSINESS_DEBIT = "b2b"
"""In the payment method of an item: its debit is final sooner."""
CORE_DAYS, BUSINESS_DAYS = 5, 3
"""Bank days after the collection in which a direct debit may still come back (rule 15)."""

SCHEMA = {
    "cover": pl.String,
    "record_id": pl.Int64,
    "case_id": pl.Int64,
    "item_id": pl.Int64,
    "amount": pl.Int64,
    "item_amount": pl.Int64,
}


def covers(reader: Reader, debts: pl.DataFrame, flagged: pl.DataFrame, flying: pl.DataFrame) -> pl.DataFrame:
    """Every record that covers anything: `amount` is what it has in all (null: as much as its items say)."""
    found = [
        ("placed", reader.rows("placements")),
        ("in_plan", reader.rows("plans").filter(pl.col("state").is_in(LIVE_PLANS) & pl.col("item_id").is_not_null())),
        ("promised", reader.rows("promises").filter(pl.col("state") == PromiseState.OPEN.value)),
        ("claimed", reader.rows("claims")),
        ("disputed", _disputed(reader, debts, flagged)),
        ("in_flight", flying),
    ]
    rows = [_shaped(frame, cover) for cover, frame in found if not frame.is_empty()]
    return pl.concat(rows) if rows else pl.DataFrame(schema=SCHEMA)


def _shaped(frame: pl.DataFrame, cover: str) -> pl.DataFrame:
    missing = [pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if name not in frame.columns]
    return frame.with_columns(*missing).with_columns(cover=pl.lit(cover)).select(list(SCHEMA))


def _disputed(reader: Reader, debts: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """The larger of what our records and the ledger's flag dispute of an item; all of it under a hold of its own."""
    records = reader.rows("disputes")
    holds = reader.rows("holds")
    if records.is_empty() and holds.is_empty() and flagged.is_empty():
        return debts.clear()
    live = records.lazy().filter(pl.col("state").is_in(LIVE_DISPUTES))
    recorded = live.group_by("item_id").agg(recorded=pl.sum("amount"))
    held = holds.lazy().filter(pl.col("scope") == "item").select("item_id", held=pl.lit(value=True)).unique()
    known = pl.concat([records["item_id"], holds["item_id"], flagged["item_id"]]).unique()
    amount = pl.when("held").then("open_amount").otherwise(pl.max_horizontal("flagged", "recorded"))
    return (
        debts.filter(pl.col("item_id").is_in(known.implode()))
        .lazy()
        .select("case_id", "item_id", "open_amount")
        .join(flagged.lazy().select("item_id", "flagged"), on="item_id", how="left")
        .join(recorded, on="item_id", how="left")
        .join(held, on="item_id", how="left")
        .select("case_id", "item_id", item_amount=amount)
        .filter(pl.col("item_amount") > 0)
        .pipe(collected)
    )


def in_flight(debits: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Items whose direct debit is scheduled, or collected and not yet safe; `until_on` is the last day of that."""
    columns = ("case_id", "item_id", "until_on", "item_amount")
    if debits.is_empty():
        return debits.select("case_id", "item_id", until_on="collect_on", item_amount="open_amount")
    not_back = pl.col("returned_on").is_null() | (pl.col("returned_on") < pl.col("collect_on"))
    method = pl.col("payment_method").str.to_lowercase()
    business = method.str.contains(BUSINESS_DEBIT, literal=True).fill_null(value=False)
    until_on = pl.map_batches(
        ["collect_on", "days"], lambda given: shift_working_days(given[0], given[1], BANK), return_dtype=pl.Date
    )
    return (
        debits.lazy()
        .filter(pl.col("collect_on").is_not_null() & not_back)
        .with_columns(days=pl.when(business).then(BUSINESS_DAYS).otherwise(CORE_DAYS))
        .with_columns(until_on=until_on, item_amount="open_amount")
        .filter(pl.col("until_on") >= scope.as_of)
        .select(columns)
        .pipe(collected)
    )
