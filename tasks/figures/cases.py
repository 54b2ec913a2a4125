"""What is known of the cases, their open items put to them, and the figures that follow from the cases alone."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.words import NonPaymentReason
from policies.schema import Turn
from tasks.facts.collecting import collected
from tasks.figures.rows import Row, kept

if TYPE_CHECKING:
    from policies.pack import CompiledPack

CASE_COLUMNS = (
    *("case_id", "debtor_id", "party_id", "currency"),
    *("median_delay_days", "experience_balance", "reason", "disputed_open"),
)
"""What the figures need of the facts."""
NONE = NonPaymentReason.NONE.value
CUSTOMER = "customer"
"""Who causes what is not our turn to mend."""


class Known:
    """The cases, and their open items: `late` days past due (negative: not yet), `segment` and `delay` of the case."""

    def __init__(self, cases: pl.DataFrame, debts: pl.DataFrame, as_of: date) -> None:
        self.as_of = as_of
        self.cases = cases
        beside = cases.lazy().select(
            *("debtor_id", "currency", "case_id", "reason"),
            segment=pl.col("segment").cast(pl.Categorical),
            delay="median_delay_days",
        )
        joined = debts.lazy().join(beside, on=["debtor_id", "currency"], how="left")
        self.items = joined.select(
            *("case_id", "reason", "open"),
            currency=pl.col("currency").cast(pl.Categorical),
            segment=pl.col("segment").fill_null(NONE),
            late=(pl.lit(as_of) - pl.col("due_on")).dt.total_days().cast(pl.Int32),
            delay=pl.col("delay").fill_null(0),
        ).pipe(collected)


def case_rows(known: Known, pack: "CompiledPack") -> Iterator[Row]:
    """How customers stand with us, what is disputed, and why they do not pay."""
    yield from _experience(known.cases, pack.scale.no_notice_at)
    disputed = known.cases.lazy().filter(pl.col("disputed_open") > 0).group_by("currency")
    sums = disputed.agg(pl.sum("disputed_open"), pl.len()).pipe(collected)
    for currency, amount, count in sums.iter_rows():
        yield Row("disputed", amount, count, currency=currency)
    yield from _reasons(known.items, pack)


def _experience(cases: pl.DataFrame, low: int) -> Iterator[Row]:
    """Mean balance and how many are low, of each party once, in all and by segment."""
    balance = pl.col("experience_balance")
    counted = (pl.sum("experience_balance"), pl.len(), (balance <= low).sum().alias("low"))
    of_all = cases.lazy().unique("party_id").select(pl.lit("").alias("segment"), *counted).pipe(collected)
    of_parts = cases.lazy().unique(["segment", "party_id"]).group_by("segment").agg(counted).pipe(collected)
    for segment, total, count, worn in [*of_all.iter_rows(), *of_parts.iter_rows()]:
        where = {"dimension": "segment" if segment else "", "key": segment}
        yield Row("experience", kept("experience", total / count if count else None), count, **where)
        yield Row("experience_low", worn, worn, **where)


def _reasons(items: pl.DataFrame, pack: "CompiledPack") -> Iterator[Row]:
    """Overdue money and its age by why it is not paid, and by the department that must mend that."""
    stated = items.filter((pl.col("late") > 0) & (pl.col("reason") != NONE))
    if stated.is_empty():
        return
    of_cases = stated.group_by("case_id", "currency").agg(pl.sum("open"), pl.max("late"), pl.first("reason"))
    owners = {str(reason): line.owner if line.turn is Turn.OURS else CUSTOMER for reason, line in pack.reasons.items()}
    of_cases = of_cases.with_columns(
        pl.col("currency").cast(pl.String), department=pl.col("reason").replace_strict(owners, return_dtype=pl.String)
    )
    for dimension in ("reason", "department"):
        sums = of_cases.group_by(dimension, "currency").agg(pl.sum("open"), pl.len())
        for key, currency, amount, count in sums.iter_rows():
            yield Row("reasons", amount, count, dimension, key, currency)
        days = of_cases.group_by(dimension).agg(pl.sum("late"), pl.len())
        for key, late, count in days.iter_rows():
            yield Row("reason_days", kept("reason_days", late / count), count, dimension, key)
