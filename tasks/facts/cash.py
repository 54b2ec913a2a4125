"""Money that came in: what was paid only in part (rule 19)."""

import polars as pl

from tasks.facts.amounts import of_cases
from tasks.facts.reading import Reader


def told_money(reader: Reader, cases: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """(case_id, told_money_on): the last payment that the ledger or the bank told of, or that open amounts show."""
    told = of_cases(reader.rows("last_payments"), cases).select("case_id", "paid_on")
    both = pl.concat([told, parts.select("case_id", "paid_on")])
    return both.group_by("case_id").agg(told_money_on=pl.max("paid_on"))


def part_payments(reader: Reader, debts: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """(case_id, item_id, paid_on, applied) of the last six months' payments that left part of their item open.

    Where no payment of an item was ever told, a fall of its open amount is one, on the day of the ledger that shows it,
    as far as neither credit notes used that day nor a dispute that was granted explain it.
    """
    payments = pl.concat([reader.rows("payments"), reader.rows("falls")])
    if payments.is_empty():
        return pl.DataFrame(schema={"case_id": pl.Int64, "item_id": pl.Int64, "paid_on": pl.Date, "applied": pl.Int64})
    items = pl.concat(
        [
            debts.select("item_id", "case_id", "amount", settled_on=pl.lit(None, pl.Date), is_open=pl.lit(value=True)),
            settled.select("item_id", "case_id", "amount", "settled_on", is_open=pl.lit(value=False)),
        ]
    )
    left_open = pl.col("is_open") | (pl.col("settled_on") > pl.col("paid_on"))
    return (
        payments.join(items, on="item_id")
        .filter((pl.col("applied") < pl.col("amount")) & left_open)
        .select("case_id", "item_id", "paid_on", "applied")
    )
