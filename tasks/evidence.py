"""What comes back of a message: a delivery report, a used link, a bounce, a returned letter (rule 7).

Silence is no row: that it turns into weak evidence is computed from the dates.
"""

from sqlmodel import select

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import LOST_EVIDENCE, STRONG_EVIDENCE, EvidenceKind
from maatpak.ledger.tables import Case, Evidence, Message
from policies.reach import OF_EVIDENCE, Learned
from tasks.desk import Desk
from tasks.preferences import mark_address
from tasks.repairs import open_repair, owner_of
from tasks.rights import DESK

NOTED = "evidence_noted"
"""The event that says what was observed of a message, and what was `learned` of its address."""
TOLD_BY_PEOPLE = frozenset(OF_EVIDENCE) - {EvidenceKind.SPOKEN}
"""What a person may record of a message; a talk is a call's result."""


def weight_of(kind: str) -> str:
    """What an observation says by itself: `strong`, they have it; `lost`, it did not arrive; `weak`, it may have."""
    return "strong" if kind in STRONG_EVIDENCE else "lost" if kind in LOST_EVIDENCE else "weak"


def note_evidence(desk: Desk, message_ref: str, kind: EvidenceKind, source: str) -> Evidence:
    """Record what was observed of a message today, and what it says of the address; the same again changes nothing."""
    desk.require("record what came back of a message", *DESK)
    message = desk.session.exec(select(Message).where(Message.message_ref == message_ref)).first()
    if message is None or message.creditor_id != desk.creditor.id or message.id is None:
        raise UsageError(f"There is no message {message_ref!r}.", advice="`maatpak messages list` shows them.")
    case = desk.case(message.case_id)
    present = desk.session.exec(
        select(Evidence).where(Evidence.message_id == message.id, Evidence.kind == kind, Evidence.source == source)
    ).first()
    if present is not None:
        return present
    evidence = Evidence(message_id=message.id, kind=kind, source=source, observed_on=desk.as_of, recorded_at=desk.now)
    desk.session.add(evidence)
    desk.session.flush()
    learned = OF_EVIDENCE.get(kind)
    if learned is not None:
        learn_of_address(desk, case, message, learned, kind)
    desk.record(NOTED, case=case, message=message.id, evidence=kind, learned=learned)
    return evidence


def learn_of_address(desk: Desk, case: Case, message: Message, learned: Learned, cause: str) -> None:
    """What became of a message says this of its address; one that is gone is somebody's work to find anew."""
    mark_address(desk, case, message.channel, message.recipient, learned, cause)
    if learned is Learned.GONE:
        open_repair(desk, case, message.channel, owner=owner_of(desk, message))
