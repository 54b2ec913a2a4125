"""Twilio's error codes, sorted by what is to be done, and the outcome of an error that the service answers.

Each code is described at https://www.twilio.com/docs/api/errors/CODE, as read in November 2026; `words` are ours, since
the service's own may name a number and are shown where no personal data may be. Only what stops every text is the
account's: what stops those to one country would otherwise keep all others from leaving.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from connectors.outcome import Blame, Failed, NoService, Outcome, Unknown
from maatpak.kernel.words import ReachState

NO_LOGIN = 401
NOT_FOUND = 404
PASSING = frozenset({403, 408, 429})
"""Statuses of the account or of too many texts: nothing that this text is to blame for."""

LOGIN = "Correct MAATPAK_SMS_ACCOUNT and MAATPAK_SMS_TOKEN: the service for texts refuses them."
ADDRESS = "Correct MAATPAK_SMS_URL and MAATPAK_SMS_ACCOUNT: the service for texts knows no such account."
STANDING = "See to the account at the service for texts: it is suspended, closed or out of credit."
SENDER = "Correct MAATPAK_SMS_SENDER: the account at the service for texts may not send from it."
CALLBACK = "Correct MAATPAK_PUBLIC_URL: the service for texts cannot call it back."
LIMIT = "Ask the service for texts for a higher daily limit; what waits goes tomorrow."


class ErrorClass(StrEnum):
    """What an error asks for."""

    RETRY = "retry"
    """Send it again later: the service, the network or the telephone was not ready."""
    BAD_NUMBER = "bad_number"
    """Write to another number: this one takes no texts."""
    BLOCKED = "blocked"
    """Use another way: the customer, an operator or a country's rules refuse our texts."""
    ACCOUNT = "account"
    """Mend the account or the settings: until then nothing goes."""


@dataclass(frozen=True, slots=True)
class TextError:
    """One code."""

    code: int
    kind: ErrorClass
    words: str
    address: ReachState | None = None
    """What it says of the number."""
    mend: str = ""
    """What to mend, of an error of the account."""
    blame: Blame = Blame.MESSAGE


def _table(errors: Iterable[TextError]) -> dict[int, TextError]:
    return {error.code: error for error in errors}


def _retry(code: int, words: str, address: ReachState | None = None) -> TextError:
    return TextError(code, ErrorClass.RETRY, words, address)


def _busy(code: int, words: str) -> TextError:
    return TextError(code, ErrorClass.RETRY, words, blame=Blame.SERVICE)


def _bad(code: int, words: str) -> TextError:
    return TextError(code, ErrorClass.BAD_NUMBER, words, ReachState.DEAD)


def _blocked(code: int, words: str, address: ReachState | None = None) -> TextError:
    return TextError(code, ErrorClass.BLOCKED, words, address)


def _account(code: int, words: str, mend: str) -> TextError:
    return TextError(code, ErrorClass.ACCOUNT, words, mend=mend)


ERRORS = _table(
    [
        _busy(20429, "too many requests at once"),
        _busy(20503, "the service is unavailable"),
        _busy(21611, "too many texts of this sender wait"),
        _busy(21730, "the service is being maintained"),
        _busy(30001, "the queue of the sender overflowed"),
        _retry(30003, "the telephone could not be reached", ReachState.DOUBTFUL),
        _retry(30008, "the operator gave no reason"),
        _retry(30017, "the operator's network was congested"),
        _retry(30022, "more texts than the operator takes at once"),
        _retry(30036, "it waited longer than it was valid"),
        _retry(30410, "the operator did not answer in time"),
        _bad(21211, "not a telephone number"),
        _bad(21214, "the number cannot be reached"),
        _bad(21217, "not a valid telephone number"),
        _bad(21604, "no number to send to"),
        _bad(21614, "not a mobile number"),
        _bad(21635, "a landline"),
        _bad(30005, "the number is not in use"),
        _bad(30006, "a landline, or an operator that cannot be reached"),
        _blocked(21408, "texts to this country are not enabled for the account"),
        _blocked(21608, "a trial account writes to verified numbers only"),
        _blocked(21610, "the customer has opted out", ReachState.OPTED_OUT),
        _blocked(21612, "this sender cannot reach this number"),
        _blocked(21657, "the sender is not allowed in this country"),
        _blocked(30004, "blocked by the telephone or its operator", ReachState.DOUBTFUL),
        _blocked(30007, "filtered by the operator or the service"),
        _blocked(30018, "the country wants the sender registered first"),
        _blocked(30024, "the operator does not know the sender yet"),
        _blocked(30032, "the toll-free sender is not verified"),
        _blocked(30034, "the sender is not registered for this country"),
        _account(10001, "the account is not active", STANDING),
        _account(20003, "the login was refused", LOGIN),
        _account(20005, "the account is not active", STANDING),
        _account(20008, "the login is for tests only", LOGIN),
        _account(20403, "the account is suspended or closed", STANDING),
        _account(20404, "there is no such account", ADDRESS),
        _account(21212, "not a sender", SENDER),
        _account(21401, "not a sender of texts", SENDER),
        _account(21603, "no sender", SENDER),
        _account(21606, "not a sender of this account", SENDER),
        _account(21607, "the sender cannot send texts", SENDER),
        _account(21609, "the address for reports is not valid", CALLBACK),
        _account(21616, "the sender is ambiguous", SENDER),
        _account(21659, "not a sender of the service", SENDER),
        _account(21660, "the sender belongs to another account", SENDER),
        _account(21701, "there is no such messaging service", SENDER),
        _account(21702, "the messaging service takes no texts", SENDER),
        _account(21703, "the messaging service has no number to send from", SENDER),
        _account(21704, "the messaging service has no numbers", SENDER),
        _account(21705, "the messaging service is not valid", SENDER),
        _account(30002, "the account was suspended", STANDING),
        _account(63038, "the account has reached its daily limit", LIMIT),
    ]
)


def outcome_of(status: int, code: int | None, words: str) -> Outcome:
    """What an error that the service answered with says of a text that it was asked to send.

    A status of the 500 kind may have come after the text was taken, whatever its code.
    """
    if status >= 500:
        return Unknown(f"{status} {code or ''} {words}"[:500])
    error = ERRORS.get(code or 0)
    if error is None:
        return _by_status(status, f"{status} {code or ''} {words}"[:500])
    told = f"{status} {error.code} {error.words}"
    match error.kind:
        case ErrorClass.ACCOUNT:
            return NoService(told, error.mend)
        case ErrorClass.RETRY:
            return Failed(told, permanent=False, blame=error.blame)
        case ErrorClass.BAD_NUMBER | ErrorClass.BLOCKED:
            return Failed(told, permanent=True, address=error.address)


def _by_status(status: int, told: str) -> Outcome:
    if status == NO_LOGIN:
        return NoService(f"{status} the login was refused", LOGIN)
    if status < 400 or status == NOT_FOUND:
        return NoService(f"{status} there is no such account at this address", ADDRESS)
    if status in PASSING:
        return Failed(told, permanent=False, blame=Blame.SERVICE)
    return Failed(told, permanent=True)
