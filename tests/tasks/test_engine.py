"""The composition root opens nothing before it is asked, and gives everything back."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.settings import Settings
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Database
from maatpak.ledger.embedded import EmbeddedPostgres
from tasks.engine import Engine, initialise, open_engine
from tests.conftest import GIVEN_SERVER, own_cluster
from tests.ledger.world import NOW


@pytest.fixture
def own_settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a workspace with a database of its own."""
    with own_cluster(tmp_path) as workspace:
        yield Settings(workspace=workspace)


def test_importing_connects_to_nothing_and_loads_no_flows() -> None:
    code = "import sys, tasks.engine; print(*sorted({'prefect', 'great_expectations', 'typst'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.skipif(bool(GIVEN_SERVER), reason="a server is given by URL; the embedded one is not used")
def test_initialise_then_open_with_an_embedded_database(own_settings: Settings) -> None:
    with pytest.raises(WorkspaceError, match="maatpak init"):
        open_engine(own_settings)
    initialise(own_settings)
    initialise(own_settings)
    engine = open_engine(own_settings)
    server = EmbeddedPostgres.of_workspace(own_settings.workspace)
    assert server.answers()
    with engine.database.session() as session:
        append_events(session, [EventDraft("tried", "anna")], NOW)
    engine.anchor()
    engine.anchor()
    assert [anchor.seq for anchor in engine.anchors.read()] == [1]
    engine.close()
    engine.close()
    assert not server.answers()


@pytest.mark.skipif(bool(GIVEN_SERVER), reason="a server is given by URL; the embedded one is not used")
def test_three_first_inits_at_once_all_work(own_settings: Settings) -> None:
    command = [sys.executable, "-m", "maatpak", "--workspace", str(own_settings.workspace), "init"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ended = [(*process.communicate(), process.returncode) for process in started]
    assert [status for _, _, status in ended] == [0, 0, 0], ended
    open_engine(own_settings).close()
    assert not EmbeddedPostgres.of_workspace(own_settings.workspace).answers()


def test_an_empty_database_by_url_is_refused_until_initialised(empty_database: Database, workspace: Path) -> None:
    settings = Settings(workspace=workspace, database_url=empty_database.url)
    with pytest.raises(WorkspaceError, match="maatpak init"):
        open_engine(settings)
    initialise(settings)
    open_engine(settings).close()


def test_evidence_goes_where_the_settings_say(engine: Engine, settings: Settings, database_url: str) -> None:
    path = engine.store.path(engine.store.put("letter", b"x", "pdf"))
    assert path is not None
    assert path.is_relative_to(settings.workspace / "evidence")
    elsewhere = Settings(
        workspace=settings.workspace, database_url=database_url, evidence_url="memory://maatpak-engine"
    )
    other = open_engine(elsewhere)
    assert other.store.path(other.store.put("letter", b"x", "pdf")) is None
    other.close()


def test_an_unused_engine_leaves_no_anchor(engine: Engine) -> None:
    engine.anchor()
    assert engine.anchors.read() == []


def test_ports_are_made_once_and_shut(engine: Engine) -> None:
    (engine.settings.workspace / "link.key").write_text("for tests only")
    mail = engine.mail
    assert engine.mail is mail
    assert engine.sms is engine.sms
    assert engine.post is engine.post
    assert engine.agency is engine.agency
    engine.close()
    assert engine.mail is not mail
