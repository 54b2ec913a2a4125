"""Law 10: a past day comes out as it was, and whatever was changed since is named by case, document and column."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from connectors.ledgers.source_file import load_source
from maatpak.kernel.errors import UsageError
from maatpak.kernel.settings import Settings
from maatpak.ledger.tables import Snapshot, Tick
from tasks.day import run_day
from tasks.engine import Engine, open_engine
from tasks.intake import ingest_ledger
from tasks.replay import Replay, replay
from tests.conftest import _created, _lent
from tests.tasks.act.house import House, at, build_house

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)
TWO_DAYS = "maatpak_two_days"
SOURCE = """
name: books
mode: {mode}
creditor: ACME
files:
  items:
    match: "items*.csv"
    columns: {{debtor_no: debtor, document_no: doc, document_type: type, issued_on: issued, due_on: due,
              currency: cur, amount: amount, open_amount: open}}
  debtors:
    match: "debtors*.csv"
    columns: {{debtor_no: debtor, name: name, kind: kind, country: country, language: language, email: email}}
  payments:
    match: "payments*.csv"
    columns: {{payment_no: no, debtor_no: debtor, document_no: doc, paid_on: on, currency: cur, amount: amount}}
"""
DEBTORS = "debtor,name,kind,country,language,email\nD1,One BV,business,NL,nl,one@d.test\nD2,Two BV,business,NL,nl,\n"
ITEMS = "debtor,doc,type,issued,due,cur,amount,open\n"
FIRST = (
    "D1,F1,invoice,2026-01-05,2026-02-04,EUR,1000.00,1000.00\n"
    "D1,F2,invoice,2026-01-12,2026-02-11,EUR,500.00,500.00\n"
    "D2,F3,invoice,2026-01-19,2026-02-18,EUR,250.00,250.00\n"
    "D2,K1,credit_note,2026-02-19,2026-02-19,EUR,50.00,50.00\n"
)
SECOND = (
    "D1,F1,invoice,2026-01-05,2026-02-04,EUR,1000.00,600.00\n"
    "D2,F3,invoice,2026-01-19,2026-02-18,EUR,250.00,250.00\n"
    "D2,F4,invoice,2026-02-23,2026-03-25,EUR,75.00,75.00\n"
)
PAYMENTS = "no,debtor,doc,on,cur,amount\n"
PAID = "P1,D1,F1,2026-03-02,EUR,400.00\n"


class Books:
    """The files of a house's ledger, taken in day by day."""

    def __init__(self, house: House, folder: Path, mode: str = "full") -> None:
        self.house = house
        self.folder = folder
        (folder / "books.yaml").write_text(SOURCE.format(mode=mode))
        self.source = load_source(folder / "books.yaml")

    def take_in(self, day: date, items: str, payments: str = "") -> None:
        for name, content in (("items", ITEMS + items), ("debtors", DEBTORS), ("payments", PAYMENTS + payments)):
            (self.folder / f"{name}.csv").write_text(content)
        paths = [self.folder / f"{name}.csv" for name in ("items", "debtors", "payments")]
        ingest_ledger(self.house.engine, self.source, paths, day, at(day, 5), "olga")

    def run(self, day: date) -> None:
        self.house.day = day
        run_day(self.house.engine, self.house.creditor_id, day, at(day, 6))

    def replay(self, day: date = MONDAY) -> Replay:
        return replay(self.house.engine, self.house.creditor_id, day)


@pytest.fixture(autouse=True, scope="module")
def _ledger_from_files_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(House, "snapshot", lambda *_: None)
        yield


@pytest.fixture
def empty(engine: Engine, tmp_path: Path) -> Callable[[str], Books]:
    """A house without any ledger but the one that comes from files."""
    house = build_house(engine, MONDAY - timedelta(days=3))
    return lambda mode: Books(house, tmp_path, mode)


@pytest.fixture(scope="module")
def two_days(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory, _ledger_from_files_only: None
) -> Iterator[Books]:
    """Two days of a full ledger: a part payment, an item that leaves, a credit note that is used, a new item."""
    folder = tmp_path_factory.mktemp("two_days")
    with _created(server_url, TWO_DAYS, template) as url:
        engine = open_engine(Settings(workspace=folder / "workspace", database_url=url))
        books = Books(build_house(engine, MONDAY - timedelta(days=3)), folder)
        books.take_in(MONDAY, FIRST)
        books.run(MONDAY)
        books.take_in(TUESDAY, SECOND, PAID)
        books.run(TUESDAY)
        engine.close()
        yield books


@pytest.fixture
def books(two_days: Books, server_url: str, tmp_path: Path) -> Iterator[Books]:
    """A copy of those two days."""
    shutil.copytree(two_days.folder, tmp_path, dirs_exist_ok=True)
    with _lent(server_url, "maatpak_replay", TWO_DAYS) as url:
        engine = open_engine(Settings(workspace=tmp_path / "workspace", database_url=url))
        yield Books(replace(two_days.house, engine=engine), tmp_path)
        engine.close()


