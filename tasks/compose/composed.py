"""What composing makes: drafts, and the frames that become rows of the outbox."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from connectors.message import Outgoing
from maatpak.kernel.words import Channel
from tasks.compose.reading import Row
from tasks.compose.ways import Switch

MESSAGES: dict[str, Any] = {
    "message_ref": pl.String,
    "creditor_id": pl.Int64,
    "debtor_id": pl.Int64,
    "case_id": pl.Int64,
    "channel": pl.String,
    "recipient": pl.String,
    "instead_of": pl.String,
    "switch_reason": pl.String,
    "switch_cause": pl.String,
    "switch_on": pl.Date,
    "language": pl.String,
    "template": pl.String,
    "content_key": pl.String,
    "attempt": pl.Int64,
    "subject": pl.String,
    "content": pl.String,
    "written": pl.Boolean,
    "reply_by": pl.Date,
    "business_date": pl.Date,
    "queued_at": pl.Datetime("us", "UTC"),
    "send_after": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Wanted:
    """What a preview asks for, instead of what the engine would choose."""

    channel: Channel | None = None
    """Whether there is a usable address for it or not."""
    language: str | None = None


NOTHING_ELSE = Wanted()


@dataclass(frozen=True)
class Draft:
    """One message before it is evidence."""

    outgoing: Outgoing
    actions: tuple[Row, ...]
    recipient: str
    switch: Switch | None
    """Why it goes by another channel than its step asks for, where it does."""
    template: str
    content_key: str
    content_hash: str
    reply_by: date | None
    """The date by which its words ask for an answer."""
    send_after: datetime | None


@dataclass(frozen=True)
class Composed:
    """The messages of a cohort, ready to be queued."""

    messages: pl.DataFrame
    """A row a message, with the columns of the table."""
    pairs: pl.DataFrame
    """message_ref, action_id."""
    unreachable: pl.DataFrame
    """action_id, reason (no_address, opted_out or nothing_left), detail: actions that nobody can be told of."""
    hashes: pl.DataFrame
    """action_id, content_hash: what an approval binds to."""


@dataclass
class Drafts:
    """The drafts of a cohort as they are made."""

    drafts: list[Draft] = field(default_factory=list)
    unreachable: list[tuple[int, str, str]] = field(default_factory=list)
    hashes: dict[int, list[str]] = field(default_factory=dict)
