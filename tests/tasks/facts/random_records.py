"""What people might have recorded and customers asked for, at dates and instants around the one that is looked at."""

from datetime import date, timedelta
from random import Random
from typing import Any

from maatpak.kernel.words import (
    DisputeState,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    PlanState,
    PromiseState,
    ReachState,
)
from maatpak.ledger.tables import (
    AddressState,
    Answer,
    Case,
    ClaimedPayment,
    ContactPerson,
    Debtor,
    Dispute,
    Hold,
    ItemVersion,
    Payment,
    Placement,
    Plan,
    Preference,
    Promise,
    QuarantinedRow,
    StatedReason,
    Ticket,
    WorkTask,
)
from tests.tasks.facts.world import World, morning, night


class Dice:
    """Chances around the day that is looked at."""

    def __init__(self, random: Random) -> None:
        self.random = random
        as_of = date(2026, 1, 5) + timedelta(days=random.randrange(340))
        self.world = World(as_of, morning(as_of) + timedelta(hours=random.choice((0, 0, 5))))

    def day(self, first: int, last: int) -> date:
        return self.world.as_of + timedelta(days=self.random.randint(first, last))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def known(self, day: date) -> Any:
        """When something of a day was recorded: mostly then, sometimes days later."""
        return night(day) if self.chance(0.85) else night(day) + timedelta(days=self.random.randint(1, 20))

    def words(self, words: Any) -> str:
        return str(self.random.choice(list(words)))


