"""The embedded PostgreSQL: first starts at once, attaching, leaving, surviving a killed owner, refusing long paths."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from maatpak.kernel.errors import WorkspaceError
from maatpak.ledger.embedded import EmbeddedPostgres
from maatpak.ledger.workspace import Workspace
from tests.conftest import FAST, GIVEN_SERVER

pytestmark = pytest.mark.skipif(bool(GIVEN_SERVER), reason="a server is given by URL; the embedded one is not used")

START = """
import sys
from pathlib import Path
from maatpak.ledger.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"})
server.start()
import psycopg
with psycopg.connect(server.url) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
sys.stdin.read()
server.leave()
"""

USER = """
import os, sys
from maatpak.ledger import postgres
postgres.SYSTEM_USER = sys.argv[1]
os.write(1, b"ready")
sys.stdin.read()
print(postgres.server_user().pw_uid)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path within reach of the server's user; pytest's own folders are neither."""
    folder = Path(tempfile.mkdtemp(prefix="maatpak-test-"))
    yield folder
    server = EmbeddedPostgres(folder, FAST)
    if server.answers():
        server.start()
        server.leave()
    shutil.rmtree(folder)


def owner(home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, str(home)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def end(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def test_three_first_starts_at_once_share_one_server(home: Path) -> None:
    processes = [owner(home) for _ in range(3)]
    started = {first_line(process) for process in processes}
    assert len(started) == 1
    assert "" not in started
    assert [end(process) for process in processes] == [0, 0, 0]
    assert not EmbeddedPostgres(home).answers()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a user for the server")
def test_first_starts_at_once_make_one_user() -> None:
    name = f"maatpak-{os.getpid()}"
    command = [sys.executable, "-c", USER, name]
    gate, opener = os.pipe()
    several = [subprocess.Popen(command, stdin=gate, stdout=subprocess.PIPE) for _ in range(4)]
    os.close(gate)
    outputs = [each.stdout for each in several if each.stdout is not None]
    try:
        assert [os.read(each.fileno(), 5) for each in outputs] == [b"ready"] * 4
        os.close(opener)
        numbers = {int(each.communicate()[0]) for each in several}
        assert numbers == {pwd.getpwnam(name).pw_uid}
    finally:
        subprocess.run(["/usr/sbin/userdel", name], check=False)


def test_only_the_last_who_leaves_stops_it(home: Path) -> None:
    first, second = EmbeddedPostgres(home, FAST), EmbeddedPostgres(home, FAST)
    first.start()
    second.start()
    assert first.leave() is False
    assert second.answers()
    assert second.leave() is True
    assert second.leave() is False
    assert not second.answers()


def test_a_stranger_who_is_connected_keeps_it_up(home: Path) -> None:
    server = EmbeddedPostgres(home, FAST)
    server.start()
    with psycopg.connect(server.url):
        assert server.leave() is False
    server.start()
    assert server.leave() is True


def test_a_killed_owner_is_swept_up_after(home: Path) -> None:
    process = owner(home)
    assert first_line(process)
    os.kill(process.pid, signal.SIGKILL)
    end(process)
    server = EmbeddedPostgres(home, FAST)
    assert server.answers()
    server.start()
    assert server.leave() is True


def test_a_killed_server_starts_again(home: Path) -> None:
    server = EmbeddedPostgres(home, FAST)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("CHECKPOINT")
    os.kill(int((home / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    again = EmbeddedPostgres(home, FAST)
    again.start()
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert server.leave() is False
    assert again.leave() is True


def test_a_half_made_cluster_is_made_anew(home: Path) -> None:
    (home / "data.new").mkdir()
    (home / "data.new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(home, FAST)
    server.start()
    assert server.leave() is True


def test_the_password_is_needed_and_private(home: Path) -> None:
    server = EmbeddedPostgres(home, FAST)
    server.start()
    assert (home / "password").stat().st_mode & 0o777 == 0o600
    password = (home / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url.replace(password, "guessed"))
    server.leave()


def test_a_lost_or_foreign_password_is_told_at_once(home: Path) -> None:
    server = EmbeddedPostgres(home, FAST)
    server.start()
    password = (home / "password").read_text()
    (home / "password").write_text("guessed")
    with pytest.raises(WorkspaceError, match="is not that of its database"):
        EmbeddedPostgres(home, FAST).start()
    (home / "password").unlink()
    with pytest.raises(WorkspaceError, match="is gone"):
        EmbeddedPostgres(home, FAST).start()
    (home / "password").write_text(password)
    assert server.leave() is True


def test_it_listens_on_no_network_address(home: Path) -> None:
    server = EmbeddedPostgres(home, FAST)
    server.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    server.leave()


def test_a_long_path_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="too long") as caught:
        EmbeddedPostgres(tmp_path / ("x" * 100)).start()
    assert "MAATPAK_DATABASE_URL" in caught.value.advice


def test_no_cluster_no_url(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="maatpak init"):
        _ = EmbeddedPostgres(tmp_path).url


def cluster_of(folder: Path) -> EmbeddedPostgres:
    Workspace(folder).create()
    return EmbeddedPostgres.of_workspace(folder)


def test_workspaces_have_clusters_of_their_own(tmp_path: Path) -> None:
    one, other = (cluster_of(tmp_path / folder / "workspace") for folder in ("a", "b"))
    assert one.home != other.home
    shutil.rmtree(tmp_path / "a")
    assert not cluster_of(tmp_path / "a" / "workspace").exists
    assert cluster_of(tmp_path / "b" / "workspace").home == other.home


def test_a_moved_workspace_keeps_its_database_and_a_copy_does_not_take_it(tmp_path: Path) -> None:
    first, moved, copied = (tmp_path / name for name in ("first", "moved", "copied"))
    server = cluster_of(first)
    server.start()
    server.leave()
    first.rename(moved)
    again = EmbeddedPostgres.of_workspace(moved)
    try:
        assert again.exists
        again.start()
        again.leave()
        if os.geteuid() == 0:
            shutil.copytree(moved, copied)
            with pytest.raises(WorkspaceError, match="is a copy of the workspace"):
                EmbeddedPostgres.of_workspace(copied).start()
    finally:
        shutil.rmtree(again.home)
