"""The second administrator's word on a change that another asked for."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import ChangeRequest, Creditor, Person
from tasks.access.asking import ASKED, changed
from tasks.access.people import apply_to_person
from tasks.access.sight import require_sight
from tasks.register import apply_to_creditor, require_administrator

if TYPE_CHECKING:
    from tasks.engine import Engine


def confirm_change(engine: "Engine", number: int, actor: str, now: datetime) -> ChangeRequest:
    """Make the change that another administrator asked for, as they asked for it.

    Raises:
        UsageError: no change of that number waits.
        RefusedError: the actor is no administrator, asked for it, is whose rights change, or may not see whom it is of.
    """
    with engine.database.session() as session:
        require_administrator(session, actor)
        request, subject = _waiting(session, number, actor)
        if request.asked_by == actor:
            raise RefusedError("You asked for this change yourself.", advice="Another administrator confirms it.")
        if isinstance(subject, Person):
            if subject.login == actor:
                raise RefusedError("Nobody changes their own rights.", advice="Another administrator does that.")
            apply_to_person(session, subject, request.changes, now)
        else:
            apply_to_creditor(subject, request.changes)
        _decided(request, "confirmed", actor, now)
        draft = changed(subject, request.changes, actor, request_id=request.id, asked_by=request.asked_by)
        append_events(session, [draft], now)
    engine.anchor()
    return request


def refuse_change(engine: "Engine", number: int, actor: str, now: datetime) -> ChangeRequest:
    """The change is not made; who asked for it takes it back so.

    Raises:
        UsageError: no change of that number waits.
        RefusedError: the actor is not an administrator, or may not see the creditor.
    """
    with engine.database.session() as session:
        require_administrator(session, actor)
        request, _ = _waiting(session, number, actor)
        _decided(request, "refused", actor, now)
        body = {"request_id": request.id, "person_id": request.person_id}
        draft = EventDraft("change_refused", actor, creditor_id=request.creditor_id, body=body)
        append_events(session, [draft], now)
    engine.anchor()
    return request


def change_requests(engine: "Engine") -> list[dict[str, Any]]:
    """The changes that wait for a second administrator, oldest first: whose, which, asked by whom and when."""
    query = (
        select(ChangeRequest, Person.login, Creditor.code)
        .join(Person, isouter=True)
        .join(Creditor, isouter=True)
        .where(ChangeRequest.state == ASKED)
        .order_by(col(ChangeRequest.id))
    )
    with engine.database.reading() as session:
        codes = {creditor.id: creditor.code for creditor in session.exec(select(Creditor))}
        return [
            {
                "request_id": request.id,
                "person": login,
                "creditor": code,
                "changes": _shown(request.changes, codes),
                "asked_by": request.asked_by,
                "asked_at": request.asked_at,
            }
            for request, login, code in session.exec(query)
        ]


def _waiting(session: Session, number: int, actor: str) -> tuple[ChangeRequest, Person | Creditor]:
    """The request and whom it is about, both locked; a creditor only for who sees it."""
    request = session.get(ChangeRequest, number, with_for_update=True)
    if request is None or request.state != ASKED:
        raise UsageError(f"No change {number} waits.", advice="`maatpak user requests` shows those that do.")
    subject: Person | Creditor
    if request.person_id is not None:
        subject = session.get_one(Person, request.person_id, with_for_update=True)
    else:
        subject = session.get_one(Creditor, request.creditor_id, with_for_update=True)
        require_sight(session, actor, subject.code)
    return request, subject


def _decided(request: ChangeRequest, state: str, actor: str, now: datetime) -> None:
    request.state, request.decided_by, request.decided_at = state, actor, now


def _shown(changes: dict[str, Any], codes: dict[int | None, str]) -> dict[str, Any]:
    """Creditors by their codes."""
    if "creditors" not in changes:
        return changes
    return {**changes, "creditors": [codes[each] for each in changes["creditors"]]}
