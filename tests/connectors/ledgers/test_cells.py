"""From the text of cells to values: decision tables of dates, amounts and words."""

from datetime import date

import polars as pl
import pytest

from connectors.ledgers.canonical import TOO_FINE, TOO_LARGE, UNREADABLE, fault_of, map_files, parse_money, type_columns
from connectors.ledgers.dates import date_format, parse_dates
from connectors.ledgers.delimited import read_delimited
from connectors.ledgers.source import NumberFormat
from connectors.ledgers.source_file import parse_source

SOURCE = """
name: books
mode: full
creditor: {code: ACME, name: Acme, country: NL, language: nl, currency: EUR, time_zone: Europe/Amsterdam}
currencies: [EUR, JPY, TND]
dates: [D/M/YYYY, YYYY-MM-DD]
files:
  items:
    empty: ["-", "NULL"]
    columns:
      debtor_no: account
      document_no: document
      document_type: type
      issued_on: issued
      due_on: due
      currency: currency
      amount: amount
      disputed: disputed
      name: name
      country: land
      preferred_channel: channel
    values:
      document_type: {RE: invoice, GS: credit_note}
      country: {391: NL}
    defaults: {kind: business, language: nl, email: "{debtor_no}@example.test", currency: EUR}
"""
HEADER = "account,document,type,issued,due,currency,amount,disputed,name,land,channel\n"


@pytest.mark.parametrize(
    ("form", "cell", "expected"),
    [
        ("D/M/YYYY", "3/4/2024", date(2024, 4, 3)),
        ("D/M/YYYY", "03/04/2024", date(2024, 4, 3)),
        ("M/D/YYYY", "12/31/2013", date(2013, 12, 31)),
        ("D/M/YYYY", "12/31/2013", None),
        ("D/M/YYYY", "3-4-2024", None),
        ("D/M/YYYY", "3/4/24", None),
        ("D/M/YY", "3/4/24", date(2024, 4, 3)),
        ("YYYY-MM-DD", "2024-02-29", date(2024, 2, 29)),
        ("YYYY-MM-DD", "2023-02-29", None),
        ("YYYY-MM-DD", "2024-02-29 00:00:00", date(2024, 2, 29)),
        ("YYYY-MM-DD", "2024-02-29T13:04:05.5", date(2024, 2, 29)),
        ("YYYY-MM-DD", "2024-02-29Z", None),
        ("YYYY-MM-DD", "00:00.0", None),
        ("YYYY-MM-DD", "1989-12-31", None),
        ("YYYY-MM-DD", "2061-01-01", None),
        ("YYYYMMDD", "20240229", date(2024, 2, 29)),
        ("YYYYMMDD", "20240229.0", date(2024, 2, 29)),
        ("YYYYMMDD", "2024105", None),
        ("DDMMYY", "11024", None),
        ("DDMMYY", "011024", date(2024, 10, 1)),
        ("D-M-YYYY", "5-3-2024.0", None),
        ("D MMM YYYY", "5 Jan 2024", date(2024, 1, 5)),
        ("D MMM YYYY", "5 March 2024", date(2024, 3, 5)),
        ("D-MMM-YY", "5-mrt-24", date(2024, 3, 5)),
        ("DD. MMM YYYY", "05. Okt. 2024", date(2024, 10, 5)),
        ("D MMM YYYY", "5 ao\u00fbt 2024", date(2024, 8, 5)),
        ("DDMMMYYYY", "05MEI2024", date(2024, 5, 5)),
        ("D MMM YYYY", "5 Foo 2024", None),
        ("M/D/YYYY", "3/5/2024 1:05 PM", date(2024, 3, 5)),
        ("YYYY-MM-DD", "2024-03-05T00:00:00Z", date(2024, 3, 5)),
        ("YYYY-MM-DD", "2024-03-05T00:00:00+01:00", date(2024, 3, 5)),
        ("YYYY-MM-DD", "2024-03-05T23:00:00Z", None),
        ("DD.MM.YYYY", "29.02.2024", date(2024, 2, 29)),
        ("excel", "45356", date(2024, 3, 5)),
        ("excel", "45356.75", date(2024, 3, 5)),
        ("excel", "2024-03-05", None),
    ],
)
def test_dates(form: str, cell: str, expected: date | None) -> None:
    parsed = parse_dates(pl.col("cell"), [date_format(form)])
    assert pl.DataFrame({"cell": [cell]}).select(parsed.value).item() == expected


