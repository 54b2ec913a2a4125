"""How the queries over frames are run: as they are written, for they say themselves what comes first."""

import polars as pl

AS_WRITTEN = pl.QueryOptFlags.none(projection_pushdown=True)
"""Unused columns are left behind; any other planning costs a small creditor more than it saves a large one."""


def collected(query: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a query."""
    return query.collect(engine="in-memory", optimizations=AS_WRITTEN)
