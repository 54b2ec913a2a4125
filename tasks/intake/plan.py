"""From accepted rows to what is to be written: states of items, payments and what they settle, and who left the ledger.

Pure: frames in, frames out. The database's part is in what is known before, and in `writing`.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from connectors.ledgers.columns import TABLES
from connectors.ledgers.raw import ROW_BROKEN, ROW_CUT_OFF
from maatpak.kernel.ids import shard_key
from maatpak.kernel.words import ItemType, SettledBy
from tasks.intake.known import Known
from tasks.intake.sifting import Sifted
from tasks.intake.states import (
    DATED,
    IDENTITY,
    PAYMENT,
    STATE,
    apply_payments,
    complete_items,
    history_states,
    settle_by_payments,
    states_as_of,
    unallocated_items,
)
from tasks.quality.common_rules import Import
from tasks.quality.debtor_rules import MAIL_ADDRESS, PHONE_NUMBER

LEFT = {
    "id": pl.Int64,
    "open_amount": pl.Int64,
    "settled_on": pl.Date,
    "settled_by": pl.String,
    "settled_estimated": pl.Boolean,
    "left_after": pl.Date,
}
"""Columns of the current versions that are closed or reduced without a row of their own in the file."""

NOTHING_BEFORE = {"item": pl.UInt32, "applied": pl.Int64}


@dataclass(frozen=True)
class Plan:
    """What one import writes for one creditor."""

    debtors: pl.DataFrame
    """`debtor_no`, `party_ref`, `shard_key`, `valid_from`, `replaced_from` and the columns of the profile."""
    items: pl.DataFrame
    """`debtor_no` … `issued_on`, `currency`, the columns of the state, `valid_from`, `replaced_from`, `is_first`."""
    payments: pl.DataFrame
    """Payments with the identity of the item that each is for, or its `item_id`."""
    left: pl.DataFrame
    """Current versions that end without a row of their own."""
    cases: pl.DataFrame
    """`debtor_no`, `currency`, `since`."""
    contacts: pl.DataFrame
    tickets: pl.DataFrame
    balances: dict[str, int]
    """Open by currency as of the day, what we owe counted against it."""
    last_date: date
    """The day that the ledger speaks for: of a history, its last one."""


def plan_import(sifted: Sifted, about: Import, known: Known, paid_before: pl.DataFrame) -> Plan:
    """Decide what is written. `paid_before` (`item_id`, `applied`) is what a delta adds to."""
    earlier = sifted.payments_before
    items = complete_items(sifted.accepted["items"]) if "items" in sifted.accepted else _no_items()
    given = about.source.gives("items", "open_amount")
    payments = _with_items(sifted.accepted.get("payments"), items)
    as_of = max([about.as_of, *_dates(items, payments)]) if about.is_history else about.as_of
    payments, before = payments.filter(pl.col("paid_on") <= as_of), _nothing_before()
    if about.source.mode == "delta":
        payments = payments.join(earlier, on="payment_no", how="anti")
        before = _paid_on(items, known, paid_before)
    payments = apply_payments(items, payments, before)
    items = settle_by_payments(items, payments, before)
    loose = payments.clear() if given else payments.filter(pl.col("item").is_not_null() | _names_nothing())
    rest = unallocated_items(loose)
    if rest.height:
        rest = rest.with_columns((pl.int_range(pl.len()) + items.height).cast(pl.UInt32).alias("item"))
        items = pl.concat([items, rest], how="diagonal_relaxed")
    if about.is_history:
        states = history_states(items, payments, as_of)
        states = states.with_columns((pl.int_range(pl.len()).over("item") == 0).alias("is_first"))
    else:
        items = _disputed_before(items, known, as_of)
        states = states_as_of(items, payments, before, as_of).with_columns(
            pl.lit(as_of).alias("valid_from"),
            pl.lit(None, dtype=pl.Date).alias("replaced_from"),
            pl.lit(value=True).alias("is_first"),
        )
    columns = (*IDENTITY, "currency", *STATE, "valid_from", "replaced_from", "is_first")
    # In the order of the indexes, which makes a million rows cost half.
    states = states.select(columns).sort(*IDENTITY, "valid_from")
    return Plan(
        debtors=_profiles(sifted.accepted.get("debtors"), about, known, states),
        items=states,
        payments=_identified(payments, items, known, as_of, is_history=about.is_history),
        left=_left(states, payments.join(earlier, on="payment_no", how="anti"), sifted.set_apart(), about, known),
        cases=states.group_by("debtor_no", "currency", maintain_order=True).agg(
            pl.col("valid_from").min().alias("since")
        ),
        contacts=_beside(sifted.accepted.get("contacts"), "contacts"),
        tickets=_beside(sifted.accepted.get("tickets"), "tickets"),
        balances=_balances(states),
        last_date=as_of,
    )


def _no_items() -> pl.DataFrame:
    kinds = {"debtor_no": pl.String, "document_type": pl.String, "document_no": pl.String, "issued_on": pl.Date}
    return complete_items(pl.DataFrame(schema={**kinds, "due_on": pl.Date, "currency": pl.String, "amount": pl.Int64}))


def _nothing_before() -> pl.DataFrame:
    return pl.DataFrame(schema=NOTHING_BEFORE)


def _with_items(payments: pl.DataFrame | None, items: pl.DataFrame) -> pl.DataFrame:
    """Accepted payments with the row of the invoice or debit note that each names, the last issued by then."""
    if payments is None or payments.is_empty():
        return pl.DataFrame(schema=PAYMENT)
    owner = pl.coalesce("debtor_no", "target_debtor").alias("debtor_no")
    payments = payments.select("payment_no", owner, "document_no", "paid_on", "currency", "amount")
    demands = items.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("item")).filter(
        pl.col("item_type").is_in([str(ItemType.INVOICE), str(ItemType.DEBIT_NOTE)])
    )
    targets = demands.select("debtor_no", "document_no", "item", "issued_on")
    joined = payments.join(targets, on=["debtor_no", "document_no"], how="left", maintain_order="left")
    best = (pl.col("issued_on") <= pl.col("paid_on")).fill_null(value=False)
    ordered = joined.with_columns(best.alias("best")).sort("payment_no", "best", "issued_on", nulls_last=False)
    chosen = ordered.unique("payment_no", keep="last", maintain_order=True)
    return chosen.with_columns(pl.lit(0, dtype=pl.Int64).alias("applied")).select(*PAYMENT)


def _dates(items: pl.DataFrame, payments: pl.DataFrame) -> list[date]:
    """The last day of each kind that a history tells of."""
    columns = [items[name] for name in ("issued_on", "settled_on", *DATED)]
    return [day for column in (*columns, payments["paid_on"]) if isinstance(day := column.max(), date)]


def _keyed_known(known: Known) -> pl.DataFrame:
    return known.items.frame.rename({"document_type": "item_type"})


def _paid_on(items: pl.DataFrame, known: Known, paid_before: pl.DataFrame) -> pl.DataFrame:
    numbered = items.select(*IDENTITY, pl.int_range(pl.len(), dtype=pl.UInt32).alias("item"))
    joined = numbered.join(_keyed_known(known).select(*IDENTITY, "item_id"), on=list(IDENTITY))
    return joined.join(paid_before, on="item_id").select("item", "applied")


def _names_nothing() -> pl.Expr:
    """Cash that names no document; one that names a document which is not here any more was allocated to it."""
    return pl.col("document_no").is_null()


def _disputed_before(items: pl.DataFrame, known: Known, as_of: date) -> pl.DataFrame:
    """An undated flag of an open item counts from the first file that had it."""
    before = _keyed_known(known).filter(pl.col("disputed_amount") > 0)
    before = before.select(*IDENTITY, pl.col("disputed_on").alias("was_disputed_on"))
    items = items.join(before, on=list(IDENTITY), how="left", maintain_order="left")
    undated = (pl.col("disputed_amount") > 0) & pl.col("disputed_on").is_null() & pl.col("settled_on").is_null()
    day = pl.when(undated).then(pl.coalesce("was_disputed_on", pl.lit(as_of))).otherwise("disputed_on")
    return items.with_columns(day.alias("disputed_on")).drop("was_disputed_on")


def _left(
    states: pl.DataFrame, new_payments: pl.DataFrame, apart: pl.DataFrame, about: Import, known: Known
) -> pl.DataFrame:
    """Open items without a row of their own: paid by a payment of the file, or gone from a full one."""
    open_items = _keyed_known(known).join(states.select(IDENTITY), on=list(IDENTITY), how="anti")
    if about.is_history or open_items.is_empty():
        return pl.DataFrame(schema=LEFT)
    key = ["debtor_no", "document_no"]
    new = new_payments.filter(pl.col("item").is_null() & pl.col("document_no").is_not_null())
    paid = new.group_by(key).agg(pl.col("amount").sum().alias("paid"), pl.col("paid_on").max().alias("paid_until"))
    open_items = open_items.join(paid, on=key, how="left")
    rest = (pl.col("open_amount") - pl.col("paid").fill_null(0)).clip(0)
    closing = open_items.with_columns(rest.alias("rest"))
    if about.source.mode == "delta":
        gone = pl.lit(value=False)
    else:
        gone = (pl.col("source") == about.source.name) & ~_in_quarantine(apart, known)
    closing = closing.filter((pl.col("paid") > 0) | gone).with_columns(((pl.col("rest") > 0) & gone).alias("vanished"))
    vanished, done = pl.col("vanished"), pl.col("vanished") | (pl.col("rest") == 0)
    by = pl.when(vanished).then(pl.lit(str(SettledBy.LEFT_LEDGER))).when(done).then(pl.lit(str(SettledBy.PAYMENT)))
    last = known.last.as_of if known.last is not None else about.as_of
    return closing.select(
        pl.col("version_id").alias("id"),
        pl.when(done).then(0).otherwise("rest").alias("open_amount"),
        pl.when(vanished).then(pl.lit(about.as_of)).when(done).then("paid_until").alias("settled_on"),
        by.alias("settled_by"),
        vanished.alias("settled_estimated"),
        pl.when(vanished).then(pl.lit(last)).alias("left_after"),
    ).cast(pl.Schema(LEFT))


def _in_quarantine(apart: pl.DataFrame, known: Known) -> pl.Expr:
    """A row that is set apart is present: by its number; without a known one, it may be any of its debtor's.

    Of a row that could not be read at all, any number that stands in it counts.
    """
    apart = apart.filter(pl.col("table_name") == "items")
    is_unread = pl.col("rules").is_in([ROW_BROKEN, ROW_CUT_OFF])
    rows, unread = apart.filter(~is_unread), "\n".join(apart.filter(is_unread)["raw"])
    numbered = pl.col("document_no").is_in(known.items.frame["document_no"].unique().implode()).fill_null(value=False)
    numbers = rows.filter(numbered)["document_no"]
    debtors = rows.filter(~numbered)["debtor_no"].drop_nulls()
    return (
        pl.col("document_no").is_in(numbers.implode())
        | pl.col("debtor_no").is_in(debtors.implode())
        | pl.lit(unread).str.contains(pl.col("document_no"), literal=True)
    )


def _identified(
    payments: pl.DataFrame, items: pl.DataFrame, known: Known, as_of: date, *, is_history: bool
) -> pl.DataFrame:
    """Payments as they are stored: each with its item's identity, or with the known item that it is for."""
    identity = items.select("item", *(pl.col(name).alias(f"for_{name}") for name in IDENTITY))
    open_items = _keyed_known(known).select("debtor_no", "document_no", "item_id", "open_amount")
    open_items = open_items.unique(["debtor_no", "document_no"], keep="last", maintain_order=True)
    stored = payments.join(identity, on="item", how="left", maintain_order="left")
    stored = stored.join(open_items, on=["debtor_no", "document_no"], how="left", maintain_order="left")
    loose = pl.col("item").is_null() & pl.col("item_id").is_not_null()
    elsewhere = pl.col("item").is_null() & pl.col("document_no").is_not_null()
    until = pl.col("amount").cum_sum().over("item_id")
    taken = pl.min_horizontal(until, "open_amount") - pl.min_horizontal(until - pl.col("amount"), "open_amount")
    return stored.select(
        "payment_no",
        "debtor_no",
        "document_no",
        "paid_on",
        "currency",
        "amount",
        pl.when(loose).then(taken).when(elsewhere).then("amount").otherwise("applied").alias("applied"),
        *(f"for_{name}" for name in IDENTITY),
        pl.when(loose).then("item_id").alias("item_id"),
        (pl.col("paid_on") if is_history else pl.lit(as_of)).alias("valid_from"),
    )


