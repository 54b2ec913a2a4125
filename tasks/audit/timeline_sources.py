"""What a timeline is made of: one source a kind of entry, each read by an index of its case or debtor.

A source gives its rows the same columns: when (business date and instant), who, codes for the words, an amount, and
what it links to. `:cases`, `:debtor`, `:party`, `:currencies` and `:as_of` stand for whose timeline it is.
"""

from dataclasses import dataclass

from maatpak.ledger.tables import VISIBLE

OF_CASES = "{t}.case_id = ANY(:cases)"
STEP = "'step', a.step, 'segment', a.segment, 'state', a.state, 'reason', a.reason, 'result', a.result"
ENDED = "('executed', 'cancelled', 'failed', 'unknown', 'rejected', 'skipped')"
PROPOSED = f"a.state <> 'skipped' AND (a.approvals_needed > 0 OR a.state NOT IN {ENDED})"
"""What people are to know of before it is done."""
NOT_TOLD = f"a.state IN {ENDED} AND (a.state <> 'executed' OR a.result = 'tried')"
"""Of what was done the message, the call, the work or the placement tells; but no call tells that it was the last."""
ON_DAY = "LEAST(CAST({at} AT TIME ZONE c.time_zone AS date), c.business_date)"
"""The creditor's date of an instant: where it is, and no later than its business date, whose run may be late."""
ITEM = "'type', v.item_type, 'document', v.document_no"
ITEMS = "item_version v WHERE v.debtor_id = :debtor AND v.currency = ANY(:currencies) AND " + VISIBLE.format(
    t="v", as_of=":as_of", known_at="CAST('infinity' AS timestamptz)"
)
WRITTEN = f"""(
  SELECT m.* FROM message m WHERE m.id IN (
    SELECT o.id FROM message o WHERE {OF_CASES.format(t="o")}
    UNION SELECT s.message_id FROM action a JOIN message_action s ON s.action_id = a.id
    WHERE {OF_CASES.format(t="a")})) m"""  # noqa: S608
SEEN = """(SELECT jsonb_agg(jsonb_build_object('kind', e.kind, 'on', e.observed_on) ORDER BY e.observed_on, e.id)
  FROM evidence e WHERE e.message_id = m.id AND e.observed_on <= :as_of)"""


@dataclass(frozen=True)
class Source:
    """Where entries of a kind come from, in SQL."""

    rows: str
    """FROM and WHERE."""
    day: str
    at: str
    codes: str
    """Pairs of name and value: what the words are made of."""
    key: str
    """Numbers the rows of the source."""
    link: str
    """What an entry links to, and `target` is its id or number."""
    target: str
    who: str = "NULL"
    amount: str = "NULL"
    currency: str = "NULL"


def _recorded(table: str, number: str, codes: str, *, more: str = "", amount: str = "r.amount", link: str) -> Source:
    """A record of a case: each version of it is an entry."""
    return Source(
        rows=f'{table} r JOIN "case" k ON k.id = r.case_id {more} WHERE {OF_CASES.format(t="r")}',
        day="r.valid_from",
        at="r.recorded_at",
        codes=codes,
        key="r.id",
        link=link,
        target=number,
        who="r.actor",
        amount=amount,
        currency="k.currency",
    )


def _of_item(day: str, at: str, rows: str) -> Source:
    return Source(
        rows=f"{ITEMS} AND {rows}",
        day=day,
        at=at,
        codes=f"{ITEM}, 'due_on', v.due_on, 'by', v.settled_by, 'channel', v.invoice_channel",
        key="v.id",
        link="item",
        target="v.item_id",
        amount="v.amount",
        currency="v.currency",
    )


def _of_action(day: str, at: str, rows: str, amount: str = "a.amount") -> Source:
    return Source(
        rows='action a JOIN "case" k ON k.id = a.case_id JOIN creditor c ON c.id = a.creditor_id'
        f" WHERE {OF_CASES.format(t='a')} AND {rows}",
        day=day,
        at=at,
        codes=f"{STEP}, 'role', a.approval_role, 'needed', a.approvals_needed",
        key="a.id",
        link="action",
        target="a.id",
        who="'engine'",
        amount=amount,
        currency="k.currency",
    )


ACCOUNTS = """SELECT o.id FROM debtor d JOIN debtor o ON o.party_id = d.party_id AND o.creditor_id = d.creditor_id
  WHERE d.id = :debtor"""
