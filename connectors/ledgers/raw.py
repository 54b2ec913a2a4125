"""What a reader hands on: rows of text with their numbers, and what was wrong with the file, as data."""

from dataclasses import dataclass, field

import polars as pl

ROW = "row_no"
"""Number of the row in its file as people count: the header of a plain table is row 1."""

BROKEN: dict[str, type[pl.DataType] | pl.DataType] = {
    ROW: pl.Int64,
    "fault": pl.String,
    "text": pl.String,
    "cells": pl.List(pl.String),
}
"""A line that is no row, and what stands between its delimiters."""
SUSPECT = {ROW: pl.Int64, "position": pl.Int64, "fault": pl.String}

ROW_BROKEN = "row_broken"
ROW_CUT_OFF = "row_cut_off"
FORMULA = "formula"
FORMULA_UNCALCULATED = "formula_uncalculated"
CELL_ERROR = "cell_error"


@dataclass(frozen=True)
class FileFault:
    """Something for which a whole file is refused."""

    code: str
    detail: str


@dataclass(frozen=True)
class RawTable:
    """The text of a file's cells. Columns go by their position, for headers may repeat."""

    file: str
    bytes_hash: str
    headers: tuple[str, ...] = ()
    cells: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={ROW: pl.Int64}))
    """`row_no` and one text column a position, named `0`, `1`, …"""
    broken: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BROKEN))
    """Rows that do not have the header's cells."""
    suspect: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SUSPECT))
    """Cells of a spreadsheet that hold a formula or an error."""
    faults: tuple[FileFault, ...] = ()
    typed: bool = False
    """The file knows dates and numbers, so the reader wrote them in ISO form and with the source's decimal sign."""

    @property
    def row_count(self) -> int:
        """Rows below the header, broken ones too."""
        return self.cells.height + self.broken.height
