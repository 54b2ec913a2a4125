"""Lists of what people recorded and of what waits for them, with the names that people know: code, number, document.

A query a list, for reading only; nothing here decides anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.words import Role, WorkKind, WorkState
from policies.guardrails import Hours
from tasks.call_hours import HOURS_OF, ringing
from tasks.current_pack import current_pack
from tasks.payers import PAYING_NOW
from tasks.register import creditor_by_code

if TYPE_CHECKING:
    from tasks.engine import Engine

ACCOUNT = """
JOIN creditor cr ON cr.id = d.creditor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
"""
OF_CASE = 'JOIN "case" k ON k.id = r.case_id JOIN debtor d ON d.id = k.debtor_id ' + ACCOUNT
OF_DEBTOR = 'JOIN debtor d ON d.id = r.debtor_id LEFT JOIN "case" k ON k.id = {case} ' + ACCOUNT


ASKED_FOR = """(
SELECT id, debtor_id, name, value, source, actor, valid_from, replaced_at FROM preference
UNION ALL SELECT id, debtor_id, 'texts to ' || number, CASE WHEN given THEN 'yes' ELSE 'no' END, source, actor,
  valid_from, replaced_at FROM text_consent
UNION ALL SELECT id, debtor_id, 'no ' || channel, address, cause, actor, valid_from, replaced_at FROM address_state
  WHERE state = 'opted_out')"""
"""Preferences, consents and opt-outs: all that customers asked for."""


@dataclass(frozen=True)
class Kind:
    """How one kind of record is listed."""

    table: str
    columns: str
    live: str
    """What still counts; the others are shown when all are asked for."""
    order: str
    of_case: bool = True
    case: str = "r.case_id"
    versioned: bool = True
    """Whether a change of it is a new row, of which the newest is listed."""


RECORDS: dict[str, Kind] = {
    "hold": Kind(
        "hold",
        "r.hold_no, r.scope, r.reason, r.source, r.from_on, r.until_on, r.state, r.note, r.actor, r.item_id",
        "r.state = 'active'",
        "r.until_on",
        of_case=False,
    ),
    "promise": Kind(
        "promise",
        "r.promise_no, r.amount, r.received, r.made_on, r.promised_on, r.state, r.source, r.actor, r.items",
        "r.state = 'open'",
        "r.promised_on",
    ),
    "dispute": Kind(
        "dispute",
        "r.dispute_no, r.item_id, r.amount, r.accepted_amount, r.reason, r.owner, r.opened_on, r.answer_by,"
        " r.decided_on, r.state, r.source, r.actor",
        "r.state = 'open'",
        "r.answer_by",
    ),
    "claim": Kind(
        "claimed_payment",
        "r.claim_no, r.amount, r.claimed_on, r.until_on, r.state, r.actor, r.items",
        "r.state = 'open'",
        "r.until_on",
    ),
    "reason": Kind("stated_reason", "r.reason, r.stated_on, r.source, r.actor", "true", "r.stated_on DESC, r.id DESC"),
    "note": Kind("case_note", "r.body, r.written_on, r.actor", "true", "r.id DESC", versioned=False),
    "plan": Kind(
        "plan",
        "r.plan_no, r.total, r.instalments, jsonb_array_length(r.instalments) AS parts, r.offered_on,"
        " r.valid_until, r.accepted_on, r.breached_on, r.state, r.source, r.actor, r.items",
        "r.state IN ('offered', 'active')",
        "r.offered_on",
    ),
    "ticket": Kind(
        "ticket",
        "r.ticket_no, r.kind, r.opened_on, r.closed_on, r.actor",
        "r.closed_on IS NULL",
        "r.opened_on",
        of_case=False,
        case="NULL",
    ),
    "answer": Kind(
        "answer",
        "r.answer_no, r.channel, r.received_on, r.read_on, r.read_by, r.content,"
        " (SELECT m.message_ref FROM message m WHERE m.id = r.message_id) AS message_ref",
        "r.read_on IS NULL",
        "r.received_on",
    ),
    "address": Kind(
        "address_state",
        "r.channel, r.address, r.state, r.cause, r.valid_from AS since, r.actor",
        "r.state IN ('dead', 'doubtful', 'opted_out')",
        "r.valid_from DESC, r.id DESC",
        of_case=False,
        case="NULL",
    ),
    "placement": Kind(
        "placement",
        "r.placement_no, r.agency, r.amount, r.state, r.cause, r.valid_from AS since, r.actor, r.dossier, r.items",
        "r.state = 'placed'",
        "r.valid_from",
    ),
    "check": Kind(
        "placement_check",
        "r.kind, r.result, r.source, r.checked_on, r.until_on, r.actor, r.item_id",
        "r.until_on >= COALESCE(cr.business_date, r.checked_on)",
        "r.checked_on DESC, r.id DESC",
        of_case=False,
        case="NULL",
        versioned=False,
    ),
    "preference": Kind(
        ASKED_FOR,
        "r.name AS preference, r.value, r.source, r.actor, r.valid_from AS since",
        "true",
        "r.name",
        of_case=False,
        case="NULL",
    ),
}
"""By the word of the command."""

WORK = f"""
SELECT cr.code AS creditor, d.debtor_no, p.name, k.currency, r.id AS task_id, r.kind, r.subject, r.role, r.assignee,
  r.record_no, r.asked_by, r.opened_on, r.due_on, r.blocks, r.state, r.outcome, r.note, r.done_on, r.done_by, r.case_id,
  r.action_id, a.segment, a.step, a.amount, payer.debtor_no AS payer_no,
  CASE WHEN payer.id IS NULL THEN p.phone ELSE payer.phone END AS phone, r.debtor_id, r.creditor_id, cr.business_date,
  (SELECT count(*) FROM contact_result c WHERE c.task_id = r.id) AS tries
