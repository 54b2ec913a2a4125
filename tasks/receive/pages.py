"""The page that a customer opens without a login: what it may show, and what was said on it put on the case, once.

What the customer says of the money is an answer, as in a mail: it lies on the case until a person has read it, and
nobody writes meanwhile. How they want to be reached is obeyed at once. Reading the page changes nothing, for programs
that look at mails open every link in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, func, select

from maatpak.kernel.ids import canonical_json, content_hash
from maatpak.kernel.links import reference_in
from maatpak.kernel.words import Channel, EvidenceKind
from maatpak.ledger.tables import (
    AddressState,
    Case,
    ContactPerson,
    Creditor,
    Debtor,
    Incoming,
    Message,
    Preference,
)
from policies.render import templates_of
from tasks.answers import record_answer
from tasks.compose.recipients import Customer, customer_of
from tasks.desk import CUSTOMER, Desk, desk_in
from tasks.preferences import opt_out_of, set_preference
from tasks.receive.arriving import Arrival, Taken, recorded
from tasks.receive.matching import Owner
from tasks.receive.observing import Observation, observe

if TYPE_CHECKING:
    from tasks.engine import Engine

VALID = timedelta(days=180)
"""So long a message's page can be opened."""
MOST_A_DAY = 10
"""Forms taken of one message in 24 hours; a customer has no need of more."""
KIND = "page"


@dataclass(frozen=True)
class Page:
    """What the page of a message may show: whose it is and what there is to choose, and nothing of the money."""

    creditor: str
    contact: tuple[str, ...]
    """The creditor's e-mail address and phone number, those there are."""
    written_on: date
    today: date
    """The creditor's business date."""
    language: str
    """Of the message."""
    languages: tuple[str, ...]
    """Those that the creditor writes in."""
    channels: tuple[Channel, ...]
    """Those on which the customer can be reached now."""
    preferred: Channel | None
    """Which of them is used first; None if none of them is."""


@dataclass(frozen=True)
class Said:
    """What a customer sends from the page."""

    form: str
    """The mark of the form that was sent: the same one sent twice is one."""
    words: str = ""
    """All that a person is to read, in the customer's words; empty: nothing."""
    codes: tuple[str, ...] = ()
    """What of the choices was taken, for the record: `paid`, `wrong_person` …"""
    channel: Channel | None = None
    language: str | None = None
    stop: frozenset[Channel] = field(default_factory=frozenset)
    """Channels on which no more is to come: e-mail or texts."""


def read_page(engine: "Engine", token: str, now: datetime) -> Page | None:
    """What the page of a token shows; None where it is none of ours, or its message is too old."""
    reference = reference_in(engine.link_key, token)
    if reference is None:
        return None
    with engine.database.reading() as session:
        message = _message(session, reference, now)
        creditor = session.get(Creditor, message.creditor_id) if message is not None else None
        if message is None or creditor is None or creditor.business_date is None:
            return None
        at = desk_in(session, engine, message.creditor_id, CUSTOMER, creditor.business_date, now)
        customer = _customer(at, session.get_one(Debtor, message.debtor_id))
        channels = tuple(each.channel for each in customer.reaches) if customer is not None else ()
        return Page(
            creditor=creditor.name,
            contact=tuple(each for each in (creditor.email, creditor.phone) if each),
            written_on=message.sent_on or message.business_date,
            today=creditor.business_date,
            language=message.language,
            languages=templates_of(at.pack).languages,
            channels=channels,
            preferred=customer.preferred if customer is not None and customer.preferred in channels else None,
        )


def record_page(engine: "Engine", token: str, said: Said, now: datetime) -> bool:
    """Put what was said where it belongs, once however often one form says it.

    False where the message's page was used too often today.

    Raises:
        RefusedError: the creditor began another day just now: try again.
    """
    reference = reference_in(engine.link_key, token)
    with engine.database.reading() as session:
        message = _message(session, reference, now) if reference is not None else None
        if message is None:
            return False
        owner = Owner(message.creditor_id, message.case_id, message.id)
        arrival = Arrival(
            key=content_hash(["page", message.message_ref, _plain(said)]),
            channel=Channel(message.channel),
            kind=KIND,
            content=canonical_json(_plain(said)).encode(),
            received_at=now,
        )
        if _used_too_often(session, owner, arrival.key, now):
            return False
    with recorded(engine, arrival, owner, now, by=CUSTOMER) as taken:
        if taken is not None:
            _put(taken, said)
    return True


def _message(session: Session, reference: str, now: datetime) -> Message | None:
    found = session.exec(select(Message).where(col(Message.message_ref).startswith(f"{reference}@"))).first()
    return None if found is None or found.queued_at + VALID < now else found


def _used_too_often(session: Session, owner: Owner, key: str, now: datetime) -> bool:
    used = select(func.count(col(Incoming.id))).where(
        Incoming.message_id == owner.message_id,
        Incoming.kind == KIND,
        Incoming.incoming_key != key,
        col(Incoming.received_at) > now - timedelta(days=1),
    )
    return session.exec(used).one() >= MOST_A_DAY


def _customer(desk: Desk, debtor: Debtor) -> Customer | None:
    """Who is written to about a debtor, with every way to reach them; None of whom nothing is known."""
    payer = desk.payer(debtor)
    profile = desk.profile(int(payer.id or 0))
    if profile is None:
        return None
    preferences = {each.name: each.value for each in _current(desk, Preference, [payer])}
    return customer_of(
        debtor.debtor_no,
        profile.model_dump(),
        [each.model_dump() for each in _current(desk, ContactPerson, [payer])],
        [each.model_dump() for each in _current(desk, AddressState, [debtor, payer])],
        preferences,
        "payables",
        desk.creditor.country,
        desk.creditor.language,
    )


def _current(desk: Desk, table: Any, debtors: Sequence[Debtor]) -> Sequence[Any]:
    """The present rows of some debtors in a table of versions."""
    ids = {each.id for each in debtors}
    wanted = select(table).where(col(table.debtor_id).in_(ids), col(table.replaced_at).is_(None))
    return desk.session.exec(wanted.order_by(col(table.id))).all()


def _put(taken: Taken, said: Said) -> None:
    desk, case = taken.desk, taken.case
    message = desk.session.get_one(Message, taken.owner.message_id)
    observe(desk, case, message, Observation(EvidenceKind.LINK_USED, None, KIND), taken.number)
    _obey(desk, case, said)
    if said.words:
        record_answer(
            desk,
            case,
            Channel(message.channel),
            answer_no=taken.number,
            message_ref=message.message_ref,
            content=said.words.encode(),
        )
    desk.record("page_sent", case=case, incoming=taken.number, message=message.id, said=list(said.codes))


def _obey(desk: Desk, case: Case, said: Said) -> None:
    """How they want to be reached; a channel that is to be silent is not one to prefer."""
    payer = desk.payer(desk.session.get_one(Debtor, case.debtor_id))
    if said.channel is not None and said.channel not in said.stop:
        set_preference(desk, payer, "channel", said.channel, source=KIND)
    if said.language is not None:
        set_preference(desk, payer, "language", said.language, source=KIND)
    for channel in sorted(said.stop):
        opt_out_of(desk, case, channel)


def _plain(said: Said) -> Mapping[str, Any]:
    return {
        "form": said.form,
        "words": said.words,
        "codes": list(said.codes),
        "channel": said.channel,
        "language": said.language,
        "stop": sorted(said.stop),
    }
