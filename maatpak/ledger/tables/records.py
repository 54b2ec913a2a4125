"""What people record and the engine obeys. Each is versioned: a change of state is a new row with the same number.

Only checks are not: one that is made again is another one.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from maatpak.kernel.checks import CheckKind, CheckResult
from maatpak.kernel.words import DisputeState, HoldReason, NonPaymentReason, PlanState, PromiseState
from maatpak.ledger.tables.columns import Json, Salted, UtcTime, Versioned, not_negative, one_of


def current(table: str, number: str) -> Index:
    """A record has one current version."""
    return Index(f"uq_{table}_current", number, unique=True, postgresql_where=text("replaced_at IS NULL"))


class Hold(Versioned, table=True):
    """A dunning block: an object with scope, reason, source, from, until and who; never a flag."""

    __table_args__ = (
        current("hold", "hold_no"),
        one_of("scope", ["party", "debtor", "case", "item"]),
        one_of("reason", HoldReason),
        one_of("state", ["active", "lifted"]),
        CheckConstraint("until_on >= from_on", name="until_after_from"),
        CheckConstraint("(scope = 'party') <= (party_id IS NOT NULL)", name="party_scope"),
        CheckConstraint("(scope = 'case') <= (case_id IS NOT NULL)", name="case_scope"),
        CheckConstraint("(scope = 'item') <= (item_id IS NOT NULL)", name="item_scope"),
        Index("ix_hold_debtor", "debtor_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    hold_no: str
    scope: str
    party_id: int | None = Field(default=None, foreign_key="party.id", sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    case_id: int | None = Field(default=None, foreign_key="case.id", sa_type=BigInteger)
    item_id: int | None = Field(default=None, foreign_key="item.id", sa_type=BigInteger)
    reason: str
    source: str
    from_on: date
    until_on: date
    state: str = "active"
    note: str
    actor: str


class Promise(Versioned, table=True):
    """A promise to pay: amount, date, source; it covers named items, or an amount."""

    __table_args__ = (
        current("promise", "promise_no"),
        one_of("state", PromiseState),
        CheckConstraint("amount > 0", name="amount_positive"),
        *not_negative("received"),
        Index("ix_promise_case", "case_id"),
        Index("ix_promise_date", "promised_on", "id", postgresql_where=text("replaced_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    promise_no: str
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    round_id: int | None = Field(default=None, foreign_key="round.id", sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    items: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """Item id → amount, when it names items."""
    made_on: date
    promised_on: date
    """The date by which the money is promised."""
    received: int = Field(default=0, sa_type=BigInteger)
    source: str
    state: str = PromiseState.OPEN
    actor: str


class Dispute(Versioned, table=True):
    """An objection to an item: reason, disputed amount, owner, and the date by which we answer."""

    __table_args__ = (
        current("dispute", "dispute_no"),
        one_of("state", DisputeState),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_dispute_case", "case_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    dispute_no: str
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    item_id: int = Field(foreign_key="item.id", sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    accepted_amount: int = Field(default=0, sa_type=BigInteger)
    reason: str
    owner: str
    opened_on: date
    answer_by: date
    decided_on: date | None = None
    state: str = DisputeState.OPEN
    source: str
    actor: str


class StatedReason(Versioned, table=True):
    """Why the customer does not pay, as told to us or found by us; the newest of 90 days counts."""

    __tablename__ = "stated_reason"
    __table_args__ = (one_of("reason", NonPaymentReason), Index("ix_stated_reason_case", "case_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    reason: str
    stated_on: date
    source: str
    actor: str


class ClaimedPayment(Versioned, table=True):
    """The customer says it is paid; we look for it before we ask again."""

    __tablename__ = "claimed_payment"
    __table_args__ = (
        current("claimed_payment", "claim_no"),
        one_of("state", ["open", "found", "not_found"]),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_claimed_payment_case", "case_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    claim_no: str
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    items: dict[str, Any] | None = Field(default=None, sa_type=Json)
    claimed_on: date
    until_on: date
    state: str = "open"
    actor: str


class Plan(Versioned, table=True):
    """A payment plan over named items."""

    __table_args__ = (
        current("plan", "plan_no"),
        one_of("state", PlanState),
        CheckConstraint("total > 0", name="total_positive"),
        Index("ix_plan_case", "case_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    plan_no: str
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    action_id: int | None = Field(default=None, foreign_key="action.id", sa_type=BigInteger)
    total: int = Field(sa_type=BigInteger)
    items: dict[str, Any] = Field(sa_type=Json)
    """Item id → amount in the plan, minor units."""
    instalments: list[dict[str, Any]] = Field(sa_type=Json)
    """`{"due_on": ISO date, "amount": minor units}`, by date."""
    offered_on: date
    valid_until: date
    accepted_on: date | None = None
    breached_on: date | None = None
    state: str
    source: str
    actor: str


class PlacementCheck(Salted, table=True):
    """What a person checked for a placement: who, when, on what grounds, until when it counts; append-only.

    Of a customer, or, as the licence of the agency is the creditor's matter, of the creditor for one country.
    """

    __tablename__ = "placement_check"
    __table_args__ = (
        one_of("kind", [kind for kind in CheckKind if kind != CheckKind.CREDIT]),
        one_of("result", CheckResult),
        CheckConstraint("(kind = 'agency_licence') = (debtor_id IS NULL)", name="of_customer_or_creditor"),
        CheckConstraint("(kind = 'agency_licence') = (country IS NOT NULL)", name="licence_of_country"),
        CheckConstraint("(kind = 'agency_licence') = (agency IS NOT NULL)", name="licence_of_agency"),
        CheckConstraint("(kind = 'limitation') = (item_id IS NOT NULL)", name="limitation_of_item"),
        CheckConstraint("(result = 'insolvent') <= (kind = 'insolvency_register')", name="insolvent_by_register"),
        Index("ix_placement_check_debtor", "debtor_id", "kind"),
        Index("ix_placement_check_licence", "creditor_id", "country", postgresql_where=text("debtor_id IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    debtor_id: int | None = Field(default=None, foreign_key="debtor.id", sa_type=BigInteger)
    agency: str | None = None
    country: str | None = None
    """Of a licence: where it lets the agency collect."""
    item_id: int | None = Field(default=None, foreign_key="item.id", sa_type=BigInteger)
    """Of a limitation date: the item; it counts for younger ones as well, whose date can only be later."""
    kind: str
    result: str
    source: str
    """What was looked at, such as a register and the number of its extract."""
    checked_on: date
    until_on: date
    """The last day on which it counts; of a limitation, the last on which the item can be claimed."""
    actor: str
    recorded_at: datetime = Field(sa_type=UtcTime)


class Preference(Versioned, table=True):
    """What a customer asked for: pay-run days, statement day, channel, language, call hours, PO, portal."""

    __table_args__ = (
        Index("uq_preference_current", "debtor_id", "name", unique=True, postgresql_where=text("replaced_at IS NULL")),
        one_of(
            "name",
            [
                *(
                    "channel",
                    "language",
                    "pay_run",
                    "cut_off",
                    "statement_day",
                    "call_hours",
                    "contact_role",
                    "po_needed",
                ),
                "portal",
            ],
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    name: str
    value: str
    source: str
    actor: str
