"""Lines that are no rows: of whom they speak, as far as that can be told from what stands in them."""

from collections.abc import Mapping

import polars as pl

WHOSE = ("creditor", "debtor_no")
"""Canonical columns that tell of whom a line speaks."""


def likely(header_at: int | None, width: int, values: Mapping[str, str]) -> pl.Expr:
    """The cells of `cells` where a column stands in whole rows, counted from the left and from the right.

    A line that has a delimiter too many, or lost a cell, keeps its places on one side of the fault.
    `values` are the source's words for the column.
    """
    if header_at is None:
        return pl.lit([], dtype=pl.List(pl.String))
    cells = pl.col("cells")
    places = [cells.list.get(at, null_on_oob=True).str.strip_chars() for at in (header_at, header_at - width)]
    return pl.concat_list(each.replace(dict(values)) for each in places)


def meant(broken: pl.DataFrame, column: str, known: pl.Series) -> pl.Series:
    """Of which known value of `column` each line speaks; null where that cannot be told.

    It is the one at the column's place, else the only known one that any cell of the line holds.
    """
    is_known = pl.element().is_in(known.implode())
    there = pl.col(column).list.eval(pl.element().filter(is_known)).list.first()
    anywhere = pl.col("cells").list.eval(pl.element().str.strip_chars()).list.unique()
    anywhere = anywhere.list.eval(pl.element().filter(is_known))
    only = pl.when(anywhere.list.len() == 1).then(anywhere.list.first())
    return broken.select(pl.coalesce(there, only).alias(column)).to_series()
