"""What `maatpak up` does: database, Prefect server and runner, started in order and stopped cleanly.

Prefect itself is imported by the children only.
"""

from contextlib import ExitStack

from rich.console import Console

from deployments.environment import named_api_url
from deployments.patience import Patience, patience
from deployments.stack import prefect_server, serving
from maatpak.kernel.settings import Settings
from tasks.engine import open_engine


def run_up(settings: Settings, console: Console) -> None:
    """Start everything, serve until Ctrl-C or SIGTERM, and stop everything.

    Raises:
        WorkspaceError: a part does not start, or ended by itself; what had been started is stopped first.
    """
    with patience() as waiting:
        try:
            _serve(settings, console, waiting)
        except KeyboardInterrupt:
            console.print("Stopped.")


def _serve(settings: Settings, console: Console, waiting: Patience) -> None:
    with ExitStack() as started:
        engine = open_engine(settings)
        started.callback(engine.close)
        console.print("Database     ready")
        named = named_api_url(settings)
        api_url, children = named or "", []
        if named is None:
            api_url, server = started.enter_context(prefect_server(settings, wait=waiting.wait))
            children.append(server)
        page = api_url.removesuffix("/api")
        console.print(f"Prefect      {page}", soft_wrap=True)
        runner = serving(settings, api_url, named=named is not None, wait=waiting.wait)
        children.append(started.enter_context(runner))
        console.print(f"Deployments  {page}/deployments", soft_wrap=True)
        started.callback(console.print, "Stopping; running flows end first.")
        console.print("Ctrl-C stops everything.")
        while True:
            for child in children:
                child.require_alive()
            waiting.wait(1.0)
