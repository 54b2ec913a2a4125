"""What an item was as of a date: the ledger's columns and the payments, with whatever was known only later left out.

A full or delta file speaks for one day, so an item gets one state. A history is read once: an item gets a state for
each day on which something about it became known, and a later day's ledger is a view of these (rule 14).
"""

from datetime import date

import polars as pl

from maatpak.kernel.words import ItemType, SettledBy

IDENTITY = ("debtor_no", "item_type", "document_no", "issued_on")
"""What an item is, beside its creditor."""

DATED = {
    "disputed_on": ("disputed_amount", "dispute_outcome"),
    "returned_on": ("return_code",),
    "invoice_sent_on": ("invoice_channel",),
    **dict.fromkeys(("ordered_on", "delivered_on", "approved_on"), ()),
}
"""Dates of the ledger before which they, and the columns with them, are not known."""

OPTIONAL: dict[str, type[pl.DataType]] = {
    "open_amount": pl.Int64,
    "settled_on": pl.Date,
    "settled_by": pl.String,
    "disputed": pl.Boolean,
    "disputed_amount": pl.Int64,
    "disputed_on": pl.Date,
    "dispute_outcome": pl.String,
    "reference": pl.String,
    "payment_method": pl.String,
    "collect_on": pl.Date,
    "returned_on": pl.Date,
    "return_code": pl.String,
    "po_number": pl.String,
    "ordered_on": pl.Date,
    "delivered_on": pl.Date,
    "invoice_sent_on": pl.Date,
    "invoice_channel": pl.String,
    "approved_on": pl.Date,
    "document_path": pl.String,
}

STATE = (
    *("due_on", "amount", "open_amount", "settled_on", "settled_by", "settled_estimated", "disputed_amount"),
    *("disputed_on", "dispute_outcome", "reference", "payment_method", "collect_on", "returned_on", "return_code"),
    *("po_number", "ordered_on", "delivered_on", "invoice_sent_on", "invoice_channel", "approved_on"),
    "document_path",
)
"""Columns of an item's version beside its identity, currency and times."""

_NOTHING = str(SettledBy.TRANSFER)
"""How an item of zero is settled: it says nothing of how anybody pays."""

PAYMENT = {
    "payment_no": pl.String,
    "debtor_no": pl.String,
    "document_no": pl.String,
    "paid_on": pl.Date,
    "currency": pl.String,
    "amount": pl.Int64,
    "applied": pl.Int64,
    "item": pl.UInt32,
}
"""Columns of a frame of payments; `item` is the row of the item that each is for."""


def complete_items(items: pl.DataFrame) -> pl.DataFrame:
    """Accepted items with every column there is, amounts without sign, due on or after their issue."""
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in OPTIONAL.items() if name not in items.columns]
    items = items.rename({"document_type": "item_type"}).with_columns(missing)
    disputed = pl.col("disputed").fill_null(pl.col("disputed_amount").abs() > 0).fill_null(value=False)
    disputed = disputed | (pl.col("disputed").is_null() & pl.col("disputed_on").is_not_null())
    amount = pl.col("amount").abs()
    return items.select(
        *IDENTITY,
        "currency",
        amount,
        pl.max_horizontal("due_on", "issued_on").alias("due_on"),
        pl.col("open_amount").abs(),
        pl.when(disputed).then(pl.col("disputed_amount").abs().fill_null(amount)).otherwise(0).alias("disputed_amount"),
        pl.when(disputed).then("disputed_on").alias("disputed_on"),
        *(name for name in OPTIONAL if name not in ("open_amount", "disputed", "disputed_amount", "disputed_on")),
    )


def apply_payments(items: pl.DataFrame, payments: pl.DataFrame, already: pl.DataFrame) -> pl.DataFrame:
    """Payments with the part of each that goes to its item, oldest first; the rest stays unallocated.

    Where the ledger says itself what is open, that is what was paid; else an item takes up to its amount, less what
    `already` (`item`, `applied`) was paid on it before.
    """
    room = items.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("item"), "amount", "open_amount")
    room = room.join(already, on="item", how="left").select(
        "item",
        (pl.col("amount") - pl.col("open_amount").fill_null(0) - pl.col("applied").fill_null(0)).clip(0).alias("room"),
    )
    ordered = payments.sort("paid_on", "payment_no").join(room, on="item", how="left", maintain_order="left")
    until = pl.col("amount").cum_sum().over("item")
    taken = pl.min_horizontal(until, "room") - pl.min_horizontal(until - pl.col("amount"), "room")
    applied = pl.when(pl.col("item").is_not_null()).then(taken).otherwise(0).fill_null(0)
    return ordered.with_columns(applied.alias("applied")).select(*PAYMENT)


def settle_by_payments(items: pl.DataFrame, payments: pl.DataFrame, already: pl.DataFrame) -> pl.DataFrame:
    """Items that the ledger does not date as settled, dated by the payment that covered them."""
    sums = payments.filter(pl.col("item").is_not_null()).group_by("item")
    paid = sums.agg(pl.col("applied").sum().alias("paid"), pl.col("paid_on").max().alias("paid_until"))
    items = items.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("item"))
    items = items.join(paid, on="item", how="left").join(already, on="item", how="left").sort("item")
    covered = (pl.col("paid") + pl.col("applied").fill_null(0)) >= pl.col("amount")
    dated = pl.col("settled_on").is_null() & covered & (pl.col("amount") > 0)
    dated = dated & (pl.col("open_amount").is_null() | (pl.col("open_amount") == 0))
    return items.with_columns(
        pl.when(dated).then("paid_until").otherwise("settled_on").alias("settled_on"),
        pl.when(dated).then(pl.lit(str(SettledBy.PAYMENT))).otherwise("settled_by").alias("settled_by"),
    ).drop("paid", "paid_until", "applied")