def test_a_date_that_two_formats_read_as_two_days_is_ambiguous() -> None:
    parsed = parse_dates(pl.col("cell"), [date_format("D/M/YYYY"), date_format("M/D/YYYY")])
    cells = pl.DataFrame({"cell": ["3/4/2024", "4/4/2024", "13/4/2024", None]})
    assert cells.select(parsed.ambiguous).to_series().to_list() == [True, False, False, False]


def test_a_date_that_only_reads_with_day_and_month_exchanged_is_told_so() -> None:
    parsed = parse_dates(pl.col("cell"), [date_format("DD-MM-YYYY")])
    cells = pl.DataFrame({"cell": ["03-15-2024", "15-03-2024", "03-04-2024", "soon"]})
    assert cells.select(parsed.swapped).to_series().to_list() == [True, False, False, False]


PLAIN, DUTCH, FRENCH = NumberFormat(), NumberFormat(decimal=",", thousands="."), NumberFormat(thousands=" ")
DOLLARS = NumberFormat(thousands=",", currency_sign="$")


@pytest.mark.parametrize(
    ("numbers", "cell", "scale", "minor", "fault"),
    [
        (PLAIN, "1250.00", 2, 125_000, 0),
        (PLAIN, "1250", 2, 125_000, 0),
        (PLAIN, "42847.0", 2, 4_284_700, 0),
        (PLAIN, "-0.5", 2, -50, 0),
        (PLAIN, "12.3400", 2, 1_234, 0),
        (PLAIN, "12.345", 2, None, TOO_FINE),
        (PLAIN, "12.345", 3, 12_345, 0),
        (PLAIN, "1250", 0, 1_250, 0),
        (PLAIN, "1250.5", 0, None, TOO_FINE),
        (PLAIN, "1,250.00", 2, None, UNREADABLE),
        (PLAIN, "1e3", 2, None, UNREADABLE),
        (PLAIN, "NaN", 2, None, UNREADABLE),
        (PLAIN, "(5.00)", 2, -500, 0),
        (PLAIN, "5.00-", 2, -500, 0),
        (PLAIN, "-5.00-", 2, None, UNREADABLE),
        (PLAIN, "(-5.00)", 2, None, UNREADABLE),
        (PLAIN, "$5.00", 2, None, UNREADABLE),
        (DOLLARS, "$1,005.00", 2, 100_500, 0),
        (DOLLARS, "($5.00)", 2, -500, 0),
        (DOLLARS, "-$ 5.00", 2, -500, 0),
        (DOLLARS, "5.00 $", 2, 500, 0),
        (DOLLARS, "5.00", 2, 500, 0),
        (DOLLARS, "5$00", 2, None, UNREADABLE),
        (DOLLARS, "$", 2, None, UNREADABLE),
        (PLAIN, "+5.00", 2, None, UNREADABLE),
        (PLAIN, ".50", 2, None, UNREADABLE),
        (PLAIN, "5.", 2, None, UNREADABLE),
        (PLAIN, "١٢٣", 2, None, UNREADABLE),
        (PLAIN, "0000000000000012", 2, 1_200, 0),
        (PLAIN, "12345678901234", 2, None, TOO_LARGE),
        (DUTCH, "1.234.567,89", 2, 123_456_789, 0),
        (DUTCH, "1234567,89", 2, 123_456_789, 0),
        (DUTCH, "1.234", 2, 123_400, 0),
        (DUTCH, "12.34,50", 2, None, UNREADABLE),
        (DUTCH, "1234.50", 2, None, UNREADABLE),
        (DUTCH, "1.2345", 2, None, UNREADABLE),
        (DUTCH, ".234,50", 2, None, UNREADABLE),
        (FRENCH, "1 234.50", 2, 123_450, 0),
        (FRENCH, "12 34.50", 2, None, UNREADABLE),
        (PLAIN, None, 2, None, 0),
    ],
)
def test_amounts(numbers: NumberFormat, cell: str | None, scale: int, minor: int | None, fault: int) -> None:
    value, found = parse_money(pl.col("cell"), numbers, pl.lit(scale, dtype=pl.Int64))
    frame = pl.DataFrame({"cell": [cell]}, schema={"cell": pl.String})
    assert frame.select(value.alias("value"), found.alias("fault")).row(0) == (minor, fault)


def typed(*lines: str) -> pl.DataFrame:
    source = parse_source("books.yaml", SOURCE)
    assert source.files.items is not None
    content = (HEADER + "".join(f"{line}\n" for line in lines)).encode()
    table = read_delimited("books.csv", content, source.files.items)
    return type_columns(source, map_files(source, "items", [table]), "EUR")


