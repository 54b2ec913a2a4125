"""From a file to rows of text, whatever kind of file it is. Nothing here raises on a bad file: faults are data."""

from io import BytesIO
from pathlib import Path

import polars as pl

from connectors.ledgers.delimited import read_delimited
from connectors.ledgers.raw import ROW, FileFault, RawTable
from connectors.ledgers.source import FileSpec
from connectors.ledgers.workbook import read_workbook
from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import bytes_hash

_BY_SUFFIX = {".parquet": "parquet", ".pq": "parquet"} | dict.fromkeys(
    (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel"
)
_SAFE = 1e15
"""Above this a float no longer tells cents apart, so its text is left as it is, and will not be an amount."""


def read_table(path: Path, spec: FileSpec, decimal: str = ".") -> RawTable:
    """Read one file as its kind says, or its name. `decimal`: the sign by which the source's texts write decimals.

    Raises:
        UsageError: there is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}.", advice="Check path and rights.") from error
    kind = spec.format if spec.format != "auto" else _BY_SUFFIX.get(path.suffix.lower(), "csv")
    match kind:
        case "parquet":
            return read_parquet(path.name, content, decimal)
        case "excel":
            return read_workbook(path.name, content, spec, decimal)
        case _:
            return read_delimited(path.name, content, spec)


def read_parquet(file: str, content: bytes, decimal: str = ".") -> RawTable:
    """The rows of a Parquet file, its values written as text, numbers as the source writes them."""
    digest = bytes_hash(content)
    try:
        frame = pl.read_parquet(BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        told = f"It cannot be read as Parquet: {str(error).splitlines()[0]}."
        return RawTable(file, digest, faults=(FileFault("file_unreadable", told),))
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested() or dtype == pl.Object]
    if nested:
        told = f"Column {nested[0]!r} holds lists or records, not values."
        return RawTable(file, digest, faults=(FileFault("file_unreadable", told),))
    cells = frame.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW),
        *(_text(name, dtype, decimal).alias(str(at)) for at, (name, dtype) in enumerate(frame.schema.items())),
    )
    return RawTable(file, digest, tuple(frame.columns), cells, typed=True)


def _text(name: str, dtype: pl.DataType, decimal: str) -> pl.Expr:
    value = pl.col(name)
    if dtype == pl.Binary:
        return value.bin.encode("hex")
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%d %H:%M:%S")
    if dtype.is_float():
        fits = value.is_finite() & (value.abs() < _SAFE)
        exact = pl.when(fits).then(value).cast(pl.Float64).round(6).cast(pl.Decimal(38, 6)).cast(pl.String)
        tidy = exact.str.strip_chars_end("0").str.strip_chars_end(".")
        return pl.when(fits).then(tidy).otherwise(value.cast(pl.String)).str.replace(".", decimal, literal=True)
    text = value.cast(pl.String)
    if dtype.is_decimal():
        return text.str.replace(".", decimal, literal=True)
    return text.str.replace_all("\0", "\N{SYMBOL FOR NULL}", literal=True) if dtype == pl.String else text
