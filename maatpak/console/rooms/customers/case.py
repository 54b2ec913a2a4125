"""A case's sheet: where it stands, what is open, what comes next or why nothing does, and all that is on record."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.customers.course import CourseStep, course_of
from maatpak.console.rooms.customers.records import AccountRecords, CaseRecords, account_records, case_records
from maatpak.console.rooms.customers.timeline import Happened, Past, past_of
from maatpak.kernel.words import OPEN_ACTION_STATES, Stage
from maatpak.ledger.tables.standing import NEVER
from tasks.placement_checks import checks_of, reading
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.timeline import timeline

MOST_ITEMS = 200

HEAD = """
SELECT k.id AS case_id, k.debtor_id, k.creditor_id, k.currency, d.debtor_no, c.code AS creditor,
  c.name AS creditor_name, c.business_date, c.time_zone, COALESCE(p.name, d.debtor_no) AS name,
  p.account_manager, COALESCE(p.key_account, false) AS key_account, p.country, p.kind, p.language,
  s.segment AS standing_segment, s.stage, s.outcome, s.step, s.reason, s.detail, s.next_step, s.next_on,
  s.asked_amount, s.overdue_open, s.not_due_open, s.oldest_due_on, s.experience_balance, s.risk_class,
  s.business_date AS stands_since, r.id AS round_id, r.number AS round_no, r.opened_on, r.closed_on,
  o.segment AS round_segment, o.pack_id, o.entry_stage, o.cause, o.actor AS moved_by, v.pack_id AS current_pack,
  (SELECT count(*) FROM quarantined_row q
   WHERE q.creditor_id = k.creditor_id AND q.debtor_no = d.debtor_no AND q.state = 'open') AS quarantined,
  (SELECT count(*) FROM answer a WHERE a.debtor_id = k.debtor_id AND a.replaced_at IS NULL AND a.read_on IS NULL)
    AS unread,
  (SELECT COALESCE(jsonb_agg(jsonb_build_object('case_id', o.id, 'currency', o.currency) ORDER BY o.currency), '[]')
   FROM "case" o WHERE o.debtor_id = k.debtor_id AND o.id <> k.id) AS others,
  (SELECT max(t.business_date) FROM tick t WHERE t.creditor_id = k.creditor_id) AS looked_on
FROM "case" k JOIN debtor d ON d.id = k.debtor_id JOIN creditor c ON c.id = k.creditor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
LEFT JOIN case_standing s ON s.case_id = k.id
LEFT JOIN LATERAL (SELECT * FROM round WHERE case_id = k.id ORDER BY number DESC LIMIT 1) r ON true
LEFT JOIN round_course o ON o.round_id = r.id AND o.replaced_at IS NULL
LEFT JOIN creditor_pack v ON v.creditor_id = k.creditor_id AND v.replaced_at IS NULL
WHERE k.id = :id
"""
ITEMS = """
SELECT v.item_id, v.item_type, v.document_no, v.issued_on, v.due_on, v.amount, v.open_amount,
  v.disputed_amount, v.reference, v.collect_on, v.returned_on, count(*) OVER () AS in_all
FROM item_version v WHERE v.debtor_id = :debtor AND v.currency = :currency AND v.replaced_at IS NULL
  AND v.open_amount > 0 ORDER BY v.due_on, v.document_no, v.item_id LIMIT :most
"""
ACTIONS = """
SELECT a.id AS action_id, a.round_id, a.step, a.kind, a.state, a.reason, a.result, a.approval_role, a.amount,
  a.due_on, a.business_date, a.executed_on, a.retry_on, a.retry_step
FROM action a WHERE a.case_id = :case AND (a.round_id = :round OR a.state = ANY(:open)) ORDER BY a.id
"""


@dataclass(frozen=True)
class Standing:
    """Where the newest run left the case. Amounts are minor units of the case's currency."""

    since: date
    """The run that last changed anything of it."""
    looked_on: date
    """The newest run."""
    stage: str
    outcome: str
    """`act` or `none`."""
    step: str
    """The step that it gets."""
    reason: str
    """Why it gets none."""
    detail: str
    """What would change that."""
    next_step: str
    next_on: date | None
    asked: int
    overdue: int
    not_due: int
    days_late: int
    """Of the oldest overdue item, past its contractual date."""
    experience: int
    """From +12 to −36."""
    risk_class: str


