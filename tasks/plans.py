"""Payment plans: offered, accepted by the customer's recorded yes, finished or breached (rule 18)."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from sqlmodel import col, select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.money import format_money, to_minor
from maatpak.kernel.words import PlanState, PromiseState, Role, WorkKind, WorkState
from maatpak.ledger.tables import Case, Plan, WorkTask
from maatpak.ledger.versions import succeed
from tasks.desk import Desk, OpenItem
from tasks.disputes import undisputed
from tasks.facts import build_facts
from tasks.placements import require_ours
from tasks.promises import open_promises
from tasks.rights import COLLECTORS, MANAGERS, TALKERS
from tasks.worklist import close_work, open_work

LONGEST = timedelta(days=5 * 366)
"""From today to the last instalment."""
VALID_FOR = 10
"""Working days that an offer stands."""
FIRST_WITHIN = 10
"""Working days to the first instalment."""
INSTALMENTS = 3
AUTO_LIMIT = 2_500
"""Major units that are offered without a credit manager …"""
AUTO_MONTHS = 3
"""… over at most this many months."""
OFFER = "Offer a payment plan."
"""Subject of the work to make an offer."""
RECORDED = ("in_plan", "promised", "claimed", "in_flight")
"""Parts of an item that are owed, though not asked for now."""
CONFIRM = "Confirm the plan above the limit."
"""Subject of the work by which a second person lets a plan above the limit be offered."""


@dataclass(frozen=True)
class Instalment:
    """What is to be paid by when, minor units."""

    due_on: date
    amount: int

    def plain(self) -> dict[str, Any]:
        """As it is stored."""
        return {"due_on": self.due_on.isoformat(), "amount": self.amount}


def standard_instalments(
    total: int, as_of: date, country: str, count: int = INSTALMENTS, first_within: int = FIRST_WITHIN
) -> list[Instalment]:
    """The plan that is offered unless a person makes another: three, the first within ten working days."""
    first = add_working_days(as_of, first_within, country)
    share, rest = divmod(total, count)
    amounts = [share + rest, *[share] * (count - 1)]
    dues = [first, *(add_working_days(first + timedelta(days=30 * part), 0, country) for part in range(1, count))]
    return [Instalment(due, amount) for due, amount in zip(dues, amounts, strict=True) if amount > 0]


def offer_plan(
    desk: Desk,
    case: Case,
    *,
    documents: list[str] | None = None,
    instalments: list[Instalment] | None = None,
    source: str = "person",
) -> Plan | None:
    """Offer a plan over documents, or over everything overdue. Above the person's limit a second one is asked: None.

    What is disputed is ours to answer, and no part of a plan (rule 5); nor is what the customer's credits
    and unallocated money cover of overdue items (law 7).

    Raises:
        RefusedError: a plan is offered or active already, an agency speaks about all of it, or it is disputed.
        UsageError: the instalments do not add up or are not in order.
    """
    desk.require("offer a payment plan", *COLLECTORS, Role.FINANCE_DIRECTOR)
    items = _to_plan(desk, case, desk.items_named(case, documents), named=documents is not None)
    total = sum(item.open_amount for item in items)
    if total <= 0:
        raise UsageError(f"Nothing is open on case {case.id} to plan for.", advice="See `maatpak cases`.")
    parts = instalments or standard_instalments(total, desk.as_of, desk.country(case.debtor_id))
    _check(parts, total, desk.as_of, case.currency)
    owed = {str(item.item_id): item.open_amount for item in items}
    if not _within_limit(desk, case, total, parts):
        draft = {
            "items": owed,
            "instalments": [part.plain() for part in parts],
            "source": source,
        }
        key = desk.engine.store.put("plans", canonical_json(draft).encode(), "json")
        task = open_work(
            desk,
            case,
            WorkKind.REVIEW,
            CONFIRM,
            Role.CREDIT_MANAGER,
            working_days=2,
            record_no=key,
            asked_by=desk.person.login,
        )
        desk.record("plan_confirmation_asked", case=case, task=task.id, total=total)
        return None
    return write_offer(desk, case, owed, parts, source)


def _to_plan(desk: Desk, case: Case, items: list[OpenItem], *, named: bool) -> list[OpenItem]:
    """What of these items a plan may be made of today, with what is owed of each."""
    present = live_plan(desk, case)
    if present is not None:
        raise RefusedError(
            f"Plan {present.plan_no} of case {case.id} is {present.state}.", advice="Cancel it first, or wait for it."
        )
    require_ours(desk, case, items, "offer a plan for it")
    return _less_credits(desk, case, undisputed(desk, case, items, "offer a plan for it", named=named))


def _less_credits(desk: Desk, case: Case, items: list[OpenItem]) -> list[OpenItem]:
    """The items with what is owed of each after the case's credits: asked now, or kept from being asked by a record."""
    with desk.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, case.creditor_id, desk.as_of, desk.now, case_ids=[int(case.id or 0)])
    overdue = facts.items.filter("overdue")
    owed = dict(zip(overdue["item_id"], overdue.select(pl.sum_horizontal("asked", *RECORDED)).to_series(), strict=True))
    less = {item.item_id: min(item.open_amount, owed.get(item.item_id, item.open_amount)) for item in items}
    return [replace(item, open_amount=less[item.item_id]) for item in items if less[item.item_id] > 0]


