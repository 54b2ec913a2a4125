"""How Prefect's server is asked: within seconds, and with errors for people. No page waits for it longer."""

import ssl
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from maatpak.console.frame.problems import MissingError
from maatpak.kernel.errors import OutsideError, TransientError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

R = TypeVar("R")

PATIENCE = 3.0
"""Seconds that an answer may take."""
BUSY_FOR = 0.1
"""Seconds after which a server whose database was busy is asked again."""


def answer(ask: "Callable[[SyncPrefectClient], R]") -> R:
    """What Prefect answers; while its database is busy (503) all is asked again, so a change comes last in `ask`.

    Raises:
        OutsideError: no server is known, or it refuses.
        TransientError: it does not answer in time.
        MissingError: it does not know what was asked about.
    """
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    _look_at_zones_once()
    url = PREFECT_API_URL.value()
    if not url:
        raise OutsideError("No Prefect server is known here.", advice="`maatpak up` starts one and tells the console.")
    given: dict[str, Any] = {"timeout": PATIENCE}
    if url.startswith("http://"):
        # Of its own, for Prefect's would try to connect for 1.5 seconds where nobody listens.
        given["transport"] = httpx.HTTPTransport(verify=_no_certificates())
    deadline = time.monotonic() + PATIENCE
    while True:
        # Prefect's own retries would keep a page waiting for a minute; the console's process is told so from the start.
        retries = PREFECT_CLIENT_MAX_RETRIES.value()
        once = temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}) if retries else nullcontext()
        try:
            with once, get_client(sync_client=True, httpx_settings=given) as client:
                return ask(client)
        except ObjectNotFound as error:
            raise MissingError("Prefect does not know it (any more).", advice="Look at the list again.") from error
        except httpx.HTTPStatusError as error:
            busy = error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if busy and time.monotonic() < deadline:
                time.sleep(BUSY_FOR)
                continue
            if busy:
                raise TransientError("Prefect's database is busy.", advice="Try again in a moment.") from error
            raise OutsideError(
                f"Prefect refused: {error.response.status_code} {error.response.text[:200]}",
                advice="Its own page may tell more.",
            ) from error
        except httpx.TransportError as error:
            raise TransientError(
                f"Prefect does not answer ({type(error).__name__}).", advice="Is `maatpak up` running? Try again then."
            ) from error


@cache
def _look_at_zones_once() -> None:
    """Prefect looks through the time zones of the machine for each schedule that it reads, which takes 10 ms."""
    from prefect._internal.schemas import validators

    validators.get_timezones = cache(validators.get_timezones)  # type: ignore[attr-defined]


@cache
def _no_certificates() -> ssl.SSLContext:
    """Where nothing is encrypted; else the client reads all certificates of the machine for each page."""
    return ssl.create_default_context()


def as_id(text: str, what: str) -> UUID:
    """The id in a path or a form.

    Raises:
        MissingError: it is none.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise MissingError(f"{text!r} is not the id of a {what}.", advice="Look at the list again.") from error


def require_of(codes: Collection[str], parameters: Mapping[str, Any], what: str) -> None:
    """Refuse what works for a creditor of another code; what works for all is everybody's.

    Raises:
        MissingError: it is of another.
    """
    if parameters.get("creditor") not in {None, *codes}:
        raise MissingError(f"There is no {what}.", advice="Look at the list again.")


def own_page() -> str | None:
    """The address of Prefect's own page; None where it has none."""
    from prefect.settings import get_current_settings

    return get_current_settings().ui_url or None


def page_of(kind: str, id_: object) -> str | None:
    """The address of a `deployment` or `flow-run` on Prefect's own page; None where it has none."""
    page = own_page()
    if not page:
        return None
    return f"{page}/runs/flow-run/{id_}" if kind == "flow-run" else f"{page}/deployments/{kind}/{id_}"
