"""Logging in with a password: the same work and the same words whoever it is not.

Five wrong tries in a row lock a login for a quarter of an hour, each further one for twice as long, up to a day; tries
while it is locked are not heard. So guessing is slow, and whoever guesses learns neither who is here nor who is locked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlmodel import Session, select

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import Credential, Person
from tasks.access.passwords import fits, hashed, is_outdated
from tasks.access.people import LOGIN
from tasks.access.sessions import begin_session
from tasks.access.visitor import Visitor, visitor_of

if TYPE_CHECKING:
    from tasks.engine import Engine

TRIES = 5
"""Wrong ones in a row, until a login is locked."""
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(days=1)
WRONG = "That login and that password do not go together."
WRONG_ADVICE = (
    f"After {TRIES} wrong tries in a row a login is locked for a quarter of an hour and longer;"
    " an administrator can give you a new password."
)


@dataclass(frozen=True)
class Try:
    """A login and a password that somebody gave, looked at outside of any transaction, for that takes time."""

    person_id: int | None
    kept: str | None
    """The hash that it was compared with."""
    fits: bool
    anew: str | None
    """The hash to keep from now on, where the parameters changed."""


def log_in(engine: "Engine", login: str, password: str, now: datetime) -> tuple[str, Visitor]:
    """The token of a new session, and whose it is.

    Raises:
        RefusedError: they do not go together, or the login is locked; the words are always the same.
    """
    person, token, visitor = None, "", None
    tried = try_password(engine, login, password)
    with engine.database.session() as session:
        person, drafts = judge(session, tried, now)
        if person is not None:
            token, visitor, draft = _begun(session, engine, person, now, "password")
            drafts.append(draft)
        append_events(session, drafts, now)
    engine.anchor()
    if visitor is None:
        raise RefusedError(WRONG, advice=WRONG_ADVICE)
    return token, visitor


def let_in(engine: "Engine", login: str, now: datetime, way: str) -> tuple[str, Visitor]:
    """A session for an active person whom somebody else has proved, by a `way` such as `oidc`.

    Raises:
        RefusedError: nobody active has that login.
    """
    with engine.database.session() as session:
        person = session.exec(select(Person).where(Person.login == login, Person.active)).first()
        if person is None:
            raise RefusedError("You are not known here.", advice="An administrator can enter you.")
        token, visitor, draft = _begun(session, engine, person, now, way)
        append_events(session, [draft], now)
    engine.anchor()
    return token, visitor


def try_password(engine: "Engine", login: str, password: str) -> Try:
    """Compare a password with the one of a login, or as long with none."""
    found = None
    if LOGIN.fullmatch(login):
        query = (
            select(Person.id, Credential.hash)
            .join(Credential, isouter=True)
            .where(func.lower(Person.login) == login.lower(), Person.active)
        )
        with engine.database.reading() as session:
            found = session.exec(query).first()
    person_id, kept = found if found is not None else (None, None)
    memory = engine.settings.password_memory
    right = fits(password, kept, memory)
    anew = hashed(password, memory) if right and kept is not None and is_outdated(kept, memory) else None
    return Try(person_id, kept, right, anew)


def judge(session: Session, tried: Try, now: datetime) -> tuple[Person | None, list[EventDraft]]:
    """Who they are, if the try counts and was right; and the events of one that was not. The lock is moved on."""
    row = None if tried.person_id is None else session.get(Credential, tried.person_id, with_for_update=True)
    body = {} if tried.person_id is None else {"person_id": tried.person_id}
    failed = [EventDraft("login_failed", "engine", body=body)]
    # Tries of the same moment are looked at together and counted one after the other.
    if row is None or row.hash != tried.kept or (row.locked_until is not None and now < row.locked_until):
        return None, failed
    if tried.fits:
        person = session.get_one(Person, tried.person_id)
        if not person.active:  # stopped since their password was compared
            return None, failed
        row.failures, row.locked_until = 0, None
        row.hash = tried.anew or row.hash
        return person, []
    row.failures += 1
    if row.failures >= TRIES:
        length = lock_of(row.failures)
        row.locked_until = now + length
        failed.append(EventDraft("login_locked", "engine", body={**body, "minutes": length // timedelta(minutes=1)}))
    return None, failed


def lock_of(failures: int) -> timedelta:
    """For how long so many wrong tries in a row lock a login."""
    doublings = min(failures - TRIES, 10)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def _begun(
    session: Session, engine: "Engine", person: Person, now: datetime, way: str
) -> tuple[str, Visitor, EventDraft]:
    assert person.id is not None
    token = begin_session(session, person.id, now)
    visitor = visitor_of(session, token, now, engine.settings.session_minutes)
    assert visitor is not None
    return token, visitor, EventDraft("logged_in", person.login, body={"person_id": person.id, "way": way})
