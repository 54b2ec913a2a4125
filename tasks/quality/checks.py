"""The forms that a rule can have. Each knows its measures (narrow columns) and, over these, which rows breach it.

A measure is what both engines look at: Polars computes it, Great Expectations judges it again by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from maatpak.kernel.words import Severity


@dataclass(frozen=True)
class Present:
    """The value is there."""

    value: pl.Expr

    def measures(self, name: str) -> dict[str, pl.Expr]:
        """A number where there is a value."""
        return {name: pl.when(self.value.is_not_null()).then(pl.lit(1, dtype=pl.Float32))}

    def breach(self, name: str) -> pl.Expr:
        """Rows without a value."""
        return pl.col(name).is_null()


@dataclass(frozen=True)
class Holds:
    """The statement is true; unknown counts as true."""

    statement: pl.Expr

    def measures(self, name: str) -> dict[str, pl.Expr]:
        """The statement."""
        return {name: self.statement.fill_null(value=True)}

    def breach(self, name: str) -> pl.Expr:
        """Rows where it is false."""
        return ~pl.col(name)


@dataclass(frozen=True)
class AtMost:
    """A number is not above a limit; nothing is not."""

    value: pl.Expr
    limit: float

    def measures(self, name: str) -> dict[str, pl.Expr]:
        """The number."""
        return {name: self.value.cast(pl.Float64)}

    def breach(self, name: str) -> pl.Expr:
        """Rows above the limit."""
        return (pl.col(name) > self.limit).fill_null(value=False)


@dataclass(frozen=True)
class Listed:
    """A word is one of a list; nothing is not judged."""

    value: pl.Expr
    words: Sequence[str]

    def measures(self, name: str) -> dict[str, pl.Expr]:
        """The word."""
        return {name: self.value.cast(pl.Categorical)}

    def breach(self, name: str) -> pl.Expr:
        """Rows with another word."""
        return (~pl.col(name).cast(pl.String).is_in(list(self.words))).fill_null(value=False)


@dataclass(frozen=True)
class NotAbove:
    """A number or date is not above another of its row; where one is missing, nothing is judged."""

    lower: pl.Expr
    upper: pl.Expr

    def measures(self, name: str) -> dict[str, pl.Expr]:
        """Both, as numbers."""
        return {f"{name}: lower": self.lower.cast(pl.Float64), f"{name}: upper": self.upper.cast(pl.Float64)}

    def breach(self, name: str) -> pl.Expr:
        """Rows where the first is above the second."""
        return (pl.col(f"{name}: lower") > pl.col(f"{name}: upper")).fill_null(value=False)


def cells_rule(
    code: str,
    table: str,
    severity: Severity,
    cells: Mapping[str, pl.Expr],
    meaning: str,
    advice: str,
    *,
    waivable: bool = False,
) -> "Rule":
    """A rule that none of several cells of a row may breach; each that does is a finding of its own."""
    fine = Holds(~pl.any_horizontal(flag.fill_null(value=False) for flag in cells.values()))
    return Rule(code, table, "cells", severity, fine, meaning, advice, waivable, dict(cells))


Check = Present | Holds | AtMost | Listed | NotAbove


@dataclass(frozen=True)
class Rule:
    """One rule of the gate: what must hold of a column of a table, what a breach does, and what to do about it."""

    code: str
    table: str
    column: str
    severity: Severity
    check: Check
    meaning: str
    """What a finding says."""
    advice: str
    waivable: bool = False
    """A person who looked may release the row as it is; otherwise it needs a correction."""
    cells: Mapping[str, pl.Expr] = field(default_factory=dict)
    """Where the rule is about any of several cells: which column's cell is at fault, by column."""

    @property
    def key(self) -> str:
        """Names the rule among all of an import, and its measures."""
        return f"{self.column} {self.code}"
