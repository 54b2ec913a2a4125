"""Working days one at a time and over frames: the same by every way of counting."""

from datetime import date, timedelta

import holidays
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maatpak.kernel.calendars import (
    BANK,
    FIRST,
    LAST,
    add_working_days,
    count_working_days,
    is_working_day,
    next_bank_day,
    shift_working_days,
    working_days_between,
)
from maatpak.kernel.errors import UsageError

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2040, 12, 31))
COUNTRIES = st.sampled_from(["NL", "BE", "GB", "US", BANK])
COUNTS = st.integers(min_value=-60, max_value=60)


@given(DAYS, st.sampled_from(["NL", "BE", "GB", "US"]))
def test_a_working_day_is_a_weekday_without_a_public_holiday(day: date, country: str) -> None:
    assert is_working_day(day, country) == (day.weekday() < 5 and day not in holidays.country_holidays(country))


@given(DAYS, COUNTS, COUNTRIES)
def test_adding_counts_one_day_at_a_time(day: date, count: int, country: str) -> None:
    reached, left = day, count
    if count == 0:
        while not is_working_day(reached, country):
            reached += timedelta(days=1)
    while left:
        step = 1 if count > 0 else -1
        reached += timedelta(days=step)
        left -= step if is_working_day(reached, country) else 0
    assert add_working_days(day, count, country) == reached


@given(DAYS, DAYS, COUNTRIES)
def test_between_counts_the_end_and_not_the_start(start: date, end: date, country: str) -> None:
    low, high = min(start, end), max(start, end)
    days = (low + timedelta(days=number) for number in range(1, min((high - low).days, 800) + 1))
    if (high - low).days <= 800:
        counted = sum(is_working_day(day, country) for day in days)
        assert working_days_between(start, end, country) == (counted if start <= end else -counted)


@given(DAYS, st.integers(min_value=1, max_value=60), COUNTRIES)
def test_adding_and_counting_agree(day: date, count: int, country: str) -> None:
    assert working_days_between(day, add_working_days(day, count, country), country) == count


@given(DAYS, DAYS, COUNTS, COUNTRIES)
def test_later_days_are_reached_from_later_days(one: date, other: date, count: int, country: str) -> None:
    early, late = min(one, other), max(one, other)
    assert add_working_days(early, count, country) <= add_working_days(late, count, country)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.none() | DAYS, COUNTS, st.sampled_from(["NL", "GB"])), min_size=1, max_size=30))
def test_frames_count_like_single_days(rows: list[tuple[date | None, int, str]]) -> None:
    frame = pl.DataFrame(rows, schema={"day": pl.Date, "count": pl.Int64, "country": pl.String}, orient="row")
    shifted = shift_working_days(frame["day"], frame["count"], frame["country"])
    assert shifted.dtype == pl.Date
    assert shifted.to_list() == [
        None if day is None else add_working_days(day, count, country) for day, count, country in rows
    ]
    counted = count_working_days(frame["day"], shifted, frame["country"])
    assert counted.to_list() == [
        None if day is None else working_days_between(day, reached, country)
        for (day, _, country), reached in zip(rows, shifted.to_list(), strict=True)
    ]


def test_a_fixed_end_and_country_serve_a_whole_column() -> None:
    days = pl.Series("due_on", [date(2024, 3, 1), None], dtype=pl.Date)
    assert count_working_days(days, date(2024, 3, 8), "NL").to_list() == [5, None]
    assert shift_working_days(days, 1, "NL").to_list() == [date(2024, 3, 4), None]


def test_an_empty_column_stays_empty() -> None:
    days = pl.Series("due_on", [], dtype=pl.Date)
    assert shift_working_days(days, 3, "NL").to_list() == []
    assert count_working_days(days, days, "NL").to_list() == []


@pytest.mark.parametrize(
    ("day", "bank_day"),
    [
        (date(2024, 3, 28), date(2024, 3, 28)),
        (date(2024, 3, 29), date(2024, 4, 2)),  # Good Friday to the Tuesday after Easter
        (date(2024, 5, 1), date(2024, 5, 2)),
        (date(2024, 12, 25), date(2024, 12, 27)),
        (date(2024, 4, 27), date(2024, 4, 29)),  # King's Day is no bank holiday
        (date(2024, 5, 9), date(2024, 5, 9)),  # nor is Ascension
    ],
)
def test_bank_days_are_targets(day: date, bank_day: date) -> None:
    assert next_bank_day(day) == bank_day


def test_a_country_nobody_knows_has_weekends_only() -> None:
    assert is_working_day(date(2024, 12, 25), "XX")
    assert not is_working_day(date(2024, 12, 28), "XX")


@pytest.mark.parametrize("day", [FIRST - timedelta(days=1), LAST + timedelta(days=1)])
def test_days_outside_the_calendars_are_refused(day: date) -> None:
    with pytest.raises(UsageError, match="outside the calendars"):
        add_working_days(day, 1, "NL")
