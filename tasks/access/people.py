"""Who acts here: people are entered by administrators, with a role, a limit and the creditors that they see.

The very first one enters themselves, as an administrator. What gives rights takes two administrators as soon as there
are two (rule 10); what stops somebody from acting takes one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import decimals, to_decimal
from maatpak.kernel.words import Role, WorkKind, WorkState
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import ApiToken, ChangeRequest, Person, WorkTask
from tasks.access.asking import ask_or_do, changed, others_confirm
from tasks.access.sessions import end_sessions
from tasks.access.sight import give_sight, sees_by_login
from tasks.register import creditor_by_code, fields_of, require_administrator, require_email

if TYPE_CHECKING:
    from tasks.engine import Engine

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
NOBODY = frozenset({"engine", "customer"})
"""Names in the record that no person may have."""


@dataclass(frozen=True)
class Changed:
    """A person as they are now, and the change of them that waits for another administrator, if any."""

    person: Person
    request: ChangeRequest | None


def add_person(engine: "Engine", person: Person, actor: str, now: datetime, creditors: Sequence[str] = ()) -> Changed:
    """Enter somebody who may act from now on, or from when another administrator confirms it.

    `creditors`: codes of those that they may see; none named: all.

    Raises:
        UsageError: a value does not hold, or the login is taken.
        RefusedError: the actor is not an administrator.
    """
    person.role = _one_of("role", person.role, [str(role) for role in Role])
    require_email(person.email)
    if LOGIN.fullmatch(person.login) is None or person.login.lower() in NOBODY:
        raise UsageError(
            f"{person.login!r} is not a login.",
            advice="Use letters, digits and . _ @ + - in it; `engine` and `customer` are names of the engine's own.",
        )
    _require_limit(person.approval_limit, person.limit_currency)
    with engine.database.session() as session:
        first = session.exec(select(Person)).first() is None
        if not first:
            require_administrator(session, actor)
        elif (person.login, person.role) != (actor, Role.ADMINISTRATOR):
            raise RefusedError(
                "The first person here enters themselves, as administrator.",
                advice=f"`maatpak user add {actor} --role administrator`, then the others.",
            )
        if session.exec(select(Person).where(func.lower(Person.login) == person.login.lower())).first() is not None:
            raise UsageError(f"The login {person.login!r} is taken.", advice="See `maatpak user list`.")
        if person.deputy is not None:
            _require_deputy(session, person.login, person.deputy)
        seen = _ids(session, creditors)
        alone = not others_confirm(session, actor, person)
        person.active = alone
        session.add(person)
        session.flush()
        assert person.id is not None
        give_sight(session, person.id, seen)
        drafts = [EventDraft("person_added", actor, body={**_rights(person, seen), "alone": alone})]
        request = None
        if not alone:
            # All of it, though it stands there already: what is confirmed is what was asked for.
            rights = {name: value for name, value in _rights(person, seen).items() if name != "person_id"}
            request, asked = ask_or_do(session, person, {**rights, "active": True}, actor, now)
            drafts.append(asked)
        append_events(session, drafts, now)
    engine.anchor()
    return Changed(person, request)


def change_person(
    engine: "Engine",
    login: str,
    actor: str,
    now: datetime,
    *,
    role: str | None = None,
    limit: tuple[int, str] | None = None,
    deputy: str | None = None,
    active: bool | None = None,
    creditors: Sequence[str] | None = None,
) -> Changed:
    """Give somebody another role, limit (minor units and currency), deputy or sight, or take away all right to act.

    `creditors`: codes of those that they may see; an empty list: all.

    Raises:
        UsageError: a value does not hold, or there is nobody of that login.
        RefusedError: the actor is not an administrator, or changes themselves, or another change of theirs waits.
    """
    with engine.database.session() as session:
        require_administrator(session, actor)
        if login == actor:
            raise RefusedError("Nobody changes their own rights.", advice="Another administrator does that.")
        person = session.exec(select(Person).where(Person.login == login).with_for_update()).first()
        if person is None:
            raise UsageError(f"There is no {login!r}.", advice="See `maatpak user list`.")
        rights: dict[str, Any] = {}
        if role is not None:
            rights["role"] = _one_of("role", role, [str(each) for each in Role])
        if limit is not None:
            _require_limit(*limit)
            rights["limit"], rights["currency"] = limit
        if creditors is not None:
            rights["creditors"] = _ids(session, creditors)
        at_once: dict[str, Any] = {}
        if active is not None:
            # Somebody who is to be stopped is stopped at once; but nobody gets rid of the others who would confirm.
            stops = not active and person.role != Role.ADMINISTRATOR
            (at_once if stops else rights)["active"] = active
        drafts = []
        told = {}
        if deputy is not None:
            told["deputy_id"] = _require_deputy(session, login, deputy)
            person.deputy = deputy
        if at_once:
            apply_to_person(session, person, at_once, now)
        request = None
        if rights:
            request, draft = ask_or_do(session, person, rights, actor, now)
            if request is None:
                apply_to_person(session, person, rights, now)
            drafts.append(draft)
        if at_once or told or not rights:
            drafts.append(changed(person, at_once, actor, **told))
        append_events(session, drafts, now)
    engine.anchor()
    return Changed(person, request)


def apply_to_person(session: Session, person: Person, changes: Mapping[str, Any], now: datetime) -> None:
    """The person has these rights from now on. Who may not act any more is logged out, and their tokens are revoked.

    What waits for them by name is anybody's again; a consultation passes on by itself.
    """
    assert person.id is not None
    person.role = changes.get("role", person.role)
    person.approval_limit = changes.get("limit", person.approval_limit)
    person.limit_currency = changes.get("currency", person.limit_currency)
    person.active = changes.get("active", person.active)
    if "creditors" in changes:
        give_sight(session, person.id, changes["creditors"])
    if not person.active or "role" in changes:
        theirs = (col(WorkTask.assignee) == person.login, col(WorkTask.state) == WorkState.OPEN)
        passes_on = col(WorkTask.kind).in_((WorkKind.CONSULT, WorkKind.NOTICE))
        session.execute(update(WorkTask).where(*theirs, ~passes_on).values(assignee=None))
    if not person.active:
        end_sessions(session, person.id, now)
        live = (col(ApiToken.person_id) == person.id, col(ApiToken.revoked_at).is_(None))
        session.execute(update(ApiToken).where(*live).values(revoked_at=now))


def people(engine: "Engine") -> list[dict[str, Any]]:
    """Everybody, by login; `creditors` are the codes of those that they may see, empty for all."""
    with engine.database.reading() as session:
        seen = sees_by_login(session)
        found = session.exec(select(Person).order_by(col(Person.login)))
        return [
            {**fields_of(person), "currency": person.limit_currency, "creditors": seen.get(person.login, [])}
            for person in found
        ]


def _rights(person: Person, creditors: Sequence[int]) -> dict[str, Any]:
    return {
        "person_id": person.id,
        "role": person.role,
        "limit": person.approval_limit,
        "currency": person.limit_currency,
        "active": person.active,
        "creditors": list(creditors),
    }


def _ids(session: Session, codes: Sequence[str]) -> list[int]:
    return sorted({int(creditor_by_code(session, code).id or 0) for code in codes})


def _require_limit(limit: int, currency: str) -> None:
    decimals(currency)
    if limit < 0:
        raise UsageError(
            f"The limit {to_decimal(limit, currency)} is below zero.", advice="0 is for who approves nothing."
        )


def _require_deputy(session: Session, login: str, deputy: str) -> int:
    """The id of who is to stand in."""
    if deputy == login:
        raise UsageError(f"{login!r} cannot stand in for themselves.", advice="Name somebody else as the deputy.")
    number = session.exec(select(Person.id).where(Person.login == deputy)).first()
    if number is None:
        raise UsageError(f"The deputy {deputy!r} is nobody here.", advice="Enter the deputy first.")
    return number


def _one_of(name: str, value: str, known: list[str]) -> str:
    if value not in known:
        raise UsageError(f"{value!r} is not a {name}.", advice=f"Known are: {', '.join(known)}.")
    return value
