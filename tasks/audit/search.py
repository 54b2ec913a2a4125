"""Looking for events: by whom and what they are about, by their origin and their dates; the newest first, page by page.

The chain grows by millions, so each search walks an index that ends in the order of the answer (`Event`): that of the
filter that narrows most, else of each creditor that may be seen. Searches by date go by business date, then number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from tasks.audit.telling import COLUMNS, NAMES, EventTold, told

MOST = 200
"""Events of one page."""

CONDITIONS = {
    "case_id": "x.case_id = :case_id",
    "debtor_no": "x.debtor_id = ANY(ARRAY(SELECT id FROM debtor WHERE creditor_id = ANY(:creditors)"
    " AND debtor_no = :debtor_no))",
    "flow_run": "x.flow_run = :flow_run",
    "policy_hash": "x.policy_hash = :policy_hash",
    "actor": "x.actor = :actor",
    "kind": "x.kind = :kind",
}
DATES = {"since": "x.business_date >= :since", "until": "x.business_date <= :until"}

OF_EACH = """
SELECT x.* FROM unnest(CAST(:creditors AS bigint[])) AS owner (id)
CROSS JOIN LATERAL (SELECT * FROM event x WHERE x.creditor_id = owner.id {conditions} {order} LIMIT :most) x
"""
OF_NONE = "(SELECT x.* FROM event x WHERE x.creditor_id IS NULL {conditions} {order} LIMIT :most)"
NARROWED = "SELECT x.* FROM event x WHERE {whose} {conditions} {order} LIMIT :most"


@dataclass(frozen=True)
class EventFilter:
    """Which events to find; what is None does not filter. Dates are business dates, both included."""

    creditor_id: int | None = None
    debtor_no: str | None = None
    case_id: int | None = None
    actor: str | None = None
    flow_run: str | None = None
    policy_hash: str | None = None
    kind: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class EventPage:
    """Events, the newest first, and the number to go on from (`before`); None: these are the last."""

    events: tuple[EventTold, ...]
    before: int | None


def search_events(
    session: Session, creditor_ids: Sequence[int], wanted: EventFilter, before: int | None = None, limit: int = 50
) -> EventPage:
    """A page of the events of these creditors, and of the installation itself where no creditor is asked for.

    `before` is the number that the page before ended with; `limit` is at most `MOST`.
    """
    most = max(1, min(limit, MOST))
    query, values = _query(creditor_ids, wanted, before)
    found = session.connection().execute(text(query), {**values, "most": most + 1}).mappings()
    rows = [dict(row) for row in found]
    events = told(session.connection(), rows[:most])
    return EventPage(tuple(events), events[-1].seq if len(rows) > most else None)


def _query(creditor_ids: Sequence[int], wanted: EventFilter, before: int | None) -> tuple[str, dict[str, Any]]:
    creditors = [each for each in creditor_ids if wanted.creditor_id in (None, each)]
    narrowing = [condition for name, condition in CONDITIONS.items() if getattr(wanted, name) is not None]
    dated = [condition for name, condition in DATES.items() if getattr(wanted, name) is not None]
    conditions = [*narrowing, *dated]
    if before is not None:
        place = "(x.business_date, x.seq) < (SELECT o.business_date, o.seq FROM event o WHERE o.seq = :before)"
        conditions.append(place if dated else "x.seq < :before")
    marks = {
        "conditions": "".join(f" AND {each}" for each in conditions),
        "order": f"ORDER BY {'x.business_date DESC, ' if dated else ''}x.seq DESC",
    }
    if narrowing:
        ours = "x.creditor_id = ANY(:creditors)"
        source = NARROWED.format(whose=ours if wanted.creditor_id else f"({ours} OR x.creditor_id IS NULL)", **marks)
    else:
        source = OF_EACH.format(**marks)
        if wanted.creditor_id is None and not dated:
            source = f"{source} UNION ALL {OF_NONE.format(**marks)}"
    order = marks["order"].replace("x.", "e.")
    query = f"SELECT {COLUMNS} FROM (SELECT * FROM ({source}) x {marks['order']} LIMIT :most) e {NAMES} {order}"  # noqa: S608
    given = {name: getattr(wanted, name) for name in (*CONDITIONS, *DATES) if getattr(wanted, name) is not None}
    return query, {"creditors": creditors, "before": before, **given}
