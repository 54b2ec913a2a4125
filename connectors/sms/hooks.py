"""What Twilio calls back with: is it Twilio who calls, what became of a text, and what a customer texted.

Everything here is a function of its arguments; the console gives them and acts on what they say.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from twilio.request_validator import RequestValidator

from connectors.sms.errors import ERRORS
from connectors.sms.phones import e164
from maatpak.kernel.words import EvidenceKind, ReachState

STATUS_PATH = "/hooks/twilio/status"
INCOMING_PATH = "/hooks/twilio/incoming"
REF = "ref"
"""Name in the query of a status callback: the reference of the message that it is about."""


class TextState(StrEnum):
    """How far a text has come, in Twilio's words."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    PARTIALLY_DELIVERED = "partially_delivered"
    CANCELED = "canceled"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    READ = "read"


_ARRIVED = frozenset({TextState.DELIVERED, TextState.READ})
_LOST = frozenset({TextState.CANCELED, TextState.FAILED, TextState.UNDELIVERED})
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_CODE = 9
"""Digits of an error code; Twilio's have five."""


@dataclass(frozen=True, slots=True)
class TextReport:
    """What a status callback says of a text."""

    service_ref: str
    """The SID that the service gave when it took it."""
    state: TextState
    error_code: int | None
    address: ReachState | None
    """What it says of the number; nothing where the number is not why."""
    evidence: EvidenceKind | None
    """Delivered, or bounced; nothing while it is under way."""


class Word(StrEnum):
    """What a customer asks for with one word."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class IncomingText:
    """What a customer texted."""

    service_ref: str
    sender: str
    """The customer's number in E.164 form."""
    recipient: str
    """Our number that it came to."""
    body: str
    word: Word | None
    """What the whole of it asks for; nothing where it is an answer."""


# fmt: off
WORDS: dict[Word, frozenset[str]] = {
    Word.STOP: frozenset({
        "stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout",
        "stopsms", "smsstop", "stopstop", "stopplease",
        "afmelden", "afmelding", "uitschrijven", "uit", "stoppen", "beeindigen", "stopaub",
        "stopp", "abmelden", "abmeldung", "abbestellen", "austragen", "aus", "ende", "stopbitte",
        "arret", "arreter", "arretez", "desabonner", "sedesabonner", "medesabonner", "desabonnement",
        "desinscrire", "desinscription", "stopsvp",
    }),
    Word.START: frozenset({
        "start", "unstop", "subscribe", "aan", "aanmelden", "an", "anmelden", "abonner", "reprendre",
    }),
    Word.HELP: frozenset({"help", "info", "hulp", "hilfe", "aide"}),
}
# fmt: on
"""Twilio's own words of English, and those of Dutch, German and French, without accents.

`YES` is left out: to a question of ours it is an answer, and where Twilio takes it for a START it says so itself."""


def status_url(public_url: str, message_ref: str) -> str:
    """Where the service is to report what becomes of a message. It is signed with its query, and verified with it.

    The reference tells which message it is also when the connection was lost before the SID came.
    """
    return f"{public_url}{STATUS_PATH}?{REF}={quote(message_ref, safe='@')}"


def verified(url: str, params: Mapping[str, str], signature: str | None, token: str) -> bool:
    """Whether Twilio signed a call with this account's token.

    `url` is the one Twilio was given, with its query: built from the setting `public_url` and the path, never from the
    host that the request names. `params` are all fields of the posted form, whatever Twilio adds to them.
    """
    if not signature or not token:
        return False
    return bool(RequestValidator(token).validate(url, dict(params), signature))


def read_status(params: Mapping[str, str]) -> TextReport | None:
    """The report of a status callback; nothing where it names no text, or a state or code that none can be."""
    reference = _reference(params)
    try:
        state = TextState(params.get("MessageStatus") or params.get("SmsStatus") or "")
    except ValueError:
        return None
    code = params.get("ErrorCode", "")
    if reference is None or len(code) > _LONGEST_CODE:
        return None
    lost = state in _LOST
    error = ERRORS.get(int(code)) if lost and code.isdecimal() else None
    return TextReport(
        service_ref=reference,
        state=state,
        error_code=int(code) if lost and code.isdecimal() and int(code) else None,
        address=error.address if error else None,
        evidence=EvidenceKind.BOUNCED if lost else EvidenceKind.DELIVERED if state in _ARRIVED else None,
    )


def read_incoming(params: Mapping[str, str]) -> IncomingText | None:
    """What a customer texted; nothing where it names no text or no number.

    Twilio's own reading (`OptOutType`, of messaging services) goes first. It also takes `YES` for a START, which of
    somebody who has not stopped is an answer: `read_word` does not know it.
    """
    reference = _reference(params)
    sender = e164(params.get("From"))
    if reference is None or sender is None:
        return None
    body = params.get("Body", "")
    theirs = params.get("OptOutType", "").lower()
    word = Word(theirs) if theirs in set(Word) else read_word(body)
    return IncomingText(reference, sender, params.get("To", ""), body, word)


def read_word(body: str) -> Word | None:
    """The word that a text consists of, in any case, with any accents and signs; nothing for a sentence with it."""
    letters = "".join(sign for sign in unicodedata.normalize("NFKD", body).casefold() if sign.isalnum())
    return next((word for word, meant in WORDS.items() if letters in meant), None)


def _reference(params: Mapping[str, str]) -> str | None:
    reference = params.get("MessageSid") or params.get("SmsSid") or ""
    return reference if _SID.fullmatch(reference) else None
