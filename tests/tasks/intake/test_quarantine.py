"""Rows that were set apart, to their end: corrected, released, discarded, and remembered in the next file."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlmodel import select

from connectors.ledgers.source_file import parse_source
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.tables import Creditor, Person
from tasks.access.sight import give_sight
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tasks.quarantine import Released, discard_row, fix_row, list_rows, release_row
from tests.tasks.intake.books import (
    FIRST_DAY,
    HEADER,
    SECOND_DAY,
    SOURCE,
    at,
    fingerprint,
    first_day,
    meant,
    second_day,
    stored,
    write,
    written,
)

DUE, OPEN = HEADER.index("due"), HEADER.index("open")
ROW = 3
ENTRY = first_day()[ROW]
Rows = list[list[str]]


class Intake:
    """Files of two days, and two persons: who may decide on rows, and who may not."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        with engine.database.session() as session:
            for login, role in (("olga", "operator"), ("ada", "auditor")):
                session.add(Person(login=login, name=login.title(), role=role, recorded_at=at(FIRST_DAY)))

    def first(self, spoil: Callable[[Rows], None]) -> None:
        rows = [entry.cells() for entry in first_day()]
        spoil(rows)
        self._ingest(rows, "first.csv")

    def second(self, spoil: Callable[[Rows], None]) -> int:
        """How many rows of the second day's file were set apart."""
        rows = [entry.cells() for entry in second_day()]
        spoil(rows)
        return self._ingest(rows, "second.csv")

    def open_rows(self) -> dict[str | None, int]:
        """Row numbers by their document."""
        return {row.raw.get("document_no"): row.row_id for row in list_rows(self.engine)}

    def fix(self, row_id: int, actor: str = "olga", **cells: str) -> None:
        fix_row(self.engine, row_id, cells, "they said so", actor=actor, as_of=FIRST_DAY, now=at(FIRST_DAY))

    def release(self, row_id: int, actor: str = "olga") -> Released:
        return release_row(self.engine, row_id, "it is right", actor=actor, as_of=FIRST_DAY, now=at(FIRST_DAY))

    def discard(self, row_id: int) -> None:
        discard_row(self.engine, row_id, "a test row", actor="olga", as_of=FIRST_DAY, now=at(FIRST_DAY))

    def _ingest(self, rows: Sequence[Sequence[str]], name: str) -> int:
        day = FIRST_DAY if name == "first.csv" else SECOND_DAY
        path = write(self.folder, name, written(rows))
        report = ingest_ledger(self.engine, parse_source("books.yaml", SOURCE), [path], day, at(day), None)
        return report.quarantined


@pytest.fixture
def intake(engine: Engine, tmp_path: Path) -> Intake:
    return Intake(engine, tmp_path)


def unreadable(rows: Rows) -> None:
    rows[ROW][DUE] = "soon"


def test_a_corrected_row_comes_in_as_meant_and_the_same_row_of_the_next_file_with_it(intake: Intake) -> None:
    intake.first(unreadable)
    (row_id,) = intake.open_rows().values()
    with pytest.raises(RefusedError, match="does not pass the gate: due_on: The cell is no date"):
        intake.release(row_id)
    intake.fix(row_id, due_on=ENTRY.due.isoformat())
    assert intake.release(row_id).written["items"] == 1
    assert stored(intake.engine.database.url) == {entry.document: meant(entry) for entry in first_day()}
    assert intake.open_rows() == {}

    assert intake.second(unreadable) == 0
    assert stored(intake.engine.database.url) == {entry.document: meant(entry) for entry in second_day()}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"due_on": "31-01-2026"}, "due_on cannot be '31-01-2026'. Give dates as 2026-01-31"),
        ({"amount": "twelve"}, "amount cannot be 'twelve'"),
        ({"document_type": "bill"}, "document_type cannot be 'bill'"),
        ({"colour": "red"}, "A row of items has no column colour"),
    ],
)
def test_a_correction_that_cannot_be_read_is_not_noted(intake: Intake, cells: dict[str, str], said: str) -> None:
    intake.first(unreadable)
    (row_id,) = intake.open_rows().values()
    with pytest.raises(UsageError) as refused:
        intake.fix(row_id, **cells)
    assert said in str(refused.value)
    assert list_rows(intake.engine)[0].correction == {}


@pytest.mark.parametrize("dates", ["excel", "D.M.YY", "MM/DD/YYYY"])
def test_a_corrected_date_is_read_in_whatever_way_the_source_writes_dates(
    engine: Engine, tmp_path: Path, dates: str
) -> None:
    source = parse_source("books.yaml", SOURCE.replace("DD-MM-YYYY", dates))
    form = source.date_formats("items", "due_on")[0]
    rows = [entry.cells() for entry in first_day()]
    for row, entry in zip(rows, first_day(), strict=True):
        row[DUE], row[DUE - 1] = form.write(entry.due), form.write(entry.issued)
    unreadable(rows)
    path = write(tmp_path, "first.csv", written(rows))
    ingest_ledger(engine, source, [path], FIRST_DAY, at(FIRST_DAY), None)
    intake = Intake(engine, tmp_path)
    (row_id,) = intake.open_rows().values()
    intake.fix(row_id, due_on=ENTRY.due.isoformat())
    intake.release(row_id)
    assert stored(engine.database.url) == {entry.document: meant(entry) for entry in first_day()}


def test_a_doubt_is_waived_without_a_correction(intake: Intake) -> None:
    def far(rows: Rows) -> None:
        rows[ROW][DUE] = "01-01-2030"

    intake.first(far)
    (row_id,) = intake.open_rows().values()
    intake.release(row_id)
    due_on = stored(intake.engine.database.url)[ENTRY.document][3]
    assert str(due_on) == "2030-01-01"
    assert intake.second(far) == 0


