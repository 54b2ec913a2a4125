"""What people recorded of a case and of its account: the newest version of each, in one query."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from maatpak.console.frame.asking import Asking

MOST = 50
"""Records of one kind on a page; the lists of the other rooms have all."""


@dataclass(frozen=True)
class Promised:
    """A promise to pay. Amounts are minor units of the case's currency, here and below."""

    promise_no: str
    amount: int
    received: int
    made_on: date
    promised_on: date
    state: str
    source: str
    actor: str


@dataclass(frozen=True)
class Disputed:
    """An objection to an item."""

    dispute_no: str
    document_no: str
    amount: int
    accepted_amount: int
    reason: str
    owner: str
    opened_on: date
    answer_by: date
    decided_on: date | None
    state: str
    actor: str


@dataclass(frozen=True)
class Instalment:
    """A part of a plan."""

    due_on: date
    amount: int


@dataclass(frozen=True)
class Planned:
    """A payment plan."""

    plan_no: str
    total: int
    instalments: list[Instalment]
    offered_on: date
    valid_until: date
    accepted_on: date | None
    breached_on: date | None
    state: str
    actor: str


@dataclass(frozen=True)
class Held:
    """A hold. One that another account of the same person set has no number here, and nobody's words."""

    hold_no: str | None
    scope: str
    document_no: str | None
    reason: str
    source: str
    from_on: date
    until_on: date
    state: str
    note: str
    actor: str


@dataclass(frozen=True)
class Claimed:
    """A payment that the customer says was made."""

    claim_no: str
    amount: int
    claimed_on: date
    until_on: date
    state: str
    actor: str


@dataclass(frozen=True)
class Reasoned:
    """Why the customer did not pay, as it was told."""

    reason: str
    stated_on: date
    source: str
    actor: str


@dataclass(frozen=True)
class Ticketed:
    """A complaint, a query or an undelivered order."""

    ticket_no: str
    kind: str
    opened_on: date
    closed_on: date | None
    actor: str


@dataclass(frozen=True)
class Preferred:
    """What the customer asked for."""

    name: str
    value: str
    source: str
    since: date
    actor: str


@dataclass(frozen=True)
class Contact:
    """Whom to write to or call."""

    name: str
    role: str
    email: str | None
    phone: str | None
    language: str | None


@dataclass(frozen=True)
class Reached:
    """What is known of an address."""

    channel: str
    address: str
    state: str
    cause: str
    since: date


@dataclass(frozen=True)
class Consented:
    """Whether texts to a number are agreed to."""

    number: str
    given: bool
    source: str
    since: date


@dataclass(frozen=True)
class Placed:
    """A handing over to an agency."""

    placement_no: str
    agency: str
    amount: int
    state: str
    cause: str
    since: date


@dataclass(frozen=True)
class Checked:
    """What somebody checked before a placement."""

    kind: str
    result: str
    source: str
    checked_on: date
    until_on: date
    actor: str


@dataclass(frozen=True)
class Noted:
    """What somebody wanted the next person to know."""

    body: str
    written_on: date
    actor: str


@dataclass(frozen=True)
class Work:
    """Open work of ours on the case."""

    task_id: int
    kind: str
    subject: str
    role: str
    assignee: str | None
    due_on: date
    blocks: bool


@dataclass(frozen=True)
class CaseRecords:
    """Of a case, newest first."""

    promises: list[Promised]
    disputes: list[Disputed]
    plans: list[Planned]
    claims: list[Claimed]
    reasons: list[Reasoned]
    placements: list[Placed]
    notes: list[Noted]
    work: list[Work]


@dataclass(frozen=True)
class Known:
    """Where the master data says that the customer is reached."""

    email: str | None
    phone: str | None
    address: str | None
    channel: str
    """That they prefer, by the master data."""


@dataclass(frozen=True)
class Touched:
    """A contact or an act of ours, rated for the customer."""

    kind: str
    rating: int
    wrongful: bool
    cause: str | None
    touched_on: date


@dataclass(frozen=True)
class AccountRecords:
    """Of an account, newest first."""

    master: list[Known]
    """One, or none where the ledger told nothing."""
    touches: list[Touched]
    """By this creditor."""

    holds: list[Held]
    tickets: list[Ticketed]
    preferences: list[Preferred]
    contacts: list[Contact]
    addresses: list[Reached]
    consents: list[Consented]
    checks: list[Checked]


