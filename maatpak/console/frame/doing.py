"""Does an act, once: whoever sends the same form or key again is told what came of it the first time.

The key is reserved in a transaction of its own, then the act runs in its own, then what came of it is kept. So a key
that is reserved and has no outcome is of an act that is at work or was killed: it is not done again by itself.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import Session

from maatpak.console.frame.asking import Acting
from maatpak.console.frame.declared import Act, Done
from maatpak.console.frame.problems import RepeatedError
from maatpak.console.frame.rights import require_role
from maatpak.kernel.ids import content_hash
from maatpak.ledger.tables import CallOnce

KEPT = timedelta(days=2)
"""So long a key means the same act."""
LONGEST_KEY = 200


def do(act: Act, acting: Acting, ids: dict[str, Any], form: BaseModel, once: str | None) -> tuple[Done, bool]:
    """What came of the act, and whether it had been done before with this key.

    Raises:
        ForbiddenError: the visitor's role may not.
        RepeatedError: the key is of another request, or of one that has no outcome.
    """
    require_role(act, acting.visitor)
    if once is None or act.secret or act.file:
        return act.do(acting, form, **ids), False
    asked = content_hash({"act": act.name, "ids": ids, "form": form.model_dump(mode="json")})
    key = once[:LONGEST_KEY]
    before = _reserve(acting, key, asked)
    if before is not None:
        return _again(before, asked), True
    try:
        done = act.do(acting, form, **ids)
    except BaseException:
        _keep(acting, key, lambda session, row: session.delete(row))
        raise
    told = {"told": done.told, "go": done.go, "data": dict(done.data)}

    def note(session: Session, row: CallOnce) -> None:
        row.outcome = told
        session.add(row)

    _keep(acting, key, note)
    return done, False


RESERVE = """
INSERT INTO call_once (person_id, key, request_hash, recorded_at) VALUES (:person, :key, :told, :now)
ON CONFLICT (person_id, key) DO NOTHING RETURNING key
"""
OUTDATED = "DELETE FROM call_once WHERE person_id = :person AND recorded_at < :since"


def _reserve(acting: Acting, key: str, told: str) -> CallOnce | None:
    """What the key was used for before; None if it is this act's from now on."""
    person = acting.visitor.person_id
    with acting.engine.database.session() as session:
        connection = session.connection()
        connection.execute(text(OUTDATED), {"person": person, "since": acting.now - KEPT})
        values = {"person": person, "key": key, "told": told, "now": acting.now}
        if connection.execute(text(RESERVE), values).first() is not None:
            return None
        before = session.get(CallOnce, (person, key))
    if before is None:  # refused and forgotten between the two
        raise RepeatedError("The same was sent just before, and was refused.", advice="Send it again.")
    return before


def _keep(acting: Acting, key: str, change: Callable[[Session, CallOnce], None]) -> None:
    with acting.engine.database.session() as session:
        change(session, session.get_one(CallOnce, (acting.visitor.person_id, key)))


def _again(before: CallOnce, asked: str) -> Done:
    if before.request_hash != asked:
        raise RepeatedError("This key was used for another request.", advice="Take a new key for each act.")
    if before.outcome is None:
        raise RepeatedError(
            "The same was sent before, and what came of it is not known yet.", advice="Look whether it was done."
        )
    return Done(**before.outcome)
