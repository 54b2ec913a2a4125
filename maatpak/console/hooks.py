"""Where services call back. Whoever calls must have signed; what they say is taken in once, however often they say it.

The answers carry no words: 204 taken or known, 403 not signed by the service, 400 signed and not understood, 503 that
we cannot tell or take it now. Anything else goes wrong on our side, and the service may call again.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from connectors.post.hooks import read_pingen_hook
from connectors.sms.hooks import INCOMING_PATH, REF, STATUS_PATH, read_incoming, read_status, verified
from maatpak.console.bodies import body_of
from maatpak.kernel.clock import Clock
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.settings import LOCAL_TOKEN, is_loopback
from tasks.engine import Engine
from tasks.receive.letters import record_letter_report
from tasks.receive.texts import record_text, record_text_report

PINGEN_PATH = "/hooks/pingen"
TAKEN, NOT_UNDERSTOOD, NOT_SIGNED, AGAIN = 204, 400, 403, 503
LONGEST = 64 * 1024
"""Bytes of a call; a service's are a few kilobytes."""
TRIES = 3
"""A creditor that begins another day just then refuses once."""


def hooks(engine: Engine, clock: Clock) -> APIRouter:
    """The routes that services call."""
    router = APIRouter(include_in_schema=False)

    @router.post(STATUS_PATH)
    async def text_status(request: Request) -> Response:
        if _anybody_could_sign(engine, request):
            return Response(status_code=AGAIN)
        form = await _signed_form(engine, request)
        if form is None:
            return Response(status_code=NOT_SIGNED)
        report, reference = read_status(form), request.query_params.get(REF)
        if report is None or "\0" in (reference or ""):
            return Response(status_code=NOT_UNDERSTOOD)
        return await _take(lambda: record_text_report(engine, report, reference, clock.now()))

    @router.post(INCOMING_PATH)
    async def text_in(request: Request) -> Response:
        if _anybody_could_sign(engine, request):
            return Response(status_code=AGAIN)
        form = await _signed_form(engine, request)
        if form is None:
            return Response(status_code=NOT_SIGNED)
        text = read_incoming(form)
        if text is None:
            return Response(status_code=NOT_UNDERSTOOD)
        return await _take(lambda: record_text(engine, text, clock.now()))

    @router.post(PINGEN_PATH)
    async def letter_status(request: Request) -> Response:
        secret, body = engine.settings.pingen_hook_secret, await body_of(request, LONGEST)
        if secret is None or body is None:
            return Response(status_code=NOT_SIGNED)
        try:
            report = read_pingen_hook(body, request.headers.get("Signature"), secret.get_secret_value())
        except RefusedError:
            return Response(status_code=NOT_SIGNED)
        except UsageError:
            return Response(status_code=NOT_UNDERSTOOD)
        if report is None:
            return Response(status_code=TAKEN)
        return await _take(lambda: record_letter_report(engine, report, clock.now()))

    return router


def _anybody_could_sign(engine: Engine, request: Request) -> bool:
    """Whether others can reach us, by our public address or by the one that was called, and the token is no secret."""
    settings, called = engine.settings, (request.scope.get("server") or (None,))[0]
    reached = called is not None and not is_loopback(str(called))
    return settings.forgeable or (reached and settings.sms_token.get_secret_value() == LOCAL_TOKEN)


async def _signed_form(engine: Engine, request: Request) -> dict[str, str] | None:
    """The fields that Twilio posted for our account; None if it was not, or we never told it where to call."""
    body = await body_of(request, LONGEST)
    if engine.settings.public_url is None or body is None:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    url = f"{engine.settings.public_url}{request.url.path}{query}"
    token, ours = engine.settings.sms_token.get_secret_value(), engine.settings.sms_account
    if form.get("AccountSid", ours) != ours:
        return None
    return form if verified(url, form, request.headers.get("X-Twilio-Signature"), token) else None


async def _take(record: Callable[[], bool]) -> Response:
    for _ in range(TRIES):
        try:
            await run_in_threadpool(record)
        except RefusedError:
            continue
        return Response(status_code=TAKEN)
    return Response(status_code=AGAIN)
