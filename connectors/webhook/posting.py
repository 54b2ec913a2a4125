"""Posts an event to an address: one try, no redirects, and the answer is looked at no further than its status."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from maatpak.kernel.errors import UsageError
from maatpak.kernel.settings import is_loopback

PATIENCE = 10.0
"""Seconds that a receiver may take."""
LONGEST = 500


@dataclass(frozen=True)
class Answered:
    """What came of a try: the status, or why there was none."""

    status: int | None
    said: str

    @property
    def taken(self) -> bool:
        """Whether the receiver has it: any status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300


def require_address(url: str) -> str:
    """An address that events may be posted to: https, or http on this machine.

    Raises:
        UsageError: it is none.
    """
    parts = urlsplit(url)
    local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if len(url) > LONGEST or not parts.hostname or not (parts.scheme == "https" or local):
        raise UsageError(
            f"{url!r} is no address for events.", advice="It begins with https://; http:// is for this machine only."
        )
    if parts.username or parts.password or parts.fragment:
        raise UsageError(f"{url!r} holds more than an address.", advice="Leave out logins and what follows a #.")
    return url


def post_event(url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
    """Post it; whatever goes wrong on the way is told, not raised."""
    sent = {"Content-Type": "application/json", "User-Agent": "Maatpak", **headers}
    try:
        with httpx.Client(timeout=PATIENCE, follow_redirects=False, trust_env=False) as client:
            answer = client.post(url, content=body, headers=sent)
    except httpx.HTTPError as error:
        return Answered(None, type(error).__name__)
    return Answered(answer.status_code, answer.reason_phrase)
