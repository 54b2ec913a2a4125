"""A person's word on a message whose outcome is unknown: it arrived there, or it did not (law 3)."""

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import ActionState, EvidenceKind, MessageState
from maatpak.ledger.tables import Action, Case, Creditor, Debtor, Evidence, Message, MessageAction
from tasks.actions import move_action
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
    """Settle an unknown message, and the actions that wait for nothing else.

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
    handed_over: date = message.business_date
    message.state = resolution
    message.resolved_by = desk.person.login
    if resolution is Resolution.SENT:
        message.sent_on, message.sent_at = handed_over, message.ended_at
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
    for action in desk.session.exec(
        select(Action)
        .join(MessageAction, col(MessageAction.action_id) == col(Action.id))
        .where(MessageAction.message_id == message.id, Action.state == ActionState.UNKNOWN)
        .with_for_update()
    ).all():
        _settle(desk, action)
    desk.record("message_resolved", case=case, message=message.id, outcome=str(resolution))
    return message


def _settle(desk: Desk, action: Action) -> None:
    states = set(
        desk.session.exec(
            select(Message.state)
            .join(MessageAction, col(MessageAction.message_id) == col(Message.id))
            .where(MessageAction.action_id == action.id)
        ).all()
    )
    if MessageState.SENT in states:
        move_action(desk.session, action, ActionState.EXECUTED, desk.as_of, desk.now)
    elif MessageState.UNKNOWN not in states:
        move_action(desk.session, action, ActionState.FAILED, desk.as_of, desk.now)
