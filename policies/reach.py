"""How what we learn of an address moves its state: one table, which everything that marks an address goes by.

An address that nothing is known of is unproven, so one that changed starts anew, and one that comes again in a newer
file is what it was.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from maatpak.kernel.words import EvidenceKind, ReachState


class Learned(StrEnum):
    """What something tells of an address."""

    ARRIVED = "arrived"
    """A report says that a message was delivered."""
    ANSWERED = "answered"
    """Somebody is there: an answer, a talk, a link used, a receipt."""
    MISSED = "missed"
    """A message did not arrive, and may another day: a full mailbox, a telephone that is off."""
    GONE = "gone"
    """The address is wrong or gone for good: a hard bounce, a returned letter, a wrong number."""
    OPTED_OUT = "opted_out"
    """The customer wants nothing more there."""
    OPTED_IN = "opted_in"
    """The customer wants it again."""


@dataclass(frozen=True)
class Known:
    """What is known of an address."""

    state: ReachState = ReachState.UNPROVEN
    missed: int = 0
    """Messages in a row that did not arrive and might have."""


S, L = ReachState, Learned

MOVES: dict[Learned, dict[ReachState, ReachState]] = {
    L.ARRIVED: {S.UNPROVEN: S.PROVEN, S.DOUBTFUL: S.PROVEN},
    L.ANSWERED: {S.UNPROVEN: S.PROVEN, S.DOUBTFUL: S.PROVEN, S.DEAD: S.PROVEN},
    L.MISSED: {S.UNPROVEN: S.DOUBTFUL, S.PROVEN: S.DOUBTFUL},
    L.GONE: {S.UNPROVEN: S.DEAD, S.PROVEN: S.DEAD, S.DOUBTFUL: S.DEAD},
    L.OPTED_OUT: {S.UNPROVEN: S.OPTED_OUT, S.PROVEN: S.OPTED_OUT, S.DOUBTFUL: S.OPTED_OUT, S.DEAD: S.OPTED_OUT},
    L.OPTED_IN: {S.OPTED_OUT: S.PROVEN},
}
"""What each moves, and whereto; what is not named stays. `MISSED` moves only when it has come often enough.

A report of delivery revives no dead address, for it may be about a message of before; an opt-out outlasts all but the
customer's own word.
"""

OF_EVIDENCE: dict[EvidenceKind, Learned] = {
    EvidenceKind.DELIVERED: Learned.ARRIVED,
    EvidenceKind.ANSWERED: Learned.ANSWERED,
    EvidenceKind.SPOKEN: Learned.ANSWERED,
    EvidenceKind.LINK_USED: Learned.ANSWERED,
    EvidenceKind.RECEIPT: Learned.ANSWERED,
    EvidenceKind.BOUNCED: Learned.GONE,
    EvidenceKind.RETURNED: Learned.GONE,
}
"""What each kind of evidence says of the address; of one that is lost only where no service says more."""

LOST = (Learned.MISSED, Learned.GONE, Learned.OPTED_OUT)
"""What a message that did not arrive may say of its address, the gravest last."""

PROVES = frozenset(kind for kind, learned in OF_EVIDENCE.items() if learned in (Learned.ARRIVED, Learned.ANSWERED))
"""It arrived, so the address is good."""

OF_STATE: dict[ReachState, Learned] = {
    ReachState.PROVEN: Learned.ARRIVED,
    ReachState.DOUBTFUL: Learned.MISSED,
    ReachState.DEAD: Learned.GONE,
    ReachState.OPTED_OUT: Learned.OPTED_OUT,
}
"""The same where a service or a call result names what it takes the address for."""


def is_graver(learned: Learned | None, heard: Collection[Learned]) -> bool:
    """Whether what is told of a lost message says more of its address than what was `heard` of that message before."""
    return learned in LOST and not any(LOST.index(each) >= LOST.index(learned) for each in heard if each in LOST)


def moved(known: Known, learned: Learned, doubtful_after: int) -> Known:
    """What is known of an address after something more was learned.

    `doubtful_after`: messages in a row that did not arrive after which it is doubtful.
    """
    missed = known.missed
    if learned in (Learned.ARRIVED, Learned.ANSWERED):
        missed = 0
    elif learned is Learned.MISSED and known.state in (*MOVES[learned], ReachState.DOUBTFUL):
        missed += 1
    if learned is Learned.MISSED and missed < doubtful_after:
        return Known(known.state, missed)
    return Known(MOVES[learned].get(known.state, known.state), missed)
