"""Text files with delimiters: encoding and delimiter found out, every line accounted for.

A line either has the header's number of cells or is handed on as broken. What would let lines vanish (a quote that is
never closed) or garble others (two encodings in one file) refuses the file.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence

import polars as pl

from connectors.ledgers.raw import BROKEN, ROW, ROW_BROKEN, ROW_CUT_OFF, FileFault, RawTable
from connectors.ledgers.source import FileSpec
from maatpak.kernel.ids import bytes_hash

DELIMITERS = (";", ",", "\t", "|")
NULL_SIGN = "\N{SYMBOL FOR NULL}"
"""Stands for a NUL byte, which no database can hold."""

_CHUNK = 65_536
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UTF8_IN_CP1252 = re.compile(rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})")


def read_delimited(file: str, content: bytes, spec: FileSpec) -> RawTable:
    """The rows of a text file."""
    digest = bytes_hash(content)
    text, fault = _decode(content, spec.encoding)
    if fault is not None:
        return RawTable(file, digest, faults=(fault,))
    text = text.replace("\r\n", "\n").replace("\0", NULL_SIGN)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = text.split("\n", spec.header_row)
    header = lines[spec.header_row - 1] if len(lines) >= spec.header_row else ""
    if not header.strip():
        return RawTable(file, digest, faults=(FileFault("header_missing", f"Row {spec.header_row} holds no header."),))
    delimiter = spec.delimiter if spec.delimiter != "auto" else _delimiter(header, spec)
    headers = tuple(_cells(header, delimiter))
    body = lines[spec.header_row] if len(lines) > spec.header_row else ""
    ends_clean = not body or body.endswith("\n") or not spec.final_line_break
    cells, broken, faults = _read_rows(body, delimiter, len(headers), spec.header_row + 1)
    if not ends_clean:
        cells, broken = _cut_off(cells, broken, delimiter)
    return RawTable(file, digest, headers, cells, broken, faults=faults)


def _decode(content: bytes, encoding: str) -> tuple[str, FileFault | None]:
    if not content.strip():
        return "", FileFault("file_empty", "The file is empty.")
    for mark, name in _BOMS:
        if content.startswith(mark):
            return _decoded(content, name)
    if content[:4096].count(0) * 10 > len(content[:4096]):
        if encoding == "utf-16":
            return _decoded(content, "utf-16-le")
        return "", FileFault("encoding_unknown", "The file is full of NUL bytes: it is binary, or UTF-16 without mark.")
    if encoding == "cp1252" or (encoding == "auto" and not _is_utf8(content)):
        if not content.isascii() and _UTF8_IN_CP1252.search(content):
            told = "The file is UTF-8, but the source says cp1252." if _is_utf8(content) else (
                "Some of the file is UTF-8 and some is not."
            )  # fmt: skip
            return "", FileFault("encoding_mixed", told)
        return _decoded(content, "cp1252")
    return _decoded(content, "utf-8")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(content: bytes, encoding: str) -> tuple[str, FileFault | None]:
    try:
        return content.decode(encoding), None
    except UnicodeDecodeError as error:
        place = content[: error.start].count(b"\n") + 1
        return "", FileFault("encoding_unknown", f"Line {place} is not {encoding.upper()}: {error.reason}.")


def _delimiter(header: str, spec: FileSpec) -> str:
    """The one that finds most of the mapped headers, else most cells."""
    wanted = {_norm(name) for name in spec.columns.values()}

    def found(delimiter: str) -> tuple[int, int]:
        cells = _cells(header, delimiter)
        return sum(_norm(cell) in wanted for cell in cells), len(cells)

    return max(DELIMITERS, key=found)


def _norm(name: str) -> str:
    return " ".join(name.split()).casefold()


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


Read = tuple[pl.DataFrame, pl.DataFrame, tuple[FileFault, ...]]


def _read_rows(body: str, delimiter: str, width: int, first_row: int) -> Read:
    """A line is a row, unless a quoted cell goes on in the next line: then the whole file is read row by row."""
    lines = pl.DataFrame({"text": pl.Series([body], dtype=pl.String).str.split("\n").explode()})
    lines = lines.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW) + first_row)
    lines = lines.filter(pl.col("text").str.strip_chars() != "")
    if '"' not in body:
        cells, others = _split(lines, delimiter, width)
        return cells, _broken(others, delimiter), ()
    if lines.select((pl.col("text").str.count_matches('"', literal=True) % 2 == 1).any()).item():
        return _read_quoted(body, delimiter, width, first_row)
    cells, others = _unquoted(*_split(lines, delimiter, width), lines)
    found = [(row_no, _parsed(text, delimiter)) for row_no, text in others.select(ROW, "text").iter_rows()]
    whole = [(row_no, row) for row_no, row in found if row is not None and len(row) == width]
    parsed = _frame([row_no for row_no, _ in whole], [row for _, row in whole], width)
    broken = others.filter(~pl.col(ROW).is_in(parsed[ROW].implode()))
    return pl.concat([cells, parsed]).sort(ROW), _broken(broken, delimiter), ()


def _split(lines: pl.DataFrame, delimiter: str, width: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines cut at every delimiter that have the header's cells then, and those that have not."""
    split = lines.select(ROW, pl.col("text").str.split(delimiter).alias("cells"))
    fits = split["cells"].list.len() == width
    cells = split.filter(fits).select(ROW, *(pl.col("cells").list.get(at).alias(str(at)) for at in range(width)))
    return cells, lines.filter(~fits)


