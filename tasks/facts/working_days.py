"""Working days of the customer's country as expressions, so that they stand where they are needed in a query."""

from datetime import date

import polars as pl

from maatpak.kernel.calendars import BANK, count_working_days, shift_working_days

CALENDAR = "calendar"
"""The column that every frame of cases has: the country as an Enum, by which whole columns are looked up."""


def days_until(column: str, day: date | str) -> pl.Expr:
    """Working days after the column's date up to a date, or to another column's."""
    if isinstance(day, date):
        return pl.map_batches(
            [column, CALENDAR], lambda given: count_working_days(given[0], day, given[1]), return_dtype=pl.Int32
        )
    return pl.map_batches(
        [column, day, CALENDAR],
        lambda given: count_working_days(given[0], given[1], given[2]),
        return_dtype=pl.Int32,
    )


def days_after(column: str, days: int | str) -> pl.Expr:
    """The date so many working days (or so many as another column says) after the column's."""
    if isinstance(days, int):
        return pl.map_batches(
            [column, CALENDAR], lambda given: shift_working_days(given[0], days, given[1]), return_dtype=pl.Date
        )
    return pl.map_batches(
        [column, days, CALENDAR],
        lambda given: shift_working_days(given[0], given[1], given[2]),
        return_dtype=pl.Date,
    )


def bank_day(column: str) -> pl.Expr:
    """D: the column's date moved to the next bank day."""
    return pl.col(column).map_batches(lambda given: shift_working_days(given, 0, BANK), return_dtype=pl.Date)
