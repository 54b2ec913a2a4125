"""A mail that arrived, read: what it is, which of our messages it may be about, and what it says of each recipient."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maatpak.kernel.words import ReachState

MOST_RECIPIENTS = 50
"""Of more recipients, a report is not believed to tell of a mail of ours, which has one."""


class IncomingKind(StrEnum):
    """What a mail that arrived is."""

    REPORT = "report"
    """A mail system tells what became of a message: delivered, delayed, bounced."""
    COMPLAINT = "complaint"
    """The recipient called a message of ours spam, or wants no more."""
    AUTO_REPLY = "auto_reply"
    """A machine answered for a person: on holiday, ticket opened. Nobody has read anything."""
    ANSWER = "answer"
    """A person wrote."""


class Action(StrEnum):
    """What a mail system did with a message (RFC 3464, 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    """Handed to a system that reports nothing: accepted, not delivered."""
    EXPANDED = "expanded"
    """Handed to the members of a list: accepted, not delivered."""


class Reason(StrEnum):
    """Why a message failed or waits, as far as it tells what to do with the address."""

    NONE = "none"
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_DOMAIN = "unknown_domain"
    """The domain does not exist, or takes no mail at all."""
    MOVED = "moved"
    DISABLED = "disabled"
    """The mailbox exists but is switched off; it may come back."""
    MAILBOX_FULL = "mailbox_full"
    TOO_BIG = "too_big"
    CONTENT = "content"
    """What is in the message: a virus, an attachment, a malformed header."""
    BLOCKED = "blocked"
    """Where it came from: our host, its reputation or its pace."""
    POLICY = "policy"
    """A rule of the recipient's: taken for spam, sender not allowed, no relaying."""
    EXPIRED = "expired"
    NETWORK = "network"
    OTHER = "other"


PASSING = frozenset({Reason.MAILBOX_FULL, Reason.DISABLED, Reason.EXPIRED, Reason.NETWORK})
"""The address may be good another day; with any other reason that is not final, it is not the address."""


def said_of_address(reason: Reason, *, hard: bool) -> ReachState | None:
    """What a mail that was refused or came back says of its address."""
    if hard:
        return ReachState.DEAD
    return ReachState.DOUBTFUL if reason in PASSING else None


@dataclass(frozen=True, slots=True)
class Result:
    """What a report says of one recipient."""

    recipient: str
    """The address that we wrote to as far as the report tells, in lower case; empty where it does not."""
    action: Action
    hard: bool
    """The address itself is wrong or gone for good; only where `action` is failed."""
    status: str
    """The enhanced status code (RFC 3463), such as 5.1.1; empty where there is none."""
    reply_code: int | None
    """The SMTP reply, such as 550."""
    reason: Reason
    detail: str
    """What the mail system wrote, on one line, at most 500 characters."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One mail that arrived. Its strings hold neither NUL nor lone surrogates, so any database takes them."""

    kind: IncomingKind
    message_id: str
    """Without brackets; empty where the mail has none."""
    sender: str
    """The address of From, in lower case; empty where there is none."""
    envelope_to: tuple[str, ...]
    """To whom it came: Delivered-To, X-Original-To, Envelope-To and To, in lower case."""
    about: tuple[str, ...]
    """Message-IDs without brackets: of the original that it holds or quotes, else of In-Reply-To and References, the
    newest first."""
    subject: str
    text: str
    """The words; of an answer only the person's own, without what they quote and their signature."""
    received_at: datetime | None
    """When the last server took it, else its Date; in UTC. None where neither can be read."""
    results: tuple[Result, ...] = ()
