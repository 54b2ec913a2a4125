"""What was said: messages and the evidence that they arrived, work for people, contact results, answers, experience."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from maatpak.kernel.reasons import SwitchReason
from maatpak.kernel.words import CallResult, Channel, EvidenceKind, MessageState, WorkKind, WorkState
from maatpak.ledger.tables.columns import Json, UtcTime, Versioned, one_of


class Message(SQLModel, table=True):
    """One e-mail, text or letter in the outbox and after. Its words are an evidence file, not a column."""

    __table_args__ = (
        UniqueConstraint("recipient", "channel", "content_key", "attempt"),
        one_of("channel", Channel),
        one_of("state", MessageState),
        one_of("instead_of", Channel),
        one_of("switch_reason", SwitchReason),
        CheckConstraint("(instead_of IS NULL) = (switch_reason IS NULL)", name="switch_says_why"),
        CheckConstraint("(state = 'sent') <= (sent_on IS NOT NULL)", name="sent_is_dated"),
        CheckConstraint("(state = 'failed') <= (failure IS NOT NULL)", name="failed_says_why"),
        Index("ix_message_due", "channel", "id", postgresql_where=text("state IN ('queued', 'sending')")),
        Index("ix_message_debtor", "debtor_id"),
        Index("ix_message_service", "service_ref", postgresql_where=text("service_ref IS NOT NULL")),
        Index("ix_message_day", "creditor_id", "business_date", "id", postgresql_include=["channel"]),
        Index("ix_message_unknown", "creditor_id", "id", postgresql_where=text("state = 'unknown'")),
        Index(
            "ix_message_unreported",
            "creditor_id",
            postgresql_where=text("ended_at IS NOT NULL AND reported_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger, index=True)
    channel: str
    recipient: str
    """Address, number, or the postal address as one line."""
    instead_of: str | None = None
    """The channel that its step asks for, where that could not be used."""
    switch_reason: str | None = None
    switch_cause: str | None = None
    """What was said of the address there: codes such as `550 5.1.1 unknown_user`."""
    switch_on: date | None = None
    """Since when that is so."""
    language: str
    template: str
    content_key: str
    attempt: int = 1
    message_ref: str = Field(unique=True)
    """Deterministic: the Message-ID without brackets, the text's or letter's reference."""
    subject: str | None = None
    content: str
    """Evidence key of the rendered message, as JSON (connectors/message.py)."""
    written: bool = True
    reply_by: date | None = None
    """The date by which its words ask for an answer, if they name one."""
    state: str = MessageState.QUEUED
    business_date: date
    queued_at: datetime = Field(sa_type=UtcTime)
    send_after: datetime | None = Field(default=None, sa_type=UtcTime)
    leased_by: str | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcTime)
    tries: int = 0
    first_tried_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When it first could not be handed over; from then on it is tried for some days."""
    sent_on: date | None = None
    sent_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    failure: str | None = None
    service_ref: str | None = None
    """The number that the service gave it."""
    resolved_by: str | None = None
    reported_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When its outcome was put on its actions and into an event; until then a delivery has that still to do."""


class MessageAction(SQLModel, table=True):
    """Which actions a message serves."""

    __tablename__ = "message_action"

    message_id: int = Field(foreign_key="message.id", sa_type=BigInteger, primary_key=True)
    action_id: int = Field(foreign_key="action.id", sa_type=BigInteger, primary_key=True, index=True)


class SendTurn(SQLModel, table=True):
    """When the next message of a channel, or to one mail domain, may go: technical time, shared by all workers."""

    __tablename__ = "send_turn"

    name: str = Field(primary_key=True)
    next_at: datetime = Field(sa_type=UtcTime)


class Breaker(SQLModel, table=True):
    """The circuit breaker of a channel's service, shared by all workers: technical time, but for `closed_at`."""

    __table_args__ = (one_of("channel", Channel),)

    channel: str = Field(primary_key=True)
    service: str
    """Which service: a digest of its settings. Another one begins anew."""
    failures: int = 0
    """In a row, since it last took a message."""
    openings: int = 0
    """In a row; each rest is twice as long as the one before."""
    open_until: datetime | None = Field(default=None, sa_type=UtcTime)
    """Until then nobody sends; after that one worker tries one message. None: it is closed."""
    trying_until: datetime | None = Field(default=None, sa_type=UtcTime)
    """So long the worker that tries may take."""
    word: str = ""
    """What the service said last: its code, for its words may name somebody."""
    mend: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When it last took a message again: an instant of the business."""


class Evidence(SQLModel, table=True):
    """Something observed of a message; append-only. Silence that turns into weak evidence is computed, not stored."""

    __table_args__ = (one_of("kind", EvidenceKind), UniqueConstraint("message_id", "kind", "observed_on", "source"))

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    message_id: int = Field(foreign_key="message.id", sa_type=BigInteger)
    kind: str
    source: str
    said: str | None = None
    """Codes of the service that told it, such as `550 5.1.1 unknown_user`."""
    observed_on: date
    recorded_at: datetime = Field(sa_type=UtcTime)


class WorkTask(SQLModel, table=True):
    """Work for a person: a call, a consultation, a review, a decision, a repair. Its outcome is coded."""

    __tablename__ = "work_task"
    __table_args__ = (
        one_of("kind", WorkKind),
        one_of("state", WorkState),
        CheckConstraint("(state = 'done') <= (outcome IS NOT NULL AND done_on IS NOT NULL)", name="done_has_outcome"),
        Index(
            "ix_work_task_open",
            "creditor_id",
            "due_on",
            "id",
            postgresql_include=["kind"],
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_work_task_case", "case_id"),
        one_of("channel", ["email", "phone", "post"]),
        Index(
            "uq_work_task_repair",
            "debtor_id",
            "channel",
            unique=True,
            postgresql_where=text("kind = 'repair' AND state = 'open'"),
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "ix_work_task_answered",
            "creditor_id",
            "done_on",
            postgresql_where=text("state = 'done' AND kind = 'department'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    case_id: int | None = Field(default=None, foreign_key="case.id", sa_type=BigInteger)
    action_id: int | None = Field(default=None, foreign_key="action.id", sa_type=BigInteger, index=True)
    kind: str
    subject: str
    role: str
    assignee: str | None = None
    record_no: str | None = None
    """The hold, dispute, claim, plan or answer that the work is about."""
    channel: str | None = None
    """Of a repair: the address that is to be found, one piece of work each; null where any would do."""
    asked_by: str | None = None
    """Who asked for a second person's word; never the one who gives it (law 9)."""
    opened_on: date
    due_on: date
    blocks: bool = False
    """The ball is with us: no notice until this is done."""
    state: str = WorkState.OPEN
    outcome: str | None = None
    note: str | None = None
    """The person's own words on the outcome."""
    done_on: date | None = None
    done_by: str | None = None
    done_at: datetime | None = Field(default=None, sa_type=UtcTime)
    recorded_at: datetime = Field(sa_type=UtcTime)