"""The customer's accounts with this creditor: a hold of the customer lies on each of them."""
OWED = "v.item_type IN ('invoice', 'debit_note')"
SOURCES: dict[str, Source] = {
    "item_issued": _of_item("v.issued_on", "v.recorded_at", "TRUE"),
    "item_due": _of_item("v.due_on", "v.due_on", f"{OWED} AND (v.settled_on IS NULL OR v.settled_on > v.due_on)"),
    "item_settled": _of_item("v.settled_on", "v.recorded_at", f"{OWED} AND v.settled_on IS NOT NULL"),
    "payment": Source(
        rows="payment r WHERE r.debtor_id = :debtor AND r.currency = ANY(:currencies) AND r.valid_from <= :as_of",
        day="r.paid_on",
        at="r.recorded_at",
        codes="'document', r.document_no, 'left', r.amount - r.applied",
        key="r.id",
        link="payment",
        target="r.payment_no",
        amount="r.amount",
        currency="r.currency",
    ),
    "message": Source(
        rows=WRITTEN,
        day="COALESCE(m.sent_on, m.business_date)",
        at="COALESCE(m.sent_at, m.ended_at, m.queued_at)",
        codes="'channel', m.channel, 'template', m.template, 'state', m.state, 'failure', m.failure, 'subject',"
        " m.subject, 'instead_of', m.instead_of, 'switch_reason', m.switch_reason, 'switch_cause', m.switch_cause,"
        f" 'switch_on', m.switch_on, 'evidence', {SEEN}",
        key="m.id",
        link="message",
        target="m.id",
        who="COALESCE(m.resolved_by, 'engine')",
    ),
    "call": Source(
        rows=f"contact_result r WHERE {OF_CASES.format(t='r')}",
        day="r.called_on",
        at="r.recorded_at",
        codes="'result', r.code, 'part', r.day_part, 'again', r.callback_on",
        key="r.id",
        link="work",
        target="r.task_id",
        who="r.actor",
    ),
    "answer": Source(
        rows="answer r WHERE r.debtor_id = :debtor AND (r.case_id IS NULL OR r.case_id = ANY(:cases))",
        day="r.valid_from",
        at="r.recorded_at",
        codes="'channel', r.channel, 'read', r.read_on",
        key="r.id",
        link="answer",
        target="r.answer_no",
        who="COALESCE(r.read_by, 'customer')",
    ),
    "promise": _recorded(
        *("promise", "r.promise_no", "'state', r.state, 'by', r.promised_on, 'received', r.received"), link="promise"
    ),
    "dispute": _recorded(
        *("dispute", "r.dispute_no"),
        "'state', r.state, 'reason', r.reason, 'document', i.document_no, 'by', r.answer_by, 'accepted',"
        " r.accepted_amount",
        more="JOIN item i ON i.id = r.item_id",
        link="dispute",
    ),
    "claim": _recorded(*("claimed_payment", "r.claim_no", "'state', r.state, 'by', r.until_on"), link="claim"),
    "plan": _recorded(
        *("plan", "r.plan_no", "'state', r.state, 'parts', jsonb_array_length(r.instalments)"),
        amount="r.total",
        link="plan",
    ),
    "placement": _recorded(
        *("placement", "r.placement_no", "'state', r.state, 'agency', r.agency, 'cause', r.cause"), link="placement"
    ),
    "reason": _recorded(
        *("stated_reason", "r.id", "'reason', r.reason, 'source', r.source"), amount="NULL", link="reason"
    ),
    "hold": Source(
        rows=f"hold r WHERE r.debtor_id IN ({ACCOUNTS}) AND (r.case_id = ANY(:cases)"
        " OR r.case_id IS NULL AND (r.scope = 'party' OR r.debtor_id = :debtor))",
        day="r.valid_from",
        at="r.recorded_at",
        codes="'state', r.state, 'reason', r.reason, 'until', r.until_on, 'scope', r.scope, 'note', r.note",
        key="r.id",
        link="hold",
        target="r.hold_no",
        who="r.actor",
    ),
    "note": Source(
        rows=f"case_note r WHERE {OF_CASES.format(t='r')}",
        day="r.written_on",
        at="r.recorded_at",
        codes="'body', r.body",
        key="r.id",
        link="note",
        target="r.id",
        who="r.actor",
    ),
    "ticket": Source(
        rows="ticket r WHERE r.debtor_id = :debtor",
        day="r.valid_from",
        at="r.recorded_at",
        codes="'number', r.ticket_no, 'kind', r.kind, 'closed', r.closed_on",
        key="r.id",
        link="ticket",
        target="r.ticket_no",
        who="r.actor",
    ),
    "approval": Source(
        rows='action a JOIN approval r ON r.action_id = a.id JOIN "case" k ON k.id = a.case_id'
        f" WHERE {OF_CASES.format(t='a')}",
        day="r.decided_on",
        at="r.recorded_at",
        codes="'verdict', r.verdict, 'step', a.step, 'reason', r.reason, 'role', r.role, 'next_step', r.next_step,"
        " 'next_on', r.next_on",
        key="r.id",
        link="action",
        target="a.id",
        who="r.actor",
        amount="a.amount",
        currency="k.currency",
    ),
    "work_done": Source(
        rows=f"work_task r WHERE {OF_CASES.format(t='r')} AND r.state = 'done' AND r.kind <> 'call'",
        day="r.done_on",
        at="COALESCE(r.done_at, r.recorded_at)",
        codes="'kind', r.kind, 'subject', r.subject, 'outcome', r.outcome, 'note', r.note",
        key="r.id",
        link="work",
        target="r.id",
        who="r.done_by",
    ),
    "step_proposed": _of_action("a.business_date", "a.proposed_at", PROPOSED),
    "step_ended": _of_action(
        f"COALESCE(a.executed_on, {ON_DAY.format(at='COALESCE(a.ended_at, a.proposed_at)')})",
        "COALESCE(a.ended_at, a.proposed_at)",
        NOT_TOLD,
        "CASE WHEN a.state NOT IN ('skipped', 'executed') THEN a.amount END",
    ),
    "segment": Source(
        rows=f"round o JOIN round_course r ON r.round_id = o.id WHERE {OF_CASES.format(t='o')}",
        day="r.valid_from",
        at="r.recorded_at",
        codes="'number', o.number, 'segment', r.segment, 'cause', r.cause",
        key="r.id",
        link="round",
        target="o.id",
        who="r.actor",
    ),
    "round_closed": Source(
        rows=f"round o WHERE {OF_CASES.format(t='o')} AND o.closed_on IS NOT NULL",
        day="o.closed_on",
        at="o.closed_at",
        codes="'number', o.number",
        key="o.id",
        link="round",
        target="o.id",
    ),
    "wrongful": Source(
        rows=f"touch r WHERE r.party_id = :party AND {OF_CASES.format(t='r')} AND r.wrongful",
        day="r.touched_on",
        at="r.recorded_at",
        codes="'cause', r.cause, 'contact', r.record_no",
        key="r.id",
        link="contact",
        target="r.record_no",
        who="'engine'",
    ),
}
"""By kind."""