FROM work_task r LEFT JOIN action a ON a.id = r.action_id JOIN debtor d ON d.id = r.debtor_id
LEFT JOIN "case" k ON k.id = r.case_id
LEFT JOIN LATERAL (SELECT y.id, y.debtor_no, z.phone {PAYING_NOW} AND x.debtor_id = d.id) payer ON TRUE
"""  # noqa: S608 - our own words
"""`payer_no`: the account that pays, and so is called, where it is another one."""


@dataclass(frozen=True)
class RecordFilter:
    """Which records to list; what is None does not filter."""

    creditor: str | None = None
    debtor_no: str | None = None
    ended: bool = False
    """Also those that no longer count."""
    most: int | None = None


@dataclass(frozen=True)
class WorkFilter:
    """Which work to list; what is None does not filter."""

    creditor: str | None = None
    debtor_no: str | None = None
    kind: str | None = None
    role: str | None = None
    assignee: str | None = None
    ended: bool = False
    most: int | None = None


def list_answers(engine: "Engine", wanted: RecordFilter) -> list[dict[str, Any]]:
    """Answers with their words, None where these are erased."""
    rows = list_records(engine, "answer", wanted)
    return [{**row, "text": _words(engine, row["content"])} for row in rows]


def _words(engine: "Engine", content: str | None) -> str | None:
    try:
        return None if content is None else engine.store.get(content).decode(errors="replace")
    except WorkspaceError:
        return None


def list_records(engine: "Engine", word: str, wanted: RecordFilter) -> list[dict[str, Any]]:
    """The records of a kind, each with its creditor, debtor and currency, and documents for the items it names."""
    kind = RECORDS[word]
    account = OF_CASE if kind.of_case else OF_DEBTOR.format(case=kind.case)
    conditions = [
        *(["r.replaced_at IS NULL"] if kind.versioned else []),
        *([] if wanted.ended else [kind.live]),
    ]
    query = (
        f"SELECT cr.code AS creditor, d.debtor_no, p.name, COALESCE(k.currency, cr.currency) AS currency,"  # noqa: S608
        f" k.id AS case_id, {kind.columns} FROM {kind.table} r {account}"
    )
    with engine.database.reading() as session:
        rows = _rows(session, query, conditions, kind.order, wanted.creditor, wanted.debtor_no, {}, wanted.most)
        _name_documents(session, rows)
    return rows


def list_work(engine: "Engine", wanted: WorkFilter, now: datetime) -> list[dict[str, Any]]:
    """Work for people, the most urgent first; of the calls of a day those first that may be made soonest."""
    _require_word("kind of work", wanted.kind, WorkKind)
    _require_word("role", wanted.role, Role)
    conditions = [] if wanted.ended else ["r.state = 'open'"]
    given = {"kind": wanted.kind, "role": wanted.role, "assignee": wanted.assignee}
    with engine.database.reading() as session:
        rows = _rows(
            session, WORK + ACCOUNT, conditions, "r.due_on", wanted.creditor, wanted.debtor_no, given, wanted.most
        )
        _say_when_to_ring(engine, session, rows, now)
    return sorted(rows, key=lambda row: (row["creditor"], row["due_on"], row["ring_from"] or now))


def _say_when_to_ring(engine: "Engine", session: Session, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Of open calls: the hours that the customer asked for, and from when they may be rung, one attempt a day."""
    calls = {row["debtor_id"] for row in rows if _is_open_call(row)}
    found = session.connection().execute(text(HOURS_OF), {"debtors": sorted(calls)}).mappings() if calls else ()
    known = {row["debtor_id"]: dict(row) for row in found}
    hours: dict[int, Hours] = {}
    for row in rows:
        debtor_id, creditor_id, today = (row.pop(name) for name in ("debtor_id", "creditor_id", "business_date"))
        row["call_hours"] = row["ring_from"] = row["may_ring"] = None
        if not _is_open_call(row) or today is None:
            continue
        if creditor_id not in hours:
            hours[creditor_id] = engine.pack(current_pack(session, creditor_id)).guardrails.hours
        customer = known[debtor_id]
        ring_from, may_ring = ringing(customer, hours[creditor_id], today, row["due_on"], now)
        row |= {"call_hours": customer["call_hours"], "may_ring": may_ring, "ring_from": ring_from}


