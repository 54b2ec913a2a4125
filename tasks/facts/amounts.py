"""What is open, what of it may be asked, each cent once (law 7).

An overdue item's open amount is divided in this order: what a credit note or payment names it for, then placed,
disputed, in plan, promised, claimed paid, in flight; the rest is asked. A credit note takes from the disputed part
first, a payment from the other. What credit notes and payments have left is taken from the oldest asked items.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from maatpak.kernel.words import ItemType
from tasks.facts.collecting import collected, only
from tasks.facts.covers import COVERS, covers, in_flight
from tasks.facts.reading import Reader
from tasks.facts.scope import Scope
from tasks.facts.working_days import bank_day

OLDEST_FIRST = ("case_id", "due_on", "item_id")
LONG_OVERDUE = 60
"""Calendar days past the contractual date."""

DEBT_COLUMNS = ("case_id", "item_id", "item_type", "document_no", "issued_on", "due_on", "amount", "open_amount")
DEBTS = (ItemType.INVOICE.value, ItemType.DEBIT_NOTE.value)


@dataclass(frozen=True)
class Owed:
    """The open items of the scope's cases."""

    debts: pl.DataFrame
    """Invoices and debit notes, oldest first in each case, with the part of each that is covered and asked."""
    credit: pl.DataFrame
    """Credit notes and unallocated payments."""
    debits: pl.DataFrame
    """Those debts that were or are to be collected by direct debit."""
    flagged: pl.DataFrame
    """Those debts that the ledger itself calls disputed."""
    in_flight: pl.DataFrame
    """Those debits that are under way, with `until_on`."""


def owed(reader: Reader, cases: pl.DataFrame) -> Owed:
    """Open items with what may be asked of each."""
    rows = of_cases(reader.take("open_items"), cases)
    is_debt = pl.col("item_type").is_in(DEBTS)
    credit = rows.filter(~is_debt)
    debts = rows.filter(is_debt)
    del rows
    debits = debts.filter(pl.col("collect_on").is_not_null() | pl.col("returned_on").is_not_null())
    flagged = debts.filter(pl.col("flagged") > 0)
    debts = (
        debts.select(DEBT_COLUMNS)
        .sort(OLDEST_FIRST)
        .with_columns(bank_due_on=bank_day("due_on"), overdue=pl.col("due_on") <= reader.scope.last_bank_day)
    )
    flying = in_flight(debits, reader.scope)
    claimed = covers(reader, debts, flagged, flying)
    return Owed(_divided(debts, claimed, credit), credit, debits, flagged, flying)


