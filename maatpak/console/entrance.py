"""The way in and out: logging in, logging out."""

import hmac
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from maatpak.console.frame.drawing import draw
from maatpak.console.frame.problems import ForbiddenError, Problem, problem_of
from maatpak.console.frame.visiting import (
    COOKIE,
    LOGIN_PATH,
    by_https,
    fields_of,
    local_path,
    require_own_form,
    visitor,
)
from maatpak.console.oidc import BACK_PATH, OPEN, Issuer, finish, issuer_of, start
from maatpak.kernel.clock import Clock
from maatpak.kernel.errors import MaatpakError
from maatpak.kernel.ids import signature
from tasks.access.login import log_in
from tasks.access.sessions import log_out
from tasks.engine import Engine

BEGUN = "maatpak_begun"
"""Cookie of a login that was begun at the issuer."""
SINGLE_PATH = "/login/single"
BEFORE = "maatpak_before"
"""Cookie of a login page, which its form must answer to: nobody logs others in from elsewhere."""
SEE_OTHER = 303


def entrance(engine: Engine, clock: Clock) -> APIRouter:
    """The routes of the way in and out."""
    router = APIRouter(include_in_schema=False)
    issuer = issuer_of(engine)
    secure = by_https(engine)

    def page(request: Request, login: str, further: str, told: Problem | None = None) -> HTMLResponse:
        before = request.cookies.get(BEFORE) or secrets.token_urlsafe(16)
        mark = signature(engine.link_key, f"login page {before}")
        single = None if issuer is None else f"Log in at {urlsplit(issuer.url).hostname}"
        html = draw("login.html", login=login, next=further, mark=mark, told=told, single_sign_on=single)
        drawn = HTMLResponse(html, told.status if told else 200)
        drawn.set_cookie(BEFORE, before, max_age=3600, httponly=True, samesite="strict", secure=secure)
        return drawn

    @router.get(LOGIN_PATH)
    async def show(request: Request) -> Response:
        return page(request, "", local_path(request.query_params.get("next")))

    @router.post(LOGIN_PATH)
    async def enter(request: Request) -> Response:
        try:
            sent = dict(await fields_of(request))
        except MaatpakError as error:
            return page(request, "", "/", problem_of(error))
        further, login = local_path(sent.get("next")), sent.get("login", "").strip()[:64]
        expected = signature(engine.link_key, f"login page {request.cookies.get(BEFORE, '')}")
        if not hmac.compare_digest(sent.get("mark", "").encode(), expected.encode()):
            stale = ForbiddenError("This page was open too long.", advice="Try once more.")
            return page(request, login, further, problem_of(stale))
        try:
            token, _ = await run_in_threadpool(log_in, engine, login, sent.get("password", ""), clock.now())
        except MaatpakError as error:
            return page(request, login, further, problem_of(error))
        return entered(token, further, BEFORE)

    def entered(token: str, further: str, done: str) -> Response:
        answered = RedirectResponse(further, SEE_OTHER)
        answered.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure)
        answered.delete_cookie(done)
        return answered

    if issuer is not None:
        router.include_router(_single_sign_on(engine, issuer, clock, page, entered, secure=secure))

    @router.post("/logout")
    async def leave(request: Request) -> Response:
        sent, now = dict(await fields_of(request)), clock.now()

        def left() -> None:
            asker = visitor(engine, request, now)
            if asker is not None:
                require_own_form(engine, asker, request, sent.get("mark", ""))
                log_out(engine, asker, now)

        await run_in_threadpool(left)
        answered = RedirectResponse(LOGIN_PATH, SEE_OTHER)
        answered.delete_cookie(COOKIE)
        return answered

    return router


def _single_sign_on(
    engine: Engine,
    issuer: Issuer,
    clock: Clock,
    page: Callable[[Request, str, str, Problem], Response],
    entered: Callable[[str, str, str], Response],
    *,
    secure: bool,
) -> APIRouter:
    """To the issuer, and back from it."""
    router = APIRouter(include_in_schema=False)

    @router.get(SINGLE_PATH)
    async def away(request: Request) -> Response:
        try:
            url, kept = await run_in_threadpool(start, issuer, clock.now())
        except MaatpakError as error:
            return page(request, "", "/", problem_of(error))
        answered = RedirectResponse(url, SEE_OTHER)
        # Lax, for it is to come along from the issuer's page.
        answered.set_cookie(
            BEGUN, kept, max_age=int(OPEN.total_seconds()), httponly=True, samesite="lax", secure=secure
        )
        return answered

    @router.get(BACK_PATH)
    async def back(request: Request) -> Response:
        kept, query = request.cookies.get(BEGUN, ""), dict(request.query_params)
        try:
            token, _ = await run_in_threadpool(finish, engine, issuer, kept, query, clock.now())
        except MaatpakError as error:
            return page(request, "", "/", problem_of(error))
        return entered(token, "/", BEGUN)

    return router
