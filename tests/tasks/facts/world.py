"""A small world of rows, made in memory, put into the tables as it is, and handed to the oracle as it is."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from maatpak.ledger.database import Database
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    AddressState,
    Answer,
    Case,
    ClaimedPayment,
    ContactPerson,
    ContactResult,
    Creditor,
    Debtor,
    DebtorProfile,
    Dispute,
    Evidence,
    Hold,
    Item,
    ItemVersion,
    Message,
    MessageAction,
    Party,
    Payment,
    Placement,
    Plan,
    PolicyPack,
    Preference,
    Promise,
    QuarantinedRow,
    Round,
    RoundCourse,
    RoundItem,
    Snapshot,
    StatedReason,
    Ticket,
    Touch,
    WorkTask,
)

T = TypeVar("T", bound=SQLModel)

ORDER: tuple[type[SQLModel], ...] = (
    *(PolicyPack, Creditor, Snapshot, Party, Debtor, DebtorProfile, ContactPerson, AddressState, Case, Item),
    *(ItemVersion, Payment, Round, RoundCourse, RoundItem, Action, ActionItem, Message, MessageAction, Evidence),
    *(WorkTask, ContactResult, Answer, Touch, Placement, Hold, Promise, Dispute, StatedReason, ClaimedPayment),
    *(Plan, Preference, Ticket, QuarantinedRow),
)

_numbers = itertools.count(1_000)


def morning(day: date) -> datetime:
    """The instant of a day's run."""
    return datetime.combine(day, time(6), UTC)


def night(day: date) -> datetime:
    """When what counts from a day was recorded."""
    return datetime.combine(day, time(0), UTC)


