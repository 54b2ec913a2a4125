"""The item that drives a case, the one that falls due next, and what the items asked for have been told."""

import polars as pl

from maatpak.kernel.calendars import count_working_days
from maatpak.kernel.words import EvidenceLevel
from tasks.facts.people import CALENDAR
from tasks.facts.scope import Scope

LEVELS = (EvidenceLevel.NONE.value, EvidenceLevel.WEAK.value, EvidenceLevel.STRONG.value)
"""By the number that stands for them in `best`."""


def with_notices(debts: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The debts with what each was told, and whether it drives its case: the oldest that is still asked for."""
    asked = pl.col("asked") > 0
    first = pl.col("case_id") != pl.col("case_id").shift()
    drivers = debts.filter(asked).filter(first.fill_null(value=True))["item_id"]
    return debts.join(told, on="item_id", how="left", maintain_order="left").with_columns(
        pl.col("notices").fill_null(0),
        pl.col("best").fill_null(0),
        pl.col("evidence_complete", "demandable").fill_null(value=False),
        is_driver=pl.col("item_id").is_in(drivers.implode()),
    )


def case_driver(debts: pl.DataFrame, debits: pl.DataFrame, cases: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """One row a case with anything asked: the facts of its driver and of the notices of its items asked."""
    came_back = debits.filter(
        pl.col("returned_on").is_not_null()
        & (pl.col("collect_on").is_null() | (pl.col("returned_on") >= pl.col("collect_on")))
    )["item_id"]
    asked = debts.filter(pl.col("asked") > 0)
    drivers = (
        asked.filter("is_driver")
        .select(
            "case_id",
            driver_item_id="item_id",
            driver_document="document_no",
            driver_due_on="due_on",
            driver_bank_due_on="bank_due_on",
            debit_returned=pl.col("item_id").is_in(came_back.implode()),
        )
        .join(cases.select("case_id", CALENDAR), on="case_id", maintain_order="left")
    )
    worst = asked.group_by("case_id", maintain_order=True).agg(
        min_notices=pl.min("notices"),
        worst=pl.min("best"),
        evidence_complete=pl.all("evidence_complete"),
        demandable_amount=pl.col("asked").filter("demandable").sum(),
    )
    return (
        drivers.with_columns(
            count_working_days(drivers["driver_bank_due_on"], scope.as_of, drivers[CALENDAR])
            .cast(pl.Int64)
            .alias("working_days_past_due"),
            days_past_due=(pl.lit(scope.as_of) - pl.col("driver_due_on")).dt.total_days(),
        )
        .drop(CALENDAR)
        .join(worst, on="case_id")
        .with_columns(notice_evidence=pl.col("worst").replace_strict(dict(enumerate(LEVELS)), return_dtype=pl.String))
        .drop("worst")
    )


def upcoming(debts: pl.DataFrame) -> pl.DataFrame:
    """One row a case with something not yet overdue: the next item to fall due, and all that falls due with it."""
    waiting = debts.filter(~pl.col("overdue"))
    next_day = pl.col("bank_due_on") == pl.col("bank_due_on").first().over("case_id")
    return (
        waiting.filter(next_day)
        .group_by("case_id", maintain_order=True)
        .agg(
            upcoming_item_id=pl.first("item_id"),
            upcoming_bank_due_on=pl.first("bank_due_on"),
            upcoming_amount=pl.sum("open_amount"),
        )
    )
