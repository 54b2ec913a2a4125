"""My customers: what an account manager is told and asked of them before a customer is, and how to stop it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Column, Done, Filter, Listing, Room, Shape, Sheet
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import NoFields, Reason, Words
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import ConsultAnswer, HoldReason, Role, StepKind
from maatpak.ledger.tables.standing import NEVER
from tasks.current_pack import current_packs
from tasks.holds import HOLD_RULES, set_hold
from tasks.my_customers import my_customers
from tasks.rights import HEARD
from tasks.work import TALK_DAYS, Outcome, finish_work

PATH = "/mine"
WHO = (*HEARD, Role.AUDITOR)
AHEAD = timedelta(days=10)
"""So far the page looks ahead for what customers will be sent."""
MOST, MOST_SHOWN = 200, 20
SENT = frozenset({StepKind.MESSAGE, StepKind.PLAN_OFFER, StepKind.HANDOFF})
"""Kinds of steps that the customer notices in writing."""
NO_DATE = f"DATE '{NEVER}'"

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
FROM work_task t LEFT JOIN action a ON a.id = t.action_id JOIN creditor c ON c.id = t.creditor_id
JOIN debtor d ON d.id = t.debtor_id LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
LEFT JOIN "case" k ON k.id = t.case_id LEFT JOIN case_standing s ON s.case_id = t.case_id
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


class Talk(BaseModel):
    """A talk that comes first."""

    note: Reason
    until: date | None = Field(
        None, title="Until", description=f"The last day of silence; empty: {TALK_DAYS} working days, the longest."
    )


class No(BaseModel):
    """Why not."""

    note: Reason


class Yes(BaseModel):
    """Go on."""

    note: Words | None = Field(None, title="Note", description="What the collector should know.")


def _read(asking: Asking) -> MinePage:
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


def _end(acting: Acting, task_id: int, outcome: Outcome, told: str) -> Done:
    with acting.desk("task_id", task_id) as desk:
        finish_work(desk, task_id, outcome)
    return Done(told, None, {"task_id": task_id, "outcome": outcome.code})


def _stop(acting: Acting, form: Talk, task_id: int) -> Done:
    outcome = Outcome(ConsultAnswer.I_TALK, form.note, form.until)
    return _end(acting, task_id, outcome, "Contact rests while you talk with them; then the question stands again.")


def _agree(acting: Acting, form: Yes, task_id: int) -> Done:
    return _end(acting, task_id, Outcome(ConsultAnswer.AGREE, form.note), "You agree; the journey goes on.")


def _refuse(acting: Acting, form: No, task_id: int) -> Done:
    return _end(acting, task_id, Outcome(ConsultAnswer.NO, form.note), "You said no; the credit manager decides.")


def _saw(acting: Acting, form: NoFields, task_id: int) -> Done:
    del form
    return _end(acting, task_id, Outcome("seen"), "You have seen it; the journey goes on.")


def _rest(acting: Acting, form: Talk, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        until = form.until or desk.in_working_days(case.debtor_id, TALK_DAYS)
        hold = set_hold(desk, case, HoldReason.ACCOUNT_MANAGER_TALKS, until, form.note)
        return Done(f"Contact rests until {day(hold.until_on)}.", None, {"hold_no": hold.hold_no})


ALL = Listing(
    path=PATH + "/customers",
    title="All my customers",
    help="Every account that names you as its account manager and has something open or a round running.",
    source="case_standing s JOIN creditor c ON c.id = s.creditor_id",
    columns=(
        Column("name", "Customer", "COALESCE(NULLIF(s.name, ''), s.debtor_no)", link="/cases/{case_id}"),
        Column("debtor_no", "Number", "s.debtor_no"),
        Column("creditor", "Creditor", "c.code"),
        Column("segment", "Segment", "s.segment", Shape.CODE),
        Column("overdue_open", "Overdue", "s.overdue_open", Shape.MONEY, sorts=True),
        Column("not_due_open", "Not due yet", "s.not_due_open", Shape.MONEY),
        Column("oldest_due_on", "Oldest due", f"NULLIF(s.oldest_due_on, {NO_DATE})", Shape.DATE),
        Column(
            "paid_late_on",
            "Last paid late",
            """(SELECT max(v.settled_on) FROM item_version v WHERE v.debtor_id = s.debtor_id AND v.currency = s.currency
AND v.replaced_at IS NULL AND v.settled_by IN ('payment', 'debit') AND v.settled_on > v.due_on)""",
            Shape.DATE,
            help="When they last paid something after its due date.",
        ),
        Column("next_step", "Next", "s.next_step", Shape.CODE),
        Column("next_on", "From", f"NULLIF(s.next_on, {NO_DATE})", Shape.DATE),
        Column("reason", "They say", "NULLIF(s.non_payment_reason, 'none')", Shape.CODE),
        Column("experience_balance", "Experience", "s.experience_balance", Shape.NUMBER),
        Column("currency", "Currency", "s.currency", shown=False),
        Column("case_id", "Case", "s.case_id", Shape.NUMBER, shown=False),
    ),
    key="s.case_id",
    order="-overdue_open",
    creditor="s.creditor_id",
    where="s.account_manager = :login",
    filters=(
        Filter(
            "overdue",
            "Overdue",
            choices=(Choice("yes", "Overdue"), Choice("no", "Not overdue")),
            conditions={"yes": "s.overdue_open > 0", "no": "s.overdue_open = 0"},
        ),
        Filter("at_least", "Overdue at least", "s.overdue_open >= :value", Shape.MONEY),
    ),
    totals=("overdue_open",),
    roles=WHO,
    empty="No account names you as its account manager.",
)

MINE = Room(
    name="mine",
    title="My customers",
    path=PATH,
    listings=(ALL,),
    sheets=(
        Sheet(
            PATH,
            "My customers",
            "What waits for the account manager, what customers will be sent soon, and where their accounts stand.",
            MinePage,
            _read,
            "mine.html",
            WHO,
            query={
                "creditor": "Code of a creditor.",
                "manager": "Login of the account manager; an account manager sees their own.",
            },
        ),
    ),
    acts=(
        Act(
            PATH + "/{task_id}/stop",
            "I talk first",
            "Contact rests while you talk with the customer; afterwards the journey asks again.",
            Talk,
            _stop,
            HEARD,
        ),
        Act(
            PATH + "/{task_id}/agree",
            "Agree",
            "The journey goes on; a demand still needs its approval.",
            Yes,
            _agree,
            HEARD,
        ),
        Act(
            PATH + "/{task_id}/no",
            "No, because …",
            "The step is not taken; the credit manager decides what comes instead.",
            No,
            _refuse,
            HEARD,
        ),
        Act(
            PATH + "/{task_id}/seen",
            "Seen",
            "You know of it, and what comes next may come.",
            NoFields,
            _saw,
            HEARD,
        ),
        Act(
            PATH + "/{case_id}/rest",
            "Let contact rest",
            f"You talk with them first: nothing is sent and nobody rings, for {TALK_DAYS} working days at most.",
            Talk,
            _rest,
            HOLD_RULES[HoldReason.ACCOUNT_MANAGER_TALKS].sets,
        ),
    ),
    waiting="""
SELECT count(*) FROM work_task t WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open'
AND t.kind IN ('notice', 'consult') AND t.assignee = :login
""",
)
