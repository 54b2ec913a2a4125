"""Databases to measure in: a server of its own in a scratch folder, and copies of a prepared database."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from maatpak.kernel.settings import Settings
from maatpak.ledger import schema
from maatpak.ledger.database import Database
from maatpak.ledger.embedded import EmbeddedPostgres
from maatpak.ledger.workspace import Workspace
from tasks.engine import Engine


class Scratch:
    """A PostgreSQL with the settings of an ordinary workspace, and a folder."""

    def __init__(self, folder: Path, server: EmbeddedPostgres) -> None:
        self.folder = folder
        self._server = server

    def prepare(self, name: str, fill: Callable[[Database], object]) -> None:
        """A migrated database of that name, filled once; copies are made of it."""
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        database = Database(self._server.url_of(name))
        schema.upgrade(database)
        fill(database)
        database.close()

    @contextmanager
    def copy(self, name: str) -> Iterator[Database]:
        """A copy of a prepared database, as it was left, while the block lasts."""
        copied = f"{name}_copy"
        names = sql.Identifier(copied), sql.Identifier(name)
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))
        database = Database(self._server.url_of(copied))
        try:
            yield database
        finally:
            database.close()
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(copied)))

    @contextmanager
    def engine(self, name: str, **settings: Any) -> Iterator[Engine]:
        """An engine on a copy of a prepared database, in a workspace of its own."""
        with self.copy(name) as database:
            workspace = self.folder / "workspace"
            Workspace(workspace).create()
            engine = Engine(Settings(workspace=workspace, database_url=database.url, **settings), database)
            try:
                yield engine
            finally:
                engine.close()
                shutil.rmtree(workspace)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """A scratch server while the block lasts; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="maatpak-bench-"))
    server = EmbeddedPostgres(folder / "postgres")
    folder.chmod(0o755)
    server.start()
    try:
        yield Scratch(folder, server)
    finally:
        server.leave()
        shutil.rmtree(folder)
