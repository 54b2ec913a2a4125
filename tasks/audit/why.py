"""Why did this customer get this letter? One page, from the rules and facts of that day to the proof of delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
from sqlalchemy import Connection, text

from connectors.message import Outgoing
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.ledger.audit import GENESIS
from policies.explain import Explanation
from tasks.audit.telling import EventTold, told
from tasks.audit.why_queries import (
    ACTIONS,
    ANSWERS,
    APPROVALS,
    EARLIER,
    EVENTS,
    EVIDENCE,
    ITEMS,
    MESSAGE,
    TOUCHES,
)
from tasks.explaining import decided_then
from tasks.placement_checks import Read, reading
from tasks.written import way_of

if TYPE_CHECKING:
    from sqlmodel import Session

    from tasks.engine import Engine


T = TypeVar("T")


@dataclass(frozen=True)
class Letter:
    """The message as it is stored, and the words that left."""

    message_id: int
    message_ref: str
    channel: str
    way: str
    """How it went, and why by that channel: `by post, since the e-mail address is dead (550 5.1.1 …, 12 May 2026)`."""
    recipient: str
    language: str
    template: str
    subject: str | None
    state: str
    failure: str | None
    business_date: date
    queued_at: datetime
    send_after: datetime | None
    sent_on: date | None
    sent_at: datetime | None
    reply_by: date | None
    content: str
    """Evidence key; its long part is the SHA-256 of the words."""
    said: Outgoing | None
    """Word for word; None where the content was erased."""
    problem: str | None
    """What is wrong with the evidence, if anything: missing, or changed."""


@dataclass(frozen=True)
class Customer:
    """Whom it was about."""

    creditor: str
    creditor_name: str
    debtor_id: int
    debtor_no: str
    name: str | None
    party_kind: str | None
    country: str | None
    account_manager: str | None
    customer_since: date | None
    case_id: int
    currency: str


@dataclass(frozen=True)
class Decided:
    """The pass that proposed an action: what was known, and every rule, gate and step as they came out."""

    tick_id: int
    business_date: date
    known_at: datetime
    engine_version: str
    flow_run: str | None
    snapshots: Mapping[str, str]
    """Source → content hash of the ledger snapshots that were seen."""
    facts_evidence: str
    decisions_evidence: str
    explanation: Explanation | None
    """None where the facts of that day cannot be read any more; `problem` says why."""
    stored: Mapping[str, Any] | None
    """The decision as it was stored."""
    problem: str | None


@dataclass(frozen=True)
class Step:
    """An action that the message served."""

    action_id: int
    case_id: int
    step: str
    stage: str
    kind: str
    segment: str
    """Whose journey it is of."""
    round_no: int | None
    pack: str
    pack_version: int
    pack_hash: str
    published_by: str
    escalating: bool
    state: str
    amount: int
    """Asked, minor units."""
    currency: str
    content_hash: str | None
    """Of what was approved; carrying it out is refused when what would leave has another."""
    due_on: date
    business_date: date
    executed_on: date | None
    tick_id: int | None
    decided: Decided | None


@dataclass(frozen=True)
class Verdict:
    """Who said yes or no, as what, why, and to which content."""

    action_id: int
    verdict: str
    actor: str
    actor_name: str | None
    role: str
    reason: str
    decided_on: date
    lapses_on: date | None
    recorded_at: datetime
    content_hash: str
    same: bool
    """Whether what they saw is what the action carried out."""


@dataclass(frozen=True)
class Named:
    """An item that was named: what was asked for it then, and what it is now."""

    item_id: int
    document_no: str
    issued_on: date
    due_on: date
    asked: int
    open_now: int
    disputed_now: int
    settled_on: date | None
    settled_by: str | None
    currency: str


@dataclass(frozen=True)
class Notice:
    """A message to the same case before this one."""

    message_id: int
    sent_on: date | None
    channel: str
    template: str
    subject: str | None
    state: str
    evidence: tuple[str, ...]
    """Kinds that were observed of it before this one was queued."""


@dataclass(frozen=True)
class Observed:
    """Something observed of the message."""

    kind: str
    source: str
    said: str | None
    observed_on: date
    recorded_at: datetime


@dataclass(frozen=True)
class Answered:
    """An answer of the customer: to this message, or on the case after it."""

    answer_no: str
    channel: str
    received_on: date
    read_on: date | None
    read_by: str | None
    content: str | None
    to_this: bool


@dataclass(frozen=True)
class Rated:
    """What the message meant for the customer."""

    kind: str
    rating: int
    wrongful: bool
    cause: str | None
    touched_on: date


@dataclass(frozen=True)
class Why:
    """The whole answer."""

    letter: Letter
    customer: Customer
    steps: tuple[Step, ...]
    approvals: tuple[Verdict, ...]
    items: tuple[Named, ...]
    earlier: tuple[Notice, ...]
    """The newest first, at most 20."""
    evidence: tuple[Observed, ...]
    answers: tuple[Answered, ...]
    ratings: tuple[Rated, ...]
    events: tuple[EventTold, ...]
    """Of it, in their order: the imports and the pass that it came from, verdicts, carrying out, delivery, reports."""
    head_seq: int
    anchored_seq: int
    """Events up to this number are proven by an anchor outside the database."""

    @property
    def wrongful(self) -> bool:
        """Whether it turned out later that it should not have been sent."""
        return any(each.wrongful for each in self.ratings)

    @property
    def anchored(self) -> bool:
        """Whether an anchor outside the database proves every event of it."""
        return bool(self.events) and self.anchored_seq >= self.events[-1].seq


def why_message(engine: "Engine", creditor_ids: Sequence[int], message_id: int) -> Why:
    """Everything about one message of these creditors.

    Raises:
        UsageError: there is no such message.
    """
    with engine.database.reading() as session:
        connection = session.connection()
        found = _rows(connection, MESSAGE, {"id": message_id, "creditors": list(creditor_ids)})
        if not found:
            raise UsageError(f"There is no message {message_id}.", advice="`maatpak messages list` shows them.")
        (message,) = found
        actions = _rows(connection, ACTIONS, {"id": message_id})
        marks = _marks(message, actions)
        verdicts = _rows(connection, APPROVALS, marks)
        earlier = [{**each, "evidence": tuple(each["evidence"])} for each in _rows(connection, EARLIER, marks)]
        events = told(connection, _rows(connection, EVENTS, marks))
        anchor = engine.anchors.last()
        return Why(
            letter=_letter(engine, message),
            customer=_made(Customer, message),
            steps=tuple(_steps(engine, session, message["creditor_id"], actions)),
            approvals=tuple(_made(Verdict, each) for each in verdicts),
            items=tuple(_made(Named, each) for each in _rows(connection, ITEMS, marks)),
            earlier=tuple(_made(Notice, each) for each in earlier),
            evidence=tuple(_made(Observed, each) for each in _rows(connection, EVIDENCE, marks)),
            answers=tuple(_made(Answered, each) for each in _rows(connection, ANSWERS, marks)),
            ratings=tuple(_made(Rated, each) for each in _rows(connection, TOUCHES, marks)),
            events=tuple(events),
            head_seq=message["head_seq"],
            anchored_seq=anchor.seq if anchor else 0,
        )


def _rows(connection: Connection, query: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query), values).mappings()]


def _made(kind: type[T], row: Mapping[str, Any], **more: Any) -> T:
    """A record of a row that has its columns, and perhaps others."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: row[name] for name in names if name not in more}, **more)


