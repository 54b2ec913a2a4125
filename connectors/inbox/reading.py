"""From the bytes of a mail that arrived to what it is and says. The same bytes always give the same."""

import re
from datetime import datetime

from connectors.inbox.amazon import notification
from connectors.inbox.automatic import is_automatic
from connectors.inbox.bounces import bounce_results
from connectors.inbox.complaints import is_complaint
from connectors.inbox.incoming import Incoming, IncomingKind, Result
from connectors.inbox.parts import Mail, address, addresses, instant, message_ids, take_apart
from connectors.inbox.reports import delivery_results, disposition_results, originals
from connectors.inbox.words import own_words

ENVELOPE = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
ENCLOSED = (
    "message/rfc822",
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/partial",
    "message/global",
    "message/global-headers",
)
QUOTED_ID = re.compile(r"^[ \t>]*Message-Id\s{0,9}:\s{0,99}(<[^<>\s]{1,500}>)", re.I | re.M)
MOST_IDS = 50


def read_mail(content: bytes) -> Incoming:
    """What a mail is, whom and which message of ours it is about, and what it says.

    Args:
        content: the whole mail as it came; anything is read, and nothing raises.
    """
    mail = take_apart(content)
    told = notification(mail)
    if told:
        kind = IncomingKind.COMPLAINT if told.complaint else IncomingKind.REPORT
        results, about = told.results, told.about
    else:
        kind, results = _kind(mail)
        about = _about(mail)
    written = own_words(mail.text) if kind in (IncomingKind.ANSWER, IncomingKind.AUTO_REPLY) else mail.text.strip()
    return Incoming(
        kind=kind,
        message_id=next(iter(message_ids(mail.first("message-id"))), ""),
        sender=address(mail.first("from")),
        envelope_to=tuple(
            dict.fromkeys(
                each for name in ENVELOPE for value in mail.headers.get(name, ()) for each in addresses(value)
            )
        )[:MOST_IDS],
        about=about[:MOST_IDS],
        subject=mail.first("subject"),
        text=written,
        received_at=_received_at(mail),
        results=results,
    )


def _kind(mail: Mail) -> tuple[IncomingKind, tuple[Result, ...]]:
    """What it is; standards first, and what only looks like something last."""
    if is_complaint(mail):
        return IncomingKind.COMPLAINT, ()
    results = delivery_results(mail) or disposition_results(mail) or bounce_results(mail)
    if results:
        return IncomingKind.REPORT, results
    return (IncomingKind.AUTO_REPLY if is_automatic(mail) else IncomingKind.ANSWER), ()


def _about(mail: Mail) -> tuple[str, ...]:
    """Of the original, if the mail holds or names one, else of the conversation."""
    enclosed = [
        found
        for part in mail.of_kind(*ENCLOSED)
        for value in (*part.headers.get("message-id", ()), *QUOTED_ID.findall(part.text)[:1])
        for found in message_ids(value)
    ]
    named = originals(mail)
    quoted = [found for value in QUOTED_ID.findall(mail.text) for found in message_ids(value)]
    conversation = [
        *message_ids(mail.first("in-reply-to")),
        *reversed(message_ids(mail.first("references"))),
    ]
    return tuple(dict.fromkeys(enclosed or named or quoted or conversation))


def _received_at(mail: Mail) -> datetime | None:
    return instant(mail.first("received").rpartition(";")[2]) or instant(mail.first("date"))
