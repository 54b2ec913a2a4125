"""What takes two administrators: one asks, another confirms or refuses (rule 10, docs/decisions/0014).

Where nobody else could confirm, the change is made at once, and its event says that one person made it alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, exists, func, or_, select

from maatpak.kernel.errors import RefusedError
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft
from maatpak.ledger.tables import ChangeRequest, Creditor, Person, PersonCreditor

ASKED = "asked"


def ask_or_do(
    session: Session, subject: Person | Creditor, changes: Mapping[str, Any], actor: str, now: datetime
) -> tuple[ChangeRequest | None, EventDraft]:
    """The request for another administrator to decide on; None where the actor is to do it alone. And the event of it.

    Raises:
        RefusedError: another change of the same waits.
    """
    person_id = subject.id if isinstance(subject, Person) else None
    creditor_id = subject.id if isinstance(subject, Creditor) else None
    waiting = select(ChangeRequest.id).filter_by(person_id=person_id, creditor_id=creditor_id, state=ASKED)
    number = session.exec(waiting).first()
    if number is not None:
        raise RefusedError(
            f"Change {number} of the same waits.", advice="Confirm or refuse it first: `maatpak user requests`."
        )
    if not others_confirm(session, actor, subject):
        return None, changed(subject, changes, actor, alone=True)
    request = ChangeRequest(
        person_id=person_id, creditor_id=creditor_id, changes=dict(changes), asked_by=actor, asked_at=now
    )
    session.add(request)
    session.flush()
    draft = EventDraft(
        "change_asked",
        actor,
        creditor_id=creditor_id,
        body={"request_id": request.id, **_told(subject, changes)},
    )
    return request, draft


def others_confirm(session: Session, actor: str, subject: Person | Creditor) -> bool:
    """Whether there is another administrator who could confirm what the actor asks for.

    Nobody does of themselves, nor of a creditor that they do not see.
    """
    query = select(func.count()).where(Person.role == Role.ADMINISTRATOR, col(Person.active), Person.login != actor)
    if isinstance(subject, Person):
        query = query.where(Person.login != subject.login)
    else:
        seen = select(PersonCreditor.creditor_id).where(PersonCreditor.person_id == Person.id)
        query = query.where(or_(~exists(seen), exists(seen.where(PersonCreditor.creditor_id == subject.id))))
    return session.exec(query).one() > 0


def changed(subject: Person | Creditor, changes: Mapping[str, Any], actor: str, **more: Any) -> EventDraft:
    """The event that a change was made."""
    body = {**_told(subject, changes), **more}
    if isinstance(subject, Person):
        return EventDraft("person_changed", actor, body=body)
    return EventDraft("creditor_changed", actor, creditor_id=subject.id, body=body)


def _told(subject: Person | Creditor, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says of a change: rights as they are; of what a creditor says, which columns, and a hash."""
    if isinstance(subject, Person):
        now = {
            "role": subject.role,
            "limit": subject.approval_limit,
            "currency": subject.limit_currency,
            "active": subject.active,
        }
        return {"person_id": subject.id, **now, **changes}
    return {"fields": sorted(changes), "hash": content_hash(dict(changes))}
