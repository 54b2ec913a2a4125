"""Schedules in words, as far as they are simple; what is not stands as it is written."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from maatpak.kernel.errors import UsageError

DAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
NAMED = {"*": "", "1-5": " on weekdays", "MON-FRI": " on weekdays", "0,6": " at weekends", "6,0": " at weekends"}
NUMBERS = re.compile(r"\d+(,\d+)*")
MANY = 6
"""Times that are still listed one by one."""


def cron_in_words(cron: str) -> str:
    """`30 9,13 * * 1-5` → `09:30 and 13:30 on weekdays`; minutes, hours and days of the week only."""
    fields = cron.split()
    days = _days(fields[4]) if len(fields) == 5 else None
    if days is None or fields[2:4] != ["*", "*"]:
        return f"cron {cron}"
    times = _times(fields[0], fields[1])
    return f"cron {cron}" if times is None else f"{times}{days}"


def next_times(cron: str, time_zone: str, after: datetime, count: int = 3) -> Sequence[datetime]:
    """When a schedule comes next, as Prefect's own scheduler reckons it, summer time and all.

    Raises:
        UsageError: it never does, such as on the 30th of February.
    """
    import asyncio

    from prefect.server.schemas.schedules import CronSchedule

    try:
        found = asyncio.run(CronSchedule(cron=cron, timezone=time_zone).get_dates(count, after))
    except ValueError as error:
        raise UsageError(f"{cron!r} never comes.", advice="Look at its day and month.") from error
    return [datetime.fromtimestamp(each.timestamp(), ZoneInfo(time_zone)) for each in found]


def _days(field: str) -> str | None:
    named = NAMED.get(field.upper())
    if named is not None:
        return named
    if NUMBERS.fullmatch(field) and all(int(each) < len(DAYS) for each in field.split(",")):
        return f" on {_listed([DAYS[int(each)] for each in field.split(',')])}"
    return None


def _times(minutes: str, hours: str) -> str | None:
    if NUMBERS.fullmatch(minutes) and NUMBERS.fullmatch(hours):
        times = [f"{int(hour):02}:{int(minute):02}" for hour in hours.split(",") for minute in minutes.split(",")]
        return _listed(times) if len(times) <= MANY else None
    span = re.fullmatch(r"(\d+)-(\d+)", hours)
    between = f" from {int(span[1]):02}:00 to {int(span[2]):02}:59" if span else ""
    if hours != "*" and not span:
        return None
    every = re.fullmatch(r"\*/(\d+)", minutes)
    if minutes == "*" or (every and int(every[1]) == 1):
        return f"every minute{between}"
    if every and 60 % int(every[1]) == 0:
        return f"every {int(every[1])} minutes{between}"
    if minutes.isdigit():
        return f"every hour at :{int(minutes):02}{between}"
    return None


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