def tamper(engine: Engine, statement: str, table: str) -> None:
    """What only the owner of the database can do."""
    with engine.database.session() as session:
        connection = session.connection()
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        assert connection.execute(text(statement)).rowcount
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))


def named(found: Replay) -> set[tuple[str, str, str]]:
    """(what, about, column) of the differences."""
    return {(each.what, each.about, each.column) for each in found.differences}


def test_what_nobody_touched_is_the_same(books: Books) -> None:
    monday, tuesday = books.replay(MONDAY), books.replay(TUESDAY)
    assert (monday.differences, tuesday.differences) == ((), ())
    assert (monday.ticks, monday.cases, monday.items, monday.unproven, monday.engines) == (1, 2, 4, 0, ())
    assert (tuesday.cases, tuesday.items, tuesday.unproven) == (2, 7, 0)


def test_a_version_of_an_item_that_was_changed_is_named(books: Books) -> None:
    changed = "UPDATE item_version SET open_amount = 900 WHERE document_no = 'F3' AND replaced_at IS NULL"
    tamper(books.house.engine, changed, "item_version")
    found = books.replay()
    assert {("facts", "", "overdue_open"), ("items", "D2 F3", "open_amount")} <= named(found)
    (item,) = [each for each in found.differences if each.what == "items"]
    assert (item.then, item.now) == ("25000", "900")
    (fact,) = [each for each in found.differences if each.column == "overdue_open"]
    assert (fact.case_id is not None, fact.then, fact.now) == (True, "25000", "900")


@pytest.mark.parametrize(
    ("statement", "about", "column"),
    [
        ("UPDATE item_version SET due_on = due_on + 30 WHERE document_no = 'F1'", "D1 F1", "due_on"),
        ("UPDATE item_version SET left_after = NULL WHERE left_after IS NOT NULL", "D1 F2", "left_after"),
        ("DELETE FROM item_version WHERE document_no = 'F4'", "D2 F4", "row"),
        ("UPDATE item_version SET valid_from = valid_from - 1 WHERE document_no = 'F4'", "D2 F4", "valid_from"),
    ],
    ids=["due", "left", "gone", "since"],
)  # fmt: skip
def test_whatever_the_snapshot_told_is_held_against_history(
    books: Books, statement: str, about: str, column: str
) -> None:
    tamper(books.house.engine, statement, "item_version")
    assert ("items", about, column) in named(books.replay(TUESDAY))


def test_an_item_that_no_snapshot_told_of_is_named(books: Books) -> None:
    forged = (
        "INSERT INTO item_version (item_id, creditor_id, debtor_id, snapshot_id, item_type, document_no, currency,"
        " issued_on, due_on, amount, open_amount, settled_estimated, disputed_amount, valid_from, recorded_at)"
        " SELECT i.id, i.creditor_id, i.debtor_id, s.id, i.item_type, i.document_no, i.currency, i.issued_on,"
        " i.issued_on, 99, 99, false, 0, s.as_of, s.recorded_at FROM item i, snapshot s"
        " WHERE i.document_no = 'F9' AND s.as_of = '2026-03-02'"
    )
    item = (
        "INSERT INTO item (creditor_id, debtor_id, item_type, document_no, issued_on, currency, recorded_at)"
        " SELECT creditor_id, debtor_id, item_type, 'F9', issued_on, currency, recorded_at FROM item"
        " WHERE document_no = 'F1'"
    )
    tamper(books.house.engine, item, "item")
    tamper(books.house.engine, forged, "item_version")
    assert ("items", "D1 F9", "row") in named(books.replay(MONDAY))


def test_a_payment_that_was_changed_is_named(books: Books) -> None:
    tamper(books.house.engine, "UPDATE payment SET amount = amount + 1", "payment")
    assert ("payments", "P1", "amount") in named(books.replay(TUESDAY))


def test_a_facts_frame_that_was_changed_is_named_with_its_case(books: Books) -> None:
    tick = books.house.rows(Tick)[0]
    path = books.house.engine.store.path(tick.facts_evidence)
    assert path is not None
    facts = pl.read_parquet(path)
    facts.with_columns(asked_amount=pl.col("asked_amount") + 1).write_parquet(path)
    found = books.replay()
    assert ("evidence", tick.facts_evidence, "facts") in named(found)
    changed = [each for each in found.differences if (each.what, each.column) == ("facts", "asked_amount")]
    assert [each.case_id for each in changed] == facts["case_id"].to_list()
    assert ("decisions", "", "asked_amount") in named(found)


@pytest.mark.parametrize("name", ["facts", "steps", "decisions"])
def test_a_frame_that_is_gone_or_no_frame_is_named(books: Books, name: str) -> None:
    tick = books.house.rows(Tick)[0]
    key = getattr(tick, f"{name}_evidence")
    path = books.house.engine.store.path(key)
    assert path is not None
    path.write_bytes(b"nothing of the kind")
    assert ("evidence", key, name) in named(books.replay())
    path.unlink()
    assert ("evidence", key, name) in named(books.replay())


