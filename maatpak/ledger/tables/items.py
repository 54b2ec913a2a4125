"""What is owed: imports, snapshots, open items over time, payments, and rows that were set apart."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from maatpak.kernel.words import ItemType, SettledBy, Severity
from maatpak.ledger.tables.columns import Json, Salted, UtcTime, Versioned, not_negative, one_of


class Snapshot(SQLModel, table=True):
    """One accepted import: immutable, hashed, with the date that it speaks for and its Parquet file as evidence."""

    __table_args__ = (one_of("kind", ["full", "delta", "history"]),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    source: str
    kind: str
    as_of: date
    tables: list[str] = Field(sa_type=Json)
    """Which canonical tables it carried, rows or none: `items`, `debtors`, `payments`, `contacts`, `tickets`."""
    content_hash: str
    evidence: str
    """JSON list of evidence keys: the canonical frames as Parquet."""
    report: str | None = None
    """Evidence key of the quality report (Data Docs)."""
    row_count: int
    quarantined_count: int
    warning_count: int
    balances: dict[str, int] = Field(sa_type=Json)
    """Open amount by currency, minor units."""
    accepted_bounds: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Bounds that a person accepted once for this file: bound → reason."""
    actor: str
    flow_run: str | None = None
    recorded_at: datetime = Field(sa_type=UtcTime)


