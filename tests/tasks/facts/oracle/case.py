"""One case with all its facts."""

import math
from fractions import Fraction
from typing import Any

from maatpak.ledger.tables import (
    Case,
    Debtor,
    DebtorProfile,
    Hold,
    QuarantinedRow,
    RoundCourse,
)
from tests.tasks.facts.calendar_oracle import bank_day, between
from tests.tasks.facts.oracle.reach import Reach
from tests.tasks.facts.oracle.view import Row, View, quantile


class Oracle(View):
    """Every case of a creditor."""

    def case(self, case: Case) -> "CaseOracle":
        return CaseOracle(self, case)

    def cases(self) -> list["CaseOracle"]:
        """Every case of the creditor that has a row."""
        mine = [case for case in self.world.of(Case) if case.creditor_id == self.creditor.id]
        return [each for each in map(self.case, mine) if each.has_row()]


class CaseOracle(Reach):
    """One case with all its facts."""

    def facts(self) -> Row:
        return {
            **self.identity(),
            **self.round_facts(),
            **self.amount_facts(),
            **self.driver_facts(),
            **self.history_facts(),
            **self.talk_facts(),
            **self.agreement_facts(),
            **self.reach_facts(),
            **self.reaction_facts(),
        }

    def identity(self) -> Row:
        oracle, profile = self.oracle, self.profile
        own_currency = self.row.currency == oracle.creditor.currency
        documents = [v for v in oracle.versions if v.debtor_id == self.row.debtor_id]
        first = min((v.issued_on for v in documents), default=None)
        since = (profile.customer_since if profile else None) or first
        limit = profile.credit_limit if profile and own_currency else None
        balance = sum(self.open[v.item_id] for v in self.debts) - sum(self.open[v.item_id] for v in self.credits)
        stops = [h.source for h in self.live_holds() if h.scope != "item" and h.reason == "legal_stop"]
        named = sorted(s for s in stops if s in ("insolvent", "deceased", "breathing_space", "represented"))
        stop = profile.legal_stop if profile else "none"
        if stop == "none" and stops:
            stop = named[0] if named else "represented"
        if stop == "none":
            stop = self.stop_of_payer()
        fixed = profile.revenue_12m if profile and own_currency else None
        spoken_for = oracle.spoken_for()
        waiting = [
            row
            for row in oracle.recorded(QuarantinedRow, "business_date")
            if row.creditor_id == oracle.creditor.id
            and row.debtor_no == self.debtor.debtor_no
            and (
                row.state == "open"
                or (row.resolved_at and row.resolved_at > oracle.known_at)
                or (row.resolved_on and row.resolved_on > self.as_of)
            )
        ]
        hardship_until = profile.hardship_until if profile else None
        return {
            "case_id": self.row.id,
            "creditor_id": oracle.creditor.id,
            "debtor_id": self.row.debtor_id,
            "party_id": self.row.party_id,
            "debtor_no": self.debtor.debtor_no,
            "currency": self.row.currency,
            "creditor_country": oracle.creditor.country,
            "party_kind": profile.kind if profile else "consumer",
            "country": self.country,
            "relation_days": max((self.as_of - since).days, 0) if since else 0,
            "first_invoice_on": first,
            "invoice_count": sum(v.item_type == "invoice" for v in documents),
            "key_account": any(member.profile is not None and member.profile.key_account for member in self.family()),
            "revenue_12m": fixed if fixed is not None else self.invoiced(),
            "risk_class": profile.risk_class if profile else "none",
            "credit_limit_used": max(balance, 0) / limit if limit else None,
            "group_overdue": sum(
                member.overdue_open() for member in self.family() if member.row.currency == self.row.currency
            ),
            "hardship": (hardship_until is not None and hardship_until >= self.as_of)
            or any(h.reason == "hardship" for h in self.live_holds() if h.scope != "item"),
            "legal_stop": stop,
            "data_age_wd": between(spoken_for, self.as_of, self.country) if spoken_for else 10_000,
            "quarantined_rows": len(waiting),
        }

    def stop_of_payer(self) -> str:
        """The law's stop on the account that pays for this one: contact with it is what stops."""
        oracle = self.oracle
        payer = oracle.payer(self.row.debtor_id)
        if payer == self.row.debtor_id:
            return "none"
        told: str = next(p.legal_stop for p in oracle.seen(DebtorProfile) if p.debtor_id == payer)
        if told != "none":
            return told
        party = next(d.party_id for d in oracle.world.of(Debtor) if d.id == payer)
        stops = [
            hold.source
            for hold in oracle.seen(Hold)
            if hold.reason == "legal_stop" and hold.state == "active" and hold.from_on <= self.as_of
            if (hold.scope, hold.party_id) == ("party", party) or (hold.scope, hold.debtor_id) == ("debtor", payer)
        ]
        named = sorted(s for s in stops if s in ("insolvent", "deceased", "breathing_space", "represented"))
        return named[0] if named else "represented" if stops else "none"

    def overdue_open(self) -> int:
        return sum(self.open[v.item_id] for v in self.debts if self.is_overdue(v))

    def invoiced(self) -> int:
        recent = [v for v in self.items.values() if v.issued_on > self.oracle.ago(12)]
        signs = {"invoice": 1, "debit_note": 1, "credit_note": -1, "payment": 0}
        return sum(signs[v.item_type] * v.amount for v in recent)

    def family(self) -> list["CaseOracle"]:
        """Cases of the debtors under the same head, this one's included."""
        oracle = self.oracle
        profiles = {p.debtor_id: p for p in oracle.seen(DebtorProfile) if p.creditor_id == oracle.creditor.id}
        numbers = {d.debtor_no: d.id for d in oracle.world.of(Debtor) if d.creditor_id == oracle.creditor.id}

        def head(debtor_id: int | None) -> Any:
            above: Any = debtor_id
            for _ in range(20):
                parent = profiles[above].parent_no if above in profiles else None
                if parent is None:
                    return above
                if parent not in numbers or numbers[parent] not in profiles:
                    return parent
                above = numbers[parent]
            return above

        mine = head(self.row.debtor_id)
        same = [
            case
            for case in oracle.world.of(Case)
            if case.creditor_id == oracle.creditor.id and head(case.debtor_id) == mine
        ]
        return [self if case.id == self.row.id else CaseOracle(oracle, case) for case in same]

    def round_facts(self) -> Row:
        courses = [c for c in self.oracle.seen(RoundCourse) if self.round is not None and c.round_id == self.round.id]
        course = courses[0] if courses else None
        closed = [r.closed_on for r in self.rounds if self.is_closed(r) and r.closed_on]
        # Items settled more than 24 months ago are not looked at any more.
        dues = [v.due_on for v in (*self.debts, *self.settled, *self.undated) if v.item_id in self.named]
        return {
            "round_id": self.round.id if self.round else None,
            "round_no": max((r.number for r in self.rounds), default=0),
            "round_opened_on": self.round.opened_on if self.round else None,
            "round_segment": course.segment if course else None,
            "round_pack_id": course.pack_id if course else None,
            "round_entry_stage": course.entry_stage if course else None,
            "rerouted_on": course.entered_on if course else None,
            "moved_by_hand": course is not None and course.by_hand,
            "round_first_due_on": min(dues, default=None),
            "last_round_closed_on": max(closed, default=None),
            "rounds_12m": sum(r.opened_on > self.oracle.ago(12) for r in self.rounds),
            "round_open": sum(self.open.get(i, 0) for i in self.named) if self.round else self.overdue_open(),
        }

    def amount_facts(self) -> Row:
        overdue = [v for v in self.debts if self.is_overdue(v)]
        waiting = [v for v in self.debts if not self.is_overdue(v)]
        covered = {name: sum(taken[v.item_id] for v in overdue) for name, taken in self.cover.items()}
        return {
            "not_due_open": sum(self.open[v.item_id] for v in waiting),
            "overdue_open": self.overdue_open(),
            "credit_notes_open": sum(self.open[v.item_id] for v in self.credits if v.item_type == "credit_note"),
            "cash_unallocated": sum(self.open[v.item_id] for v in self.credits if v.item_type == "payment"),
            "cash_unallocated_on": max((v.issued_on for v in self.credits if v.item_type == "payment"), default=None),
            "disputed_open": covered["disputed"],
            "in_plan_open": covered["in_plan"],
            "debits_in_flight": covered["in_flight"],
            "promised_open": covered["promised"],
            "claimed_paid_open": covered["claimed"],
            "placed_open": sum(self.cover["placed"].values()),
            "asked_amount": sum(self.asked.values()),
            "largest_item": max((self.open[v.item_id] for v in self.debts), default=0),
            "overdue_over_60": sum(self.open[v.item_id] for v in overdue if (self.as_of - v.due_on).days > 60),
            "items_overdue": len(overdue),
        }

    def driver_facts(self) -> Row:
        driver = self.driver
        asked = [v.item_id for v in self.due]
        waiting = [v for v in self.debts if not self.is_overdue(v)]
        next_day = min((bank_day(v.due_on) for v in waiting), default=None)
        following = [v for v in waiting if bank_day(v.due_on) == next_day]
        past_due = (self.as_of - driver.due_on).days if driver else 0
        usual = math.ceil(quantile(sorted(self.delays(12)), Fraction(9, 10)))
        levels = ("none", "weak", "strong")
        return {
            "driver_item_id": driver.item_id if driver else None,
            "driver_document": driver.document_no if driver else None,
            "driver_due_on": driver.due_on if driver else None,
            "driver_bank_due_on": bank_day(driver.due_on) if driver else None,
            "days_past_due": past_due,
            "working_days_past_due": between(bank_day(driver.due_on), self.as_of, self.country) if driver else 0,
            "days_beyond_usual": max(past_due - usual, 0) if driver else 0,
            "min_notices": min((len(self.told[i]) for i in asked), default=0),
            "debit_returned": driver is not None and self.came_back(driver),
            "notice_evidence": levels[min((self.level(i) for i in asked), default=0)],
            "evidence_complete": bool(asked) and all(self.is_complete(i) for i in asked),
            "demandable_amount": sum(self.asked[i] for i in asked if self.is_demandable(i)),
            "upcoming_item_id": following[0].item_id if following else None,
            "upcoming_bank_due_on": next_day,
            "unreceived_bank_due_on": min((bank_day(v.due_on) for v in self.debts if self.is_lost(v)), default=None),
            "upcoming_amount": sum(self.open[v.item_id] for v in following),
        }
