"""How queries over frames are run, as they are written, and rows picked without a copy that nobody needs."""

import polars as pl

AS_WRITTEN = pl.QueryOptFlags.none(projection_pushdown=True)
"""Unused columns are left behind; any other planning costs a small creditor more than it saves a large one."""


def collected(query: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a query."""
    return query.collect(engine="in-memory", optimizations=AS_WRITTEN)


def only(rows: pl.DataFrame, wanted: pl.Series) -> pl.DataFrame:
    """The rows that are wanted; where all are, the frame itself, for millions of rows weigh."""
    return rows if wanted.all() else rows.filter(wanted)
