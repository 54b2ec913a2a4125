"""How a pack says when, and how working days are reckoned over whole frames."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.calendars import add_working_days, is_working_day
from policies.timing import (
    Anchor,
    Moment,
    Recurrence,
    Rhythm,
    parse_after,
    parse_limit,
    parse_moment,
    parse_recurrence,
    parse_working_days,
)
from policies.workdays import MISSING, Workdays, day_number, day_of


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("due", Moment(Anchor.DUE)),
        ("due - 3 working days", Moment(Anchor.DUE, -3)),
        ("due + 1 working day", Moment(Anchor.DUE, 1)),
        ("first_invoice + 2 working days", Moment(Anchor.FIRST_INVOICE, 2)),
    ],
)
def test_a_moment_is_read_and_written_the_same(text: str, moment: Moment) -> None:
    assert parse_moment(text) == moment
    assert str(moment) == text


@pytest.mark.parametrize(
    ("text", "recurrence"),
    [
        ("month on working day 3", Recurrence(Rhythm.MONTH, 3)),
        ("pay_run - 4 working days", Recurrence(Rhythm.PAY_RUN, 4)),
        (
            "pay_run - 4 working days, else month on working day 3",
            Recurrence(Rhythm.PAY_RUN, 4, Recurrence(Rhythm.MONTH, 3)),
        ),
        ("year", Recurrence(Rhythm.YEAR)),
    ],
)
def test_a_recurrence_is_read_and_written_the_same(text: str, recurrence: Recurrence) -> None:
    assert parse_recurrence(text) == recurrence
    assert str(recurrence) == text


def test_durations_limits_and_waits() -> None:
    assert parse_working_days("1 working day") == 1
    assert parse_limit("10 working days") == 10
    assert parse_limit("due") == Moment(Anchor.DUE)
    assert parse_after(["call", "reminder"]) == {"call": None, "reminder": None}
    assert parse_after({"call": "5 working days", "copy": 7}) == {"call": 5, "copy": 7}


@pytest.mark.parametrize("text", ["5", 5, "5 days", "due + 3 days", "due+3 working days", "someday", "", None])
def test_what_is_no_time_is_refused(text: object) -> None:
    for parse in (parse_working_days, parse_moment, parse_limit, parse_recurrence):
        with pytest.raises(ValueError, match="write"):
            parse(text)


_DAYS = st.dates(date(2000, 1, 1), date(2050, 12, 31))


@given(
    st.lists(st.tuples(_DAYS | st.none(), st.sampled_from(["NL", "BE", "GB", "XX"])), min_size=1), st.integers(-30, 30)
)
def test_a_frame_is_shifted_as_each_date_is(rows: list[tuple[date | None, str]], count: int) -> None:
    workdays = Workdays(pl.Series([country for _, country in rows]))
    days = np.array([MISSING if day is None else day_number(day) for day, _ in rows], dtype=np.int32)
    expected = [None if day is None else add_working_days(day, count, country) for day, country in rows]
    assert [day_of(int(each)) for each in workdays.shift(days, count)] == expected


@given(_DAYS, st.lists(st.sampled_from(["NL", "GB", "XX"]), min_size=1, max_size=4))
def test_working_days_and_eves_by_country(day: date, countries: list[str]) -> None:
    workdays = Workdays(pl.Series(countries))
    rows = np.arange(len(countries))
    expected = [is_working_day(day, country) for country in countries]
    assert workdays.working(day_number(day), rows).tolist() == expected


def test_the_eve_of_a_holiday() -> None:
    workdays = Workdays(pl.Series(["NL", "GB"]))
    rows = np.arange(2)
    assert workdays.eve(day_number(date(2026, 4, 2)), rows).tolist() == [True, True]  # before Good Friday
    assert workdays.eve(day_number(date(2026, 4, 24)), rows).tolist() == [False, False]
    assert workdays.eve(day_number(date(2026, 4, 26)), rows).tolist() == [True, False]  # King's Day is Dutch
