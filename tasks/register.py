"""Who is owed: creditors are entered and changed here, checked, each with its event.

What a creditor says of itself, and the account that customers pay to, changes by two administrators (rule 10).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import Locale, UnknownLocaleError
from email_validator import EmailNotValidError, validate_email
from sqlmodel import Session, SQLModel, col, select

from maatpak.kernel.banks import bic_holds, iban_holds
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import decimals
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import ChangeRequest, Creditor, Person
from tasks.access.asking import ask_or_do
from tasks.access.sight import require_sight

if TYPE_CHECKING:
    from tasks.engine import Engine

SAID = (
    *("name", "iban", "bic", "email", "phone", "street", "postal_code", "city", "registration_no", "vat_no"),
    "payment_url",
)
"""What a creditor says of itself to customers, its account among it. Nothing else of it ever changes."""


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
    for name, value in _checked({name: getattr(creditor, name) for name in SAID}).items():
        setattr(creditor, name, value)
    with engine.database.session() as session:
        require_administrator(session, actor)
        if session.exec(select(Creditor).where(Creditor.code == creditor.code)).first() is not None:
            raise UsageError(f"The creditor {creditor.code!r} is there already.", advice="See `maatpak creditor list`.")
        session.add(creditor)
        session.flush()
        body = {"code": creditor.code, "currency": creditor.currency, "country": creditor.country}
        append_events(session, [EventDraft("creditor_added", actor, creditor_id=creditor.id, body=body)], now)
    engine.anchor()
    return creditor


def change_creditor(
    engine: "Engine", code: str, actor: str, now: datetime, changes: Mapping[str, str | None]
) -> ChangeRequest | None:
    """Change what a creditor says of itself (`SAID`); the request, where another administrator is to confirm it.

    Raises:
        UsageError: a value does not hold, or there is no such creditor.
        RefusedError: the actor is not an administrator, may not see it, or another change of it waits.
    """
    checked = _checked(changes)
    with engine.database.session() as session:
        require_administrator(session, actor)
        creditor = creditor_by_code(session, code)
        require_sight(session, actor, code)
        request, event = ask_or_do(session, creditor, checked, actor, now)
        if request is None:
            apply_to_creditor(creditor, checked)
        append_events(session, [event], now)
    engine.anchor()
    return request


def apply_to_creditor(creditor: Creditor, changes: Mapping[str, Any]) -> None:
    """The creditor says this of itself from now on."""
    for name, value in changes.items():
        setattr(creditor, name, value)


def _checked(changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """The values as they are kept: without blanks around, nothing for an empty one."""
    unknown = sorted(set(changes) - set(SAID))
    if unknown or not changes:
        raise UsageError(
            f"Nothing of a creditor changes that is called {', '.join(unknown)}." if unknown else "Nothing changes.",
            advice=f"It can be: {', '.join(SAID)}.",
        )
    kept = {name: (value or "").strip() or None for name, value in changes.items()}
    if "name" in kept and kept["name"] is None:
        raise UsageError("A creditor has a name.", advice="Give the name of the legal entity.")
    require_email(kept.get("email"))
    for name, check in (("iban", _checked_iban), ("bic", _checked_bic)):
        value = kept.get(name)
        if value is not None:
            kept[name] = check(value)
    return kept


def creditors(engine: "Engine") -> list[dict[str, Any]]:
    """Every creditor, by code."""
    with engine.database.reading() as session:
        return [fields_of(creditor) for creditor in session.exec(select(Creditor).order_by(col(Creditor.code)))]


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


def fields_of(row: SQLModel) -> dict[str, Any]:
    """A row's columns in the order of its table."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def require_administrator(session: Session, actor: str) -> None:
    """Refuse whoever is not an active administrator.

    Raises:
        RefusedError: they are not.
    """
    person = session.exec(select(Person).where(Person.login == actor, col(Person.active))).first()
    if person is None:
        raise RefusedError(
            f"{actor!r} is nobody who may act here.", advice="Name an administrator with --actor or MAATPAK_ACTOR."
        )
    if person.role != Role.ADMINISTRATOR:
        raise RefusedError(f"{actor} is {person.role}.", advice="Only an administrator enters creditors and people.")


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
