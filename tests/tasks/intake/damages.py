"""Ways in which ledgers arrive damaged: each takes the good second day and spoils it, knowing which rows it spoiled.

Nothing here knows the importer. A damage returns the file and, for each spoiled document, the row it now stands in (0:
it is gone from the file).
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl
import xlsxwriter

from tests.tasks.intake.books import HEADER, Entry, second_day, written

SPOILED = (3, 25, 40)
"""Which rows are spoiled where not all are; the second differs from the day before, so keeping the old will not do."""


@dataclass
class Spoiled:
    """A damaged file and its damaged documents."""

    content: bytes
    documents: dict[str, int] = field(default_factory=dict)
    name: str = "books.csv"


Damage = Callable[[], Spoiled]
DAMAGES: dict[str, Damage] = {}


def damage(name: str) -> Callable[[Damage], Damage]:
    """Register a damage under a name."""

    def register(function: Damage) -> Damage:
        DAMAGES[name] = function
        return function

    return register


def _rows() -> list[list[str]]:
    return [entry.cells() for entry in second_day()]


def _all(entries: Sequence[Entry] | None = None) -> dict[str, int]:
    return {entry.document: at + 2 for at, entry in enumerate(entries or second_day())}


def _cells(name: str, column: str, change: Callable[[str], str], rows: Sequence[int] | None = SPOILED) -> None:
    """A damage of one column, in some rows or in all."""

    def spoil() -> Spoiled:
        position, table, documents = HEADER.index(column), _rows(), {}
        for at, row in enumerate(table):
            if rows is None or at in rows:
                row[position] = change(row[position])
                documents[second_day()[at].document] = at + 2
        return Spoiled(written(table).encode(), documents)

    DAMAGES[name] = spoil


def _lines(name: str, change: Callable[[str], str], rows: Sequence[int] = SPOILED) -> None:
    """A damage of whole lines."""

    def spoil() -> Spoiled:
        lines, documents, number = written(_rows()).splitlines(), {}, 1
        out = []
        for at, line in enumerate(lines):
            if at - 1 in rows:
                line = change(line)
                documents[second_day()[at - 1].document] = number
            number += line.count("\n") + 1
            out.append(line)
        return Spoiled(("\n".join(out) + "\n").encode(), documents)

    DAMAGES[name] = spoil


def _swapped(text: str) -> str:
    day, month, year = text.split("-")
    return f"{month}-{day}-{year}"


def _serial(text: str) -> str:
    return str((datetime.strptime(text, "%d-%m-%Y").date() - date(1899, 12, 30)).days)  # noqa: DTZ007


def _arabic(text: str) -> str:
    return text.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)})


AMOUNTS: dict[str, Callable[[str], str]] = {
    "NaN": lambda _: "NaN",
    "infinite": lambda _: "inf",
    "empty": lambda _: "",
    "a word": lambda _: "n.n.b.",
    "scientific": lambda _: "1,23457E+05",
    "scientific without fraction": lambda _: "2E5",
    "huge": lambda _: "99999999999999999999,00",
    "large beyond belief": lambda _: "7.777.777.777,00",
    "point for comma": lambda text: text.replace(".", "").replace(",", "."),
    "thousands sign astray": lambda text: text.replace(".", "").replace(",", ".") + ",00",
    "thousands by spaces": lambda text: "1 " + text.rjust(6, "0"),
    "thousands by narrow spaces": lambda _: "1\u202f234,00",
    "with a currency sign": lambda text: f"€ {text}",
    "trailing minus": lambda text: f"{text}-",
    "in brackets": lambda text: f"({text})",
    "negative": lambda text: f"-{text}",
    "Arabic digits": _arabic,
    "a formula": lambda text: f"=SUM(K2;{text})",
    "a reference error": lambda _: "#REF!",
    "too fine": lambda text: f"{text}37",
    "letter for zero": lambda text: text.replace("0", "O").replace(",", "O,"),
    "another amount": lambda text: text[:-2] + ("11" if text[-2:] != "11" else "12"),
}
for _name, _change in AMOUNTS.items():
    _cells(f"amount: {_name}", "amount", _change)
_cells("amount: not padded right", "amount", lambda text: f"  {text}\u00a0 ")
_cells("open: above amount", "open", lambda text: "9." + text.rjust(7, "0") if "." not in text else f"9{text}")
_cells("open: negative", "open", lambda text: f"-{text}")
_cells("open: hash signs", "open", lambda _: "########")
_cells("all amounts: cents for euros", "amount", lambda text: text.replace(",", "").replace(".", ""), None)

DATES: dict[str, Callable[[str], str]] = {
    "00:00.0": lambda _: "00:00.0",
    "serial": _serial,
    "swapped": _swapped,
    "ISO": lambda text: "-".join(reversed(text.split("-"))),
    "slashes": lambda text: text.replace("-", "/"),
    "two digits of the year": lambda text: text[:6] + text[-2:],
    "31 February": lambda _: "31-02-2026",
    "wrong century": lambda text: text[:6] + "2126",
    "year 0026": lambda text: text[:6] + "0026",
    "empty": lambda _: "",
    "a word": lambda _: "per direct",
}
for _name, _change in DATES.items():
    _cells(f"due: {_name}", "due", _change)
_cells("issued: swapped", "issued", _swapped)
_cells("issued: next year", "issued", lambda text: text[:6] + "2027")
_cells("all dates: 00:00.0", "due", lambda _: "00:00.0", None)
_cells("all dates: serials", "issued", _serial, None)
_cells("all dates: swapped", "issued", _swapped, None)

TEXTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "account: empty": ("account", lambda _: ""),
    "account: zeros lost": ("account", lambda text: text.lstrip("0")),
    "account: another's": ("account", lambda text: f"0{4000 + (int(text) - 3999) % 12}"),
    "document: empty": ("document", lambda _: ""),
    "document: scientific": ("document", lambda _: "2,02500E+08"),
    "document: zero-width signs": ("document", lambda text: f"{text[:3]}\u200b{text[3:]}"),
    "document: Arabic digits": ("document", _arabic),
    "type: unknown": ("type", lambda _: "XX"),
    "currency: other": ("currency", lambda _: "USD"),
    "currency: small letters": ("currency", lambda text: text.lower()),
    "country: unknown": ("country", lambda _: "Holland"),
    "name: NUL bytes": ("name", lambda text: f"{text[:4]}\0{text[4:]}"),
    "name: bell": ("name", lambda text: f"{text}\a"),
    "name: read in another encoding": ("name", lambda _: "CafÃ© Zuid"),
    "name: replaced letters": ("name", lambda _: "Caf\ufffd Zuid"),
    "name: spreadsheet error": ("name", lambda _: "#N/A"),
    "name: formula": ("name", lambda _: '=HYPERLINK("http://x.example")'),
    "name: non-breaking spaces": ("name", lambda text: text.replace(" ", "\u00a0") + "  "),
    "name: composed letters": ("name", lambda text: text.replace("é", "e\u0301").replace("ü", "u\u0308")),
    "name: half a quote": ("name", lambda text: f'{text[:4]}"{text[4:]}'),
}
for _name, (_column, _change) in TEXTS.items():
    _cells(_name, _column, _change)
_cells("currency: half of the file", "currency", lambda _: "USD", tuple(range(0, 60, 2)))

_lines("line: a cell too many", lambda line: line.replace(";", ";;", 1))
_lines("line: a cell too few", lambda line: line.replace(";", "", 1))
_lines("line: shifted to the left", lambda line: line.split(";", 1)[1] + ";")
_lines("line: shifted to the right", lambda line: ";" + line.rsplit(";", 1)[0])
_lines("line: another delimiter", lambda line: line.replace(",", ".").replace(";", ","))
_lines("line: broken in two", lambda line: line[:40] + "\n" + line[40:])
_lines("line: a quote opened", lambda line: line.replace(";", ';"', 1), SPOILED[:1])
_lines("line: a quote at the end", lambda line: f'{line}"')
_lines("line: all cells quoted", lambda line: ";".join(f'"{cell}"' for cell in line.split(";")))
_lines("line: issue and due exchanged", lambda line: ";".join(
    line.split(";")[at] for at in (0, 1, 2, 3, 4, 5, 6, 8, 7, 9, 10, 11, 12)))  # fmt: skip


@damage("lines: two in one")
def _merged() -> Spoiled:
    lines = written(_rows()).splitlines(keepends=True)
    lines[10] = lines[10].rstrip("\n")
    entries = second_day()
    return Spoiled("".join(lines).encode(), {entries[9].document: 11, entries[10].document: 11})


@damage("lines: repeated")
def _repeated() -> Spoiled:
    rows = _rows()
    return Spoiled(written([*rows, *(rows[at] for at in SPOILED)]).encode())


@damage("lines: repeated with another amount")
def _contradicted() -> Spoiled:
    rows, entries = _rows(), second_day()
    again = [list(rows[at]) for at in SPOILED]
    for row in again:
        row[HEADER.index("open")] = "0,01"
    return Spoiled(written([*rows, *again]).encode(), {entries[at].document: at + 2 for at in SPOILED})


@damage("lines: half of them gone")
def _half() -> Spoiled:
    entries = second_day()
    gone = {entry.document: 0 for entry in entries[30:]}
    return Spoiled(written(_rows()[:30]).encode(), gone)


@damage("file: cut off in a line")
def _cut() -> Spoiled:
    text, entries = written(_rows()), second_day()
    lines = text.splitlines(keepends=True)
    kept = "".join(lines[:50]) + lines[50][:25]
    gone = {entry.document: 0 for entry in entries[50:]}
    return Spoiled(kept.encode(), {entries[49].document: 51, **gone})


@damage("file: cut off in the last cell")
def _cut_late() -> Spoiled:
    entries = second_day()
    lines = written(_rows()).splitlines(keepends=True)
    kept = "".join(lines[:55]) + lines[55][:-1]
    return Spoiled(kept.encode(), {entries[54].document: 56, **{entry.document: 0 for entry in entries[55:]}})


@damage("file: empty")
def _empty() -> Spoiled:
    return Spoiled(b"", dict.fromkeys(_all(), 0))


@damage("file: blank lines")
def _blank() -> Spoiled:
    return Spoiled(b"\r\n  \r\n\r\n", dict.fromkeys(_all(), 0))


@damage("file: header only")
def _header() -> Spoiled:
    return Spoiled(written([]).encode(), dict.fromkeys(_all(), 0))


@damage("file: no header")
def _headless() -> Spoiled:
    return Spoiled(written(_rows()).split("\n", 1)[1].encode(), _all())


@damage("file: a header twice")
def _twice() -> Spoiled:
    header = ["due" if name == "issued" else name for name in HEADER]
    return Spoiled(written(_rows(), header=header).encode(), _all())


@damage("file: a column gone")
def _columnless() -> Spoiled:
    rows = [row[:8] + row[9:] for row in _rows()]
    return Spoiled(written(rows, header=[name for name in HEADER if name != "due"]).encode(), _all())


@damage("file: all cells shifted under their headers")
def _shifted() -> Spoiled:
    return Spoiled(written([[*row[1:], row[0]] for row in _rows()]).encode(), _all())


@damage("file: two encodings")
def _mixed() -> Spoiled:
    lines = written(_rows()).splitlines(keepends=True)
    spoiled = {entry.document: at + 2 for at, entry in enumerate(second_day()) if at >= 30}
    return Spoiled("".join(lines[:31]).encode() + "".join(lines[31:]).encode("cp1252"), spoiled)


@damage("file: UTF-16 without a mark")
def _utf16() -> Spoiled:
    return Spoiled(written(_rows()).encode("utf-16-le"), _all())


@damage("file: read in another encoding and saved")
def _mojibake() -> Spoiled:
    return Spoiled(written(_rows()).encode().decode("cp1252", "replace").encode(), _all())


@damage("file: a total at the end")
def _totalled() -> Spoiled:
    total = ["", "", "", "", "", "", "Total", "", "", "EUR", "9.999.999,99", "9.999.999,99", ""]
    return Spoiled(written([*_rows(), total]).encode())


@damage("file: a picture")
def _picture() -> Spoiled:
    return Spoiled(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, dict.fromkeys(_all(), 0))


FORMS: dict[str, Callable[[str], bytes]] = {
    "mark at the start": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "cp1252": lambda text: text.encode("cp1252"),
    "UTF-16 with a mark": lambda text: text.encode("utf-16"),
    "old line ends": lambda text: text.replace("\n", "\r").encode(),
    "blank lines between": lambda text: text.replace("\n", "\n\n").encode(),
}
"""Other forms of a good file: every row is as good as before."""


def _form(name: str, encode: Callable[[str], bytes]) -> None:
    def spoil() -> Spoiled:
        spoiled = {} if name == "blank lines between" else _all()
        return Spoiled(encode(written(_rows())), spoiled)

    DAMAGES[f"form: {name}"] = spoil


for _name, _encode in FORMS.items():
    _form(_name, _encode)


@damage("form: columns in another order")
def _reordered() -> Spoiled:
    order = list(reversed(range(len(HEADER))))
    rows = [[row[at] for at in order] for row in _rows()]
    return Spoiled(written(rows, header=[HEADER[at] for at in order]).encode(), _all())


def _workbook(change: Callable[[xlsxwriter.worksheet.Worksheet, int, Entry], bool]) -> Spoiled:
    buffer, documents = io.BytesIO(), {}
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd-mm-yyyy"})
        sheet.write_row(0, 0, HEADER)
        for at, entry in enumerate(second_day(), 1):
            sheet.write_row(at, 0, [*entry.cells()[:7]])
            sheet.write_datetime(at, 7, datetime.combine(entry.issued, datetime.min.time()), day)
            sheet.write_datetime(at, 8, datetime.combine(entry.due, datetime.min.time()), day)
            sheet.write_string(at, 9, "EUR")
            # Plain numbers, with the comma that the source asks of them.
            sheet.write_string(at, 10, entry.cells()[10])
            sheet.write_string(at, 11, entry.cells()[11])
            if change(sheet, at, entry):
                documents[entry.document] = at + 1
    return Spoiled(buffer.getvalue(), documents, "books.xlsx")


@damage("workbook: dates are dates")
def _typed() -> Spoiled:
    return _workbook(lambda *_: True)


@damage("workbook: formulas that were never calculated")
def _formulas() -> Spoiled:
    def change(sheet: xlsxwriter.worksheet.Worksheet, at: int, entry: Entry) -> bool:
        if at not in SPOILED:
            return False
        sheet.write_formula(at, 11, f"=K{at + 1}/2")
        return True

    return _workbook(change)


@damage("workbook: a division by zero")
def _division() -> Spoiled:
    def change(sheet: xlsxwriter.worksheet.Worksheet, at: int, entry: Entry) -> bool:
        if at not in SPOILED:
            return False
        sheet.write_formula(at, 8, "=1/0", None, "#DIV/0!")
        return True

    return _workbook(change)


@damage("workbook: cut off")
def _half_workbook() -> Spoiled:
    whole = _typed()
    return Spoiled(whole.content[: len(whole.content) // 2], dict.fromkeys(_all(), 0), "books.xlsx")


@damage("workbook: called CSV")
def _misnamed() -> Spoiled:
    return Spoiled(_typed().content, _all(), "books.csv")


def _parquet(spoil: Callable[[pl.DataFrame], pl.DataFrame]) -> bytes:
    frame = pl.DataFrame(_rows(), schema=list(HEADER), orient="row")
    buffer = io.BytesIO()
    spoil(frame).write_parquet(buffer)
    return buffer.getvalue()


@damage("Parquet: dates are dates")
def _columnar() -> Spoiled:
    dates = [pl.col(name).str.to_date("%d-%m-%Y") for name in ("issued", "due")]
    return Spoiled(_parquet(lambda frame: frame.with_columns(dates)), _all(), "books.parquet")


@damage("Parquet: cut off")
def _half_columnar() -> Spoiled:
    content = _parquet(lambda frame: frame)
    return Spoiled(content[:-40], dict.fromkeys(_all(), 0), "books.parquet")
