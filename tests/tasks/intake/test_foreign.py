"""Ledgers as other programs write them: lines that are no rows, numbers without zeros, totals, days of a history."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.ledgers.source_file import parse_source
from maatpak.kernel.errors import InputRejectedError
from tasks.engine import Engine
from tasks.intake import IntakeReport, ingest_ledger
from tests.tasks.intake.books import (
    FIRST_DAY,
    HEADER,
    SECOND_DAY,
    SOURCE,
    Entry,
    at,
    first_day,
    money,
    stored,
    write,
    written,
)

NAME, OPEN = HEADER.index("name"), HEADER.index("open")
TWO = SOURCE.replace("creditor: {", "creditors:\n  - {").replace(
    "    columns:", "    columns:\n      creditor: note", 1
)
TWO = TWO.replace(
    "Amsterdam}\n", "Amsterdam}\n" + TWO[TWO.index("  - {") : TWO.index("dates:")].replace("ACME", "BETA")
)


def take_in(engine: Engine, folder: Path, text: str, source: str = SOURCE) -> IntakeReport:
    path = write(folder, "books.csv", text)
    return ingest_ledger(engine, parse_source("books.yaml", source), [path], FIRST_DAY, at(FIRST_DAY), None)


def held(engine: Engine) -> list[tuple[str, str | None]]:
    """(creditor, debtor) of every row set apart."""
    with engine.database.frames(read_only=True) as frames:
        return frames.read(
            "SELECT c.code, q.debtor_no FROM quarantined_row q JOIN creditor c ON c.id = q.creditor_id"
        ).rows()


def lines_of(entries: Sequence[Entry], note: str = "x") -> list[list[str]]:
    return [[*entry.cells()[:-1], note] for entry in entries]


@pytest.mark.parametrize(
    ("spoil", "debtor"),
    [
        (lambda cells: [*cells[:NAME], "Bakker", *cells[NAME:]], "04003"),
        (lambda cells: cells[:-1], "04003"),
        (lambda cells: ["", *cells], "04003"),
        (lambda cells: ["0x", *cells[1:], ""], None),
    ],
    ids=["a delimiter too many", "a cell lost", "shifted", "another customer"],
)
def test_a_line_that_is_no_row_holds_back_its_customer(
    engine: Engine, tmp_path: Path, spoil: object, debtor: str | None
) -> None:
    rows = lines_of(first_day())
    rows[3] = spoil(rows[3])  # type: ignore[operator]
    report = take_in(engine, tmp_path, written(rows))
    assert held(engine) == [("ACME", debtor)]
    assert report.snapshots[0].of_nobody == (debtor is None)


def test_what_a_broken_line_names_is_not_gone_and_what_else_is_missing_is(engine: Engine, tmp_path: Path) -> None:
    take_in(engine, tmp_path, written(lines_of(first_day())))
    rows = lines_of(first_day())
    rows[3] = rows[3][:-1]
    del rows[15]  # of the same customer
    path = write(tmp_path, "next.csv", written(rows))
    ingest_ledger(engine, parse_source("books.yaml", SOURCE), [path], SECOND_DAY, at(SECOND_DAY), None)
    left = {document: row[6] for document, row in stored(engine.database.url).items()}
    assert (left["F20250003"], left["F20250015"]) == (first_day()[3].open, 0)


def test_a_last_row_without_its_end_holds_back_its_customer(engine: Engine, tmp_path: Path) -> None:
    take_in(engine, tmp_path, written(lines_of(first_day())).rstrip("\n"))
    assert held(engine) == [("ACME", "04011")]


def test_a_line_that_is_no_row_goes_to_the_creditor_that_it_names(engine: Engine, tmp_path: Path) -> None:
    ours, theirs = first_day()[:20], first_day()[20:40]
    rows = [*lines_of(ours, "ACME"), *lines_of(theirs, "BETA")]
    rows[33] = [*rows[33][:NAME], "Bakker", *rows[33][NAME:]]
    report = take_in(engine, tmp_path, written(rows), TWO)
    assert held(engine) == [("BETA", theirs[13].account)]
    assert {snapshot.creditor: snapshot.quarantined for snapshot in report.snapshots} == {"ACME": 0, "BETA": 1}


def test_a_refusal_says_whose_part_it_is(engine: Engine, tmp_path: Path) -> None:
    rows = [*lines_of(first_day()[:20], "ACME"), *lines_of(first_day()[20:40], "BETA")]
    for row in rows[20:]:
        row[OPEN] = "much"
    with pytest.raises(InputRejectedError, match="The files of BETA of books for 2026-03-02 are refused"):
        take_in(engine, tmp_path, written(rows), TWO)


def test_a_number_without_its_zeros_is_that_of_the_same_file(engine: Engine, tmp_path: Path) -> None:
    rows = lines_of(first_day())
    rows[3][0] = rows[3][0].lstrip("0")
    report = take_in(engine, tmp_path, written(rows))
    assert len({row[0] for row in stored(engine.database.url).values()}) == 12
    assert report.findings["rule"].to_list() == ["leading_zeros_lost"]


def test_a_payment_that_is_set_apart_holds_back_whose_document_it_names(engine: Engine, tmp_path: Path) -> None:
    payments = "  payments:\n    match: paid*\n    columns: {document_no: doc, paid_on: on, amount: sum}\n"
    source = (
        SOURCE.replace("  items:\n", "  items:\n    match: books*\n") + payments + "    defaults: {currency: EUR}\n"
    )
    files = [
        write(tmp_path, "books.csv", written(lines_of(first_day()))),
        write(tmp_path, "paid.csv", "doc;on;sum\nF20250003;27-02-2026;much\nF0;27-02-2026;5,00\n"),
    ]
    report = ingest_ledger(engine, parse_source("books.yaml", source), files, FIRST_DAY, at(FIRST_DAY), None)
    assert sorted(held(engine), key=str) == [("ACME", "04003"), ("ACME", None)]
    assert report.snapshots[0].of_nobody == 1


TOTAL = '    total_row: {column: document_no, value: "Total"}\n    values:'


@pytest.mark.parametrize(
    ("amount", "left", "off", "said"),
    [
        (None, 0, 0, None),
        (0, 0, 0, None),
        (None, 0, 1, "The total row says"),
        (1, 0, 0, "for amount, the rows sum up to"),
        (None, None, 0, "There is no total row with an amount"),
    ],
)
def test_a_total_row_counts_for_the_columns_that_it_fills(
    engine: Engine, tmp_path: Path, amount: int | None, left: int | None, off: int, said: str | None
) -> None:
    entries = first_day()
    total = [""] * len(HEADER)
    total[HEADER.index("document")] = "Total"
    if amount is not None:
        total[HEADER.index("amount")] = money(sum(entry.amount for entry in entries) + amount)
    if left is not None:
        total[OPEN] = money(sum(entry.open for entry in entries) + off)
    text, source = written([*lines_of(entries), total]), SOURCE.replace("    values:", TOTAL)
    if said is None:
        assert take_in(engine, tmp_path, text, source).quarantined == 0
        return
    with pytest.raises(InputRejectedError, match=said):
        take_in(engine, tmp_path, text, source)


def test_no_ledger_is_imported_for_a_day_of_the_history(engine: Engine, tmp_path: Path) -> None:
    history = SOURCE.replace("name: books", "name: past", 1).replace("mode: full", "mode: history", 1)
    past = take_in(engine, tmp_path, written(lines_of(first_day())), history)
    until = past.snapshots[0].as_of
    source = parse_source("books.yaml", SOURCE)
    path = write(tmp_path, "books.csv", written(lines_of(first_day())))
    assert until == FIRST_DAY
    with pytest.raises(InputRejectedError, match="tells of all days up to 2026-03-02") as refused:
        ingest_ledger(engine, source, [path], until.replace(day=1), at(until), None)
    assert "within_history" in json.dumps(refused.value.context["findings"])
    assert ingest_ledger(engine, source, [path], SECOND_DAY, at(SECOND_DAY), None).rows == 60


@pytest.mark.parametrize("name", ["ordered_on", "delivered_on", "approved_on"])
def test_a_history_shows_what_was_known_on_each_day(engine: Engine, tmp_path: Path, name: str) -> None:
    history = SOURCE.replace("mode: full", "mode: history", 1).replace(
        "      open_amount: open\n", f"      open_amount: open\n      {name}: note\n", 1
    )
    entries = first_day()
    known_on = max(entry.issued for entry in entries)
    take_in(engine, tmp_path, written(lines_of(entries, known_on.strftime("%d-%m-%Y"))), history)
    with engine.database.frames(read_only=True) as frames:
        told = frames.read(f"SELECT valid_from, {name} FROM item_version ORDER BY valid_from").rows()
    assert {valid_from >= known_on for valid_from, _ in told} == {True, False}
    assert all(on == (known_on if valid_from >= known_on else None) for valid_from, on in told)
