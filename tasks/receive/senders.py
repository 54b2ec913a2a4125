"""Who answers: the customer, as far as an address tells, or anybody who cares to write to us."""

import re

from sqlmodel import col, func, or_, select

from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Debtor, Message
from tasks.desk import Desk
from tasks.whose import accounts_with

SHARED_DOMAIN = re.compile(
    r"(?:aol|aon|bluewin|btinternet|casema|chello|comcast|fastmail|free|freenet|gmail|gmx|googlemail|hetnet|home|"
    r"hotmail|icloud|kpnmail|kpnplanet|laposte|libero|live|mac|mail|me|msn|o2|onet|online|orange|outlook|planet|pm|"
    r"posteo|proton|protonmail|proximus|quicknet|scarlet|seznam|sfr|skynet|t-online|tele2|telenet|telfort|telia|"
    r"tiscali|upcmail|versatel|virgilio|virginmedia|voo|wanadoo|web|wp|xs4all|yahoo|yandex|ymail|zeelandnet|ziggo)"
    r"\.(?:[a-z]{2,3}|co\.[a-z]{2}|com\.[a-z]{2})"
)
"""Domains at which strangers have mailboxes, so that being at the same one makes nobody a colleague."""


def is_of_customer(desk: Desk, message: Message, sender: str) -> bool:
    """Whether an address (in lower case) is one of who got a message: the recipient, a colleague at the same domain, or
    one that the account or who pays for it has, as master data, as a contact, or for mails of before.
    """
    recipient = message.recipient.lower()
    domain = recipient.rpartition("@")[2]
    if sender == recipient or (sender.rpartition("@")[2] == domain and not SHARED_DOMAIN.fullmatch(domain)):
        return True
    debtor = desk.session.get_one(Debtor, message.debtor_id)
    people = {debtor.id, desk.payer(debtor).id}
    has = select(Debtor.id).where(col(Debtor.id).in_(people), col(Debtor.id).in_(accounts_with(sender)))
    written_to = select(Message.id).where(
        col(Message.debtor_id).in_(people),
        Message.channel == Channel.EMAIL,
        func.lower(Message.recipient) == sender,
        col(Message.sent_on).is_not(None),
    )
    return desk.session.exec(select(or_(has.exists(), written_to.exists()))).one()
