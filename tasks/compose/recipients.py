"""Who a message goes to: the addresses that a customer has, and what is known of each.

An address that is dead or opted out is not there; why not is kept for whoever asks why a message went another way.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

import phonenumbers
from babel.core import Locale, UnknownLocaleError

from connectors.message import ADDRESS_LINES, Correspondent
from maatpak.kernel.reasons import SwitchReason
from maatpak.kernel.words import Channel, ReachState
from tasks.compose.reading import Row

ROLE_ORDER: dict[str, tuple[str, ...]] = {
    "payables": ("payables", "invoice"),
    "invoice": ("invoice", "payables"),
    "decision_maker": ("decision_maker", "escalation", "payables"),
    "escalation": ("escalation", "decision_maker", "payables"),
}
"""Contact roles in the order in which they are looked for."""
LETTERS = ("payables", "invoice")
"""Roles that the customer's own preference may replace."""
UNMARKED: Row = {"state": ReachState.UNPROVEN, "cause": None, "valid_from": None}
"""What is known of an address of which nothing was learned."""
UNUSABLE = frozenset({ReachState.DEAD, ReachState.OPTED_OUT})
POSTCODE_LAST = frozenset({"GB", "IE"})
"""Countries that write the postcode on a line of its own, below the town."""
NO_ADDRESS, OPTED_OUT = "no_address", "opted_out"

_MAIL = re.compile(r"[!-?A-~]+@[^\s@<>\"(),:;\\\[\]]+")
_MOBILE = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})


@dataclass(frozen=True)
class Reach:
    """One way to a customer."""

    channel: Channel
    address: str
    """As the message row and the address states name it."""
    person: Correspondent
    state: ReachState
    cause: str | None = None
    """What made it so, and since when, if anything was said of it."""
    since: date | None = None


@dataclass(frozen=True)
class Hindrance:
    """Why a channel cannot be used."""

    reason: SwitchReason
    cause: str | None = None
    """What was said of the address: codes, without names."""
    since: date | None = None


@dataclass(frozen=True)
class Customer:
    """A customer with every usable way to it, for messages to one contact role."""

    name: str
    number: str
    kind: str
    country: str
    contact_name: str
    language: str | None
    time_zone: str | None
    preferred: Channel
    reaches: tuple[Reach, ...]
    opted_out: bool
    hindered: Mapping[Channel, Hindrance] = field(default_factory=dict)
    """Why there is no way over a channel of which an address is known."""

    def reach(self, channel: Channel) -> Reach | None:
        """The way over a channel, if there is one."""
        return next((each for each in self.reaches if each.channel is channel), None)


def customer_of(
    debtor_no: str,
    profile: Row,
    contacts: Sequence[Row],
    states: Sequence[Row],
    preferences: Mapping[str, str],
    role: str,
    creditor_country: str,
    creditor_language: str,
) -> Customer:
    """The customer as the messages to one contact role see it."""
    if role in LETTERS:
        role = preferences.get("contact_role", role)
    person = next((each for wanted in ROLE_ORDER[role] for each in contacts if each["role"] == wanted), None)
    known = known_ways(states, profile["country"])
    contact = person["name"] if person else profile["contact_name"] or ""
    base = Correspondent(name=contact or profile["name"])
    found: list[Reach] = []
    hindered: dict[Channel, Hindrance] = {}

    def offer(channel: Channel, address: str | None, correspondent: Correspondent) -> bool:
        if address is None:
            return False
        mark = known.get((channel, _key(address)), UNMARKED)
        state, cause, since = ReachState(mark["state"]), mark["cause"], mark["valid_from"]
        if state in UNUSABLE:
            hindered[channel] = Hindrance(SwitchReason(state), cause, since)
            return False
        found.append(Reach(channel, address, correspondent, state, cause, since))
        return True

    for mail in ((person or {}).get("email"), profile["email"]):
        address = mail_address(mail)
        if offer(Channel.EMAIL, address, replace(base, email=address)):
            break
    for phone in ((person or {}).get("phone"), profile["phone"]):
        number = mobile_number(phone, profile["country"])
        if offer(Channel.SMS, number, replace(base, phone=number)):
            break
    attention = [contact] if contact and contact != profile["name"] else []
    place = _place(profile, creditor_country, creditor_language, ADDRESS_LINES - 1 - len(attention))
    envelope = replace(base, lines=(profile["name"], *attention, *place))
    offer(Channel.POST, ", ".join(place) or None, envelope)
    return Customer(
        name=profile["name"],
        number=debtor_no,
        kind=profile["kind"],
        country=profile["country"],
        contact_name=contact if contact != profile["name"] else "",
        language=preferences.get("language") or (person or {}).get("language") or profile["language"],
        time_zone=profile["time_zone"],
        preferred=Channel(preferences.get("channel") or profile["preferred_channel"]),
        reaches=tuple(found),
        opted_out=not found and any(each.reason is SwitchReason.OPTED_OUT for each in hindered.values()),
        hindered=hindered,
    )


