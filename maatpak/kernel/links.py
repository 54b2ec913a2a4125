"""The page that a customer opens without a login: its path carries a message's reference and our signature of it.

The reference stands in the mail's Message-ID, which every server on the way has seen; the signature only the link has.
What it opens is the account that the message was written to, at the creditor that wrote it, and nothing else.
"""

import hmac
import re

from maatpak.kernel.ids import signature

PREFERENCES_PATH = "/preferences"
SIGNATURE = 24
"""Signs of the signature: 96 bits."""
_TOKEN = re.compile(rf"([0-9a-f]{{32}})-([0-9a-f]{{{SIGNATURE}}})")


def preferences_token(key: str, reference: str) -> str:
    """What the path of the page ends with, for the part before the @ of a message's reference."""
    return f"{reference}-{_signature(key, reference)}"


def reference_in(key: str, token: str) -> str | None:
    """The reference that a token of ours carries; None for any other."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    reference, signed = found.groups()
    return reference if hmac.compare_digest(signed, _signature(key, reference)) else None


def _signature(key: str, reference: str) -> str:
    return signature(key, f"preferences page of {reference}")[:SIGNATURE]
