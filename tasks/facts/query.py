"""What a query of the facts is: its text, the columns it gives, and the tables without which it gives none.

The marks in the text are filled in by `Scope.sql`: `:visible(x)` is the rule of the two times, `:known(a)` and
`:state(a)` give an action as it was, `:in_shard(c)` and `:cases(column)` keep one shard's cases, `:debtors(column)` and
`:parties(column)` their people, `:people(column)` and `:readers(column)` the same with the accounts that pay for them
and their parties.
"""

from dataclasses import dataclass

import polars as pl

_KINDS = {"int": pl.Int64, "text": pl.String, "day": pl.Date, "flag": pl.Boolean}

PLAIN = r"lower(regexp_replace({text}, '[\s,]', '', 'g'))"
"""SQL: what two ways of writing one postal address have in common."""


def schema(columns: str) -> pl.Schema:
    """`case_id int, due_on day …` as a schema."""
    pairs = (column.split() for column in columns.split(","))
    return pl.Schema({name: _KINDS[kind] for name, kind in pairs})


@dataclass(frozen=True)
class Query:
    """One query. It is not asked while one of the tables that it needs is empty."""

    sql: str
    columns: pl.Schema
    needs: tuple[str, ...] = ()
