"""Reads the pages of approvals: the inbox, one case with everything in view, a batch before it is approved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import polars as pl

from connectors.message import Outgoing
from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import Content
from maatpak.console.frame.listing import choices_of, read_page, read_wanted
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.approvals.listings import NEXT, OF_ACTION, WAITING, WAITS
from maatpak.console.rooms.approvals.seen import (
    Approval,
    Batch,
    Coming,
    Excluded,
    Group,
    History,
    Inbox,
    Message,
    Named,
    Offered,
    Record,
    Said,
    Sum,
    Waiting,
)
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.words import ActionState, StepKind
from policies.pack import CompiledPack
from tasks.content import Proposed, proposed_words
from tasks.current_pack import current_pack
from tasks.four_eyes import Objection, objections
from tasks.pending import Pending, pending_of
from tasks.reached import reached

MOST_CHOSEN = 200
"""Actions of a batch that is looked at."""

ACTION = f"""
SELECT a.id AS action_id, a.case_id, a.creditor_id, a.state, a.reason, a.step, a.stage, a.kind, a.segment, a.pack_id,
  a.amount, a.overdue_amount, a.content_hash, a.business_date AS proposed_on, a.escalating, a.approval_role AS role,
  a.proposal,
  GREATEST(a.approvals_needed, 1) AS needed, k.debtor_id, k.currency, d.debtor_no,
  COALESCE(p.name, d.debtor_no) AS name, COALESCE(p.country, c.country) AS country, p.account_manager,
  c.code AS creditor, c.business_date, c.looked_at, t.facts_evidence,
  (SELECT count(*) FROM approval v WHERE v.action_id = a.id AND v.content_hash = a.content_hash
   AND v.verdict = 'approved') AS given
FROM {OF_ACTION} LEFT JOIN tick t ON t.id = a.tick_id
WHERE a.id = :id AND a.creditor_id = ANY(:creditors)
"""  # noqa: S608 - our own words
ITEMS = """
SELECT i.item_id, v.document_no, v.item_type, v.issued_on, v.due_on, GREATEST(:day - v.due_on, 0) AS days, v.amount,
  v.open_amount, i.amount AS asked
