"""What was observed of a message by itself: evidence, the state of its address, and what is to be done about it."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import select

from maatpak.kernel.words import LOST_EVIDENCE, EvidenceKind, MessageState, ReachState
from maatpak.ledger.tables import Case, Evidence, Message
from policies.reach import OF_EVIDENCE, OF_STATE
from tasks.desk import Desk
from tasks.evidence import learn_of_address


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
    """Note it, once a kind and source; a message of which nobody knew whether it left has left, for it was seen."""
    assert message.id is not None  # it comes from the database
    if message.state == MessageState.UNKNOWN:
        message.state, message.sent_on, message.sent_at = MessageState.SENT, desk.as_of, desk.now
        message.failure, message.reported_at = None, None
        _note(desk, message.id, Observation(EvidenceKind.ACCEPTED, None, seen.words), source)
    if not _note(desk, message.id, seen, source):
        return
    learned = None if seen.address is None else OF_STATE[seen.address]
    if learned is None and seen.kind is not None and seen.kind not in LOST_EVIDENCE:
        learned = OF_EVIDENCE.get(seen.kind)
    if learned is not None:
        learn_of_address(desk, case, message, learned, seen.words)
    desk.record("evidence_noted", case=case, message=message.id, evidence=seen.kind, source=source, said=seen.words)


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
