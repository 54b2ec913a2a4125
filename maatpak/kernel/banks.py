"""Account and bank codes: whether they can be right."""

import re

IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


def iban_holds(iban: str) -> bool:
    """Whether an IBAN without spaces has its shape and the right check digits (ISO 13616; ISO 7064, mod 97)."""
    return IBAN.fullmatch(iban) is not None and int("".join(str(int(s, 36)) for s in iban[4:] + iban[:4])) % 97 == 1


def bic_holds(bic: str) -> bool:
    """Whether a BIC without spaces has its shape (ISO 9362): bank, country, place and perhaps branch."""
    return BIC.fullmatch(bic) is not None
