"""Reading files: encodings, delimiters, quotes, spreadsheets, Parquet; whatever is wrong comes back as data."""

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ledgers.delimited import read_delimited
from connectors.ledgers.raw import CELL_ERROR, FORMULA, FORMULA_UNCALCULATED, ROW, RawTable
from connectors.ledgers.readers import read_parquet, read_table
from connectors.ledgers.source import FileSpec
from connectors.ledgers.workbook import read_workbook
from maatpak.kernel.errors import UsageError

SPEC = FileSpec(columns={"debtor_no": "no", "amount": "amt"})


def read(content: bytes, spec: FileSpec = SPEC) -> RawTable:
    return read_delimited("books.csv", content, spec)


def rows(table: RawTable) -> list[tuple[object, ...]]:
    return table.cells.rows()


def broken(table: RawTable) -> list[tuple[object, ...]]:
    return sorted(table.broken.select(ROW, "fault").rows())


@pytest.mark.parametrize(
    "content",
    [
        "no,amt,n\n1,2,é\n".encode(),
        b"\xef\xbb\xbf" + "no,amt,n\n1,2,é\n".encode(),
        "no,amt,n\n1,2,é\n".encode("cp1252"),
        "no,amt,n\n1,2,é\n".encode("utf-16"),
        "no;amt;n\r\n1;2;é\r\n".encode(),
        "no\tamt\tn\r1\t2\té\r".encode(),
        "no|amt|n\n\n1|2|é\n\n\n".encode().replace(b"\n\n1", b"\n1"),
        '"no","amt","n"\n"1","2","é"\n'.encode(),
    ],
    ids=["utf-8", "mark", "cp1252", "utf-16", "semicolon", "old line ends", "pipe", "quoted"],
)
def test_the_same_ledger_in_many_forms(content: bytes) -> None:
    table = read(content)
    assert (table.headers, rows(table), table.faults) == (("no", "amt", "n"), [(2, "1", "2", "é")], ())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b" \r\n\n", "file_empty"),
        ("no,amt\n1,é\n".encode("cp1252") + "1,ë\n".encode(), "encoding_mixed"),
        (b"no,amt\n1,\x81\x8d\n", "encoding_unknown"),
        (("no,amt\n1,2\n" * 9).encode("utf-16-le"), "encoding_unknown"),
        (b'no,amt,n\n1,"2,x\n3,4,y\n', "quotes_unbalanced"),
        (b'no,amt,n\n1,"2,x\n3,4",y,z\n', "quotes_unbalanced"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_a_fault(content: bytes, code: str) -> None:
    table = read(content)
    assert [fault.code for fault in table.faults] == [code]
    assert rows(table) == []


def test_utf16_without_mark_is_read_where_the_source_says_so() -> None:
    table = read("no,amt\n1,é\n".encode("utf-16-le"), FileSpec(columns=SPEC.columns, encoding="utf-16"))
    assert (rows(table), table.faults) == ([(2, "1", "é")], ())


def test_utf8_that_the_source_calls_cp1252_is_a_fault() -> None:
    table = read("no,amt\n1,é\n".encode(), FileSpec(columns=SPEC.columns, encoding="cp1252"))
    assert [fault.code for fault in table.faults] == ["encoding_mixed"]


def test_every_line_is_accounted_for() -> None:
    table = read(b"no;amt;n\n1;2;3\n\n4;5\n6;7;8;9\n10;11;12\n13;14")
    assert [row[0] for row in rows(table)] == [2, 6]
    assert broken(table) == [(4, "row_broken"), (5, "row_broken"), (7, "row_cut_off")]
    assert table.row_count == 5


def test_a_last_line_without_end_is_cut_off_unless_the_export_never_ends_it() -> None:
    assert broken(read(b"no;amt\n1;2\n3;4")) == [(3, "row_cut_off")]
    assert broken(read(b"no;amt\n1;2\n3;4", FileSpec(columns=SPEC.columns, final_line_break=False))) == []


def test_quotes_hold_delimiters_quotes_and_line_breaks() -> None:
    table = read(b'no,amt,n\n1,"2,5","a ""b"""\n3,4,"two\nlines"\n5,"6"x,7\n8,9,y\n')
    assert rows(table) == [(2, "1", "2,5", 'a "b"'), (3, "3", "4", "two\nlines"), (6, "8", "9", "y")]
    assert broken(table) == [(5, "row_broken")]


def test_a_nul_byte_becomes_a_sign_that_a_database_can_hold() -> None:
    assert rows(read(b"no,amt,n\n1,2,a\0b\n" + b"3,4,x\n" * 20))[0] == (2, "1", "2", "a␀b")


cells = st.text(
    st.characters(codec="utf-8", exclude_characters='"\r\n\0,\ufeff', exclude_categories=["Cs"]), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8), st.data())
