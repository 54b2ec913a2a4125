"""From rows of text to the canonical columns, a column at a time for all rows (Polars).

A cell that does not convert becomes null and keeps its text and a fault beside it, so that the gate can say which cell
of which row it was. Nothing is guessed: a thousands sign stands where thousands end, or the cell is no amount.

For a converted column `x` a frame has `x` (its value), `x__text` (the cell) and `x__fault` (0: none).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from connectors.ledgers.broken import WHOSE, likely
from connectors.ledgers.columns import FILE_COLUMNS, NUMBERS, Column, Kind
from connectors.ledgers.dates import EARLIEST, ISO, date_format, parse_dates
from connectors.ledgers.raw import ROW, FileFault, RawTable
from connectors.ledgers.source import FileSpec, LedgerSource, NumberFormat, Role, template_fields
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import decimals

FILE = "file"
UNREADABLE, TOO_FINE, TOO_LARGE, AMBIGUOUS, SWAPPED = 1, 2, 3, 4, 5
"""Faults of a cell: no value, more decimals than the currency has, beyond any ledger, two dates, day for month."""

_SPACES = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_INVISIBLE = "[\u200b-\u200d\u2060\ufeff]"
_FLAGS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
_WHOLE_DIGITS = 13
"""An amount with more digits before its decimals is no amount of a ledger."""


def text_of(column: str) -> str:
    """Name of the column with a converted column's text."""
    return f"{column}__text"


def fault_of(column: str) -> str:
    """Name of the column with a converted column's fault."""
    return f"{column}__fault"


@dataclass(frozen=True)
class Mapped:
    """The cells of one or more files of a kind under their canonical names, still as text."""

    role: Role
    cells: pl.DataFrame
    """`file`, `row_no` and the canonical columns that the source gives."""
    broken: pl.DataFrame
    """Lines that are no rows: `file` and the columns of `BROKEN`, and where each of `WHOSE` is likely to stand."""
    suspect: pl.DataFrame
    """`file`, `row_no`, `column`, `fault` of spreadsheet cells that hold no plain value."""
    totals: pl.DataFrame
    """Total rows, as text; no items."""
    faults: tuple[tuple[str, FileFault], ...]
    """What is wrong with a whole file, by file."""
    row_count: int
    typed: bool


def map_files(source: LedgerSource, role: Role, tables: Sequence[RawTable]) -> Mapped:
    """Put the cells of the files of one kind under their canonical names."""
    spec = getattr(source.files, role)
    parts = [_map_file(role, spec, table) for table in tables]
    return Mapped(
        role,
        pl.concat([part.cells for part in parts]),
        pl.concat([part.broken for part in parts]),
        pl.concat([part.suspect for part in parts]),
        pl.concat([part.totals for part in parts]),
        tuple(fault for part in parts for fault in part.faults),
        sum(part.row_count for part in parts),
        any(part.typed for part in parts),
    )


def _map_file(role: Role, spec: FileSpec, table: RawTable) -> Mapped:
    columns = [name for name in FILE_COLUMNS[role] if name in spec.given]
    positions, faults = ({}, table.faults) if table.faults else _resolve(spec.columns, table.headers)
    skipping, lacking = ({}, ()) if faults else _resolve({header: header for header in spec.skip}, table.headers)
    faults += lacking
    whole = [pl.lit(table.file).alias(FILE), pl.col(ROW)]
    width = len(table.headers)
    whose = [likely(positions.get(name), width, spec.values.get(name, {})).alias(name) for name in WHOSE]
    broken = table.broken.select(*whole, "fault", "text", "cells", *whose)
    names = {at: name for name, at in positions.items()}
    suspect = table.suspect.filter(pl.col("position").is_in(list(names))).select(
        *whole, pl.col("position").replace_strict(names, return_dtype=pl.String).alias("column"), "fault"
    )
    schema = {FILE: pl.String, ROW: pl.Int64, **dict.fromkeys(columns, pl.String)}
    cells = totals = pl.DataFrame(schema=schema)
    if not faults:
        rows = _laid_out(table.cells, spec, positions, skipping)
        cells = _name(rows, role, spec, positions).select(*whole, *columns)
        if spec.total_row is not None:
            is_total = pl.col(spec.total_row.column).eq_missing(spec.total_row.value)
            cells, totals = cells.filter(~is_total), cells.filter(is_total)
    told = tuple((table.file, fault) for fault in faults)
    return Mapped(role, cells, broken, suspect, totals, told, cells.height + broken.height, table.typed)


