"""Damaged ledgers, with an oracle that does not know the importer.

Of each damaged row one of three must hold: it is set apart, or the whole file is refused, or what is stored of it
equals the undamaged original. No traceback; a refused file changes nothing; and every undamaged row is stored as it was
meant.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import connect

from connectors.ledgers.source import LedgerSource
from connectors.ledgers.source_file import parse_source
from maatpak.kernel.errors import InputRejectedError
from maatpak.kernel.settings import Settings
from maatpak.ledger.database import Database
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tests.conftest import _created
from tests.tasks.intake.books import (
    EVENTS,
    FIRST_DAY,
    SECOND_DAY,
    SOURCE,
    at,
    fingerprint,
    first_day,
    meant,
    newest_event,
    second_day,
    set_apart,
    stored,
    write,
    written,
)
from tests.tasks.intake.damages import DAMAGES


@pytest.fixture(scope="module")
def books() -> LedgerSource:
    return parse_source("books.yaml", SOURCE)


@pytest.fixture(scope="module")
def after_first_day(
    server_url: str, template: str, books: LedgerSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Name of a database with the good first day in it, to be copied."""
    folder = tmp_path_factory.mktemp("first")
    with _created(server_url, "maatpak_books_first", template) as url:
        engine = Engine(Settings(workspace=folder, database_url=url), Database(url))
        path = write(folder, "books.csv", written([entry.cells() for entry in first_day()]))
        report = ingest_ledger(engine, books, [path], FIRST_DAY, at(FIRST_DAY), None)
        engine.close()
        assert (report.quarantined, report.warnings) == (0, 0), report.findings
        assert stored(url) == {entry.document: meant(entry) for entry in first_day()}
        yield "maatpak_books_first"


def test_there_are_enough_damages() -> None:
    assert len(DAMAGES) >= 60


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_row_is_set_apart_or_refused_or_right(
    name: str, after_first_day: str, server_url: str, books: LedgerSource, tmp_path: Path
) -> None:
    spoiled = DAMAGES[name]()
    path = write(tmp_path, spoiled.name, spoiled.content)
    truth = {entry.document: meant(entry) for entry in second_day()}
    with _created(server_url, "maatpak_books_second", after_first_day) as url:
        before = fingerprint(url, but=EVENTS)
        engine = Engine(Settings(workspace=tmp_path / "workspace", database_url=url), Database(url))
        refusal = None
        try:
            ingest_ledger(engine, books, [path], SECOND_DAY, at(SECOND_DAY), None)
        except InputRejectedError as error:
            refusal = error
        finally:
            engine.close()
        if refusal is not None:
            assert fingerprint(url, but=EVENTS) == before
            assert refusal.context["findings"]
            kind, body = newest_event(url)
            assert (kind, body["rules"]) == ("ledger_rejected", refusal.context["counts"])
            return
        now, apart = stored(url), set_apart(url)
        for document, row in spoiled.documents.items():
            right = now.get(document) == truth[document]
            assert right or (path.name, row) in apart, (document, row, now.get(document), truth[document])
        wrong = {
            document: (now.get(document), expected)
            for document, expected in truth.items()
            if document not in spoiled.documents and now.get(document) != expected
        }
        assert not wrong
        strangers = {document for document in now if document not in truth}
        assert not strangers


def test_the_good_second_day_is_taken_in_whole(
    after_first_day: str, server_url: str, books: LedgerSource, tmp_path: Path
) -> None:
    path = write(tmp_path, "books.csv", written([entry.cells() for entry in second_day()]))
    with _created(server_url, "maatpak_books_good", after_first_day) as url:
        engine = Engine(Settings(workspace=tmp_path / "workspace", database_url=url), Database(url))
        report = ingest_ledger(engine, books, [path], SECOND_DAY, at(SECOND_DAY), None)
        engine.close()
        assert (report.quarantined, report.warnings) == (0, 0), report.findings
        assert stored(url) == {entry.document: meant(entry) for entry in second_day()}
        with connect(url) as connection:
            changed = connection.execute("SELECT count(*) FROM item_version WHERE valid_from = '2026-03-03'").fetchone()
            carried = connection.execute("SELECT tables FROM snapshot ORDER BY id").fetchall()
        assert changed == (4,)
        assert carried == [(["items"],), (["items"],)]
