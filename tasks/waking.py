"""Who wants looking at: what was recorded asks for a new evaluation within seconds (law 2), and for nothing else.

`ask_for_a_look` writes the outbox row in the transaction of what it follows from; the dispatcher
(`deployments.dispatch`) takes all rows of a creditor together. Should it not run, the next day sees what
they stand for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, text
from sqlmodel import Session, col, select

from maatpak.ledger.audit import EventDraft
from maatpak.ledger.literals import quoted
from maatpak.ledger.locks import Transaction
from maatpak.ledger.tables import Creditor, Wake

if TYPE_CHECKING:
    from tasks.engine import Engine

OF_ALL = frozenset({"policy_given", "rounds_moved"})
"""What concerns no customer by name, since it concerns them all."""
REPORTS = frozenset({"evidence_noted", "automatic_reply"})
"""What services tell by the thousand, and what follows from it has time until the next day."""

ASK = "INSERT INTO wake (creditor_id, cause, asked_at) VALUES ({creditor}, {cause}, TIMESTAMPTZ '{at}')"

AT_ONCE = 10_000
"""Rows that one run takes; the next takes the rest."""


@dataclass(frozen=True)
class Waiting:
    """A creditor that wants looking at."""

    creditor_id: int
    code: str


def ask_for_a_look(tx: Transaction, drafts: Sequence[EventDraft], now: datetime) -> None:
    """One row for all that one transaction recorded of a creditor's customers; none where nothing follows from it."""
    for draft in drafts:
        concerns = draft.kind in OF_ALL or (draft.debtor_id is not None and draft.kind not in REPORTS)
        if concerns and draft.creditor_id is not None:
            if isinstance(tx, Session):
                tx.add(Wake(creditor_id=draft.creditor_id, cause=draft.kind, asked_at=now))
            else:
                tx.execute(ASK.format(creditor=int(draft.creditor_id), cause=quoted(draft.kind), at=now.isoformat()))
            return


def those_waiting(engine: "Engine") -> list[Waiting]:
    """Whom somebody should look at; a creditor whose first day never began waits for that."""
    with engine.database.reading() as session:
        found = session.execute(
            select(Creditor.id, Creditor.code)
            .where(col(Creditor.id).in_(select(Wake.creditor_id)), col(Creditor.business_date).is_not(None))
            .order_by(Creditor.code)
        )
        return [Waiting(*row) for row in found]


@contextmanager
def taken(engine: "Engine", creditor_id: int) -> Iterator[list[str]]:
    """Why a creditor wants looking at, while one who looks is alone with it; empty: nothing to do, or another is at it.

    When the block ends, the rows that were there when it began go. If it is left by an error or its process is killed,
    they stay, for whoever comes next: the lock is that of a transaction.
    """
    with engine.database.session() as session:
        lock = text("SELECT pg_try_advisory_xact_lock(hashtext('maatpak:wake:' || CAST(:creditor AS text)))")
        if not session.execute(lock, {"creditor": creditor_id}).scalar_one():
            yield []
            return
        found = select(Wake.id, Wake.cause).where(Wake.creditor_id == creditor_id).order_by(col(Wake.id)).limit(AT_ONCE)
        rows = session.exec(found).all()
        yield [cause for _, cause in rows]
        session.execute(delete(Wake).where(col(Wake.id).in_([row_id for row_id, _ in rows])))


def forget(session: Session, creditor_id: int) -> None:
    """A day that begins looks at everything: what asked for it before needs no run of its own."""
    session.execute(delete(Wake).where(col(Wake.creditor_id) == creditor_id))
