"""Reads the rows that one view is made of, each kind once, and nothing from a table that is empty.

The reading runs ahead in threads of its own, one query after the other on the one connection, while the facts are
computed from what has come: the database and we work at the same time. For many cases a second connection helps.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from types import TracebackType
from typing import Any

import polars as pl

from maatpak.ledger.database import Frames
from tasks.facts.ledger_queries import BY_IDS, CREDITOR, LEDGER
from tasks.facts.query import Query
from tasks.facts.record_queries import RECORDS
from tasks.facts.scope import Scope

Change = Callable[[pl.DataFrame], pl.DataFrame]
QUERIES = {**LEDGER, **RECORDS}

MANY = 20_000
"""Cases for which a second connection pays."""
DENSE = 4
"""Ids are asked for as a range when they are at least one in so many of it; the others of it are dropped here."""


class Reader:
    """The rows of one scope by the names of the queries. While it is open the connection belongs to it."""

    def __init__(self, frames: Frames, scope: Scope, supposing: Mapping[str, Change] | None = None) -> None:
        """`supposing`: query → what its rows are taken to be instead."""
        self.scope = scope
        self._supposing = supposing or {}
        self._first = frames
        self._free: SimpleQueue[Frames] = SimpleQueue()
        self._free.put(frames)
        self._more = ExitStack()
        self._threads = ThreadPoolExecutor(2, "facts")
        self._coming: dict[str, Future[pl.DataFrame]] = {}
        self._filled: frozenset[str] = frozenset()

    def __enter__(self) -> "Reader":
        self._filled = self._threads.submit(self._find_filled).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._more.close()

    def creditor(self) -> Mapping[str, Any]:
        """Country, language, currency and freshness of the creditor, and whether groups or shared parties matter."""
        found = self._threads.submit(self._read, self.scope.sql(CREDITOR)).result()
        if not found.height:
            return {}
        row = found.row(0, named=True)
        if self.scope.case_ids is None and row["cases"] >= MANY * self.scope.shards:
            self._free.put(self._more.enter_context(self._first.beside()))
        return row

    def ahead(self, *names: str) -> None:
        """Begin to read these, in this order."""
        for name in names:
            self._begin(name)

    def rows(self, name: str) -> pl.DataFrame:
        """The rows of a query; kept for whoever asks next."""
        return self._begin(name).result()

    def take(self, name: str) -> pl.DataFrame:
        """The rows of a query, for one use: nothing of them is kept here."""
        future = self._begin(name)
        del self._coming[name]
        return future.result()

    def of_ids(self, name: str, ids: pl.Series) -> Callable[[], pl.DataFrame]:
        """Begin to read the rows that hang on these ids (no nulls, no repeats). More rows may come than were asked."""
        query = BY_IDS[name]
        if ids.is_empty():
            nothing = pl.DataFrame(schema=query.columns)
            return lambda: nothing
        low, high = ids.min(), ids.max()
        assert isinstance(low, int)
        assert isinstance(high, int)
        dense = len(ids) * DENSE >= high - low + 1
        chosen = f"BETWEEN {low} AND {high}" if dense else f"= ANY('{{{','.join(map(str, ids.to_list()))}}}'::bigint[])"
        return self._threads.submit(self._get, query, f"{self.scope.sql(query.sql)} {chosen}").result

    def _begin(self, name: str) -> "Future[pl.DataFrame]":
        if name not in self._coming:
            query = QUERIES[name]
            if self._filled.issuperset(query.needs):
                change = self._supposing.get(name)
                self._coming[name] = self._threads.submit(self._get, query, self.scope.sql(query.sql), change)
            else:
                empty: Future[pl.DataFrame] = Future()
                empty.set_result(pl.DataFrame(schema=query.columns))
                self._coming[name] = empty
        return self._coming[name]

    def _get(self, query: Query, sql: str, change: Change | None = None) -> pl.DataFrame:
        frame = self._read(sql)
        found = frame if frame.schema == query.columns else frame.cast(query.columns)
        return change(found) if change else found

    def _read(self, sql: str) -> pl.DataFrame:
        frames = self._free.get()
        try:
            return frames.read(sql)
        finally:
            self._free.put(frames)

    def _find_filled(self) -> frozenset[str]:
        tables = sorted({table for query in QUERIES.values() for table in query.needs})
        asked = ", ".join(f'EXISTS (SELECT 1 FROM "{table}") AS "{table}"' for table in tables)  # noqa: S608 - our names
        found = self._read(f"SELECT {asked}").row(0, named=True)
        return frozenset(table for table, filled in found.items() if filled)
