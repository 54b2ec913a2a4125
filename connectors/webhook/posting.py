"""Posts an event to an address: one try, no redirects, and the answer is looked at no further than its status."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from maatpak.kernel.errors import UsageError
from maatpak.kernel.settings import is_loopback

PATIENCE = 10.0
"""Seconds that a try takes at most, however slowly the receiver answers."""
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

    Addresses inside the house are as good as others: with https the receiver proves that it is the one that is meant.

    Raises:
        UsageError: it is none.
    """
    try:
        parts = httpx.URL(url)
        host = parts.host
    except (httpx.InvalidURL, UnicodeError):
        parts, host = httpx.URL(), ""
    local = parts.scheme == "http" and is_loopback(host)
    reached = bool(host) and "%" not in host and (parts.port is None or 0 < parts.port < 65536)
    if len(url) > LONGEST or not reached or not (parts.scheme == "https" or local):
        raise UsageError(
            f"{url!r} is no address for events.", advice="It begins with https://; http:// is for this machine only."
        )
    if parts.userinfo or parts.fragment:
        raise UsageError(f"{url!r} holds more than an address.", advice="Leave out logins and what follows a #.")
    return url


def post_event(url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
    """Post it; whatever goes wrong on the way is told, not raised."""
    try:
        return asyncio.run(asyncio.wait_for(_posted(url, body, headers), PATIENCE))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        return Answered(None, type(error).__name__)


async def _posted(url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
    sent = {"Content-Type": "application/json", "User-Agent": "Maatpak", **headers}
    client = httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=False, verify=_trusted())
    async with client, client.stream("POST", url, content=body, headers=sent) as answer:
        return Answered(answer.status_code, answer.reason_phrase)


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes longer than posting."""
    return httpx.create_ssl_context(trust_env=False)
