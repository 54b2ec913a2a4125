"""The timeline of a case or an account: a page of what happened, the newest first, and where the next page begins."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from maatpak.console.frame.asking import Asking
from maatpak.kernel.errors import UsageError
from tasks.audit.timeline import Entry, Place, timeline_of, timeline_of_debtor

PAGE = 50
BEFORE = "Where the timeline goes on: `older` of the page before."
LINKS = {"message": "/messages/{}", "work": "/work/{}"}
"""What an entry is about → where that is looked at."""
_SEPARATOR = "~"


@dataclass(frozen=True)
class Happened:
    """One thing that happened. An amount is minor units of `currency`."""

    day: date
    """The business date."""
    at: datetime
    """When it was recorded."""
    kind: str
    words: str
    who: str | None
    """A person's name or login, `engine` or `customer`; None where the ledger tells."""
    path: str | None
    """Where it is looked at in full."""
    amount: int | None
    currency: str | None


@dataclass(frozen=True)
class Past:
    """A page of a timeline."""

    entries: list[Happened]
    older: str | None
    """Where the next page begins; None: this is the last."""


def past_of(asking: Asking, case_id: int, today: date) -> Past:
    """A case's, up to a business date."""
    return _page(timeline_of(asking.session, case_id, today, _before(asking), PAGE + 1))


def past_of_debtor(asking: Asking, debtor_id: int, today: date) -> Past:
    """An account's, over all its currencies."""
    return _page(timeline_of_debtor(asking.session, debtor_id, today, _before(asking), PAGE + 1))


def _page(entries: list[Entry]) -> Past:
    shown = entries[:PAGE]
    older = _place_told(shown[-1].place) if len(entries) > PAGE else None
    return Past([_happened(entry) for entry in shown], older)


def _happened(entry: Entry) -> Happened:
    path = LINKS[entry.link].format(entry.target) if entry.link in LINKS and entry.target else None
    who = entry.who_name or entry.who
    return Happened(entry.day, entry.at, entry.kind, entry.words, who, path, entry.amount, entry.currency)


def _place_told(place: Place) -> str:
    return _SEPARATOR.join((place.day.isoformat(), place.at.isoformat(), place.kind, str(place.key)))


def _before(asking: Asking) -> Place | None:
    told = asking.query.get("before")
    if not told:
        return None
    try:
        day, at, kind, key = told.split(_SEPARATOR)
        instant = datetime.fromisoformat(at).astimezone(UTC)
        return Place(date.fromisoformat(day), instant, kind.replace("\0", ""), int(key[:18]))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{told!r} is no place in a timeline.", advice="Begin at the newest; links go on.") from error
