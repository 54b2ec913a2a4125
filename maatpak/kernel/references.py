"""Payment references that banks check: a mistyped one is refused while the customer types, and money finds its account.

RF (ISO 11649) holds in all of SEPA, the OGM in Belgium, the betalingskenmerk in the Netherlands. A reference is worked
out from a customer's or a document's number and nothing else, so a creditor's ledger can work out the same.
"""

import re
from enum import StrEnum

_RF = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")
_OGM = re.compile(r"(?:\+\+\+|\*\*\*)?([0-9]{3})/?([0-9]{4})/?([0-9]{5})(?:\+\+\+|\*\*\*)?")
_KENMERK = re.compile(r"[0-9]{7}|[0-9]{9,14}|[0-9]{16}")
_RF_LONGEST, _OGM_LONGEST, _KENMERK_LONGEST = 21, 10, 15
_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)
"""Of a betalingskenmerk's digits from the right; they begin anew after ten."""


class ReferenceKind(StrEnum):
    """What a creditor's customers state when they pay."""

    WORDS = "words"
    """The customer's number and the documents, as they are."""
    RF = "rf"
    OGM = "ogm"
    BETALINGSKENMERK = "betalingskenmerk"


_USUAL = {
    "BE": ReferenceKind.OGM,
    "NL": ReferenceKind.BETALINGSKENMERK,
    **dict.fromkeys(
        (
            "AT",
            "BG",
            "CY",
            "DE",
            "EE",
            "ES",
            "FI",
            "FR",
            "GR",
            "HR",
            "IE",
            "IT",
            "LT",
            "LU",
            "LV",
            "MT",
            "PT",
            "SI",
            "SK",
        ),
        ReferenceKind.RF,
    ),
}


def usual_reference(country: str) -> ReferenceKind:
    """What creditors of a country (ISO 3166, two letters) use; words where euros and RF are foreign."""
    return _USUAL.get(country, ReferenceKind.WORDS)


def payment_reference(kind: ReferenceKind, number: str) -> str | None:
    """The reference of a customer's or document's number, as it is printed.

    Where only digits may stand a letter is two of them, as in ISO 7064 (A is 10); signs between do not count, nor do
    leading zeros. So of two numbers such as K-1 and 201 a creditor should have one only. None where a number has other
    letters than A to Z or is too long, and for words: then it is stated as it is.
    """
    signs = re.sub(r"[\W_]", "", number).upper()
    if not signs or not signs.isascii():
        return None
    match kind:
        case ReferenceKind.RF if len(signs) <= _RF_LONGEST:
            return _in_fours(f"RF{98 - _mod_97(f'{signs}RF00'):02d}{signs}")
        case ReferenceKind.OGM if len(digits := _digits(signs)) <= _OGM_LONGEST:
            whole = digits.zfill(_OGM_LONGEST)
            whole += _ogm_check(whole)
            return f"+++{whole[:3]}/{whole[3:7]}/{whole[7:]}+++"
        case ReferenceKind.BETALINGSKENMERK if len(digits := _digits(signs)) <= _KENMERK_LONGEST:
            whole = digits.zfill(_KENMERK_LONGEST)
            return _in_fours(_kenmerk_check(whole) + whole)
        case _:
            return None


def reference_kind(text: str) -> ReferenceKind:
    """Which reference a text is, spaces aside: words where its check digits do not hold, or where it has none to check.

    A betalingskenmerk of seven digits has no check digit, so any seven digits are words here.
    """
    plain = re.sub(r"\s", "", text).upper()
    if rf_holds(plain):
        return ReferenceKind.RF
    if ogm_holds(plain):
        return ReferenceKind.OGM
    if len(plain) > 7 and betalingskenmerk_holds(plain):
        return ReferenceKind.BETALINGSKENMERK
    return ReferenceKind.WORDS


def rf_holds(reference: str) -> bool:
    """Whether an RF without spaces has its shape and the right check digits (ISO 11649; ISO 7064, mod 97)."""
    return _RF.fullmatch(reference) is not None and _mod_97(reference[4:] + reference[:4]) == 1


def ogm_holds(reference: str) -> bool:
    """Whether a Belgian OGM or VCS without spaces holds: ten digits and their rest by 97; its signs may be left out."""
    parts = _OGM.fullmatch(reference)
    if parts is None:
        return False
    digits = "".join(parts.groups())
    return digits[_OGM_LONGEST:] == _ogm_check(digits[:_OGM_LONGEST])


def betalingskenmerk_holds(reference: str) -> bool:
    """Whether a Dutch betalingskenmerk without spaces has a length that there is, and its length and check digits.

    Seven digits have neither; nine to fourteen begin with a check digit and the last digit of how many follow after
    these two; sixteen begin with a check digit.
    """
    if _KENMERK.fullmatch(reference) is None:
        return False
    if len(reference) == 7:
        return True
    if len(reference) < 16 and int(reference[1]) != (len(reference) - 2) % 10:
        return False
    return reference[0] == _kenmerk_check(reference[1:])


def _digits(signs: str) -> str:
    return "".join(str(int(sign, 36)) for sign in signs)


def _mod_97(signs: str) -> int:
    return int(_digits(signs)) % 97


def _ogm_check(digits: str) -> str:
    return f"{int(digits) % 97 or 97:02d}"


def _kenmerk_check(digits: str) -> str:
    total = sum(int(digit) * _WEIGHTS[at % 10] for at, digit in enumerate(reversed(digits)))
    check = 11 - total % 11
    return str({10: 1, 11: 0}.get(check, check))


def _in_fours(reference: str) -> str:
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))