@dataclass
class World:
    """Rows by table. Every row has its id from the start, so that tests and oracle can point at it."""

    as_of: date
    known_at: datetime
    rows: dict[type[SQLModel], list[Any]] = field(default_factory=lambda: {table: [] for table in ORDER})
    first_id: int = 0

    def __post_init__(self) -> None:
        self.first_id = next(_numbers) * 10_000
        self._ids = itertools.count(self.first_id)
        self.pack_id = self.id()
        self.creditor_id = self.creditor()
        self.rows[PolicyPack].append(
            PolicyPack(
                id=self.pack_id,
                name=f"pack{self.pack_id}",
                version=1,
                content_hash=f"hash{self.pack_id}",
                files={},
                note="",
                published_by="test",
                recorded_at=self.long_ago(),
            )
        )

    def id(self) -> int:
        """A number that no other row of any world has."""
        return next(self._ids)

    def long_ago(self) -> datetime:
        """Before everything."""
        return night(self.as_of - timedelta(days=2_000))

    def add(self, row: T) -> T:
        """Keep a row."""
        self.rows[type(row)].append(row)
        return row

    def of(self, table: type[T]) -> list[T]:
        """The rows of a table."""
        return self.rows[table]

    def creditor(self, country: str = "NL") -> int:
        """Another creditor, with a ledger of today."""
        number = self.id()
        self.add(
            Creditor(
                id=number,
                code=f"C{number}",
                name="Creditor",
                country=country,
                language="en",
                currency="EUR",
                time_zone="Europe/Amsterdam",
                recorded_at=self.long_ago(),
            )
        )
        return number

    def snapshot(
        self,
        on: date,
        at: datetime | None = None,
        kind: str = "full",
        creditor_id: int | None = None,
        tables: Sequence[str] = ("debtors", "items"),
    ) -> None:
        """A ledger that came in, or other tables."""
        number = self.id()
        self.add(
            Snapshot(
                id=number,
                creditor_id=creditor_id or self.creditor_id,
                source="file",
                kind=kind,
                as_of=on,
                tables=list(tables),
                content_hash=f"s{number}",
                evidence="[]",
                row_count=1,
                quarantined_count=0,
                warning_count=0,
                balances={},
                actor="test",
                recorded_at=at or night(on),
            )
        )

    def debtor(
        self,
        *,
        creditor_id: int | None = None,
        party_id: int | None = None,
        currencies: Sequence[str] = ("EUR",),
        profile: dict[str, Any] | None = None,
        shard_key: int = 0,
    ) -> Debtor:
        """A debtor with its party, its cases and (unless None is its kind) its master data."""
        if party_id is None:
            party_id = self.id()
            self.add(Party(id=party_id, party_ref=f"P{party_id}", shard_key=shard_key, recorded_at=self.long_ago()))
        else:
            shard_key = next(party.shard_key for party in self.of(Party) if party.id == party_id)
        number = self.id()
        debtor = self.add(
            Debtor(
                id=number,
                creditor_id=creditor_id or self.creditor_id,
                party_id=party_id,
                debtor_no=f"D{number}",
                recorded_at=self.long_ago(),
            )
        )
        for currency in currencies:
            self.add(
                Case(
                    id=self.id(),
                    creditor_id=debtor.creditor_id,
                    debtor_id=number,
                    party_id=party_id,
                    currency=currency,
                    shard_key=shard_key,
                    recorded_at=self.long_ago(),
                )
            )
        self.profile(debtor, **(profile or {}))
        return debtor

    def profile(self, debtor: Debtor, **values: Any) -> DebtorProfile:
        """Master data of a debtor."""
        given = {
            "kind": "business",
            "country": "NL",
            "language": "en",
            "email": f"pay{debtor.id}@example.test",
            "phone": "+31 20 1234567",
            "street": "Dam 1",
            "postal_code": "1012 JS",
            "city": "Amsterdam",
            "valid_from": self.as_of - timedelta(days=900),
            "recorded_at": self.long_ago(),
            "name": "Customer",
            **values,
        }
        return self.add(DebtorProfile(id=self.id(), debtor_id=_id(debtor), creditor_id=debtor.creditor_id, **given))

    def case(self, debtor: Debtor, currency: str = "EUR") -> Case:
        """The debtor's case in a currency."""
        return next(case for case in self.of(Case) if case.debtor_id == debtor.id and case.currency == currency)

    def item(
        self,
        debtor: Debtor,
        due_on: date,
        amount: int = 10_000,
        *,
        item_type: str = "invoice",
        issued_on: date | None = None,
        currency: str = "EUR",
        document_no: str | None = None,
        **version: Any,
    ) -> ItemVersion:
        """An item and its first version, visible from the day it was issued."""
        number = self.id()
        issued = issued_on or due_on - timedelta(days=30)
        document = document_no or f"I{number}"
        self.add(
            Item(
                id=number,
                creditor_id=debtor.creditor_id,
                debtor_id=_id(debtor),
                item_type=item_type,
                document_no=document,
                issued_on=issued,
                currency=currency,
                recorded_at=night(issued),
            )
        )
        given = {
            "valid_from": issued,
            "recorded_at": night(issued),
            "amount": amount,
            "open_amount": amount,
            **version,
        }
        return self.add(
            ItemVersion(
                id=self.id(),
                item_id=number,
                creditor_id=debtor.creditor_id,
                debtor_id=_id(debtor),
                item_type=item_type,
                document_no=document,
                currency=currency,
                issued_on=issued,
                due_on=due_on,
                **given,
            )
        )

    def paid(self, version: ItemVersion, on: date, by: str | None = "payment", **changes: Any) -> ItemVersion:
        """The item's next version: settled on a day."""
        return self.succeed(version, on, open_amount=0, settled_on=on, settled_by=by, **changes)

    def succeed(self, version: T, on: date, at: datetime | None = None, **changes: Any) -> T:
        """The successor of a versioned row, from a day on."""
        instant = at or night(on)
        version.replaced_from, version.replaced_at = on, instant
        values = version.model_dump(exclude={"id", "valid_from", "recorded_at", "replaced_from", "replaced_at"})
        return self.add(type(version)(**{**values, **changes}, id=self.id(), valid_from=on, recorded_at=instant))

    def round(self, case: Case, opened_on: date, items: Iterable[int] = (), **values: Any) -> Round:
        """A round of a case with the items it was opened for."""
        number = 1 + sum(each.case_id == case.id for each in self.of(Round))
        opened = self.add(
            Round(
                id=self.id(),
                case_id=_id(case),
                number=number,
                opened_on=opened_on,
                opened_at=values.pop("opened_at", morning(opened_on)),
                **values,
            )
        )
        self.add(
            RoundCourse(
                id=self.id(),
                round_id=_id(opened),
                segment="forgetful",
                pack_id=self.pack_id,
                cause="opened",
                actor="engine",
                valid_from=opened_on,
                recorded_at=opened.opened_at,
            )
        )
        for item_id in items:
            self.name(opened, item_id, opened_on)
        return opened

    def name(self, opened: Round, item_id: int, on: date) -> None:
        """An item joins a round."""
        self.add(RoundItem(round_id=_id(opened), item_id=item_id, joined_on=on, recorded_at=morning(on)))

    def action(
        self, case: Case, on: date, *, opened: Round | None = None, items: Iterable[int] = (), **values: Any
    ) -> Action:
        """An action proposed on a day, executed the same day unless said otherwise."""
        state = values.get("state", "executed")
        given: dict[str, Any] = {
            "stage": "remind",
            "step": f"step{next(_numbers)}",
            "kind": "message",
            "segment": "forgetful",
            "state": state,
            "amount": 10_000,
            "due_on": on,
            "business_date": on,
            "proposed_at": morning(on),
            "written": values.get("kind", "message") == "message",
            "pack_id": self.pack_id,
        }
        if state == "executed":
            given |= {"executed_on": on, "started_at": morning(on), "ended_at": morning(on)}
        elif state in ("skipped", "cancelled", "rejected", "failed", "unknown"):
            given |= {"ended_at": morning(on), "reason": "condition_false"}
        action = self.add(
            Action(
                id=self.id(),
                creditor_id=case.creditor_id,
                case_id=_id(case),
                round_id=opened.id if opened else None,
                **{**given, **values},
            )
        )
        for item_id in items:
            self.add(ActionItem(action_id=_id(action), item_id=item_id, amount=1))
        return action

    def message(self, action: Action, channel: str = "email", **values: Any) -> Message:
        """A message that an action sent."""
        number = self.id()
        case = next(case for case in self.of(Case) if case.id == action.case_id)
        day = action.executed_on or action.business_date
        given = {
            "state": "sent",
            "sent_on": day,
            "sent_at": morning(day),
            "ended_at": morning(day),
            **values,
        }
        message = self.add(
            Message(
                id=number,
                creditor_id=action.creditor_id,
                debtor_id=case.debtor_id,
                case_id=_id(case),
                channel=channel,
                recipient="somebody",
                language="en",
                template="reminder",
                content_key=f"k{number}",
                message_ref=f"m{number}",
                content="message/x.json",
                business_date=day,
                queued_at=morning(day),
                **given,
            )
        )
        self.add(MessageAction(message_id=number, action_id=_id(action)))
        return message

    def observe(self, message: Message, kind: str, on: date, at: datetime | None = None) -> None:
        """Something observed of a message."""
        self.add(
            Evidence(
                id=self.id(),
                message_id=_id(message),
                kind=kind,
                source="test",
                observed_on=on,
                recorded_at=at or morning(on),
            )
        )

    def call(self, case: Case, on: date, code: str, day_part: str = "morning", **values: Any) -> ContactResult:
        """The result of a call."""
        return self.add(
            ContactResult(
                id=self.id(),
                creditor_id=case.creditor_id,
                case_id=_id(case),
                debtor_id=case.debtor_id,
                code=code,
                day_part=day_part,
                called_on=on,
                actor="test",
                **{"recorded_at": morning(on), **values},
            )
        )

    def record(self, row_type: type[T], on: date, **values: Any) -> T:
        """A versioned record from a day on."""
        numbers = {
            Hold: "hold_no",
            Promise: "promise_no",
            Dispute: "dispute_no",
            ClaimedPayment: "claim_no",
            Plan: "plan_no",
            Answer: "answer_no",
            Placement: "placement_no",
            Ticket: "ticket_no",
        }
        number = self.id()
        if row_type in numbers:
            values.setdefault(numbers[row_type], f"N{number}")
        if "actor" in row_type.model_fields:
            values.setdefault("actor", "test")
        return self.add(row_type(id=number, **{"valid_from": on, "recorded_at": night(on), **values}))

    def save(self, database: Database, *, shuffled_by: Any = None) -> None:
        """Put every row into its table, in any order within a table if asked."""
        with database.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for table in ORDER:
                # The database gives a row its salt.
                rows = [row.model_dump(exclude={"salt"}) for row in self.rows[table]]
                if shuffled_by is not None:
                    shuffled_by.shuffle(rows)
                if rows:
                    connection.execute(insert(table), rows)


def _id(row: Any) -> int:
    assert row.id is not None
    return int(row.id)
