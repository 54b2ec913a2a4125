"""One Prefect server for all these tests, in a home of its own; and the world that flows work on."""

import asyncio
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from deployments.environment import prefect_home, speaking_with
from deployments.stack import prefect_server
from deployments.table import Planned
from maatpak.kernel.settings import Settings
from tests.flows.patience import until
from tests.flows.town import Twins


@dataclass(frozen=True)
class Prefect:
    """A running server, and what tests ask of it."""

    url: str
    settings: Settings

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return prefect_home(self.settings) / "prefect.db"

    def get(self, path: str) -> object:
        return self._asked("GET", path).json()

    def post(self, path: str, body: object) -> object:
        answer = self._asked("POST", path, body)
        return answer.json() if answer.content else None

    def patch(self, path: str, body: object) -> None:
        self._asked("PATCH", path, body)

    def delete(self, path: str) -> None:
        self._asked("DELETE", path)

    def _asked(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The server's answer; while its SQLite file is locked it says 503, and Prefect's own client asks again too."""
        answers: list[httpx.Response] = []

        def served() -> bool:
            answers.append(httpx.request(method, f"{self.url}/{path}", json=body, timeout=30))
            return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE

        until(served, f"Prefect's answer to {method} {path}")
        return answers[-1].raise_for_status()

    def register(self, planned: Sequence[Planned]) -> list[str]:
        """Tell the server of deployments, as `up` does."""
        from prefect.runner import Runner

        from deployments.serve import register

        return asyncio.run(register(Runner(pause_on_shutdown=False), planned))

    def graph(self, flow_run: UUID | str) -> object:
        """The run graph as the page draws it."""
        return self.get(f"flow_runs/{flow_run}/graph-v2")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="package")
def prefect(tmp_path_factory: pytest.TempPathFactory, _own_environment: None) -> Iterator[Prefect]:
    """The Prefect server of these tests; flows in this process report to it."""
    settings = Settings(workspace=tmp_path_factory.mktemp("prefect"), prefect_port=free_port())
    # Prefect makes its home when it is first imported, so the environment comes before.
    os.environ["PREFECT_HOME"] = str(prefect_home(settings))
    with prefect_server(settings) as (url, _), speaking_with(settings, url):
        yield Prefect(url, settings)


@pytest.fixture
def twins(server_url: str, tmp_path: Path) -> Twins:
    """Copies of whole installations."""
    return Twins(server_url, tmp_path)