def test_a_discarded_row_stays_out_of_later_files_too(intake: Intake) -> None:
    intake.first(unreadable)
    intake.discard(intake.open_rows()[ENTRY.document])
    assert intake.second(unreadable) == 0
    assert ENTRY.document not in stored(intake.engine.database.url)
    assert intake.open_rows() == {}


def test_a_row_that_changed_is_another_row(intake: Intake) -> None:
    def changed(rows: Rows) -> None:
        unreadable(rows)
        rows[ROW][OPEN] = "1,00"

    intake.first(unreadable)
    intake.discard(intake.open_rows()[ENTRY.document])
    assert intake.second(changed) == 1


def test_of_rows_that_contradict_each_other_one_comes_in_when_the_others_are_gone(intake: Intake) -> None:
    def twice(rows: Rows) -> None:
        rows.append([*rows[ROW][:OPEN], "1,00", "x"])

    intake.first(twice)
    wrong, right = sorted(list_rows(intake.engine), key=lambda row: len(str(row.raw["open_amount"])))
    with pytest.raises(RefusedError, match=f"Row {right.row_id} contradicts row {wrong.row_id}"):
        intake.release(right.row_id)
    intake.discard(wrong.row_id)
    intake.release(right.row_id)
    assert stored(intake.engine.database.url)[ENTRY.document] == meant(ENTRY)


def test_what_waits_for_a_customer_comes_along_with_it(engine: Engine, tmp_path: Path) -> None:
    items = [[cell for at, cell in enumerate(entry.cells()) if at not in (1, 2, 3, 4)] for entry in first_day()]
    header = [name for at, name in enumerate(HEADER) if at not in (1, 2, 3, 4)]
    customers = {entry.account: [entry.account, entry.name, entry.country] for entry in first_day()}
    customers[ENTRY.account][2] = "Holland"
    source = SOURCE.replace("  items:\n", "  items:\n    match: i*.csv\n").replace(
        "      name: name\n      country: country\n      email: email\n      street: street\n", ""
    )
    source = source.replace("    defaults: {kind: business, language: nl}\n", "") + (
        "  debtors:\n    match: d*.csv\n    columns: {debtor_no: account, name: name, country: country}\n"
        "    defaults: {kind: business, language: nl}\n"
    )
    paths = [
        write(tmp_path, "items.csv", written(items, header=header)),
        write(tmp_path, "debtors.csv", written(list(customers.values()), header=["account", "name", "country"])),
    ]
    ingest_ledger(engine, parse_source("books.yaml", source), paths, FIRST_DAY, at(FIRST_DAY), None)
    intake = Intake(engine, tmp_path)
    apart = list_rows(engine)
    (customer,) = [row for row in apart if row.table == "debtors"]
    waiting = {row.row_id for row in apart if row.table == "items"}
    assert len(waiting) == sum(entry.account == ENTRY.account for entry in first_day())
    intake.fix(customer.row_id, country=ENTRY.country)
    assert set(intake.release(customer.row_id).came_along) == waiting
    assert len(stored(engine.database.url)) == len(first_day())


def test_only_who_may_decides_and_only_once(intake: Intake) -> None:
    intake.first(unreadable)
    (row_id,) = intake.open_rows().values()
    before = fingerprint(intake.engine.database.url)
    for actor in ("ada", "nobody"):
        with pytest.raises(RefusedError, match="may not decide on quarantined rows"):
            intake.fix(row_id, actor, due_on="2026-01-31")
        with pytest.raises(RefusedError, match="may not decide on quarantined rows"):
            intake.release(row_id, actor)
    assert fingerprint(intake.engine.database.url) == before
    intake.discard(row_id)
    with pytest.raises(RefusedError, match=f"Row {row_id} is discarded"):
        intake.release(row_id)
    with pytest.raises(UsageError, match="no quarantined row 99"):
        intake.discard(99)


def test_each_decision_is_an_event_without_what_was_said(intake: Intake) -> None:
    intake.first(unreadable)
    (row_id,) = intake.open_rows().values()
    intake.fix(row_id, due_on=ENTRY.due.isoformat())
    intake.release(row_id)
    with intake.engine.database.frames(read_only=True) as frames:
        told = frames.read("SELECT kind, actor, body::text AS body FROM event WHERE kind LIKE 'row%' ORDER BY seq")
    assert told["kind"].to_list() == ["row_corrected", "row_released"]
    assert set(told["actor"]) == {"olga"}
    assert all(json.loads(body)["row_id"] == row_id for body in told["body"])
    assert not any(said in body for body in told["body"] for said in ("they said so", "it is right", "soon"))


def test_who_may_not_see_the_creditor_decides_on_none_of_its_rows(intake: Intake) -> None:
    intake.first(unreadable)
    (row_id,) = intake.open_rows().values()
    with intake.engine.database.session() as session:
        mine = session.exec(select(Creditor)).one()
        other = Creditor(**{**mine.model_dump(exclude={"id"}), "code": "ELSE"})
        session.add(other)
        session.flush()
        olga = session.exec(select(Person).where(Person.login == "olga")).one()
        give_sight(session, int(olga.id or 0), [int(other.id or 0)])
    for decide in (intake.fix, intake.release, intake.discard):
        with pytest.raises(RefusedError, match="olga may not see creditor"):
            decide(row_id)
    assert list(intake.open_rows().values()) == [row_id]
