"""`maatpak up`: database, Prefect server, runner, dispatcher and console, started in order and stopped cleanly.

Prefect itself is imported by the children only.
"""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.environment import named_api_url
from deployments.patience import Patience, patience
from deployments.stack import console, dispatching, prefect_server, serving
from maatpak.cli.output import say
from maatpak.cli.session import settings
from maatpak.kernel.errors import OutsideError, UsageError
from maatpak.kernel.settings import FORGEABLE, MEND_FORGEABLE, Settings

if TYPE_CHECKING:
    from tasks.engine import Engine

app = typer.Typer()


@app.command()
def up(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of Prefect's page (default: MAATPAK_PREFECT_PORT)."),
    ] = None,
) -> None:
    """Start the database, a Prefect server of the workspace's own, and the deployments; serve until Ctrl-C.

    With MAATPAK_PREFECT_API_URL or PREFECT_API_URL set, that server is used and none is started.
    """
    given = settings() if port is None else settings().model_copy(update={"prefect_port": port})
    with patience() as waiting:
        try:
            serve(given, waiting)
        except KeyboardInterrupt:
            say("Stopped.")


def serve(given: Settings, waiting: Patience) -> None:
    """Start everything in order, wait, and stop everything in the reverse order.

    Raises:
        UsageError: webhooks that others can reach would believe anybody.
        WorkspaceError: a part does not start, or ended by itself; what had been started is stopped first.
        KeyboardInterrupt: somebody asked us to end.
    """
    from tasks.engine import open_engine

    if given.forgeable:
        raise UsageError(FORGEABLE, advice=MEND_FORGEABLE)
    with ExitStack() as started:
        engine = open_engine(given)
        started.callback(engine.close)
        say("Database     ready")
        named = named_api_url(given)
        api_url, children = named or "", []
        if named is None:
            api_url, server = started.enter_context(prefect_server(given, wait=waiting.wait))
            children.append(server)
        page = api_url.removesuffix("/api")
        say(f"Prefect      {page}")
        for part in (serving, dispatching, console):
            starting = part(given, api_url, named=named is not None, wait=waiting.wait)
            children.append(started.enter_context(starting))
        say(f"Deployments  {page}/deployments")
        host = f"[{given.console_host}]" if ":" in given.console_host else given.console_host
        own = f"http://{host}:{given.console_port}"
        say(f"Webhooks     {own}/hooks")
        say(f"Console      {own}")
        if given.in_the_clear:
            say("             Others reach it, and passwords travel in the clear: put a proxy with HTTPS before it,")
            say("             and give its address as MAATPAK_PUBLIC_URL.")
        if given.pingen_url is not None and given.public_url is not None and given.pingen_hook_secret is not None:
            _have_letters_watched(engine)
        started.callback(say, "Stopping; running flows end first.")
        say("Ctrl-C stops everything.")
        while True:
            for child in children:
                child.require_alive()
            waiting.wait(1.0)


def _have_letters_watched(engine: "Engine") -> None:
    """Letters go out without it, too: what becomes of them is then asked for."""
    from maatpak.cli.watching import watch_letters

    try:
        say(f"Letters      told of at {watch_letters(engine)}")
    except OutsideError as error:
        say(f"Letters      not told of yet: {error.message} `maatpak messages watch` asks again.")
