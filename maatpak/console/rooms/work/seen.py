"""What the page of a piece of work shows, to people and programs alike. Money is in minor units of `currency`."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from maatpak.kernel.words import HoldReason

CONFIRMING = {"agreed": "Yes, it is confirmed", "refused": "No"}
TOLD = {
    "agree": "I agree: go on",
    "i_talk": "I talk with the customer first",
    "no": "No, because …",
    "not_heard": "Go on without the account manager's word",
    "statement_only": "Statements only",
    "write_off": "Propose the write-off; a second person confirms it",
    "legal": "Hand it to legal",
    "hold": "Hold until a day",
    "plan": "Offer a plan",
    "continue": "Go on with the journey",
    "not_ours": "It is not ours",
    "agreed": "Yes",
    "refused": "No",
}
"""Outcome → what a person says by it."""


@dataclass(frozen=True)
class About:
    """The record that the work is about. The amount is minor units of the work's currency."""

    kind: str
    number: str
    state: str
    on: date
    until: date | None
    amount: int | None
    words: str | None
    actor: str | None
    text: str | None
    """What the customer wrote, where it is an answer."""
    instalments: list[dict[str, Any]]
    """Of a plan."""


@dataclass(frozen=True)
class OpenItem:
    """An open item of the case."""

    item_id: int
    document_no: str
    item_type: str
    due_on: date
    open_amount: int


@dataclass(frozen=True)
class Beside:
    """Other open work on the case."""

    task_id: int
    kind: str
    subject: str
    role: str
    assignee: str | None
    due_on: date


@dataclass(frozen=True)
class Piece:
    """A piece of work with its case in short. Money is in minor units of `currency`."""

    task_id: int
    case_id: int | None
    debtor_id: int
    creditor: str
    debtor_no: str
    name: str
    currency: str
    kind: str
    subject: str
    role: str
    assignee: str | None
    asked_by: str | None
    channel: str | None
    opened_on: date
    due_on: date
    late: bool
    """Whether its date is past."""
    blocks: bool
    state: str
    outcome: str | None
    note: str | None
    done_on: date | None
    done_by: str | None
    confirms: bool
    """Whether it is a second person's word, so that nothing but a yes or a no ends it."""
    outcomes: list[str]
    """How it may end."""
    refused: str | None
    """Why the visitor may not end it; none: they may."""
    account_manager: str | None
    email: str | None
    phone: str | None
    segment: str | None
    overdue_open: int | None
    asked_amount: int | None
    items_overdue: int | None
    oldest_due_on: date | None
    experience_balance: int | None
    non_payment_reason: str | None
    next_step: str | None
    action_id: int | None
    step: str | None
    """The step that it belongs to."""
    action_state: str | None
    action_amount: int | None
    approved_by_people: bool | None
    placement: int | None
    """The proposed placement whose checks it asks for: an action."""
    about: About | None
    move: dict[str, str] | None
    """Where a case would be moved, where that is to be confirmed."""
    items: list[OpenItem]
    beside: list[Beside]

    @property
    def item_rows(self) -> list[dict[str, Any]]:
        """The items with the currency of their amounts."""
        return [vars(each) | {"currency": self.currency} for each in self.items]

    @property
    def told(self) -> dict[str, str]:
        """What outcomes are called, where the code alone does not tell."""
        return CONFIRMING if self.confirms else TOLD

    @property
    def hold_reasons(self) -> list[str]:
        """What a hold may be set for."""
        return [str(each) for each in HoldReason if each is not HoldReason.NONE]