FROM action_item i JOIN item_version v ON v.item_id = i.item_id AND v.replaced_at IS NULL
WHERE i.action_id = :id ORDER BY v.due_on, v.document_no
"""
RECORDS = """
SELECT * FROM (
  SELECT 'promise' AS kind, promise_no AS number, state, made_on AS on, promised_on AS until, amount, NULL AS words,
    actor FROM promise WHERE case_id = :case AND replaced_at IS NULL
  UNION ALL SELECT 'plan', plan_no, state, offered_on, valid_until, total, NULL, actor
    FROM plan WHERE case_id = :case AND replaced_at IS NULL
  UNION ALL SELECT 'dispute', dispute_no, state, opened_on, answer_by, amount, reason, actor
    FROM dispute WHERE case_id = :case AND replaced_at IS NULL
  UNION ALL SELECT 'claimed payment', claim_no, state, claimed_on, until_on, amount, NULL, actor
    FROM claimed_payment WHERE case_id = :case AND replaced_at IS NULL
  UNION ALL SELECT 'hold', hold_no, state, from_on, until_on, NULL, reason, actor
    FROM hold WHERE debtor_id = :debtor AND replaced_at IS NULL AND (case_id IS NULL OR case_id = :case)
  UNION ALL SELECT 'reason', '', 'stated', stated_on, NULL, NULL, reason, actor
    FROM stated_reason WHERE case_id = :case AND replaced_at IS NULL
  UNION ALL SELECT 'call', '', code, called_on, callback_on, NULL, NULL, actor
    FROM contact_result WHERE case_id = :case
  UNION ALL SELECT 'answer', answer_no, CASE WHEN read_on IS NULL THEN 'unread' ELSE 'read' END, received_on, NULL,
    NULL, channel, read_by FROM answer WHERE case_id = :case AND replaced_at IS NULL
  UNION ALL SELECT 'consultation', 'W' || id, COALESCE(outcome, state), COALESCE(done_on, opened_on), due_on, NULL,
    CASE WHEN action_id = :action THEN subject || COALESCE(' → ' || note, '') ELSE note END,
    COALESCE(done_by, assignee, role)
    FROM work_task WHERE case_id = :case AND kind = 'consult'
) r ORDER BY r.on DESC, r.number DESC LIMIT 30
"""
ASK_TOO_MUCH = """
SELECT DISTINCT i.action_id FROM action_item i JOIN item_version v ON v.item_id = i.item_id AND v.replaced_at IS NULL
WHERE i.action_id = ANY(CAST(:ids AS bigint[])) AND v.open_amount < i.amount
"""
VERDICTS = """
SELECT actor, role, verdict, reason, decided_on, lapses_on, next_step, next_on, content_hash = :hash AS counts
FROM approval WHERE action_id = :action ORDER BY id
"""


def read_inbox(asking: Asking) -> Inbox:
    """A page of the inbox."""
    page = read_page(asking, WAITING, read_wanted(WAITING, asking.query))
    rows = _with_objections(asking, page.rows)
    mine = sum(row.objection is None for row in rows)
    offered = [Offered(each.key, each.title, list(choices_of(asking, each))) for each in WAITING.filters]
    return Inbox(rows, page.count, page.totals, page.after, mine, offered)


def _with_objections(asking: Asking, rows: Sequence[Mapping[str, Any]]) -> list[Waiting]:
    """Rows of the listing, each with why the visitor may not say yes to it. Dates are those of its creditor."""
    days = {each.code: each.business_date for each in asking.visitor.creditors}
    against = dict[int, Objection]()
    for code in dict.fromkeys(row["creditor"] for row in rows):
        ids = [row["action_id"] for row in rows if row["creditor"] == code]
        against |= objections(asking.session, asking.visitor, ids, days[code] or date.max)
    names = [each.name for each in fields(Waiting) if each.name != "objection"]
    return [Waiting(**{name: row[name] for name in names}, objection=against.get(row["action_id"])) for row in rows]


def read_approval(asking: Asking, action_id: int) -> Approval:
    """A proposed step with the whole case in view."""
    row = _action(asking, action_id)
    pack: CompiledPack = asking.engine.pack(row["pack_id"])
    current: CompiledPack = asking.engine.pack(current_pack(asking.session, row["creditor_id"]))
    as_of = row["business_date"] or row["proposed_on"]
    waits = row["state"] == ActionState.AWAITING_APPROVAL
    step, journey = pack.step(row["segment"], row["step"]), pack.journeys[row["segment"]]
    limits = current.guardrails
    seen = _pending(asking, row, as_of, current) if waits else None
    words = _words(asking, row)
    items = _items(asking, row, as_of)
    against = objections(asking.session, asking.visitor, [action_id], as_of) if waits else {}
    names = {each.name for each in fields(Approval)} & row.keys()
    return Approval(
        **{name: row[name] for name in names},
        about=step.about,
        as_of=as_of,
        lapses_on=add_working_days(row["proposed_on"], limits.approvals.lapse_after, row["country"]),
        waits=waits,
        changed=waits and any(each.open_amount < each.asked for each in items),
        objection=against.get(action_id),
        address_changed=seen is not None and seen.address_changed,
        group=_group(seen),
        checks=list(seen.checks) if seen else [],
        items=items,
        history=_history(asking, row),
        records=[
            Record(**each)
            for each in asking.rows(RECORDS, case=row["case_id"], debtor=row["debtor_id"], action=action_id)
        ],
        verdicts=[Said(**each) for each in asking.rows(VERDICTS, action=action_id, hash=row["content_hash"])],
        kept=words is not None,
        messages=[_message(number, each) for number, each in enumerate(words.messages if words else (), 1)],
        unreachable=list(words.unreachable) if words else [],
        coming=[
            Coming(later.name, str(later.kind), later.waits.get(step.name, later.wait))
            for later in journey.steps.values()
            if step.name in later.after
        ],
        ending=journey.closing.get(step.name, ""),
        next_id=next(iter(next_ids(asking, row["amount"], action_id, most=1)), None),
    )


def next_ids(asking: Asking, amount: int, action_id: int, most: int) -> list[int]:
    """What waits for the visitor's role after an action of that amount, in the order of the inbox."""
    found = asking.rows(
        NEXT,
        creditors=list(asking.visitor.creditor_ids),
        role=asking.visitor.role,
        login=asking.visitor.login,
        amount=amount,
        action=action_id,
        most=most,
    )
    return [row["id"] for row in found]


