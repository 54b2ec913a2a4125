"""When a customer may be rung: in the pack's hours and their own, in their zone, on a working day of both sides.

The guardrails of the trade and what a customer asked for (rule 28) bind the person who rings as
they bind the machine that writes. Whoever was rung by the customer, or asked to ring, broke neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from maatpak.kernel.calendars import is_working_day
from maatpak.kernel.words import PartyKind
from policies.guardrails import Hours
from tasks.compose.windows import SEARCH, SUNDAY, span, zones_of
from tasks.payers import PAYING_NOW

HOURS_OF = f"""
SELECT d.id AS debtor_id, COALESCE(p.kind, 'business') AS kind, COALESCE(p.country, cr.country) AS country, p.time_zone,
  cr.country AS our_country, cr.time_zone AS our_zone,
  (SELECT f.value FROM preference f
   WHERE f.debtor_id = r.id AND f.name = 'call_hours' AND f.replaced_at IS NULL) AS call_hours,
  GREATEST(
    (SELECT max(c.called_on) FROM contact_result c JOIN "case" k ON k.id = c.case_id
     WHERE k.party_id = r.party_id AND c.payer_party_id IS NULL),
    (SELECT max(c.called_on) FROM contact_result c WHERE c.payer_party_id = r.party_id)) AS called_on
FROM debtor d JOIN creditor cr ON cr.id = d.creditor_id
JOIN debtor r ON r.id = COALESCE((SELECT y.id {PAYING_NOW} AND x.debtor_id = d.id), d.id)
LEFT JOIN debtor_profile p ON p.debtor_id = r.id AND p.replaced_at IS NULL
WHERE d.id = ANY(:debtors)
"""  # noqa: S608 - our own words
"""What is known of who is rung for debtors, which is who pays for them: where they are, what hours they asked for, and
when their party was last rung."""


class Side(StrEnum):
    """Whose wish it was that there was a call at that hour."""

    OURS = "ours"
    ASKED = "asked"
    """The customer asked for a call at that time."""
    INBOUND = "inbound"
    """The customer rang us."""


@dataclass(frozen=True)
class CallWindow:
    """The hours in which one customer may be rung."""

    zones: tuple[str, ...]
    country: str
    spans: tuple[str, ...]
    """Hours that must all hold: the pack's, and the customer's own if there are any."""
    our_country: str

    def next_from(self, at: datetime) -> datetime | None:
        """The instant itself, or the next one at which the customer may be rung; None when there is none in sight."""
        return _next_from(self, at)

    def said(self) -> str:
        """The hours in words, where the customer is."""
        latest = max(span(each)[0] for each in self.spans)
        first = min(span(each)[1] for each in self.spans)
        return f"between {latest:%H:%M} and {first:%H:%M}, on a working day of both sides"

    def local(self, at: datetime) -> datetime:
        """An instant by the customer's clock."""
        return at.astimezone(ZoneInfo(self.zones[0]))

    def is_open(self, at: datetime, zones: tuple[str, ...]) -> bool:
        """Whether an instant lies inside the hours in each of these zones."""
        for zone in zones:
            local = at.astimezone(ZoneInfo(zone))
            day = local.date()
            if local.weekday() == SUNDAY or not all(is_working_day(day, of) for of in (self.country, self.our_country)):
                return False
            if not all(opens <= local.time() < closes for opens, closes in map(span, self.spans)):
                return False
        return True

    def openings(self, at: datetime, zones: tuple[str, ...]) -> Iterator[datetime]:
        """Every later instant at which the hours can begin."""
        starts = [(zone, span(each)[0]) for zone in zones for each in self.spans]
        for ahead in range(-1, SEARCH.days + 1):
            day = at.astimezone(UTC).date() + timedelta(days=ahead)
            instants = {datetime.combine(day, begins, ZoneInfo(zone)).astimezone(UTC) for zone, begins in starts}
            yield from sorted(instant for instant in instants if instant > at)


@lru_cache(maxsize=4096)
def _next_from(window: CallWindow, at: datetime) -> datetime | None:
    # A country so wide that its zones never agree is taken by its first zone, as for what is written.
    for zones in (window.zones, window.zones[:1]):
        if window.is_open(at, zones):
            return at
        found = min((each for each in window.openings(at, zones) if window.is_open(each, zones)), default=None)
        if found is not None:
            return found
    return None


def call_window(known: dict[str, Any], hours: Hours) -> CallWindow:
    """The window of a row of `HOURS_OF`, within the hours of the creditor's newest pack."""
    own = [known["call_hours"]] if known["call_hours"] else []
    pack = hours.consumer if known["kind"] == PartyKind.CONSUMER else hours.business
    zones = zones_of(known["time_zone"], known["country"])
    return CallWindow(zones, known["country"], (pack, *own), known["our_country"])


def moment(as_of: date, now: datetime, zone: str, at: time | None = None) -> datetime:
    """When a call is made: on the business date, at the hour that it is where the creditor is, or that was given."""
    hour = at if at is not None else now.astimezone(ZoneInfo(zone)).time()
    return datetime.combine(as_of, hour, ZoneInfo(zone)).astimezone(UTC)


def ringing(
    customer: dict[str, Any], hours: Hours, today: date, due_on: date, now: datetime
) -> tuple[datetime | None, bool]:
    """From when a customer (a row of `HOURS_OF`) may be rung about a call, by our clock, and whether that is now.

    Not before the call is due, and only once on a business date, which is `today`.
    """
    zone, again = customer["our_zone"], customer["called_on"] == today
    at = moment(today, now, zone)
    moments = [at, moment(max(due_on, today), now, zone, time.min)]
    moments += [moment(today + timedelta(days=1), now, zone, time.min)] if again else []
    opens = call_window(customer, hours).next_from(max(moments))
    return opens and opens.astimezone(ZoneInfo(zone)), opens == at