PROFILE = tuple(name for name in TABLES["debtors"] if name not in ("creditor", "debtor_no", "party_ref"))


def _profiles(debtors: pl.DataFrame | None, about: Import, known: Known, states: pl.DataFrame) -> pl.DataFrame:
    """Debtors with their profile; a history's are valid from their first document, or from what changed them."""
    if debtors is None or debtors.is_empty():
        return pl.DataFrame(schema={"debtor_no": pl.String})
    own = pl.concat_str(pl.lit(f"{known.code}:"), "debtor_no")
    given = pl.col("party_ref").str.replace_all(r"[^0-9A-Za-z]", "").str.to_uppercase()
    party = pl.coalesce(pl.when(given != "").then(given), own) if "party_ref" in debtors.columns else own
    columns = [name for name in PROFILE if name in debtors.columns]
    if about.is_history and "issued_on" in debtors.columns:
        valid_from = pl.col("issued_on")
    elif about.is_history:
        first = states.group_by("debtor_no").agg(pl.col("valid_from").min().alias("since"))
        debtors = debtors.join(first, on="debtor_no", how="left", maintain_order="left")
        valid_from = pl.col("since").fill_null(about.as_of)
    else:
        valid_from = pl.lit(about.as_of)
    frame = debtors.select("debtor_no", party.alias("party_ref"), valid_from.alias("valid_from"), *columns)
    frame = frame.unique(["debtor_no", "valid_from"], keep="last", maintain_order=True)
    tidy = [
        pl.when(pl.col(name).str.contains(pattern)).then(name)
        for name, pattern in (("email", MAIL_ADDRESS), ("phone", PHONE_NUMBER))
        if name in columns
    ]
    keys = frame["party_ref"].to_list()
    return frame.with_columns(
        *tidy,
        pl.col("valid_from").shift(-1).over("debtor_no").alias("replaced_from"),
        pl.Series("shard_key", [shard_key(key) for key in keys], dtype=pl.Int32),
    )


def _beside(frame: pl.DataFrame | None, table: str) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema={"debtor_no": pl.String})
    return frame.select(name for name in TABLES[table] if name in frame.columns and name != "creditor")


def _balances(states: pl.DataFrame) -> dict[str, int]:
    against = pl.col("item_type").is_in([str(ItemType.CREDIT_NOTE), str(ItemType.PAYMENT)])
    current = states.filter(pl.col("replaced_from").is_null())
    signed = pl.when(against).then(-pl.col("open_amount")).otherwise("open_amount")
    sums = current.group_by("currency").agg(signed.sum().alias("open")).sort("currency")
    return {currency: int(amount) for currency, amount in sums.iter_rows()}
