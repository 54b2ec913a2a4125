"""What may stand in the files of a pack: strict pydantic models, from which the JSON Schemas for editors come too.

These models check shape and spelling, file by file. What only the whole pack can tell (names, branches, rules against
facts, a key that does not fit the kind of its step) is checked by `policies.compiling`.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from maatpak.kernel.words import (
    CallResult,
    Channel,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    ReachState,
    Reaction,
    Role,
    Stage,
    StepKind,
    WorkKind,
)
from policies.timing import After, Every, Limit, When, WorkingDays

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Rule = Annotated[str, Field(min_length=1, description="SQL boolean expression over facts; amounts in minor units.")]
Minor = Annotated[int, Field(ge=0, description="Minor units of the case's currency.")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 code.")]


class ChannelRule(StrEnum):
    """Which channels a step uses: by the customer's preference, or by name."""

    PREFERRED = "preferred"
    OTHER = "other"
    BOTH = "both"
    POST_AND_EMAIL = "post_and_email"
    EMAIL = "email"
    SMS = "sms"
    POST = "post"


class Tone(StrEnum):
    """How we speak in a journey."""

    WARM = "warm"
    LIGHT = "light"
    FACTUAL = "factual"
    CALM = "calm"
    PERSONAL = "personal"
    WELCOMING = "welcoming"
    FORMAL = "formal"


class Attachment(StrEnum):
    """What goes with a message."""

    INVOICES = "invoices"
    STATEMENT = "statement"
    PLAN = "plan"


class Only(StrEnum):
    """Conditions of the engine's own, on what rules may not name."""

    HALF_PAID = "half_paid"
    """The part payment was at least half of what was open of the round's items, disputed parts aside."""
    LESS_PAID = "less_paid"
    """The part payment was less than half of that."""
    MANDATE_GONE = "mandate_gone"
    """The debit came back because its mandate has ended or its account is closed."""
    REFUNDED = "refunded"
    """The customer had the debit refunded."""
    LETTER_LEFT = "letter_left"
    """Fewer than two manager letters were sent to the party in the 12 months before."""
    NO_STATEMENT = "no_statement"
    """No statement was sent in the 5 working days before."""


class Through(StrEnum):
    """What would park the case and does not stop this step."""

    DISPUTE = "dispute"
    PLAN = "plan"
    PROMISE = "promise"
    CLAIMED_PAID = "claimed_paid"
    DEBIT_IN_FLIGHT = "debit_in_flight"
    BELOW_TOLERANCE = "below_tolerance"
    OUR_TURN = "our_turn"


class OptionalColumn(StrEnum):
    """Ledger columns beyond those that every ledger has (rule 6)."""

    PAYMENT_METHOD = "payment_method"
    COLLECT_ON = "collect_on"
    RETURNED_ON = "returned_on"
    RETURN_CODE = "return_code"
    SETTLED_BY = "settled_by"
    DISPUTED_AMOUNT = "disputed_amount"
    DISPUTED_ON = "disputed_on"
    DISPUTE_OUTCOME = "dispute_outcome"
    PO_NUMBER = "po_number"
    INVOICE_SENT_ON = "invoice_sent_on"
    INVOICE_CHANNEL = "invoice_channel"
    DOCUMENT_PATH = "document_path"
    CUSTOMER_SINCE = "customer_since"
    KEY_ACCOUNT = "key_account"
    REVENUE_12M = "revenue_12m"
    PAYMENT_TERMS = "payment_terms"
    CREDIT_LIMIT = "credit_limit"
    RISK_CLASS = "risk_class"
    INSURED_AMOUNT = "insured_amount"
    INSURER_NOTIFY_BY = "insurer_notify_by"
    PAYER_NO = "payer_no"
    HARDSHIP_UNTIL = "hardship_until"
    LEGAL_STOP = "legal_stop"


