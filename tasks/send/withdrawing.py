"""A person takes a message back: while it waits, or, of a letter, while it is not printed yet.

What waits is cancelled with its step. A letter that was handed over stays sent, and its step executed, for so it was on
that day. That it never arrived is evidence like that of a letter that came back: it is no notice and starts no clock.
"""

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import LOST_EVIDENCE, Channel, EvidenceKind, MessageState
from maatpak.ledger.tables import Evidence, Message
from tasks.desk import Desk, desk
from tasks.receive.observing import Observation, observe
from tasks.rights import DESK
from tasks.send.reporting import report_outcomes

if TYPE_CHECKING:
    from tasks.engine import Engine

CANCELLED = "cancelled"
"""What is said of a letter that was not printed."""
TOO_LATE = "Set a hold, so that nothing else goes; if it was wrong, tell the customer."
ADVICE = {
    MessageState.SENDING: "It is being handed over just now; see what comes of it.",
    MessageState.UNKNOWN: "Nobody knows whether it left: find out, and say so with `maatpak messages resolve`.",
    MessageState.SENT: TOO_LATE,
}


def cancel_message(
    engine: "Engine", creditor_id: int, message_ref: str, actor: str, as_of: date, now: datetime
) -> Message:
    """Cancel a message that waits, or have a letter not be printed; the message as it is then.

    Raises:
        RefusedError: it is too late, or the person may not.
        OutsideError: the service that prints letters refuses us, or cannot be asked now.
    """
    with desk(engine, creditor_id, actor, as_of, now) as at:
        message = _cancellable(at, message_ref)
        if message.state == MessageState.QUEUED:
            _cancel(at, message)
    if message.state == MessageState.CANCELLED:
        report_outcomes(engine, creditor_id, as_of, at.now, actor)
        return message
    if not asyncio.run(_stop_letter(engine, str(message.service_ref), as_of)):
        raise RefusedError(f"Letter {message_ref} is printed or on its way.", advice=TOO_LATE)
    with desk(engine, creditor_id, actor, as_of, now) as at:
        case = at.case(message.case_id)
        message = at.session.get_one(Message, message.id)
        observe(at, case, message, Observation(EvidenceKind.BOUNCED, None, CANCELLED), actor)
        at.record("message_cancelled", case=case, message=message.id)
    return message


def _cancellable(desk: Desk, message_ref: str) -> Message:
    """The message, its party and itself locked, if it may be cancelled as far as we know."""
    desk.require("cancel a message", *DESK)
    message = desk.session.exec(select(Message).where(Message.message_ref == message_ref)).first()
    if message is None or message.creditor_id != desk.creditor.id:
        raise UsageError(f"There is no message {message_ref!r}.", advice="`maatpak messages list` shows them.")
    desk.case(message.case_id)
    desk.session.refresh(message, with_for_update=True)
    lost = select(Evidence.id).where(Evidence.message_id == message.id, col(Evidence.kind).in_(LOST_EVIDENCE))
    if desk.session.exec(lost).first() is not None:
        raise RefusedError(f"Message {message_ref} did not arrive.", advice="There is nothing to cancel.")
    is_letter = message.channel == Channel.POST and message.state == MessageState.SENT
    if message.state != MessageState.QUEUED and not (is_letter and message.service_ref):
        state = MessageState(message.state)
        raise RefusedError(
            f"Message {message_ref} is {state}.", advice=ADVICE.get(state, "There is nothing to cancel.")
        )
    return message


def _cancel(desk: Desk, message: Message) -> None:
    """`report_outcomes` cancels its step, as when a message is not wanted any more."""
    message.state, message.failure, message.ended_at = MessageState.CANCELLED, SkipReason.BY_HAND, desk.now
    message.leased_by = message.leased_until = None
    desk.session.flush()
    desk.record("message_cancelled", case=desk.case(message.case_id), message=message.id)


async def _stop_letter(engine: "Engine", service_ref: str, on: date) -> bool:
    try:
        return await engine.post.cancel(service_ref, on)
    finally:
        await engine.post.close()
