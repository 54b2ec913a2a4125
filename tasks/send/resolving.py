"""A person's word on a message whose outcome is unknown: it arrived there, or it did not (law 3)."""

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import EvidenceKind, MessageState
from maatpak.ledger.tables import Case, Creditor, Debtor, Evidence, Message
from tasks.desk import Desk
from tasks.finding import Found
from tasks.rights import DESK

if TYPE_CHECKING:
    from tasks.engine import Engine


class Resolution(StrEnum):
    """What a person found out."""

    SENT = "sent"
    FAILED = "failed"


def find_message(engine: "Engine", reference: str) -> tuple[Found, str]:
    """The account of a message and its whole reference, from the beginning of it.

    Raises:
        UsageError: none begins so, or several do.
    """
    beginning = reference.strip().strip("<>")
    with engine.database.reading() as session:
        rows = session.exec(
            select(Message, Creditor.code, Debtor.debtor_no, Case.currency)
            .join(Creditor, col(Creditor.id) == col(Message.creditor_id))
            .join(Debtor, col(Debtor.id) == col(Message.debtor_id))
            .join(Case, col(Case.id) == col(Message.case_id))
            .where(col(Message.message_ref).startswith(beginning, autoescape=True))
            .limit(2)
        ).all()
    if len(rows) != 1 or not beginning:
        several = "Several messages begin" if rows else "No message begins"
        raise UsageError(f"{several} with {reference!r}.", advice="See `maatpak messages list --unknown --json`.")
    message, code, debtor_no, currency = rows[0]
    account = Found(message.creditor_id, code, message.debtor_id, debtor_no, message.case_id, currency)
    return account, message.message_ref


def resolve_message(desk: Desk, message_ref: str, resolution: Resolution, reason: str) -> Message:
    """Settle an unknown message; `report_outcomes` settles its actions, as after a delivery.

    Raises:
        RefusedError: its outcome is known.
    """
    desk.require("resolve a message", *DESK)
    if not reason.strip():
        raise UsageError("How do you know? A resolution needs its reason.", advice="Give --reason.")
    message = desk.session.exec(select(Message).where(Message.message_ref == message_ref)).first()
    if message is None or message.creditor_id != desk.creditor.id or message.id is None:
        raise UsageError(
            f"There is no message {message_ref!r}.", advice="`maatpak messages list --unknown` shows them."
        )
    case = desk.case(message.case_id)
    desk.session.refresh(message, with_for_update=True)
    if message.state != MessageState.UNKNOWN:
        raise RefusedError(
            f"Message {message_ref} is {message.state}; its outcome is known.", advice="Only unknown ones are resolved."
        )
    seen = select(Evidence.kind).where(Evidence.message_id == message.id)
    if resolution is not Resolution.SENT and (kind := desk.session.exec(seen).first()) is not None:
        raise RefusedError(
            f"Message {message_ref} has left: there is evidence of it ({kind}).", advice="Resolve it as sent."
        )
    message.state = resolution
    message.resolved_by = desk.person.login
    message.reported_at = None
    if resolution is Resolution.SENT:
        message.sent_on, message.sent_at = _handed_over(desk, message), desk.now
        message.failure = None
        evidence = Evidence(
            message_id=message.id,
            kind=EvidenceKind.ACCEPTED,
            source=desk.person.login,
            observed_on=desk.as_of,
            recorded_at=desk.now,
        )
        desk.session.add(evidence)
    else:
        message.failure = reason
    desk.session.flush()
    desk.record("message_resolved", case=case, message=message.id, outcome=str(resolution))
    return message


def _handed_over(desk: Desk, message: Message) -> date:
    """The creditor's date when the handing over ended; that it left is known only from now."""
    assert message.ended_at is not None  # of every message that is unknown
    return min(message.ended_at.astimezone(ZoneInfo(desk.creditor.time_zone)).date(), desk.as_of)
