"""The page of an account manager: what waits for a word, what customers will be sent soon, and where they stand."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.rooms.whose import WORK_TASKS
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Role, StepKind
from maatpak.ledger.tables.standing import NEVER, NO_DATE
from tasks.current_pack import current_packs
from tasks.my_customers import my_customers
from tasks.rights import HEARD

PATH = "/mine"
WHO = (*HEARD, Role.AUDITOR)
AHEAD = timedelta(days=10)
"""So far the page looks ahead for what customers will be sent."""
MOST, MOST_SHOWN = 200, 20
SENT = frozenset({StepKind.MESSAGE, StepKind.PLAN_OFFER, StepKind.HANDOFF})
"""Kinds of steps that the customer notices in writing."""

MANAGERS = """
SELECT p.login, COALESCE(NULLIF(p.name, ''), p.login) AS name, p.deputy, (
  SELECT count(*) FROM work_task t WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open'
  AND t.kind IN ('notice', 'consult') AND t.assignee = p.login) AS waiting
FROM person p WHERE p.login = :login OR (p.role = 'account_manager' AND p.active) ORDER BY waiting DESC, p.login
"""
WAITS = f"""
SELECT t.id AS task_id, t.case_id, t.kind, t.subject, t.opened_on, t.due_on,
  COALESCE(t.due_on < c.business_date, false) AS late, c.code AS creditor, d.debtor_no,
  COALESCE(p.name, d.debtor_no) AS name, COALESCE(k.currency, c.currency) AS currency,
  COALESCE(s.overdue_open, 0) AS overdue_open, NULLIF(s.oldest_due_on, {NO_DATE}) AS oldest_due_on,
  COALESCE(s.segment, '') AS segment, COALESCE(s.experience_balance, 0) AS experience_balance,
  COALESCE(NULLIF(s.non_payment_reason, 'none'), '') AS reason, COALESCE(s.next_step, '') AS next_step,
  NULLIF(s.next_on, {NO_DATE}) AS next_on, a.pack_id, a.segment AS of_segment, a.step
FROM {WORK_TASKS} LEFT JOIN action a ON a.id = t.action_id
WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open' AND t.kind IN ('notice', 'consult') AND t.assignee = :login
ORDER BY t.kind, t.due_on, t.id LIMIT {MOST}
"""  # noqa: S608 - our own words
COMING = f"""
SELECT s.case_id, s.creditor_id, c.code AS creditor, s.debtor_no, COALESCE(NULLIF(s.name, ''), s.debtor_no) AS name,
  s.currency, s.overdue_open, s.segment, s.next_step AS step, s.next_on AS on
FROM case_standing s JOIN creditor c ON c.id = s.creditor_id
WHERE s.creditor_id = ANY(:creditors) AND s.account_manager = :login AND s.next_step <> '' AND s.overdue_open > 0
  AND s.next_on BETWEEN c.business_date AND c.business_date + {AHEAD.days}
ORDER BY s.next_on, s.overdue_open DESC, s.case_id LIMIT {MOST}
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class Manager:
    """Somebody who has customers."""

    login: str
    name: str
    deputy: str | None
    """Login of who stands in for them."""
    waiting: int
    """Questions and notices that wait for them."""


@dataclass(frozen=True)
class Waits:
    """Something that the account manager is asked or told. Money is in minor units of `currency`, as all of it here."""

    task_id: int
    case_id: int
    kind: str
    """`consult`: it waits for their answer; `notice`: they are told, and may stop what comes next."""
    subject: str
    opened_on: date
    due_on: date
    late: bool
    creditor: str
    debtor_no: str
    name: str
    currency: str
    overdue_open: int
    oldest_due_on: date | None
    segment: str
    experience_balance: int
    reason: str
    """Why they do not pay, as they said."""
    next_step: str
    next_on: date | None
    """What comes next, and from when, as of the newest run."""
    then: tuple[str, ...]
    """The steps of its journey that wait for this."""


@dataclass(frozen=True)
class Coming:
    """What a customer will be sent in the next days."""

    case_id: int
    creditor: str
    debtor_no: str
    name: str
    currency: str
    overdue_open: int
    step: str
    on: date


@dataclass(frozen=True)
class Mine:
    """A customer's case, as the newest run left it."""

    case_id: int
    debtor_no: str
    name: str
    currency: str
    segment: str
    overdue_open: int
    oldest_due_on: date | None
    paid_late_on: date | None
    """When they last paid something after its due date."""
    next_step: str
    next_on: date | None
    told: int
    asked: int


@dataclass(frozen=True)
class MinePage:
    """An account manager's customers."""

    login: str
    name: str
    deputy: str | None
    managers: tuple[Manager, ...]
    """Whose customers may be looked at."""
    waits: tuple[Waits, ...]
    """Questions first."""
    coming: tuple[Coming, ...]
    customers: tuple[Mine, ...]
    """Those with something that waits first, then the most overdue."""


def read_mine(asking: Asking) -> MinePage:
    """The page of the account manager who looks, or of the one chosen."""
    own = asking.visitor.login if asking.visitor.role == Role.ACCOUNT_MANAGER else None
    wanted = asking.query.get("manager") or own
    seen = asking.creditors
    managers = tuple(
        Manager(**row) for row in asking.rows(MANAGERS, creditors=seen, login=wanted or asking.visitor.login)
    )
    chosen = next((each for each in managers if each.login == wanted or wanted is None), None)
    if chosen is None:
        raise UsageError(f"{wanted!r} is nobody here.", advice="Choose an account manager of the list.")
    rows = asking.rows(COMING, creditors=seen, login=chosen.login)
    mine = my_customers(asking.session, chosen.login, seen, MOST_SHOWN)
    return MinePage(
        chosen.login,
        chosen.name,
        chosen.deputy,
        managers,
        tuple(_waits(asking, row) for row in asking.rows(WAITS, creditors=seen, login=chosen.login)),
        tuple(_coming(asking, rows)[:MOST_SHOWN]),
        tuple(
            Mine(
                case_id=each.standing.case_id,
                debtor_no=each.standing.debtor_no,
                name=each.standing.name or each.standing.debtor_no,
                currency=each.standing.currency,
                segment=each.standing.segment,
                overdue_open=each.standing.overdue_open,
                oldest_due_on=None if each.standing.oldest_due_on == NEVER else each.standing.oldest_due_on,
                paid_late_on=each.paid_late_on,
                next_step=each.standing.next_step,
                next_on=None if each.standing.next_on == NEVER else each.standing.next_on,
                told=each.told,
                asked=each.asked,
            )
            for each in mine
        ),
    )


def _waits(asking: Asking, row: dict[str, Any]) -> Waits:
    pack, segment, step = row.pop("pack_id"), row.pop("of_segment"), row.pop("step")
    steps = asking.engine.pack(pack).journeys[segment].steps if pack is not None else {}
    return Waits(**row, then=tuple(name for name, each in steps.items() if step in each.after))


def _coming(asking: Asking, rows: list[dict[str, Any]]) -> list[Coming]:
    """Those of the steps to come that the customer will notice, by the newest packs."""
    packs = current_packs(asking.session, {row["creditor_id"] for row in rows})
    found = []
    for row in rows:
        creditor, segment = row.pop("creditor_id"), row.pop("segment")
        journey = asking.engine.pack(packs[creditor]).journeys.get(segment)
        step = journey.steps.get(row["step"]) if journey is not None else None
        if step is None or step.kind in SENT:  # a step of an older pack may be anything
            found.append(Coming(**row))
    return found
