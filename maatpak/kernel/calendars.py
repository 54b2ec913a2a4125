"""Working days and bank days, one date at a time and over whole frames.

A working day is Monday to Friday and no public holiday of the country (`holidays`, national level). A bank day is a
TARGET day (ECB closing days: Saturday, Sunday, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays
import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.errors import UsageError

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
        raise UsageError(f"{day} lies outside the calendars, {FIRST} to {LAST}.", advice="Is the date right?")
    return (day - FIRST).days


def _shift(index: Days, count: int, country: str) -> Days:
    ordinal, days = _tables(country)
    before = np.where(index > 0, ordinal[index - 1], 0)
    reached = before + count if count <= 0 else ordinal[index] - 1 + count
    return days[np.clip(reached, 0, len(days) - 1)]


def shift_working_days(days: pl.Series, count: int | pl.Series, country: pl.Series | str) -> pl.Series:
    """`add_working_days` over a column of dates; null stays null, dates outside the calendars are clipped to them.

    Quickest where `country` is one code or an Enum column.
    """
    calendars, position = _calendars(country)
    index = _indexes(days)
    flat = index + position * _DAYS
    ordinal = calendars.ordinal.take(flat)
    before = ordinal - calendars.working.take(flat)
    if isinstance(count, pl.Series):
        counts = count.fill_null(0).to_numpy()
        reached = np.where(counts > 0, ordinal - 1, before) + counts
    else:
        reached = (ordinal - 1 if count > 0 else before) + count
    reached = reached.clip(0, calendars.width - 1) + position * calendars.width
    shifted = pl.Series(days.name, calendars.days.take(reached) + _OFFSET, dtype=pl.Int32).cast(pl.Date)
    return _null_where(shifted, days.is_null()) if days.null_count() else shifted


def count_working_days(start: pl.Series, end: pl.Series | date, country: pl.Series | str) -> pl.Series:
    """`working_days_between` over columns of dates, as Int32; null where one is null.

    Quickest where `country` is one code or an Enum column.
    """
    calendars, position = _calendars(country)
    base = position * _DAYS
    last = _indexes(end) if isinstance(end, pl.Series) else _indexes(pl.Series([end], dtype=pl.Date))
    counted = calendars.ordinal.take(last + base) - calendars.ordinal.take(_indexes(start) + base)
    result = pl.Series(start.name, counted, dtype=pl.Int32)
    if isinstance(end, pl.Series) and end.null_count():
        result = _null_where(result, end.is_null())
    return _null_where(result, start.is_null()) if start.null_count() else result


@dataclass(frozen=True)
class _Calendars:
    """Several countries' tables, one after the other, so that a whole column is looked up at once."""

    ordinal: npt.NDArray[np.int32]
    working: npt.NDArray[np.int32]
    days: npt.NDArray[np.int32]
    width: int
    """Entries of `days` a country; the shorter ones repeat their last."""


@cache
def _stacked(countries: tuple[str, ...]) -> _Calendars:
    tables = [_tables(country) for country in countries]
    width = max((len(days) for _, days in tables), default=1)
    ordinals = [ordinal for ordinal, _ in tables]
    return _Calendars(
        np.concatenate([*ordinals, np.zeros(0)]).astype(np.int32),
        np.concatenate([*(np.diff(ordinal, prepend=0) for ordinal in ordinals), np.zeros(0)]).astype(np.int32),
        np.concatenate([*(np.pad(days, (0, width - len(days)), "edge") for _, days in tables), np.zeros(0)]).astype(
            np.int32
        ),
        width,
    )


def _calendars(country: pl.Series | str) -> tuple[_Calendars, int | npt.NDArray[np.int32]]:
    """The tables of the countries that occur, and which of them each row reads."""
    if isinstance(country, str):
        return _stacked((country,)), 0
    kinds = country.dtype
    if not isinstance(kinds, pl.Enum):
        kinds = pl.Enum(country.unique().sort().drop_nulls())
    return _stacked(tuple(kinds.categories)), country.cast(kinds).to_physical().to_numpy().astype(np.int32)


def _indexes(days: pl.Series) -> npt.NDArray[np.int32]:
    numbers = days.to_physical()
    if numbers.null_count():
        numbers = numbers.fill_null(_OFFSET)
    index: npt.NDArray[np.int32] = numbers.to_numpy() - np.int32(_OFFSET)
    return index.clip(0, _DAYS - 1)


def _null_where(values: pl.Series, missing: pl.Series) -> pl.Series:
    return pl.select(pl.when(~missing).then(values).alias(values.name)).to_series()
