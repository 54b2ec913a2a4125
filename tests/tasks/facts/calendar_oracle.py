"""Working days counted on fingers."""

from calendar import monthrange
from datetime import date, timedelta
from functools import cache

import holidays


@cache
def closed(country: str, year: int) -> frozenset[date]:
    """Days off of a year, weekends aside."""
    if country == "TARGET":
        return frozenset(holidays.financial_holidays("ECB", years=year))
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def works(day: date, country: str) -> bool:
    return day.weekday() < 5 and day not in closed(country, day.year)


def between(start: date, end: date, country: str) -> int:
    """Working days after start up to and including end."""
    if end < start:
        return -between(end, start, country)
    return sum(works(start + timedelta(days=n), country) for n in range(1, (end - start).days + 1))


def add(day: date, count: int, country: str) -> date:
    """So many working days on; none: the day itself, or the next that is one."""
    while count == 0 and not works(day, country):
        day += timedelta(days=1)
    while count > 0:
        day += timedelta(days=1)
        count -= works(day, country)
    return day


def bank_day(day: date) -> date:
    """D: the due date moved to the next bank day."""
    return add(day, 0, "TARGET")


def months_back(day: date, months: int) -> date:
    """The same day so many months ago."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return date(year, month, min(day.day, monthrange(year, month)[1]))
