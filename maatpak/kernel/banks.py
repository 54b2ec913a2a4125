"""Codes of banks: whether those of accounts can be right, and what those of returned debits mean."""

import re
from enum import StrEnum

IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


class ReturnCause(StrEnum):
    """Why a direct debit came back."""

    NONE = "none"
    FUNDS = "funds"
    MANDATE = "mandate"
    ACCOUNT = "account"
    REFUSED = "refused"
    """The customer had it refunded."""
    OTHER = "other"


RETURN_CAUSES = {
    "AM04": ReturnCause.FUNDS,
    "insufficient_funds": ReturnCause.FUNDS,
    "MD01": ReturnCause.MANDATE,
    "MD02": ReturnCause.MANDATE,
    "MD07": ReturnCause.MANDATE,
    "AC01": ReturnCause.ACCOUNT,
    "AC04": ReturnCause.ACCOUNT,
    "AC06": ReturnCause.ACCOUNT,
    "AC13": ReturnCause.ACCOUNT,
    "MD06": ReturnCause.REFUSED,
    "MS02": ReturnCause.REFUSED,
    "SL01": ReturnCause.REFUSED,
}
"""By the bank's reason code (ISO 20022); any other code is `other`."""


def iban_holds(iban: str) -> bool:
    """Whether an IBAN without spaces has its shape and the right check digits (ISO 13616; ISO 7064, mod 97)."""
    return IBAN.fullmatch(iban) is not None and int("".join(str(int(s, 36)) for s in iban[4:] + iban[:4])) % 97 == 1


def bic_holds(bic: str) -> bool:
    """Whether a BIC without spaces has its shape (ISO 9362): bank, country, place and perhaps branch."""
    return BIC.fullmatch(bic) is not None
