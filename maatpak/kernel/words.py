"""The field's words as closed lists. Stored and shown exactly as spelled here."""

from enum import StrEnum


class PartyKind(StrEnum):
    """What a debtor is before the law."""

    CONSUMER = "consumer"
    BUSINESS = "business"
    PUBLIC = "public"


class ItemType(StrEnum):
    """What an open item is. Amounts of the last two are stored positive and count against the debt."""

    INVOICE = "invoice"
    DEBIT_NOTE = "debit_note"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"


class SettledBy(StrEnum):
    """How an item left the ledger; only the first two say anything of payment behaviour."""

    PAYMENT = "payment"
    DEBIT = "debit"
    CREDIT_NOTE = "credit_note"
    WRITE_OFF = "write_off"
    TRANSFER = "transfer"
    LEFT_LEDGER = "left_ledger"


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"
    POST = "post"


class Stage(StrEnum):
    """How far a journey has gone, mildest first: the order of the members is the order of the stages."""

    PREPARE = "prepare"
    REMIND = "remind"
    LISTEN = "listen"
    SOLVE = "solve"
    DEMAND = "demand"
    HANDOFF = "handoff"

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Stage).index(self)


class StepKind(StrEnum):
    """What a step of a journey does."""

    MESSAGE = "message"
    STATEMENT = "statement"
    CALL = "call"
    PLAN_OFFER = "plan_offer"
    CONSULT = "consult"
    REVIEW = "review"
    NOTIFY = "notify"
    WAIT = "wait"
    HANDOFF = "handoff"
    DECIDE = "decide"


class Reaction(StrEnum):
    """Events that an `on:` step answers, inside a round unless it says otherwise."""

    PAID = "paid"
    PART_PAID = "part_paid"
    PROMISE_BROKEN = "promise_broken"
    BOUNCED = "bounced"
    DEBIT_RETURNED = "debit_returned"
    ANSWERED = "answered"
    PLAN_BREACHED = "plan_breached"
    AGREED = "agreed"
    """A promise was made, or a plan accepted."""
    CASH_UNALLOCATED = "cash_unallocated"
    """Money lies unallocated that covers what would be asked: not of a round, for while it lies none opens."""


class DraftState(StrEnum):
    """Where a pack stands that somebody asked to publish."""

    SUBMITTED = "submitted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


class ActionState(StrEnum):
    """Where an action stands; `ACTION_TRANSITIONS` says what may follow what."""

    PROPOSED = "proposed"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    IN_PROGRESS = "in_progress"
    EXECUTED = "executed"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"


ACTION_TRANSITIONS: dict[ActionState, frozenset[ActionState]] = {
    ActionState.PROPOSED: frozenset(
        {ActionState.AWAITING_APPROVAL, ActionState.APPROVED, ActionState.SKIPPED, ActionState.CANCELLED}
    ),
    ActionState.AWAITING_APPROVAL: frozenset({ActionState.APPROVED, ActionState.REJECTED, ActionState.CANCELLED}),
    ActionState.APPROVED: frozenset({ActionState.IN_PROGRESS, ActionState.EXECUTED, ActionState.CANCELLED}),
    ActionState.IN_PROGRESS: frozenset(
        {ActionState.EXECUTED, ActionState.CANCELLED, ActionState.FAILED, ActionState.UNKNOWN}
    ),
    ActionState.UNKNOWN: frozenset({ActionState.EXECUTED, ActionState.FAILED}),
    ActionState.EXECUTED: frozenset(),
    ActionState.SKIPPED: frozenset(),
    ActionState.REJECTED: frozenset(),
    ActionState.CANCELLED: frozenset(),
    ActionState.FAILED: frozenset(),
}

OPEN_ACTION_STATES = frozenset(
    {ActionState.PROPOSED, ActionState.AWAITING_APPROVAL, ActionState.APPROVED, ActionState.IN_PROGRESS}
)
"""An action in one of these is still on its way, so its case gets no other outward step."""

DONE_ACTION_STATES = frozenset({ActionState.EXECUTED, ActionState.SKIPPED})
"""What counts as done for the steps that follow; rejected, failed, unknown and cancelled do not."""


class MessageState(StrEnum):
    """Where a message stands. An unknown one is never sent again by itself (law 3)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


MESSAGE_TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    MessageState.QUEUED: frozenset({MessageState.SENDING, MessageState.CANCELLED, MessageState.FAILED}),
    MessageState.SENDING: frozenset(
        {MessageState.QUEUED, MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN}
    ),
    MessageState.UNKNOWN: frozenset({MessageState.SENT, MessageState.FAILED}),
    MessageState.SENT: frozenset(),
    MessageState.FAILED: frozenset(),
    MessageState.CANCELLED: frozenset(),
}


class EvidenceLevel(StrEnum):
    """How sure we are that a message was received (rule 7), least first."""

    NONE = "none"
    ACCEPTED = "accepted"
    WEAK = "weak"
    STRONG = "strong"


class EvidenceKind(StrEnum):
    """What was observed of a message."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    SPOKEN = "spoken"
    LINK_USED = "link_used"
    RECEIPT = "receipt"
    PRINTED = "printed"
    HANDED_OVER = "handed_over"
    """The post has the letter: from here the days on its way count."""
    BOUNCED = "bounced"
    RETURNED = "returned"


