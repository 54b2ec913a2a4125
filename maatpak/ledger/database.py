"""The database: SQLModel sessions for rows, ADBC connections for frames, each one transaction from start to end.

Application code never commits: the context manager does, at the edge of a task or a request.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import Engine, create_engine
from sqlmodel import Session

from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_CONNECTIONS = 4
"""Connections for frames that stay open for the next transaction."""
SLICE = 50_000
"""Rows that are handed to the database at a time."""


class Frames:
    """One ADBC connection inside one transaction: reads and writes Polars frames."""

    def __init__(self, connection: Any, database: "Database") -> None:
        self.connection = connection
        self._database = database
        self._staged: set[str] = set()

    def read(self, query: str) -> pl.DataFrame:
        """The rows of a query as a frame."""
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return pl.DataFrame(cursor.fetch_arrow_table())

    def execute(self, statement: str) -> int:
        """Run one statement; the number of rows it touched, or −1 where the driver does not tell."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.rowcount)

    def stage(self, name: str, frame: pl.DataFrame) -> None:
        """Put a frame into a temporary table of this transaction, replacing an earlier one of that name."""
        if name in self._staged:
            self.execute(f'DROP TABLE pg_temp."{name}"')
        self._staged.add(name)
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest(name, _by_the_slice(frame), mode="create", temporary=True)

    @contextmanager
    def beside(self) -> Iterator["Frames"]:
        """A second connection to read from at the same time: it sees what this one sees now, but nothing it wrote."""
        snapshot = self.read("SELECT pg_export_snapshot() AS snapshot").item()
        with self._database.frames(read_only=True, snapshot=snapshot) as frames:
            yield frames

    def unstage(self) -> None:
        """Drop what was staged: temporary tables live as long as the connection, which others will use."""
        if self._staged:
            names = ", ".join(f'pg_temp."{name}"' for name in sorted(self._staged))
            self.execute(f"DROP TABLE {names}")
            self._staged.clear()


def _by_the_slice(frame: pl.DataFrame) -> "pa.RecordBatchReader":
    """The frame for Arrow, made of slices as they are asked for: a whole copy of a million rows weighs."""
    import pyarrow as pa

    slices = (batch for part in frame.iter_slices(SLICE) for batch in part.to_arrow().to_batches())
    return pa.RecordBatchReader.from_batches(frame.clear().to_arrow().schema, slices)


@cache
def _driver() -> ModuleType:
    """The driver; it brings pandas along, which most commands need not wait for.

    In the main thread it would take Ctrl-C for itself and cancel the statement, or swallow it where that ends first.
    """
    from adbc_driver_manager import dbapi as manager
    from adbc_driver_postgresql import dbapi

    def call(function: Callable[..., Any], args: Any, kwargs: Any, cancel: object) -> Any:
        del cancel
        return function(*args, **kwargs)

    manager._blocking_call = call  # type: ignore[attr-defined, assignment]
    driver: ModuleType = dbapi
    return driver


class Database:
    """A PostgreSQL database by its URL. Opens nothing until asked (law 13)."""

    def __init__(self, url: str) -> None:
        if not url.startswith("postgresql://"):
            raise UsageError(
                f"The database URL begins with {url.split(':', 1)[0]!r}.",
                advice="Give it as postgresql://user:…@host/name.",
            )
        self.url = url
        self._engine: Engine | None = None
        self._idle: deque[Any] = deque()
        self._first: Any = None
        """The connection that others are cloned from; one made anew reads every type of the database."""
        self._opening = Lock()

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, made at first use."""
        if self._engine is None:
            driver_url = self.url.replace("postgresql://", "postgresql+psycopg://", 1)
            self._engine = create_engine(driver_url, pool_pre_ping=True)
        return self._engine

    @contextmanager
    def session(self, options: Mapping[str, Any] | None = None) -> Iterator[Session]:
        """One transaction over SQLModel objects: committed at the end, rolled back on an error."""
        with (
            Session(self.engine.execution_options(**(options or {})), expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read-only snapshot of the database: what it sees does not change while it lasts."""
        with self.session({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}) as session:
            yield session

    @contextmanager
    def frames(self, *, read_only: bool = False, snapshot: str | None = None) -> Iterator[Frames]:
        """One ADBC transaction over frames: committed at the end, rolled back on an error.

        `snapshot` is one that another transaction exported, for reading only.
        """
        connection = self._begin()
        try:
            frames = Frames(connection, self)
            if read_only:
                frames.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if snapshot is not None:
                frames.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            yield frames
            frames.unstage()
            connection.commit()
        except BaseException:
            # A lost connection cannot roll back and need not: the first error says why, so that one is raised.
            with suppress(Exception):
                connection.rollback()
            with suppress(Exception):
                self._end(connection)
            raise
        # A new connection costs more than a small tick's whole work, so a sound one is kept.
        connection.adbc_connection.set_autocommit(True)
        if len(self._idle) < KEPT_CONNECTIONS:
            self._idle.append(connection)
        else:
            self._end(connection)

    def _begin(self) -> Any:
        """A connection in a new transaction: one that was kept, if its server is still there."""
        dbapi = _driver()
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connected()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")  # before the transaction, whose first statement may set its isolation
                connection.adbc_connection.set_autocommit(False)
            except dbapi.Error:
                with suppress(dbapi.Error):
                    self._end(connection)
            else:
                return connection

    def _connected(self) -> Any:
        with self._opening:
            if self._first is not None:
                return self._first.adbc_clone()
            self._first = _driver().connect(self.url, autocommit=False)
            return self._first

    def _end(self, connection: Any) -> None:
        with self._opening:
            if connection is self._first:
                self._first = None
            connection.close()

    def close(self) -> None:
        """Give every pooled connection back."""
        while self._idle:
            self._end(self._idle.pop())
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
