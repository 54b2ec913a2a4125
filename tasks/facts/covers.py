"""What keeps an open item from being asked: placements, disputes, plans, promises, claims, debits in flight, holds.

One row a record and item. A record without items stands with its amount alone and covers the oldest overdue ones.
"""

import polars as pl

from maatpak.kernel.calendars import BANK, shift_working_days
from maatpak.kernel.words import DisputeState, PlanState, PromiseState
from tasks.facts.reading import Reader
from tasks.facts.scope import Scope

COVERS = ("placed", "disputed", "in_plan", "promised", "claimed", "in_flight")
"""In the order in which they take their part of an item."""

LIVE_DISPUTES = (DisputeState.OPEN.value, DisputeState.ACCEPTED.value, DisputeState.PART_ACCEPTED.value)
LIVE_PLANS = (PlanState.OFFERED.value, PlanState.ACTIVE.value)

BUSINESS_DEBIT = "b2b"
"""In the payment method of an item: its debit is final sooner."""
CORE_DAYS, BUSINESS_DAYS = 5, 3
"""Bank days after the collection in which a direct debit may still come back (practice, rule 15)."""

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
    records = reader.rows("disputes").filter(pl.col("state").is_in(LIVE_DISPUTES))
    held = reader.rows("holds").filter(pl.col("scope") == "item").select("item_id").unique()
    recorded = records.group_by("item_id").agg(recorded=pl.sum("amount"))
    known = pl.concat([recorded["item_id"], held["item_id"], flagged["item_id"]]).unique()
    return (
        debts.filter(pl.col("item_id").is_in(known.implode()))
        .select("case_id", "item_id", "open_amount")
        .join(flagged.select("item_id", "flagged"), on="item_id", how="left")
        .join(recorded, on="item_id", how="left")
        .join(held.with_columns(held=pl.lit(value=True)), on="item_id", how="left")
        .with_columns(
            item_amount=pl.when("held").then("open_amount").otherwise(pl.max_horizontal("flagged", "recorded"))
        )
        .select("case_id", "item_id", "item_amount")
    )


def in_flight(debits: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Items whose direct debit is scheduled, or collected and not yet safe; `until_on` is the last day of that."""
    under_way = debits.filter(
        pl.col("collect_on").is_not_null()
        & (pl.col("returned_on").is_null() | (pl.col("returned_on") < pl.col("collect_on")))
    )
    method = under_way["payment_method"].str.to_lowercase()
    business = method.str.contains(BUSINESS_DEBIT, literal=True).fill_null(value=False)
    days = under_way.select(pl.when(business).then(BUSINESS_DAYS).otherwise(CORE_DAYS).alias("days"))["days"]
    return under_way.select(
        "case_id",
        "item_id",
        shift_working_days(under_way["collect_on"], days, BANK).alias("until_on"),
        item_amount="open_amount",
    ).filter(pl.col("until_on") >= scope.as_of)