def _laid_out(
    cells: pl.DataFrame, spec: FileSpec, positions: Mapping[str, int], skipping: Mapping[str, int]
) -> pl.DataFrame:
    """A list with groups as a plain table: what only a group's first row says, in all of them; no headings."""
    for name in spec.fill_down:
        cell = pl.col(str(positions[name]))
        cells = cells.with_columns(pl.when(cell.str.strip_chars() != "").then(cell).forward_fill())
    for header, at in skipping.items():
        cell = pl.col(str(at)).fill_null("").str.strip_chars()
        cells = cells.filter(~cell.is_in(spec.skip[header]))
    return cells


def _resolve(columns: Mapping[str, str], headers: Sequence[str]) -> tuple[dict[str, int], tuple[FileFault, ...]]:
    """Position of each mapped column, by header; what is missing or stands there twice."""
    spelled = [_norm(header) for header in headers]
    positions, faults = {}, []
    for name, header in columns.items():
        count = spelled.count(_norm(header))
        if count == 1:
            positions[name] = spelled.index(_norm(header))
        elif count:
            faults.append(FileFault("column_repeated", f"The header {header!r} stands there {count} times."))
        else:
            found = ", ".join(repr(each) for each in headers)
            use = f"for {name}" if name != header else "to skip rows by"
            faults.append(FileFault("column_missing", f"There is no column {header!r} ({use}) among {found}."))
    return positions, tuple(faults)


def _norm(header: str) -> str:
    return " ".join(header.replace("\ufeff", "").split()).casefold()


def _name(cells: pl.DataFrame, role: Role, spec: FileSpec, positions: Mapping[str, int]) -> pl.DataFrame:
    """The mapped columns, cleaned of invisible signs, with value maps and defaults applied."""
    named = [ROW, *(pl.col(str(at)).alias(name) for name, at in positions.items())]
    frame = cells.select(named)
    cleaned = [_clean(frame[name], spec.empty, FILE_COLUMNS[role][name]) for name in positions]
    frame = frame.with_columns(cleaned).with_columns(
        pl.col(name).replace(mapping) for name, mapping in spec.values.items() if name in positions
    )
    built = {name: template for name, template in spec.defaults.items() if template_fields(template)}
    constant = {name: value for name, value in spec.defaults.items() if name not in built}
    frame = frame.with_columns(_defaulted(frame, name, pl.lit(value)) for name, value in constant.items())
    return frame.with_columns(_defaulted(frame, name, _template(template)) for name, template in built.items())


def _defaulted(frame: pl.DataFrame, name: str, value: pl.Expr) -> pl.Expr:
    return pl.coalesce(name, value).alias(name) if name in frame.columns else value.alias(name)


def _template(template: str) -> pl.Expr:
    pieces, rest = [], template
    for field in template_fields(template):
        before, _, rest = rest.partition(f"{{{field}}}")
        pieces += [pl.lit(before), pl.col(field)]
    return pl.concat_str([*pieces, pl.lit(rest)])


def _clean(cells: pl.Series, empty: Sequence[str], column: Column) -> pl.Series:
    """Without spaces around it; what only looks like a space is one; composed letters; nothing for empty."""
    if cells.str.contains(r"[^\x00-\x7f]").any():
        cells = cells.str.replace_all(_SPACES, " ").str.replace_all(_INVISIBLE, "")
        if column.kind is Kind.TEXT:
            cells = cells.str.normalize("NFC")
        elif column.kind is Kind.MONEY:
            cells = cells.str.replace_all("\N{MINUS SIGN}", "-", literal=True)
    cells = cells.str.strip_chars()
    if column.name in NUMBERS and cells.str.ends_with(".0").any():
        cells = cells.str.replace(r"^([0-9]+)\.0$", "$1")
    nothing = pl.col(cells.name).is_in(["", *empty])
    return cells.to_frame().select(pl.when(~nothing).then(pl.col(cells.name))).to_series()