class File(BaseModel):
    """A part of a file: what it does not know is refused, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PackFile(File):
    """pack.yaml: what the pack is called, and the languages that its letters are written in."""

    pack: Name
    title: str
    about: str = ""
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2}$")]] = Field(min_length=1)
    needs: list[OptionalColumn] = Field(
        default_factory=list, description="Optional ledger columns without which the pack makes no sense."
    )


class SegmentLine(File):
    """A group of customers: the first whose rule holds wins."""

    segment: Name
    when: Rule
    who: str


class RerouteLine(File):
    """What moves a case to another segment inside its round (rule 4)."""

    cause: Name
    when: Rule
    to: Name


class SegmentsFile(File):
    """segments.yaml: the segments in their order, and the reroutes in theirs."""

    segments: list[SegmentLine] = Field(min_length=1)
    reroutes: list[RerouteLine] = Field(default_factory=list)


class PlanTerms(File):
    """What a plan offer may offer."""

    instalments: int = Field(ge=1, le=24, description="At most so many instalments.")
    first_within: WorkingDays
    valid: WorkingDays
    months: int = Field(ge=1, le=36, description="The last one within so many months.")


class StepLine(File):
    """One step of a journey. Which keys fit depends on `do`; docs/policies.md has the table."""

    do: StepKind = Field(description="Kind of step.")
    stage: Stage | None = Field(
        default=None, description="How far it goes; by default what its kind and the steps before it make it."
    )
    template: Name | None = Field(
        default=None, description="Template; of a call: what is written when there is no phone."
    )
    channel: ChannelRule | None = Field(default=None, description="Which channels; by default the preferred one.")
    tone: Tone | None = Field(default=None, description="Tone; by default the journey's.")
    about: str = Field(default="", description="What it is for: shown to whoever does or reviews it.")
    at: When | None = Field(default=None, description="Not before this date.")
    after: After | None = Field(default=None, description="Steps that must be done first, or each with its own wait.")
    wait: WorkingDays | None = Field(default=None, description="How long after them, or after the reaction.")
    until: Limit | None = Field(default=None, description="Later than this it is skipped as too_late.")
    every: Every | None = Field(default=None, description="It comes back, outside rounds.")
    on: Reaction | None = Field(default=None, description="It answers this event, once an event.")
    when: Rule | None = Field(default=None, description="If false when it falls due, the step is skipped.")
    only: Only | None = Field(default=None, description="A condition of the engine's own beside `when`.")
    through: list[Through] = Field(default_factory=list, description="Parked states that do not stop this step.")
    written: bool | None = Field(
        default=None, description="Whether it counts as a written contact of the budget; false for copies and answers."
    )
    escalating: bool = Field(default=False, description="A demand or a handoff: law 5 applies.")
    approval: Role | None = Field(default=None, description="Who must approve it.")
    approvals: int | None = Field(default=None, ge=1, le=2, description="How many persons must approve it.")
    approval_above: Minor | None = Field(
        default=None, description="No approval needed up to this amount (the larger of asked and overdue)."
    )
    role: Role | None = Field(default=None, description="Whose work it is.")
    deadline: WorkingDays | None = Field(default=None, description="How long that person has.")
    deputy: WorkingDays | None = Field(default=None, description="How long the deputy has after that.")
    last: Role | None = Field(default=None, description="Who decides when nobody answered.")
    attach: list[Attachment] = Field(default_factory=list, description="What goes with it.")
    term: WorkingDays | None = Field(default=None, description="The date that it names: so long after delivery.")
    plan: PlanTerms | None = Field(default=None, description="What a plan offer may offer.")
    supply: bool = Field(default=False, description="It asks whether to supply on, and may end as supply_stopped.")
    rating: int | None = Field(default=None, ge=-12, le=1, description="What the touch is worth to the customer.")


class IncludeLine(File):
    """A fragment's steps, put into a journey."""

    fragment: Name
    after: After | None = Field(default=None, description="What its first steps come after.")
    wait: WorkingDays | None = Field(default=None, description="How long after them.")
    when: Rule | None = Field(default=None, description="Holds for all its steps but those of kind decide.")


class JourneyFile(File):
    """journeys/<segment>.yaml: a segment's DAG of steps."""

    journey: Name
    about: str
    tone: Tone
    goal: Rule = "round_open = 0"
    steps: dict[Name, StepLine] = Field(min_length=1)
    include: list[IncludeLine] = Field(default_factory=list)


