"""The envelope's sender: an address of its own for each mail, so that whatever comes back says which mail it is about.

That is a variable envelope return path: `bounces+<reference>-<signature>@ours.example`. The mail server of its domain
must hand all of these to one mailbox, as most do with what stands behind a plus. A mail's reference is known to whoever
got it; the signature keeps them from declaring an address dead by a bounce of their own making.
"""

import hmac
import re

from maatpak.kernel.ids import reference_token, signature

SIGNATURE = 12
"""Signs of the signature: 48 bits, against guesses that each cost a mail."""
LONGEST_LOCAL_PART = 64
_BEHIND_THE_PLUS = re.compile(rf"([0-9a-f]{{32}})-([0-9a-f]{{{SIGNATURE}}})")


class ReturnPath:
    """The mailbox to which reports come back, and the key that signs."""

    def __init__(self, address: str, key: str) -> None:
        self._name, _, self._domain = address.partition("@")
        self._key = key

    def of(self, message_ref: str) -> str:
        """The envelope sender of a message, by its reference (the Message-ID without brackets)."""
        token = reference_token(message_ref)
        return f"{self._name}+{token}-{self._signature(token)}@{self._domain}"

    def token(self, address: str) -> str | None:
        """The part before the @ of the reference of the message to which an address belongs; None for any other."""
        name, _, domain = address.strip().strip("<>").lower().rpartition("@")
        base, _, rest = name.partition("+")
        found = _BEHIND_THE_PLUS.fullmatch(rest)
        if found is None or (base, domain) != (self._name.lower(), self._domain.lower()):
            return None
        token, signed = found.groups()
        return token if hmac.compare_digest(signed, self._signature(token)) else None

    def _signature(self, token: str) -> str:
        return signature(self._key, f"return path of {token}")[:SIGNATURE]
