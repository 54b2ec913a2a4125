"""What customers asked for, and where they can be reached: recorded once, obeyed by the engine (rule 28)."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlmodel import col, select

from connectors.ledgers.columns import languages
from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import salted_hash
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import AddressState, Case, ContactPerson, Debtor, Preference, TextConsent
from maatpak.ledger.versions import succeed
from policies.reach import Known, Learned, moved
from tasks.compose.recipients import mobile_number, way_of
from tasks.desk import Desk
from tasks.quality.debtor_rules import PHONE_NUMBER
from tasks.register import require_email
from tasks.repairs import end_repairs_of
from tasks.rights import DESK
from tasks.whose import accounts_with, newest_cases

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d")
_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "channel": (re.compile("|".join(Channel)), "email, sms or post"),
    "language": (re.compile("|".join(languages())), "an ISO 639 code such as nl or en"),
    "pay_run": (
        re.compile(rf"(?:{'|'.join(WEEKDAYS)})|(?:[12]?\d|3[01])(?:,(?:[12]?\d|3[01]))*"),
        "a weekday (friday) or days of the month (15,30)",
    ),
    "cut_off": (re.compile(r"1?\d|20"), "working days before a pay run, from 0 to 20"),
    "statement_day": (re.compile(r"[1-9]|1\d|2[0-8]"), "a day of the month from 1 to 28"),
    "call_hours": (_HOURS, "hours such as 09:00-12:00"),
    "contact_role": (re.compile("payables|decision_maker|invoice|escalation"), "payables, decision_maker, invoice …"),
    "po_needed": (re.compile("yes|no"), "yes or no"),
    "portal": (re.compile(r"\S.*"), "the portal's name"),
}
"""By name: the shape of its value, and how to say it."""

Kept = TypeVar("Kept", Preference, TextConsent)
PREFERENCES = tuple(_SHAPES)
REACHED_BY = {"email": "email", "sms": "phone", "phone": "phone"}
"""What a customer may opt out of, and the master data's column with its address."""


def set_preference(desk: Desk, debtor: Debtor, name: str, value: str, *, source: str = "debtor") -> Preference:
    """What a customer asked for, from today on.

    Raises:
        UsageError: the preference or its value is not one that the engine can obey.
    """
    desk.require("record a preference", *DESK)
    if name not in _SHAPES:
        raise UsageError(f"{name!r} is no preference.", advice=f"One of: {', '.join(PREFERENCES)}.")
    shape, spoken = _SHAPES[name]
    value = value.strip().lower() if name != "portal" else value.strip()
    if not shape.fullmatch(value):
        raise UsageError(f"{value!r} does not fit the preference {name}.", advice=f"Give {spoken}.")
    if name == "call_hours":
        begin, end = value.split("-")
        if end <= begin:
            raise UsageError(f"The call hours {value} end before they begin.", advice="Give hours such as 09:00-12:00.")
    key = {"debtor_id": int(debtor.id or 0), "name": name}
    chosen, is_new = _keep(desk, Preference, key, {"value": value}, source)
    if not is_new:
        return chosen
    desk.record("preference_set", debtor_id=debtor.id, preference=name)
    return chosen


def _keep(desk: Desk, table: type[Kept], key: dict[str, Any], said: dict[str, Any], source: str) -> tuple[Kept, bool]:
    """What is said under a key: the version that says so already, or a new one; and whether it is new."""
    same = [getattr(table, name) == value for name, value in key.items()]
    present = desk.session.exec(select(table).where(*same, col(table.replaced_at).is_(None))).first()
    if present is not None and all(getattr(present, name) == value for name, value in said.items()):
        return present, False
    told = {**said, "source": source, "actor": desk.person.login}
    if present is not None:
        return succeed(desk.session, present, desk.as_of, desk.now, **told), True
    made = table(**key, **told, valid_from=desk.as_of, recorded_at=desk.now)
    desk.session.add(made)
    desk.session.flush()
    return made, True


def mark_address(
    desk: Desk, case: Case, channel: str, address: str, learned: Learned, cause: str
) -> AddressState | None:
    """What is now known of an address, by the table of `policies.reach`; None when it was known already.

    One that was spelled otherwise until now is still the same.
    """
    country = desk.country(case.debtor_id)
    meant = way_of(channel, address, country)
    marks = desk.session.exec(
        select(AddressState)
        .where(
            AddressState.debtor_id == case.debtor_id,
            AddressState.channel == channel,
            col(AddressState.replaced_at).is_(None),
        )
        .order_by(col(AddressState.id))
    )
    present = next((each for each in marks if way_of(channel, each.address, country) == meant), None)
    before = Known() if present is None else Known(ReachState(present.state), present.missed)
    now = moved(before, learned, desk.pack.channels.doubtful_after)
    if now == before:
        return None
    values: dict[str, Any] = {
        "address": address,
        "state": now.state,
        "missed": now.missed,
        "cause": cause,
        "actor": desk.person.login,
    }
    if present is not None:
        marked = succeed(desk.session, present, desk.as_of, desk.now, **values)
    else:
        marked = AddressState(
            debtor_id=case.debtor_id,
            channel=channel,
            valid_from=desk.as_of,
            recorded_at=desk.now,
            **values,
        )
        desk.session.add(marked)
        desk.session.flush()
    hashed = salted_hash(address, marked.salt)
    desk.record("address_marked", case=case, channel=channel, address=hashed, learned=learned, state=now.state)
    return marked


