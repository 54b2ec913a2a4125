"""Spreadsheets: cells as text, and which of them hold a formula or an error instead of a value.

A formula's value is whatever the program that saved the file left behind. Where it left none, or says that it never
calculated, the cell reads as 0 or as nothing: such cells are handed on as suspect, never as amounts.

A number is written as the source writes numbers, so that 9.995 is never taken for 9,995; a text is left as it stands.
"""

import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from io import BytesIO
from typing import IO
from xml.etree import ElementTree

import fastexcel
import polars as pl

from connectors.ledgers.raw import CELL_ERROR, FORMULA, FORMULA_UNCALCULATED, ROW, SUSPECT, FileFault, RawTable
from connectors.ledgers.source import FileSpec
from maatpak.kernel.ids import bytes_hash

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_POINTED = r"^-?[0-9]+\.[0-9]+$"
_LONG_FRACTION = r"^-?[0-9]+\.[0-9]{9,}$"
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")


def read_workbook(file: str, content: bytes, spec: FileSpec, decimal: str = ".") -> RawTable:
    """The rows of one sheet."""
    digest = bytes_hash(content)
    try:
        book = fastexcel.read_excel(content)
        sheet = spec.sheet if spec.sheet is not None else book.sheet_names[0]
        if sheet not in book.sheet_names:
            told = f"There is no sheet {sheet!r}; there are {', '.join(book.sheet_names)}."
            return RawTable(file, digest, faults=(FileFault("sheet_missing", told),))
        rows = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
        at, zipped = book.sheet_names.index(sheet), zipfile.is_zipfile(BytesIO(content))
        suspect = _suspect_cells(content, at) if zipped else []
        table = _table(file, digest, rows, suspect, spec)
        if decimal != "." and not table.faults:
            body = book.load_sheet(sheet, header_row=None, skip_rows=spec.header_row, schema_sample_rows=None)
            numeric = {str(each.index) for each in body.selected_columns if each.dtype in ("float", "int")}
            cells = _numbers_as_written(table.cells, numeric, decimal, content if zipped else b"", at)
            table = replace(table, cells=cells)
    except (fastexcel.FastExcelError, zipfile.BadZipFile, ElementTree.ParseError, KeyError, OSError) as error:
        told = (
            f"It cannot be read as a spreadsheet: {str(error).splitlines()[0] if str(error) else type(error).__name__}."
        )
        return RawTable(file, digest, faults=(FileFault("file_unreadable", told),))
    return table


def _table(file: str, digest: str, rows: pl.DataFrame, suspect: list[tuple[int, int, str]], spec: FileSpec) -> RawTable:
    rows = rows.rename({name: str(at) for at, name in enumerate(rows.columns)})
    if rows.height < spec.header_row or rows.row(spec.header_row - 1) == (None,) * rows.width:
        told = f"Row {spec.header_row} of the sheet holds no header."
        return RawTable(file, digest, faults=(FileFault("header_missing", told),))
    headers = tuple(str(name or "") for name in rows.row(spec.header_row - 1))
    body = rows.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW)).slice(spec.header_row)
    filled = pl.any_horizontal(pl.col(name).str.strip_chars() != "" for name in rows.columns)
    cells = body.filter(filled.fill_null(value=False)).select(ROW, *(_tidy(name) for name in rows.columns))
    return RawTable(
        file,
        digest,
        headers,
        cells,
        suspect=pl.DataFrame(suspect, schema=SUSPECT, orient="row"),
        typed=True,
    )


