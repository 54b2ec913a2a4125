"""Everything that `maatpak up` starts, in order, and stops in the reverse order: first Prefect's server.

The database is the engine's; whoever holds an open engine holds it up. Nothing here imports Prefect.
"""

import contextlib
import fcntl
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import IO

from deployments.children import Child
from deployments.environment import own_api_url, prefect_environment, prefect_home
from deployments.server import HOST
from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.settings import Settings

SERVER_PATIENCE = 180.0
"""Seconds that Prefect's server may take; the first start makes its database."""

CONSOLE_PATIENCE = 60.0
CONSOLE_GOODBYE = 10.0
RUNNER_PATIENCE = 120.0
RUNNER_GOODBYE = 45.0
"""Seconds for running flows to end what they are at."""

SERVER_GOODBYE = 15.0
LOOK_EVERY = 0.2
NO_RETRIES = {"PREFECT_CLIENT_MAX_RETRIES": "0"}
"""No page waits for Prefect to come back."""

Wait = Callable[[float], object]
"""Waits so many seconds; raises to give up."""


@contextlib.contextmanager
def prefect_server(settings: Settings, *, wait: Wait = time.sleep) -> Iterator[tuple[str, Child]]:
    """A Prefect server in the workspace's own home while the block lasts; the URL of its API, and its process.

    Raises:
        WorkspaceError: the port is taken, the workspace already has a server, or it does not start.
    """
    home = prefect_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    url = own_api_url(settings)
    with _only_one(home / "lock"):
        _require_free_port(settings.prefect_port, "Prefect's page needs", "`--port` or MAATPAK_PREFECT_PORT")
        server = Child(
            "Prefect's server",
            "deployments.server",
            [str(settings.prefect_port)],
            environment=prefect_environment(settings, url),
            cwd=home,
            log=log_file(settings, "prefect-server"),
        )
        try:
            _wait_until(lambda: answers(url), server, SERVER_PATIENCE, wait)
            yield url, server
        finally:
            server.stop(SERVER_GOODBYE)


@contextlib.contextmanager
def console(settings: Settings, api_url: str, *, named: bool, wait: Wait = time.sleep) -> Iterator[Child]:
    """The web application while the block lasts; it asks a Prefect server about runs.

    Raises:
        WorkspaceError: the port is taken, or it does not start.
    """
    port = settings.console_port
    _require_free_port(port, "the console needs", "MAATPAK_CONSOLE_PORT", settings.console_host)
    web = Child(
        "The web application",
        "deployments.web",
        [str(port)],
        environment={**prefect_environment(settings, api_url, named=named), **NO_RETRIES},
        cwd=settings.workspace,
        log=log_file(settings, "console"),
    )
    try:
        _wait_until(lambda: _listens(port, settings.console_host), web, CONSOLE_PATIENCE, wait)
        yield web
    finally:
        web.stop(CONSOLE_GOODBYE)


@contextlib.contextmanager
def serving(settings: Settings, api_url: str, *, named: bool, wait: Wait = time.sleep) -> Iterator[Child]:
    """The table of deployments registered at a server and served while the block lasts.

    Raises:
        WorkspaceError: the server does not answer, or the runner does not start.
    """
    if named and not answers(api_url):
        raise WorkspaceError(
            f"No Prefect server answers at {api_url}.",
            advice="Correct MAATPAK_PREFECT_API_URL, or leave it empty: `up` then starts one.",
        )
    environment = prefect_environment(settings, api_url, named=named)
    whose = ["named" if named else "own"]
    with _flows("The runner of flows", "serve", whose, settings, environment, wait) as runner:
        yield runner


@contextlib.contextmanager
def dispatching(settings: Settings, api_url: str, *, named: bool, wait: Wait = time.sleep) -> Iterator[Child]:
    """What people decide is carried on within seconds while the block lasts; the deployments are registered.

    Raises:
        WorkspaceError: it does not start.
    """
    environment = prefect_environment(settings, api_url, named=named)
    with _flows("The dispatcher", "dispatch", [], settings, environment, wait) as dispatcher:
        yield dispatcher


@contextlib.contextmanager
def _flows(
    title: str, module: str, arguments: list[str], settings: Settings, environment: dict[str, str], wait: Wait
) -> Iterator[Child]:
    """A process that runs flows; it says by a file that it is ready."""
    home = prefect_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    ready = home / f"{module}.ready"
    ready.unlink(missing_ok=True)
    log = log_file(settings, "flows" if module == "serve" else module)
    child = Child(title, f"deployments.{module}", [str(ready), *arguments], environment=environment, cwd=home, log=log)
    try:
        _wait_until(ready.exists, child, RUNNER_PATIENCE, wait)
        yield child
    finally:
        child.stop(RUNNER_GOODBYE)
        ready.unlink(missing_ok=True)


def answers(api_url: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        with urllib.request.urlopen(f"{api_url}/health", timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (OSError, ValueError):
        return False


def log_file(settings: Settings, name: str) -> Path:
    """Where a child's output goes."""
    folder = settings.workspace / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def _wait_until(ready: Callable[[], bool], child: Child, patience: float, wait: Wait) -> None:
    deadline = time.monotonic() + patience
    while not ready():
        child.require_alive()
        if time.monotonic() > deadline:
            raise WorkspaceError(
                f"{child.title} was not ready within {patience:.0f} s.", advice=f"Its log is {child.log}."
            )
        wait(LOOK_EVERY)
    child.require_alive()


def _listens(port: int, host: str) -> bool:
    """Whether something does; who listens at every address is asked at this machine's own."""
    address = ip_address(host)
    own = {4: "127.0.0.1", 6: "::1"}[address.version] if address.is_unspecified else host
    with socket.socket(_family(host)) as probe:
        return probe.connect_ex((own, port)) == 0


def _require_free_port(port: int, need: str, setting: str, host: str = HOST) -> None:
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise WorkspaceError(
                f"Port {port} of {host} is taken or not allowed ({error.strerror}); {need} one.",
                advice=f"Choose another with {setting}.",
            ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("a+") as file:
        _take(file, lock)
        yield


def _take(file: IO[str], lock: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise WorkspaceError(
            f"Process {file.read().strip() or 'unknown'} already runs a Prefect server for this workspace ({lock}).",
            advice="Stop it first, or use another workspace.",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
