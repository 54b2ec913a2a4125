"""Policy packs, cases, rounds, actions and people's verdicts on them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from maatpak.kernel.words import ActionState, DraftState, Stage, StepKind, Verdict
from maatpak.ledger.tables.columns import Json, Salted, UtcTime, Versioned, not_negative, one_of


class PolicyPack(SQLModel, table=True):
    """A published pack: its files word for word, hashed, immutable."""

    __tablename__ = "policy_pack"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    name: str
    version: int
    content_hash: str = Field(unique=True)
    files: dict[str, str] = Field(sa_type=Json)
    note: str
    published_by: str
    published_on: date | None = None
    recorded_at: datetime = Field(sa_type=UtcTime)


class PackDraft(SQLModel, table=True):
    """A pack that one person asks to publish and another publishes, or not (law 9). Only its end is ever written."""

    __tablename__ = "pack_draft"
    __table_args__ = (
        one_of("state", DraftState),
        CheckConstraint("(state = 'submitted') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(state = 'submitted') = (ended_by IS NULL)", name="ended_by_whom"),
        CheckConstraint("(state = 'published') = (pack_id IS NOT NULL)", name="published_whole"),
        CheckConstraint("state <> 'published' OR ended_by <> submitted_by", name="four_eyes"),
        Index("ix_pack_draft_pack", "pack_id", postgresql_where=text("pack_id IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    name: str
    content_hash: str
    files: dict[str, str] = Field(sa_type=Json)
    note: str
    bases: dict[str, Any] = Field(sa_type=Json)
    """Code of each creditor whose pack it is to become → the pack that it had when this was submitted."""
    move_running: bool
    """Whether rounds that run are moved to it, too."""
    submitted_by: str
    submitted_on: date
    submitted_at: datetime = Field(sa_type=UtcTime)
    state: str = DraftState.SUBMITTED
    ended_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reason: str | None = None
    """Of a refusal or a withdrawal, in the person's words; of a publication, why."""
    pack_id: int | None = Field(default=None, foreign_key="policy_pack.id", sa_type=BigInteger)
    """What it became."""


