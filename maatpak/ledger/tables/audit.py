"""The chain of events, and the people who act."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from maatpak.kernel.words import Role
from maatpak.ledger.tables.columns import Json, UtcTime, not_negative, one_of


class Event(SQLModel, table=True):
    """What happened, with its origin, chained by hashes (law 10). Ids, codes and hashes only: no personal data."""

    __table_args__ = (
        # Each ends in the order in which events are looked for: a page is found without sorting (tasks.audit.search).
        Index("ix_event_case", "case_id", "seq", postgresql_where=text("case_id IS NOT NULL")),
        Index("ix_event_creditor", "creditor_id", "business_date", "seq"),
        Index("ix_event_creditor_seq", "creditor_id", "seq"),
        Index("ix_event_debtor", "debtor_id", "seq", postgresql_where=text("debtor_id IS NOT NULL")),
        Index("ix_event_kind", "kind", "seq"),
        Index("ix_event_actor", "actor", "seq"),
        Index("ix_event_flow_run", "flow_run", "seq", postgresql_where=text("flow_run IS NOT NULL")),
        Index("ix_event_policy", "policy_hash", "seq", postgresql_where=text("policy_hash IS NOT NULL")),
    )

    seq: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str
    creditor_id: int | None = Field(default=None, sa_type=BigInteger)
    debtor_id: int | None = Field(default=None, sa_type=BigInteger)
    case_id: int | None = Field(default=None, sa_type=BigInteger)
    action_id: int | None = Field(default=None, sa_type=BigInteger)
    business_date: date | None = None
    actor: str
    flow_run: str | None = None
    policy_hash: str | None = None
    snapshot_hash: str | None = None
    body: dict[str, Any] = Field(sa_type=Json)
    recorded_at: datetime = Field(sa_type=UtcTime)
    previous_hash: str
    hash: str


class EventHead(SQLModel, table=True):
    """The last event's number and hash: one row, locked last in every transaction that adds events."""

    __tablename__ = "event_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(default=1, primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    hash: str


class Person(SQLModel, table=True):
    """Somebody who acts in Maatpak, with a role and, for approvals, a limit."""

    __table_args__ = (one_of("role", Role), *not_negative("approval_limit"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    login: str = Field(unique=True)
    name: str
    role: str
    approval_limit: int = Field(default=0, sa_type=BigInteger)
    """Minor units of `limit_currency`."""
    limit_currency: str = "EUR"
    email: str | None = None
    deputy: str | None = None
    active: bool = True
    recorded_at: datetime = Field(sa_type=UtcTime)