def _unquoted(cells: pl.DataFrame, others: pl.DataFrame, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells without the quotes around them; rows with quotes anywhere else join the lines to be parsed one by one."""
    names = [name for name in cells.columns if name != ROW]
    bare = pl.all_horizontal(
        ~pl.col(name).str.contains('"', literal=True) | pl.col(name).str.contains('^"[^"]*"$') for name in names
    )
    simple = cells.select(bare.alias("bare"))["bare"]
    odd = lines.join(cells.filter(~simple).select(ROW), on=ROW, how="semi")
    quoted = [pl.col(name).str.strip_chars('"') for name in names]
    return cells.filter(simple).with_columns(quoted), pl.concat([others, odd])


def _parsed(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), None)
    except csv.Error:
        return None


def _broken(lines: pl.DataFrame, delimiter: str) -> pl.DataFrame:
    rows = [
        (row_no, ROW_BROKEN, text, _cells(text, delimiter)) for row_no, text in lines.select(ROW, "text").iter_rows()
    ]
    return pl.DataFrame(rows, schema=BROKEN, orient="row")


def _read_quoted(body: str, delimiter: str, width: int, first_row: int) -> Read:
    """With quotes, row by row: cells may hold delimiters and line breaks, and may be quoted wrongly."""
    frames: list[pl.DataFrame] = []
    broken: list[int] = []
    chunk: list[list[str]] = []
    numbers: list[int] = []
    for row_no, lines, cells in _records(body, delimiter, first_row):
        swallowed = cells is None and lines > 1
        if swallowed or (cells is not None and _swallows(cells, delimiter, width)):
            told = f"A quote that opens in row {row_no} is not closed in it, and swallows the rows after it."
            return (
                pl.DataFrame(schema=_schema(width)),
                pl.DataFrame(schema=BROKEN),
                (FileFault("quotes_unbalanced", told),),
            )
        if cells is None or len(cells) != width:
            broken.append(row_no)
            continue
        chunk.append(cells)
        numbers.append(row_no)
        if len(chunk) == _CHUNK:
            frames.append(_frame(numbers, chunk, width))
            chunk, numbers = [], []
    frames.append(_frame(numbers, chunk, width))
    texts = body.split("\n") if broken else []
    others = pl.DataFrame(
        {ROW: broken, "text": [texts[row_no - first_row] for row_no in broken]},
        schema={ROW: pl.Int64, "text": pl.String},
    )
    return pl.concat(frames), _broken(others, delimiter), ()


def _records(body: str, delimiter: str, first_row: int) -> Iterator[tuple[int, int, list[str] | None]]:
    """(row number, lines it took, its cells or None where the quoting is wrong) of every row that is not blank."""
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    taken = 0
    while True:
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        lines, start, taken = reader.line_num - taken, taken, reader.line_num
        if cells is None or any(cell.strip() for cell in cells) or len(cells) > 1:
            yield first_row + start, lines, cells


def _swallows(cells: Sequence[str], delimiter: str, width: int) -> bool:
    return any("\n" in cell and cell.count(delimiter) >= width - 1 > 0 for cell in cells)


def _schema(width: int) -> dict[str, type[pl.DataType]]:
    return {ROW: pl.Int64, **{str(at): pl.String for at in range(width)}}


def _frame(numbers: list[int], rows: list[list[str]], width: int) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    data = {ROW: numbers, **{str(at): columns[at] for at in range(width)}}
    return pl.DataFrame(data, schema=_schema(width))


def _cut_off(cells: pl.DataFrame, broken: pl.DataFrame, delimiter: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set the last row apart: without a line break behind it, it may have lost its end."""
    last = max(cells[ROW].max() or 0, broken[ROW].max() or 0)
    names = [name for name in cells.columns if name != ROW]
    joined = pl.concat_str(names, separator=delimiter).alias("text")
    fault = pl.lit(ROW_CUT_OFF).alias("fault")
    whole = cells.filter(pl.col(ROW) == last).select(ROW, fault, joined, pl.concat_list(names).alias("cells"))
    marked = broken.with_columns(
        pl.when(pl.col(ROW) == last).then(pl.lit(ROW_CUT_OFF)).otherwise("fault").alias("fault")
    )
    return cells.filter(pl.col(ROW) != last), pl.concat([marked, whole])