def confirm_offer(desk: Desk, case: Case, draft_key: str) -> Plan:
    """The second person's yes to a plan above the limit: it is offered as it was drafted.

    Raises:
        RefusedError: another sum is owed by now, or a plan stands, or something speaks against one.
        UsageError: the day of the first instalment is past.
    """
    draft = json.loads(desk.engine.store.get(draft_key))
    parts = [Instalment(date.fromisoformat(part["due_on"]), part["amount"]) for part in draft["instalments"]]
    items = [item for item in desk.open_items(case) if str(item.item_id) in draft["items"]]
    owed = {str(item.item_id): item.open_amount for item in _to_plan(desk, case, items, named=False)}
    if owed != draft["items"]:
        raise RefusedError(
            "What is owed of these documents has changed since the plan was drafted.",
            advice="End this task as refused, and offer a plan over what is owed now.",
        )
    _check(parts, sum(owed.values()), desk.as_of, case.currency)
    return write_offer(desk, case, draft["items"], parts, draft["source"])


def write_offer(
    desk: Desk,
    case: Case,
    items: dict[str, int],
    parts: list[Instalment],
    source: str,
) -> Plan:
    """The offer's row and event."""
    plan = Plan(
        plan_no=desk.number("plan", "L"),
        case_id=int(case.id or 0),
        total=sum(part.amount for part in parts),
        items=items,
        instalments=[part.plain() for part in parts],
        offered_on=desk.as_of,
        valid_until=desk.in_working_days(case.debtor_id, VALID_FOR),
        state=PlanState.OFFERED,
        source=source,
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(plan)
    desk.session.flush()
    for task in desk.session.exec(
        select(WorkTask).where(WorkTask.case_id == case.id, WorkTask.subject == OFFER, WorkTask.state == WorkState.OPEN)
    ):
        close_work(desk, task, "done")
    desk.record("plan_offered", case=case, plan=plan.plan_no, total=plan.total, instalments=len(parts))
    return plan


def accept_plan(desk: Desk, plan_no: str) -> Plan:
    """The customer said yes: the plan runs from today. It replaces what was promised before."""
    desk.require("record the acceptance of a plan", *TALKERS)
    plan = _in_state(desk, plan_no, PlanState.OFFERED)
    case = desk.case(plan.case_id)
    if desk.as_of > plan.valid_until:
        raise RefusedError(
            f"The offer {plan_no} stood until {plan.valid_until}.", advice="Offer a new plan; the dates have moved."
        )
    for promise in open_promises(desk, case):
        succeed(desk.session, promise, desk.as_of, desk.now, state=PromiseState.SUPERSEDED, actor=desk.person.login)
    return _become(desk, plan, case, PlanState.ACTIVE, accepted_on=desk.as_of)


def decline_plan(desk: Desk, plan_no: str) -> Plan:
    """The customer said no to an offer."""
    desk.require("record the refusal of a plan", *TALKERS)
    plan = _in_state(desk, plan_no, PlanState.OFFERED)
    return _become(desk, plan, desk.case(plan.case_id), PlanState.DECLINED)


def cancel_plan(desk: Desk, plan_no: str) -> Plan:
    """Take an offer or a running plan back; what is open of its items is asked for again."""
    desk.require("cancel a plan", *MANAGERS)
    plan = _in_state(desk, plan_no, PlanState.OFFERED, PlanState.ACTIVE)
    return _become(desk, plan, desk.case(plan.case_id), PlanState.CANCELLED)


def live_plan(desk: Desk, case: Case) -> Plan | None:
    """The case's plan that is offered or active."""
    return desk.session.exec(
        select(Plan).where(
            Plan.case_id == case.id,
            col(Plan.replaced_at).is_(None),
            col(Plan.state).in_([PlanState.OFFERED, PlanState.ACTIVE]),
        )
    ).first()


def is_automatic(total: int, currency: str, parts: list[Instalment], as_of: date) -> bool:
    """Whether a plan is small and short enough to be offered without a credit manager."""
    small = total <= to_minor(Decimal(AUTO_LIMIT), currency)
    return small and parts[-1].due_on <= as_of + timedelta(days=31 * AUTO_MONTHS)


def _within_limit(desk: Desk, case: Case, total: int, parts: list[Instalment]) -> bool:
    """By the larger of what is planned and what is overdue (rule 10)."""
    overdue = sum(item.open_amount for item in desk.open_items(case) if item.due_on < desk.as_of)
    total = max(total, overdue)
    if is_automatic(total, case.currency, parts, desk.as_of):
        return True
    person = desk.person
    return person.role in MANAGERS and person.limit_currency == case.currency and person.approval_limit >= total


def _check(parts: list[Instalment], total: int, as_of: date, currency: str) -> None:
    problems = []
    summed = sum(part.amount for part in parts)
    if summed != total:
        told = f"{format_money(summed, currency)}, not to {format_money(total, currency)}"
        problems.append(f"the instalments add up to {told}")
    if any(part.amount <= 0 for part in parts):
        problems.append("an instalment is not above zero")
    dues = [part.due_on for part in parts]
    if dues != sorted(set(dues)) or (dues and dues[0] < as_of):
        problems.append("the dates are not in order from today on")
    if dues and dues[-1] > as_of + LONGEST:
        problems.append(f"{dues[-1]} is more than five years ahead")
    if problems:
        raise UsageError(f"That plan does not hold: {'; '.join(problems)}.", advice="Give other instalments.")


def _in_state(desk: Desk, plan_no: str, *states: PlanState) -> Plan:
    plan = desk.session.exec(
        select(Plan).where(Plan.plan_no == plan_no, col(Plan.replaced_at).is_(None), col(Plan.state).in_(list(states)))
    ).first()
    if plan is None:
        raise UsageError(
            f"There is no plan {plan_no!r} that is {' or '.join(states)}.", advice="`maatpak plan list` shows them."
        )
    return plan


def _become(desk: Desk, plan: Plan, case: Case, state: PlanState, **changes: Any) -> Plan:
    successor = succeed(desk.session, plan, desk.as_of, desk.now, state=state, actor=desk.person.login, **changes)
    desk.record(f"plan_{state}", case=case, plan=plan.plan_no)
    return successor
