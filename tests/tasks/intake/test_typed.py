"""Files that know numbers and dates: read as they are, whatever the source says of how people write them."""

import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from connectors.ledgers.source_file import parse_source
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tests.tasks.intake.books import FIRST_DAY, HEADER, SOURCE, at, first_day, meant, stored, write

Row = dict[str, object]
TOO_FINE = Decimal("9.995")
"""With a Dutch eye it is nine thousand nine hundred and ninety-five."""


def typed_rows() -> list[Row]:
    rows = []
    for entry in first_day():
        texts = dict(zip(HEADER, entry.cells(), strict=True))
        money = {"amount": Decimal(entry.amount) / 100, "open": Decimal(entry.open) / 100}
        rows.append({**texts, "issued": entry.issued, "due": entry.due, **money})
    return rows


def parquet(rows: list[Row], kind: type[pl.DataType]) -> bytes:
    buffer = io.BytesIO()
    money = pl.col("amount", "open").cast(pl.Decimal(18, 3)).cast(pl.Decimal(18, 3) if kind is pl.Decimal else kind)
    pl.DataFrame(rows).with_columns(money).write_parquet(buffer)
    return buffer.getvalue()


def workbook(rows: list[Row]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "dd-mm-yyyy"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, list(row.values()))
    return buffer.getvalue()


FILES: dict[str, Callable[[list[Row]], bytes]] = {
    "decimals.parquet": lambda rows: parquet(rows, pl.Decimal),
    "floats.parquet": lambda rows: parquet(rows, pl.Float64),
    "numbers.xlsx": workbook,
}


@pytest.mark.parametrize("name", FILES)
def test_typed_amounts_are_read_as_they_are(engine: Engine, tmp_path: Path, name: str) -> None:
    rows = typed_rows()
    rows[7]["amount"] = rows[7]["open"] = TOO_FINE
    path = write(tmp_path, name, FILES[name](rows))
    report = ingest_ledger(engine, parse_source("books.yaml", SOURCE), [path], FIRST_DAY, at(FIRST_DAY), None)
    assert report.quarantined == 1
    found = report.findings.filter(pl.col("severity") == "quarantine").select("rule", "column_name", "value")
    assert set(found.iter_rows()) == {("amount_too_fine", column, "9,995") for column in ("amount", "open_amount")}
    good = {entry.document: meant(entry) for number, entry in enumerate(first_day()) if number != 7}
    assert stored(engine.database.url) == good
