"""Who is owed, and who acts: creditors and people are entered here, checked, each with its event.

Roles and limits decide who may approve, so only an administrator enters people; the very first one enters themselves,
as an administrator.
"""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import Locale, UnknownLocaleError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from maatpak.kernel.banks import bic_holds, iban_holds
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import decimals, to_decimal
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import Creditor, Person

if TYPE_CHECKING:
    from tasks.engine import Engine

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
NOBODY = frozenset({"engine"})
"""Names in the record that no person may have."""


def add_person(engine: "Engine", person: Person, actor: str, now: datetime) -> Person:
    """Enter somebody who may act from now on.

    Raises:
        UsageError: a value does not hold, or the login is taken.
        RefusedError: the actor is not an administrator.
    """
    person.role = _one_of("role", person.role, [str(role) for role in Role])
    decimals(person.limit_currency)
    require_email(person.email)
    if LOGIN.fullmatch(person.login) is None or person.login.lower() in NOBODY:
        raise UsageError(
            f"{person.login!r} is not a login.",
            advice="Use letters, digits and . _ @ + - in it; `engine` is the engine's own name.",
        )
    _require_limit(person)
    with engine.database.session() as session:
        first = session.exec(select(Person)).first() is None
        if not first:
            _require_administrator(session, actor)
        elif (person.login, person.role) != (actor, Role.ADMINISTRATOR):
            raise RefusedError(
                "The first person here enters themselves, as administrator.",
                advice=f"`maatpak user add {actor} --role administrator`, then the others.",
            )
        if session.exec(select(Person).where(func.lower(Person.login) == person.login.lower())).first() is not None:
            raise UsageError(f"The login {person.login!r} is taken.", advice="See `maatpak user list`.")
        if person.deputy is not None:
            _require_deputy(session, person.login, person.deputy)
        session.add(person)
        session.flush()
        append_events(session, [EventDraft("person_added", actor, body=_rights(person))], now)
    engine.anchor()
    return person


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
) -> Person:
    """Give somebody another role, limit (minor units and currency) or deputy, or take from them all right to act.

    Raises:
        UsageError: a value does not hold, or there is nobody of that login.
        RefusedError: the actor is not an administrator, or changes themselves.
    """
    with engine.database.session() as session:
        _require_administrator(session, actor)
        if login == actor:
            raise RefusedError("Nobody changes their own rights.", advice="Another administrator does that.")
        person = session.exec(select(Person).where(Person.login == login).with_for_update()).first()
        if person is None:
            raise UsageError(f"There is no {login!r}.", advice="See `maatpak user list`.")
        if role is not None:
            person.role = _one_of("role", role, [str(each) for each in Role])
        if limit is not None:
            person.approval_limit, person.limit_currency = limit
            decimals(person.limit_currency)
            _require_limit(person)
        if deputy is not None:
            _require_deputy(session, login, deputy)
            person.deputy = deputy
        if active is not None:
            person.active = active
        session.flush()
        append_events(session, [EventDraft("person_changed", actor, body=_rights(person))], now)
    engine.anchor()
    return person


def _rights(person: Person) -> dict[str, Any]:
    return {
        "person_id": person.id,
        "role": person.role,
        "limit": person.approval_limit,
        "currency": person.limit_currency,
        "active": person.active,
    }


def _require_limit(person: Person) -> None:
    if person.approval_limit < 0:
        limit = to_decimal(person.approval_limit, person.limit_currency)
        raise UsageError(f"The limit {limit} is below zero.", advice="0 is for who approves nothing.")


def add_creditor(engine: "Engine", creditor: Creditor, actor: str, now: datetime) -> Creditor:
    """Enter a legal entity that is owed.

    Raises:
        UsageError: a value does not hold, or the code is taken.
        RefusedError: the actor is not an administrator.
    """
    decimals(creditor.currency)
    require_country(creditor.country)
    _require_language(creditor.language)
    _require_zone(creditor.time_zone)
    require_email(creditor.email)
    if creditor.iban is not None:
        creditor.iban = _checked_iban(creditor.iban)
    if creditor.bic is not None:
        creditor.bic = _checked_bic(creditor.bic)
    with engine.database.session() as session:
        _require_administrator(session, actor)
        if session.exec(select(Creditor).where(Creditor.code == creditor.code)).first() is not None:
            raise UsageError(f"The creditor {creditor.code!r} is there already.", advice="See `maatpak creditor list`.")
        session.add(creditor)
        session.flush()
        body = {"code": creditor.code, "currency": creditor.currency, "country": creditor.country}
        append_events(session, [EventDraft("creditor_added", actor, creditor_id=creditor.id, body=body)], now)
    engine.anchor()
    return creditor