def _is_open_call(row: Mapping[str, Any]) -> bool:
    return bool(row["kind"] == WorkKind.CALL and row["state"] == WorkState.OPEN)


def items_of_actions(session: Session, action_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Action → the documents that it names, each with the amount asked for it."""
    found = session.connection().execute(
        text(
            "SELECT a.action_id, i.document_no, a.amount FROM action_item a JOIN item i ON i.id = a.item_id"
            " WHERE a.action_id = ANY(:ids) ORDER BY a.action_id, i.document_no"
        ),
        {"ids": list(action_ids)},
    )
    named: dict[int, list[dict[str, Any]]] = {}
    for row in found:
        named.setdefault(row.action_id, []).append({"document_no": row.document_no, "amount": row.amount})
    return named


def documents_of(session: Session, item_ids: Iterable[int]) -> dict[int, str]:
    """Item → its document number."""
    found = session.connection().execute(
        text("SELECT id, document_no FROM item WHERE id = ANY(:ids)"), {"ids": sorted(set(item_ids))}
    )
    return {row.id: row.document_no for row in found}


def _rows(
    session: Session,
    query: str,
    conditions: list[str],
    order: str,
    creditor: str | None,
    debtor_no: str | None,
    given: Mapping[str, str | None],
    most: int | None,
) -> list[dict[str, Any]]:
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    conditions = [*conditions, *(f"r.{name} = :{name}" for name in values)]
    if creditor is not None:
        creditor_by_code(session, creditor)
        conditions.append("cr.code = :creditor")
        values["creditor"] = creditor
    if debtor_no is not None:
        conditions.append("d.debtor_no = :debtor_no")
        values["debtor_no"] = debtor_no
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    found = session.connection().execute(
        text(f"{query} {where} ORDER BY cr.code, {order}, r.id LIMIT :most"), {**values, "most": most}
    )
    return [dict(row) for row in found.mappings()]


def _name_documents(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Ids of items mean nothing to people: put their document numbers beside."""
    ids = {int(each) for row in rows for each in (row.get("items") or {})}
    ids |= {row["item_id"] for row in rows if row.get("item_id") is not None}
    names = documents_of(session, ids) if ids else {}
    for row in rows:
        if not row.keys() & {"items", "item_id"}:
            continue
        named = {int(each) for each in row.pop("items", None) or {}} | {row.pop("item_id", None)}
        row["documents"] = sorted(names[each] for each in named if each is not None)


def _require_word(what: str, value: str | None, words: type[WorkKind] | type[Role]) -> None:
    if value is not None and value not in list(words):
        raise UsageError(f"{value!r} is no {what}.", advice=f"Known are: {', '.join(words)}.")