def type_columns(source: LedgerSource, mapped: Mapped, creditor_currency: str) -> pl.DataFrame:
    """The cells with their values beside them. Amounts of debtors are in the creditor's currency."""
    frame, role = mapped.cells, mapped.role
    known = FILE_COLUMNS[role]
    money_scale = _scale(frame, creditor_currency)
    for name in [column for column in frame.columns if column in known and known[column].kind is not Kind.TEXT]:
        column = known[name]
        frame = frame.rename({name: text_of(name)})
        cell = pl.col(text_of(name))
        if column.kind is Kind.MONEY:
            own = "currency" in frame.columns and name not in FILE_COLUMNS["debtors"]
            scale = money_scale if own else pl.lit(decimals(creditor_currency), dtype=pl.Int64)
            value, fault = parse_money(cell, source.number_format(role), scale)
        elif column.kind is Kind.DATE:
            value, fault = _parse_dates(source, mapped, column)
        else:
            value = _word(cell, column)
            fault = pl.when(cell.is_not_null() & value.is_null()).then(UNREADABLE).otherwise(0)
        frame = frame.with_columns(value.alias(name), fault.cast(pl.UInt8).alias(fault_of(name)))
    if "currency" in frame.columns:
        frame = frame.with_columns(pl.col("currency").str.to_uppercase())
    return frame


def _word(cell: pl.Expr, column: Column) -> pl.Expr:
    folded = cell.str.to_lowercase()
    if column.kind is Kind.FLAG:
        return folded.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    words = {word.lower(): word for word in column.words}
    return folded.replace_strict(words, default=None, return_dtype=pl.String)


def _parse_dates(source: LedgerSource, mapped: Mapped, column: Column) -> tuple[pl.Expr, pl.Expr]:
    cell = pl.col(text_of(column.name))
    formats = source.date_formats(mapped.role, column.name)
    if mapped.typed and ISO not in {each.text for each in formats}:
        formats = (*formats, date_format(ISO))
    earliest = date(1900, 1, 1) if column.name == "customer_since" else EARLIEST
    parsed = parse_dates(cell, formats, earliest)
    fault = (
        pl.when(parsed.ambiguous)
        .then(AMBIGUOUS)
        .when(parsed.swapped)
        .then(SWAPPED)
        .when(cell.is_not_null() & parsed.value.is_null())
        .then(UNREADABLE)
        .otherwise(0)
    )
    return pl.when(~parsed.ambiguous).then(parsed.value), fault


def _scale(frame: pl.DataFrame, fallback: str) -> pl.Expr:
    """Decimals of each row's currency; those of the creditor's where the code is none (the gate sees to that)."""
    if "currency" not in frame.columns:
        return pl.lit(decimals(fallback), dtype=pl.Int64)
    known = {}
    for code in frame["currency"].unique().drop_nulls():
        try:
            known[code] = decimals(code.upper())
        except UsageError:
            known[code] = decimals(fallback)
    return pl.col("currency").replace_strict(known, default=decimals(fallback), return_dtype=pl.Int64)


def parse_money(cell: pl.Expr, numbers: NumberFormat, scale: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(minor units, fault) of cells written in a number format; `5-` and `(5)` are what bookkeepers write for -5."""
    if numbers.currency_sign:
        sign = re.escape(numbers.currency_sign)
        cell = cell.str.replace(rf"^([-(]?) ?{sign} ?|(.) ?{sign}([-)]?)$", "$1$2$3")
    cell = cell.str.replace(r"^(?:\((.+)\)|(.+)-)$", "-$1$2")
    point = "\\" + numbers.decimal
    whole = "[0-9]+"
    if numbers.thousands:
        sign = "\\" + numbers.thousands
        whole = f"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+|[0-9]+)"
    digits = cell.str.extract(f"^-?({whole})(?:{point}[0-9]+)?$", 1)
    if numbers.thousands:
        digits = digits.str.replace_all(numbers.thousands, "", literal=True)
    fraction = cell.str.extract(f"{point}([0-9]+)$", 1).fill_null("").str.strip_chars_end("0")
    length = fraction.str.len_bytes().cast(pl.Int64)
    fault = (
        pl.when(cell.is_not_null() & digits.is_null())
        .then(UNREADABLE)
        .when(digits.str.strip_chars_start("0").str.len_bytes() > _WHOLE_DIGITS)
        .then(TOO_LARGE)
        .when(length > scale)
        .then(TOO_FINE)
        .otherwise(0)
    )
    power = pl.lit(10, dtype=pl.Int64)
    minor = digits.cast(pl.Int64, strict=False) * power.pow(scale) + fraction.cast(pl.Int64, strict=False).fill_null(
        0
    ) * power.pow((scale - length).clip(0))
    signed = pl.when(cell.str.starts_with("-")).then(-minor).otherwise(minor)
    return pl.when(fault == 0).then(signed), fault
