"""What waits for whoever looks, by role: each a number with the list that it is made of, all of them in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.rooms.approvals.listings import MINE as MY_APPROVALS
from maatpak.console.rooms.approvals.listings import WAITS
from maatpak.console.rooms.calls.sheets import MINE as MY_CALLS
from maatpak.console.rooms.journeys.drafts import WAIT as DRAFTS_WAIT
from maatpak.console.rooms.work import MINE as MY_WORK
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import Role
from tasks.drafts import CONFIRMERS
from tasks.four_eyes import APPROVERS
from tasks.rights import COLLECTORS, DESK
from tasks.work import CONFIRMATIONS

ANSWERED_WITHIN = 2
"""Working days that an answer may lie unread (law 6)."""
ADMINISTRATORS = (Role.ADMINISTRATOR,)
OPEN_WORK = """
FROM work_task t JOIN creditor c ON c.id = t.creditor_id
WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open'
"""
NO = "false"


@dataclass(frozen=True)
class Kind:
    """One kind of thing that waits: who looks to it, where it is listed, what is counted and what of it is late."""

    name: str
    title: str
    link: str
    roles: Sequence[Role]
    rows: str
    """FROM and WHERE. Marks: `:creditors`, `:unread` by each, `:login`, `:role`, `:confirmations`, subjects of work."""
    late: str = NO
    """Condition of those that should be done by now."""


KINDS = (
    Kind(
        "approvals",
        "Steps that need your approval",
        "/approvals",
        APPROVERS,
        f"""FROM action a JOIN creditor c ON c.id = a.creditor_id
        WHERE a.creditor_id = ANY(:creditors) AND {WAITS} AND {MY_APPROVALS}""",
        "a.business_date < c.business_date - 4",
    ),
    Kind(
        "confirmations",
        "A second person's word",
        "/work?kind=review",
        DESK,
        f"{OPEN_WORK} AND {MY_WORK} AND t.kind = 'review' AND t.subject = ANY(:confirmations)",
        "t.due_on < c.business_date",
    ),
    Kind(
        "calls",
        "Calls that are due",
        "/calls",
        DESK,
        f"{OPEN_WORK} AND {MY_CALLS} AND t.kind = 'call' AND t.due_on <= c.business_date",
        "t.due_on < c.business_date",
    ),
    Kind(
        "work",
        "Work of yours",
        "/work",
        DESK,
        f"{OPEN_WORK} AND {MY_WORK} AND t.kind <> 'call' AND NOT t.subject = ANY(:confirmations)",
        "t.due_on < c.business_date",
    ),
    Kind(
        "answers",
        "Answers nobody has read",
        "/answers",
        COLLECTORS,
        """FROM unnest(CAST(:creditors AS bigint[]), CAST(:unread AS date[])) AS w (creditor_id, since)
        JOIN answer q ON q.creditor_id = w.creditor_id WHERE q.replaced_at IS NULL AND q.read_on IS NULL""",
        "q.received_on < w.since",
    ),
    Kind(
        "quarantined",
        "Quarantined rows",
        "/quarantine",
        (Role.OPERATOR, Role.CREDIT_MANAGER),
        "FROM quarantined_row r WHERE r.creditor_id = ANY(:creditors) AND r.state = 'open'",
    ),
    Kind(
        "unknown",
        "Messages that may have left",
        "/messages/unknown",
        (Role.OPERATOR, Role.CREDIT_MANAGER),
        "FROM message m WHERE m.creditor_id = ANY(:creditors) AND m.state = 'unknown'",
    ),
    Kind(
        "unassigned",
        "Mails of nobody known",
        "/incoming",
        (Role.OPERATOR, Role.COLLECTOR),
        "FROM incoming i WHERE i.state = 'unassigned'",
    ),
    Kind(
        "packs",
        "Packs to confirm",
        "/packs/drafts",
        CONFIRMERS,
        f"FROM {DRAFTS_WAIT}",
    ),
    Kind(
        "rights",
        "Changes of rights",
        "/people",
        ADMINISTRATORS,
        "FROM change_request r WHERE r.state = 'asked' AND r.asked_by <> :login",
    ),
)
"""The most pressing first."""


@dataclass(frozen=True)
class Waiting:
    """How much of a kind waits for the visitor."""

    name: str
    title: str
    link: str
    count: int
    late: int
    """How many of them should be done by now."""


def unread_before(asking: Asking) -> list[date]:
    """By creditor that counts: an answer of an earlier date should have been read by now (law 6)."""
    return [
        add_working_days(each.business_date or asking.now.date(), -ANSWERED_WITHIN, each.country)
        for each in asking.seen
    ]


def read_waiting(asking: Asking) -> list[Waiting]:
    """What waits for the visitor, kinds of which nothing does left out."""
    role = asking.visitor.role
    kinds = [kind for kind in KINDS if role in kind.roles]
    if not kinds:
        return []
    values: dict[str, Any] = {
        "creditors": asking.creditors,
        "login": asking.visitor.login,
        "role": role,
        "confirmations": sorted(CONFIRMATIONS),
        "unread": unread_before(asking),
    }
    query = " UNION ALL ".join(
        f"SELECT {place} AS place, count(*) AS count, count(*) FILTER (WHERE {kind.late}) AS late {kind.rows}"
        for place, kind in enumerate(kinds)
    )
    return [
        Waiting(
            kinds[row["place"]].name, kinds[row["place"]].title, kinds[row["place"]].link, row["count"], row["late"]
        )
        for row in sorted(asking.rows(query, **values), key=lambda row: int(row["place"]))
        if row["count"]
    ]
