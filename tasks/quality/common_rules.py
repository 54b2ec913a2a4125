"""Rules that every canonical table shares: cells that are no value, texts that are damaged, words nobody knows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from connectors.ledgers.canonical import AMBIGUOUS, SWAPPED, TOO_FINE, TOO_LARGE, UNREADABLE, fault_of
from connectors.ledgers.columns import FILE_COLUMNS, Kind
from connectors.ledgers.source import LedgerSource
from maatpak.kernel.words import Severity
from tasks.quality.checks import Holds, Present, Rule, cells_rule

SHEET_FAULT = "sheet_fault"
"""Column with what is wrong with the value of a spreadsheet's row, if anything."""

_CP1252 = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"  # fmt: skip  # noqa: E501
GARBLED = "|".join(
    (
        "\ufffd",  # what a decoder puts where it gave up
        "\u2400",  # what we put for a NUL byte
        r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]",
        rf"[\u00c2\u00c3][\u0080-\u00bf{_CP1252}]",  # UTF-8 read as cp1252: Ã© for é
        "\u00e2\u20ac",  # the same for quotes and dashes
        r"^=",  # a formula
        r"^#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)",
        r"^[0-9](?:[.,][0-9]+)?E\+?[0-9]+$",  # a number that a spreadsheet shortened
        r"[\p{Nd}--0-9]",  # digits of another script
        r'^[^"]*"(?:[^"]*"[^"]*")*[^"]*$',  # a quote without its other half
    )
)
"""A text that some program damaged on its way."""
LONGEST_TEXT = 250
"""Characters; no name, number or address is longer, and no letter or mail header could hold it."""


@dataclass(frozen=True)
class Import:
    """What the rules of one import are measured against."""

    source: LedgerSource
    as_of: date
    currency: str
    """The creditor's."""
    currencies: tuple[str, ...]
    """Those that items may have."""

    @property
    def is_history(self) -> bool:
        """Dates after the instant are the rule, not the exception."""
        return self.source.mode == "history"


def cell_rules(table: str, frame: pl.DataFrame) -> list[Rule]:
    """For the columns of the table that the source gives: their cells convert, their texts are whole."""
    given = [column for column in FILE_COLUMNS[table].values() if column.name in frame.columns]
    texts = {column.name: pl.col(column.name).str.contains(GARBLED) for column in given if column.kind is Kind.TEXT}
    rules = [
        cells_rule(
            "text_garbled",
            table,
            Severity.QUARANTINE,
            texts,
            "The text was damaged on its way: wrong encoding, a formula, or a control character.",
            "Correct the text, or release the row if it is meant so; and mend the export.",
            waivable=True,
        ),
        cells_rule(
            "text_too_long",
            table,
            Severity.QUARANTINE,
            {name: pl.col(name).str.len_chars() > LONGEST_TEXT for name in texts},
            f"The text is longer than {LONGEST_TEXT} characters.",
            "Shorten it: are two cells run together, or is a quote missing?",
        ),
    ]
    for kind, faults in _FAULTS.items():
        columns = [column.name for column in given if column.kind is kind]
        for code, values, meaning, advice in faults:
            cells = {name: pl.col(fault_of(name)).is_in(values) for name in columns}
            if cells:
                rules.append(cells_rule(code, table, Severity.QUARANTINE, cells, meaning, advice))
    return rules + list(_sheet_rules(table, frame))


_FAULTS: dict[Kind, list[tuple[str, list[int], str, str]]] = {
    Kind.DATE: [
        (
            "date_unreadable",
            [UNREADABLE, AMBIGUOUS, SWAPPED],
            "The cell is no date in a format of the source.",
            "Correct the date.",
        )
    ],
    Kind.MONEY: [
        (
            "amount_unreadable",
            [UNREADABLE],
            "The cell is no amount in the source's number format.",
            "Correct the amount, or the source's `numbers`.",
        ),
        (
            "amount_too_fine",
            [TOO_FINE],
            "The amount has more decimals than its currency.",
            "Correct the amount: is a separator misread?",
        ),
        ("amount_too_large", [TOO_LARGE], "The amount is beyond any ledger.", "Correct the amount."),
    ],
    Kind.FLAG: [
        (
            "flag_unknown",
            [UNREADABLE],
            "The cell is neither yes nor no.",
            "Map the word in the source's `values`.",
        )
    ],
    Kind.WORD: [
        (
            "word_unknown",
            [UNREADABLE],
            "The word is none that the column knows.",
            "Map the word in the source's `values`, or correct it.",
        )
    ],
}
"""By kind of column: what its cells must not be."""


def missing(table: str, column: str, code: str, meaning: str, advice: str) -> Rule:
    """A column that no row may be without. A cell that cannot be read is there: it has a finding of its own."""
    value = pl.col(column)
    if FILE_COLUMNS[table][column].kind is not Kind.TEXT:
        value = pl.when(value.is_not_null() | (pl.col(fault_of(column)) != 0)).then(1)
    return Rule(code, table, column, Severity.QUARANTINE, Present(value), meaning, advice)


def _sheet_rules(table: str, frame: pl.DataFrame) -> Iterator[Rule]:
    if SHEET_FAULT not in frame.columns:
        return
    fault = pl.col(SHEET_FAULT)
    yield Rule(
        "formula_uncalculated",
        table,
        SHEET_FAULT,
        Severity.QUARANTINE,
        Holds(fault.is_null() | ~fault.is_in(["formula_uncalculated", "cell_error"])),
        "A cell of the row holds a formula that was never calculated, or an error.",
        "Calculate the workbook, save it as values, and load it again; or correct the row.",
    )
    yield Rule(
        "formula",
        table,
        SHEET_FAULT,
        Severity.WARN,
        Holds(fault.is_null() | (fault != "formula")),
        "A cell of the row holds a formula; what it showed when the file was saved is taken.",
        "Have the export write values.",
    )


def repeats(frame: pl.DataFrame, key: Sequence[str], content: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """(is an identical repeat of an earlier row, has a row of the same key that differs), row by row.

    A key that is not whole is nobody's repeat.
    """
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    twins = frame.select(*dict.fromkeys((*key, *content))).with_row_index("at")
    twins = twins.filter(whole & pl.struct(key).is_duplicated())
    judged = twins.select(
        "at",
        (pl.struct(content).n_unique().over(*key) > 1).alias("differs"),
        (pl.int_range(pl.len()).over(*key) > 0).alias("later"),
    )
    spread = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("at")).join(judged, on="at", how="left")
    spread = spread.sort("at")
    differs = spread["differs"].fill_null(value=False)
    return spread["later"].fill_null(value=False) & ~differs, differs
