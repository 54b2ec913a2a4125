"""How a customer paid: rule 12."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from maatpak.ledger.tables import (
    Dispute,
    ItemVersion,
    Payment,
    Preference,
)
from tests.tasks.facts.calendar_oracle import add, bank_day, between
from tests.tasks.facts.oracle.notices import Notices
from tests.tasks.facts.oracle.owing import DEBT
from tests.tasks.facts.oracle.view import Row, quantile

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


class Past(Notices):
    """The payment history of a case."""

    def counted(self) -> list[ItemVersion]:
        disputes = [d for d in self.mine(self.oracle.seen(Dispute)) if d.opened_on <= self.as_of]
        objected = {d.item_id for d in disputes if d.state != "rejected"}
        found = []
        for v in self.settled:
            if v.item_type not in DEBT or v.settled_by in ("credit_note", "write_off", "transfer"):
                continue
            shown = v.disputed_on is None or v.disputed_on <= self.as_of
            if (v.disputed_amount and v.dispute_outcome != "rejected" and shown) or v.item_id in objected:
                continue
            if v.left_after and v.settled_on and between(v.left_after, v.settled_on, self.country) > 3:
                continue
            found.append(v)
        return found

    def recent(self, months: int) -> list[ItemVersion]:
        return [v for v in self.counted() if v.settled_on and v.settled_on > self.oracle.ago(months)]

    def delays(self, months: int) -> list[int]:
        return [(v.settled_on - v.due_on).days for v in self.recent(months) if v.settled_on]

    def is_late(self, v: ItemVersion) -> bool:
        return v.settled_on is not None and between(bank_day(v.due_on), v.settled_on, self.country) > 3

    def share(self, months: int) -> float:
        items = self.recent(months)
        return sum(map(self.is_late, items)) / len(items) if items else 0.0

    def late_days(self, after: int, until: int) -> list[int]:
        window = [
            v
            for v in self.counted()
            if v.settled_on and self.as_of - timedelta(days=after) < v.settled_on <= self.as_of - timedelta(days=until)
        ]
        return [max((v.settled_on - v.due_on).days, 0) for v in window if v.settled_on]

    def history_facts(self) -> Row:
        year = self.recent(12)
        weight = sum(v.amount for v in year)
        weighted = sum(v.amount * (v.settled_on - v.due_on).days for v in year if v.settled_on)
        delays = sorted(self.delays(12))
        new, old = self.late_days(90, 0), self.late_days(365, 90)
        trend = Fraction(sum(new), len(new)) - Fraction(sum(old), len(old)) if new and old else Fraction(0)
        money = [v.settled_on for v in self.settled if v.settled_on and self.is_paid(v)]
        money += [v.issued_on for v in self.credits if v.item_type == "payment" and v.issued_on <= self.as_of]
        money += [p.paid_on for p in (*self.payments(), *self.part_payments())]
        returns = [d for v in self.items.values() if (d := self.returned(v)) and self.return_cause(v) == "funds"]
        return {
            "settled_items_24m": len(self.counted()),
            "share_paid_late_12m": self.share(12),
            "share_paid_late_6m": self.share(6),
            "mean_delay_days": weighted / weight if weight else 0.0,
            "median_delay_days": float(quantile(delays, Fraction(1, 2))),
            "delay_spread_days": float(quantile(delays, Fraction(3, 4)) - quantile(delays, Fraction(1, 4))),
            "delay_trend_days": float(trend),
            "days_since_payment": (self.as_of - max(money)).days if money else None,
            "part_payments_6m": len(self.part_payments()),
            "debit_returns_6m": len(returns),
            "late_before": any(map(self.is_late, self.counted())),
            "next_pay_run_on": self.next_run(self.as_of),
            "driver_pay_run_on": self.next_run(self.payable_from(self.driver)) if self.driver else None,
        }

    def is_paid(self, v: ItemVersion) -> bool:
        return v.settled_by in (None, "payment", "debit", "left_ledger")

    def returned(self, v: ItemVersion) -> date | None:
        shown = v in self.debts or v in self.settled or v in self.undated
        ok = shown and v.returned_on is not None and self.oracle.ago(6) < v.returned_on <= self.as_of
        return v.returned_on if ok else None

    def return_cause(self, v: ItemVersion) -> str:
        causes = {"AM04": "funds", "insufficient_funds": "funds", "MD01": "mandate", "AC04": "account"}
        return {**causes, "MD06": "refused"}.get(v.return_code or "", "other")

    def answered_returns(self) -> list[tuple[date, int, str]]:
        """(day, item, cause) of the debits that came back and that the open round, or a new one, answers; in order."""
        found = []
        closed = max((r.closed_on for r in self.rounds if self.is_closed(r) and r.closed_on), default=None)
        for v in self.items.values():
            day = self.returned(v)
            if day is None:
                continue
            own = v.item_id in self.named if self.round else self.asked.get(v.item_id, 0) > 0
            if self.in_round(day) or (own and (closed is None or day > closed)):
                found.append((day, v.item_id, self.return_cause(v)))
        return sorted(found)

    def payments(self) -> list[Payment]:
        return [
            p
            for p in self.oracle.recorded(Payment, "paid_on")
            if p.debtor_id == self.row.debtor_id and p.currency == self.row.currency and p.valid_from <= self.as_of
        ]

    def part_payments(self) -> list[Payment]:
        found = []
        for payment in [*self.payments(), *self.seen_in_open_amounts()]:
            version = self.items.get(payment.item_id or 0)
            if version is None or payment.paid_on <= self.oracle.ago(6) or payment.applied >= version.amount:
                continue
            still_open = version in self.debts
            if still_open or (version in self.settled and version.settled_on and version.settled_on > payment.paid_on):
                found.append(payment)
        return found

    def states(self, item_id: int) -> list[ItemVersion]:
        """What the ledger said of an item, day after day, as far as it stood for a day at least."""
        known = [
            v
            for v in self.oracle.world.of(ItemVersion)
            if v.item_id == item_id and v.valid_from <= self.as_of and v.recorded_at <= self.oracle.known_at
        ]
        stood = [
            v
            for v in known
            if not (
                v.replaced_at
                and v.replaced_at <= self.oracle.known_at
                and v.replaced_from
                and v.replaced_from <= v.valid_from
            )
        ]
        return sorted(stood, key=lambda v: (v.valid_from, v.id))

    def seen_in_open_amounts(self) -> list[Payment]:
        """Falls of open amounts that nothing else explains, as payments."""
        oracle, found = self.oracle, []
        granted = {d.item_id for d in oracle.seen(Dispute) if d.state in ("accepted", "part_accepted")}
        told = {p.item_id for p in self.payments()}
        used: dict[date, int] = {}
        for item_id in [v.item_id for v in self.items.values() if v.item_type == "credit_note"]:
            before = None
            for now in self.states(item_id):
                left = now.amount if before is None else before.open_amount
                used[now.valid_from] = used.get(now.valid_from, 0) + left - now.open_amount
                before = now
        for item_id, current in self.items.items():
            if current.item_type not in DEBT or item_id in granted or item_id in told:
                continue
            states = self.states(item_id)
            for before, now in pairwise(states):
                fell = before.open_amount - now.open_amount - max(used.get(now.valid_from, 0), 0)
                ours = now.disputed_amount < before.disputed_amount or now.dispute_outcome == "accepted"
                part = now.open_amount > 0 and now.amount == before.amount
                if fell > 0 and part and not ours:
                    row: Row = {"creditor_id": self.row.creditor_id, "item_id": item_id, "payment_no": "seen"}
                    row |= {"paid_on": now.valid_from, "valid_from": now.valid_from, "recorded_at": now.recorded_at}
                    found.append(Payment(**row, currency=now.currency, amount=fell, applied=fell))
        return found

    def rhythm(self) -> str | None:
        for wish in self.of_debtor(self.oracle.seen(Preference)):
            if wish.name == "pay_run":
                return str(wish.value)
        days = {v.settled_on for v in self.recent(12) if v.settled_on}
        if len(days) < 4:
            return None
        for weekday in range(5):
            if sum(day.weekday() == weekday for day in days) * 10 >= 7 * len(days):
                return WEEKDAYS[weekday]
        for number in range(1, 32):
            if sum(day.day == number for day in days) * 10 >= 7 * len(days):
                return str(number)
        return None

    def payable_from(self, driver: ItemVersion) -> date:
        """D, or later: so many working days after its issue, if the customer closes its runs so long before."""
        cuts = [wish.value for wish in self.of_debtor(self.oracle.seen(Preference)) if wish.name == "cut_off"]
        return max([bank_day(driver.due_on), *(add(driver.issued_on, int(cut), self.country) for cut in cuts)])

    def next_run(self, start: date) -> date | None:
        rule = self.rhythm()
        if rule is None:
            return None
        day = start
        while not self.is_run(day, rule):
            day += timedelta(days=1)
        return add(day, 0, self.country)

    def is_run(self, day: date, rule: str) -> bool:
        if rule in WEEKDAYS:
            return WEEKDAYS.index(rule) == day.weekday()
        last = (day + timedelta(days=1)).day == 1
        return any(day.day == int(n) or (last and int(n) > day.day) for n in rule.split(","))
