"""The page on which a customer answers a mail of ours, and says how we reach them, without a login.

Looking changes nothing: programs that check mails open every link. What is sent must be a form that we drew for that
very link, at most a day ago; who has the link may send it, and nobody else can. The page runs no script, loads nothing
and tells no other page that it was open.
"""

from datetime import datetime
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from maatpak.console.bodies import body_of
from maatpak.console.preferences.drawing import Words, draw, draw_gone, draw_said, words_of
from maatpak.console.preferences.form import Given, form_mark, is_form_of, read_form
from maatpak.kernel.clock import Clock
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.links import PREFERENCES_PATH
from tasks.engine import Engine
from tasks.receive.pages import Page, Said, read_page, record_page

LONGEST = 16 * 1024
"""Bytes of a form; a full one has about five thousand."""
MOST_FIELDS = 30
TRIES = 3
"""A creditor that begins another day just then refuses once."""
GONE, TOO_LARGE, NOT_SENT, TOO_OFTEN, LATER = 404, 413, 422, 429, 503


def preferences(engine: Engine, clock: Clock) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PREFERENCES_PATH}/{{token}}")
    async def show(token: str, request: Request) -> HTMLResponse:
        page = await run_in_threadpool(read_page, engine, token, clock.now())
        if page is None:
            return draw_gone(GONE)
        words = words_of(request.query_params.get("language"), page.language)
        return draw(page, words, Given(), {}, form_mark(engine.link_key, token, clock.now()))

    @router.post(f"{PREFERENCES_PATH}/{{token}}")
    async def send(token: str, request: Request) -> HTMLResponse:
        now = clock.now()
        page = await run_in_threadpool(read_page, engine, token, now)
        if page is None:
            return draw_gone(GONE)
        words = words_of(request.query_params.get("language"), page.language)
        body = await body_of(request, LONGEST)
        if body is None:
            return draw_said(page, words, "large", TOO_LARGE)
        try:
            fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            return draw_said(page, words, "large", TOO_LARGE)
        mark = dict(fields).get("form", "")
        given, said, errors = read_form(fields, page, words, mark)
        if not is_form_of(engine.link_key, token, mark, now):
            errors = {"form": words["old_form"], **errors}
        if errors:
            return draw(page, words, given, errors, form_mark(engine.link_key, token, now), NOT_SENT)
        return await _record(engine, token, said, page, words, now)

    return router


async def _record(engine: Engine, token: str, said: Said, page: Page, words: Words, now: datetime) -> HTMLResponse:
    for _ in range(TRIES):
        try:
            taken = await run_in_threadpool(record_page, engine, token, said, now)
        except RefusedError:
            continue
        return draw_said(page, words, "thanks", 200, said) if taken else draw_said(page, words, "often", TOO_OFTEN)
    return draw_said(page, words, "later", LATER)