def unallocated_items(payments: pl.DataFrame) -> pl.DataFrame:
    """An item of type payment for each payment of which something is left."""
    rest = pl.col("amount") - pl.col("applied")
    left = payments.filter((rest > 0) & pl.col("debtor_no").is_not_null())
    raw = left.select(
        "debtor_no",
        pl.lit(str(ItemType.PAYMENT)).alias("document_type"),
        pl.col("payment_no").alias("document_no"),
        pl.col("paid_on").alias("issued_on"),
        pl.col("paid_on").alias("due_on"),
        "currency",
        rest.alias("amount"),
        rest.alias("open_amount"),
        pl.col("document_no").alias("reference"),
    )
    return complete_items(raw)


def states_as_of(items: pl.DataFrame, payments: pl.DataFrame, already: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One state an item: how it stands as of a date."""
    points = items.select("item", pl.lit(as_of).alias("valid_from"))
    return _states(items, payments, already, points, as_of).select(*IDENTITY, "currency", *STATE)


def history_states(items: pl.DataFrame, payments: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """All states of each item, with `valid_from` and, but for the last one, `replaced_from`."""
    nothing = pl.DataFrame(schema={"item": pl.UInt32, "applied": pl.Int64})
    days = [items.select("item", pl.col(name).alias("valid_from")) for name in ("issued_on", "settled_on", *DATED)]
    days.append(payments.select("item", pl.col("paid_on").alias("valid_from")).drop_nulls())
    undated = (pl.col("disputed_amount") > 0) & pl.col("disputed_on").is_null() & pl.col("settled_on").is_null()
    told_at_the_end = items.filter(pl.col("open_amount").is_not_null() | undated)
    days.append(told_at_the_end.select("item", pl.lit(as_of).alias("valid_from")))
    points = pl.concat(days).drop_nulls().join(items.select("item", "issued_on"), on="item", how="left")
    points = points.select("item", pl.max_horizontal("valid_from", "issued_on").alias("valid_from")).unique()
    states = _states(items, payments, nothing, points, as_of).sort("item", "valid_from")
    disputed_on = pl.when(pl.col("disputed_amount") > 0).then(pl.coalesce("disputed_on", "valid_from"))
    states = states.with_columns(disputed_on.alias("disputed_on"))
    moving = [name for name in STATE if name not in ("due_on", "amount", "reference", "collect_on")]
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1).over("item")) for name in moving)
    first = pl.int_range(pl.len()).over("item") == 0
    states = states.filter(first | ~same)
    return states.with_columns(pl.col("valid_from").shift(-1).over("item").alias("replaced_from"))


def _states(
    items: pl.DataFrame, payments: pl.DataFrame, already: pl.DataFrame, points: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """The state of an item at each of its points in time. Dates after a point do not exist at it."""
    at = pl.col("valid_from")
    paid = (
        points.join(payments.drop_nulls("item").select("item", "paid_on", "applied"), on="item")
        .filter(pl.col("paid_on") <= at)
        .group_by("item", "valid_from")
        .agg(pl.col("applied").sum().alias("paid"))
    )
    states = points.join(items, on="item").join(paid, on=["item", "valid_from"], how="left")
    states = states.join(already, on="item", how="left")
    settled = (pl.col("settled_on") <= at).fill_null(value=False)
    derived = (pl.col("amount") - pl.col("paid").fill_null(0) - pl.col("applied").fill_null(0)).clip(0)
    told = pl.col("open_amount").is_not_null() & (at >= as_of)
    left = pl.when(settled).then(0).when(told).then("open_amount").otherwise(derived)
    states = states.with_columns(left.alias("open_amount"), _dispute_known_on(as_of).alias("known_on"))
    vanished = pl.when(pl.col("amount") > 0).then(pl.lit(str(SettledBy.LEFT_LEDGER))).otherwise(pl.lit(_NOTHING))
    closed, dated = pl.col("open_amount") == 0, (pl.col("settled_on") <= at).fill_null(value=False)
    states = states.with_columns(
        pl.when(closed & dated).then("settled_on").when(closed).then(at).alias("settled_on"),
        pl.when(closed & dated)
        .then(pl.col("settled_by").fill_null(str(SettledBy.PAYMENT)))
        .when(closed)
        .then(pl.coalesce("settled_by", vanished))
        .alias("settled_by"),
        (closed & ~dated).alias("settled_estimated"),
    )
    return states.with_columns(*_not_yet_known(at))


def _dispute_known_on(as_of: date) -> pl.Expr:
    """An undated flag of a settled item counts from the settlement; of an open one, from the file that tells."""
    return pl.coalesce("disputed_on", "settled_on", pl.lit(as_of))


def _not_yet_known(at: pl.Expr) -> list[pl.Expr]:
    hidden = []
    for name, others in DATED.items():
        known_on = "known_on" if name == "disputed_on" else name
        hides = (pl.col(known_on) > at).fill_null(value=False)
        for column in (name, *others):
            nothing = pl.lit(0) if column == "disputed_amount" else pl.lit(None)
            value = pl.coalesce("disputed_on", "settled_on") if column == "disputed_on" else pl.col(column)
            if column == "disputed_on":
                value = pl.when(pl.col("disputed_amount") > 0).then(value)
            hidden.append(pl.when(hides).then(nothing).otherwise(value).alias(column))
    return hidden