class Finding(SQLModel, table=True):
    """What the quality gate found in a row of an accepted import; append-only."""

    __table_args__ = (one_of("severity", Severity),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    snapshot_id: int = Field(foreign_key="snapshot.id", sa_type=BigInteger, index=True)
    severity: str
    rule: str
    file: str
    row_no: int | None = Field(default=None, sa_type=BigInteger)
    column_name: str | None = None
    value: str | None = None
    message: str
    advice: str


class QuarantinedRow(Salted, table=True):
    """A row that the gate set apart until a person corrects, releases or discards it."""

    __tablename__ = "quarantined_row"
    __table_args__ = (
        one_of("state", ["open", "released", "discarded", "superseded"]),
        Index("ix_quarantined_row_open", "creditor_id", "debtor_no", postgresql_where=text("state = 'open'")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    snapshot_id: int = Field(foreign_key="snapshot.id", sa_type=BigInteger)
    creditor_id: int = Field(sa_type=BigInteger)
    """The snapshot's."""
    debtor_no: str | None = None
    file: str
    row_no: int = Field(sa_type=BigInteger)
    table_name: str
    """Which canonical table the row belongs to: items, debtors or payments."""
    raw: dict[str, Any] = Field(sa_type=Json)
    """The row's canonical columns as text, as read."""
    rules: str
    state: str = "open"
    correction: dict[str, Any] | None = Field(default=None, sa_type=Json)
    resolved_by: str | None = None
    resolved_reason: str | None = None
    resolved_on: date | None = None
    resolved_at: datetime | None = Field(default=None, sa_type=UtcTime)
    business_date: date
    recorded_at: datetime = Field(sa_type=UtcTime)


class Item(SQLModel, table=True):
    """The identity of an open item; its state over time is in `ItemVersion`."""

    __table_args__ = (
        UniqueConstraint("creditor_id", "debtor_id", "item_type", "document_no", "issued_on"),
        one_of("item_type", ItemType),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(sa_type=BigInteger)
    """The debtor's, for the key. No foreign key of its own: rows come by the million, and each check counts."""
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    item_type: str
    document_no: str
    issued_on: date
    currency: str
    recorded_at: datetime = Field(sa_type=UtcTime)


OPEN = "replaced_at IS NULL AND open_amount > 0"
WRITTEN_OFF = "replaced_at IS NULL AND settled_by = 'write_off'"


class ItemVersion(Versioned, table=True):
    """What the ledger said of an item over a time. Amounts are positive minor units, credit notes and payments too.

    The identity's columns are repeated here so that a tick reads one table. `due_on` is the contractual date, never
    before `issued_on`. A settled version has `open_amount = 0` and `settled_on`.
    """

    __tablename__ = "item_version"
    __table_args__ = (
        *not_negative("amount", "open_amount", "disputed_amount"),
        CheckConstraint("open_amount <= amount", name="open_within_amount"),
        CheckConstraint("(open_amount = 0) OR (settled_on IS NULL)", name="settled_is_closed"),
        CheckConstraint("due_on >= issued_on", name="due_after_issue"),
        one_of("settled_by", SettledBy),
        one_of("item_type", ItemType),
        Index("uq_item_version_current", "item_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
        Index("ix_item_version_creditor", "creditor_id", "valid_from"),
        Index("ix_item_version_debtor", "debtor_id"),
        # The two orders in which lists of a creditor's open items go, with what they filter by: what does not fit is
        # passed over in the index.
        Index(
            "ix_item_version_open_due",
            *("creditor_id", "due_on", "item_id", "currency", "item_type"),
            postgresql_where=text(OPEN),
        ),
        Index(
            "ix_item_version_open_amount",
            *("creditor_id", "open_amount", "item_id", "due_on", "currency", "item_type"),
            postgresql_where=text(OPEN),
        ),
        Index("ix_item_version_written_off", "creditor_id", "settled_on", postgresql_where=text(WRITTEN_OFF)),
        Index(
            "ix_item_version_sending",
            "creditor_id",
            postgresql_where=text("invoice_sent_on IS NOT NULL OR invoice_channel IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    item_id: int = Field(foreign_key="item.id", sa_type=BigInteger)
    creditor_id: int = Field(sa_type=BigInteger)
    debtor_id: int = Field(sa_type=BigInteger)
    snapshot_id: int | None = Field(default=None, sa_type=BigInteger)
    item_type: str
    document_no: str
    currency: str
    issued_on: date
    due_on: date
    amount: int = Field(sa_type=BigInteger)
    open_amount: int = Field(sa_type=BigInteger)
    settled_on: date | None = None
    settled_by: str | None = None
    settled_estimated: bool = False
    left_after: date | None = None
    """For an item that vanished from a full file: the last snapshot date that still had it."""
    disputed_amount: int = Field(default=0, sa_type=BigInteger)
    disputed_on: date | None = None
    dispute_outcome: str | None = None
    reference: str | None = None
    payment_method: str | None = None
    collect_on: date | None = None
    returned_on: date | None = None
    return_code: str | None = None
    po_number: str | None = None
    ordered_on: date | None = None
    delivered_on: date | None = None
    invoice_sent_on: date | None = None
    invoice_channel: str | None = None
    approved_on: date | None = None
    document_path: str | None = None


class Payment(SQLModel, table=True):
    """Money received, as the ledger or bank told: what it settles is in the item versions. Append-only."""

    __table_args__ = (UniqueConstraint("creditor_id", "payment_no"), *not_negative("amount", "applied"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    debtor_id: int | None = Field(default=None, foreign_key="debtor.id", sa_type=BigInteger, index=True)
    item_id: int | None = Field(default=None, foreign_key="item.id", sa_type=BigInteger)
    snapshot_id: int | None = Field(default=None, foreign_key="snapshot.id", sa_type=BigInteger)
    payment_no: str
    document_no: str | None = None
    paid_on: date
    currency: str
    amount: int = Field(sa_type=BigInteger)
    applied: int = Field(sa_type=BigInteger)
    """What of it went to the item; the rest is unallocated and stands as an item of type payment."""
    valid_from: date
    """The business date from which it is known; before that it does not exist (rule 14)."""
    recorded_at: datetime = Field(sa_type=UtcTime)


class Ticket(Versioned, table=True):
    """A complaint, an undelivered order, a legal dunning block: somebody else's file that stops our notices."""

    __table_args__ = (
        Index("uq_ticket_current", "debtor_id", "ticket_no", unique=True, postgresql_where=text("replaced_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    ticket_no: str
    kind: str
    opened_on: date
    closed_on: date | None = None
    actor: str
