"""The rules for a whole import: for a breach of one of them nothing of the file is loaded.

Every measure is one number against one limit, in a frame of one row, so that a bound which a person accepts once is a
limit like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from connectors.ledgers.raw import ROW, FileFault
from maatpak.kernel.words import Severity
from tasks.quality.checks import AtMost, Rule

FAULTS = {
    "file_empty": "Export it again.",
    "file_unreadable": "Export it again; was it transferred whole?",
    "sheet_missing": "Correct `sheet` in the source.",
    "header_missing": "Correct `header_row` in the source, or export it again.",
    "column_missing": "Correct `columns` in the source, or export it with that column.",
    "column_repeated": "Give the columns different headers.",
    "encoding_unknown": "Export it as UTF-8, or set `encoding` in the source.",
    "encoding_mixed": "Export it as UTF-8 throughout.",
    "quotes_unbalanced": "Correct the quotes, or have the export double quotes inside of cells.",
    "creditor_unknown": "List the creditor in the source, or take its rows out.",
}
"""What can be wrong with a file before its rows are looked at, and what to do."""


@dataclass
class FileMeasures:
    """What was measured of an import as a whole."""

    accepted: frozenset[str] = frozenset()
    """Bounds that a person accepts this once."""
    rules: list[Rule] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Accepted bounds that would have refused the file."""

    def faults(self, role: str, faults: Iterable[tuple[str, FileFault]]) -> None:
        """Count what is wrong with the files of a kind, one rule a fault; none at all is a rule that holds."""
        by_code: dict[str, list[str]] = {}
        for file, fault in faults:
            by_code.setdefault(fault.code, []).append(f"{file}: {fault.detail}")
        for code, details in by_code.items():
            self.at_most(code, role, len(details), 0, " ".join(details), FAULTS[code])
        if not by_code:
            self.at_most("file_unsound", role, 0, 0, "The file cannot be read as the source says.", "")

    def at_most(
        self, code: str, column: str, number: float, limit: float, meaning: str, advice: str, bound: str | None = None
    ) -> None:
        """Measure one number against its limit."""
        if bound in self.accepted and number > limit:
            self.used.add(str(bound))
            limit = number
        check = AtMost(pl.col(f"{column} {code}"), limit)
        self.rules.append(Rule(code, "file", column, Severity.REJECT, check, meaning, advice))
        self.numbers[f"{column} {code}"] = number

    def frame(self, file: str) -> pl.DataFrame:
        """All measures as one row."""
        row = {"file": file, ROW: None, **{name: float(number) for name, number in self.numbers.items()}}
        schema = {"file": pl.String, ROW: pl.Int64, **dict.fromkeys(self.numbers, pl.Float64)}
        return pl.DataFrame([row], schema=schema)

    def breached(self) -> Sequence[Rule]:
        """Rules that refuse the file."""
        return [rule for rule in self.rules if self.numbers[rule.key] > _limit(rule)]


def _limit(rule: Rule) -> float:
    assert isinstance(rule.check, AtMost)
    return rule.check.limit
