"""What was known of a world at an instant, as of a date, and small sums that the oracle needs again and again."""

import math
from datetime import date
from fractions import Fraction
from typing import Any

from maatpak.kernel.words import ReachState
from maatpak.ledger.tables import (
    Action,
    Creditor,
    Debtor,
    DebtorProfile,
    ItemVersion,
    Snapshot,
)
from tests.tasks.facts.calendar_oracle import months_back
from tests.tasks.facts.world import World

Row = dict[str, Any]


class View:
    """What was known of a world at an instant, as of a date."""

    def __init__(self, world: World, as_of: date | None = None, creditor_id: int | None = None) -> None:
        self.world = world
        self.as_of = as_of or world.as_of
        self.known_at = world.known_at
        self.creditor = next(each for each in world.of(Creditor) if each.id == (creditor_id or world.creditor_id))
        self.versions = self.seen(ItemVersion)

    def seen(self, table: Any) -> list[Any]:
        """The versions that count: valid and recorded, and not replaced by one that counts as well."""
        return [
            row
            for row in self.world.of(table)
            if row.valid_from <= self.as_of
            and row.recorded_at <= self.known_at
            and not (row.replaced_at and row.replaced_at <= self.known_at and row.replaced_from <= self.as_of)
        ]

    def recorded(self, table: Any, day: str, instant: str = "recorded_at") -> list[Any]:
        """Rows written once that had happened and were recorded."""
        return [
            row
            for row in self.world.of(table)
            if getattr(row, day) <= self.as_of and getattr(row, instant) <= self.known_at
        ]

    def payer(self, debtor_id: Any) -> Any:
        """The account that is written to for this one: the one named as its payer, if it is known; else itself."""
        profiles = {profile.debtor_id: profile for profile in self.seen(DebtorProfile)}
        debtors = {debtor.id: debtor for debtor in self.world.of(Debtor)}
        number = profiles[debtor_id].payer_no if debtor_id in profiles else None
        for debtor in debtors.values():
            known = debtor.creditor_id == debtors[debtor_id].creditor_id and debtor.id in profiles
            if number is not None and debtor.debtor_no == number and known:
                return debtor.id
        return debtor_id

    def ago(self, months: int) -> date:
        return months_back(self.as_of, months)

    def spoken_for(self) -> date | None:
        """The day of the older of ledger and cash; cash has a day of its own once payments came in later on."""
        ledger, cash, own_cash = [], [], False
        for snapshot in self.world.of(Snapshot):
            past = snapshot.kind == "history"
            arrived = snapshot.as_of <= self.as_of and snapshot.recorded_at <= self.known_at
            if snapshot.creditor_id != self.creditor.id or not (past or arrived):
                continue
            day = min(snapshot.as_of, self.as_of)
            if "items" in snapshot.tables:
                ledger.append(day)
            if "payments" in snapshot.tables:
                cash.append(day)
                own_cash = own_cash or not past
        if not ledger:
            return None
        return min(max(ledger), max(cash)) if own_cash else max(ledger)


OPEN_STATES = ("proposed", "awaiting_approval", "approved", "in_progress")
STEP_SAME = (
    *("case_id", "round_id", "stage", "step", "kind", "attempt", "occurrence", "state", "reason", "template"),
    *("due_on", "executed_on", "result", "retry_on", "retry_step"),
)


def as_it_stood(action: Action, as_of: date, known_at: Any) -> Action:
    """A copy of an action with what had happened to it by then, and no more."""
    then = Action(**action.model_dump())
    instants = [at for at in (action.approved_at, action.started_at, action.ended_at) if at]
    if all(at <= known_at for at in instants) and (action.executed_on is None or action.executed_on <= as_of):
        return then
    then.reason = then.result = then.retry_step = None
    then.executed_on = then.retry_on = None
    if action.started_at and action.started_at <= known_at:
        then.state = "in_progress"
    elif action.approved_at and action.approved_at <= known_at:
        then.state = "approved"
    else:
        then.state = "awaiting_approval" if action.approvals_needed else "proposed"
    return then


def add_up(total: dict[int, int], more: dict[Any, int]) -> None:
    for item_id, amount in more.items():
        total[int(item_id)] = total.get(int(item_id), 0) + int(amount)


def quantile(values: list[int], share: Fraction) -> Fraction:
    """Between the two values at its place, in proportion; 0 of nothing."""
    if not values:
        return Fraction(0)
    place = (len(values) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def best(states: list[str]) -> str:
    """Who opted out is out; else the best that is known of any address; without one it is dead."""
    order = [str(s) for s in (ReachState.OPTED_OUT, ReachState.PROVEN, ReachState.UNPROVEN, ReachState.DOUBTFUL)]
    return next((state for state in order if state in states), "dead")


def digits(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isdigit() or sign == "+")