def test_quoting_changes_nothing(lines: list[tuple[str, str, str]], data: st.DataObject) -> None:
    lines = [(f"x{one}", two, three) for one, two, three in lines]
    quoted = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    plain = "".join(",".join(line) + "\n" for line in lines)
    marked = "".join(
        ",".join(f'"{cell}"' if mark else cell for cell in line) + "\n"
        for line, mark in zip(lines, quoted, strict=True)
    )
    one, other = read(f"no,amt,n\n{plain}".encode()), read(f"no,amt,n\n{marked}".encode())
    assert one.cells.equals(other.cells)


def workbook(fill: str = "plain") -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet("Notes")
        sheet, day = book.add_worksheet("Ledger"), book.add_format({"num_format": "mm:ss.0"})
        sheet.write_row(2, 1, ["no", "amt", "due"])
        sheet.write_row(3, 1, ["0007", 1234.5600000000001])
        sheet.write_datetime(3, 3, datetime(2024, 3, 5), day)  # noqa: DTZ001
        sheet.write_row(5, 1, ["12", "1.234,50"])
        if fill == "formulas":
            sheet.write_formula(5, 3, "=D4+30")
            sheet.write_formula(6, 2, "=1/0", None, "#DIV/0!")
    return buffer.getvalue()


def test_a_sheet_is_read_as_text_with_its_row_numbers() -> None:
    table = read_workbook("books.xlsx", workbook(), FileSpec(sheet="Ledger", header_row=3))
    assert table.headers == ("no", "amt", "due")
    assert rows(table) == [(4, "0007", "1234.56", "2024-03-05 00:00:00"), (6, "12", "1.234,50", None)]
    assert (table.suspect.height, table.typed) == (0, True)


def test_a_number_is_written_as_the_source_writes_numbers_and_a_text_stays() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Ledger")
        sheet.write_row(1, 2, ["mixed", "number", "text"])
        sheet.write_row(2, 2, [9.995, 99.95, "9.995"])
        sheet.write_row(3, 2, ["9.995", 100, "1.5"])
        sheet.write_row(4, 2, ["1.234,50", -0.5, "x"])
        sheet.write_row(6, 2, [7.25, 1234.5600000000001, ""])
    table = read_workbook("books.xlsx", buffer.getvalue(), FileSpec(header_row=2), ",")
    assert rows(table) == [
        (3, "9,995", "99,95", "9.995"),
        (4, "9.995", "100", "1.5"),
        (5, "1.234,50", "-0,5", "x"),
        (7, "7,25", "1234,56", None),
    ]


def test_formulas_and_errors_are_told_by_their_cell() -> None:
    table = read_workbook("books.xlsx", workbook("formulas"), FileSpec(sheet="Ledger", header_row=3))
    assert sorted(table.suspect.rows()) == [(6, 2, FORMULA_UNCALCULATED), (7, 1, CELL_ERROR)]


def test_a_formula_that_was_calculated_is_only_told() -> None:
    content = workbook("formulas")
    calculated = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(calculated, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b' fullCalcOnLoad="1"', b""))
    table = read_workbook("books.xlsx", calculated.getvalue(), FileSpec(sheet="Ledger", header_row=3))
    assert sorted(table.suspect["fault"]) == [CELL_ERROR, FORMULA]


def test_a_sheet_or_book_that_is_not_there_is_a_fault() -> None:
    assert [fault.code for fault in read_workbook("b.xlsx", workbook(), FileSpec(sheet="Books")).faults] == [
        "sheet_missing"
    ]
    for content in (b"", workbook()[:900], b"PK\x03\x04 no archive"):
        assert [fault.code for fault in read_workbook("b.xlsx", content, FileSpec()).faults] == ["file_unreadable"]


def test_parquet_values_are_written_as_text() -> None:
    frame = pl.DataFrame(
        {
            "no": ["0007", "a\0b"],
            "day": [date(2024, 3, 5), None],
            "at": [datetime(2024, 3, 5, 1), None],  # noqa: DTZ001
            "amt": [1234.5600000000001, float("nan")],
            "count": [10_000_000, None],
            "big": [1e16, 1e7],
            "flag": [True, None],
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    table = read_parquet("books.parquet", buffer.getvalue())
    assert rows(table) == [
        (1, "0007", "2024-03-05", "2024-03-05 01:00:00", "1234.56", "10000000", "1e+16", "true"),
        (2, "a␀b", None, None, "NaN", None, "10000000", None),
    ]
    assert [fault.code for fault in read_parquet("b.parquet", buffer.getvalue()[:-9]).faults] == ["file_unreadable"]


def test_parquet_with_lists_is_a_fault() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"no": [["a"]]}).write_parquet(buffer)
    assert "holds lists" in read_parquet("b.parquet", buffer.getvalue()).faults[0].detail


def test_the_kind_of_a_file_goes_by_its_name_unless_the_source_says(tmp_path: Path) -> None:
    path = tmp_path / "books.dat"
    path.write_bytes(workbook())
    assert read_table(path, FileSpec(format="excel", sheet="Ledger", header_row=3)).headers == ("no", "amt", "due")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "none.csv", SPEC)
