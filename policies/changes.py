"""What would change a no: one sentence a reason, for the case page, the CLI and whoever asks why nothing happened."""

import numpy as np
import polars as pl

from maatpak.kernel.reasons import NoActionReason
from policies.gates import MISSING_FOR_ESCALATION, Bits
from policies.history import CODE, NONE, REASONS, Codes

R = NoActionReason

WHAT_CHANGES: dict[NoActionReason, str] = {
    R.LEGAL_STOP: "The law forbids contact; a specialist lifts the stop when it has ended.",
    R.DATA_STALE: "A newer ledger and cash file.",
    R.QUARANTINED: "The debtor's quarantined rows are corrected and released.",
    R.PLACED: "The agency collects, or the placement is recalled.",
    R.HOLD: "The hold is lifted, or ends and a person has reviewed it.",
    R.DISPUTE: "The dispute is answered.",
    R.PLAN: "The plan ends, is breached, or its offer lapses.",
    R.PROMISE: "The promise is kept or broken.",
    R.CLAIMED_PAID: "The payment is found, or not by the date of the claim.",
    R.DEBIT_IN_FLIGHT: "The direct debit is collected or returned.",
    R.WE_OWE_CUSTOMER: "We owe this customer; the credit is paid out or set off.",
    R.COVERED_BY_CASH: "The credit or the money received is allocated.",
    R.NOTHING_OVERDUE: "An item falls due and is not paid.",
    R.BELOW_TOLERANCE: "More than the tolerance is overdue.",
    R.UNREAD_ANSWER: "A person reads the customer's answer and codes it.",
    R.OUR_TURN: "We do what we owe the customer: the open work, ticket or complaint.",
    R.CONSULT_OPEN: "The account manager answers, the deputy does, or the deadline passes.",
    R.APPROVAL_OPEN: "The proposed step is approved or rejected, or the approval lapses.",
    R.CALL_OPEN: "The call is made and its result coded.",
    R.WORK_OPEN: "The open review or decision is closed.",
    R.STEP_UNDER_WAY: "The step under way ends.",
    R.STEP_FAILED: "A person mends what made the step fail and lets it be tried again.",
    R.STEP_UNKNOWN: "A person finds out whether the message went, and says so.",
    R.STEP_REJECTED: "The date that the rejection named comes, with the step it named.",
    R.EXPERIENCE: "This customer has had enough notices; a person chooses a call or silence.",
    R.LAW_NOT_COVERED: "A law pack for customers of this kind; until then a person decides.",
    R.ESCALATION_BLOCKED: "Before this step there must be: ",
    R.EVIDENCE_MISSING: "Evidence that an earlier notice of the items arrived, on two channels, ten working days ago.",
    R.NO_ADDRESS: "An address for the step's channel.",
    R.BUDGET: "Time passes since the last contacts with this customer, or with who pays for it.",
    R.WINDOW: "A working day of the customer, outside the days on which nothing is demanded.",
    R.SILENCE_AFTER_ROUND: "The days of silence after the last round pass.",
    R.WAIT: "The date on which the next step falls due.",
    R.JOURNEY_ENDED: "The journey is at its end; a person moves the case or decides again.",
}
"""For every reason, in its order."""


def lacking(bits: int) -> list[str]:
    """What an escalating step lacks, in words."""
    return [text for at, (text, _) in enumerate(MISSING_FOR_ESCALATION) if bits >> at & 1]


def detail(reason: NoActionReason, bits: int = 0) -> str:
    """What would change this no."""
    if reason is R.ESCALATION_BLOCKED:
        return f"{WHAT_CHANGES[reason]}{'; '.join(lacking(bits))}."
    return WHAT_CHANGES[reason]


def details(codes: Codes, lacks: Bits) -> pl.Series:
    """`detail` for a column of reasons, each combination spelled once; null where there is none."""
    blocked = codes == CODE[R.ESCALATION_BLOCKED]
    keys = codes.astype(np.int32) * 1024 + np.where(blocked, lacks, 0)
    found, places = np.unique(keys, return_inverse=True)
    reasons = [(key // 1024, key % 1024) for key in found.tolist()]
    texts = [None if at == NONE else detail(REASONS[at], bits) for at, bits in reasons]
    return pl.Series(texts, dtype=pl.String).gather(places)
