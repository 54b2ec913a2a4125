"""Every creditor's segments: customers, what is overdue, who is on the journey, and what blocks most."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.rooms.customers.course import WAITS
from maatpak.kernel.words import Role
from tasks.access.visitor import SeenCreditor
from tasks.journey_figures import BLOCKED, STANDING
from tasks.version_move import MOVERS

PACKS = """
SELECT g.creditor_id, p.id AS pack_id, p.name, p.version, p.published_on, p.published_by
FROM creditor_pack g JOIN policy_pack p ON p.id = g.pack_id
WHERE g.replaced_at IS NULL AND g.creditor_id = ANY(CAST(:creditors AS bigint[]))
"""
ON_JOURNEYS = f"""
SELECT f.creditor_id, f.as_of, f.segment, f.pack_id, f.name, f.key, sum(f.value)::bigint AS cases
FROM unnest(CAST(:creditors AS bigint[])) AS c (id)
CROSS JOIN LATERAL (SELECT max(d.as_of) AS day FROM journey_figure d WHERE d.creditor_id = c.id) last
JOIN journey_figure f ON f.creditor_id = c.id AND f.as_of = last.day
WHERE f.name IN ('{STANDING}', '{BLOCKED}') GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - our own words
FIGURES = """
SELECT f.creditor_id, f.name, f.key AS segment, f.currency, f.value, f.count
FROM unnest(CAST(:creditors AS bigint[])) AS c (id)
CROSS JOIN LATERAL (SELECT max(d.business_date) AS day FROM figure d WHERE d.creditor_id = c.id) last
JOIN figure f ON f.creditor_id = c.id AND f.business_date = last.day
WHERE f.dimension = 'segment' AND f.name IN ('overdue', 'experience') ORDER BY f.currency
"""
WAITING = """
SELECT d.id AS draft_id, d.note, d.submitted_by, d.submitted_at, c.code
FROM pack_draft d JOIN creditor c ON jsonb_exists(d.bases, c.code)
WHERE d.state = 'submitted' AND c.id = ANY(CAST(:creditors AS bigint[])) ORDER BY d.id DESC
"""


@dataclass(frozen=True)
class Money:
    """An amount in minor units of its currency."""

    currency: str
    amount: int


@dataclass(frozen=True)
class Blocked:
    """Customers who get nothing today, for one reason."""

    reason: str
    cases: int
    passes: bool
    """Whether it passes by itself, as waiting for a date does; else something has to happen."""


@dataclass(frozen=True)
class SegmentLine:
    """One segment of a creditor, as its last day left it."""

    segment: str
    who: str
    """In the words of the pack; empty for a segment that only earlier versions have."""
    customers: int
    """Parties in the segment."""
    overdue: list[Money]
    standing: int
    """Cases with a round: on their journey."""
    blocked: int
    """Of these the ones that get nothing today."""
    most: Blocked | None
    """What holds most of them, of what does not pass by itself."""
    steps: int
    """Of the journey in force."""


@dataclass(frozen=True)
class DraftLine:
    """A draft that waits for a second person."""

    draft_id: int
    note: str
    submitted_by: str
    submitted_at: datetime


@dataclass(frozen=True)
class CreditorJourneys:
    """One creditor's pack and its segments, in the order in which the pack tries them."""

    code: str
    name: str
    as_of: date | None
    """The business date of the numbers; None before the first day."""
    pack_id: int | None
    """In force; None before the first."""
    pack: str
    version: int
    published_on: date | None
    published_by: str
    earlier: int
    """Cases whose rounds run on other versions than the one in force."""
    segments: list[SegmentLine]
    drafts: list[DraftLine]


@dataclass(frozen=True)
class JourneysSheet:
    """The journeys of all creditors that the visitor may see."""

    creditors: list[CreditorJourneys]
    may_move: bool
    """Whether the visitor's role may move rounds that run."""


def read_journeys(asking: Asking) -> JourneysSheet:
    """The overview."""
    ids = asking.creditors
    packs = {row["creditor_id"]: row for row in asking.rows(PACKS, creditors=ids)}
    standing = _by_creditor(asking.rows(ON_JOURNEYS, creditors=ids))
    figures = _by_creditor(asking.rows(FIGURES, creditors=ids))
    drafts = defaultdict(list)
    for row in asking.rows(WAITING, creditors=ids):
        drafts[row.pop("code")].append(DraftLine(**row))
    return JourneysSheet(
        [
            _creditor(asking, each, packs.get(each.id), standing[each.id], figures[each.id], drafts[each.code])
            for each in asking.seen
        ],
        Role(asking.visitor.role) in MOVERS,
    )


def _creditor(
    asking: Asking,
    creditor: SeenCreditor,
    pack: Mapping[str, Any] | None,
    standing: list[dict[str, Any]],
    figures: list[dict[str, Any]],
    drafts: list[DraftLine],
) -> CreditorJourneys:
    compiled = asking.engine.pack(pack["pack_id"]) if pack else None
    who = {each.name: each.who for each in compiled.segments} if compiled else {}
    steps = {name: len(journey.steps) for name, journey in compiled.journeys.items()} if compiled else {}
    named = dict.fromkeys([*who, *(row["segment"] for row in standing)])
    present = pack["pack_id"] if pack else None
    return CreditorJourneys(
        code=creditor.code,
        name=creditor.name,
        as_of=standing[0]["as_of"] if standing else None,
        pack_id=present,
        pack=pack["name"] if pack else "",
        version=pack["version"] if pack else 0,
        published_on=pack["published_on"] if pack else None,
        published_by=pack["published_by"] if pack else "",
        earlier=sum(row["cases"] for row in standing if row["name"] == STANDING and row["pack_id"] != present),
        segments=[_segment(name, who.get(name, ""), steps.get(name, 0), standing, figures) for name in named],
        drafts=drafts,
    )


def _segment(
    name: str, who: str, steps: int, standing: list[dict[str, Any]], figures: list[dict[str, Any]]
) -> SegmentLine:
    blocked: dict[str, int] = defaultdict(int)
    for row in standing:
        if row["segment"] == name and row["name"] == BLOCKED:
            blocked[row["key"]] += row["cases"]
    held = [each for each in blocked_by(blocked) if not each.passes]
    own = [row for row in figures if row["segment"] == name]
    return SegmentLine(
        segment=name,
        who=who,
        customers=sum(row["count"] for row in own if row["name"] == "experience"),
        overdue=[Money(row["currency"], row["value"]) for row in own if row["name"] == "overdue" and row["value"]],
        standing=sum(row["cases"] for row in standing if row["segment"] == name and row["name"] == STANDING),
        blocked=sum(blocked.values()),
        most=held[0] if held else None,
        steps=steps,
    )


def blocked_by(cases: Mapping[str, int]) -> list[Blocked]:
    """Reason → cases as a list, the commonest first."""
    found = sorted(cases.items(), key=lambda each: (-each[1], each[0]))
    return [Blocked(reason, count, reason in WAITS) for reason, count in found]


def _by_creditor(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["creditor_id"]].append(row)
    return found
