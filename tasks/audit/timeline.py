"""Everything of a case in one timeline, the newest first: what was owed, written, said, promised, decided and done."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import UsageError
from tasks.audit.timeline_sources import SOURCES, Source
from tasks.audit.timeline_words import line

MOST = 500
"""Entries of one page."""

WHOSE = """
SELECT k.debtor_id, d.party_id, array_agg(k.id) AS cases, array_agg(k.currency) AS currencies
FROM "case" k JOIN debtor d ON d.id = k.debtor_id WHERE {whose} GROUP BY k.debtor_id, d.party_id
"""
BRANCH = """
(SELECT x.* FROM (
  SELECT CAST('{kind}' AS text) AS kind, CAST({key} AS bigint) AS key, {day} AS day, CAST({at} AS timestamptz) AS at,
    CAST({who} AS text) AS who, CAST({amount} AS bigint) AS amount, CAST({currency} AS text) AS currency,
    '{link}' AS link, CAST({target} AS text) AS target, jsonb_build_object({codes}) AS codes
  FROM {rows}) x
WHERE x.day <= :as_of {before} ORDER BY x.day DESC, x.at DESC, x.key DESC LIMIT :most)
"""
BEFORE = "AND (x.day, x.at, x.kind, x.key) < (:day, :at, :kind, :key)"
IN_ORDER = """
SELECT e.*, p.name AS who_name FROM ({branches}) e LEFT JOIN person p ON p.login = e.who
ORDER BY e.day DESC, e.at DESC, e.kind DESC, e.key DESC LIMIT :most
"""


class Place(NamedTuple):
    """Where an entry stands; the next page begins below the last one's."""

    day: date
    at: datetime
    kind: str
    key: int


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    place: Place
    day: date
    """The business date on which it happened; entries are in this order, then by instant."""
    at: datetime
    """When it was recorded; of what falls due, the beginning of that day."""
    kind: str
    """See `tasks.audit.timeline_sources.SOURCES`."""
    words: str
    who: str | None
    """Login, `engine` or `customer`; None where the ledger tells."""
    who_name: str | None
    """The person's name, if it is one."""
    link: str
    """What it links to: item, payment, message, work, answer, promise, dispute, claim, plan, placement, reason, hold,
    note, ticket, action, round, or contact (`M…` a message, `A…` a handing over)."""
    target: str | None
    """Its id, or its number where it has one."""
    amount: int | None
    """Minor units."""
    currency: str | None


def timeline_of(
    session: Session, case_id: int, as_of: date, before: Place | None = None, limit: int = 50
) -> list[Entry]:
    """A page of a case's timeline up to a business date; `before`: the place of the last entry of the page before.

    Raises:
        UsageError: there is no such case.
    """
    return _page(session, "k.id = :id", case_id, as_of, before, limit)


def timeline_of_debtor(
    session: Session, debtor_id: int, as_of: date, before: Place | None = None, limit: int = 50
) -> list[Entry]:
    """The same over all cases of a debtor.

    Raises:
        UsageError: it has none.
    """
    return _page(session, "k.debtor_id = :id", debtor_id, as_of, before, limit)


def _page(session: Session, whose: str, of: int, as_of: date, before: Place | None, limit: int) -> list[Entry]:
    connection = session.connection()
    found = connection.execute(text(WHOSE.format(whose=whose)), {"id": of}).mappings().first()
    if found is None:
        raise UsageError("There is no such case.", advice="A case comes with a customer's first item.")
    values: dict[str, Any] = {
        "cases": found["cases"],
        "currencies": found["currencies"],
        "debtor": found["debtor_id"],
        "party": found["party_id"],
        "as_of": as_of,
        "most": max(1, min(limit, MOST)),
        **(before._asdict() if before else {}),
    }
    branches = " UNION ALL ".join(_branch(kind, source, before) for kind, source in SOURCES.items())
    rows = connection.execute(text(IN_ORDER.format(branches=branches)), values).mappings()
    return [_entry(dict(row)) for row in rows]


def _branch(kind: str, source: Source, before: Place | None) -> str:
    return BRANCH.format(kind=kind, before=BEFORE if before else "", **vars(source))


def _entry(row: dict[str, Any]) -> Entry:
    words = line(row["kind"], row.pop("codes"))
    place = Place(row["day"], row["at"], row["kind"], row.pop("key"))
    return Entry(place=place, words=words, **row)
