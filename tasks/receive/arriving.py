"""Taking in one thing, once: kept as it came, put on its case in one transaction, or left for a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Case, Creditor, Incoming, Person
from tasks.desk import Desk, desk
from tasks.receive.matching import Owner

if TYPE_CHECKING:
    from tasks.engine import Engine

TAKEN, UNASSIGNED, DROPPED = "taken", "unassigned", "dropped"


@dataclass(frozen=True)
class Arrival:
    """Something that came in."""

    key: str
    """The same thing has the same, however often it comes."""
    channel: Channel
    kind: str
    content: bytes
    received_at: datetime
    waits_for_a_person: bool = False
    """Where nobody knows whose it is: whether a person should find out."""
    sender: str | None = None
    """The number (E.164) that a text came from."""


@dataclass(frozen=True)
class Taken:
    """The desk at which it is put on its case."""

    desk: Desk
    case: Case
    owner: Owner
    number: str
    """Ours for it."""


@contextmanager
def recorded(
    engine: "Engine",
    arrival: Arrival,
    owner: Owner | None,
    now: datetime,
    flow_run: str | None = None,
    by: Person | None = None,
) -> Iterator[Taken | None]:
    """The desk to put it on its case, the engine's or that of who it is `by`; None when it was taken before, or nobody
    knows whose it is.

    Raises:
        RefusedError: the creditor began another day just now: try again.
    """
    row = Incoming(
        incoming_key=arrival.key,
        channel=arrival.channel,
        kind=arrival.kind,
        sender=arrival.sender,
        content="",
        state=TAKEN,
        received_at=arrival.received_at,
        recorded_at=now,
    )
    with engine.database.reading() as session:
        known = is_known(session, arrival.key)
        creditor = None if owner is None else session.get(Creditor, owner.creditor_id)
    if known:
        yield None
        return
    row.content = engine.store.put("incoming", arrival.content, "eml" if arrival.channel is Channel.EMAIL else "txt")
    if owner is None or creditor is None or creditor.business_date is None:
        row.state = UNASSIGNED if arrival.waits_for_a_person else DROPPED
        with engine.database.session() as session:
            _keep(session, row)
        yield None
        return
    with desk(engine, owner.creditor_id, by, creditor.business_date, now, flow_run) as at:
        case = at.case(owner.case_id)
        row.creditor_id, row.debtor_id, row.message_id = case.creditor_id, case.debtor_id, owner.message_id
        row.recorded_at = at.now
        number = _keep(at.session, row)
        yield None if number is None else Taken(at, case, owner, f"I{number}")


def _keep(session: Session, row: Incoming) -> int | None:
    """Its number; None where another who read the same kept it, perhaps just now."""
    kept = insert(Incoming).values(row.model_dump(exclude={"id"})).on_conflict_do_nothing()
    return session.execute(kept.returning(col(Incoming.id))).scalar_one_or_none()


def is_known(session: Session, key: str) -> bool:
    """Whether it was taken in before."""
    return session.exec(select(Incoming.id).where(Incoming.incoming_key == key)).first() is not None