def people(engine: "Engine") -> list[dict[str, Any]]:
    """Everybody, by login."""
    with engine.database.reading() as session:
        found = session.exec(select(Person).order_by(col(Person.login)))
        return [{**_fields(person), "currency": person.limit_currency} for person in found]


def creditors(engine: "Engine") -> list[dict[str, Any]]:
    """Every creditor, by code."""
    with engine.database.reading() as session:
        return [_fields(creditor) for creditor in session.exec(select(Creditor).order_by(col(Creditor.code)))]


def creditor_by_code(session: Session, code: str) -> Creditor:
    """The creditor of a code.

    Raises:
        UsageError: there is none; the advice lists those there are.
    """
    creditor = session.exec(select(Creditor).where(Creditor.code == code)).first()
    if creditor is None:
        codes = ", ".join(session.exec(select(Creditor.code).order_by(col(Creditor.code)))) or "none yet"
        raise UsageError(f"There is no creditor {code!r}.", advice=f"There are: {codes}.")
    return creditor


def _fields(row: SQLModel) -> dict[str, Any]:
    """A row's columns in the order of its table."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def _require_deputy(session: Session, login: str, deputy: str) -> None:
    if deputy == login:
        raise UsageError(f"{login!r} cannot stand in for themselves.", advice="Name somebody else as the deputy.")
    if session.exec(select(Person).where(Person.login == deputy)).first() is None:
        raise UsageError(f"The deputy {deputy!r} is nobody here.", advice="Enter the deputy first.")


def _require_administrator(session: Session, actor: str) -> None:
    person = session.exec(select(Person).where(Person.login == actor, col(Person.active))).first()
    if person is None:
        raise RefusedError(
            f"{actor!r} is nobody who may act here.", advice="Name an administrator with --actor or MAATPAK_ACTOR."
        )
    if person.role != Role.ADMINISTRATOR:
        raise RefusedError(f"{actor} is {person.role}.", advice="Only an administrator enters creditors and people.")


def _one_of(name: str, value: str, known: list[str]) -> str:
    if value not in known:
        raise UsageError(f"{value!r} is not a {name}.", advice=f"Known are: {', '.join(known)}.")
    return value


def require_country(country: str) -> None:
    """A country is written as its code.

    Raises:
        UsageError: it is not.
    """
    if len(country) != 2 or country not in Locale("en").territories:
        raise UsageError(f"{country!r} is not a country.", advice="Give its ISO 3166 code, such as NL or GB.")


def _require_language(language: str) -> None:
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        raise UsageError(
            f"{language!r} is not a language.", advice="Give its ISO 639 code, such as nl or en."
        ) from None


def _require_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f"{zone!r} is not a time zone.", advice="Give it as Europe/Amsterdam.") from None


def require_email(address: str | None) -> None:
    """An e-mail address, if any, is written as one.

    Raises:
        UsageError: it is not.
    """
    if address is None:
        return
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise UsageError(
            f"{address!r} is not an e-mail address: {error}", advice="Give it as name@company.example."
        ) from None


def _checked_iban(iban: str) -> str:
    plain = iban.replace(" ", "").upper()
    if not iban_holds(plain):
        raise UsageError(
            f"{iban!r} is not an IBAN, or has a wrong check number.",
            advice="Give it as NL91 ABNA 0417 1643 00; compare it with the bank's letter.",
        )
    return plain


def _checked_bic(bic: str) -> str:
    plain = bic.replace(" ", "").upper()
    if not bic_holds(plain):
        raise UsageError(f"{bic!r} is not a BIC.", advice="Give the 8 or 11 signs of the bank's letter: ABNANL2A.")
    return plain
