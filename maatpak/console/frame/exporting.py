"""Listings as files: CSV and XLSX. What a ledger says never becomes a formula of whoever opens them."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from io import BytesIO, StringIO
from threading import Lock
from typing import Any

from maatpak.console.frame.declared import Column, Listing, Shape
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.money import decimals, to_decimal

MOST_ROWS = 200_000
"""Rows of an export; more belongs into a report of the database."""
FORMULA = re.compile(r"""(^|[;\t\r\n])(?=[" \xa0]*[=+\-@|%\uff1d\uff0b\uff0d\uff20])|^(?=[ \xa0]*[\t\r\n])""")
"""Where spreadsheets see the beginning of a formula or a command: at the beginning of a cell, and after what ends one.
Where amounts are written with a comma that is a semicolon, and then quotes around what has a comma do not count."""
PATIENCE = 2.0
"""Seconds to wait for another file that is being made: most take less."""
_MAKING = Lock()
LONGEST_CELL = 32_000
"""Characters of a cell of Excel."""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """While a file is made: the rows of a large one take hundreds of megabytes.

    Raises:
        RefusedError: another one is being made.
    """
    if not _MAKING.acquire(timeout=PATIENCE):
        raise RefusedError("Another file is being made just now.", advice="Try again in a minute, or filter the list.")
    try:
        yield
    finally:
        _MAKING.release()


def as_csv(listing: Listing, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as CSV with a heading; money in whole units with the currency's decimals, dates in ISO form."""
    columns = _exported(listing)
    buffer = StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow([column.title for column in columns])
    for row in rows:
        writer.writerow([_told(column, row) for column in columns])
    return buffer.getvalue().encode()


def as_xlsx(listing: Listing, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as an Excel file: numbers as numbers, dates as dates, all text as text."""
    import xlsxwriter

    buffer = BytesIO()
    # Line by line: all cells of a large list at once take most of a gigabyte.
    plain = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, {**plain, "remove_timezone": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet(listing.title[:31].replace("/", " "))
        bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        columns = _exported(listing)
        formats = {places: book.add_format({"num_format": _pattern(places)}) for places in range(5)}
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.title, bold)
            sheet.set_column(place, place, 28 if column.shape is Shape.TEXT else 14)
        for line, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                value = row[column.key]
                if value is None:
                    continue
                match column.shape:
                    case Shape.MONEY:
                        currency = row["currency"]
                        sheet.write_number(line, place, to_decimal(value, currency), formats[decimals(currency)])
                    case Shape.NUMBER | Shape.SHARE:
                        sheet.write_number(line, place, value)
                    case Shape.DATE:
                        sheet.write_datetime(line, place, datetime(value.year, value.month, value.day))  # noqa: DTZ001
                    case Shape.INSTANT:
                        sheet.write_datetime(line, place, value, moment)
                    case _:
                        sheet.write_string(line, place, str(value)[:LONGEST_CELL])
    return buffer.getvalue()


def _exported(listing: Listing) -> list[Column]:
    return [column for column in listing.columns if column.shown or column.key == "currency"]


def _told(column: Column, row: Mapping[str, Any]) -> str:
    value = row[column.key]
    if value is None:
        return ""
    match column.shape:
        case Shape.MONEY:
            return str(to_decimal(value, row["currency"]))
        case Shape.FLAG:
            return "yes" if value else "no"
        case Shape.NUMBER | Shape.SHARE:
            return str(value)
        case _:
            return harmless(value.isoformat() if isinstance(value, date) else str(value))


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before what begins like one."""
    return FORMULA.sub(r"\g<1>'", text)


def csv_line(cells: Sequence[str]) -> str:
    """A line of a CSV file (RFC 4180), with its end."""
    buffer = StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _pattern(places: int) -> str:
    return "#,##0" + (f".{'0' * places}" if places else "")