def test_words_flags_and_defaults() -> None:
    row = typed(" 007 ,F1,re,5/3/2024,2024-04-04,,12.50,Yes,Jan\u00a0 Zoon\u200b,391,EMAIL").row(0, named=True)
    assert (row["debtor_no"], row["name"], row["email"]) == ("007", "Jan  Zoon", "007@example.test")
    assert (row["issued_on"], row["due_on"]) == (date(2024, 3, 5), date(2024, 4, 4))
    assert (row["country"], row["preferred_channel"], row["disputed"]) == ("NL", "email", True)
    assert (row["currency"], row["amount"]) == ("EUR", 1_250)
    assert (row["document_type"], row[fault_of("document_type")]) == (None, UNREADABLE)


def test_each_currency_has_its_decimals() -> None:
    rows = typed(
        "1,F1,RE,5/3/2024,5/4/2024,jpy,1250,no,A,NL,post",
        "1,F2,RE,5/3/2024,5/4/2024,TND,1.250,no,A,NL,post",
        "1,F3,RE,5/3/2024,5/4/2024,EUR,1.250,no,A,NL,post",
        "1,F4,RE,5/3/2024,5/4/2024,EUR,1.255,no,A,NL,post",
    )
    assert rows["amount"].to_list() == [1_250, 1_250, 125, None]
    assert rows["currency"].to_list() == ["JPY", "TND", "EUR", "EUR"]


def test_texts_for_nothing_are_nothing() -> None:
    row = typed("1,F1,RE,5/3/2024,-,EUR,NULL,no,,NL,post").row(0, named=True)
    assert (row["due_on"], row["amount"], row["name"]) == (None, None, None)
    assert (row[fault_of("due_on")], row[fault_of("amount")]) == (0, 0)


def test_numbers_that_a_program_took_for_amounts_are_numbers() -> None:
    rows = typed("200.0,1930438491.0,RE,5/3/2024,5/4/2024,EUR,12.0,no,A,NL,post", "2.00,F1.0,RE,,,,,,,,")
    assert rows["debtor_no"].to_list() == ["200", "2.00"]
    assert rows["document_no"].to_list() == ["1930438491", "F1.0"]


def test_a_list_with_groups_is_a_plain_table() -> None:
    layout = '    fill_down: [debtor_no, name]\n    skip: {document: "", type: ["*", Subtotal]}\n'
    source = parse_source("books.yaml", SOURCE.replace("    empty:", layout + "    empty:"))
    assert source.files.items is not None
    lines = [
        "100,,,,,,,,Jansen,,",
        ",F1,RE,5/3/2024,5/4/2024,EUR,5,no,,NL,post",
        " ,F2,RE,5/3/2024,5/4/2024,EUR,7,no,,NL,post",
        "Total 100,x,*,,,,12,,,,",
        "200,F3,RE,5/3/2024,5/4/2024,EUR,9,no,Bakker,NL,post",
    ]
    table = read_delimited("books.csv", (HEADER + "\n".join(lines) + "\n").encode(), source.files.items)
    mapped = map_files(source, "items", [table])
    assert mapped.cells.select("row_no", "debtor_no", "name", "document_no").rows() == [
        (3, "100", "Jansen", "F1"),
        (4, "100", "Jansen", "F2"),
        (6, "200", "Bakker", "F3"),
    ]
    assert mapped.row_count == 3


def test_rows_are_skipped_by_a_column_that_is_there() -> None:
    source = parse_source("books.yaml", SOURCE.replace("    empty:", "    skip: {St: x}\n    empty:"))
    assert source.files.items is not None
    mapped = map_files(source, "items", [read_delimited("books.csv", HEADER.encode(), source.files.items)])
    assert [fault.detail[:48] for _, fault in mapped.faults] == ["There is no column 'St' (to skip rows by) among "]


def test_a_missing_or_repeated_header_is_a_fault_of_the_file() -> None:
    source = parse_source("books.yaml", SOURCE)
    assert source.files.items is not None
    header = HEADER.replace("due,", "Issued ,").replace("land,", "")
    mapped = map_files(source, "items", [read_delimited("books.csv", header.encode(), source.files.items)])
    assert sorted((fault.code, fault.detail[:38]) for _, fault in mapped.faults) == [
        ("column_missing", "There is no column 'due' (for due_on) "),
        ("column_missing", "There is no column 'land' (for country"),
        ("column_repeated", "The header 'issued' stands there 2 tim"),
    ]
