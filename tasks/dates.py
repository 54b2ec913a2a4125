"""Which date a creditor is at, and which it would be at now: what runs need that were given no date."""

from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from maatpak.kernel.errors import RefusedError
from tasks.register import creditor_by_code

if TYPE_CHECKING:
    from tasks.engine import Engine


def date_at(engine: "Engine", code: str, now: datetime) -> date:
    """The date that a day of the creditor has which is run now: today where the creditor is, never before its own."""
    with engine.database.reading() as session:
        creditor = creditor_by_code(session, code)
        today = now.astimezone(ZoneInfo(creditor.time_zone)).date()
        return today if creditor.business_date is None else max(today, creditor.business_date)


def business_date_of(engine: "Engine", code: str) -> date:
    """The date that the creditor is at.

    Raises:
        RefusedError: no day of it was ever begun.
    """
    with engine.database.reading() as session:
        date_ = creditor_by_code(session, code).business_date
    if date_ is None:
        raise RefusedError(f"No business day of {code} was begun yet.", advice="`maatpak run` begins one.")
    return date_
