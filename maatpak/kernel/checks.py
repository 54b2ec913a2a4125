"""The words of the checks before a placement (rule 20): what is checked, what is found, where it stands."""

from enum import StrEnum


class CheckKind(StrEnum):
    """What is checked before a placement (rule 20), in the order in which it is shown."""

    IDENTITY = "identity"
    ADDRESS = "address"
    CREDIT = "credit"
    LIMITATION = "limitation"
    INSOLVENCY_REGISTER = "insolvency_register"
    AGENCY_LICENCE = "agency_licence"


CUSTOMER_CHECKS = (CheckKind.IDENTITY, CheckKind.ADDRESS, CheckKind.LIMITATION, CheckKind.INSOLVENCY_REGISTER)
"""What a person may record of a customer. The licence is the creditor's, and credit is what the ledger says."""


class CheckResult(StrEnum):
    """What a person found who checked."""

    CLEAR = "clear"
    FAILED = "failed"
    INSOLVENT = "insolvent"
    """Of the insolvency register only: all contact stops."""


class CheckState(StrEnum):
    """Where a check stands for one placement; only `fine` lets it go."""

    FINE = "fine"
    MISSING = "missing"
    FAILED = "failed"
    EXPIRED = "expired"
