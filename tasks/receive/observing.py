"""What was observed of a message by itself: evidence, the state of its address, and what is to be done about it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import select

from maatpak.kernel.words import LOST_EVIDENCE, EvidenceKind, MessageState, ReachState
from maatpak.ledger.tables import Case, Evidence, Message
from policies.reach import OF_EVIDENCE, OF_STATE, Learned, is_graver
from tasks.desk import Desk
from tasks.evidence import NOTED, learn_of_address


@dataclass(frozen=True)
class Observation:
    """What a report says; None where it says nothing of it."""

    kind: EvidenceKind | None
    address: ReachState | None
    """Where it did not arrive: what that says of the address."""
    words: str
    """Codes, without names."""
    on: date | None = None
    """When it happened, where that is not the creditor's present date."""


def observe(desk: Desk, case: Case, message: Message, seen: Observation, source: str) -> None:
    """Note it, and learn of the address.

    The first of a kind is the evidence. What is told of a message again counts only where it says something graver of
    the address: a mailbox that was full, and is found not to exist.
    """
    assert message.id is not None  # it comes from the database
    settle_unknown(desk, message, seen.words, source)
    learned = _learned(seen)
    if not _note(desk, message.id, seen, source) and not is_graver(learned, _heard(desk, case, message.id)):
        return
    if learned is not None:
        learn_of_address(desk, case, message, learned, seen.words)
    desk.record(
        NOTED,
        case=case,
        message=message.id,
        evidence=seen.kind,
        learned=learned,
        source=source,
        said=seen.words,
    )


def settle_unknown(desk: Desk, message: Message, words: str, source: str) -> None:
    """Something came back of a message: if nobody knew whether it left, it has."""
    if message.state == MessageState.UNKNOWN:
        message.state, message.sent_on, message.sent_at = MessageState.SENT, desk.as_of, desk.now
        message.failure, message.reported_at = None, None
        _note(desk, int(message.id or 0), Observation(EvidenceKind.ACCEPTED, None, words), source)


def _learned(seen: Observation) -> Learned | None:
    if seen.address is not None:
        return OF_STATE[seen.address]
    return None if seen.kind is None or seen.kind in LOST_EVIDENCE else OF_EVIDENCE.get(seen.kind)


def _heard(desk: Desk, case: Case, message_id: int) -> set[Learned]:
    """What a message has said of its address so far."""
    events = text(
        "SELECT body->>'learned' FROM event"
        " WHERE case_id = :case AND kind = :noted AND body->>'message' = CAST(:message AS text)"
    )
    marks = {"case": case.id, "noted": NOTED, "message": message_id}
    drafted = [each.body for each in desk.drafts if each.kind == NOTED]
    told = [
        *desk.session.execute(events, marks).scalars(),
        *(each["learned"] for each in drafted if each["message"] == message_id),
    ]
    return {Learned(each) for each in told if each is not None}


def _note(desk: Desk, message_id: int, seen: Observation, source: str) -> bool:
    """Whether it is new: the first of a kind counts."""
    known = select(Evidence.id).where(Evidence.message_id == message_id, Evidence.kind == seen.kind)
    if seen.kind is None or desk.session.exec(known).first() is not None:
        return False
    evidence = Evidence(
        message_id=message_id,
        kind=seen.kind,
        source=source,
        said=seen.words,
        observed_on=seen.on or desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(evidence)
    desk.session.flush()
    return True
