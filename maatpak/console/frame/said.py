"""What a page says once after an act: carried by a signed cookie of a few minutes, so that no table needs to."""

from typing import Any

from fastapi import Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

MINUTES = 5
SAID: dict[str, Any] = {
    "key": "maatpak_said",
    "max_age": MINUTES * 60,
    "httponly": True,
    "samesite": "strict",
    "path": "/",
}
LONGEST = 1500


def said_cookie(key: str, told: str) -> str:
    """The sentence, signed."""
    return str(_signer(key).dumps(told[:LONGEST]))


def what_was_said(key: str, request: Request) -> str | None:
    """The sentence that an act left for this page."""
    given = request.cookies.get(SAID["key"])
    if given is None:
        return None
    try:
        return str(_signer(key).loads(given, max_age=MINUTES * 60))
    except BadSignature:
        return None


def _signer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="what was said")