STRONG_EVIDENCE = frozenset({EvidenceKind.ANSWERED, EvidenceKind.SPOKEN, EvidenceKind.LINK_USED, EvidenceKind.RECEIPT})
LOST_EVIDENCE = frozenset({EvidenceKind.BOUNCED, EvidenceKind.RETURNED})
"""The message did not arrive."""

QUIET_DAYS = {Channel.EMAIL: 3, Channel.SMS: 3, Channel.POST: 7}
"""Working days in which nothing comes back that make weak evidence (rule 7)."""


class CallResult(StrEnum):
    """The coded outcome of a call."""

    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    LEFT_COMPANY = "left_company"
    THIRD_PARTY = "third_party"
    CALLBACK_AGREED = "callback_agreed"
    PROMISED = "promised"
    PLAN_ASKED = "plan_asked"
    SPOKE_NO_COMMITMENT = "spoke_no_commitment"
    REFUSES = "refuses"
    COMPLAINT = "complaint"
    DISTRESS = "distress"
    DO_NOT_CALL = "do_not_call"


ATTEMPT_ONLY_RESULTS = frozenset({CallResult.NO_ANSWER, CallResult.VOICEMAIL})
"""Nobody was reached: some of these on so many days at so many times of day make a tried call."""

TRIED_DAYS, TRIED_DAY_PARTS = 3, 2
"""Attempts on so many working days at so many times of day make a tried call (rule 7)."""

SPOKEN_RESULTS = frozenset(
    {
        CallResult.CALLBACK_AGREED,
        CallResult.PROMISED,
        CallResult.PLAN_ASKED,
        CallResult.SPOKE_NO_COMMITMENT,
        CallResult.REFUSES,
        CallResult.COMPLAINT,
        CallResult.DISTRESS,
        CallResult.DO_NOT_CALL,
    }
)
"""The right person was spoken."""


class NonPaymentReason(StrEnum):
    """Why a customer does not pay; `none` until somebody told us."""

    NONE = "none"
    LOST_INVOICE = "lost_invoice"
    FORGOT = "forgot"
    APPROVAL_PENDING = "approval_pending"
    PO_MISSING = "po_missing"
    WRONG_INVOICE = "wrong_invoice"
    WRONG_ENTITY = "wrong_entity"
    PRICE = "price"
    QUANTITY = "quantity"
    NOT_DELIVERED = "not_delivered"
    OUR_FAILURE = "our_failure"
    CASH_FLOW = "cash_flow"
    WAITS_FOR_CUSTOMER = "waits_for_customer"
    POLICY = "policy"
    PAY_RUN = "pay_run"
    PAID_ALREADY = "paid_already"
    PAYMENT_FAILED = "payment_failed"
    SET_OFF = "set_off"
    VERIFYING_IBAN = "verifying_iban"
    UNWILLING = "unwilling"
    INSOLVENT = "insolvent"
    DECEASED = "deceased"
    REPRESENTED = "represented"


class HoldReason(StrEnum):
    """Why contact rests (rule 25)."""

    NONE = "none"
    LEGAL_STOP = "legal_stop"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    CLAIMED_PAID = "claimed_paid"
    COMPLAINT = "complaint"
    PROMISE = "promise"
    PLAN = "plan"
    ACCOUNT_MANAGER_TALKS = "account_manager_talks"
    DATA = "data"
    DISASTER = "disaster"


class LegalStop(StrEnum):
    """Law forbids contact: everything stops at once."""

    NONE = "none"
    INSOLVENT = "insolvent"
    DECEASED = "deceased"
    BREATHING_SPACE = "breathing_space"
    REPRESENTED = "represented"


class PromiseState(StrEnum):
    """Where a promise to pay stands."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    PART_ACCEPTED = "part_accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class PlanState(StrEnum):
    """Where a payment plan stands; `none` is the fact of a case without one."""

    NONE = "none"
    OFFERED = "offered"
    ACTIVE = "active"
    FINISHED = "finished"
    BREACHED = "breached"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    LAPSED = "lapsed"


class ConsultAnswer(StrEnum):
    """How a consultation of the account manager ended."""

    NONE = "none"
    OPEN = "open"
    AGREE = "agree"
    I_TALK = "i_talk"
    NO = "no"
    NOT_HEARD = "not_heard"


class ReachState(StrEnum):
    """What is known of an address."""

    UNPROVEN = "unproven"
    PROVEN = "proven"
    DOUBTFUL = "doubtful"
    DEAD = "dead"
    OPTED_OUT = "opted_out"


class Role(StrEnum):
    """What a person may do."""

    OPERATOR = "operator"
    COLLECTOR = "collector"
    ACCOUNT_MANAGER = "account_manager"
    CREDIT_MANAGER = "credit_manager"
    FINANCE_DIRECTOR = "finance_director"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Verdict(StrEnum):
    """A person's word on a proposed action."""

    APPROVED = "approved"
    REJECTED = "rejected"
    POSTPONED = "postponed"
    """Not yet: the same step again, from a date on."""


class WorkKind(StrEnum):
    """Work that the engine asks of a person."""

    CALL = "call"
    CONSULT = "consult"
    REVIEW = "review"
    DECIDE = "decide"
    NOTICE = "notice"
    REPAIR = "repair"
    CASH = "cash"
    DEPARTMENT = "department"
    REPLY = "reply"


class WorkState(StrEnum):
    """Where a piece of work stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Severity(StrEnum):
    """What a finding of the quality gate does: refuse the file, set the row apart, or tell."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    WARN = "warn"
