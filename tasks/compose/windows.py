"""When a customer may be written to: hours of the pack, in the customer's own zone, on working days, never on Sunday.

A letter has no hour. Without a known zone, all zones of the customer's country must be inside the hours.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

from maatpak.kernel.calendars import is_working_day
from maatpak.kernel.words import PartyKind
from policies.guardrails import Hours

SEARCH = timedelta(days=21)
STEP = timedelta(minutes=30)
SUNDAY = 6


@lru_cache(maxsize=512)
def zones_of(time_zone: str | None, country: str) -> tuple[str, ...]:
    """The customer's zone; if it is not known, every zone of the country; UTC where there is none."""
    if time_zone and _known(time_zone):
        return (time_zone,)
    territories = get_global("zone_territories")
    found = tuple(sorted(zone for zone, territory in territories.items() if territory == country and _known(zone)))
    return found or ("UTC",)


def is_open(at: datetime, zones: Sequence[str], hours: Hours, kind: str, country: str) -> bool:
    """Whether the customer may be written to at an instant."""
    opens, closes = span(hours.consumer if kind == PartyKind.CONSUMER else hours.business)
    for zone in zones:
        local = at.astimezone(ZoneInfo(zone))
        if local.weekday() == SUNDAY or not is_working_day(local.date(), country):
            return False
        if not opens <= local.time() < closes:
            return False
    return True


def closing(at: datetime, zones: Sequence[str], hours: Hours, kind: str) -> datetime:
    """When the hours end in which an instant lies at which the customer may be written to (`is_open`)."""
    closes = span(hours.consumer if kind == PartyKind.CONSUMER else hours.business)[1]
    local = [at.astimezone(ZoneInfo(zone)) for zone in zones]
    return min(datetime.combine(each.date(), closes, each.tzinfo) for each in local).astimezone(UTC)


@lru_cache(maxsize=4096)
def next_opening(at: datetime, zones: tuple[str, ...], hours: Hours, kind: str, country: str) -> datetime:
    """The instant itself, or the next half hour at which the customer may be written to.

    A country so wide that its zones never agree is taken by its first zone.
    """
    if is_open(at, zones, hours, kind, country):
        return at
    for chosen in (zones, zones[:1]):
        moment = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while moment <= at + SEARCH:
            moment += STEP
            if moment > at and is_open(moment, chosen, hours, kind, country):
                return moment
    return at + SEARCH


@lru_cache(maxsize=64)
def span(text: str) -> tuple[time, time]:
    """Hours such as `09:00-19:00` as the two times."""
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    return opens, closes


@lru_cache(maxsize=1024)
def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
