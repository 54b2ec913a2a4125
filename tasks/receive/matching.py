"""Whose is it? Which message of ours something is about, or which account it came from."""

import re
from dataclasses import dataclass, replace

from sqlmodel import Session, col, func, select

from connectors.inbox.incoming import Incoming as Mail
from connectors.mail.envelope import ReturnPath
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import AddressState, Case, ContactPerson, Creditor, Debtor, DebtorProfile, Message
from tasks.compose.recipients import mobile_number
from tasks.compose.reference import SHORT
from tasks.whose import accounts_with, newest_cases

LAST_DIGITS = 8
"""So many are the same however a number is written, with or without what stands before them."""
_REFERENCE = re.compile(rf"\b[0-9a-f]{{{SHORT}}}\b")


@dataclass(frozen=True)
class Owner:
    """The case that it belongs to, and the message that it is about, if it is about one."""

    creditor_id: int
    case_id: int
    message_id: int | None = None
    by_return_path: bool = False
    """Whether it came by the signed return path of that message, and does not only name it."""


def owner_of_mail(session: Session, path: ReturnPath | None, mail: Mail) -> Owner | None:
    """By the return path, which nobody can make up; else by the message that it names, also in its subject; else by the
    address it is from.

    A report is not believed about a message that it only names, unless we have no return path of our own.
    """
    if path is not None:
        for address in mail.envelope_to:
            token = path.token(address)
            if token is not None:
                found = _message(session, col(Message.message_ref).startswith(f"{token}@"))
                return None if found is None else replace(_of(found), by_return_path=True)
    if path is None or not mail.results:
        for reference in mail.about:
            found = _message(session, col(Message.message_ref) == reference)
            if found is not None:
                return _of(found)
    if mail.results:
        return None
    return _named(session, mail.subject) or _owner_of_address(session, mail.sender, mail.envelope_to)


def _named(session: Session, subject: str) -> Owner | None:
    """The one message whose reference, as letters print it, stands in a subject."""
    for reference in _REFERENCE.findall(subject.lower()):
        found = session.exec(select(Message).where(col(Message.message_ref).startswith(reference)).limit(2)).all()
        if len(found) == 1:
            return _of(found[0])
    return None


def _owner_of_address(session: Session, address: str, to: tuple[str, ...]) -> Owner | None:
    """The account to which we last wrote at an address; else the only one whose address it is.

    Of several creditors' accounts, those of a creditor to whose address (`to`) it was written go before.
    """
    if not address:
        return None
    sent = session.exec(
        select(Message)
        .join(Creditor, col(Creditor.id) == col(Message.creditor_id))
        .where(
            Message.channel == Channel.EMAIL,
            func.lower(Message.recipient) == address,
            col(Message.sent_on).is_not(None),
        )
        .order_by(func.lower(Creditor.email).in_(to).desc().nulls_last(), col(Message.id).desc())
        .limit(1)
    ).first()
    if sent is not None:
        return Owner(sent.creditor_id, sent.case_id)
    debtors = session.exec(select(Debtor).where(col(Debtor.id).in_(accounts_with(address))).limit(2)).all()
    if len(debtors) != 1:
        return None
    case = session.exec(select(Case).where(Case.debtor_id == debtors[0].id).order_by(col(Case.id).desc())).first()
    return None if case is None or case.id is None else Owner(case.creditor_id, case.id)


def owner_of_message(session: Session, message_ref: str | None, service_ref: str) -> Owner | None:
    """By our reference, else by the service's number."""
    for condition in (col(Message.message_ref) == message_ref, col(Message.service_ref) == service_ref):
        found = _message(session, condition)
        if found is not None:
            return _of(found)
    return None


def owners_of_number(session: Session, number: str, *, untexted: bool = False) -> list[Owner]:
    """The accounts to which we texted at a number (E.164), each once, the last one first; then those that have it."""
    sent = session.exec(
        select(Message)
        .where(Message.channel == Channel.SMS, Message.recipient == number)
        .order_by(col(Message.id).desc())
    )
    owners: dict[int, Owner] = {}
    for each in sent:
        owners.setdefault(each.debtor_id, Owner(each.creditor_id, each.case_id))
    if untexted:
        for case in newest_cases(session, _debtors_with(session, number)):
            owners.setdefault(case.debtor_id, Owner(case.creditor_id, int(case.id or 0)))
    return list(owners.values())


def owners_who_stopped(session: Session, number: str) -> list[Owner]:
    """The accounts that want no more texts at a number (E.164), whether it is theirs by now or not."""
    stopped = select(AddressState.debtor_id).where(
        AddressState.channel == Channel.SMS,
        AddressState.address == number,
        AddressState.state == ReachState.OPTED_OUT,
        col(AddressState.replaced_at).is_(None),
    )
    return [Owner(each.creditor_id, int(each.id or 0)) for each in newest_cases(session, session.exec(stopped).all())]


def _debtors_with(session: Session, number: str) -> set[int]:
    """The accounts whose number it is, by the master data or of a contact person."""
    found: set[int] = set()
    for table in (DebtorProfile, ContactPerson):
        digits = func.right(func.regexp_replace(table.phone, r"\D", "", "g"), LAST_DIGITS)
        spelled = (
            select(table.debtor_id, table.phone, DebtorProfile.country)
            .select_from(table)
            .where(digits == number[-LAST_DIGITS:], col(table.replaced_at).is_(None))
        )
        if table is ContactPerson:
            spelled = spelled.join(DebtorProfile, col(DebtorProfile.debtor_id) == col(table.debtor_id)).where(
                col(DebtorProfile.replaced_at).is_(None)
            )
        found |= {debtor for debtor, phone, country in session.exec(spelled) if mobile_number(phone, country) == number}
    return found


def _message(session: Session, condition: object) -> Message | None:
    return session.exec(select(Message).where(condition).limit(1)).first()  # type: ignore[arg-type]


def _of(message: Message) -> Owner:
    return Owner(message.creditor_id, message.case_id, message.id)
