"""What comes back of a message: a delivery report, a used link, a bounce, a returned letter (rule 7).

Silence is no row: that it turns into weak evidence is computed from the dates.
"""

from sqlmodel import select

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import LOST_EVIDENCE, Channel, EvidenceKind, ReachState, Role, WorkKind
from maatpak.ledger.tables import Case, Evidence, Message
from tasks.desk import Desk
from tasks.preferences import mark_address
from tasks.rights import DESK
from tasks.worklist import open_work

PROVES = frozenset({EvidenceKind.DELIVERED, EvidenceKind.LINK_USED, EvidenceKind.RECEIPT, EvidenceKind.ANSWERED})
"""It arrived, so the address is good."""
REPAIRS = {
    Channel.EMAIL: "An e-mail did not arrive: find the right e-mail address.",
    Channel.SMS: "A text did not arrive: find the right phone number.",
    Channel.POST: "A letter did not arrive: find the right postal address.",
}
"""What is asked of whoever mends the address."""
MENDED_WITHIN = 5
"""Working days."""


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
    if kind in LOST_EVIDENCE:
        learn_of_address(desk, case, message, ReachState.DEAD, kind)
    elif kind in PROVES:
        learn_of_address(desk, case, message, ReachState.PROVEN, kind)
    desk.record("evidence_noted", case=case, message=message.id, evidence=kind)
    return evidence


def learn_of_address(desk: Desk, case: Case, message: Message, state: ReachState, cause: str) -> None:
    """What became of a message says this of its address; a dead one is somebody's work to mend."""
    channel = Channel(message.channel)
    mark_address(desk, case, channel, message.recipient, state, cause)
    if state is ReachState.DEAD:
        open_work(desk, case, WorkKind.REPAIR, REPAIRS[channel], Role.OPERATOR, working_days=MENDED_WITHIN)