def test_a_decision_that_was_exchanged_is_named(books: Books) -> None:
    """Another frame in its place, named in the row: it does not follow from the facts, nor does the chain name it."""
    store, tick = books.house.engine.store, books.house.rows(Tick)[0]
    forged = store.get_frame(tick.decisions_evidence).with_columns(reason=pl.lit("hold"), outcome=pl.lit("none"))
    key = store.put_frame("decisions", forged)
    tamper(books.house.engine, f"UPDATE tick SET decisions_evidence = '{key}' WHERE id = {tick.id}", "tick")
    found = named(books.replay())
    assert {
        ("tick", f"tick {tick.id}", "decisions"),
        ("decisions", "", "reason"),
        ("decisions", "", "outcome"),
    } <= found


def test_a_step_that_was_changed_is_named(books: Books) -> None:
    statement = "UPDATE action SET step = 'second_notice', stage = 'remind' WHERE state = 'executed' AND written"
    tamper(books.house.engine, statement, "action")
    found = books.replay(TUESDAY)
    assert {("there", "gone"), ("absent", "there")} <= {
        (each.then, each.now) for each in found.differences if each.what == "steps"
    }


def test_a_pack_that_was_changed_is_named(books: Books) -> None:
    files = "jsonb_set(files, '{guardrails.yaml}', to_jsonb(replace(files ->> 'guardrails.yaml', ':', ': ')))"
    tamper(books.house.engine, f"UPDATE policy_pack SET files = {files}", "policy_pack")
    books.house.engine._packs.clear()
    tick = books.house.rows(Tick)[0]
    (pack_id,) = tick.packs
    assert ("packs", f"tick {tick.id}", pack_id) in named(books.replay())


def test_evidence_of_a_snapshot_is_held_against_its_event(books: Books) -> None:
    snapshot = books.house.rows(Snapshot)[0]
    keys = [key for key in json.loads(snapshot.evidence) if not key.startswith("findings/")]
    tamper(
        books.house.engine, f"UPDATE snapshot SET evidence = '{json.dumps(keys)}' WHERE id = {snapshot.id}", "snapshot"
    )
    assert ("snapshots", "books 2026-03-02", "evidence") in named(books.replay())
    (items,) = [key for key in keys if key.startswith("ledger_items/")]
    path = books.house.engine.store.path(items)
    assert path is not None
    path.unlink()
    assert ("evidence", items, "ledger_items") in named(books.replay())


def test_another_version_of_the_engine_is_told_and_is_no_difference(books: Books) -> None:
    tamper(books.house.engine, "UPDATE tick SET engine_version = '0.0.1'", "tick")
    found = books.replay()
    assert (found.engines, found.same) == (("0.0.1",), True)


def test_items_without_a_snapshot_are_counted(books: Books) -> None:
    case_id = books.house.debtor("D9")
    books.house.item(case_id, "F9", 10_000, date(2026, 1, 30))
    books.run(TUESDAY + timedelta(days=1))
    found = books.replay(TUESDAY + timedelta(days=1))
    assert (found.unproven, found.differences) == (1, ())


def test_a_delta_is_planned_on_what_was_known(empty: Callable[[str], Books]) -> None:
    books = empty("delta")
    books.take_in(MONDAY, FIRST)
    books.run(MONDAY)
    books.take_in(TUESDAY, SECOND.splitlines()[0] + "\n", PAID + "P2,D1,F2,2026-03-02,EUR,500.00\n")
    books.run(TUESDAY)
    assert [books.replay(day).differences for day in (MONDAY, TUESDAY)] == [(), ()]
    changed = "UPDATE item_version SET settled_on = '2026-03-01' WHERE document_no = 'F2' AND settled_on IS NOT NULL"
    tamper(books.house.engine, changed, "item_version")
    assert ("items", "D1 F2", "settled_on") in named(books.replay(TUESDAY))


def test_a_history_is_planned_with_all_of_its_days(empty: Callable[[str], Books]) -> None:
    books = empty("history")
    books.source = books.source.model_copy(update={"files": _without_open(books)})
    books.take_in(TUESDAY, FIRST + SECOND.splitlines()[2] + "\n", PAID)
    for day in (MONDAY, TUESDAY):
        books.run(day)
        assert books.replay(day).differences == ()
    changed = "UPDATE item_version SET open_amount = 1 WHERE document_no = 'F1' AND valid_from = '2026-03-02'"
    tamper(books.house.engine, changed, "item_version")
    assert ("items", "D1 F1 2026-03-02", "open_amount") in named(books.replay(TUESDAY))


def test_a_day_without_a_run_is_said_to_have_none(books: Books) -> None:
    with pytest.raises(UsageError, match=r"No run of 2026-02-25 is there\. The last one was of 2026-03-03"):
        books.replay(date(2026, 2, 25))


def _without_open(books: Books) -> Any:
    files = books.source.files
    assert files.items is not None
    columns = {name: header for name, header in files.items.columns.items() if name != "open_amount"}
    return files.model_copy(update={"items": files.items.model_copy(update={"columns": columns})})
