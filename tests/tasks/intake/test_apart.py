"""Rows that were set apart: events prove what people said of them, and give nothing of it away."""

import json
from pathlib import Path

from connectors.ledgers.source_file import parse_source
from maatpak.kernel.ids import content_hash, salted_hash
from maatpak.ledger.tables import Person
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tasks.quarantine import fix_row
from tests.tasks.intake.books import FIRST_DAY, SOURCE, at, first_day, write, written

NOTE, CELL = "Jan de Vries says so", {"amount": "1250.00"}


def test_what_people_say_of_a_row_is_hashed_with_the_salt_of_the_row(engine: Engine, tmp_path: Path) -> None:
    rows = [entry.cells() for entry in first_day()]
    rows[3][8] = "soon"
    source = parse_source("books.yaml", SOURCE)
    ingest_ledger(engine, source, [write(tmp_path, "first.csv", written(rows))], FIRST_DAY, at(FIRST_DAY), None)
    with engine.database.session() as session:
        session.add(Person(login="olga", name="Olga", role="operator", recorded_at=at(FIRST_DAY)))
    with engine.database.frames(read_only=True) as frames:
        row_id, salt = frames.read("SELECT id, salt FROM quarantined_row").row(0)
    fix_row(engine, row_id, CELL, NOTE, actor="olga", as_of=FIRST_DAY, now=at(FIRST_DAY))
    with engine.database.frames(read_only=True) as frames:
        body = json.loads(frames.read("SELECT body::text FROM event WHERE kind = 'row_corrected'").item())
    assert (body["reason"], body["content"]) == (salted_hash(NOTE, salt), salted_hash(CELL, salt))
    assert content_hash(NOTE) not in str(body)
