"""`maatpak up`, as people start and stop it: everything comes up, runs are taken up, nothing stays behind."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from maatpak.kernel.settings import Settings
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.embedded import EmbeddedPostgres
from tasks.desk import desk
from tasks.engine import initialise, open_engine
from tasks.reasons import state_reason
from tests.conftest import own_cluster
from tests.flows.conftest import free_port
from tests.flows.patience import PATIENCE, until
from tests.flows.town import CODE, MONDAY, NOW, people_town

READY = "Ctrl-C stops everything."


def relatives(mark: str) -> list[str]:
    """Commands of the processes whose environment has this mark: what was started for a workspace, however far down."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # A process that has ended and was not waited for yet has an empty environment.
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@contextmanager
def stranger(home: Path, workspace: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who uses Prefect for other things, too."""
    home.mkdir()
    poison = home / "somebody-elses.db"
    yield {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "MAATPAK_WORKSPACE": str(workspace),
        "PREFECT_PROFILE": "somebody-elses",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{poison}",
        "PREFECT_SERVER_API_PORT": "1",
        "MAATPAK_CONSOLE_PORT": str(free_port()),
    }
    assert list(home.iterdir()) == []


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A workspace with an embedded database of its own, and a creditor in it."""
    with own_cluster(tmp_path) as workspace:
        settings = Settings(workspace=workspace, prefect_port=free_port())
        initialise(settings)
        engine = open_engine(settings)
        people_town(engine, 2)
        engine.close()
        yield settings


@contextmanager
def started(environment: dict[str, str], port: int, cwd: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "maatpak", "up", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_until_ready(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if lines[-1] == READY:
            return lines
    raise AssertionError(f"up ended: {lines}")


@pytest.mark.chaos
def test_up_serves_and_leaves_nothing_behind(settings: Settings, tmp_path: Path) -> None:
    port, mark = settings.prefect_port, f"MAATPAK_WORKSPACE={settings.workspace}"
    api = f"http://127.0.0.1:{port}/api"
    with (
        stranger(tmp_path / "home", settings.workspace) as environment,
        started(environment, port, tmp_path) as process,
    ):
        said = read_until_ready(process)
        assert f"Console      http://127.0.0.1:{environment['MAATPAK_CONSOLE_PORT']}" in said
        names = {each["name"] for each in _post(f"{api}/deployments/filter", {})}
        assert {CODE, f"{CODE}-forgetful", f"{CODE}-key"} <= names
        deployment = httpx.get(f"{api}/deployments/name/deliver/{CODE}", timeout=30).raise_for_status().json()
        run = _post(f"{api}/deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        until(lambda: _state(api, run["id"]) in {"COMPLETED", "FAILED", "CRASHED"}, "the run")
        assert _state(api, run["id"]) == "COMPLETED"
        _somebody_says_why(settings)
        onward = {"deployments": {"name": {"any_": [CODE]}}, "flows": {"name": {"any_": ["onward"]}}}
        until(lambda: [each["name"] for each in _post(f"{api}/flow_runs/filter", onward)], "the run that was asked for")
        (run,) = _post(f"{api}/flow_runs/filter", onward)
        assert run["name"] == f"{CODE}: reason_stated 1"
        until(lambda: _state(api, run["id"]) in {"COMPLETED", "FAILED", "CRASHED"}, "that run")
        assert _state(api, run["id"]) == "COMPLETED"
        assert len(relatives(mark)) >= 4
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert relatives(mark) == []
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    with closing(sqlite3.connect(settings.workspace / "prefect" / "prefect.db")) as kept:
        assert kept.execute("SELECT count(*) FROM deployment WHERE paused").fetchone() == (0,)


@pytest.mark.chaos
def test_a_killed_up_takes_its_children_along(settings: Settings, tmp_path: Path) -> None:
    mark = f"MAATPAK_WORKSPACE={settings.workspace}"
    with (
        stranger(tmp_path / "home", settings.workspace) as environment,
        started(environment, settings.prefect_port, tmp_path) as process,
    ):
        read_until_ready(process)
        process.kill()
        process.wait(PATIENCE)
        until(lambda: all("/bin/postgres" in each for each in relatives(mark)), "the end of the children")
    # The database stays up when its owner is killed; the next to leave stops it.
    server = EmbeddedPostgres.of_workspace(settings.workspace)
    server.start()
    assert server.leave()


def test_a_taken_port_is_said_clearly(settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            stranger(tmp_path / "home", settings.workspace) as environment,
            started(environment, port, tmp_path) as process,
        ):
            assert process.stdout is not None
            said = process.stdout.read()
            assert process.wait(PATIENCE) == 5
    assert f"Port {port} of 127.0.0.1 is taken" in said
    assert "--port" in said
    assert "MAATPAK_PREFECT_PORT" in said


def _somebody_says_why(settings: Settings) -> None:
    with closing(open_engine(settings)) as engine, desk(engine, 1, "carla", MONDAY, NOW) as at:
        state_reason(at, at.case(1), NonPaymentReason.FORGOT)


def _post(url: str, body: object) -> Any:
    """As Prefect's own client does, asked again while the server's database is busy."""
    answers: list[httpx.Response] = []
    until(lambda: _answered(answers, httpx.post(url, json=body, timeout=30)), f"an answer of {url}")
    return answers[-1].raise_for_status().json()


def _answered(answers: list[httpx.Response], answer: httpx.Response) -> bool:
    answers.append(answer)
    return answer.status_code != httpx.codes.SERVICE_UNAVAILABLE


def _state(api: str, flow_run: str) -> str:
    return str(httpx.get(f"{api}/flow_runs/{flow_run}", timeout=30).raise_for_status().json()["state"]["type"])
