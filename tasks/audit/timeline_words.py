"""One line for each kind of entry of a timeline, as somebody of the trade would tell it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import CallResult, Channel, EvidenceKind, WorkKind
from tasks.audit.telling import plain, told_day
from tasks.calls import TRIED
from tasks.written import BY, way_of

Codes = Mapping[str, Any]

ITEMS = {
    "invoice": "Invoice",
    "debit_note": "Debit note",
    "credit_note": "Credit note",
    "payment": "Unallocated payment",
}
SETTLED = {
    "payment": "was paid",
    "debit": "was paid by direct debit",
    "credit_note": "was credited",
    "write_off": "was written off",
    "transfer": "was settled by transfer",
    "left_ledger": "is no longer open in the ledger",
}
PROMISED = {
    "open": "The customer promises to pay by {by}.",
    "kept": "The promise to pay by {by} was kept.",
    "partly_kept": "The promise to pay by {by} was kept in part.",
    "broken": "The promise to pay by {by} was broken.",
    "superseded": "The promise to pay by {by} gave way to a newer one.",
    "cancelled": "The promise to pay by {by} was taken back.",
}
PLANNED = {
    "offered": "A plan of {parts} instalments was offered.",
    "active": "The plan of {parts} instalments was accepted.",
    "finished": "The plan was paid to its end.",
    "breached": "The plan was breached: an instalment was not paid.",
    "cancelled": "The plan was cancelled.",
    "declined": "The plan was declined.",
    "lapsed": "The offer of a plan lapsed without an answer.",
}
CLAIMED = {
    "open": "The customer says that it is paid; we look for it until {by}.",
    "found": "The payment that the customer spoke of was found.",
    "not_found": "The payment that the customer spoke of was not found.",
}
PLACED = {"placed": "Still with {agency}", "recalled": "Recalled from {agency}", "closed": "Closed by {agency}"}
STATES = {
    "queued": "waits to be sent",
    "sending": "is being sent",
    "sent": "sent",
    "failed": "could not be sent",
    "unknown": "may or may not have been sent",
    "cancelled": "was taken back before it left",
}
SEEN: Mapping[EvidenceKind, str] = {
    EvidenceKind.ACCEPTED: "taken by the service",
    EvidenceKind.ANSWERED: "answered",
    EvidenceKind.SPOKEN: "spoken about on the phone",
    EvidenceKind.LINK_USED: "its link used",
    EvidenceKind.RECEIPT: "receipt confirmed",
    EvidenceKind.HANDED_OVER: "handed to the post",
    EvidenceKind.RETURNED: "came back",
}
"""What was observed of a message, where the code alone does not tell."""
RESULTS: Mapping[CallResult, str] = {
    CallResult.LEFT_COMPANY: "the person has left",
    CallResult.THIRD_PARTY: "spoke with somebody else",
    CallResult.CALLBACK_AGREED: "a callback was agreed",
    CallResult.PROMISED: "they promise to pay",
    CallResult.PLAN_ASKED: "they ask for a plan",
    CallResult.SPOKE_NO_COMMITMENT: "spoke with them, no date promised",
    CallResult.REFUSES: "they refuse to pay",
    CallResult.COMPLAINT: "they complain",
    CallResult.DISTRESS: "they are in distress",
    CallResult.DO_NOT_CALL: "they want no more calls",
}
"""What came of a call, where the code alone does not tell."""
ON = {"case": "this case", "debtor": "the whole account", "party": "all accounts of the customer", "item": "one item"}
WORK: Mapping[WorkKind, str] = {
    WorkKind.CONSULT: "Asked the account manager",
    WorkKind.REVIEW: "Looked at",
    WorkKind.DECIDE: "Decided",
    WorkKind.NOTICE: "Told the account manager",
    WorkKind.REPAIR: "Looked for an address",
    WorkKind.CASH: "Looked for money",
    WorkKind.DEPARTMENT: "Mended on our side",
    WorkKind.REPLY: "Answered the customer",
}
ENDED = {
    "executed": "counts as done",
    "cancelled": "taken back",
    "skipped": "skipped",
    "rejected": "rejected",
    "failed": "failed",
}


WHY: Mapping[SkipReason, str] = {
    SkipReason.CONDITION_FALSE: "not needed here",
    SkipReason.TOO_LATE: "too late for it",
    SkipReason.LAW_NOT_COVERED: "no law pack covers such customers",
    SkipReason.STAGE_PASSED: "its stage had passed",
    SkipReason.BY_HAND: "a person said so",
    SkipReason.NOTHING_LEFT: "nothing is left to ask",
    SkipReason.ROUND_CLOSED: "the round had closed",
    SkipReason.REROUTED: "the round went on with another journey",
    SkipReason.WINDOW: "outside the hours",
    SkipReason.STOPPED: "it was stopped",
}
"""Why a step was not taken, where the code alone does not tell."""


def line(kind: str, codes: Codes) -> str:
    """The words of an entry."""
    return LINES[kind](codes)


def _day(iso: str) -> str:
    return told_day(date.fromisoformat(iso))


def _named(code: str) -> str:
    """A code at the beginning of a sentence: `final_demand` is `Final demand`."""
    words = plain(code)
    return words[:1].upper() + words[1:]


def _item(codes: Codes) -> str:
    return f"{ITEMS[codes['type']]} {codes['document']}"


def _issued(codes: Codes) -> str:
    due = f", due {_day(codes['due_on'])}" if codes["type"] in ("invoice", "debit_note") else ""
    return f"{_item(codes)} was issued{due}."


def _message(codes: Codes) -> str:
    switch_on = codes["switch_on"] and date.fromisoformat(codes["switch_on"])
    way = way_of({**codes, "switch_on": switch_on})
    why = f" ({plain(codes['failure'])})" if codes["failure"] else ""
    seen = ", ".join(
        f"{SEEN.get(each['kind'], plain(each['kind']))} on {_day(each['on'])}" for each in codes["evidence"] or ()
    )
    told = f" Then {seen}." if seen else ""
    return f"{_named(codes['template'])} {STATES[codes['state']]} {way}{why}.{told}"


def _call(codes: Codes) -> str:
    again = f"; we call back on {_day(codes['again'])}" if codes["again"] else ""
    result = RESULTS.get(codes["result"], plain(codes["result"]))
    return f"Call in the {codes['part']}: {result}{again}."


def _answer(codes: Codes) -> str:
    way = BY.get(codes["channel"], plain(codes["channel"])) if codes["channel"] in list(Channel) else codes["channel"]
    return f"The answer by {way} was read." if codes["read"] else f"The customer answered by {way}."


def _dispute(codes: Codes) -> str:
    if codes["state"] == "open":
        return f"The customer disputes {codes['document']}: {plain(codes['reason'])}. We answer by {_day(codes['by'])}."
    return f"The dispute of {codes['document']} was {plain(codes['state'])}."


def _hold(codes: Codes) -> str:
    why, on = plain(codes["reason"]), ON[codes["scope"]]
    if codes["state"] == "lifted":
        return f"The hold on {on} was lifted ({why}): {codes['note']}"
    return f"Hold on {on} until {_day(codes['until'])} ({why}): {codes['note']}"


def _ticket(codes: Codes) -> str:
    return f"{_named(codes['kind'])} {codes['number']} was {'closed' if codes['closed'] else 'opened'}."


def _approval(codes: Codes) -> str:
    verdict = f"{_named(codes['step'])} {codes['verdict']} by a {plain(codes['role'])}: {codes['reason']}"
    if codes["next_step"] is None:
        return verdict
    return f"{verdict} Next: {plain(codes['next_step'])}, from {_day(codes['next_on'])}."


def _work(codes: Codes) -> str:
    subject, note = codes["subject"], f" {codes['note']}" if codes["note"] else ""
    about = subject if subject.endswith((".", "?", "!")) else f"{subject}."
    return f"{WORK[codes['kind']]}: {about} {_named(codes['outcome'])}.{note}"


def _proposed(codes: Codes) -> str:
    count = codes["needed"]
    asked = (
        f"; needs {'the approval' if count == 1 else f'{count} approvals'} of a {plain(codes['role'])}" if count else ""
    )
    return f"{_named(codes['step'])} proposed{asked}."


def _ended(codes: Codes) -> str:
    if codes["state"] == "unknown":
        return f"{_named(codes['step'])}: whether it was done is not known."
    if codes["result"] == TRIED:
        return f"{_named(codes['step'])} counts as made: tried often enough, and nobody was reached."
    why = codes["reason"] or codes["result"]
    return f"{_named(codes['step'])} {ENDED[codes['state']]}{f': {WHY.get(why, plain(why))}' if why else ''}."


def _segment(codes: Codes) -> str:
    journey = f"the journey of {plain(codes['segment'])} customers"
    if codes["cause"] == "opened":
        return f"Round {codes['number']} began, on {journey}."
    return f"Round {codes['number']} went on with {journey}: {plain(codes['cause'])}."


def _placement(codes: Codes) -> str:
    if codes["state"] == "placed" and codes["cause"] == "journey":
        return f"Handed to {codes['agency']} for collection."
    return f"{PLACED[codes['state']].format(agency=codes['agency'])}: {plain(codes['cause'])}."


def _payment(codes: Codes) -> str:
    return f"Payment received for {codes['document'] or 'no document that we know'}."


LINES: Mapping[str, Callable[[Codes], str]] = {
    "item_issued": _issued,
    "item_due": lambda codes: f"{_item(codes)} fell due.",
    "item_settled": lambda codes: f"{_item(codes)} {SETTLED.get(codes['by'], 'was settled')}.",
    "payment": _payment,
    "message": _message,
    "call": _call,
    "answer": _answer,
    "promise": lambda codes: PROMISED[codes["state"]].format(by=_day(codes["by"])),
    "dispute": _dispute,
    "claim": lambda codes: CLAIMED[codes["state"]].format(by=_day(codes["by"])),
    "plan": lambda codes: PLANNED[codes["state"]].format(parts=codes["parts"]),
    "placement": _placement,
    "reason": lambda codes: f"Reason for not paying: {plain(codes['reason'])}.",
    "hold": _hold,
    "note": lambda codes: f"Note: {codes['body']}",
    "ticket": _ticket,
    "approval": _approval,
    "work_done": _work,
    "step_proposed": _proposed,
    "step_ended": _ended,
    "segment": _segment,
    "round_closed": lambda codes: f"Round {codes['number']} closed: everything it asked for is settled.",
    "wrongful": lambda codes: f"A contact should not have been made: {plain(codes['cause'])}.",
}
"""Kind of entry → its line."""
