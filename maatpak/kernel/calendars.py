"""Working days and bank days, one date at a time and over whole frames.

A working day is Monday to Friday and no public holiday of the country (`holidays`, national level). A bank day is a
TARGET day (ECB closing days: Saturday, Sunday, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import holidays
import numpy as np
import numpy.typing as npt
import polars as pl

FIRST = date(1990, 1, 1)
LAST = date(2060, 12, 31)
BANK = "TARGET"
"""The country code under which the frames find the bank calendar."""

_EPOCH = date(1970, 1, 1)
_OFFSET = (FIRST - _EPOCH).days
_DAYS = (LAST - FIRST).days + 1

Days = npt.NDArray[np.int64]


@cache
def holiday_dates(country: str) -> frozenset[date]:
    """Public holidays of a country from 1990 to 2060; a country the library does not know has none."""
    years = range(FIRST.year, LAST.year + 1)
    try:
        if country == BANK:
            return frozenset(holidays.financial_holidays("ECB", years=years))
        return frozenset(holidays.country_holidays(country, years=years))
    except NotImplementedError:
        return frozenset()


@cache
def _tables(country: str) -> tuple[Days, Days]:
    """(ordinal by day, day by ordinal): the ordinal of a day counts the working days up to and including it."""
    days = np.arange(_DAYS)
    weekday = (days + FIRST.weekday()) % 7
    working = weekday < 5
    closed = [(day - FIRST).days for day in holiday_dates(country) if FIRST <= day <= LAST]
    working[closed] = False
    return np.cumsum(working).astype(np.int64), np.flatnonzero(working).astype(np.int64)


def is_working_day(day: date, country: str) -> bool:
    """Whether people of that country work on that day."""
    ordinal, _ = _tables(country)
    index = _index(day)
    return bool(ordinal[index] - (ordinal[index - 1] if index else 0))


def add_working_days(day: date, count: int, country: str) -> date:
    """The working day `count` after (or, negative, before) a day; 0 gives the day itself or the next working day.

    Counted as people count: from a Saturday, one working day on is Monday; one back is Friday.
    """
    return FIRST + timedelta(days=int(_shift(np.array([_index(day)]), count, country)[0]))


def working_days_between(start: date, end: date, country: str) -> int:
    """How many working days lie after `start` up to and including `end`; negative when `end` is before `start`."""
    ordinal, _ = _tables(country)
    return int(ordinal[_index(end)] - ordinal[_index(start)])


def next_bank_day(day: date) -> date:
    """The day itself, or the next on which banks settle."""
    return add_working_days(day, 0, BANK)


def _index(day: date) -> int:
    if not FIRST <= day <= LAST:
        raise ValueError(f"{day} lies outside the calendars ({FIRST} to {LAST})")
    return (day - FIRST).days


def _shift(index: Days, count: int, country: str) -> Days:
    ordinal, days = _tables(country)
    before = np.where(index > 0, ordinal[index - 1], 0)
    reached = before + count if count < 0 else ordinal[index] - 1 + count
    if count == 0:
        reached = before
    return days[np.clip(reached, 0, len(days) - 1)]


def shift_working_days(days: pl.Series, count: int | pl.Series, country: pl.Series | str) -> pl.Series:
    """`add_working_days` over a column of dates; null stays null, dates outside the calendars are clipped to them."""
    index = (days.cast(pl.Int32).fill_null(_OFFSET).to_numpy().astype(np.int64) - _OFFSET).clip(0, _DAYS - 1)
    shifted = np.zeros_like(index)
    counts = count.to_numpy() if isinstance(count, pl.Series) else np.full(len(index), count)
    for code, mask in _by_country(country, len(index)):
        for each in np.unique(counts[mask]):
            chosen = mask & (counts == each)
            shifted[chosen] = _shift(index[chosen], int(each), code)
    result = pl.Series(days.name, shifted + _OFFSET, dtype=pl.Int32).cast(pl.Date)
    return (
        result
        if not days.null_count()
        else pl.select(pl.when(days.is_not_null()).then(result).otherwise(None).alias(days.name)).to_series()
    )


def count_working_days(start: pl.Series, end: pl.Series | date, country: pl.Series | str) -> pl.Series:
    """`working_days_between` over columns of dates, as Int32; null where one is null."""
    ends = end if isinstance(end, pl.Series) else pl.Series([end], dtype=pl.Date).new_from_index(0, len(start))
    first = (start.cast(pl.Int32).fill_null(_OFFSET).to_numpy().astype(np.int64) - _OFFSET).clip(0, _DAYS - 1)
    last = (ends.cast(pl.Int32).fill_null(_OFFSET).to_numpy().astype(np.int64) - _OFFSET).clip(0, _DAYS - 1)
    counted = np.zeros(len(first), dtype=np.int32)
    for code, mask in _by_country(country, len(first)):
        ordinal, _ = _tables(code)
        counted[mask] = ordinal[last[mask]] - ordinal[first[mask]]
    missing = start.is_null() | ends.is_null()
    return pl.select(pl.when(~missing).then(pl.Series(start.name, counted)).alias(start.name)).to_series()


def _by_country(country: pl.Series | str, length: int) -> Sequence[tuple[str, npt.NDArray[np.bool_]]]:
    if isinstance(country, str):
        return [(country, np.ones(length, dtype=bool))]
    codes = country.unique().to_list()
    if len(codes) == 1:
        return [(codes[0], np.ones(length, dtype=bool))]
    return [(code, (country == code).to_numpy()) for code in codes]
