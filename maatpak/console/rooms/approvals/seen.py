"""What the pages of approvals show, to people and programs alike. Money is in minor units of `currency`."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from maatpak.console.frame.declared import Choice
from tasks.four_eyes import Objection
from tasks.placement_checks import Check
from tasks.reached import Notice, Reached


@dataclass(frozen=True)
class Waiting:
    """A proposed step in the inbox."""

    action_id: int
    case_id: int
    creditor: str
    debtor_no: str
    name: str
    currency: str
    step: str
    segment: str
    kind: str
    escalating: bool
    role: str
    """Whose word it needs."""
    given: int
    needed: int
    """Yeses it has, and needs."""
    amount: int
    overdue_amount: int
    oldest_due_on: date | None
    non_payment_reason: str | None
    experience_balance: int | None
    proposed_on: date
    content_hash: str
    objection: Objection | None
    """Why the visitor may not say yes; none: they may."""


@dataclass(frozen=True)
class Offered:
    """A filter of the inbox, and what it may be."""

    key: str
    title: str
    choices: list[Choice]


@dataclass(frozen=True)
class Inbox:
    """A page of what waits for a verdict, largest amount first."""

    rows: list[Waiting]
    count: int
    """How many fit; beyond 10,000 they are not counted on."""
    totals: list[dict[str, Any]]
    """A row a currency: how much is asked in all."""
    after: str | None
    """Where the next page begins."""
    mine: int
    """How many of this page the visitor may say yes to."""
    filters: list[Offered]
    """What the list may be filtered by."""


@dataclass(frozen=True)
class Excluded:
    """Something that was chosen and is not in the batch."""

    action_id: int
    name: str
    step: str
    amount: int
    currency: str
    why: str


@dataclass(frozen=True)
class Sum:
    """What a batch asks for in one currency."""

    currency: str
    amount: int
    count: int


@dataclass(frozen=True)
class Batch:
    """A batch that one word would approve, and what was left out of it."""

    rows: list[Waiting]
    excluded: list[Excluded]
    sums: list[Sum]
    shown: str
    """`action:content hash` of each, as the act takes them."""


@dataclass(frozen=True)
class Named:
    """An item that the step names."""

    item_id: int
    document_no: str
    item_type: str
    issued_on: date
    due_on: date
    days: int
    """Calendar days past the contractual due date."""
    amount: int
    """Of the invoice."""
    open_amount: int
    asked: int
    reached: Reached


@dataclass(frozen=True)
class History:
    """How the customer has been, in the facts of the day on which the step was proposed."""

    relation_days: int
    settled_items_24m: int
    share_paid_late_12m: float
    median_delay_days: float
    days_since_payment: int | None
    promises_broken_6m: int
    plans_breached_12m: int
    rounds_12m: int
    contacts_20wd: int
    call_attempts: int
    spoken: bool
    consult_answer: str
    risk_class: str
    revenue_12m: int
    """In `currency`."""
    experience_balance: int
    reason: str
    """For non-payment; `none` without one."""


@dataclass(frozen=True)
class Record:
    """Something on record of the case: a promise, plan, dispute, hold, reason, call or question."""

    kind: str
    number: str
    state: str
    on: date
    until: date | None
    amount: int | None
    words: str | None
    actor: str | None


@dataclass(frozen=True)
class Said:
    """A word that somebody gave."""

    actor: str
    role: str
    verdict: str
    reason: str
    decided_on: date
    lapses_on: date | None
    next_step: str | None
    next_on: date | None
    counts: bool
    """Whether it is of what is proposed now."""


@dataclass(frozen=True)
class Message:
    """What the customer would get."""

    number: int
    channel: str
    to: str
    language: str
    subject: str
    text: str
    as_mail: bool
    as_letter: bool
    enclosed: list[str]


@dataclass(frozen=True)
class Group:
    """What the customer's group owes in the case's currency."""

    accounts: int
    open_amount: int
    overdue_amount: int


@dataclass(frozen=True)
class Coming:
    """A step of the journey that comes after this one."""

    step: str
    kind: str
    wait: int
    """Working days after this one."""


@dataclass(frozen=True)
class Approval:
    """A proposed step with the whole case in view."""

    action_id: int
    case_id: int
    creditor: str
    debtor_id: int
    debtor_no: str
    name: str
    currency: str
    account_manager: str | None
    step: str
    about: str
    """What the journey says of the step."""
    stage: str
    kind: str
    segment: str
    state: str
    reason: str | None
    """Why it ended, where it did."""
    escalating: bool
    role: str | None
    """Whose yes it needs; none: nobody's."""
    given: int
    needed: int
    amount: int
    overdue_amount: int
    proposed_on: date
    lapses_on: date
    as_of: date
    content_hash: str | None
    """What a yes binds to; none where nobody's is needed."""
    waits: bool
    """Whether a verdict may be given at all."""
    changed: bool
    """Whether something of it was paid or credited since; the next run proposes it afresh, and a yes is refused."""
    objection: Objection | None
    """Why the visitor may not say yes; none: they may."""
    address_changed: bool
    """Within five working days before it was proposed, or since."""
    group: Group | None
    checks: list[Check]
    """Before a placement."""
    items: list[Named]
    history: History | None
    """None: the frame of that day is no longer kept."""
    records: list[Record]
    verdicts: list[Said]
    kept: bool
    """Whether the words that were proposed are still kept."""
    messages: list[Message]
    """As they were when it was proposed; dates that move with the day of sending are those of that day."""
    unreachable: list[str]
    """Why nobody can be told, where that is so."""
    coming: list[Coming]
    ending: str
    """What the branch ends in when the step is never taken."""
    next_id: int | None
    """The next that waits for the visitor's role."""

    @property
    def lacking(self) -> int:
        """How many checks forbid the last yes, where the next is the last."""
        return sum(not check.fine for check in self.checks) if self.given + 1 >= self.needed else 0

    @property
    def told(self) -> list[tuple[Notice, list[str]]]:
        """Each earlier notice once, with the documents that it named."""
        named: dict[Notice, list[str]] = {}
        for item in self.items:
            for notice in item.reached.notices:
                named.setdefault(notice, []).append(item.document_no)
        return list(named.items())

    @property
    def record_rows(self) -> list[dict[str, Any]]:
        """The records with the currency of their amounts."""
        return [vars(each) | {"currency": self.currency} for each in self.records]
