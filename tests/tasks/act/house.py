"""A small house for tests: a creditor, its staff, customers and their items, written straight into the tables."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session, col, func, select

from maatpak.kernel.ids import shard_key
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import (
    Case,
    Creditor,
    CreditorPack,
    Debtor,
    DebtorProfile,
    Event,
    Item,
    ItemVersion,
    Party,
    Person,
    Snapshot,
)
from maatpak.ledger.versions import succeed
from policies.pack import standard_pack_files
from tasks.day import begin_day
from tasks.desk import Desk, desk
from tasks.engine import Engine

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STAFF: dict[str, tuple[str, int, str | None]] = {
    "olga": ("operator", 0, None),
    "carla": ("collector", 0, None),
    "colin": ("collector", 0, None),
    "anna": ("account_manager", 0, "dirk"),
    "dirk": ("account_manager", 0, None),
    "mo": ("credit_manager", 10_000_000, None),
    "mia": ("credit_manager", 10_000_000, None),
    "max": ("credit_manager", 100_000, None),
    "frans": ("finance_director", 1_000_000_000, None),
    "audrey": ("auditor", 0, None),
    "ada": ("administrator", 0, None),
}
"""Login → role, limit, deputy."""


def at(day: date, hour: int = 10) -> datetime:
    """An instant of a day."""
    return datetime.combine(day, time(hour), UTC)


@dataclass
class House:
    """One creditor in one engine."""

    engine: Engine
    creditor_id: int
    day: date
    pack_id: int
    items: dict[str, int] = field(default_factory=dict)

    def desk(self, who: str, hour: int = 10) -> Any:
        """A desk for somebody, today."""
        return desk(self.engine, self.creditor_id, who, self.day, at(self.day, hour))

    def go_to(self, day: date) -> None:
        """Begin another business day, with a ledger that speaks for it."""
        self.day = day
        self.snapshot(day)
        begin_day(self.engine, self.creditor_id, day, at(day, 6))

    def snapshot(self, day: date) -> None:
        """A full ledger as of a day, once; what the items say is written beside."""
        with self.engine.database.session() as session:
            if session.exec(select(Snapshot).filter_by(creditor_id=self.creditor_id, as_of=day)).first():
                return
            session.add(
                Snapshot(
                    creditor_id=self.creditor_id,
                    source="test",
                    kind="full",
                    as_of=day,
                    tables=["debtors", "items"],
                    content_hash=f"{day}",
                    evidence="[]",
                    row_count=0,
                    quarantined_count=0,
                    warning_count=0,
                    balances={},
                    actor="engine",
                    recorded_at=at(day, 5),
                )
            )

    def debtor(self, number: str, *, party: str | None = None, currency: str = "EUR", **profile: Any) -> int:
        """A customer with one case; the case's id."""
        with self.engine.database.session() as session:
            reference = party or f"{self.creditor_id}:{number}"
            found = session.exec(select(Party).where(Party.party_ref == reference)).first()
            owner = found or Party(party_ref=reference, shard_key=shard_key(reference), recorded_at=LONG_AGO)
            session.add(owner)
            session.flush()
            debtor = Debtor(creditor_id=self.creditor_id, party_id=_id(owner), debtor_no=number, recorded_at=LONG_AGO)
            session.add(debtor)
            session.flush()
            values = {
                "name": f"{number} B.V.",
                "kind": "business",
                "country": "NL",
                "language": "en",
                "email": f"{number}@example.test",
                "phone": "+31201234567",
                "street": "Kade 1",
                "postal_code": "1011 AB",
                "city": "Amsterdam",
                "account_manager": "anna",
                "customer_since": date(2015, 1, 1),
            }
            session.add(
                DebtorProfile(
                    debtor_id=_id(debtor),
                    creditor_id=self.creditor_id,
                    valid_from=date(2020, 1, 1),
                    recorded_at=LONG_AGO,
                    **{**values, **profile},
                )
            )
            case = Case(
                creditor_id=self.creditor_id,
                debtor_id=_id(debtor),
                party_id=_id(owner),
                currency=currency,
                shard_key=owner.shard_key,
                recorded_at=LONG_AGO,
            )
            session.add(case)
            session.flush()
            return _id(case)

    def another_currency(self, case_id: int, currency: str) -> int:
        """A case of the same customer in another currency; its id."""
        with self.engine.database.session() as session:
            case = session.get_one(Case, case_id)
            other = Case(**case.model_dump(exclude={"id", "currency"}), currency=currency)
            session.add(other)
            session.flush()
            return _id(other)

    def item(
        self, case_id: int, document: str, amount: int, due_on: date, *, item_type: str = "invoice", **more: Any
    ) -> int:
        """An open item, known since it was issued (30 days before it is due, unless said otherwise)."""
        issued_on = more.pop("issued_on", date.fromordinal(due_on.toordinal() - 30))
        known_from = more.pop("known_from", issued_on)
        with self.engine.database.session() as session:
            case = session.get_one(Case, case_id)
            shared = {
                "creditor_id": self.creditor_id,
                "debtor_id": case.debtor_id,
                "item_type": item_type,
                "document_no": document,
                "issued_on": issued_on,
                "currency": case.currency,
            }
            item = Item(**shared, recorded_at=at(known_from, 5))
            session.add(item)
            session.flush()
            session.add(
                ItemVersion(
                    **shared,
                    item_id=_id(item),
                    due_on=due_on,
                    amount=amount,
                    open_amount=more.pop("open_amount", amount),
                    valid_from=known_from,
                    recorded_at=at(known_from, 5),
                    **more,
                )
            )
            self.items[document] = _id(item)
            return _id(item)

    def pay(
        self, document: str, on: date, amount: int | None = None, *, known_on: date | None = None, by: str = "payment"
    ) -> None:
        """Money came in on an item, or what `by` says; the ledger tells from `known_on`, else the same day."""
        told = known_on or on
        with self.engine.database.session() as session:
            version = self._version(session, document)
            left = 0 if amount is None else version.open_amount - amount
            more = {"settled_on": on, "settled_by": by} if left == 0 else {}
            succeed(session, version, told, at(told, 5), open_amount=left, **more)

    def _version(self, session: Session, document: str) -> ItemVersion:
        return session.exec(
            select(ItemVersion).where(
                ItemVersion.item_id == self.items[document], col(ItemVersion.replaced_at).is_(None)
            )
        ).one()

    def rows(self, table: Any, **having: Any) -> list[Any]:
        """The rows of a table with these values, in the order they were made; of versioned ones the current."""
        query = select(table).filter_by(**having).order_by(table.id)
        if "replaced_at" in table.model_fields:
            query = query.where(table.replaced_at.is_(None))
        with self.engine.database.session() as session:
            return list(session.exec(query))

    def rows_of_events(self, kind: str | None = None) -> list[Event]:
        """The events, of one kind or all, in their order."""
        query = select(Event).order_by(col(Event.seq))
        with self.engine.database.session() as session:
            return list(session.exec(query.where(Event.kind == kind) if kind else query))

    def all_rows(self, table: Any) -> list[Any]:
        """Every row, replaced versions too."""
        with self.engine.database.session() as session:
            return list(session.exec(select(table).order_by(table.id)))

    def rows_of(self, table: Any) -> list[Any]:
        """Every row of a table whose key is not an id."""
        with self.engine.database.session() as session:
            return list(session.exec(select(table)))

    def count(self, table: Any) -> int:
        """How many rows a table has."""
        with self.engine.database.session() as session:
            return int(session.exec(select(func.count()).select_from(table)).one())

    def row(self, table: Any, **having: Any) -> Any:
        """The only such row."""
        (found,) = self.rows(table, **having)
        return found