OF_CASE = {
    "promises": "promise_no, amount, received, made_on, promised_on, state, source, actor FROM promise"
    " WHERE case_id = :case AND replaced_at IS NULL ORDER BY made_on DESC, id DESC",
    "disputes": "r.dispute_no, i.document_no, r.amount, r.accepted_amount, r.reason, r.owner, r.opened_on, r.answer_by,"
    " r.decided_on, r.state, r.actor FROM dispute r JOIN item i ON i.id = r.item_id"
    " WHERE r.case_id = :case AND r.replaced_at IS NULL ORDER BY r.opened_on DESC, r.id DESC",
    "plans": "plan_no, total, instalments, offered_on, valid_until, accepted_on, breached_on, state, actor FROM plan"
    " WHERE case_id = :case AND replaced_at IS NULL ORDER BY offered_on DESC, id DESC",
    "claims": "claim_no, amount, claimed_on, until_on, state, actor FROM claimed_payment"
    " WHERE case_id = :case AND replaced_at IS NULL ORDER BY claimed_on DESC, id DESC",
    "reasons": "reason, stated_on, source, actor FROM stated_reason"
    " WHERE case_id = :case AND replaced_at IS NULL ORDER BY stated_on DESC, id DESC",
    "placements": "placement_no, agency, amount, state, cause, valid_from AS since FROM placement"
    " WHERE case_id = :case AND replaced_at IS NULL ORDER BY id DESC",
    "notes": "body, written_on, actor FROM case_note WHERE case_id = :case ORDER BY id DESC",
    "work": "id AS task_id, kind, subject, role, assignee, due_on, blocks FROM work_task"
    " WHERE case_id = :case AND state = 'open' ORDER BY due_on, id",
}
OF_ACCOUNT = {
    "master": "email, phone, NULLIF(concat_ws(', ', street, concat_ws(' ', postal_code, city), country), '')"
    " AS address, preferred_channel AS channel FROM debtor_profile WHERE debtor_id = :debtor AND replaced_at IS NULL",
    "touches": "t.kind, t.rating, t.wrongful, t.cause, t.touched_on FROM touch t JOIN debtor d ON d.id = :debtor"
    " WHERE t.party_id = d.party_id AND t.creditor_id = d.creditor_id ORDER BY t.touched_on DESC, t.id DESC",
    "holds": "CASE WHEN r.debtor_id = :debtor THEN r.hold_no END AS hold_no, r.scope, i.document_no, r.reason,"
    " r.source, r.from_on, r.until_on, r.state, CASE WHEN r.debtor_id = :debtor THEN r.note ELSE '' END AS note,"
    " CASE WHEN r.debtor_id = :debtor THEN r.actor ELSE '' END AS actor"
    " FROM hold r LEFT JOIN item i ON i.id = r.item_id"
    " WHERE r.replaced_at IS NULL AND (CAST(:case AS bigint) IS NULL OR r.case_id IS NULL OR r.case_id = :case)"
    " AND (r.debtor_id = :debtor OR (r.scope = 'party' AND r.debtor_id IN (SELECT o.id FROM debtor o"
    " WHERE o.party_id = (SELECT d.party_id FROM debtor d WHERE d.id = :debtor))))"
    " ORDER BY r.state, r.until_on DESC, r.id DESC",
    "tickets": "ticket_no, kind, opened_on, closed_on, actor FROM ticket"
    " WHERE debtor_id = :debtor AND replaced_at IS NULL ORDER BY closed_on NULLS FIRST, opened_on DESC",
    "preferences": "name, value, source, valid_from AS since, actor FROM preference"
    " WHERE debtor_id = :debtor AND replaced_at IS NULL ORDER BY name",
    "contacts": "name, role, email, phone, language FROM contact_person"
    " WHERE debtor_id = :debtor AND replaced_at IS NULL ORDER BY role, name",
    "addresses": "channel, address, state, cause, valid_from AS since FROM address_state"
    " WHERE debtor_id = :debtor AND replaced_at IS NULL ORDER BY channel, address",
    "consents": "number, given, source, valid_from AS since FROM text_consent"
    " WHERE debtor_id = :debtor AND replaced_at IS NULL ORDER BY number",
    "checks": "kind, result, source, checked_on, until_on, actor FROM placement_check"
    " WHERE debtor_id = :debtor ORDER BY checked_on DESC, id DESC",
}
"""What a hold of another account of the same person says is that contact rests, and why; not whose account that is."""
_CASE = TypeAdapter(CaseRecords)
_ACCOUNT = TypeAdapter(AccountRecords)


def case_records(asking: Asking, case_id: int) -> CaseRecords:
    """What is on record of a case."""
    return _CASE.validate_python(_lists(asking, OF_CASE, case=case_id))


def account_records(asking: Asking, debtor_id: int, case_id: int | None = None) -> AccountRecords:
    """What is on record of an account; with a case, without the holds of its other cases."""
    return _ACCOUNT.validate_python(_lists(asking, OF_ACCOUNT, debtor=debtor_id, case=case_id))


def _lists(asking: Asking, queries: dict[str, str], **values: Any) -> dict[str, Any]:
    """The rows of each query, all of them in one."""
    lists = ", ".join(
        f"(SELECT COALESCE(jsonb_agg(to_jsonb(x)), '[]') FROM (SELECT {query} LIMIT {MOST}) x) AS {name}"  # noqa: S608
        for name, query in queries.items()
    )
    return asking.rows(f"SELECT {lists}", **values)[0]
