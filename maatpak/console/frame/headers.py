"""What every answer says to browsers: load nothing from elsewhere, run nothing but our one script, frame nothing."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
"""Unless an answer says otherwise itself."""


async def guard(request: Request, further: Callable[[Request], Awaitable[Response]]) -> Response:
    """Every answer with its headers; on HTTPS the browser keeps to it."""
    answered = await further(request)
    for name, value in HEADERS.items():
        answered.headers.setdefault(name, value)
    if request.url.scheme == "https":
        answered.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return answered