def opt_out_of(desk: Desk, case: Case, channel: str) -> list[AddressState]:
    """The customer wants nothing more on a channel (`REACHED_BY`); what is new of the addresses that it has.

    Those are the account's own and those of who pays for it, and of the contact persons of both.

    Raises:
        UsageError: there is none.
    """
    desk.require("record an opt-out", *DESK)
    payer = desk.payer(desk.session.get_one(Debtor, case.debtor_id))
    found: set[str] = set()
    for debtor_id in {case.debtor_id, int(payer.id or 0)}:
        profile = desk.profile(debtor_id)
        contacts = desk.session.exec(
            select(ContactPerson).where(ContactPerson.debtor_id == debtor_id, col(ContactPerson.replaced_at).is_(None))
        )
        rows = (*contacts, profile) if profile else contacts.all()
        given = {address for row in rows if (address := getattr(row, REACHED_BY[channel]))}
        if channel == Channel.SMS:
            given = {mobile_number(each, desk.country(debtor_id)) or each for each in given}
        found |= given
    if not found:
        raise UsageError(f"The customer has no address for {channel}.", advice="There is nothing to opt out of.")
    return [mark for each in sorted(found) for mark in opt_out_address(desk, case, channel, each, "asked for it")]


def opt_out_address(desk: Desk, case: Case, channel: str, address: str, cause: str) -> list[AddressState]:
    """The reader of an address wants nothing more there; what is new.

    Of mail, that holds for this creditor's other accounts, too; a number's STOP is looked up when a text would leave.
    """
    cases = [case, *(_others_with(desk, case, address) if channel == Channel.EMAIL else ())]
    marked = [mark_address(desk, each, channel, address, Learned.OPTED_OUT, cause) for each in cases]
    return [each for each in marked if each is not None]


def _others_with(desk: Desk, case: Case, email: str) -> Sequence[Case]:
    """A case of each other account of the creditor that knows an e-mail address.

    Their parties are not locked, which could only be done before ours was: what is about to leave sees the event.
    """
    others = select(Debtor.id).where(
        Debtor.creditor_id == desk.creditor.id,
        Debtor.id != case.debtor_id,
        col(Debtor.id).in_(accounts_with(email)),
    )
    return newest_cases(desk.session, [int(each or 0) for each in desk.session.exec(others)])


def consent_to_texts(desk: Desk, debtor: Debtor, number: str, *, given: bool, source: str) -> TextConsent:
    """Somebody heard that a customer agrees to texts at a number, or takes it back.

    Raises:
        UsageError: the number takes no texts.
    """
    desk.require("record a consent", *DESK)
    mobile = mobile_number(number, desk.country(int(debtor.id or 0)))
    if mobile is None:
        raise UsageError(f"{number!r} takes no texts.", advice="Give a mobile number, such as +31 6 12345678.")
    return record_text_consent(desk, debtor, mobile, given=given, source=source)


def record_text_consent(desk: Desk, debtor: Debtor, mobile: str, *, given: bool, source: str) -> TextConsent:
    """The customer agreed to texts at a number (E.164), or takes it back; once, while it stays so."""
    key = {"debtor_id": int(debtor.id or 0), "number": mobile}
    told, is_new = _keep(desk, TextConsent, key, {"given": given}, source)
    if not is_new:
        return told
    number_hash = salted_hash(mobile, told.salt)
    desk.record("text_consent", debtor_id=debtor.id, number=number_hash, given=given, source=source)
    return told


def set_contact(
    desk: Desk,
    debtor: Debtor,
    name: str,
    role: str,
    *,
    email: str | None = None,
    phone: str | None = None,
    language: str | None = None,
) -> ContactPerson:
    """Whom to write to or call at a debtor, in a role; replaces what was known of that person.

    Raises:
        UsageError: there is no address, or one that cannot be one.
    """
    desk.require("change a contact", *DESK)
    if email is None and phone is None:
        raise UsageError(f"{name!r} has neither e-mail nor phone.", advice="Give at least one.")
    if language is not None and language not in languages():
        raise UsageError(f"{language!r} is no language.", advice="Give an ISO 639 code such as nl or en.")
    require_email(email)
    if phone is not None and re.fullmatch(PHONE_NUMBER, phone) is None:
        raise UsageError(f"{phone!r} is not a phone number.", advice="Give it in digits, such as +31 20 123 4567.")
    present = desk.session.exec(
        select(ContactPerson).where(
            ContactPerson.debtor_id == debtor.id,
            ContactPerson.role == role,
            ContactPerson.name == name,
            col(ContactPerson.replaced_at).is_(None),
        )
    ).first()
    if present is not None:
        chosen = succeed(
            desk.session,
            present,
            desk.as_of,
            desk.now,
            email=email or present.email,
            phone=phone or present.phone,
            language=language or present.language,
        )
    else:
        chosen = ContactPerson(
            debtor_id=int(debtor.id or 0),
            name=name,
            role=role,
            email=email,
            phone=phone,
            language=language,
            valid_from=desk.as_of,
            recorded_at=desk.now,
        )
        desk.session.add(chosen)
        desk.session.flush()
    end_repairs_of(desk, debtor)
    desk.record("contact_changed", debtor_id=debtor.id, contact=chosen.id, role=role)
    return chosen
