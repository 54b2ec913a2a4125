"""Whose password is what: an administrator gives the first, its owner chooses the next."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import Credential, Person
from tasks.access.login import WRONG_ADVICE, judge, try_password
from tasks.access.passwords import hashed, made_password, require_password
from tasks.access.sessions import end_sessions
from tasks.desk import acting_person

if TYPE_CHECKING:
    from tasks.engine import Engine


def give_password(engine: "Engine", login: str, actor: str, now: datetime, password: str | None = None) -> str:
    """Let somebody in with a password that they must change first: the one given, or one made here and told once.

    Their sessions end, and so does a lock.

    Raises:
        UsageError: there is nobody of that login, or the password does not hold.
        RefusedError: the actor is not an administrator.
    """
    chosen = password or made_password()
    kept = hashed(chosen, engine.settings.password_memory)
    with engine.database.session() as session:
        acting_person(session, actor, "give a password", Role.ADMINISTRATOR)
        person = session.exec(select(Person).where(Person.login == login).with_for_update()).first()
        if person is None:
            raise UsageError(f"There is no {login!r}.", advice="See `maatpak user list`.")
        require_password(chosen, person.login, person.name)
        _keep(session, person, kept, now, must_change=True)
        append_events(session, [EventDraft("password_given", actor, body={"person_id": person.id})], now)
    engine.anchor()
    return chosen


def change_password(engine: "Engine", login: str, old: str, new: str, now: datetime, keep: str | None = None) -> None:
    """Choose another password. One's other sessions end; the one of the key `keep` (`Visitor.key`) goes on.

    Raises:
        UsageError: the new one does not hold, or is the old one.
        RefusedError: the old one is wrong, which counts like a wrong try to log in; or it was replaced meanwhile.
    """
    tried = try_password(engine, login, old)
    with engine.database.session() as session:
        person, drafts = judge(session, tried, now)
        append_events(session, drafts, now)
    engine.anchor()
    if person is None:
        raise RefusedError("That is not your password.", advice=WRONG_ADVICE)
    if new == old:
        raise UsageError("That is the password you have.", advice="Choose another one.")
    require_password(new, person.login, person.name)
    kept = hashed(new, engine.settings.password_memory)
    with engine.database.session() as session:
        row = session.get(Credential, person.id, with_for_update=True)
        if row is None or row.hash != (tried.anew or tried.kept):
            raise RefusedError("Your password was changed meanwhile.", advice="Log in with the newest one.")
        _keep(session, person, kept, now, must_change=False, keep=keep)
        append_events(session, [EventDraft("password_changed", person.login, body={"person_id": person.id})], now)
    engine.anchor()


def _keep(
    session: Session, person: Person, kept: str, now: datetime, *, must_change: bool, keep: str | None = None
) -> None:
    assert person.id is not None
    row = session.get(Credential, person.id, with_for_update=True)
    if row is None:
        row = Credential(person_id=person.id, hash=kept, changed_at=now, must_change=must_change)
    row.hash, row.changed_at, row.must_change = kept, now, must_change
    row.failures, row.locked_until = 0, None
    session.add(row)
    end_sessions(session, person.id, now, keep)
