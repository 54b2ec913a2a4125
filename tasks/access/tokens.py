"""Tokens for programs: made by a person, shown once, good for what that person may and no more."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import ApiToken, Person
from tasks.access.visitor import TOKEN_PREFIX, token_hash
from tasks.desk import acting_person

if TYPE_CHECKING:
    from tasks.engine import Engine

DAYS, MOST_DAYS = 90, 366
"""How long a token is good: unless said otherwise, and at most."""
Scope = Literal["read", "write"]


def make_token(
    engine: "Engine", actor: str, name: str, scope: Scope, now: datetime, days: int = DAYS
) -> tuple[str, ApiToken]:
    """A token of the actor's own, which nobody can read again, and what is kept of it.

    Raises:
        UsageError: the name is taken by a token that is not revoked, or something does not hold.
        RefusedError: the actor is nobody, or an auditor who asks for more than reading.
    """
    if not 1 <= len(name.strip()) <= 80:
        raise UsageError("A token needs a name of at most 80 signs.", advice="Say what it is for.")
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"A token is good for 1 to {MOST_DAYS} days, not {days}.", advice="Make another in time.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with engine.database.session() as session:
        person = acting_person(session, actor, "make a token", *Role)
        if scope == "write" and person.role == Role.AUDITOR:
            raise RefusedError("An auditor changes nothing.", advice="Make a token for reading.")
        taken = select(ApiToken.id).where(
            ApiToken.person_id == person.id, ApiToken.name == name.strip(), col(ApiToken.revoked_at).is_(None)
        )
        if session.exec(taken).first() is not None:
            raise UsageError(f"There is a token {name.strip()!r} already.", advice="Revoke it, or choose another name.")
        assert person.id is not None
        row = ApiToken(
            person_id=person.id,
            name=name.strip(),
            token_hash=token_hash(token),
            scope=scope,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        session.add(row)
        session.flush()
        body = {"person_id": person.id, "token_id": row.id, "scope": scope, "days": days}
        append_events(session, [EventDraft("token_made", actor, body=body)], now)
    engine.anchor()
    return token, row


def revoke_token(engine: "Engine", token_id: int, actor: str, now: datetime) -> None:
    """End a token; its person does, or an administrator. One that is revoked stays so.

    Raises:
        UsageError: the actor has no such token.
    """
    with engine.database.session() as session:
        person = acting_person(session, actor, "revoke a token", *Role)
        row = session.get(ApiToken, token_id, with_for_update=True)
        if row is None or (row.person_id != person.id and person.role != Role.ADMINISTRATOR):
            raise UsageError(f"There is no token {token_id} of yours.", advice="See `maatpak user tokens`.")
        if row.revoked_at is not None:
            return
        row.revoked_at = now
        body = {"person_id": row.person_id, "token_id": row.id}
        append_events(session, [EventDraft("token_revoked", actor, body=body)], now)
    engine.anchor()


def tokens(engine: "Engine", login: str | None = None) -> list[dict[str, Any]]:
    """The tokens of a person, or everybody's; no secret is among what is told. Ended ones stay listed."""
    query = select(ApiToken, Person.login).join(Person).order_by(col(Person.login), col(ApiToken.id))
    if login is not None:
        query = query.where(Person.login == login)
    with engine.database.reading() as session:
        return [
            {
                "token_id": token.id,
                "login": whose,
                "name": token.name,
                "scope": token.scope,
                "created_at": token.created_at,
                "expires_on": token.expires_at.date(),
                "last_used_on": token.last_used_on,
                "revoked_at": token.revoked_at,
            }
            for token, whose in session.exec(query)
        ]