def _numbers_as_written(
    cells: pl.DataFrame, numeric: Collection[str], decimal: str, content: bytes, index: int
) -> pl.DataFrame:
    """Numbers with the source's sign for decimals. In a column of both, the file tells numbers from texts."""
    doubtful = {name: pl.col(name).str.contains(_POINTED) for name in cells.columns if name != ROW}
    doubtful = {name: found for name, found in doubtful.items() if cells.select(found.any()).item()}
    mixed = doubtful.keys() - numeric
    known = _number_cells(content, index) if mixed and content else {}
    for name, pointed in doubtful.items():
        is_number = pl.lit(value=True) if name in numeric else pl.col(ROW).is_in(known.get(int(name), []))
        signed = pl.col(name).str.replace(".", decimal, literal=True)
        cells = cells.with_columns(pl.when(pointed & is_number).then(signed).otherwise(name).alias(name))
    return cells


def _number_cells(content: bytes, index: int) -> dict[int, list[int]]:
    """Position → rows of the cells that hold a number; the position counts from the sheet's first used column."""
    with zipfile.ZipFile(BytesIO(content)) as book:
        if "xl/workbook.xml" not in book.namelist():
            return {}
        found: dict[int, list[int]] = {}
        with book.open(_sheet(book, index)[0]) as sheet:
            for column, row, cell in _cells(sheet):
                found.setdefault(column, [])
                if cell.get("t") in (None, "n"):
                    found[column].append(row)
        first = min(found, default=0)
        return {column - first: rows for column, rows in found.items()}


def _tidy(name: str) -> pl.Expr:
    """Numbers as people see them: binary fractions such as 1234.5600000000001 are rounded."""
    cell = pl.col(name)
    long = cell.str.contains(_LONG_FRACTION)
    rounded = pl.when(long).then(cell).cast(pl.Float64, strict=False).round(6).cast(pl.String)
    return pl.when(long).then(rounded).otherwise(cell).alias(name)


def _suspect_cells(content: bytes, index: int) -> list[tuple[int, int, str]]:
    """(row, position, what) of the formulas and errors of a sheet; the position counts from its first used column."""
    with zipfile.ZipFile(BytesIO(content)) as book:
        if "xl/workbook.xml" not in book.namelist():
            return []  # an older or another format, whose formulas cannot be told from values
        path, calculated = _sheet(book, index)
        with book.open(path) as sheet:
            data = sheet.read()
        if b"<f" not in data and b't="e"' not in data:
            return []
        found, first = [], 1_000_000
        for column, row, cell in _cells(BytesIO(data)):
            first = min(first, column)
            formula, value = cell.find(f"{_MAIN}f"), cell.find(f"{_MAIN}v")
            if cell.get("t") == "e":
                found.append((row, column, CELL_ERROR))
            elif formula is not None and calculated and value is not None and value.text:
                found.append((row, column, FORMULA))
            elif formula is not None:
                found.append((row, column, FORMULA_UNCALCULATED))
        return [(row, column - first, fault) for row, column, fault in found]


def _sheet(book: zipfile.ZipFile, index: int) -> tuple[str, bool]:
    """Where the sheet lies in the archive, and whether the formulas of the book were calculated when it was saved."""
    root = ElementTree.fromstring(book.read("xl/workbook.xml"))  # noqa: S314 - expat refuses entity bombs, and nothing is fetched
    calculation = root.find(f"{_MAIN}calcPr")
    pending = calculation is not None and calculation.get("fullCalcOnLoad") in ("1", "true")
    relation = root.findall(f"{_MAIN}sheets/{_MAIN}sheet")[index].get(_RELATION)
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - expat refuses entity bombs, and nothing is fetched
    target = next(str(each.get("Target")) for each in relations if each.get("Id") == relation)
    return (target.lstrip("/") if target.startswith("/") else f"xl/{target}"), not pending


def _cells(sheet: IO[bytes]) -> Iterator[tuple[int, int, ElementTree.Element]]:
    for _, element in ElementTree.iterparse(sheet):  # noqa: S314 - expat refuses entity bombs, and nothing is fetched
        if element.tag == f"{_MAIN}c":
            match = _REFERENCE.fullmatch(element.get("r", ""))
            if match is not None:
                yield _column_number(match[1]), int(match[2]), element
        elif element.tag == f"{_MAIN}row":
            element.clear()


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
