"""Webhooks: programs that are told of events, and what came of each telling."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from maatpak.ledger.tables.columns import Json, UtcTime, not_negative, one_of


class Webhook(SQLModel, table=True):
    """An address that is told what happens to cases. Its secret follows from the installation's key; it is not kept."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int | None = Field(default=None, foreign_key="creditor.id", sa_type=BigInteger)
    """Whose cases; none: every creditor's."""
    url: str
    kinds: list[str] = Field(sa_type=Json)
    """Kinds of events; none: all of them."""
    active: bool = True
    looked_to: int = Field(sa_type=BigInteger)
    """Number of the last event that was looked at for it."""
    created_by: str
    created_at: datetime = Field(sa_type=UtcTime)


class WebhookDelivery(SQLModel, table=True):
    """One event for one webhook: waiting until it is taken, or given up after many tries."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_seq"),
        one_of("state", ["waiting", "delivered", "given_up"]),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_when_over"),
        *not_negative("tries"),
        Index("ix_webhook_delivery_given_up", "webhook_id", postgresql_where=text("state = 'given_up'")),
        Index("ix_webhook_delivery_due", "webhook_id", "next_at", postgresql_where=text("state = 'waiting'")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    webhook_id: int = Field(foreign_key="webhook.id", sa_type=BigInteger)
    event_seq: int = Field(sa_type=BigInteger)
    """The event; no foreign key, which would stand in the way of the guard that keeps events."""
    state: str = "waiting"
    tries: int = 0
    next_at: datetime = Field(sa_type=UtcTime)
    """When it is tried next; while it is being tried, when somebody else may."""
    status: int | None = None
    """Of the last answer."""
    said: str | None = None
    """The last answer's words, or what kept it from coming."""
    created_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
