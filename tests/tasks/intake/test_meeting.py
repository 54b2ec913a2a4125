"""Imports that meet others: a day that begins while the gate is at work, a person who releases a row meanwhile."""

import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from connectors.ledgers.source_file import parse_source
from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Person
from tasks.day import begin_day
from tasks.engine import Engine
from tasks.intake import ingest, ingest_ledger
from tasks.intake.known import lock_intake
from tasks.intake.landing import Landed, land
from tasks.quarantine import release_row
from tests.tasks.intake.books import FIRST_DAY, SECOND_DAY, SOURCE, at, first_day, second_day, write, written

PATIENCE = 30.0
LATER = at(SECOND_DAY).replace(hour=7)
SPOILED = 3
"""A row of the second file with an amount that cannot be read."""


@pytest.fixture
def after_first(engine: Engine, tmp_path: Path) -> Engine:
    """An engine that has the good first day."""
    path = write(tmp_path, "first.csv", written([entry.cells() for entry in first_day()]))
    ingest_ledger(engine, parse_source("books.yaml", SOURCE), [path], FIRST_DAY, at(FIRST_DAY), None)
    return engine


def second_file(folder: Path, *, spoiled: bool = False) -> Path:
    rows = [entry.cells() for entry in second_day()]
    if spoiled:
        rows[SPOILED][8] = "soon"
    return write(folder, "second.csv", written(rows))


def test_what_lands_after_a_day_began_is_recorded_after_it(
    after_first: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def land_late(engine: Engine, *args: object) -> Landed:
        with engine.database.frames(read_only=True) as frames:
            creditor_id = frames.read("SELECT id FROM creditor").item()
        begin_day(engine, creditor_id, SECOND_DAY, LATER)
        return land(engine, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "land", land_late)
    source = parse_source("books.yaml", SOURCE)
    ingest_ledger(after_first, source, [second_file(tmp_path)], SECOND_DAY, at(SECOND_DAY), None)
    with psycopg.connect(after_first.database.url) as connection:
        for query in (
            "SELECT min(recorded_at) FROM item_version WHERE valid_from = '2026-03-03'",
            "SELECT min(replaced_at) FROM item_version WHERE replaced_from = '2026-03-03'",
            "SELECT max(recorded_at) FROM snapshot",
            "SELECT max(recorded_at) FROM event WHERE kind = 'ledger_imported'",
        ):
            (instant,) = connection.execute(query).fetchone() or (at(FIRST_DAY),)
            assert instant > LATER, query


def test_a_release_waits_for_an_import_before_it_takes_the_row(after_first: Engine, tmp_path: Path) -> None:
    engine = after_first
    source = parse_source("books.yaml", SOURCE)
    report = ingest_ledger(engine, source, [second_file(tmp_path, spoiled=True)], SECOND_DAY, at(SECOND_DAY), None)
    assert report.quarantined == 1
    with engine.database.session() as session:
        session.add(Person(login="olga", name="Olga", role="operator", recorded_at=at(FIRST_DAY)))
    with engine.database.frames(read_only=True) as frames:
        row_id = frames.read("SELECT id FROM quarantined_row").item()

    def release() -> None:
        with pytest.raises(RefusedError, match="is superseded"):
            release_row(engine, row_id, "it is right", actor="olga", as_of=SECOND_DAY, now=at(SECOND_DAY))

    with engine.database.frames() as importing:
        lock_intake(importing, "ACME")
        releasing = threading.Thread(target=release)
        releasing.start()
        _wait_for_an_advisory_lock(engine)
        importing.execute("SET LOCAL lock_timeout = '5s'")
        importing.execute(f"UPDATE quarantined_row SET state = 'superseded' WHERE id = {row_id}")
    releasing.join(PATIENCE)
    assert not releasing.is_alive()


def _wait_for_an_advisory_lock(engine: Engine) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    deadline = time.monotonic() + PATIENCE
    while True:
        with engine.database.reading() as session:
            if session.execute(waiting).scalar_one():
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


def open_now(engine: Engine) -> list[tuple[int, int]]:
    with engine.database.frames(read_only=True) as frames:
        query = "SELECT item_id, open_amount FROM item_version WHERE replaced_at IS NULL AND open_amount > 0 ORDER BY 1"
        return list(frames.read(query).iter_rows())


def test_a_ledger_sent_again_after_another_of_the_same_day_holds_again(after_first: Engine, tmp_path: Path) -> None:
    source = parse_source("books.yaml", SOURCE)
    rows = [entry.cells() for entry in first_day()]
    whole, shorter = write(tmp_path, "first.csv", written(rows)), write(tmp_path, "shorter.csv", written(rows[:-1]))
    before = open_now(after_first)
    seen = []
    for hour, path in ((7, shorter), (8, whole), (9, whole)):
        report = ingest_ledger(after_first, source, [path], FIRST_DAY, at(FIRST_DAY).replace(hour=hour), None)
        seen.append((report.snapshots[0].unchanged, open_now(after_first) == before))
    assert seen == [(False, False), (False, True), (True, True)]
