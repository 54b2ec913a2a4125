"""What the environment of a Prefect process must say, so that nobody's Prefect profile, home or server is touched.

Prefect takes settings from `PREFECT_…` variables, from a profile in its home, and from files in the current folder
(`.env`, `prefect.toml`, `pyproject.toml`). Ours get a home and a current folder inside the workspace, and of the
caller's variables only those that say how to reach a server that the caller named.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from maatpak.kernel.settings import Settings
from maatpak.ledger.workspace import Workspace

CONNECTION = ("PREFECT_API_KEY", "PREFECT_API_AUTH_STRING", "PREFECT_API_TLS_", "PREFECT_API_SSL_", "PREFECT_CLIENT_")
"""Variables that say how to reach a server, kept where the caller named one."""

SILENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}
"""Telemetry off (law 13)."""

GOODBYE = 20.0
"""Seconds for the last logs and events of a process to reach the server."""

QUIET_LOGS = {"PREFECT_LOGGING_LEVEL": "INFO", "PREFECT_LOGGING_COLORS": "false", "PREFECT_LOGGING_LOG_PRINTS": "false"}
"""What tasks print stays out of Prefect's database."""

BY_THE_BATCH = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "1000",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "1000",
}
"""What our server notes of task runs it writes together, at most two seconds late. Each write locks its whole
database; it refuses a request that comes in between, and the run that asked tries again only after two seconds."""


LEAN = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""On Linux, what threads freed goes back to the system: a tick of 200,000 debtors would keep half a gigabyte."""


def prefect_home(settings: Settings) -> Path:
    """The workspace's own home of Prefect: its database, and nothing of ours."""
    return Workspace(settings.workspace).prefect


def own_api_url(settings: Settings) -> str:
    """Where the server that `up` starts answers."""
    return f"http://127.0.0.1:{settings.prefect_port}/api"


def named_api_url(settings: Settings, caller: Mapping[str, str] = os.environ) -> str | None:
    """The server that the caller named: by our setting, else by Prefect's own variable; none: we start one."""
    return settings.prefect_api_url or caller.get("PREFECT_API_URL") or None


def prefect_environment(
    settings: Settings, api_url: str, *, named: bool = False, caller: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The whole environment of a process of ours that speaks with, or is, the Prefect server at `api_url`."""
    home = prefect_home(settings)
    kept = {
        name: value
        for name, value in caller.items()
        if not name.startswith("PREFECT_") or (named and name.startswith(CONNECTION))
    }
    return {
        **LEAN,
        **kept,
        **SILENT,
        **QUIET_LOGS,
        **BY_THE_BATCH,
        "MAATPAK_WORKSPACE": str(settings.workspace),
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_URL": api_url,
    }


@contextmanager
def speaking_with(settings: Settings, api_url: str) -> Iterator[None]:
    """Flows that run in this very process, inside the block, report to the server at `api_url`, and only there."""
    before = dict(os.environ)
    _become({**prefect_environment(settings, api_url), "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"})
    try:
        yield
    finally:
        _send_what_is_queued()
        # Prefect keeps our settings: asked for others, it would make the caller's home.
        _set(before)


def _send_what_is_queued() -> None:
    """Logs and events travel in the background; they should arrive while the server is there."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=GOODBYE, at_exit=False)


def _set(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]


def _become(environment: Mapping[str, str]) -> None:
    _set(environment)
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
