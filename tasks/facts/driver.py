"""The item that drives a case, the one that falls due next, and what the items asked for have been told."""

import polars as pl

from maatpak.kernel.words import EvidenceLevel
from tasks.facts.collecting import collected
from tasks.facts.scope import Scope
from tasks.facts.working_days import CALENDAR, days_until

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
    asked = debts.filter(pl.col("asked") > 0).with_columns(
        demandable_asked=pl.when("demandable").then("asked").otherwise(0)
    )
    drivers = (
        asked.lazy()
        .filter("is_driver")
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .select(
            "case_id",
            driver_item_id="item_id",
            driver_document="document_no",
            driver_due_on="due_on",
            driver_bank_due_on="bank_due_on",
            driver_issued_on="issued_on",
            debit_returned=pl.col("item_id").is_in(came_back.implode()),
            working_days_past_due=days_until("bank_due_on", scope.as_of).cast(pl.Int64),
            days_past_due=(pl.lit(scope.as_of) - pl.col("due_on")).dt.total_days(),
        )
    )
    worst = (
        asked.lazy()
        .group_by("case_id")
        .agg(
            min_notices=pl.min("notices"),
            notice_evidence=pl.min("best"),
            evidence_complete=pl.all("evidence_complete"),
            demandable_amount=pl.col("demandable_asked").sum(),
        )
        .with_columns(pl.col("notice_evidence").replace_strict(dict(enumerate(LEVELS)), return_dtype=pl.String))
    )
    return drivers.join(worst, on="case_id").pipe(collected)


def positions(debts: pl.DataFrame, drivers: pl.DataFrame) -> pl.DataFrame:
    """(case_id, item_id) of the item whose position is the case's: its driver.

    Where nothing is asked, the oldest overdue item, which drives again when what covers it ends: so what was done stays
    done while a claim, a plan or a placement lets the case rest.
    """
    resting = (
        debts.lazy()
        .filter("overdue")
        .join(drivers.lazy(), on="case_id", how="anti")
        .unique("case_id", keep="first", maintain_order=True)
        .select("case_id", "item_id")
        .pipe(collected)
    )
    return pl.concat([drivers.select("case_id", item_id="driver_item_id"), resting])


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
