"""Worlds that nobody thought of: every kind of row, at dates and instants around the one that is looked at."""

from datetime import date, timedelta
from random import Random
from typing import Any

from maatpak.kernel.words import (
    CallResult,
    EvidenceKind,
    LegalStop,
)
from maatpak.ledger.tables import (
    Case,
    Debtor,
    DebtorProfile,
    Evidence,
    ItemVersion,
    Round,
    RoundCourse,
    Touch,
)
from tests.tasks.facts.random_records import Records
from tests.tasks.facts.world import World, morning

COUNTRIES = ("NL", "BE", "GB", "US")


def random_world(random: Random) -> World:
    """A creditor with a few debtors who lived through much, and a neighbour that shares one of them."""
    return _Lives(random).world


class _Lives(Records):
    def __init__(self, random: Random) -> None:
        super().__init__(random)
        world = self.world
        self.tells_sending = self.chance(0.5)
        carried = (("debtors", "items"), ("items", "payments"), ("payments",), ("contacts", "tickets"))
        for _ in range(random.randrange(5)):
            kind = random.choice(("full", "full", "history", "delta"))
            world.snapshot(self.day(-6, 2), kind=kind, tables=random.choice(carried))
        debtors = [self.debtor() for _ in range(random.randint(2, 4))]
        debtors.append(self.debtor(party_id=debtors[0].party_id))
        neighbour = world.creditor("BE")
        shared = self.debtor(creditor_id=neighbour, party_id=random.choice(debtors).party_id)
        for debtor in (*debtors, shared):
            self.life(debtor)

    def debtor(self, **given: Any) -> Debtor:
        random, world = self.random, self.world
        currencies = ("EUR", "GBP") if self.chance(0.3) else ("EUR",)
        debtor = world.debtor(currencies=currencies, profile=self.master(), shard_key=random.randrange(32_768), **given)
        (profile,) = [each for each in world.of(DebtorProfile) if each.debtor_id == debtor.id]
        others = [each for each in world.of(Debtor) if each.id != debtor.id and each.creditor_id == debtor.creditor_id]
        if others and self.chance(0.5):
            profile.parent_no = random.choice(others).debtor_no
            parent = next(d for d in others if d.debtor_no == profile.parent_no)
            above = next(p for p in world.of(DebtorProfile) if p.debtor_id == parent.id and p.replaced_at is None)
            if above.parent_no == debtor.debtor_no:
                profile.parent_no = None
        if others and self.chance(0.4):
            profile.payer_no = random.choice(others).debtor_no
        if self.chance(0.3):
            world.succeed(profile, (day := self.day(-20, 5)), self.known(day), key_account=not profile.key_account)
        elif profile.payer_no is not None and self.chance(0.3):
            # Another account pays from some day on, or none any more.
            world.succeed(profile, (day := self.day(-20, 5)), self.known(day), payer_no=self.other_payer(others))
        if self.chance(0.1):
            profile.valid_from = self.day(1, 3)
        return debtor

    def other_payer(self, others: list[Debtor]) -> str | None:
        return self.random.choice((None, self.random.choice(others).debtor_no))

    def written_to(self, case: Case) -> int | None:
        """The party of the account that paid when something was sent: that of today, or of another day."""
        known = [d for d in self.world.of(Debtor) if d.creditor_id == case.creditor_id and d.id != case.debtor_id]
        profiles = [p for p in self.world.of(DebtorProfile) if p.debtor_id == case.debtor_id]
        numbers = [p.payer_no for p in profiles if p.payer_no is not None]
        paying = [d.party_id for d in known if d.debtor_no in numbers]
        return self.random.choice((*paying, None))

    def master(self) -> dict[str, Any]:
        random = self.random
        values: dict[str, Any] = {
            "kind": random.choice(("business", "consumer", "public")),
            "country": random.choice(COUNTRIES),
            "language": random.choice(("nl", "en")),
            "key_account": self.chance(0.2),
            "preferred_channel": random.choice(("email", "post", "sms")),
            "risk_class": random.choice(("A", "E", "none")),
            "legal_stop": self.words(LegalStop) if self.chance(0.1) else "none",
        }
        for name in ("email", "phone", "street", "postal_code"):
            if self.chance(0.25):
                values[name] = None
        if self.chance(0.5):
            values["customer_since"] = self.day(-3000, -1)
        if self.chance(0.5):
            values["credit_limit"] = random.choice((0, 5_000, 100_000))
        if self.chance(0.3):
            values["revenue_12m"] = random.randrange(1_000_000)
        if self.chance(0.3):
            values["hardship_until"] = self.day(-10, 10)
        return values

    def life(self, debtor: Debtor) -> None:
        random, world = self.random, self.world
        for case in [each for each in world.of(Case) if each.debtor_id == debtor.id]:
            versions = [self.item(debtor, case.currency, old=self.chance(0.5)) for _ in range(random.randrange(10))]
            if self.chance(0.4):
                self.regular_payer(debtor, case.currency)
            self.journey(case, versions)
            self.records(case, versions)
        self.wishes(debtor)

    def item(self, debtor: Debtor, currency: str, *, old: bool) -> ItemVersion:
        random, world = self.random, self.world
        due_on = self.day(-900, -20) if old else self.day(-90, 30)
        amount = random.choice((100, 2_500, 5_000, 10_000, 77_777))
        kind = random.choices(("invoice", "debit_note", "credit_note", "payment"), (10, 2, 2, 1))[0]
        values: dict[str, Any] = {}
        if kind in ("credit_note", "payment") and self.chance(0.6):
            same = [v for v in world.of(ItemVersion) if v.debtor_id == debtor.id and v.currency == currency]
            values["reference"] = random.choice(same).document_no if same else "nowhere"
        if self.chance(0.15):
            values |= {"disputed_amount": random.choice((amount, amount // 2)), "dispute_outcome": self.outcome()}
            values["disputed_on"] = self.day(-40, 3) if self.chance(0.7) else None
        if self.chance(0.15):
            values |= {"collect_on": self.day(-15, 10), "payment_method": random.choice(("sepa", "SEPA-B2B", None))}
            if self.chance(0.5):
                values |= {
                    "returned_on": self.day(-45, 3),
                    "return_code": random.choice(("AM04", "MD01", "MD06", "XX99")),
                }
        issued_on = due_on - timedelta(days=random.choice((0, 14, 30)))
        if self.tells_sending and kind == "invoice" and self.chance(0.7):
            values |= {"invoice_sent_on": self.day(-40, 3) if self.chance(0.8) else None}
            values |= {"approved_on": self.day(-20, 3) if self.chance(0.2) else None}
            values |= {"invoice_channel": random.choice(("email", "E-mail", "post", "portal", "edi", None))}
        version = world.item(debtor, due_on, amount, item_type=kind, currency=currency, issued_on=issued_on, **values)
        if self.chance(0.2):
            day = issued_on + timedelta(days=random.randint(1, 60))
            version = world.succeed(version, day, self.known(day), open_amount=amount - amount // 3)
        if self.chance(0.9 if old else 0.2):
            self.settle(version, max(due_on + timedelta(days=random.randint(-14, 40)), version.valid_from))
        return version

    def outcome(self) -> str | None:
        return self.random.choice((None, "open", "rejected", "withdrawn", "accepted"))

    def settle(self, version: ItemVersion, day: date) -> None:
        by = self.random.choice(
            ("payment", "payment", "payment", "debit", None, "credit_note", "write_off", "left_ledger")
        )
        changes: dict[str, Any] = {}
        if by == "left_ledger":
            changes = {"settled_estimated": True, "left_after": day - timedelta(days=self.random.choice((1, 4, 9)))}
        if self.chance(0.05):
            changes["disputed_amount"] = version.amount
        # Now and then the ledger tells of a settlement that is still to come, or forgets its date.
        told_on = day - timedelta(days=self.random.choice((0, 0, 0, 5)))
        settled_on = None if self.chance(0.03) else day
        self.world.succeed(
            version,
            max(told_on, version.valid_from),
            max(self.known(max(told_on, version.valid_from)), version.recorded_at),
            **{"open_amount": 0, "settled_on": settled_on, "settled_by": by, **changes},
        )

    def regular_payer(self, debtor: Debtor, currency: str) -> None:
        """Pays on one weekday or day of the month, mostly."""
        by_week = self.chance(0.5)
        for number in range(self.random.randint(3, 9)):
            month = self.world.as_of - timedelta(days=30 * number + 3)
            day = month - timedelta(days=(month.weekday() - 3) % 7) if by_week else month.replace(day=15)
            if self.chance(0.2):
                day -= timedelta(days=self.random.randint(1, 5))
            self.world.paid(self.world.item(debtor, day - timedelta(days=5), 4_000, currency=currency), day)

    def journey(self, case: Case, versions: list[ItemVersion]) -> None:
        random, world = self.random, self.world
        if self.chance(0.3):
            past = world.round(case, self.day(-500, -100))
            past.closed_on = past.opened_on + timedelta(days=random.randrange(120))
            past.closed_at = morning(past.closed_on) + timedelta(days=random.choice((0, 0, 20)))
            world.action(case, past.opened_on, opened=past)
        opened = None
        last = max((r.closed_on for r in world.of(Round) if r.case_id == case.id and r.closed_on), default=None)
        if self.chance(0.75):
            day = self.day(-45, 1)
            day = max(day, last + timedelta(days=21)) if last else day
            opened = world.round(case, day)
            if self.chance(0.2):
                opened.opened_at += timedelta(days=1)
            if self.chance(0.2):
                course = world.of(RoundCourse)[-1]
                moved = self.day(-20, 2)
                changes = {"cause": "hardship", "segment": "strained", "entered_on": moved}
                world.succeed(course, moved, self.known(moved), **changes, by_hand=self.chance(0.3))
        for version in {v.item_id: v for v in versions}.values():
            if opened and version.item_type in ("invoice", "debit_note") and self.chance(0.6):
                world.name(opened, version.item_id, opened.opened_on + timedelta(days=random.choice((0, 0, 7))))
        items = [v.item_id for v in versions if v.item_type in ("invoice", "debit_note")]
        for _ in range(random.randrange(7)):
            self.step(case, opened if self.chance(0.8) else None, items)
        for _ in range(random.randrange(5)):
            day = self.day(-40, 1)
            code = self.words(CallResult) if self.chance(0.5) else random.choice(("no_answer", "voicemail"))
            agreed = day + timedelta(days=3) if code == "callback_agreed" else None
            part = random.choice(("morning", "afternoon"))
            rung = self.written_to(case)
            world.call(case, day, code, part, callback_on=agreed, recorded_at=self.known(day), payer_party_id=rung)
        for _ in range(random.choice((0, 0, 1, 3, 16))):
            rating = random.choice((1, 1, 1, 0, -1, -6))
            self.touch(case, self.day(-500, 1), rating)
        if self.chance(0.1):
            self.touch(case, self.day(-600, 1), -12, wrongful=True)

    def touch(self, case: Case, day: date, rating: int, *, wrongful: bool = False) -> None:
        self.world.add(
            Touch(
                id=self.world.id(),
                creditor_id=case.creditor_id,
                party_id=case.party_id,
                kind=self.random.choice(("reminder", "manager_letter")),
                rating=rating,
                wrongful=wrongful,
                touched_on=day,
                recorded_at=self.known(day),
            )
        )

    def step(self, case: Case, opened: Round | None, items: list[int]) -> None:
        random, world = self.random, self.world
        day = self.day(-45, 0)
        if opened:
            day = max(day, opened.opened_on, opened.opened_at.date())
        kind = random.choice(("message", "message", "message", "call", "consult", "plan_offer", "review"))
        state = random.choice(("executed",) * 6 + ("skipped", "cancelled", "rejected", "failed", "unknown", "open"))
        values = {"kind": kind, "state": state, **self.letter(case, kind)}
        if state == "open":
            values["state"] = random.choice(("proposed", "awaiting_approval", "approved", "in_progress"))
            values["approvals_needed"] = int(values["state"] != "proposed")
            if values["state"] in ("approved", "in_progress"):
                values |= {"approved_on": day, "approved_at": morning(day)}
            if values["state"] == "in_progress":
                values |= {"started_on": day, "started_at": morning(day)}
        if state == "executed":
            done = day + timedelta(days=random.choice((0, 0, 0, 1, 4)))
            late = morning(done) + timedelta(hours=random.choice((0, 0, 30)))
            values |= {"executed_on": done, "started_at": morning(day), "ended_at": late}
            values["approvals_needed"] = random.choice((0, 1))
            if kind == "consult":
                values["result"] = random.choice(("agree", "no", "not_heard"))
            if kind == "call":
                values["result"] = random.choice(("tried", "waived", "promised"))
        if state == "rejected":
            values |= {"retry_on": day + timedelta(days=5), "retry_step": "other"}
        if state == "cancelled" and kind == "consult":
            values["result"] = "i_talk"
        named = [item for item in dict.fromkeys(items) if self.chance(0.6)]
        action = world.action(case, day, opened=opened, items=named, **values)
        if kind in ("message", "plan_offer") and action.executed_on:
            for channel in random.choice((("email",), ("post",), ("email", "post"), ("sms",))):
                self.message(action, channel)

    def letter(self, case: Case, kind: str) -> dict[str, Any]:
        """What an action says of itself as a letter."""
        values: dict[str, Any] = {"written": kind == "plan_offer" or (kind == "message" and not self.chance(0.1))}
        if values["written"]:
            values["payer_party_id"] = self.written_to(case)
        if kind == "message" and self.chance(0.2):
            values["template"] = "invoice_copy"
        if kind == "message" and values["written"] and self.chance(0.3):
            values |= {"escalating": True, "approval_role": "credit_manager"}
        return values

    def message(self, action: Any, channel: str) -> None:
        random, world = self.random, self.world
        if self.chance(0.1):
            state = random.choice(("queued", "failed", "unknown"))
            world.message(action, channel, state=state, sent_on=None, sent_at=None, failure="x")
            return
        term = action.executed_on + timedelta(days=random.randrange(12)) if self.chance(0.5) else None
        message = world.message(action, channel, reply_by=term)
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            kind = self.words(EvidenceKind)
            known = {(e.message_id, e.kind) for e in world.of(Evidence)}
            if (message.id, kind) not in known:
                day = (message.sent_on or world.as_of) + timedelta(days=random.randrange(12))
                world.observe(message, kind, day, self.known(day))
