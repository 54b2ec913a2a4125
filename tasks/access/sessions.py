"""Sessions of people at the console: begun by a login, ended by themselves, by their person or by an administrator."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, or_, select

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import ConsoleSession, Person
from tasks.access.visitor import Visitor, token_hash
from tasks.desk import acting_person

if TYPE_CHECKING:
    from tasks.engine import Engine

LONGEST = timedelta(hours=12)
"""A working day, however busy."""
KEPT = timedelta(days=1)
"""So long a session that is over is kept."""


def begin_session(session: Session, person_id: int, now: datetime) -> str:
    """The token of a new session; what is over since long goes."""
    over = or_(col(ConsoleSession.expires_at) < now - KEPT, col(ConsoleSession.ended_at) < now - KEPT)
    session.execute(delete(ConsoleSession).where(col(ConsoleSession.person_id) == person_id, over))
    token = secrets.token_urlsafe(32)
    session.add(
        ConsoleSession(
            token_hash=token_hash(token),
            person_id=person_id,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
    )
    session.flush()
    return token


def end_sessions(session: Session, person_id: int, now: datetime, keep: str | None = None) -> int:
    """End all sessions of a person but the one of the key `keep`; how many."""
    ending = update(ConsoleSession).where(
        col(ConsoleSession.person_id) == person_id,
        col(ConsoleSession.ended_at).is_(None),
        col(ConsoleSession.token_hash).is_distinct_from(keep),
    )
    return len(session.execute(ending.values(ended_at=now).returning(col(ConsoleSession.id))).all())


def log_out(engine: "Engine", visitor: Visitor, now: datetime) -> None:
    """End the visitor's session; if it is over, nothing happens."""
    ending = update(ConsoleSession).where(
        col(ConsoleSession.token_hash) == visitor.key, col(ConsoleSession.ended_at).is_(None)
    )
    with engine.database.session() as session:
        ended = session.execute(ending.values(ended_at=now).returning(col(ConsoleSession.id))).scalar_one_or_none()
        if ended is None:
            return
        draft = EventDraft("logged_out", visitor.login, body={"person_id": visitor.person_id, "session_id": ended})
        append_events(session, [draft], now)
    engine.anchor()


def end_sessions_of(engine: "Engine", login: str, actor: str, now: datetime) -> int:
    """Log somebody out everywhere; how many sessions that were.

    Raises:
        UsageError: there is nobody of that login.
        RefusedError: the actor is neither they nor an administrator.
    """
    with engine.database.session() as session:
        if actor != login:
            acting_person(session, actor, "end sessions of others", Role.ADMINISTRATOR)
        person = session.exec(select(Person).where(func.lower(Person.login) == login.lower())).first()
        if person is None:
            raise UsageError(f"There is no {login!r}.", advice="See `maatpak user list`.")
        assert person.id is not None
        ended = end_sessions(session, person.id, now)
        append_events(
            session, [EventDraft("sessions_ended", actor, body={"person_id": person.id, "count": ended})], now
        )
    engine.anchor()
    return ended
