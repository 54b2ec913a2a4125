"""Two creditors and the people who act for them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from maatpak.kernel.words import Role
from maatpak.ledger.tables import Creditor, Event, Person
from tasks.access.credentials import change_password, give_password
from tasks.access.visitor import Visitor, visitor_of
from tasks.engine import Engine

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PASSWORD = "four grey herons dancing"
STAFF = {
    "root": Role.ADMINISTRATOR,
    "rhea": Role.ADMINISTRATOR,
    "carla": Role.COLLECTOR,
    "mo": Role.CREDIT_MANAGER,
    "audrey": Role.AUDITOR,
}
COLUMNS: dict[str, Any] = {"country": "NL", "language": "nl", "currency": "EUR", "time_zone": "Europe/Amsterdam"}


@dataclass(frozen=True)
class Doors:
    """An installation with people in front of it."""

    engine: Engine

    def password_of(self, login: str, password: str = PASSWORD) -> None:
        """Somebody has a password of their own."""
        first = give_password(self.engine, login, "root", NOW)
        change_password(self.engine, login, first, password, NOW)

    def visitor(self, token: str, now: datetime = NOW, minutes: int = 30) -> Visitor | None:
        """Who is logged in with a token."""
        with self.engine.database.session() as session:
            return visitor_of(session, token, now, minutes)

    def row(self, table: Any, **having: Any) -> Any:
        """The only such row."""
        with self.engine.database.session() as session:
            return session.exec(select(table).filter_by(**having)).one()

    def person(self, login: str) -> Person:
        """Somebody as they are now."""
        found: Person = self.row(Person, login=login)
        return found

    def set(self, login: str, **columns: Any) -> None:
        """Something of a person is otherwise."""
        with self.engine.database.session() as session:
            person = session.exec(select(Person).where(Person.login == login)).one()
            for name, value in columns.items():
                setattr(person, name, value)

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, actor and body of every event."""
        with self.engine.database.session() as session:
            found = session.exec(select(Event).order_by(col(Event.seq)))
            return [(event.kind, event.actor, event.body) for event in found]


@pytest.fixture
def doors(engine: Engine) -> Doors:
    """Two administrators, a collector, a credit manager and an auditor of creditors NL01 and DE01."""
    engine.workspace.create()
    with engine.database.session() as session:
        for code in ("NL01", "DE01"):
            session.add(
                Creditor(code=code, name=f"{code} B.V.", business_date=date(2026, 3, 2), recorded_at=NOW, **COLUMNS)
            )
            session.flush()
        for login, role in STAFF.items():
            limit = 5_000_00 if role == Role.CREDIT_MANAGER else 0
            session.add(
                Person(login=login, name=f"{login.title()} Janssen", role=role, approval_limit=limit, recorded_at=NOW)
            )
    return Doors(engine)
