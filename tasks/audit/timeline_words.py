"""One line for each kind of entry of a timeline."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from maatpak.kernel.words import Channel
from tasks.audit.telling import plain, told_day
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
    "left_ledger": "left the ledger",
}
PROMISED = {
    "open": "was made, by {by}",
    "kept": "was kept",
    "partly_kept": "was kept in part",
    "broken": "was broken",
    "superseded": "gave way to a newer one",
    "cancelled": "was cancelled",
}
PLANNED = {
    "offered": "was offered in {parts} instalments",
    "active": "was accepted",
    "finished": "was finished",
    "breached": "was breached",
    "cancelled": "was cancelled",
    "declined": "was declined",
    "lapsed": "lapsed without an answer",
}
CLAIMED = {
    "open": "The customer says that it is paid; we look for it until {by}.",
    "found": "The payment that the customer spoke of was found.",
    "not_found": "The payment that the customer spoke of was not found.",
}
PLACED = {"placed": "With {agency}", "recalled": "Recalled from {agency}", "closed": "Closed by {agency}"}
STATES = {
    "queued": "waits to be sent",
    "sending": "is being sent",
    "sent": "was sent",
    "failed": "could not be sent",
    "unknown": "may have been sent: nobody knows",
    "cancelled": "was cancelled before it left",
}


def line(kind: str, codes: Codes) -> str:
    """The words of an entry."""
    return LINES[kind](codes)


def _day(iso: str) -> str:
    return told_day(date.fromisoformat(iso))


def _item(codes: Codes) -> str:
    return f"{ITEMS[codes['type']]} {codes['document']}"


def _issued(codes: Codes) -> str:
    due = f", due {_day(codes['due_on'])}" if codes["type"] in ("invoice", "debit_note") else ""
    return f"{_item(codes)} was issued{due}."


def _message(codes: Codes) -> str:
    switch_on = codes["switch_on"] and date.fromisoformat(codes["switch_on"])
    way = way_of({**codes, "switch_on": switch_on})
    why = f" ({plain(codes['failure'])})" if codes["failure"] else ""
    seen = ", ".join(f"{plain(each['kind'])} {_day(each['on'])}" for each in codes["evidence"] or ())
    told = f" Evidence: {seen}." if seen else ""
    return f"Message {plain(codes['template'])} {STATES[codes['state']]} {way}{why}.{told}"


def _call(codes: Codes) -> str:
    again = f"; to be called back on {_day(codes['again'])}" if codes["again"] else ""
    return f"Call in the {codes['part']}: {plain(codes['result'])}{again}."


def _answer(codes: Codes) -> str:
    way = BY.get(codes["channel"], plain(codes["channel"])) if codes["channel"] in list(Channel) else codes["channel"]
    return f"An answer by {way} was read." if codes["read"] else f"The customer answered by {way}."


def _promise(codes: Codes) -> str:
    by = _day(codes["by"])
    return f"A promise to pay {PROMISED[codes['state']].format(by=by)}."


def _dispute(codes: Codes) -> str:
    if codes["state"] == "open":
        return f"Dispute of {codes['document']}: {plain(codes['reason'])}; we answer by {_day(codes['by'])}."
    return f"The dispute of {codes['document']} was decided: {plain(codes['state'])}."


def _hold(codes: Codes) -> str:
    words = f"on the {codes['scope']} for {plain(codes['reason'])}"
    if codes["state"] == "lifted":
        return f"The hold {words} was lifted: {codes['note']}"
    return f"Hold {words} until {_day(codes['until'])}: {codes['note']}"


def _ticket(codes: Codes) -> str:
    return f"Ticket {codes['number']} ({plain(codes['kind'])}) was {'closed' if codes['closed'] else 'opened'}."


def _approval(codes: Codes) -> str:
    verdict = f"Step {plain(codes['step'])} was {codes['verdict']} as {plain(codes['role'])}: {codes['reason']}"
    if codes["next_step"] is None:
        return verdict
    return f"{verdict} Next: {plain(codes['next_step'])}, from {_day(codes['next_on'])}."


def _work(codes: Codes) -> str:
    note = f" {codes['note']}" if codes["note"] else ""
    return f"{plain(codes['kind']).capitalize()}: {codes['subject']} Outcome: {plain(codes['outcome'])}.{note}"


def _proposed(codes: Codes) -> str:
    asked = f"; it needs {codes['needed']} yes of a {plain(codes['role'])}" if codes["needed"] else ""
    return f"Step {plain(codes['step'])} of {plain(codes['segment'])} was proposed{asked}."


def _ended(codes: Codes) -> str:
    if codes["state"] == "unknown":
        return f"Whether step {plain(codes['step'])} was done is not known."
    why = codes["reason"] or codes["result"]
    return f"Step {plain(codes['step'])} {_become(codes['state'])}{f': {plain(why)}' if why else ''}."


def _become(state: str) -> str:
    return state if state == "failed" else f"was {state}"


def _segment(codes: Codes) -> str:
    if codes["cause"] == "opened":
        return f"Round {codes['number']} began in segment {plain(codes['segment'])}."
    return f"Round {codes['number']} moved to segment {plain(codes['segment'])}: {plain(codes['cause'])}."


def _placement(codes: Codes) -> str:
    if codes["state"] == "placed" and codes["cause"] == "journey":
        return f"Handed to {codes['agency']}."
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
    "promise": _promise,
    "dispute": _dispute,
    "claim": lambda codes: CLAIMED[codes["state"]].format(by=_day(codes["by"])),
    "plan": lambda codes: f"A payment plan {PLANNED[codes['state']].format(parts=codes['parts'])}.",
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
    "round_closed": lambda codes: f"Round {codes['number']} was closed: its items are settled.",
    "wrongful": lambda codes: f"A contact was wrongful: {plain(codes['cause'])}.",
}
"""Kind of entry → its line."""
