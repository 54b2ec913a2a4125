"""Who takes a ledger in is somebody here; the engine itself does it where no person is named."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from connectors.ledgers.source_file import parse_source
from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Creditor, Event, Person, Snapshot
from tasks.access.sight import give_sight
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tests.tasks.intake.books import FIRST_DAY, SOURCE, at, first_day, write, written

PEOPLE = {
    "olga": ("operator", True),
    "elsie": ("operator", True),
    "ada": ("administrator", True),
    "audrey": ("auditor", True),
}
PEOPLE["left"] = ("operator", False)


def take_in(engine: Engine, folder: Path, actor: str | None) -> None:
    with engine.database.session() as session:
        for login, (role, active) in PEOPLE.items():
            person = Person(login=login, name=login, role=role, active=active, recorded_at=at(FIRST_DAY))
            session.add(person)
            session.flush()
            if login == "elsie":
                give_sight(session, int(person.id or 0), [_other_creditor(session)])
    rows = [entry.cells() for entry in first_day()]
    file = write(folder, "first.csv", written(rows))
    ingest_ledger(engine, parse_source("books.yaml", SOURCE), [file], FIRST_DAY, at(FIRST_DAY), actor)


def _other_creditor(session: Session) -> int:
    where: dict[str, Any] = {"country": "NL", "language": "nl", "currency": "EUR", "time_zone": "Europe/Amsterdam"}
    other = Creditor(code="ELSE", name="Another", recorded_at=at(FIRST_DAY), **where)
    session.add(other)
    session.flush()
    return int(other.id or 0)


def actors(engine: Engine) -> set[tuple[str, str]]:
    """Who is named by snapshots and events."""
    with engine.database.reading() as session:
        snapshots = {("snapshot", row.actor) for row in session.exec(select(Snapshot))}
        return snapshots | {("event", row.actor) for row in session.exec(select(Event))}


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        ("nobody", "'nobody' is nobody who may act here"),
        ("left", "'left' is nobody who may act here"),
        ("engine", "'engine' is nobody who may act here"),
        ("audrey", "audrey is auditor: that role may not import a ledger"),
        ("elsie", "elsie may not see creditor"),
    ],
)
def test_who_may_not_act_imports_nothing(engine: Engine, tmp_path: Path, actor: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        take_in(engine, tmp_path, actor)
    assert actors(engine) == set()


@pytest.mark.parametrize(("actor", "told"), [("olga", "olga"), ("ada", "ada"), (None, "engine")])
def test_the_import_is_theirs(engine: Engine, tmp_path: Path, actor: str | None, told: str) -> None:
    take_in(engine, tmp_path, actor)
    assert actors(engine) == {("snapshot", told), ("event", told)}
