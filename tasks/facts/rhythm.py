"""On which days a customer pays: as they told us, or as their payments of a year show (rule 28)."""

import re
from datetime import date, timedelta
from functools import cache

import polars as pl

from maatpak.kernel.calendars import add_working_days
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.scope import Scope
from tasks.facts.working_days import CALENDAR, days_after

SHARE = (7, 10)
"""Of ten payment days, seven must fall on one weekday or day of the month."""
FEWEST = 4
"""Payment days below which nothing is inferred."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_MONTH_DAYS = re.compile(r"\d{1,2}(?:,\d{1,2})*")


def pay_runs(reader: Reader, cases: pl.DataFrame, settled: pl.DataFrame, payers: pl.Series) -> pl.DataFrame:
    """(case_id, rule) of every case with a rhythm; `rule` is a weekday or days of the month, as in the preference.

    `payers` are the cases with enough items settled in the year for a rhythm to show at all.
    """
    told = (
        reader.rows("preferences")
        .filter(pl.col("name") == "pay_run")
        .join(cases.select("case_id", "debtor_id"), on="debtor_id")
        .select("case_id", rule="value")
    )
    return pl.concat([told, _inferred(settled, payers, reader.scope).join(told, on="case_id", how="anti")])


def next_runs(runs: pl.DataFrame, cases: pl.DataFrame, day: date) -> pl.DataFrame:
    """(case_id, run_on): the first pay run on or after a day, moved to a working day of the customer's country."""
    first = {rule: next_run(rule, day) for rule in runs["rule"].unique()}
    if not first:
        return pl.DataFrame(schema={"case_id": pl.Int64, "run_on": pl.Date})
    return (
        runs.lazy()
        .with_columns(run_on=pl.col("rule").replace_strict(first, return_dtype=pl.Date))
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .select("case_id", run_on=days_after("run_on", 0))
        .pipe(collected)
    )


def runs_after(runs: pl.DataFrame, cases: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """(case_id, run_on): the first pay run on or after each case's own day; `days` is (case_id, day)."""
    wanted = runs.join(days.drop_nulls("day"), on="case_id")
    pairs = wanted.select("rule", "day").unique()
    first = pl.Series("run_on", [next_run(rule, day) for rule, day in pairs.iter_rows()], dtype=pl.Date)
    return (
        wanted.lazy()
        .join(pairs.with_columns(first).lazy(), on=["rule", "day"])
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .select("case_id", run_on=days_after("run_on", 0))
        .pipe(collected)
    )


def payable_from(reader: Reader, drivers: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, day): D of each driver, or, if that is later, when the customer's cut-off lets it into a pay run."""
    due = drivers.select("case_id", day="driver_bank_due_on")
    wishes = reader.rows("preferences").filter(pl.col("name") == "cut_off")
    if wishes.is_empty():
        return due
    entered = (
        drivers.lazy()
        .join(cases.lazy().select("case_id", "debtor_id", CALENDAR), on="case_id")
        .join(wishes.lazy().select("debtor_id", cut=pl.col("value").cast(pl.Int64, strict=False)), on="debtor_id")
        .select("case_id", entered_on=days_after("driver_issued_on", "cut"))
        .pipe(collected)
    )
    return due.join(entered, on="case_id", how="left").select("case_id", day=pl.max_horizontal("day", "entered_on"))


@cache
def next_run(rule: str, day: date) -> date | None:
    """The first day of a rhythm on or after a day; None for words that are no rhythm."""
    if rule in WEEKDAYS:
        return day + timedelta(days=(WEEKDAYS.index(rule) - day.weekday()) % 7)
    if not _MONTH_DAYS.fullmatch(rule):
        return None
    wanted = {int(number) for number in rule.split(",")}
    for ahead in range(62):
        candidate = day + timedelta(days=ahead)
        last_of_month = (candidate + timedelta(days=1)).day == 1
        if candidate.day in wanted or (last_of_month and max(wanted) > candidate.day):
            return candidate
    return None


def _inferred(settled: pl.DataFrame, payers: pl.Series, scope: Scope) -> pl.DataFrame:
    if payers.is_empty():
        return pl.DataFrame(schema={"case_id": pl.Int64, "rule": pl.String})
    days = (
        settled.lazy()
        .filter(pl.col("counts") & (pl.col("settled_on") > scope.months_ago(12)))
        .filter(pl.col("case_id").is_in(payers.implode()))
        .select("case_id", "settled_on")
        .unique()
        .with_columns(total=pl.len().over("case_id"))
        .filter(pl.col("total") >= FEWEST)
        .pipe(collected)
    )
    weekday = (pl.col("settled_on").dt.weekday() - 1).replace_strict(
        dict(enumerate(WEEKDAYS)), default=None, return_dtype=pl.String
    )
    by_weekday = _commonest(days, weekday)
    by_month_day = _commonest(days, pl.col("settled_on").dt.day().cast(pl.String))
    return pl.concat([by_weekday, by_month_day.join(by_weekday, on="case_id", how="anti")]).pipe(collected)


def _commonest(days: pl.DataFrame, kind: pl.Expr) -> pl.LazyFrame:
    """(case_id, rule) where one kind of day holds the share; being above a half, it is the only one."""
    counted = days.lazy().group_by("case_id", kind.alias("rule")).agg(count=pl.len(), total=pl.first("total"))
    holds = pl.col("count").cast(pl.Int64) * SHARE[1] >= pl.col("total").cast(pl.Int64) * SHARE[0]
    return counted.filter(holds & pl.col("rule").is_not_null()).select("case_id", "rule")


def statement_day(value: str, day: date, country: str) -> date | None:
    """The debtor's statement day of that month, moved to a working day; None when the preference is no day."""
    if not value.isdecimal() or not 1 <= int(value) <= 28:
        return None
    return add_working_days(day.replace(day=int(value)), 0, country)
