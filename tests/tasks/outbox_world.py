"""A creditor with customers whose actions are under way, ready to be written and sent."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from sqlmodel import Session, SQLModel

from maatpak.kernel.words import Role
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    Case,
    Creditor,
    CreditorPack,
    Debtor,
    DebtorProfile,
    Item,
    ItemVersion,
    Party,
    Person,
    Round,
    RoundCourse,
    RoundItem,
    Snapshot,
)
from policies.pack import standard_pack_files
from tasks.compose import Composed, compose, queue_messages
from tasks.engine import Engine

DAY = date(2026, 3, 11)
"""A Wednesday."""
NOW = datetime(2026, 3, 11, 10, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=6)


@dataclass(frozen=True)
class Account:
    """One customer's rows."""

    debtor_id: int
    party_id: int
    case_id: int
    round_id: int
    action_id: int
    item_ids: tuple[int, ...]


class House:
    """One creditor, and what is put into it."""

    def __init__(self, engine: Engine, code: str = "NL1", **creditor: Any) -> None:
        self.engine = engine
        self.accounts: list[Account] = []
        self.day = DAY
        """On which what is put in from now on is proposed."""
        self.begun = True
        """Whether it is under way; else approved only."""
        (engine.settings.workspace / "link.key").write_text("for tests only")
        with engine.database.session() as session:
            pack = publish_pack(session, "standard", standard_pack_files(), "first", "admin", DAY, EARLIER)
        with engine.database.session() as session:
            given = {
                "code": code,
                "name": "Zuidermeer Techniek B.V.",
                "country": "NL",
                "language": "nl",
                "currency": "EUR",
                "time_zone": "Europe/Amsterdam",
                "iban": "NL91ABNA0417164300",
                "bic": "ABNANL2A",
                "email": "debiteuren@zuidermeer.example",
                "phone": "+31 20 555 0100",
                "street": "Oudegracht 12",
                "postal_code": "3511 AB",
                "city": "Utrecht",
                "payment_url": "https://betalen.zuidermeer.example/",
                "business_date": DAY,
                "recorded_at": EARLIER,
                **creditor,
            }
            self.creditor_id = add(session, Creditor(**given))
            self.pack_id = int(pack.id or 0)
            add(
                session,
                CreditorPack(
                    creditor_id=self.creditor_id,
                    pack_id=self.pack_id,
                    actor="admin",
                    valid_from=DAY - timedelta(days=90),
                    recorded_at=EARLIER,
                ),
            )
            add(
                session,
                Person(
                    login=f"marit{code}",
                    name="Marit de Boer",
                    role=Role.CREDIT_MANAGER,
                    approval_limit=10**9,
                    recorded_at=EARLIER,
                ),
            )
            add(
                session,
                Snapshot(
                    creditor_id=self.creditor_id,
                    source="ledger",
                    kind="full",
                    as_of=DAY,
                    tables=["debtors", "items"],
                    content_hash=f"{code}1",
                    evidence="[]",
                    row_count=1,
                    quarantined_count=0,
                    warning_count=0,
                    balances={"EUR": 1},
                    actor="engine",
                    recorded_at=EARLIER,
                ),
            )

    def customer(
        self,
        step: str = "reminder",
        segment: str = "forgetful",
        amounts: tuple[int, ...] = (125000, 48050),
        currency: str = "EUR",
        account: Account | None = None,
        documents: tuple[str, ...] = (),
        party_id: int | None = None,
        **profile: Any,
    ) -> Account:
        """A customer with open invoices and one action under way; for `account`, another currency of that customer.

        `party_id`: a party that is known already, perhaps to another creditor.
        """
        with self.engine.database.session() as session:
            made = self._customer(session, step, segment, amounts, currency, account, profile, documents, party_id)
        self.accounts.append(made)
        return made

    def customers(self, count: int, **profile: Any) -> None:
        """Many of them."""
        with self.engine.database.session() as session:
            for _ in range(count):
                self.accounts.append(
                    self._customer(session, "reminder", "forgetful", (125000, 48050), "EUR", None, profile)
                )

    def written(self, now: datetime = NOW) -> Composed:
        """Every action's messages, queued."""
        import polars as pl

        with self.engine.database.frames() as frames:
            ids = [account.action_id for account in self.accounts]
            composed = compose(self.engine, frames, pl.DataFrame({"action_id": ids}), DAY, now)
            queue_messages(frames, composed)
        return composed

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query gives."""
        with self.engine.database.frames(read_only=True) as frames:
            return frames.read(query).to_dicts()

    def _customer(
        self,
        session: Session,
        step: str,
        segment: str,
        amounts: tuple[int, ...],
        currency: str,
        account: Account | None,
        profile: dict[str, Any],
        documents: tuple[str, ...] = (),
        party_id: int | None = None,
    ) -> Account:
        number = f"K-{1001 + len(self.accounts)}"
        if account is None:
            if party_id is None:
                party_ref = f"P-{self.creditor_id}-{number}"
                party_id = add(session, Party(party_ref=party_ref, shard_key=len(self.accounts), recorded_at=EARLIER))
            debtor_id = add(
                session,
                Debtor(creditor_id=self.creditor_id, party_id=party_id, debtor_no=number, recorded_at=EARLIER),
            )
            add(session, DebtorProfile(**_profile(debtor_id, self.creditor_id, number, profile)))
        else:
            party_id, debtor_id = account.party_id, account.debtor_id
        case_id = add(
            session,
            Case(
                creditor_id=self.creditor_id,
                debtor_id=debtor_id,
                party_id=party_id,
                currency=currency,
                shard_key=len(self.accounts),
                recorded_at=EARLIER,
            ),
        )
        round_id = add(session, Round(case_id=case_id, number=1, opened_on=DAY, opened_at=EARLIER))
        add(
            session,
            RoundCourse(
                round_id=round_id,
                segment=segment,
                pack_id=self.pack_id,
                cause="opened",
                actor="engine",
                valid_from=DAY,
                recorded_at=EARLIER,
            ),
        )
        items = [
            self._item(session, debtor_id, f"F-{2000 + 10 * len(self.accounts) + at}", amount, currency, document)
            for at, (amount, document) in enumerate(zip_longest(amounts, documents))
        ]
        journey = self.engine.pack(self.pack_id).journeys[segment].steps[step]
        action_id = add(
            session,
            Action(
                creditor_id=self.creditor_id,
                case_id=case_id,
                round_id=round_id,
                stage=journey.stage,
                step=step,
                kind=journey.kind,
                segment=segment,
                pack_id=self.pack_id,
                state="in_progress" if self.begun else "approved",
                channel=journey.channel,
                template=journey.template,
                written=journey.written,
                escalating=journey.escalating,
                approval_role=journey.approval_role,
                amount=sum(amounts),
                overdue_amount=sum(amounts),
                due_on=DAY,
                business_date=self.day,
                proposed_at=EARLIER,
                started_on=self.day if self.begun else None,
                started_at=NOW if self.begun else None,
            ),
        )
        for item_id, amount in zip(items, amounts, strict=True):
            add(session, ActionItem(action_id=action_id, item_id=item_id, amount=amount))
            add(session, RoundItem(round_id=round_id, item_id=item_id, joined_on=DAY, recorded_at=EARLIER))
        return Account(debtor_id, party_id, case_id, round_id, action_id, tuple(items))

    def _item(
        self, session: Session, debtor_id: int, number: str, amount: int, currency: str, document: str | None
    ) -> int:
        issued, due = DAY - timedelta(days=40), DAY - timedelta(days=10)
        identity: dict[str, Any] = {
            "creditor_id": self.creditor_id,
            "debtor_id": debtor_id,
            "item_type": "invoice",
            "document_no": number,
            "issued_on": issued,
            "currency": currency,
        }
        item_id = add(session, Item(**identity, recorded_at=EARLIER))
        add(
            session,
            ItemVersion(
                **identity,
                item_id=item_id,
                due_on=due,
                amount=amount,
                open_amount=amount,
                document_path=document,
                valid_from=issued,
                recorded_at=EARLIER,
            ),
        )
        return item_id


def _profile(debtor_id: int, creditor_id: int, number: str, profile: dict[str, Any]) -> dict[str, Any]:
    return {
        "debtor_id": debtor_id,
        "creditor_id": creditor_id,
        "name": f"Van den Heuvel & Zonen {number}",
        "kind": "business",
        "country": "NL",
        "language": "nl",
        "email": f"{number.lower()}@klant.example",
        "phone": "06 12345678",
        "street": "Keizersgracht 123",
        "postal_code": "1015 CJ",
        "city": "Amsterdam",
        "contact_name": "J. de Vries",
        "preferred_channel": "email",
        "valid_from": DAY - timedelta(days=400),
        "recorded_at": EARLIER,
        **profile,
    }


def add(session: Session, row: SQLModel) -> int:
    """Put a row in; its id, if it has one."""
    session.add(row)
    session.flush()
    return int(getattr(row, "id", 0) or 0)
