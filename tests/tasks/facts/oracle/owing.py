"""What is open of a case and what may be asked of it, cent by cent (rule 5)."""

from datetime import date
from typing import Any

from maatpak.ledger.tables import (
    Case,
    ClaimedPayment,
    Debtor,
    DebtorProfile,
    Dispute,
    Hold,
    ItemVersion,
    Placement,
    Plan,
    Promise,
    Round,
    RoundItem,
)
from tests.tasks.facts.calendar_oracle import add, bank_day
from tests.tasks.facts.oracle.view import View, add_up

DEBT = ("invoice", "debit_note")


class Owing:
    """One case: what is open of it, and what may be asked, item by item."""

    def __init__(self, oracle: View, case: Case) -> None:
        self.oracle, self.row, self.as_of = oracle, case, oracle.as_of
        self.debtor = next(each for each in oracle.world.of(Debtor) if each.id == case.debtor_id)
        profiles = [each for each in oracle.seen(DebtorProfile) if each.debtor_id == case.debtor_id]
        self.profile = profiles[0] if profiles else None
        self.country = self.profile.country if self.profile else oracle.creditor.country
        mine = [v for v in oracle.versions if v.debtor_id == case.debtor_id and v.currency == case.currency]
        # A settlement dated later does not exist yet (rule 14): the item is open with its whole amount.
        self.open = {v.item_id: v.amount if self.settles_later(v) else v.open_amount for v in mine}
        self.items = {v.item_id: v for v in mine}
        self.debts = sorted(
            (v for v in mine if v.item_type in DEBT and self.open[v.item_id] > 0), key=lambda v: (v.due_on, v.item_id)
        )
        self.credits = [v for v in mine if v.item_type not in DEBT and self.open[v.item_id] > 0]
        self.settled = [
            v
            for v in mine
            if self.open[v.item_id] == 0 and v.settled_on and oracle.ago(24) < v.settled_on <= self.as_of
        ]
        self.undated = [v for v in mine if self.open[v.item_id] == 0 and not v.settled_on]
        rounds = [
            r
            for r in oracle.world.of(Round)
            if r.case_id == case.id and r.opened_on <= self.as_of and r.opened_at <= oracle.known_at
        ]
        self.rounds = sorted(rounds, key=lambda r: r.number)
        running = [r for r in rounds if not self.is_closed(r)]
        self.round = running[0] if running else None
        self.named = {
            each.item_id: each.joined_on
            for each in oracle.recorded(RoundItem, "joined_on")
            if self.round and each.round_id == self.round.id
        }
        self.divide()

    def settles_later(self, version: ItemVersion) -> bool:
        return version.settled_on is not None and version.settled_on > self.as_of

    def is_closed(self, each: Round) -> bool:
        return (
            each.closed_on is not None
            and each.closed_on <= self.as_of
            and each.closed_at is not None
            and each.closed_at <= self.oracle.known_at
        )

    def has_row(self) -> bool:
        return bool(self.debts or self.credits or self.round or self.settled)

    def mine(self, rows: list[Any]) -> list[Any]:
        return [row for row in rows if row.case_id == self.row.id]

    def of_debtor(self, rows: list[Any]) -> list[Any]:
        return [row for row in rows if row.debtor_id == self.row.debtor_id]

    def in_round(self, day: date | None) -> bool:
        return day is not None and self.round is not None and self.round.opened_on <= day <= self.as_of

    def is_overdue(self, version: ItemVersion) -> bool:
        return bank_day(version.due_on) < self.as_of

    def divide(self) -> None:
        oracle = self.oracle
        free = {v.item_id: self.open[v.item_id] for v in self.debts}
        credited = dict.fromkeys(free, 0)
        pool = 0
        for kind in ("credit_note", "payment"):
            for credit in sorted(self.credits, key=lambda v: v.item_id):
                if credit.item_type != kind:
                    continue
                left = self.open[credit.item_id]
                target = next((v for v in self.debts if v.document_no == credit.reference), None)
                if credit.reference and target:
                    used = min(left, free[target.item_id])
                    free[target.item_id] -= used
                    left -= used
                    if kind == "credit_note":
                        credited[target.item_id] += used
                pool += left
        self.cover: dict[str, dict[int, int]] = {}
        wanted = self.wanted()
        for name, (named, unnamed) in wanted.items():
            taken = dict.fromkeys(free, 0)
            for item_id, amount in named.items():
                if item_id in free:
                    part = amount - credited[item_id] if name == "disputed" else amount
                    taken[item_id] = max(min(part, free[item_id]), 0)
                    free[item_id] -= taken[item_id]
            for version in self.debts:
                if self.is_overdue(version) and unnamed > 0:
                    part = min(unnamed, free[version.item_id])
                    taken[version.item_id] += part
                    free[version.item_id] -= part
                    unnamed -= part
            self.cover[name] = taken
        self.asked: dict[int, int] = {}
        for version in self.debts:
            if self.is_overdue(version):
                used = min(pool, free[version.item_id])
                pool -= used
                self.asked[version.item_id] = free[version.item_id] - used
            else:
                self.asked[version.item_id] = 0
        self.due = [v for v in self.debts if self.asked[v.item_id] > 0]
        self.driver = self.due[0] if self.due else None
        del oracle

    def wanted(self) -> dict[str, tuple[dict[int, int], int]]:
        """By cover, in its order: what is wanted of named items, and what of whatever is overdue."""
        oracle, open_items = self.oracle, {v.item_id: v for v in self.debts}
        placed: dict[int, int] = {}
        for placement in self.mine(oracle.seen(Placement)):
            if placement.state == "placed":
                add_up(placed, placement.items)
        disputed: dict[int, int] = {}
        for dispute in self.mine(oracle.seen(Dispute)):
            if dispute.opened_on <= self.as_of and dispute.state in ("open", "accepted", "part_accepted"):
                part = dispute.accepted_amount if dispute.state == "part_accepted" else dispute.amount
                add_up(disputed, {dispute.item_id: part})
        for version in self.debts:
            disputed[version.item_id] = max(disputed.get(version.item_id, 0), self.flag(version))
        for hold in self.live_holds():
            if hold.scope == "item" and hold.item_id is not None and hold.item_id in open_items:
                disputed[hold.item_id] = self.open[hold.item_id]
        planned: dict[int, int] = {}
        for plan in self.mine(oracle.seen(Plan)):
            if plan.offered_on <= self.as_of and plan.state in ("offered", "active"):
                add_up(planned, plan.items)
        promised, promised_pool = self.within(
            [(p.amount - p.received, p.items) for p in self.mine(oracle.seen(Promise)) if p.state == "open"]
        )
        claimed, claimed_pool = self.within(
            [
                (c.amount, c.items)
                for c in self.mine(oracle.seen(ClaimedPayment))
                if c.claimed_on <= self.as_of and (c.state == "open" or self.awaits_booking(c))
            ]
        )
        flying = {v.item_id: self.open[v.item_id] for v in self.debts if self.flies_until(v)}
        return {
            "placed": (placed, 0),
            "disputed": (disputed, 0),
            "in_plan": (planned, 0),
            "promised": (promised, promised_pool),
            "claimed": (claimed, claimed_pool),
            "in_flight": (flying, 0),
        }

    def awaits_booking(self, claim: ClaimedPayment) -> bool:
        """Cash found the money: it is ours to book, and nobody is asked for it until the claim's last day is over."""
        return claim.state == "found" and self.as_of <= claim.until_on

    def within(self, records: list[tuple[int, Any]]) -> tuple[dict[int, int], int]:
        """Records that name items take of these, oldest first, no more than they have; the others make a pool."""
        named: dict[int, int] = {}
        pool = 0
        for amount, items in records:
            if not items:
                pool += amount
                continue
            for version in self.debts:
                part = min(amount, int(items.get(str(version.item_id), 0)), self.open[version.item_id])
                if part > 0:
                    add_up(named, {version.item_id: part})
                    amount -= part
        return named, pool

    def flag(self, version: ItemVersion) -> int:
        """What the ledger itself calls disputed."""
        later = version.disputed_on is not None and version.disputed_on > self.as_of
        return 0 if later or version.dispute_outcome in ("rejected", "withdrawn") else version.disputed_amount

    def came_back(self, version: ItemVersion) -> bool:
        returned = version.returned_on if version.returned_on and version.returned_on <= self.as_of else None
        return returned is not None and (version.collect_on is None or returned >= version.collect_on)

    def flies_until(self, version: ItemVersion) -> date | None:
        """The last day on which a direct debit is under way, if it still is (rule 15)."""
        if version.collect_on is None or self.came_back(version):
            return None
        until = add(version.collect_on, 3 if "b2b" in (version.payment_method or "").lower() else 5, "TARGET")
        return until if until >= self.as_of else None

    def live_holds(self) -> list[Hold]:
        found = []
        for hold in self.oracle.seen(Hold):
            # A legal stop stands until two persons lift it, whatever its date says (rule 10).
            over = hold.until_on < self.as_of and hold.reason != "legal_stop"
            if hold.state != "active" or hold.from_on > self.as_of or over:
                continue
            scopes = {
                "party": hold.party_id == self.row.party_id,
                "debtor": hold.debtor_id == self.row.debtor_id,
                "case": hold.case_id == self.row.id,
                "item": hold.item_id in self.items,
            }
            if scopes[hold.scope]:
                found.append(hold)
        return found
