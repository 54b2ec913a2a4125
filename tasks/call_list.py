"""The calls that are due, in the order in which they are worth making: who may be rung now, and what is at risk.

First come those who may be rung now, then those whose hours begin later, the soonest first; among them callbacks that
were agreed, for these are ours to keep; then the value at risk (tasks.standing) in whole units, as no rates are known;
then the date. All open calls are put in order by what their customers have in common (kind, country, zone, hours), and
only those of the page are looked at one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, text
from sqlmodel import Session

from maatpak.kernel.money import to_decimal
from maatpak.ledger.tables.standing import NEVER
from policies.guardrails import Hours
from tasks.call_hours import HOURS_OF, call_window, moment, ringing
from tasks.calls import CALLBACK
from tasks.current_pack import current_pack

if TYPE_CHECKING:
    from tasks.engine import Engine

DUE = f"""
SELECT r.id, r.creditor_id, r.due_on, r.subject = '{CALLBACK}' AS agreed, cr.business_date,
  COALESCE(s.value_at_risk, 0) AS value_at_risk, COALESCE(s.currency, cr.currency) AS currency,
  COALESCE(z.kind, p.kind, 'business') AS kind, COALESCE(z.country, p.country, cr.country) AS country,
  CASE WHEN z.id IS NULL THEN p.time_zone ELSE z.time_zone END AS time_zone,
  cr.country AS our_country, cr.time_zone AS our_zone, f.value AS call_hours
FROM work_task r JOIN creditor cr ON cr.id = r.creditor_id
LEFT JOIN case_standing s ON s.case_id = r.case_id
LEFT JOIN debtor_profile p ON p.debtor_id = r.debtor_id AND p.replaced_at IS NULL
LEFT JOIN debtor y ON y.creditor_id = p.creditor_id AND y.debtor_no = p.payer_no AND y.id <> p.debtor_id
LEFT JOIN debtor_profile z ON z.debtor_id = y.id AND z.replaced_at IS NULL
LEFT JOIN preference f ON f.debtor_id = COALESCE(z.debtor_id, r.debtor_id) AND f.name = 'call_hours'
  AND f.replaced_at IS NULL
WHERE r.kind = 'call' AND r.state = 'open' AND r.creditor_id = ANY(:creditors) AND r.due_on <= cr.business_date
  AND (CAST(:mine AS text) IS NULL OR r.assignee IS NULL OR r.assignee = :mine)
"""  # noqa: S608 - words of our own

SHOWN = """
SELECT r.id AS task_id, r.case_id, r.debtor_id, cr.code AS creditor, d.debtor_no, COALESCE(p.name, '') AS name,
  COALESCE(s.currency, cr.currency) AS currency, r.subject, r.due_on, r.assignee,
  COALESCE(s.overdue_open, 0) AS overdue_open, COALESCE(s.asked_amount, 0) AS asked_amount,
  COALESCE(s.value_at_risk, 0) AS value_at_risk, s.oldest_due_on, COALESCE(s.segment, '') AS segment,
  COALESCE(s.non_payment_reason, 'none') AS reason, COALESCE(s.experience_balance, 0) AS experience_balance,
  (SELECT count(*) FROM contact_result c WHERE c.task_id = r.id) AS tries, r.creditor_id, cr.business_date
FROM work_task r JOIN creditor cr ON cr.id = r.creditor_id JOIN debtor d ON d.id = r.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = r.debtor_id AND p.replaced_at IS NULL
LEFT JOIN case_standing s ON s.case_id = r.case_id
WHERE r.id = ANY(:tasks)
"""


@dataclass(frozen=True)
class CallRow:
    """A call of the list."""

    task_id: int
    case_id: int
    debtor_id: int
    creditor: str
    """Code of the creditor."""
    debtor_no: str
    name: str
    currency: str
    subject: str
    due_on: date
    assignee: str | None
    overdue_open: int
    """Minor units, as all amounts here; as of the newest run."""
    asked_amount: int
    value_at_risk: int
    oldest_due_on: date | None
    segment: str
    reason: str
    experience_balance: int
    tries: int
    """Attempts made for this call."""
    may_ring: bool
    """Whether it may be made now."""
    ring_from: datetime | None
    """Else from when, by the creditor's clock; none in the next weeks if the customer's hours never fit ours."""
    call_hours: str | None
    """The hours that the customer asked for."""


@dataclass(frozen=True)
class CallPage:
    """A page of the list."""

    rows: tuple[CallRow, ...]
    total: int
    """Calls that are due."""
    open_now: int
    """Those of them whose customer's hours it is."""


def call_list(
    engine: "Engine",
    session: Session,
    creditor_ids: Sequence[int],
    now: datetime,
    *,
    mine: str | None = None,
    skip: int = 0,
    most: int = 50,
) -> CallPage:
    """The due calls of some creditors at an instant, `most` of them after `skip`.

    `mine`: a person's login leaves out what is somebody else's to call.
    """
    found = session.connection().execute(text(DUE), {"creditors": list(creditor_ids), "mine": mine}).mappings().all()
    hours = {each: engine.pack(current_pack(session, each)).guardrails.hours for each in _creditors(found)}
    minute = now.replace(second=0, microsecond=0)  # so that those of one minute reckon the same windows once
    ordered = sorted((_urgency(row, hours[row["creditor_id"]], minute), row["id"]) for row in found)
    page = [task_id for _, task_id in ordered[skip : skip + most]]
    rows = {row["task_id"]: row for row in _shown(session, page, hours, now)}
    open_now = sum(urgency[0] == NOW for urgency, _ in ordered)
    return CallPage(tuple(CallRow(**rows[task_id]) for task_id in page), len(ordered), open_now)


NOW = ""
Urgency = tuple[str, bool, float, date]


def _creditors(found: Sequence[RowMapping]) -> set[int]:
    return {row["creditor_id"] for row in found}


def _urgency(row: RowMapping, hours: Hours, now: datetime) -> Urgency:
    """What a call is sorted by: from when it may be made, whether it was agreed, what is at risk, since when."""
    at = moment(row["business_date"], now, row["our_zone"])
    opens = call_window(dict(row), hours).next_from(at)
    when = NOW if opens == at else "never" if opens is None else opens.isoformat()
    return when, not row["agreed"], -float(to_decimal(row["value_at_risk"], row["currency"])), row["due_on"]


def _shown(session: Session, tasks: list[int], hours: dict[int, Hours], now: datetime) -> list[dict[str, Any]]:
    rows = [dict(row) for row in session.connection().execute(text(SHOWN), {"tasks": tasks}).mappings()]
    debtors = sorted({row["debtor_id"] for row in rows})
    known = session.connection().execute(text(HOURS_OF), {"debtors": debtors}).mappings()
    customers = {row["debtor_id"]: dict(row) for row in known}
    for row in rows:
        of_creditor, today = hours[row.pop("creditor_id")], row.pop("business_date")
        customer = customers[row["debtor_id"]]
        row["ring_from"], row["may_ring"] = ringing(customer, of_creditor, today, row["due_on"], now)
        row["call_hours"] = customer["call_hours"]
        row["oldest_due_on"] = None if row["oldest_due_on"] == NEVER else row["oldest_due_on"]
    return rows
