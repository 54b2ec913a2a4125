"""Events: looked for by whom and what they are about, one by one, and as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from maatpak.console.frame.asking import MOST_DIGITS, Asking
from maatpak.console.frame.declared import Content
from maatpak.console.frame.exporting import csv_line, harmless
from maatpak.console.frame.problems import missing
from maatpak.kernel.errors import UsageError
from maatpak.ledger.audit import HASHED, event_hash
from tasks.audit.search import MOST, EventFilter, EventPage, search_events
from tasks.audit.telling import COLUMNS, NAMES, EventTold, told
from tasks.audit.words import EVENT_WORDS

PAGE = 50
MOST_EXPORTED = 5_000
"""Events of a file; the newest that fit."""
QUERY = {
    "creditor": "Code of a creditor; without it, events of the installation itself are found, too.",
    "debtor": "Number of a customer.",
    "case": "Number of a case.",
    "actor": "Login of a person, `engine` or `customer`.",
    "run": "Id of a flow run.",
    "policy": "Content hash of a policy pack.",
    "kind": "What happened, as a code.",
    "since": "First business date, as YYYY-MM-DD.",
    "until": "Last business date, as YYYY-MM-DD.",
}
BEFORE = "Where the search goes on: `before` of the page before."
EXPORTED = ("seq", "recorded_at", "business_date", "creditor", "debtor_no", "case_id", "actor", "kind", "words")
GROUNDS = ("flow_run", "policy_hash", "snapshot_hash", "previous_hash", "hash")

BY_REF = "SELECT message_ref, id FROM message WHERE message_ref = ANY(:refs) AND creditor_id = ANY(:creditors)"
ONE = f"""
SELECT {COLUMNS} FROM event e {NAMES}
WHERE e.seq = :seq AND (e.creditor_id IS NULL OR e.creditor_id = ANY(:creditors))
"""  # noqa: S608 - our own words
STORED = f"SELECT {', '.join(HASHED)} FROM event WHERE seq = :seq"  # noqa: S608 - our own words
BESIDE = """
SELECT seq, hash, previous_hash, creditor_id IS NULL OR creditor_id = ANY(:creditors) AS seen
FROM event WHERE seq IN (:seq - 1, :seq + 1)
"""


@dataclass(frozen=True)
class Found:
    """An event that was found."""

    event: EventTold
    message_id: int | None
    """The message that it is about, if any."""
    time_zone: str
    """In which its instants are told."""


@dataclass(frozen=True)
class EventsSheet:
    """A page of events, the newest first."""

    events: list[Found]
    before: int | None
    """Where the next page begins; None: this is the last."""
    kinds: list[str]
    """What may happen."""


@dataclass(frozen=True)
class Beside:
    """A neighbour in the chain."""

    seq: int
    hash: str
    seen: bool
    """Whether the visitor may look at it: it may be another creditor's."""


@dataclass(frozen=True)
class EventSheet:
    """One event whole, and how it hangs in the chain."""

    found: Found
    fits: bool
    """Whether what is stored still has the hash."""
    follows: bool
    """Whether the hash of the event before is what it was chained to."""
    previous: Beside | None
    """None: it is the first."""
    next: Beside | None
    anchored: bool
    """Whether an anchor outside the database proves it."""
    anchored_seq: int
    """Up to which event they do."""


def read_events(asking: Asking) -> EventsSheet:
    """A page of what fits."""
    before = _number("before", asking.query.get("before"))
    page = search_events(asking.session, asking.visitor.creditor_ids, _wanted(asking), before, PAGE)
    return EventsSheet(_found(asking, page.events), page.before, sorted(EVENT_WORDS))


def export_events(asking: Asking) -> Content:
    """The newest events that fit, as CSV."""
    name = f"events-{asking.now:%Y-%m-%d}.csv"
    return Content("".join(_lines(asking)).encode("utf-8-sig"), "text/csv; charset=utf-8", name)


def read_event(asking: Asking, seq: int) -> EventSheet:
    """One event of the creditors that the visitor may see, or of none."""
    whose = {"seq": seq, "creditors": list(asking.visitor.creditor_ids)}
    rows = asking.rows(ONE, **whose)
    if not rows:
        raise missing("event", seq)
    (stored,) = asking.rows(STORED, seq=seq)
    beside = {row["seq"]: row for row in asking.rows(BESIDE, **whose)}
    previous, following = beside.get(seq - 1), beside.get(seq + 1)
    (event,) = told(asking.session.connection(), rows)
    anchor = asking.engine.anchors.last()
    return EventSheet(
        found=_found(asking, [event])[0],
        fits=event_hash(stored) == event.hash,
        follows=previous is None or previous["hash"] == event.previous_hash,
        previous=_beside(previous),
        next=_beside(following),
        anchored=anchor is not None and anchor.seq >= seq,
        anchored_seq=anchor.seq if anchor else 0,
    )


def messages_of(asking: Asking, events: Sequence[EventTold]) -> dict[int, int]:
    """Event → the message that it is about: named by its number, its reference or as a contact."""
    refs = {event.body["message"] for event in events if isinstance(event.body.get("message"), str)}
    by_ref: dict[str, int] = {}
    if refs:
        rows = asking.rows(BY_REF, refs=sorted(refs), creditors=list(asking.visitor.creditor_ids))
        by_ref = {row["message_ref"]: row["id"] for row in rows}
    found: dict[int, int] = {}
    for event in events:
        named, contact = event.body.get("message"), str(event.body.get("contact", ""))
        if isinstance(named, int):
            found[event.seq] = named
        elif named in by_ref:
            found[event.seq] = by_ref[str(named)]
        elif contact[:1] == "M" and contact[1:].isdigit():
            found[event.seq] = int(contact[1:])
    return found


def _found(asking: Asking, events: Sequence[EventTold]) -> list[Found]:
    messages = messages_of(asking, events)
    return [Found(event, messages.get(event.seq), asking.zone_of(event.creditor)) for event in events]


def _beside(row: dict[str, Any] | None) -> Beside | None:
    return Beside(row["seq"], row["hash"], row["seen"]) if row else None


def _lines(asking: Asking) -> Iterator[str]:
    yield csv_line([*EXPORTED, *GROUNDS])
    wanted, before, count = _wanted(asking), None, 0
    while count < MOST_EXPORTED:
        page: EventPage = search_events(asking.session, asking.visitor.creditor_ids, wanted, before, MOST)
        for event in page.events:
            yield csv_line([_cell(getattr(event, name)) for name in (*EXPORTED, *GROUNDS)])
        count, before = count + len(page.events), page.before
        if before is None:
            return


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date | datetime) else harmless(str(value))


def _wanted(asking: Asking) -> EventFilter:
    """What the URL asks for; empty fields do not filter."""
    given = {name: asking.query.get(name, "").strip() or None for name in QUERY}
    return EventFilter(
        creditor_id=asking.seen[0].id if given["creditor"] else None,
        debtor_no=given["debtor"],
        case_id=_number("case", given["case"]),
        actor=given["actor"],
        flow_run=given["run"],
        policy_hash=given["policy"],
        kind=given["kind"],
        since=_date("since", given["since"]),
        until=_date("until", given["until"]),
    )


def _number(name: str, value: str | None) -> int | None:
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > MOST_DIGITS:
        raise UsageError(f"{value[:40]!r} is no number for {name!r}.", advice="Write a whole number.")
    return int(value)


def _date(name: str, value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise UsageError(f"{value!r} is no date for {name!r}.", advice="Write it as YYYY-MM-DD.") from error
