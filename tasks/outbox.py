"""The messages: what was written to whom, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlmodel import col, func, select

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel, MessageState
from maatpak.ledger.tables import Creditor, Debtor, Evidence, Message
from tasks.register import creditor_by_code
from tasks.written import way_of

if TYPE_CHECKING:
    from tasks.engine import Engine


@dataclass(frozen=True)
class Waiting:
    """Messages of one channel that are still queued, or were being sent by a worker that did not say how it ended."""

    count: int
    first_at: datetime | None
    """From when the first of them may go, where the creditor is; None when that is now."""


@dataclass(frozen=True)
class MessageFilter:
    """Which messages to list; what is None does not filter."""

    creditor: str | None = None
    debtor_no: str | None = None
    state: str | None = None
    channel: str | None = None
    most: int | None = None


def list_messages(engine: "Engine", wanted: MessageFilter) -> list[dict[str, Any]]:
    """The messages that fit, newest first."""
    observed = (
        select(func.array_agg(col(Evidence.kind).distinct()))
        .where(col(Evidence.message_id) == col(Message.id))
        .correlate(Message)
        .scalar_subquery()
    )
    query = (
        select(Creditor.code, Debtor.debtor_no, observed, Message)
        .join_from(Message, Debtor, col(Message.debtor_id) == col(Debtor.id))
        .join(Creditor, col(Message.creditor_id) == col(Creditor.id))
    )
    for value, column in (
        (wanted.creditor, col(Creditor.code)),
        (wanted.debtor_no, col(Debtor.debtor_no)),
        (_known(wanted.state, MessageState), col(Message.state)),
        (_known(wanted.channel, Channel), col(Message.channel)),
    ):
        if value is not None:
            query = query.where(column == value)
    with engine.database.reading() as session:
        found = session.exec(query.order_by(col(Message.id).desc()).limit(wanted.most))
        return [
            {
                "creditor": code,
                "debtor_no": number,
                **_shown(message),
                "way": way_of(message.model_dump()),
                "evidence": sorted(kinds or []),
            }
            for code, number, kinds, message in found
        ]


def waiting(engine: "Engine", code: str, channel: str | None = None) -> dict[str, Waiting]:
    """Channel → what waits in a creditor's outbox; channels with nothing are left out."""
    with engine.database.reading() as session:
        creditor = creditor_by_code(session, code)
        # A worker that was killed leaves its messages leased, and what it was sending is asked about after that.
        start = func.greatest(Message.send_after, Message.leased_until)
        on_its_way = col(Message.state).in_([MessageState.QUEUED, MessageState.SENDING])
        query = (
            select(Message.channel, func.count(), func.bool_or(start.is_(None)), func.min(start))
            .where(col(Message.creditor_id) == creditor.id, on_its_way)
            .group_by(col(Message.channel))
            .order_by(col(Message.channel))
        )
        if channel is not None:
            query = query.where(col(Message.channel) == channel)
        zone = ZoneInfo(creditor.time_zone)
        return {
            name: Waiting(count, None if free or first is None else first.astimezone(zone))
            for name, count, free, first in session.exec(query)
        }


def _known(word: str | None, words: type[MessageState] | type[Channel]) -> str | None:
    if word is not None and word not in list(words):
        raise UsageError(f"{word!r} is none of the messages' words.", advice=f"Known are: {', '.join(words)}.")
    return word


def _shown(message: Message) -> dict[str, Any]:
    names = (
        "message_ref",
        "case_id",
        "channel",
        "instead_of",
        "switch_reason",
        "switch_cause",
        "switch_on",
        "recipient",
        "template",
        "language",
        "subject",
        "state",
        "attempt",
    )
    dates = ("business_date", "queued_at", "sent_on", "sent_at", "failure", "service_ref", "content")
    return {name: getattr(message, name) for name in (*names, *dates)}
