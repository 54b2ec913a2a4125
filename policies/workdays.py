"""Dates as whole numbers, and working days over whole frames: what `decide` reckons with.

A date is its number of days since 1970 (as Polars keeps it), `MISSING` stands for none and is smaller than any date, so
that the later of two dates is simply the larger. Shifts by working days are looked up in a table a country and count.
"""

from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.calendars import FIRST, LAST, holiday_dates, shift_working_days

Days = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

MISSING = np.int32(np.iinfo(np.int32).min)
NEVER = np.int32(np.iinfo(np.int32).max)
"""Later than any date: when a step falls due whose anchor the case lacks."""
EPOCH = date(1970, 1, 1)

_FIRST = (FIRST - EPOCH).days
_LAST = (LAST - EPOCH).days


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH).days


def day_of(number: int) -> date | None:
    """The date of a number; None for `MISSING` and `NEVER`."""
    return None if number in (MISSING, NEVER) else EPOCH + timedelta(days=int(number))


def dates(name: str) -> pl.Expr:
    """A column of such numbers as dates, `MISSING` and `NEVER` as null."""
    return pl.when(~pl.col(name).is_in([int(MISSING), int(NEVER)])).then(pl.col(name)).cast(pl.Date).alias(name)


@cache
def _shifted(country: str, count: int) -> Days:
    every_day = pl.Series(np.arange(_FIRST, _LAST + 1, dtype=np.int32)).cast(pl.Date)
    return shift_working_days(every_day, count, country).cast(pl.Int32).to_numpy()


class Workdays:
    """Working days of a frame's debtors, each by its own country."""

    def __init__(self, country: pl.Series) -> None:
        codes = country.fill_null("")
        self.countries: list[str] = codes.unique(maintain_order=True).to_list() or [""]
        self._tables: dict[int, Days] = {}
        if len(self.countries) == 1:
            self._index = None
        else:
            self._index = codes.cast(pl.Enum(self.countries)).to_physical().cast(pl.Int64).to_numpy()

    def _table(self, count: int) -> Days:
        if count not in self._tables:
            self._tables[count] = np.stack([_shifted(country, count) for country in self.countries])
        return self._tables[count]

    def shift(self, days: Days, count: int, rows: Rows | None = None) -> Days:
        """The dates, so many working days on (or back, if negative); 0 moves to a working day.

        `rows` says which rows of the frame the dates belong to; without it, all of them.
        """
        table = self._table(count)
        at = np.clip(days, _FIRST, _LAST) - _FIRST
        country: int | Rows = 0
        if self._index is not None:
            country = self._index if rows is None else self._index[rows]
        return np.where(days == MISSING, MISSING, table[country, at])

    def later(self, days: Days, count: int, rows: Rows | None = None) -> Days:
        """`shift`, but a wait of 0 leaves a date as it is."""
        return days if count == 0 else self.shift(days, count, rows)

    def by_country(self, values: list[bool], rows: Rows) -> Flags:
        """A truth value a country, spread over rows."""
        flags = np.array(values, dtype=bool)
        return np.full(len(rows), flags[0]) if self._index is None else flags[self._index[rows]]

    def working(self, day: int, rows: Rows) -> Flags:
        """Whether a date is a working day of each row's debtor."""
        return self.by_country([int(_shifted(code, 0)[day - _FIRST]) == day for code in self.countries], rows)

    def eve(self, day: int, rows: Rows) -> Flags:
        """Whether a public holiday of each row's debtor follows the date."""
        following = EPOCH + timedelta(days=day + 1)
        return self.by_country([following in holiday_dates(code) for code in self.countries], rows)
