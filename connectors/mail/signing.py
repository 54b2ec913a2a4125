"""DKIM signatures (RFC 6376): the mail is ours, and nobody changed it on its way."""

from pathlib import Path

import dkim

from maatpak.kernel.errors import UsageError

SIGNED = (
    *(b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to", b"references"),
    *(b"auto-submitted", b"mime-version", b"content-type"),
)
"""Headers that a signature covers; `from` once more than it stands there, so that nobody adds a second one."""


class Signer:
    """A domain's key."""

    def __init__(self, domain: str, selector: str, key: Path) -> None:
        """Read the private key (PEM).

        Raises:
            UsageError: the file cannot be read, or holds no RSA key.
        """
        self._domain = domain.encode("idna")
        self._selector = selector.encode("ascii")
        try:
            self._key = key.read_bytes()
            dkim.parse_pem_private_key(self._key)
        except OSError as error:
            reason = error.strerror or "it is not there"
            raise UsageError(f"The key {key} of MAATPAK_DKIM_KEY cannot be read: {reason}.") from None
        except (dkim.UnparsableKeyError, ValueError):
            raise UsageError(
                f"{key} holds no RSA private key that DKIM can use.",
                advice="Make one with `openssl genrsa -traditional -out KEY 2048`.",
            ) from None

    def signed(self, content: bytes) -> bytes:
        """The mail with its signature before it."""
        signature: bytes = dkim.sign(
            content,
            self._selector,
            self._domain,
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[*SIGNED, b"from"],
        )
        return signature + content
