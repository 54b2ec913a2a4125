"""Everything that people record and the engine obeys, in one place to import from.

Each function takes a `Desk` (tasks.desk), writes a new version of a record with its event, and refuses what the rules
of the trade forbid. Rules and durations stand in the module of each record.
"""

from tasks.answers import read_answer, record_answer
from tasks.checking import record_check, record_licence
from tasks.claims import claim_payment, resolve_claim
from tasks.disputes import decide_dispute, open_dispute
from tasks.holds import lift_hold, set_hold
from tasks.plans import accept_plan, cancel_plan, decline_plan, offer_plan
from tasks.preferences import mark_address, set_contact, set_preference
from tasks.promises import cancel_promise, make_promise
from tasks.reasons import state_reason
from tasks.tickets import close_ticket, open_ticket

__all__ = [
    "accept_plan",
    "cancel_plan",
    "cancel_promise",
    "claim_payment",
    "close_ticket",
    "decide_dispute",
    "decline_plan",
    "lift_hold",
    "make_promise",
    "mark_address",
    "offer_plan",
    "open_dispute",
    "open_ticket",
    "read_answer",
    "record_answer",
    "record_check",
    "record_licence",
    "resolve_claim",
    "set_contact",
    "set_hold",
    "set_preference",
    "state_reason",
]
