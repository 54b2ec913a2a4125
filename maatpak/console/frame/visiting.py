"""Who knocks: the visitor of a cookie or of a token, and what a request must show before it may change anything."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request

from maatpak.console.bodies import body_of
from maatpak.console.frame.problems import ForbiddenError, UnknownVisitorError
from maatpak.kernel.errors import UsageError
from tasks.access.visitor import Visitor, csrf_mark, visitor_of, visitor_of_token

if TYPE_CHECKING:
    from tasks.engine import Engine

COOKIE = "maatpak_session"
LONGEST_FORM, MOST_FIELDS = 256 * 1024, 2000
LOGIN_PATH = "/login"
BEARER = "bearer "


def by_https(engine: "Engine") -> bool:
    """Whether browsers come by HTTPS: then they send our cookies no other way."""
    return (engine.settings.public_url or "").startswith("https://")


def visitor(engine: "Engine", request: Request, now: datetime) -> Visitor | None:
    """Whoever is logged in with the browser's cookie."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with engine.database.session() as session:
        return visitor_of(session, token, now, engine.settings.session_minutes)


def caller(engine: "Engine", request: Request, now: datetime) -> Visitor:
    """Whose program calls: by its token; a browser that is logged in may look, but not act, without one.

    Raises:
        UnknownVisitorError: nobody's.
        ForbiddenError: their password was given to them, and they have not chosen their own yet.
    """
    given = request.headers.get("Authorization", "")
    found: Visitor | None = None
    if given[: len(BEARER)].lower() == BEARER:
        with engine.database.session() as session:
            found = visitor_of_token(session, given[len(BEARER) :].strip(), now)
    elif not given and request.method in ("GET", "HEAD"):
        found = visitor(engine, request, now)
    if found is None:
        raise UnknownVisitorError(
            "No valid token came with this call.",
            advice="Send `Authorization: Bearer mpk_…`; people make tokens on the page of their account.",
        )
    if found.must_change_password:
        raise ForbiddenError("The password that you were given is to be changed first.", advice="Open the console.")
    return found


def query_of(request: Request) -> dict[str, str]:
    """The query of a URL; what is named more than once, such as rows that were chosen, with commas between."""
    given = request.query_params
    return {key: ",".join(given.getlist(key)).replace("\0", "") for key in given}


async def fields_of(request: Request) -> Sequence[tuple[str, str]]:
    """The fields of a form that a browser sent.

    Raises:
        UsageError: it is too long.
    """
    body = await body_of(request, LONGEST_FORM)
    too_long = UsageError("The form is too long.", advice="Choose fewer rows, or write less.")
    if body is None:
        raise too_long
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise too_long from None
    return [(name, value.replace("\0", "")) for name, value in pairs]


def require_own_form(engine: "Engine", asker: Visitor, request: Request, mark: str) -> None:
    """Refuse a form that no page of this very session sent.

    Raises:
        ForbiddenError: it was another's.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    expected = csrf_mark(engine.link_key, asker)
    if site not in ("same-origin", "none") or not hmac.compare_digest(mark.encode(), expected.encode()):
        raise ForbiddenError(
            "This form was not sent from a page of this session.", advice="Open the page again, and send it from there."
        )


def local_path(path: str | None, otherwise: str = "/") -> str:
    """A path of ours to go to next; never another site's."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return otherwise
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or any(ord(sign) < 32 or sign == "\\" for sign in path):
        return otherwise
    return path


def login_path(request: Request) -> str:
    """Where to log in, and come back from."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return LOGIN_PATH if wanted == "/" or request.method != "GET" else f"{LOGIN_PATH}?next={quote(wanted, safe='')}"