class CallReservation(SQLModel, table=True):
    """A call that somebody is about to make, so that nobody else is given it meanwhile. It lapses by itself."""

    __tablename__ = "call_reservation"

    task_id: int = Field(primary_key=True, foreign_key="work_task.id", sa_type=BigInteger)
    login: str
    until: datetime = Field(sa_type=UtcTime)


class ContactResult(SQLModel, table=True):
    """The coded outcome of one attempt to talk; append-only."""

    __tablename__ = "contact_result"
    __table_args__ = (
        one_of("code", CallResult),
        one_of("day_part", ["morning", "afternoon", "evening"]),
        Index("ix_contact_result_case", "case_id"),
        Index("ix_contact_result_payer", "payer_party_id", postgresql_where=text("payer_party_id IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger)
    payer_party_id: int | None = Field(default=None, foreign_key="party.id", sa_type=BigInteger)
    """Who was called, where another account pays: that one's party. Null: the case's own."""
    task_id: int | None = Field(default=None, foreign_key="work_task.id", sa_type=BigInteger)
    code: str
    day_part: str
    callback_on: date | None = None
    called_on: date
    actor: str
    recorded_at: datetime = Field(sa_type=UtcTime)


class Answer(Versioned, table=True):
    """Something a customer wrote to us; unread until a person has read it, and silence meanwhile."""

    __table_args__ = (
        Index("uq_answer_current", "answer_no", unique=True, postgresql_where=text("replaced_at IS NULL")),
        Index(
            "ix_answer_unread",
            "creditor_id",
            "received_on",
            postgresql_where=text("read_on IS NULL AND replaced_at IS NULL"),
        ),
        Index("ix_answer_received", "creditor_id", "received_on", "id", postgresql_where=text("replaced_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    answer_no: str
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    debtor_id: int = Field(foreign_key="debtor.id", sa_type=BigInteger, index=True)
    case_id: int | None = Field(default=None, foreign_key="case.id", sa_type=BigInteger)
    message_id: int | None = Field(default=None, foreign_key="message.id", sa_type=BigInteger)
    channel: str
    received_on: date
    read_on: date | None = None
    read_by: str | None = None
    content: str | None = None
    """Evidence key of the text."""


class Incoming(SQLModel, table=True):
    """Something that came in by itself: a mail, a text, a service's report. Once, however often it comes."""

    __table_args__ = (
        CheckConstraint("state IN ('taken', 'unassigned', 'dropped')", name="state_known"),
        Index("ix_incoming_unassigned", "id", postgresql_where=text("state = 'unassigned'")),
        Index("ix_incoming_word", "sender", "id", postgresql_where=text("kind IN ('stop', 'start')")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    incoming_key: str = Field(unique=True)
    """Hash of what makes it the same one: its Message-ID, or the service's number and state."""
    channel: str
    kind: str
    """What it was taken for."""
    sender: str | None = None
    """The number (E.164) that a text came from; of a mail, the mail says."""
    creditor_id: int | None = Field(default=None, foreign_key="creditor.id", sa_type=BigInteger)
    debtor_id: int | None = Field(default=None, foreign_key="debtor.id", sa_type=BigInteger, index=True)
    message_id: int | None = Field(default=None, foreign_key="message.id", sa_type=BigInteger)
    content: str
    """Evidence key of it as it came."""
    state: str
    """Taken to a case, waiting for a person who knows whose it is, or nobody's."""
    ended_by: str | None = None
    received_at: datetime = Field(sa_type=UtcTime)
    recorded_at: datetime = Field(sa_type=UtcTime)


class Touch(SQLModel, table=True):
    """One touch rated for the customer, from +1 to −12; append-only."""

    __table_args__ = (
        CheckConstraint("rating BETWEEN -12 AND 1", name="rating_in_scale"),
        Index("ix_touch_party", "party_id", "touched_on"),
        Index("ix_touch_wrongful", "creditor_id", "touched_on", "id", postgresql_where=text("wrongful")),
        Index("uq_touch_record", "kind", "record_no", unique=True, postgresql_where=text("record_no IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    party_id: int = Field(foreign_key="party.id", sa_type=BigInteger)
    case_id: int | None = Field(default=None, foreign_key="case.id", sa_type=BigInteger)
    action_id: int | None = Field(default=None, foreign_key="action.id", sa_type=BigInteger)
    kind: str
    record_no: str | None = None
    """What it is rated for, once a kind: a message, a handing over, a plan, a dispute, a piece of work."""
    rating: int
    wrongful: bool = False
    cause: str | None = None
    """Why a contact was wrong."""
    touched_on: date
    recorded_at: datetime = Field(sa_type=UtcTime)


class Placement(Versioned, table=True):
    """A case handed to an agency: which items, its state, and the dossier as evidence."""

    __table_args__ = (
        one_of("state", ["placed", "recalled", "closed"]),
        Index("uq_placement_current", "placement_no", unique=True, postgresql_where=text("replaced_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    placement_no: str
    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger)
    case_id: int = Field(foreign_key="case.id", sa_type=BigInteger, index=True)
    action_id: int = Field(foreign_key="action.id", sa_type=BigInteger)
    agency: str
    state: str
    amount: int = Field(sa_type=BigInteger)
    items: dict[str, Any] = Field(sa_type=Json)
    """Item id → amount placed, minor units."""
    dossier: str
    cause: str
    actor: str