def nowhere(customer: Customer, channel: Channel) -> Reach:
    """A way to a customer over a channel of which no usable address is known: an empty one, for previews."""
    person = Correspondent(customer.contact_name or customer.name, lines=(customer.name,))
    return Reach(channel, "", person, ReachState.DEAD)


def phone_known(profile: Row, contacts: Sequence[Row], states: Sequence[Row]) -> bool:
    """Whether there is a number to ring: the fact of that name, by which a call becomes work or a letter."""
    numbers = {_digits(each["phone"]) for each in (profile, *contacts) if each["phone"] is not None}
    marked: dict[str, list[ReachState]] = {}
    for each in states:
        if each["channel"] == "phone":
            marked.setdefault(_digits(each["address"]), []).append(ReachState(each["state"]))
    found = {state for number in numbers for state in marked.get(number, [ReachState.UNPROVEN])}
    return ReachState.OPTED_OUT not in found and bool(found - UNUSABLE)


@lru_cache(maxsize=65536)
def way_of(channel: str, address: str, country: str) -> tuple[Channel, str]:
    """The channel and address that a mark speaks of, however it is written; a telephone's holds for texts, too."""
    if channel in ("phone", Channel.SMS):
        number = _number(address, country)
        return Channel.SMS, _digits(address) if number is None else _e164(number)
    return Channel(channel), _key(address if channel == Channel.POST else mail_address(address) or address)


def known_ways(marks: Iterable[Row], country: str) -> dict[tuple[Channel, str], Row]:
    """What is known of each way to a customer; that it cannot be used weighs more than anything else."""
    known: dict[tuple[Channel, str], Row] = {}
    for each in marks:
        way = way_of(each["channel"], each["address"], country)
        if way not in known or known[way]["state"] not in UNUSABLE:
            known[way] = each
    return known


def marks_for(own: Sequence[Row], of_payer: Sequence[Row], country: str) -> list[Row]:
    """What is known of the addresses of who pays, for one account. What became of a message is told of the account
    that it was about, and weighs more."""

    def said_of(mark: Row) -> tuple[str, str]:
        return mark["channel"], way_of(mark["channel"], mark["address"], country)[1]

    told = {said_of(each) for each in own}
    return [*own, *(each for each in of_payer if said_of(each) not in told)]


def unknown_profile(row: Row, creditor: Row) -> Row:
    """A customer of whom the master data says nothing has no address."""
    missing = ("email", "phone", "street", "postal_code", "city", "contact_name", "time_zone")
    return {
        **dict.fromkeys((*missing, "manager_name", "manager_login")),
        "name": row["debtor_no"],
        "kind": "business",
        "country": creditor["country"],
        "language": creditor["language"],
        "preferred_channel": Channel.EMAIL,
    }


def mail_address(text: str | None) -> str | None:
    """An address that mail servers take, in plain ASCII; None for what is none."""
    text = (text or "").strip()
    if not _MAIL.fullmatch(text):
        return None
    if text.isascii():
        return text
    local, _, domain = text.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None


@lru_cache(maxsize=65536)
def mobile_number(text: str | None, country: str) -> str | None:
    """A number that takes texts, in E.164 form; None for what is none."""
    number = _number(text or "", country)
    return _e164(number) if number is not None and phonenumbers.number_type(number) in _MOBILE else None


def _number(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _place(profile: Row, home: str, language: str, room: int) -> list[str]:
    """Street, town and, from abroad, the country, in so many lines at most; nothing when it is not whole."""
    street, postcode, town = (str(profile[name] or "").strip() for name in ("street", "postal_code", "city"))
    if not street or not town:
        return []
    towns = [town, postcode] if profile["country"] in POSTCODE_LAST else [f"{postcode} {town}".strip()]
    abroad = [_country(profile["country"], language)] if profile["country"] != home else []
    below = [*(each for each in towns if each), *abroad]
    streets = [each.strip() for each in street.splitlines() if each.strip()]
    most = min(2, room - len(below))
    if len(streets) > most:
        streets = [*streets[: most - 1], ", ".join(streets[most - 1 :])]
    return [*streets, *below]


@lru_cache(maxsize=1024)
def _country(code: str, language: str) -> str:
    try:
        return str(Locale.parse(language).territories.get(code, code)).upper()
    except (UnknownLocaleError, ValueError):
        return code


def _key(address: str) -> str:
    """Addresses that only differ in case and spaces are one."""
    return "".join(address.lower().split())


def _digits(number: str) -> str:
    """Phone numbers that only differ in how they are spaced are one."""
    return re.sub(r"[^0-9+]", "", number)
