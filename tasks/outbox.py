"""The messages: what was written to whom, and what became of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmodel import col, func, select

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel, MessageState
from maatpak.ledger.tables import Creditor, Debtor, Evidence, Message

if TYPE_CHECKING:
    from tasks.engine import Engine


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
            {"creditor": code, "debtor_no": number, **_shown(message), "evidence": sorted(kinds or [])}
            for code, number, kinds, message in found
        ]


def _known(word: str | None, words: type[MessageState] | type[Channel]) -> str | None:
    if word is not None and word not in list(words):
        raise UsageError(f"{word!r} is none of the messages' words.", advice=f"Known are: {', '.join(words)}.")
    return word


def _shown(message: Message) -> dict[str, Any]:
    names = ("message_ref", "case_id", "channel", "recipient", "template", "language", "subject", "state", "attempt")
    dates = ("business_date", "queued_at", "sent_on", "sent_at", "failure", "service_ref", "content")
    return {name: getattr(message, name) for name in (*names, *dates)}
