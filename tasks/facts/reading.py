"""Reads the rows that one view is made of, each kind once, and nothing from a table that is empty.

The reading runs ahead in a thread of its own, one query after the other on the one connection, while the facts are
computed from what has come: the database and we work at the same time.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import polars as pl

from maatpak.ledger.database import Frames
from tasks.facts.ledger_queries import BY_IDS, CREDITOR, LEDGER
from tasks.facts.query import Query
from tasks.facts.record_queries import RECORDS
from tasks.facts.scope import Scope

QUERIES = {**LEDGER, **RECORDS}

DENSE = 4
"""Ids are asked for as a range when they are at least one in so many of it; the others of it are dropped here."""


class Reader:
    """The rows of one scope by the names of the queries. While it is open the connection belongs to it."""

    def __init__(self, frames: Frames, scope: Scope) -> None:
        self.scope = scope
        self._frames = frames
        self._thread = ThreadPoolExecutor(1, "facts")
        self._coming: dict[str, Future[pl.DataFrame]] = {}
        self._filled: frozenset[str] = frozenset()

    def __enter__(self) -> "Reader":
        self._filled = self._thread.submit(self._find_filled).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def creditor(self) -> Mapping[str, Any]:
        """Country, language, currency and freshness of the creditor, and whether groups or shared parties matter."""
        found = self._thread.submit(self._frames.read, self.scope.sql(CREDITOR)).result()
        return found.row(0, named=True) if found.height else {}

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
        return self._thread.submit(self._get, query, f"{self.scope.sql(query.sql)} {chosen}").result

    def _begin(self, name: str) -> "Future[pl.DataFrame]":
        if name not in self._coming:
            query = QUERIES[name]
            if self._filled.issuperset(query.needs):
                self._coming[name] = self._thread.submit(self._get, query, self.scope.sql(query.sql))
            else:
                empty: Future[pl.DataFrame] = Future()
                empty.set_result(pl.DataFrame(schema=query.columns))
                self._coming[name] = empty
        return self._coming[name]

    def _get(self, query: Query, sql: str) -> pl.DataFrame:
        frame = self._frames.read(sql)
        return frame if frame.schema == query.columns else frame.cast(query.columns)

    def _find_filled(self) -> frozenset[str]:
        tables = sorted({table for query in QUERIES.values() for table in query.needs})
        asked = ", ".join(f'EXISTS (SELECT 1 FROM "{table}") AS "{table}"' for table in tables)  # noqa: S608 - our names
        found = self._frames.read(f"SELECT {asked}").row(0, named=True)
        return frozenset(table for table, filled in found.items() if filled)
