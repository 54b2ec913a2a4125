"""A ledger written straight into the tables, day by day, as an intake of daily full files would leave it.

The intake has tests of its own; here thousands of lives need a ledger that costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlmodel import col, select

from maatpak.kernel.checks import CheckKind, CheckResult
from maatpak.kernel.ids import content_hash, shard_key
from maatpak.ledger.database import Database
from maatpak.ledger.tables import (
    Case,
    Creditor,
    CreditorPack,
    Debtor,
    DebtorProfile,
    Item,
    ItemVersion,
    Party,
    Payment,
    Person,
    PlacementCheck,
    Snapshot,
)
from maatpak.ledger.versions import succeed
from tasks.placement_checks import AGENCY

NIGHT = time(4)
"""When the files of the night are recorded, before the morning's run."""


def night_before(day: date) -> datetime:
    """The instant at which a day's ledger is recorded."""
    return datetime.combine(day, NIGHT, UTC)


@dataclass(frozen=True)
class Account:
    """A customer with its one case."""

    debtor_no: str
    debtor_id: int
    party_id: int
    case_id: int


class Ledger:
    """One creditor's books."""

    def __init__(self, database: Database, code: str = "LIFE", country: str = "NL", currency: str = "EUR") -> None:
        self.database = database
        self.code = code
        self.country = country
        self.currency = currency
        self.creditor_id = 0
        self._documents = 0

    def found(self, on: date, pack_id: int, people: Sequence[Person]) -> None:
        """Make the creditor, its pack and its people."""
        at = night_before(on)
        with self.database.session() as session:
            creditor = Creditor(
                code=self.code,
                name=f"Creditor {self.code}",
                country=self.country,
                language="nl" if self.country == "NL" else "en",
                currency=self.currency,
                time_zone="Europe/Amsterdam",
                iban="NL91ABNA0417164300",
                bic="ABNANL2A",
                email="credit@creditor.example",
                phone="+31970000001",
                street="Havenkade 12",
                postal_code="3812 AB",
                city="Amersfoort",
                recorded_at=at,
            )
            session.add(creditor)
            session.flush()
            assert creditor.id is not None
            self.creditor_id = creditor.id
            session.add(
                CreditorPack(creditor_id=creditor.id, pack_id=pack_id, actor="admin", valid_from=on, recorded_at=at)
            )
            session.add(
                PlacementCheck(
                    creditor_id=creditor.id,
                    agency=AGENCY,
                    country=self.country,
                    kind=CheckKind.AGENCY_LICENCE,
                    result=CheckResult.CLEAR,
                    source="the agency's own copy",
                    checked_on=on,
                    until_on=on + timedelta(days=365),
                    actor="admin",
                    recorded_at=at,
                )
            )
            known = set(session.exec(select(Person.login)))
            session.add_all(person for person in people if person.login not in known)

    def open_account(self, debtor_no: str, on: date, *, party_ref: str | None = None, **profile: object) -> Account:
        """A new customer with an address on every channel, unless the profile says otherwise."""
        at = night_before(on)
        reference = party_ref or f"{self.code}/{debtor_no}"
        with self.database.session() as session:
            party = session.exec(select(Party).where(Party.party_ref == reference)).first()
            if party is None:
                party = Party(party_ref=reference, shard_key=shard_key(reference), recorded_at=at)
                session.add(party)
                session.flush()
            assert party.id is not None
            debtor = Debtor(creditor_id=self.creditor_id, party_id=party.id, debtor_no=debtor_no, recorded_at=at)
            session.add(debtor)
            session.flush()
            assert debtor.id is not None
            told: dict[str, object] = {
                "name": f"Customer {debtor_no}",
                "kind": "business",
                "country": self.country,
                "language": "en",
                "email": f"{debtor_no.lower()}@customer.example",
                "phone": "+31970000002",
                "street": "Molenweg 1",
                "postal_code": "3812 AB",
                "city": "Amersfoort",
                "account_manager": "account",
                "customer_since": on - timedelta(days=1500),
            }
            session.add(
                DebtorProfile.model_validate(
                    {
                        **told,
                        **profile,
                        "debtor_id": debtor.id,
                        "creditor_id": self.creditor_id,
                        "valid_from": on,
                        "recorded_at": at,
                    }
                )
            )
            case = Case(
                creditor_id=self.creditor_id,
                debtor_id=debtor.id,
                party_id=party.id,
                currency=self.currency,
                shard_key=party.shard_key,
                recorded_at=at,
            )
            session.add(case)
            session.flush()
            assert case.id is not None
            return Account(debtor_no, debtor.id, party.id, case.id)

    def book(
        self,
        account: Account,
        amount: int,
        issued_on: date,
        due_on: date,
        *,
        kind: str = "invoice",
        reference: str | None = None,
        on: date | None = None,
        settled_on: date | None = None,
    ) -> int:
        """A document, known from the day it is issued, or from `on`; settled already if told so. Its item's id."""
        self._documents += 1
        number = f"{kind[:1].upper()}{self._documents:06d}"
        day = on or issued_on
        # Every fifth invoice was never sent, and every fourth lacks an order number.
        sending: dict[str, Any] = (
            {"invoice_sent_on": issued_on, "invoice_channel": "email"} if self._documents % 5 else {}
        )
        with self.database.session() as session:
            item = Item(
                creditor_id=self.creditor_id,
                debtor_id=account.debtor_id,
                item_type=kind,
                document_no=number,
                issued_on=issued_on,
                currency=self.currency,
                recorded_at=night_before(day),
            )
            session.add(item)
            session.flush()
            assert item.id is not None
            session.add(
                ItemVersion(
                    item_id=item.id,
                    creditor_id=self.creditor_id,
                    debtor_id=account.debtor_id,
                    item_type=kind,
                    document_no=number,
                    currency=self.currency,
                    issued_on=issued_on,
                    due_on=due_on,
                    amount=amount,
                    open_amount=0 if settled_on else amount,
                    settled_on=settled_on,
                    settled_by="payment" if settled_on else None,
                    reference=reference,
                    po_number=number if self._documents % 4 else None,
                    valid_from=day,
                    recorded_at=night_before(day),
                    **(sending if kind == "invoice" else {}),
                )
            )
            return item.id

    def settle(self, item_id: int, on: date, amount: int | None = None, *, by: str = "payment") -> int:
        """Take an amount, or all that is open, off an item; what was taken. Money leaves a payment behind."""
        at = night_before(on)
        with self.database.session() as session:
            version = session.exec(
                select(ItemVersion).where(ItemVersion.item_id == item_id, col(ItemVersion.replaced_at).is_(None))
            ).one()
            taken = min(version.open_amount, amount or version.open_amount)
            if not taken:
                return 0
            left = version.open_amount - taken
            succeed(
                session,
                version,
                on,
                at,
                open_amount=left,
                settled_on=None if left else on,
                settled_by=None if left else by,
                disputed_amount=min(version.disputed_amount, left),
            )
            if by == "payment":
                self._documents += 1
                session.add(
                    Payment(
                        creditor_id=self.creditor_id,
                        debtor_id=version.debtor_id,
                        item_id=item_id,
                        payment_no=f"R{self._documents:06d}",
                        document_no=version.document_no,
                        paid_on=on,
                        currency=self.currency,
                        amount=taken,
                        applied=taken,
                        valid_from=on,
                        recorded_at=at,
                    )
                )
            return taken

    def close_day(self, on: date) -> None:
        """The snapshot of the night: the ledger speaks for this day."""
        with self.database.session() as session:
            session.add(
                Snapshot(
                    creditor_id=self.creditor_id,
                    source="books",
                    kind="full",
                    as_of=on,
                    tables=["debtors", "items"],
                    content_hash=content_hash([self.code, on]),
                    evidence="[]",
                    row_count=self._documents,
                    quarantined_count=0,
                    warning_count=0,
                    balances={},
                    actor="engine",
                    recorded_at=night_before(on),
                )
            )

    def open_of(self, item_id: int) -> int:
        """What is open of an item now."""
        with self.database.session() as session:
            return session.exec(
                select(ItemVersion.open_amount).where(
                    ItemVersion.item_id == item_id, col(ItemVersion.replaced_at).is_(None)
                )
            ).one()


def person(login: str, role: str, limit: int = 0, currency: str = "EUR", deputy: str | None = None) -> Person:
    """Somebody who acts."""
    return Person(
        login=login,
        name=login.title(),
        role=role,
        approval_limit=limit,
        limit_currency=currency,
        deputy=deputy,
        recorded_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
