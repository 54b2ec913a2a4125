"""How people are let in, what they may see, and what two of them decide together. Secrets are kept as hashes only."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from maatpak.ledger.tables.columns import Json, UtcTime, not_negative, one_of


class Credential(SQLModel, table=True):
    """A person's password, and what became of the tries to log in with it."""

    __table_args__ = (*not_negative("failures"),)

    person_id: int = Field(primary_key=True, foreign_key="person.id", sa_type=BigInteger)
    hash: str
    """Argon2id, with its parameters and salt."""
    changed_at: datetime = Field(sa_type=UtcTime)
    must_change: bool
    """Somebody else knows it: its owner chooses another before anything else."""
    failures: int = 0
    """In a row."""
    locked_until: datetime | None = Field(default=None, sa_type=UtcTime)


class ConsoleSession(SQLModel, table=True):
    """A person who is logged in at the console with a browser."""

    __tablename__ = "console_session"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    token_hash: str = Field(unique=True)
    """SHA-256 of the token in the browser's cookie; whoever reads this table cannot log in with it."""
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger, index=True)
    created_at: datetime = Field(sa_type=UtcTime)
    seen_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    """However often it is used."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ApiToken(SQLModel, table=True):
    """A token with which a program does what its person may."""

    __tablename__ = "api_token"
    __table_args__ = (
        one_of("scope", ("read", "write")),
        Index("uq_api_token_live", "person_id", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    name: str
    """What it is for, in its person's words."""
    token_hash: str = Field(unique=True)
    scope: str
    created_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    last_used_on: date | None = None


class PersonCreditor(SQLModel, table=True):
    """A creditor that a person may see. Who has no such row sees all of them."""

    __tablename__ = "person_creditor"

    person_id: int = Field(primary_key=True, foreign_key="person.id", sa_type=BigInteger)
    creditor_id: int = Field(primary_key=True, foreign_key="creditor.id", sa_type=BigInteger)


class ChangeRequest(SQLModel, table=True):
    """A change of somebody's rights, or of what a creditor says of itself, that one administrator asks for and another
    decides (rule 10)."""

    __tablename__ = "change_request"
    __table_args__ = (
        one_of("state", ("asked", "confirmed", "refused")),
        CheckConstraint("(person_id IS NULL) <> (creditor_id IS NULL)", name="of_one"),
        CheckConstraint("state <> 'confirmed' OR decided_by <> asked_by", name="two_persons"),
        CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name="decided_once"),
        Index("uq_change_request_person", "person_id", unique=True, postgresql_where=text("state = 'asked'")),
        Index("uq_change_request_creditor", "creditor_id", unique=True, postgresql_where=text("state = 'asked'")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    person_id: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    creditor_id: int | None = Field(default=None, foreign_key="creditor.id", sa_type=BigInteger)
    changes: dict[str, Any] = Field(sa_type=Json)
    """What is to be. A person's `role`, `limit` (minor units) with `currency`, `creditors` (ids; none: all), `active`;
    a creditor's columns."""
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcTime)
    state: str = "asked"
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)


class CallOnce(SQLModel, table=True):
    """An act that was sent with a key of its own: the same key again is told what came of it, and does nothing."""

    __tablename__ = "call_once"

    person_id: int = Field(primary_key=True, foreign_key="person.id", sa_type=BigInteger)
    key: str = Field(primary_key=True)
    request_hash: str
    """Of the act, what it is about and its form: the same key with another request is refused."""
    outcome: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """What was told; null while it is not known."""
    recorded_at: datetime = Field(sa_type=UtcTime)