@dataclass(frozen=True)
class Way:
    """One date of an item's way from order to payment."""

    what: str
    on: date | None
    more: str = ""


@dataclass(frozen=True)
class OpenItem:
    """Something that is not settled. Credit notes and payments count against the debt."""

    item_id: int
    item_type: str
    document_no: str
    issued_on: date
    due_on: date
    days_late: int
    """Past its due date; below zero before it."""
    amount: int
    open_amount: int
    disputed: int
    """By the ledger's own flag; disputes that people recorded are among the records."""
    way: list[Way]
    """What is known of its way, in the order in which it happens."""


@dataclass(frozen=True)
class OpenAction:
    """A step that is on its way."""

    action_id: int
    step: str
    kind: str
    state: str
    approval_role: str | None
    amount: int
    due_on: date


@dataclass(frozen=True)
class OtherCase:
    """The account's case in another currency."""

    case_id: int
    currency: str


@dataclass(frozen=True)
class PlacementCheck:
    """A check that a proposed placement needs."""

    kind: str
    state: str
    told: str


@dataclass(frozen=True)
class CaseSheet:
    """Everything about one case. Amounts are minor units of `currency`."""

    case_id: int
    debtor_id: int
    debtor_no: str
    name: str
    creditor: str
    creditor_name: str
    currency: str
    time_zone: str
    today: date
    """The creditor's business date."""
    others: list[OtherCase]
    account_manager: str | None
    key_account: bool
    country: str | None
    kind: str | None
    language: str | None
    segment: str | None
    """The round's, else the one that it would open a round in."""
    round_no: int | None
    round_opened_on: date | None
    round_closed_on: date | None
    moved: str | None
    """Why the round follows this journey, if not since it opened."""
    moved_by: str | None
    standing: Standing | None
    """None: no run has looked at it yet, or nothing happened for 24 months."""
    quarantined: int
    """Rows of the ledger that were set apart."""
    unread: int
    """Answers that nobody has read."""
    items: list[OpenItem]
    items_in_all: int
    actions: list[OpenAction]
    course: list[CourseStep]
    """The journey's steps in order; empty without a pack."""
    records: CaseRecords
    account: AccountRecords
    checks: list[PlacementCheck]
    past: list[Happened]
    older: str | None
    """Where the timeline goes on (`before`)."""


def read_case(asking: Asking, case_id: int) -> CaseSheet:
    """The sheet of a case."""
    owner = asking.creditor_of("case_id", case_id)
    found = asking.rows(HEAD, id=case_id)
    if not found:
        raise missing("case_id", case_id)
    head = found[0]
    today = head["business_date"] or asking.now.date()
    items, in_all = _items(asking, head, today)
    open_states = [str(state) for state in OPEN_ACTION_STATES]
    actions = asking.rows(ACTIONS, case=case_id, round=head["round_id"], open=open_states)
    past: Past = past_of(asking, case_id, today)
    return CaseSheet(
        **{name: head[name] for name in COPIED},
        creditor=owner.code,
        today=today,
        others=[OtherCase(**each) for each in head["others"]],
        segment=(head["round_segment"] if head["closed_on"] is None else None) or head["standing_segment"],
        round_opened_on=head["opened_on"],
        round_closed_on=head["closed_on"],
        moved=head["cause"] if head["cause"] != "opened" else None,
        standing=_standing(head, today),
        items=items,
        items_in_all=in_all,
        actions=[
            OpenAction(**{name: row[name] for name in OpenAction.__dataclass_fields__})
            for row in actions
            if row["state"] in open_states
        ],
        course=_course(asking, head, actions),
        records=case_records(asking, case_id),
        account=account_records(asking, head["debtor_id"], case_id),
        checks=_checks(asking, head, actions, today),
        past=past.entries,
        older=past.older,
    )