def read_batch(asking: Asking) -> Batch:
    """What one word would approve of what is chosen, and what is left out and why."""
    chosen = _chosen(asking.query.get("action", ""))
    listed = {row["action_id"]: row for row in _rows(asking, chosen)}
    rows = _with_objections(asking, list(listed.values()))
    excluded, kept = [], list[Waiting]()
    for row in rows:
        why = _left_out(row, kept, rows)
        if why is None:
            kept.append(row)
        else:
            excluded.append(Excluded(row.action_id, row.name, row.step, row.amount, row.currency, why))
    changed = _changed(asking, kept)
    excluded += [
        Excluded(row.action_id, row.name, row.step, row.amount, row.currency, CHANGED)
        for row in kept
        if row.action_id in changed
    ]
    kept = _within(asking, [row for row in kept if row.action_id not in changed], excluded)
    excluded += [Excluded(each, f"Action {each}", "", 0, "EUR", GONE) for each in chosen if each not in listed]
    return Batch(kept, excluded, _sums(kept), " ".join(f"{row.action_id}:{row.content_hash}" for row in kept))


CHANGED = "Less is open by now than it asks for; the next run proposes it afresh."
GONE = "It waits no longer: somebody decided it, or it lapsed."
ALONE = "A placement is looked at and approved alone."
ELSEWHERE = "It is of another creditor than the rest; that is a batch of its own."
TOO_MANY = "There are {most} final demands in it already, the most that one batch may hold."


def _left_out(row: Waiting, kept: Sequence[Waiting], rows: Sequence[Waiting]) -> str | None:
    if row.kind == StepKind.HANDOFF and len(rows) > 1:
        return ALONE
    if row.objection is not None:
        return f"{row.objection.told} {row.objection.advice}"
    return ELSEWHERE if kept and kept[0].creditor != row.creditor else None


def _within(asking: Asking, rows: Sequence[Waiting], excluded: list[Excluded]) -> list[Waiting]:
    """As many final demands as one batch may hold; the others are added to what is left out."""
    if not rows:
        return []
    creditor = next(each for each in asking.visitor.creditors if each.code == rows[0].creditor)
    most = asking.engine.pack(current_pack(asking.session, creditor.id)).guardrails.approvals.demands_a_batch
    kept, demands = list[Waiting](), 0
    for row in rows:
        demands += row.escalating and row.kind == StepKind.MESSAGE
        if row.escalating and row.kind == StepKind.MESSAGE and demands > most:
            why = TOO_MANY.format(most=most)
            excluded.append(Excluded(row.action_id, row.name, row.step, row.amount, row.currency, why))
        else:
            kept.append(row)
    return kept


def _changed(asking: Asking, rows: Sequence[Waiting]) -> set[int]:
    """Those that ask for more than is open by now; what else has changed, such as a recipient, the yes refuses."""
    if not rows:
        return set()
    return {row["action_id"] for row in asking.rows(ASK_TOO_MUCH, ids=[row.action_id for row in rows])}


def _rows(asking: Asking, ids: Iterable[int]) -> list[dict[str, Any]]:
    columns = ", ".join(f'{column.sql} AS "{column.key}"' for column in WAITING.columns)
    return asking.rows(
        f"SELECT {columns} FROM {WAITING.source} WHERE {WAITS} AND a.creditor_id = ANY(:creditors)"  # noqa: S608
        " AND a.id = ANY(CAST(:ids AS bigint[])) ORDER BY a.amount DESC, a.id DESC",
        creditors=list(asking.visitor.creditor_ids),
        ids=list(ids),
    )