def _marks(message: Mapping[str, Any], actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the queries ask for: the message's own marks, and those of the actions and passes behind it."""
    names = ("creditor_id", "debtor_id", "party_id", "business_date", "queued_at", "reported_at", "sent_on")
    ticks = [each for each in actions if each["tick_id"] is not None]
    return {
        **{name: message[name] for name in names},
        "id": message["message_id"],
        "id_text": str(message["message_id"]),
        "ref": message["message_ref"],
        "contact": f"M{message['message_id']}",
        "actions": [each["action_id"] for each in actions],
        "cases": sorted({message["case_id"], *(each["case_id"] for each in actions)}),
        "ticks": sorted({each["tick_id"] for each in ticks}),
        "tick_days": sorted({each["tick_day"] for each in ticks}),
        "packs": sorted({each["pack_hash"] for each in actions}) or [GENESIS],
        "snapshots": sorted({each for tick in ticks for each in tick["snapshots"].values()}) or [GENESIS],
    }


def _letter(engine: "Engine", message: Mapping[str, Any]) -> Letter:
    said, problem = None, engine.store.problem(message["content"])
    if problem is None:
        said = Outgoing.from_json(engine.store.get(message["content"]))
    return _made(Letter, message, way=way_of(message), said=said, problem=problem)


def _steps(engine: "Engine", session: "Session", creditor_id: int, actions: Sequence[Mapping[str, Any]]) -> list[Step]:
    decided: dict[tuple[int, int], Decided] = {}
    read = cache(reading(session))  # the pack of that day is the same for all cases of a pass
    for each in actions:
        key = (each["tick_id"], each["case_id"])
        if each["tick_id"] is not None and key not in decided:
            decided[key] = _decided(engine, read, creditor_id, each)
    return [_made(Step, each, decided=decided.get((each["tick_id"], each["case_id"]))) for each in actions]


def _decided(engine: "Engine", read: Read, creditor_id: int, action: Mapping[str, Any]) -> Decided:
    """The pass that proposed it, explained by the rules of then on the facts of then."""
    explanation = stored = problem = None
    tick = {**action, "business_date": action["tick_day"]}
    try:
        of_case = pl.col("case_id") == action["case_id"]
        facts = engine.store.get_frame(action["facts_evidence"], where=of_case)
        if facts.height:
            explanation, stored, _ = decided_then(engine, read, creditor_id, tick, facts, {})
        else:
            problem = "holds nothing of this case"
    except WorkspaceError as error:
        problem = str(error)
    return _made(Decided, tick, explanation=explanation, stored=stored, problem=problem)
