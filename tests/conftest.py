"""What the tests share: a real PostgreSQL, a fresh migrated database for each test that asks, a workspace, an engine.

The server is an embedded one of this session, or that of MAATPAK_TEST_DATABASE_URL (whose user may create databases).
A migrated template is made once a session; a test's own database is a copy of it.
"""

import contextlib
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.settings import Settings
from maatpak.ledger import schema
from maatpak.ledger.database import Database
from maatpak.ledger.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

    from tasks.engine import Engine
    from tests.browser import Chromium
    from tests.tasks.act.stages import Stages

hypothesis_settings.register_profile("same", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("same")
"""The same examples on every machine and every day; the long runs ask for others themselves."""

_TAKEN: set[str] = set()
"""Names of databases that tests of this process have now."""

GIVEN_SERVER = os.environ.get("MAATPAK_TEST_DATABASE_URL")
SERVER_FOLDER = "maatpak-tests-"
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
}
"""Safe only because nothing here outlives the machine."""
MEMORY = Path("/dev/shm")
"""Copying a database there takes a tenth of the time it takes on a disk, if there is room."""
ROOM = 4 * 1024**3
TOGETHER = "tests/flows/"
"""A folder whose files share what is dear to make: a Prefect server."""
LONGEST = (TOGETHER, *(f"tests/{each}/" for each in ("laws", "tasks/act", "lives", "tasks", "policies", "demo")))
"""They begin first, so that no worker is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; besides, in their order."""
    items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in LONGEST])


def pytest_collection_finish() -> None:
    """What was imported stays: to search it for garbage every so often would take a twentieth of the time."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadFileScheduling | None":
    """A worker takes a file at a time, or the folder that shares something."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return TOGETHER if nodeid.startswith(TOGETHER) else super()._split_scope(nodeid)

    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Once a run, before its workers have servers of their own."""
    if not hasattr(session.config, "workerinput"):
        _sweep_what_killed_sessions_left()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured, from whichever worker."""
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(told))


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MAATPAK_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def _known_types() -> Iterator[None]:
    """A driver that meets a database reads all its types, which takes longer than many tests; those of a name that
    tests have one after the other (`_lent`) are the same each time."""
    import adbc_driver_postgresql
    from adbc_driver_manager import AdbcDatabase

    class Kept(AdbcDatabase):
        def close(self) -> None:
            """Others use it later; it holds no connection."""

    @cache
    def connect(uri: str, db_kwargs: None = None) -> Kept:
        assert db_kwargs is None
        return Kept(driver=adbc_driver_postgresql._driver_path(), uri=uri)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adbc_driver_postgresql, "connect", connect)
        yield


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of a server on which databases may be created."""
    if GIVEN_SERVER:
        yield GIVEN_SERVER
        return
    home = Path(tempfile.mkdtemp(prefix=SERVER_FOLDER, dir=_server_folder()))
    server = EmbeddedPostgres(home, FAST)
    server.start()
    try:
        yield server.url
    finally:
        if server.leave():
            # A run that begins now may take it for a dead one's, and sweeps up what is left.
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """Name of a migrated database that nobody is connected to."""
    name = f"maatpak_template_{uuid4().hex[:12]}"
    with _created(server_url, name) as url:
        database = Database(url)
        schema.upgrade(database)
        database.close()
        yield name


@pytest.fixture(scope="session")
def stages(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Stages"]:
    """Stages of a case's life that tests begin at."""
    from tests.tasks.act.stages import Stages

    with contextlib.ExitStack() as kept:
        yield Stages(server_url, template, tmp_path_factory.mktemp("stages"), kept)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """URL of this test's own migrated database."""
    with _lent(server_url, "maatpak_test", template) as url:
        yield url


@pytest.fixture
def empty_database(server_url: str) -> Iterator[Database]:
    """A database without a schema."""
    with _lent(server_url, "maatpak_empty") as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of this test's own."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty folder for a workspace."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(workspace: Path, database_url: str) -> Settings:
    """Settings of a workspace on this test's own database."""
    return Settings(workspace=workspace, database_url=database_url, password_memory=8)


@pytest.fixture
def engine(settings: Settings) -> Iterator["Engine"]:
    """The composition root on this test's own workspace and database."""
    from tasks.engine import open_engine

    engine = open_engine(settings)
    yield engine
    engine.close()


@contextlib.contextmanager
def own_cluster(parent: Path) -> Iterator[Path]:
    """Where a workspace may be made whose embedded database is its own, and goes with it.

    Root's databases lie in one place by the workspace's name: a run that was killed could leave one to the next.
    """
    folder = parent / uuid4().hex[:8]
    yield folder
    server = EmbeddedPostgres.of_workspace(folder)
    left_running = server.answers()
    if left_running:
        server.start()
        server.leave()
    shutil.rmtree(server.home, ignore_errors=True)
    assert not left_running


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real ledgers beside the checkout."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real ledgers (../shared/data) are not beside this checkout")
    return folder


@contextlib.contextmanager
def _created(server_url: str, name: str, template: str = "template1") -> Iterator[str]:
    identifier, original = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(identifier, original))
    try:
        parts = urlsplit(server_url)
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


@contextlib.contextmanager
def _lent(server_url: str, stem: str, template: str = "template1") -> Iterator[str]:
    name = next(each for number in count() if (each := f"{stem}_{os.getpid()}_{number}") not in _TAKEN)
    _TAKEN.add(name)
    try:
        with _created(server_url, name, template) as url:
            yield url
    finally:
        _TAKEN.remove(name)


def _server_folder() -> Path:
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if roomy else Path(tempfile.gettempdir())


def _sweep_what_killed_sessions_left() -> None:
    """Stop servers whose test session was killed; those still in use refuse to be left by the last."""
    for home in _server_folder().glob(f"{SERVER_FOLDER}*"):
        with contextlib.suppress(WorkspaceError, OSError):
            if home.owner() != Path.home().owner() or not (home / "data").exists():
                continue
            server = EmbeddedPostgres(home, FAST)
            server.start()
            if server.leave():
                shutil.rmtree(home)


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Chromium]":
    """A browser, for what people look at."""
    from tests.browser import Chromium, found_browser

    browser = Chromium(found_browser())
    try:
        yield browser
    finally:
        browser.close()
