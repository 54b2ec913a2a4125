"""Who is owed, who owes, and who is written to."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from maatpak.kernel.words import Channel, LegalStop, PartyKind, ReachState
from maatpak.ledger.tables.columns import Salted, UtcTime, Versioned, one_of


class Creditor(SQLModel, table=True):
    """The legal entity that is owed: sender identity, account, country, language, currency, business date."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    code: str = Field(unique=True)
    name: str
    country: str
    language: str
    currency: str
    time_zone: str
    iban: str | None = None
    bic: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    registration_no: str | None = None
    vat_no: str | None = None
    payment_url: str | None = None
    business_date: date | None = None
    looked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """Known-at of the newest run. What is recorded after it gets a later instant, so that a replay sees what it saw."""
    recorded_at: datetime = Field(sa_type=UtcTime)


class Party(SQLModel, table=True):
    """A person or company, whoever of our creditors it owes. `shard_key` spreads parties over shards for good."""

    __table_args__ = (
        Index("ix_party_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        CheckConstraint("(merged_into IS NULL) = (merged_at IS NULL)", name="merged_is_dated"),
        CheckConstraint("merged_into <> id", name="merged_into_another"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    party_ref: str = Field(unique=True)
    shard_key: int
    merged_into: int | None = Field(default=None, foreign_key="party.id", sa_type=BigInteger)
    """The party that it turned out to be (`tasks.merging`); then it has no accounts, and new ones go there."""
    merged_at: datetime | None = Field(default=None, sa_type=UtcTime)
    recorded_at: datetime = Field(sa_type=UtcTime)


class Debtor(SQLModel, table=True):
    """The customer account of one party with one creditor; what is known of it is in `DebtorProfile`."""

    __table_args__ = (UniqueConstraint("creditor_id", "debtor_no"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    party_id: int = Field(foreign_key="party.id", sa_type=BigInteger, index=True)
    debtor_no: str
    recorded_at: datetime = Field(sa_type=UtcTime)


class DebtorProfile(Versioned, table=True):
    """What the master data said of a debtor over a time."""

    __tablename__ = "debtor_profile"
    __table_args__ = (
        one_of("kind", PartyKind),
        one_of("legal_stop", LegalStop),
        one_of("preferred_channel", Channel),
        one_of("risk_class", ["A", "B", "C", "D", "E", "none"]),
        Index("uq_debtor_profile_current", "debtor_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
        Index("ix_debtor_profile_creditor", "creditor_id", "valid_from"),
        Index("ix_debtor_profile_debtor", "debtor_id"),
        Index("ix_debtor_profile_parent", "creditor_id", "parent_no", postgresql_where=text("parent_no IS NOT NULL")),
        Index("ix_debtor_profile_payer", "creditor_id", "payer_no", postgresql_where=text("payer_no IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    creditor_id: int = Field(sa_type=BigInteger)
    """The debtor's."""
    snapshot_id: int | None = Field(default=None, sa_type=BigInteger)
    name: str
    kind: str
    country: str
    language: str
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    contact_name: str | None = None
    time_zone: str | None = None
    preferred_channel: str = Channel.EMAIL
    account_manager: str | None = None
    parent_no: str | None = None
    payer_no: str | None = None
    """Number of the account that pays for this one, and so is written to (rule 22)."""
    customer_since: date | None = None
    key_account: bool = False
    revenue_12m: int | None = Field(default=None, sa_type=BigInteger)
    payment_terms: str | None = None
    credit_limit: int | None = Field(default=None, sa_type=BigInteger)
    risk_class: str = "none"
    insured_amount: int | None = Field(default=None, sa_type=BigInteger)
    insurer_notify_by: date | None = None
    hardship_until: date | None = None
    legal_stop: str = LegalStop.NONE


class ContactPerson(Versioned, table=True):
    """Who is written to or called at a debtor, by role (payables, decision_maker, invoice, escalation)."""

    __tablename__ = "contact_person"
    __table_args__ = (
        Index(
            "uq_contact_person_current",
            "debtor_id",
            "role",
            "name",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        one_of("role", ["payables", "decision_maker", "invoice", "escalation"]),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    name: str
    role: str
    email: str | None = None
    phone: str | None = None
    language: str | None = None


class TextConsent(Salted, Versioned, table=True):
    """Whether a customer agreed to be texted at a number (E.164): who recorded it, when, and how it was said."""

    __tablename__ = "text_consent"
    __table_args__ = (
        Index(
            "uq_text_consent_current", "debtor_id", "number", unique=True, postgresql_where=text("replaced_at IS NULL")
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    number: str
    given: bool
    """Given, or taken back."""
    source: str
    """Where it was said: a call, a contract, a START."""
    actor: str


class AddressState(Salted, Versioned, table=True):
    """What is known of an address of a debtor on a channel. Without a row an address is unproven."""

    __tablename__ = "address_state"
    __table_args__ = (
        Index(
            "uq_address_state_current",
            "debtor_id",
            "channel",
            "address",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        Index(
            "ix_address_state_opted_out",
            "address",
            postgresql_where=text("state = 'opted_out' AND replaced_at IS NULL"),
        ),
        Index(
            "ix_address_state_lost",
            "valid_from",
            "id",
            postgresql_where=text("state IN ('dead', 'doubtful') AND replaced_at IS NULL"),
        ),
        one_of("channel", [*Channel, "phone"]),
        one_of("state", ReachState),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    channel: str
    address: str
    state: str
    missed: int = 0
    """Messages in a row that did not arrive and may another day: so many make it doubtful."""
    cause: str
    actor: str