def build_house(engine: Engine, day: date, code: str = "ACME", **creditor: Any) -> House:
    """A creditor with the standard pack and its staff, at a business date."""
    values = {
        "name": "Acme Trading B.V.",
        "country": "NL",
        "language": "en",
        "currency": "EUR",
        "time_zone": "Europe/Amsterdam",
        "iban": "NL91ABNA0417164300",
        "email": "credit@acme.test",
        "phone": "+31207654321",
        "street": "Gracht 2",
        "postal_code": "1012 AB",
        "city": "Amsterdam",
        **creditor,
    }
    engine.workspace.create()
    with engine.database.session() as session:
        for login, (role, limit, deputy) in STAFF.items():
            if session.exec(select(Person).where(Person.login == login)).first() is None:
                session.add(
                    Person(
                        login=login,
                        name=login.title(),
                        role=role,
                        approval_limit=limit,
                        email=f"{login}@acme.test",
                        deputy=deputy,
                        recorded_at=LONG_AGO,
                    )
                )
        row = Creditor(code=code, recorded_at=LONG_AGO, **values)
        session.add(row)
        session.flush()
        pack = publish_pack(session, "standard", standard_pack_files(), "for tests", "ada", date(2020, 1, 1), LONG_AGO)
        session.flush()
        session.add(
            CreditorPack(
                creditor_id=_id(row),
                pack_id=_id(pack),
                actor="ada",
                valid_from=date(2020, 1, 1),
                recorded_at=LONG_AGO,
            )
        )
        house = House(engine, _id(row), day, _id(pack))
    house.go_to(day)
    return house


def case_of(at_desk: Desk, case_id: int) -> Case:
    """The case, its party locked."""
    return at_desk.case(case_id)


def _id(row: Any) -> int:
    assert isinstance(row.id, int)
    return row.id
