"""Pay runs and windows, one day at a time."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.facts.rhythm import next_run, statement_day
from tasks.facts.scope import months_before
from tests.tasks.facts.calendar_oracle import months_back

WEDNESDAY = date(2026, 2, 11)


@pytest.mark.parametrize(
    ("rule", "day", "run"),
    [
        ("wednesday", WEDNESDAY, WEDNESDAY),
        ("friday", WEDNESDAY, date(2026, 2, 13)),
        ("tuesday", WEDNESDAY, date(2026, 2, 17)),
        ("15,30", WEDNESDAY, date(2026, 2, 15)),
        ("15,30", date(2026, 2, 16), date(2026, 2, 28)),
        ("31", date(2026, 4, 2), date(2026, 4, 30)),
        ("1", date(2026, 2, 2), date(2026, 3, 1)),
        ("whenever", WEDNESDAY, None),
    ],
)
def test_the_next_run(rule: str, day: date, run: date | None) -> None:
    assert next_run(rule, day) == run


def test_a_statement_day_is_moved_to_a_working_day() -> None:
    assert statement_day("14", WEDNESDAY, "NL") == date(2026, 2, 16)
    assert statement_day("soon", WEDNESDAY, "NL") is None


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(0, 36))
def test_months_are_counted_on_the_calendar(day: date, months: int) -> None:
    assert months_before(day, months) == months_back(day, months)
    assert months_before(day + timedelta(days=1), months) >= months_before(day, months)
