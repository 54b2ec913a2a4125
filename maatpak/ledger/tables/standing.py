"""Where each case stands, for lists to sort and search: a copy of what the newest run saw, never a source.

Nothing is null, so that a list sorts and pages by any column: text without a value is empty, a date that does not exist
is `NEVER`, a number is 0. How long an item is past due is told by its date, which does not change from day to day; the
longest come first where `oldest_due_on` ascends. Cases that nobody has decided yet, and those gone quiet for 24 months,
have no row.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Computed, Index, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from maatpak.ledger.tables.columns import UtcTime, not_negative

NEVER = date(9999, 12, 31)
"""Stands for a date that there is not: such rows come last where dates ascend."""
NO_DATE = f"DATE '{NEVER}'"
"""The same in SQL."""

WORDS = "to_tsvector('simple', translate(debtor_no || ' ' || name, '-/.@_:+', '       '))"
"""Words of number and name as a search takes them; signs that would join words into one are taken out."""

OPEN = (
    *("asked_amount", "overdue_open", "not_due_open", "disputed_open", "in_plan_open", "promised_open"),
    *("largest_item", "value_at_risk"),
)


def _sorted_by(*columns: str) -> Index:
    """An order that lists of one creditor offer; the case's number makes it whole."""
    names = "_".join(column.split()[0] for column in columns)
    return Index(f"ix_case_standing_{names}", "creditor_id", *(text(column) for column in columns), "case_id")


class CaseStanding(SQLModel, table=True):
    """A case as the newest run that changed anything of it left it (`tasks.standing`)."""

    __tablename__ = "case_standing"
    __table_args__ = (
        *not_negative(*OPEN, "items_overdue"),
        _sorted_by("overdue_open DESC"),
        _sorted_by("asked_amount DESC"),
        _sorted_by("value_at_risk DESC"),
        _sorted_by("oldest_due_on"),
        _sorted_by("next_on"),
        _sorted_by("name"),
        _sorted_by("experience_balance"),
        _sorted_by("segment", "overdue_open DESC"),
        _sorted_by("account_manager", "overdue_open DESC"),
        Index("ix_case_standing_debtor", "debtor_id"),
        Index("ix_case_standing_words", "words", postgresql_using="gin"),
    )

    case_id: int = Field(primary_key=True, sa_type=BigInteger)
    """No foreign keys: cases and debtors stay, and a copy of 200,000 rows is written at once."""
    creditor_id: int = Field(sa_type=BigInteger)
    debtor_id: int = Field(sa_type=BigInteger)
    party_id: int = Field(sa_type=BigInteger)
    debtor_no: str
    name: str
    """Of the customer, as the master data has it; empty without any."""
    currency: str
    country: str
    kind: str
    account_manager: str
    """The login that the master data names; empty without one."""
    key_account: bool
    segment: str
    """That of its round, else the one that it would open a round in."""
    stage: str
    """Of the step it gets, else of the last one taken, else the one at which it entered; empty before any of it."""
    round_no: int
    """Number of the open round, else of the last; 0 if it never had one."""
    round_opened_on: date
    """When the open round was opened; `NEVER` without one."""
    last_step: str
    """The last step taken before the run."""
    last_step_on: date
    outcome: str
    """`act` or `none`."""
    step: str
    """The step that it gets."""
    reason: str
    """Why it gets none."""
    detail: str
    next_step: str
    """What comes next: where it gets a step, that one."""
    next_on: date
    """From when; where it gets a step, the day of the run."""
    asked_amount: int = Field(sa_type=BigInteger)
    """Money is in minor units of the case's currency; what each amount is say the facts of the same name."""
    overdue_open: int = Field(sa_type=BigInteger)
    not_due_open: int = Field(sa_type=BigInteger)
    disputed_open: int = Field(sa_type=BigInteger)
    in_plan_open: int = Field(sa_type=BigInteger)
    promised_open: int = Field(sa_type=BigInteger)
    largest_item: int = Field(sa_type=BigInteger)
    value_at_risk: int = Field(sa_type=BigInteger)
    """What may be lost of the overdue items, by their age (`tasks.standing.LOSS_RATES`)."""
    items_overdue: int
    oldest_due_on: date
    """Contractual due date of the oldest overdue item, asked for or not."""
    non_payment_reason: str
    """The last that was stated, of at most 90 days ago; `none` without one."""
    experience_balance: int
    risk_class: str
    business_date: date
    """Of the run that last changed anything here."""
    recorded_at: datetime = Field(sa_type=UtcTime)
    words: Any = Field(default=None, sa_column=Column(TSVECTOR, Computed(WORDS, persisted=True), nullable=False))