class Records(Dice):
    """Agreements, wishes, and work of a random world."""

    def records(self, case: Case, versions: list[ItemVersion]) -> None:
        random, world = self.random, self.world
        debts = list({v.item_id: v for v in versions if v.item_type in ("invoice", "debit_note")}.values())

        def some() -> dict[str, int]:
            chosen = [v for v in debts if self.chance(0.5)]
            return {str(v.item_id): random.choice((v.amount, v.amount // 2, 1_000)) for v in chosen}

        def record(table: Any, share: float, **values: Any) -> Any:
            if not self.chance(share):
                return None
            day = self.day(-40, 1)
            row = world.record(table, day, **values)
            row.recorded_at = self.known(day)
            return row

        scope = random.choice(("party", "debtor", "case", "item") if debts else ("party", "debtor", "case"))
        for _ in range(2):
            record(
                Hold,
                0.2,
                scope=scope,
                debtor_id=case.debtor_id,
                party_id=case.party_id if scope == "party" else None,
                case_id=case.id if scope in ("case", "item") else None,
                item_id=random.choice(debts).item_id if scope == "item" else None,
                reason=random.choice([str(r) for r in HoldReason if r != "none"]),
                source=self.words(LegalStop) if self.chance(0.5) else "person",
                from_on=self.day(-20, 2),
                until_on=self.day(2, 20) if self.chance(0.7) else self.day(2, 2),
                state=random.choice(("active", "active", "lifted")),
                note="",
            )
        for _ in range(2):
            items = some() if self.chance(0.5) else None
            record(
                Promise,
                0.2,
                case_id=case.id,
                amount=sum(items.values()) if items else random.choice((3_000, 20_000)),
                received=random.choice((0, 0, 500)) if not items or sum(items.values()) > 500 else 0,
                items=items or None,
                made_on=self.day(-20, 0),
                promised_on=self.day(-5, 10),
                source="call",
                state=self.words(PromiseState),
            )
            if debts:
                part = random.choice(debts)
                state = self.words(DisputeState)
                record(
                    Dispute,
                    0.2,
                    case_id=case.id,
                    item_id=part.item_id,
                    amount=random.choice((1_000, part.amount)),
                    accepted_amount=500 if state == "part_accepted" else 0,
                    reason="price",
                    owner="sales",
                    opened_on=self.day(-30, 2),
                    answer_by=self.day(1, 9),
                    decided_on=None if state == "open" else self.day(-12, 0),
                    state=state,
                    source="call",
                )
                claimed = some()
                record(
                    ClaimedPayment,
                    0.15,
                    case_id=case.id,
                    amount=sum(claimed.values()) or 4_000,
                    items=claimed or None,
                    claimed_on=self.day(-6, 1),
                    until_on=self.day(-1, 6),
                    state=random.choice(("open", "open", "found")),
                )
            record(
                StatedReason,
                0.3,
                case_id=case.id,
                reason=random.choice([str(r) for r in NonPaymentReason if r != "none"] + ["pay_run"] * 6),
                stated_on=self.day(-100, 2),
                source="call",
            )
        planned = some()
        if planned:
            state = random.choice([str(s) for s in PlanState if s != "none"])
            record(
                Plan,
                0.3,
                case_id=case.id,
                total=sum(planned.values()),
                items=planned,
                instalments=[
                    {"due_on": self.day(-10, 40).isoformat(), "amount": 1_000} for _ in range(random.randint(1, 3))
                ],
                offered_on=self.day(-30, 1),
                valid_until=self.day(-2, 14),
                accepted_on=self.day(-25, 1) if state in ("active", "finished", "breached") else None,
                breached_on=self.day(-500, 0) if state == "breached" else None,
                state=state,
                source="call",
            )
            record(
                Placement,
                0.1,
                creditor_id=case.creditor_id,
                case_id=case.id,
                action_id=1,
                agency="agency",
                state=random.choice(("placed", "recalled")),
                amount=1,
                items=planned,
                dossier="x",
                cause="test",
            )
        for _ in range(2):
            record(
                Answer,
                0.2,
                creditor_id=case.creditor_id,
                debtor_id=case.debtor_id,
                case_id=case.id if self.chance(0.6) else None,
                channel="email",
                received_on=self.day(-20, 2),
                read_on=self.day(-5, 3) if self.chance(0.6) else None,
            )
        if debts and self.chance(0.5):
            for _ in range(random.randrange(4)):
                self.payment(case, random.choice(debts))

    def payment(self, case: Case, version: ItemVersion) -> None:
        day = self.day(-250, 2)
        applied = self.random.choice((100, version.amount // 2, version.amount))
        number = self.world.id()
        self.world.add(
            Payment(
                id=number,
                creditor_id=case.creditor_id,
                debtor_id=case.debtor_id,
                item_id=version.item_id if self.chance(0.8) else None,
                payment_no=f"P{number}",
                paid_on=day,
                currency=case.currency,
                amount=applied,
                applied=applied,
                valid_from=day + timedelta(days=self.random.choice((0, 0, 4))),
                recorded_at=self.known(day),
            )
        )

    def wishes(self, debtor: Debtor) -> None:
        random, world = self.random, self.world
        values = {
            "pay_run": ("friday", "15,30", "31"),
            "cut_off": ("0", "5", "20"),
            "language": ("fr",),
            "channel": ("sms", "post"),
            "statement_day": ("3", "28"),
            "contact_role": ("decision_maker",),
            "portal": ("x",),
        }
        for name, choices in values.items():
            if self.chance(0.25):
                day = self.day(-40, 1)
                world.record(Preference, day, debtor_id=debtor.id, name=name, value=random.choice(choices), source="x")
        for role in ("payables", "decision_maker"):
            if self.chance(0.3):
                world.record(
                    ContactPerson,
                    self.day(-40, 1),
                    debtor_id=debtor.id,
                    name=random.choice(("Ann", "Bob")),
                    role=role,
                    email=f"{role}{debtor.id}@example.test" if self.chance(0.6) else None,
                    phone="+31-20-7654321" if self.chance(0.5) else None,
                    language=random.choice((None, "de")),
                )
        places = {
            "email": [f"PAY{debtor.id}@example.test", f"payables{debtor.id}@example.test"],
            "phone": ["+31201234567", "+31 20 7654321"],
            "post": ["Dam 1, 1012 JS Amsterdam", "Elsewhere 3, 1000 AA Utrecht"],
        }
        for channel, addresses in places.items():
            for address in addresses:
                if self.chance(0.2):
                    state = self.words(ReachState)
                    world.record(
                        AddressState,
                        self.day(-30, 1),
                        debtor_id=debtor.id,
                        channel=channel,
                        address=address,
                        state=state,
                        cause="test",
                    )
        for _ in range(random.choice((0, 0, 1, 2))):
            day = self.day(-30, 1)
            closed = self.day(-10, 3) if self.chance(0.5) else None
            world.record(Ticket, day, debtor_id=debtor.id, kind="complaint", opened_on=day, closed_on=closed)
        for _ in range(random.choice((0, 0, 1))):
            self.work(debtor)
            self.quarantined(debtor)

    def work(self, debtor: Debtor) -> None:
        world, day = self.world, self.day(-30, 1)
        done = self.day(-5, 3) if self.chance(0.5) else None
        cases = [case.id for case in world.of(Case) if case.debtor_id == debtor.id]
        disputes = [dispute.dispute_no for dispute in world.of(Dispute) if dispute.case_id in cases]
        world.add(
            WorkTask(
                id=world.id(),
                creditor_id=debtor.creditor_id,
                debtor_id=debtor.id or 0,
                case_id=self.random.choice((None, *cases)),
                kind=self.random.choice(("department", "reply")),
                subject="test",
                record_no=self.random.choice(("C1", *disputes)),
                role="operator",
                opened_on=day,
                due_on=day,
                blocks=self.chance(0.8),
                state="done" if done else "open",
                outcome="done" if done else None,
                done_on=done,
                done_at=morning(done) if done else None,
                recorded_at=self.known(day),
            )
        )

    def quarantined(self, debtor: Debtor) -> None:
        world, day = self.world, self.day(-30, 1)
        done = self.day(-5, 3) if self.chance(0.5) else None
        world.add(
            QuarantinedRow(
                id=world.id(),
                snapshot_id=1,
                creditor_id=debtor.creditor_id,
                debtor_no=debtor.debtor_no,
                file="x",
                row_no=1,
                table_name="items",
                raw={},
                rules="x",
                state="released" if done else "open",
                resolved_on=done,
                resolved_at=morning(done) if done else None,
                business_date=day,
                recorded_at=self.known(day),
            )
        )