class FragmentFile(File):
    """fragments/<name>.yaml: steps that several journeys share."""

    fragment: Name
    about: str
    steps: dict[Name, StepLine] = Field(min_length=1)


Channels = Annotated[list[Channel], Field(min_length=1, max_length=len(Channel))]


class ChannelOrder(File):
    """Which channel is tried next where the one that a step asks for has no usable address."""

    preferred: Channels = Field(
        default=[Channel.EMAIL, Channel.POST, Channel.SMS],
        description="After the channel that the customer asked for, or that the step names.",
    )
    other: Channels = Field(
        default=[Channel.POST, Channel.EMAIL, Channel.SMS],
        description="For a step that wants another channel than the last one.",
    )

    @field_validator("preferred", "other")
    @classmethod
    def _each_once(cls, channels: list[Channel]) -> list[Channel]:
        if len(set(channels)) < len(channels):
            raise ValueError(f"a channel stands twice in {', '.join(channels)}")
        return channels


class SmallAmounts(File):
    """What consumers who owe little are written by, where a step wants another channel."""

    below: Minor = 25_000
    other: Channels = [Channel.SMS, Channel.POST, Channel.EMAIL]


class ChannelsFile(File):
    """channels.yaml: how a message finds its way. A pack without it has the orders of the standard pack."""

    order: ChannelOrder = ChannelOrder()
    small: SmallAmounts = SmallAmounts()
    segments: dict[Name, ChannelOrder] = Field(default_factory=dict, description="A segment's own order.")
    doubtful_after: int = Field(
        default=2, ge=1, le=9, description="Messages in a row that did not arrive and might have: it is doubtful then."
    )


class Turn(StrEnum):
    """Whose turn it is after a reason was stated."""

    OURS = "ours"
    THEIRS = "theirs"
    JOINT = "joint"


class Work(File):
    """Work that a call result or a reason opens."""

    kind: WorkKind
    role: Role
    within: WorkingDays
    about: str
    supply: bool = Field(default=False, description="It asks whether to supply on, and may end as supply_stopped.")

    @model_validator(mode="after")
    def _only_a_review_stops_supply(self) -> "Work":
        if self.supply and self.kind is not WorkKind.REVIEW:
            raise ValueError(f"'supply' does not fit work of the kind {self.kind}; it belongs to {WorkKind.REVIEW}")
        return self


class Rest(File):
    """A hold that a call result or a reason sets."""

    reason: HoldReason
    for_: Annotated[WorkingDays, Field(alias="for")]


class ReasonLine(File):
    """What follows from a reason for non-payment."""

    turn: Turn
    owner: str = Field(default="credit", description="Department that answers.")
    about: str
    work: Work | None = None
    hold: Rest | None = None
    dispute: bool = Field(default=False, description="Opens a dispute of the amount.")
    pause: WorkingDays | None = Field(
        default=None,
        description="No notice for so long after it was stated, or after our answer to it; then the same step.",
    )
    legal_stop: LegalStop | None = None


class ReasonsFile(File):
    """reasons.yaml: every reason for non-payment but `none`."""

    reasons: dict[NonPaymentReason, ReasonLine]


class CallResultLine(File):
    """What follows from a call result, beside what the result itself says (attempt, spoken, number dead)."""

    about: str
    work: Work | None = None
    hold: Rest | None = None
    states: NonPaymentReason | None = Field(default=None, description="The reason that it states.")
    phone: ReachState | None = None
    next: Literal[StepKind.PLAN_OFFER] | None = Field(default=None, description="Kind of step that is due at once.")


class CallResultsFile(File):
    """call_results.yaml: every call result."""

    call_results: dict[CallResult, CallResultLine]


class Scale(File):
    """What the balance of experience does."""

    no_notice_at: int = Field(lt=0, description="At or below: no automatic notice; a collector chooses.")
    agree_first_at: int = Field(lt=0, description="At or below: account manager and credit manager agree first.")


class ExperienceFile(File):
    """experience.yaml: what touches other than steps are worth, and the scale."""

    scale: Scale
    touches: dict[Name, Annotated[int, Field(ge=-12, le=1)]]