def of_cases(rows: pl.DataFrame, cases: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Rows of debtors with the case they belong to: the debtor's in their currency."""
    if rows.is_empty():
        return rows.drop("currency").with_columns(cases.clear().select("case_id", *columns))
    keys = cases.select("debtor_id", "case_id", *columns, case_currency="currency")
    found = rows.join(keys, on="debtor_id")
    del rows  # a million of them weigh
    return only(found, found["currency"] == found["case_currency"]).drop("currency", "case_currency")


def _divided(debts: pl.DataFrame, claimed: pl.DataFrame, credit: pl.DataFrame) -> pl.DataFrame:
    """`debts` with a column a cover and `asked`; only the few cases that have anything to net are gone into."""
    plain = pl.when("overdue").then("open_amount").otherwise(0)
    nothing = [pl.lit(0, pl.Int64).alias(cover) for cover in COVERS]
    concerned = pl.concat([claimed["case_id"], credit["case_id"]]).unique()
    if concerned.is_empty():
        return debts.with_columns(*nothing, asked=plain)
    special = debts.filter(pl.col("case_id").is_in(concerned.implode()))
    shares = divide(special, claimed, credit)
    return debts.join(shares, on="item_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("asked", plain).alias("asked"), *(pl.col(cover).fill_null(0) for cover in COVERS)
    )


def divide(debts: pl.DataFrame, claimed: pl.DataFrame, credit: pl.DataFrame) -> pl.DataFrame:
    """`debts` with a column a cover and `asked`."""
    by_record = claimed.lazy()
    unnamed = claimed.filter(pl.col("item_id").is_null())
    pooled = [cover for cover in COVERS if cover in unnamed["cover"]]
    pools = unnamed.lazy().group_by("case_id").agg(_sum_by_cover("amount", "pool", pooled))
    total = credit.lazy().group_by("case_id").agg(pool=pl.sum("open_amount"))
    free, overdue = pl.col("free"), pl.col("overdue")
    divided = (
        debts.lazy()
        .join(_referring(debts, credit), on="item_id", how="left")
        .join(_named(debts.lazy(), by_record), on="item_id", how="left")
        .join(pools, on="case_id", how="left")
        .join(total, on="case_id", how="left")
        .sort(OLDEST_FIRST)
        .with_columns(
            pl.col(
                *("credited", "paid", "pool"),
                *(f"named_{cover}" for cover in COVERS),
                *(f"pool_{cover}" for cover in pooled),
            ).fill_null(0)
        )
        # A referring credit counts up to what is open of its document, credit notes before cash.
        .with_columns(credited=pl.min_horizontal("credited", "open_amount"))
        .with_columns(paid=pl.min_horizontal("paid", pl.col("open_amount") - pl.col("credited")))
        .with_columns(
            free=pl.col("open_amount") - pl.col("credited") - pl.col("paid"),
            named_disputed=(pl.col("named_disputed") - pl.col("credited")).clip(0),
            pool=pl.col("pool") - (pl.col("credited") + pl.col("paid")).sum().over("case_id"),
        )
    )
    for cover in COVERS:
        divided = divided.with_columns(pl.min_horizontal(f"named_{cover}", "free").alias(cover)).with_columns(
            free=free - pl.col(cover)
        )
        if cover in pooled:
            share = _oldest_first(pl.col(f"pool_{cover}"), pl.when(overdue).then(free).otherwise(0))
            divided = divided.with_columns(share=share).with_columns(
                pl.col(cover) + pl.col("share"), free=free - pl.col("share")
            )
    return (
        divided.with_columns(asked=pl.when(overdue).then(free).otherwise(0))
        .with_columns(asked=pl.col("asked") - _oldest_first(pl.col("pool"), pl.col("asked")))
        .select("item_id", "asked", *COVERS)
        .pipe(collected)
    )


def _sum_by_cover(column: str, prefix: str, wanted: Iterable[str]) -> Iterable[pl.Expr]:
    """A column a cover: what its records have in all."""
    return [pl.col(column).filter(pl.col("cover") == cover).sum().alias(f"{prefix}_{cover}") for cover in wanted]


def _oldest_first(pool: pl.Expr, room: pl.Expr) -> pl.Expr:
    """What each row gets of its case's pool when the first rows get theirs first."""
    before = room.cum_sum().over("case_id") - room
    return pl.min_horizontal((pool - before).clip(0), room)


def _referring(debts: pl.DataFrame, credit: pl.DataFrame) -> pl.LazyFrame:
    """(item_id, credited, paid): what credit notes and payments name a debt for; of several so numbered the oldest."""
    referring = credit.lazy().filter(pl.col("reference").is_not_null())
    documents = (
        debts.lazy()
        .select("case_id", "document_no", "item_id")
        .unique(["case_id", "document_no"], keep="first", maintain_order=True)
    )
    is_note = pl.col("item_type") == ItemType.CREDIT_NOTE.value
    return (
        referring.join(
            documents, left_on=["case_id", "reference"], right_on=["case_id", "document_no"], suffix="_named"
        )
        .group_by(pl.col("item_id_named").alias("item_id"))
        .agg(credited=pl.col("open_amount").filter(is_note).sum(), paid=pl.col("open_amount").filter(~is_note).sum())
    )


def _named(debts: pl.LazyFrame, claimed: pl.LazyFrame) -> pl.LazyFrame:
    """(item_id, named_…): what records take of the items they name, oldest first within what a record has left."""
    room = pl.min_horizontal("item_amount", "open_amount")
    before = pl.col("room").cum_sum().over("cover", "record_id") - pl.col("room")
    limited = pl.min_horizontal((pl.col("amount") - before).clip(0), "room")
    return (
        claimed.filter(pl.col("item_id").is_not_null())
        .join(debts.select("item_id", "due_on", "open_amount"), on="item_id")
        .sort("cover", "record_id", "due_on", "item_id")
        .with_columns(room=room)
        .with_columns(share=pl.when(pl.col("amount").is_null()).then("room").otherwise(limited))
        .group_by("item_id")
        .agg(_sum_by_cover("share", "named", COVERS))
    )


def case_amounts(amounts: Owed, scope: Scope) -> pl.DataFrame:
    """One row a case with anything open: the facts of its amounts, and what its open documents tell of the relation."""
    is_overdue = pl.col("overdue")
    overdue = pl.when(is_overdue).then("open_amount").otherwise(0)
    long_overdue = pl.col("due_on") < scope.days_ago(LONG_OVERDUE)
    issued = pl.col("issued_on") > scope.months_ago(12)
    debts = (
        amounts.debts.lazy()
        .select(
            *("case_id", "open_amount", "asked", "placed", "issued_on"),
            overdue_open=overdue,
            over_60=pl.when(long_overdue & is_overdue).then("open_amount").otherwise(0),
            is_overdue=is_overdue.cast(pl.Int64),
            invoice=(pl.col("item_type") == ItemType.INVOICE.value).cast(pl.Int64),
            issued=pl.when(issued).then("amount").otherwise(0),
            **{cover: pl.when(is_overdue).then(cover).otherwise(0) for cover in COVERS if cover != "placed"},
        )
        .group_by("case_id", maintain_order=True)
        .agg(
            pl.sum("overdue_open"),
            not_due_open=pl.sum("open_amount") - pl.sum("overdue_open"),
            disputed_open=pl.sum("disputed"),
            in_plan_open=pl.sum("in_plan"),
            debits_in_flight=pl.sum("in_flight"),
            promised_open=pl.sum("promised"),
            claimed_paid_open=pl.sum("claimed"),
            placed_open=pl.sum("placed"),
            asked_amount=pl.sum("asked"),
            largest_item=pl.max("open_amount"),
            overdue_over_60=pl.sum("over_60"),
            items_overdue=pl.sum("is_overdue"),
            open_since=pl.min("issued_on"),
            open_invoices=pl.sum("invoice"),
            open_issued=pl.sum("issued"),
        )
        .pipe(collected)
    )
    is_note = pl.col("item_type") == ItemType.CREDIT_NOTE.value
    credit = amounts.credit.group_by("case_id").agg(
        credit_notes_open=pl.col("open_amount").filter(is_note).sum(),
        cash_unallocated=pl.col("open_amount").filter(~is_note).sum(),
        credit_issued=pl.col("amount").filter(is_note & issued).sum(),
        credit_since=pl.min("issued_on"),
        credit_money_on=pl.col("issued_on").filter(~is_note).max(),
    )
    return debts.join(credit, on="case_id", how="full", coalesce=True)