class CreditorPack(Versioned, table=True):
    """Which pack new rounds of a creditor use."""

    __tablename__ = "creditor_pack"
    __table_args__ = (
        Index("uq_creditor_pack_current", "creditor_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    pack_id: int = Field(foreign_key="policy_pack.id", sa_type=BigInteger)
    actor: str


class Case(SQLModel, table=True):
    """A debtor's items of one creditor in one currency, worked as one. `shard_key` is its party's."""

    __tablename__ = "case"
    __table_args__ = (UniqueConstraint("debtor_id", "currency"), Index("ix_case_creditor", "creditor_id", "shard_key"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(sa_type=BigInteger)
    """The debtor's."""
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    party_id: int = Field(foreign_key="party.id", sa_type=BigInteger, index=True)
    currency: str
    shard_key: int
    recorded_at: datetime = Field(sa_type=UtcTime)


class CaseNote(Salted, table=True):
    """What a person of ours wrote down about a case, in their own words; written once, and nothing follows from it."""

    __tablename__ = "case_note"
    __table_args__ = (Index("ix_case_note_case", "case_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    body: str
    written_on: date
    actor: str
    recorded_at: datetime = Field(sa_type=UtcTime)


class Round(SQLModel, table=True):
    """One passage of a case through a journey; it closes, once, when all items that it named are settled."""

    __tablename__ = "round"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        Index("uq_round_open", "case_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_round_closed", "closed_on", "id", postgresql_where=text("closed_on IS NOT NULL")),
        CheckConstraint("(closed_on IS NULL) = (closed_at IS NULL)", name="closed_whole"),
        CheckConstraint("closed_on >= opened_on", name="closed_after_opened"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    number: int
    opened_on: date
    opened_at: datetime = Field(sa_type=UtcTime)
    closed_on: date | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


class RoundCourse(Versioned, table=True):
    """The segment, pack and entry stage that a round follows; a reroute or a person's act replaces it."""

    __tablename__ = "round_course"
    __table_args__ = (
        Index("uq_round_course_current", "round_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
        one_of("entry_stage", Stage),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    round_id: int = Field(foreign_key="round.id", sa_type=BigInteger)
    segment: str
    pack_id: int = Field(foreign_key="policy_pack.id", sa_type=BigInteger)
    entry_stage: str = Stage.PREPARE
    """Steps of softer stages are behind the case (rule 4)."""
    cause: str
    """`opened`, the reroute's code, or the person's reason."""
    actor: str
    by_hand: bool = False
    """A person chose the segment; no reroute undoes that."""
    entered_on: date | None = None
    """When the round came onto this journey from another, or from another version of it; null since it opened."""


class RoundItem(SQLModel, table=True):
    """An item that a round was opened for or has named."""

    __tablename__ = "round_item"

    round_id: int = Field(foreign_key="round.id", sa_type=BigInteger, primary_key=True)
    item_id: int = Field(foreign_key="item.id", sa_type=BigInteger, primary_key=True)
    joined_on: date
    recorded_at: datetime = Field(sa_type=UtcTime)


class Tick(SQLModel, table=True):
    """One pass of facts and decisions over a creditor's shard, with its frames as evidence; append-only."""

    __table_args__ = (Index("ix_tick_creditor", "creditor_id", "business_date"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    shard: int
    shards: int
    business_date: date
    known_at: datetime = Field(sa_type=UtcTime)
    engine_version: str
    case_count: int
    action_count: int
    facts_evidence: str
    """Evidence keys of the facts frame, of the steps frame beside it, and of the decisions."""
    steps_evidence: str
    decisions_evidence: str
    packs: dict[str, Any] = Field(sa_type=Json)
    """Pack id → content hash, of all packs the pass used."""
    snapshots: dict[str, Any] = Field(sa_type=Json)
    """Source → content hash, of the newest snapshots seen."""
    flow_run: str | None = None
    recorded_at: datetime = Field(sa_type=UtcTime)


class Wake(SQLModel, table=True):
    """A creditor that wants looking at, since something was recorded that decisions may follow from.

    Written in the transaction that records it, and removed when a run has looked, or when a day begins.
    """

    __table_args__ = (Index("ix_wake_creditor", "creditor_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    cause: str
    """Kind of the event."""
    asked_at: datetime = Field(sa_type=UtcTime)


class Action(SQLModel, table=True):
    """One step for one case. The unique key is law 3: the same step of a round is never taken twice.

    `attempt` counts from 1: the tries of a call, and a step taken again for a new driver. `occurrence` dates steps that
    recur, and steps outside a round (`round_id` is null: courtesy, statement, thanks …).
    """

    __table_args__ = (
        UniqueConstraint(
            "case_id", "round_id", "stage", "step", "attempt", "occurrence", postgresql_nulls_not_distinct=True
        ),
        one_of("stage", Stage),
        one_of("kind", StepKind),
        one_of("state", ActionState),
        *not_negative("amount"),
        CheckConstraint("attempt >= 1", name="attempt_from_one"),
        CheckConstraint("(state IN ('skipped', 'cancelled')) <= (reason IS NOT NULL)", name="ended_with_reason"),
        CheckConstraint("(state = 'executed') <= (executed_on IS NOT NULL)", name="executed_is_dated"),
        CheckConstraint("NOT escalating OR approval_role IS NOT NULL", name="escalating_needs_approval"),
        Index(
            "ix_action_open",
            "creditor_id",
            "state",
            "segment",
            "step",
            postgresql_where=text("state IN ('proposed', 'awaiting_approval', 'approved', 'in_progress')"),
        ),
        Index("ix_action_creditor_date", "creditor_id", "business_date"),
        Index(
            "ix_action_payer",
            "payer_party_id",
            "business_date",
            postgresql_where=text("payer_party_id IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    round_id: int | None = Field(default=None, foreign_key="round.id", sa_type=BigInteger)
    stage: str
    step: str
    attempt: int = 1
    occurrence: date | None = None
    kind: str
    segment: str
    pack_id: int = Field(foreign_key="policy_pack.id", sa_type=BigInteger)
    state: str
    reason: str | None = None
    channel: str | None = None
    """The step's channel rule: preferred, other, both, post_and_email, or one channel."""
    template: str | None = None
    written: bool = False
    """A written contact: it takes a slot of the budget of the party that is written to."""
    payer_party_id: int | None = Field(default=None, foreign_key="party.id", sa_type=BigInteger)
    """Whom a written contact goes to, where another account pays: that one's party. Null: the case's own."""
    escalating: bool = False
    approval_role: str | None = None
    approvals_needed: int = 0
    amount: int = Field(sa_type=BigInteger)
    """Asked amount when proposed, minor units of the case's currency."""
    overdue_amount: int = Field(default=0, sa_type=BigInteger)
    content_hash: str | None = None
    """Of items, amounts, recipient and text: what an approval binds to."""
    proposal: str | None = None
    """Evidence key of the words that were proposed (`tasks.content`); null where no approval waits for any."""
    due_on: date
    business_date: date
    tick_id: int | None = Field(default=None, foreign_key="tick.id", sa_type=BigInteger)
    proposed_at: datetime = Field(sa_type=UtcTime)
    approved_on: date | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcTime)
    started_on: date | None = None
    started_at: datetime | None = Field(default=None, sa_type=UtcTime)
    executed_on: date | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When it reached its last state, whichever that is."""
    result: str | None = None
    """How a call, consult, review or decision came out."""
    retry_on: date | None = None
    """After a rejection: not before this date, and `retry_step` next."""
    retry_step: str | None = None


class JourneyFigure(SQLModel, table=True):
    """A number of one step of a journey as of a business date, worked out once when its day has run (issue 4)."""

    __tablename__ = "journey_figure"

    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger, primary_key=True)
    as_of: date = Field(primary_key=True)
    segment: str = Field(primary_key=True)
    pack_id: int = Field(foreign_key="policy_pack.id", sa_type=BigInteger, primary_key=True)
    step: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    """Which figure: tasks.journey_figures."""
    key: str = Field(default="", primary_key=True)
    """Of what: a reason, a currency, or the step before."""
    value: int = Field(sa_type=BigInteger)


class ActionItem(SQLModel, table=True):
    """An item that an action names, with the amount asked for it."""

    __tablename__ = "action_item"
    __table_args__ = (*not_negative("amount"), Index("ix_action_item_item", "item_id"))

    action_id: int = Field(foreign_key="action.id", sa_type=BigInteger, primary_key=True)
    item_id: int = Field(foreign_key="item.id", sa_type=BigInteger, primary_key=True)
    amount: int = Field(sa_type=BigInteger)


class ContactSlot(SQLModel, table=True):
    """A written contact of a party, claimed when it is proposed: one row a party, day and slot (law 6)."""

    __tablename__ = "contact_slot"

    party_id: int = Field(foreign_key="party.id", sa_type=BigInteger, primary_key=True)
    day: date = Field(primary_key=True)
    slot: int = Field(default=1, primary_key=True)
    action_id: int = Field(foreign_key="action.id", sa_type=BigInteger, index=True)
    recorded_at: datetime = Field(sa_type=UtcTime)


class ContactWait(SQLModel, table=True):
    """A case that another letter keeps from writing to a party: what it waits with, and since when (rule 21)."""

    __tablename__ = "contact_wait"
    __table_args__ = (one_of("stage", Stage), *not_negative("amount"))

    party_id: int = Field(foreign_key="party.id", sa_type=BigInteger, primary_key=True)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger, primary_key=True)
    stage: str
    amount: int = Field(sa_type=BigInteger)
    """Asked amount, minor units of the case's currency."""
    since: date
    first_from: date
    """From this date on, five working days after `since`, it goes before those that have not waited as long."""
    last_on: date
    """The last date on which it was kept from it."""
    recorded_at: datetime = Field(sa_type=UtcTime)


class Approval(SQLModel, table=True):
    """A person's verdict on an action, bound to the content that was shown; append-only."""

    __table_args__ = (
        UniqueConstraint("action_id", "actor", "content_hash", "verdict"),
        one_of("verdict", Verdict),
        CheckConstraint(
            "verdict = 'approved' OR (next_step IS NOT NULL AND next_on IS NOT NULL)", name="no_says_what_next"
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    action_id: int = Field(foreign_key="action.id", sa_type=BigInteger, index=True)
    content_hash: str
    verdict: str
    actor: str
    role: str
    reason: str
    next_step: str | None = None
    next_on: date | None = None
    decided_on: date
    lapses_on: date | None = None
    recorded_at: datetime = Field(sa_type=UtcTime)