COPIED = (
    *("case_id", "debtor_id", "debtor_no", "name", "creditor_name", "currency", "time_zone", "account_manager"),
    *("key_account", "country", "kind", "language", "round_no", "moved_by", "quarantined", "unread"),
)


def _standing(head: dict[str, Any], today: date) -> Standing | None:
    if head["outcome"] is None:
        return None
    oldest, next_on = head["oldest_due_on"], head["next_on"]
    return Standing(
        since=head["stands_since"],
        looked_on=head["looked_on"] or head["stands_since"],
        **{name: head[name] for name in ("stage", "outcome", "step", "reason", "detail", "next_step", "risk_class")},
        next_on=None if next_on == NEVER else next_on,
        asked=head["asked_amount"],
        overdue=head["overdue_open"],
        not_due=head["not_due_open"],
        days_late=0 if oldest == NEVER else (today - oldest).days,
        experience=head["experience_balance"],
    )


def _course(asking: Asking, head: dict[str, Any], actions: list[dict[str, Any]]) -> list[CourseStep]:
    """The journey of the round, if one is open; else the one that the next round would follow, all of it ahead."""
    running = head["round_id"] is not None and head["closed_on"] is None
    pack_id, segment = (
        (head["pack_id"], head["round_segment"]) if running else (head["current_pack"], head["standing_segment"])
    )
    journey = asking.engine.pack(pack_id).journeys.get(segment) if pack_id and segment else None
    if journey is None:
        return []
    mine = [action for action in actions if running and action["round_id"] == head["round_id"]]
    entry = Stage(head["entry_stage"]) if running else Stage.PREPARE
    next_on = None if head["next_on"] == NEVER else head["next_on"]
    return course_of(journey, mine, entry, head["next_step"] or "", next_on, head["reason"] or "")


WAY = {
    "ordered_on": "Ordered",
    "delivered_on": "Delivered",
    "invoiced_on": "Invoiced",
    "sent_on": "Sent",
    "sent_again_on": "Sent again",
    "received_on": "Received",
    "approved_on": "Approved",
    "due_on": "Due",
    "asked_on": "Asked",
    "paid_on": "Paid",
}


def _items(asking: Asking, head: dict[str, Any], today: date) -> tuple[list[OpenItem], int]:
    values = {"debtor": head["debtor_id"], "currency": head["currency"], "most": MOST_ITEMS}
    rows = asking.rows(ITEMS, **values)
    with asking.engine.database.frames(read_only=True) as frames:
        told = timeline(asking.engine, frames, head["case_id"], today, EVERYTHING_RECORDED)
    ways = {row["item_id"]: row for row in told}
    items = [
        OpenItem(
            **{name: row[name] for name in ("item_id", "item_type", "document_no", "issued_on", "due_on")},
            days_late=(today - row["due_on"]).days,
            amount=row["amount"],
            open_amount=row["open_amount"],
            disputed=row["disputed_amount"],
            way=_way(ways.get(row["item_id"])),
        )
        for row in rows
    ]
    return items, rows[0]["in_all"] if rows else 0


def _way(row: dict[str, Any] | None) -> list[Way]:
    if row is None:
        return []
    more = {"sent_on": row["sent_by"], "received_on": row["receipt"]}
    return [Way(what, row[name], more.get(name) or "") for name, what in WAY.items() if row[name] is not None]


def _checks(asking: Asking, head: dict[str, Any], actions: list[dict[str, Any]], today: date) -> list[PlacementCheck]:
    """The checks of a placement that waits, if one does (rule 20)."""
    proposed = [row["action_id"] for row in actions if row["kind"] == "handoff" and row["state"] in OPEN_ACTION_STATES]
    if not proposed:
        return []
    limits = asking.engine.pack(head["current_pack"]).guardrails.placement
    known_at: datetime = EVERYTHING_RECORDED
    checks = checks_of(reading(asking.session), proposed, limits, today, known_at)
    return [PlacementCheck(str(each.kind), str(each.state), each.told) for each in checks]