def _chosen(words: str) -> list[int]:
    parts = [part for part in words.split(",") if part]
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        raise UsageError("These are no numbers of actions.", advice="Choose them in the inbox.")
    if len(parts) > MOST_CHOSEN:
        raise UsageError(f"{len(parts)} actions are too many at once.", advice=f"Choose up to {MOST_CHOSEN}.")
    return list(dict.fromkeys(map(int, parts)))


def _sums(rows: Sequence[Waiting]) -> list[Sum]:
    return [
        Sum(currency, sum(row.amount for row in rows if row.currency == currency), count)
        for currency in dict.fromkeys(row.currency for row in rows)
        for count in [sum(row.currency == currency for row in rows)]
    ]


def _action(asking: Asking, action_id: int) -> dict[str, Any]:
    found = asking.rows(ACTION, id=action_id, creditors=list(asking.visitor.creditor_ids))
    if not found:
        raise missing("approval", action_id)
    return found[0]


def _pending(asking: Asking, row: Mapping[str, Any], as_of: date, pack: CompiledPack) -> Pending | None:
    limits = pack.guardrails.placement
    return next(iter(pending_of(asking.session, row["creditor_id"], limits, as_of, [row["action_id"]])), None)


def _words(asking: Asking, row: Mapping[str, Any]) -> Proposed | None:
    """What was proposed; none where it is no longer kept."""
    try:
        return proposed_words(asking.engine, row["proposal"])
    except WorkspaceError:
        return None


def _group(seen: Pending | None) -> Group | None:
    if seen is None or seen.group_accounts is None:
        return None
    return Group(seen.group_accounts, int(seen.group_open or 0), int(seen.group_overdue or 0))


def _items(asking: Asking, row: Mapping[str, Any], as_of: date) -> list[Named]:
    found = asking.rows(ITEMS, id=row["action_id"], day=as_of)
    told = reached(asking.session, row["case_id"], [each["item_id"] for each in found], row["country"], as_of)
    return [Named(**each, reached=told[each["item_id"]]) for each in found]


def _history(asking: Asking, row: Mapping[str, Any]) -> History | None:
    if row["facts_evidence"] is None:
        return None
    try:
        facts = asking.engine.store.get_frame(row["facts_evidence"], where=pl.col("case_id") == row["case_id"])
    except WorkspaceError:
        return None
    if facts.is_empty():
        return None
    known = facts.row(0, named=True)
    return History(**{each.name: known[each.name] for each in fields(History)})


def _message(number: int, outgoing: Outgoing) -> Message:
    person = outgoing.recipient
    return Message(
        number=number,
        channel=str(outgoing.channel),
        to=", ".join(person.lines) or person.email or person.phone or "nobody",
        language=outgoing.language,
        subject=outgoing.subject,
        text=outgoing.text,
        as_mail=outgoing.html is not None,
        as_letter=outgoing.letter is not None,
        enclosed=[each.name for each in outgoing.attachments],
    )


def _outgoing(asking: Asking, action_id: int, number: str) -> Outgoing:
    words = _words(asking, _action(asking, action_id))
    messages = words.messages if words else ()
    if not number.isascii() or not number.isdigit() or not 0 < int(number[:4]) <= len(messages):
        raise missing("message", number)
    return messages[int(number) - 1]


def read_mail(asking: Asking, action_id: int, number: str) -> Content:
    """The mail as it would look."""
    outgoing = _outgoing(asking, action_id, number)
    if outgoing.html is None:
        raise missing("mail", number)
    return Content(outgoing.html.encode(), "text/html; charset=utf-8")


def read_letter(asking: Asking, action_id: int, number: str) -> Content:
    """The letter as it would be printed."""
    from connectors.post.letters import letter_pdf

    outgoing = _outgoing(asking, action_id, number)
    if outgoing.letter is None:
        raise missing("letter", number)
    sender_line = asking.engine.settings.pingen_url is None
    return Content(letter_pdf(outgoing, sender_line=sender_line), "application/pdf", f"proposal-{action_id}.pdf")
