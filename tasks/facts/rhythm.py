"""On which days a customer pays: as they told us, or as their payments of a year show (practice, rule 28)."""

import re
from datetime import date, timedelta

import polars as pl

from maatpak.kernel.calendars import add_working_days, shift_working_days
from tasks.facts.people import CALENDAR
from tasks.facts.reading import Reader
from tasks.facts.scope import Scope

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
    dated = runs.with_columns(
        run_on=pl.col("rule").replace_strict(first, return_dtype=pl.Date) if first else pl.lit(None, pl.Date)
    ).join(cases.select("case_id", CALENDAR), on="case_id")
    return dated.select("case_id", shift_working_days(dated["run_on"], 0, dated[CALENDAR]).alias("run_on"))


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
    days = (
        settled.filter(pl.col("counts") & (pl.col("settled_on") > scope.months_ago(12)))
        .select("case_id", "settled_on")
        .filter(pl.col("case_id").is_in(payers.implode()))
        .unique()
    )
    many = days.filter(pl.len().over("case_id") >= FEWEST)
    total = many.group_by("case_id").agg(total=pl.len())
    by_weekday = _commonest(many, pl.col("settled_on").dt.weekday() - 1, total).filter(pl.col("kind") < len(WEEKDAYS))
    by_month_day = _commonest(many, pl.col("settled_on").dt.day(), total)
    return pl.concat(
        [
            by_weekday.select(
                "case_id", rule=pl.col("kind").replace_strict(dict(enumerate(WEEKDAYS)), return_dtype=pl.String)
            ),
            by_month_day.join(by_weekday, on="case_id", how="anti").select(
                "case_id", rule=pl.col("kind").cast(pl.String)
            ),
        ]
    )


def _commonest(days: pl.DataFrame, kind: pl.Expr, total: pl.DataFrame) -> pl.DataFrame:
    """(case_id, kind) where one kind of day holds the share; being above a half, it is the only one."""
    counted = days.group_by("case_id", kind.cast(pl.Int64).alias("kind")).agg(count=pl.len()).join(total, on="case_id")
    return counted.filter(pl.col("count") * SHARE[1] >= pl.col("total") * SHARE[0]).select("case_id", "kind")


def statement_day(value: str, day: date, country: str) -> date | None:
    """The debtor's statement day of that month, moved to a working day; None when the preference is no day."""
    if not value.isdecimal() or not 1 <= int(value) <= 28:
        return None
    return add_working_days(day.replace(day=int(value)), 0, country)
