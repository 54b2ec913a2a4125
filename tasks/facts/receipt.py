"""Invoices that the customer may never have got: not due yet, and nothing says that they arrived (rule 29).

Only a ledger that tells how invoices are sent can say so. What was sent counts as on its way, and in time as arrived,
unless its address turned out dead since then, or the customer takes invoices through a portal and it went elsewhere.
Whatever we wrote of an invoice ourselves makes up for it: it is sent again once.
"""

import polars as pl

from tasks.facts.collecting import collected
from tasks.facts.conversation import NO_CONTACT
from tasks.facts.covers import COVERS
from tasks.facts.reading import Reader
from tasks.facts.working_days import CALENDAR, days_until

TO_BE_SENT = 3
"""Working days after its issue in which an invoice may still be on its way out."""
NOTHING = pl.lit(None, pl.Int64)


def with_receipt(
    reader: Reader, debts: pl.DataFrame, actions: pl.DataFrame, named: pl.DataFrame, cases: pl.DataFrame, *, told: bool
) -> pl.DataFrame:
    """`debts` with `unreceived_wd`: working days until D of an invoice without proof of receipt, null for any other.

    `told`: whether the ledger tells how invoices are sent; `named`: (action_id, item_id).
    """
    lost = reader.rows("unreceived") if told else None
    if lost is None or lost.is_empty():
        return debts.with_columns(unreceived_wd=NOTHING)
    of_us = actions.lazy().filter(~pl.col("state").is_in(NO_CONTACT)).select("action_id")
    found = (
        debts.lazy()
        .filter(~pl.col("overdue") & (pl.col("open_amount") > pl.sum_horizontal(COVERS)))
        .join(lost.lazy(), on="item_id")
        .join(named.lazy().join(of_us, on="action_id", how="semi"), on="item_id", how="anti")
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .filter(~pl.col("unsent") | (days_until("issued_on", reader.scope.as_of) >= TO_BE_SENT))
        .select("item_id", unreceived_wd=-days_until("bank_due_on", reader.scope.as_of).cast(pl.Int64))
        .pipe(collected)
    )
    return debts.join(found, on="item_id", how="left", maintain_order="left")


def unreceived(debts: pl.DataFrame) -> pl.DataFrame:
    """(case_id, unreceived_bank_due_on): D of the first invoice without proof of receipt to fall due."""
    return (
        debts.filter(pl.col("unreceived_wd").is_not_null())
        .group_by("case_id")
        .agg(unreceived_bank_due_on=pl.min("bank_due_on"))
    )
