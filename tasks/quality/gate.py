"""Runs the rules of a table: flags by Polars, verdicts by Great Expectations, and the proof that they are the same.

The rows of a breached rule become findings: file, row, column, value, rule, and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from connectors.ledgers.canonical import FILE, text_of
from connectors.ledgers.raw import ROW
from maatpak.kernel.errors import MaatpakError
from maatpak.kernel.words import Severity
from tasks.quality.checks import Holds, Rule

if TYPE_CHECKING:
    from tasks.quality.expectations import Judge

FINDING = {
    "severity": pl.String,
    "rule": pl.String,
    "table_name": pl.String,
    "file": pl.String,
    "row_no": pl.Int64,
    "column_name": pl.String,
    "value": pl.String,
    "message": pl.String,
    "advice": pl.String,
}
"""Columns of a frame of findings."""

VALUE_LENGTH = 200
WAIVED = "waived"
"""Column with the rules that a person waived for a row, between commas; without it, none."""


@dataclass
class Gate:
    """The gate of one import: everything found so far."""

    judge: "Judge"
    findings: list[pl.DataFrame] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Breaches by `table column code`."""
    severities: dict[str, Severity] = field(default_factory=dict)
    """What a breach does, by the same."""

    def pass_table(self, table: str, frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
        """Judge a table: one Boolean column a rule, by its key, true where the row breaches it."""
        if not rules:
            return pl.DataFrame()
        measures = frame.select(
            _unless_waived(rule, measure, frame).alias(name)
            for rule in rules
            for name, measure in rule.check.measures(rule.key).items()
        )
        if measures.height != frame.height:  # a frame of literals only has one row
            measures = measures.select(pl.all().repeat_by(frame.height).explode()) if frame.height else measures.clear()
        flags = measures.select(rule.check.breach(rule.key).alias(rule.key) for rule in rules)
        self.severities |= {f"{table} {rule.key}": rule.severity for rule in rules}
        if frame.is_empty():
            return flags  # no row to judge
        verdicts = self.judge.judge(table, measures, rules)
        for rule in rules:
            count = int(flags[rule.key].sum())
            judged = verdicts[rule.key]
            if (judged.success, judged.count) != (count == 0, count):
                raise MaatpakError(
                    f"The gate contradicts itself on {table} {rule.key}: {count} rows, but Great Expectations says "
                    f"{judged.count}.",
                    advice="Nothing was imported. This is a fault of Maatpak: report it with the source and the file.",
                )
            if count:
                self.counts[f"{table} {rule.key}"] = count
                self.findings += _findings(frame, flags[rule.key], rule)
        return flags

    def add(self, findings: pl.DataFrame) -> None:
        """Take over findings that need no row to be judged."""
        if findings.height:
            self.findings.append(findings)

    def found(self) -> pl.DataFrame:
        """All findings: what refuses first, then what is set apart, then what is only told; a rule's in file order."""
        ranks = list(Severity)
        ordered = sorted(
            (frame for frame in self.findings if frame.height),
            key=lambda frame: (ranks.index(Severity(frame["severity"][0])), frame["table_name"][0], frame["rule"][0]),
        )
        return pl.concat(ordered) if ordered else pl.DataFrame(schema=FINDING)


def _unless_waived(rule: Rule, measure: pl.Expr, frame: pl.DataFrame) -> pl.Expr:
    """The measure, or one that nothing can be said against where a person released the row in spite of the rule."""
    if not rule.waivable or WAIVED not in frame.columns:
        return measure
    waived = pl.col(WAIVED).fill_null("").str.contains(f",{rule.code},", literal=True)
    return pl.when(waived).then(pl.lit(value=True) if isinstance(rule.check, Holds) else None).otherwise(measure)


def _findings(frame: pl.DataFrame, flag: pl.Series, rule: Rule) -> list[pl.DataFrame]:
    rows = frame.filter(flag)
    if not rule.cells:
        return [_of_column(rows, rule, rule.column)]
    return [_of_column(rows.filter(cell), rule, column) for column, cell in rule.cells.items()]


def _of_column(rows: pl.DataFrame, rule: Rule, column: str) -> pl.DataFrame:
    source = text_of(column) if text_of(column) in rows.columns else column
    value = pl.col(source).cast(pl.String).str.slice(0, VALUE_LENGTH) if source in rows.columns else pl.lit(None)
    return rows.select(
        pl.lit(str(rule.severity)).alias("severity"),
        pl.lit(rule.code).alias("rule"),
        pl.lit(rule.table).alias("table_name"),
        pl.col(FILE).alias("file"),
        pl.col(ROW).alias("row_no"),
        pl.lit(column).alias("column_name"),
        value.cast(pl.String).alias("value"),
        pl.lit(rule.meaning).alias("message"),
        pl.lit(rule.advice).alias("advice"),
    )
