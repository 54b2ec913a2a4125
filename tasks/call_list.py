"""The calls that are due, in the order in which they are worth making: who may be rung now, and what is at risk.

First come those who may be rung now, then those whose hours begin later, the soonest first; among them callbacks that
were agreed, for these are ours to keep; then the value at risk (tasks.standing) in whole units, as no rates are known;
then the date. All open calls are put in order by what their customers have in common (kind, country, zone, hours), and
only those of the page are looked at one by one. Who goes on to the next call has it to themselves for some minutes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import delete, text
from sqlmodel import Session, col, select

from maatpak.kernel.money import decimals
from maatpak.ledger.literals import numbers
from maatpak.ledger.tables import CallReservation, Creditor
from maatpak.ledger.tables.standing import NEVER
from policies.guardrails import Hours
from tasks.access.sight import require_sight
from tasks.call_hours import HOURS_OF, call_window, moment, ringing
from tasks.calls import CALLBACK
from tasks.current_pack import current_packs
from tasks.desk import acting_person
from tasks.rights import TALKERS

if TYPE_CHECKING:
    from tasks.engine import Engine

DUE = f"""
SELECT r.id, r.due_on, r.subject = '{CALLBACK}' AS agreed, COALESCE(s.value_at_risk, 0) AS value_at_risk,
  COALESCE(s.currency, cr.currency) AS currency, r.assignee,
  r.creditor_id, cr.business_date, cr.country AS our_country, cr.time_zone AS our_zone,
  COALESCE(z.kind, p.kind, 'business') AS kind, COALESCE(z.country, p.country, cr.country) AS country,
  CASE WHEN z.id IS NULL THEN p.time_zone ELSE z.time_zone END AS time_zone, f.value AS call_hours
FROM work_task r JOIN creditor cr ON cr.id = r.creditor_id
LEFT JOIN case_standing s ON s.case_id = r.case_id
LEFT JOIN debtor_profile p ON p.debtor_id = r.debtor_id AND p.replaced_at IS NULL
LEFT JOIN debtor y ON y.creditor_id = p.creditor_id AND y.debtor_no = p.payer_no AND y.id <> p.debtor_id
LEFT JOIN debtor_profile z ON z.debtor_id = y.id AND z.replaced_at IS NULL
LEFT JOIN preference f ON f.debtor_id = COALESCE(z.debtor_id, r.debtor_id) AND f.name = 'call_hours'
  AND f.replaced_at IS NULL
WHERE r.kind = 'call' AND r.state = 'open' AND r.creditor_id = ANY({{creditors}}) AND r.due_on <= cr.business_date
"""  # noqa: S608 - words of our own

ALIKE = ("creditor_id", "business_date", "our_country", "our_zone", "kind", "country", "time_zone", "call_hours")
"""Columns of `DUE`: rows that have them in common may be rung at the same hours."""
RESERVED_FOR = timedelta(minutes=10)
"""So long the next call is kept for who went on to it: to read, ring and write down what came of it."""
RESERVE = """
INSERT INTO call_reservation (task_id, login, until) VALUES (:task, :login, :until)
ON CONFLICT (task_id) DO UPDATE SET login = EXCLUDED.login, until = EXCLUDED.until
WHERE call_reservation.login = EXCLUDED.login OR call_reservation.until <= :now RETURNING task_id
"""
NOW = ""
"""Sorts before every later instant."""

SHOWN = f"""
SELECT r.id AS task_id, r.case_id, r.debtor_id, cr.code AS creditor, d.debtor_no, COALESCE(p.name, '') AS name,
  COALESCE(s.currency, cr.currency) AS currency, r.subject, r.due_on, r.assignee,
  COALESCE(s.overdue_open, 0) AS overdue_open, COALESCE(s.asked_amount, 0) AS asked_amount,
  COALESCE(s.value_at_risk, 0) AS value_at_risk, s.oldest_due_on, COALESCE(s.segment, '') AS segment,
  COALESCE(s.non_payment_reason, 'none') AS reason, COALESCE(s.experience_balance, 0) AS experience_balance,
  y.phone, j.login AS reserved_by,
  r.subject = '{CALLBACK}' AS agreed, COALESCE(b.tries, 0) AS tries, COALESCE(b.tries_today, 0) AS tries_today,
  h.day AS last_on, COALESCE(h.way, '') AS last_way, COALESCE(h.what, '') AS last_what, r.creditor_id, cr.business_date
FROM work_task r JOIN creditor cr ON cr.id = r.creditor_id JOIN debtor d ON d.id = r.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = r.debtor_id AND p.replaced_at IS NULL
LEFT JOIN case_standing s ON s.case_id = r.case_id
LEFT JOIN call_reservation j ON j.task_id = r.id AND j.until > :now
LEFT JOIN debtor z ON z.creditor_id = p.creditor_id AND z.debtor_no = p.payer_no AND z.id <> d.id
LEFT JOIN debtor_profile y ON y.debtor_id = COALESCE(z.id, d.id) AND y.replaced_at IS NULL
LEFT JOIN LATERAL (
  SELECT count(*) AS tries, count(*) FILTER (WHERE c.called_on = cr.business_date) AS tries_today
  FROM contact_result c WHERE c.case_id = r.case_id AND c.task_id = r.id) b ON true
LEFT JOIN LATERAL (
  SELECT * FROM (
    (SELECT called_on AS day, 'call' AS way, code AS what FROM contact_result WHERE case_id = r.case_id
     ORDER BY id DESC LIMIT 1)
    UNION ALL
    (SELECT sent_on, channel, template FROM message WHERE case_id = r.case_id AND state = 'sent'
     ORDER BY id DESC LIMIT 1)) told
  ORDER BY day DESC LIMIT 1) h ON true
WHERE r.id = ANY(:tasks)
"""  # noqa: S608 - words of our own


@dataclass(frozen=True)
class CallRow:
    """A call of the list."""

    task_id: int
    case_id: int
    debtor_id: int
    creditor: str
    """Code of the creditor."""
    business_date: date
    """The creditor's."""
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
    phone: str | None
    """Of who is called: the account that pays, where it is another one."""
    reserved_by: str | None
    """Who is about to make it."""
    agreed: bool
    """Whether it is a callback that was agreed."""
    tries: int
    """Attempts made for this call."""
    tries_today: int
    last_on: date | None
    """Of the last call or message that was sent; none: there was none."""
    last_way: str
    """`call`, or the channel of the message."""
    last_what: str
    """The call's result, or the message's template."""
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
    later_today: int
    """Those whose customer's hours begin later on this business date."""
    agreed: int
    """Those of all that are callbacks which were agreed."""


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
    due = _due(engine, session, creditor_ids, now, mine)
    shown = due["id"].slice(skip, most).to_list()
    rows = {row["task_id"]: row for row in _shown(engine, session, shown, now)}
    return CallPage(
        tuple(CallRow(**rows[task_id]) for task_id in shown),
        due.height,
        due.filter(pl.col("opens") == NOW).height,
        due.filter("later_today").height,
        due.filter("agreed").height,
    )


def next_call(
    engine: "Engine",
    session: Session,
    creditor_ids: Sequence[int],
    now: datetime,
    *,
    mine: str | None = None,
    after: int | None = None,
) -> int | None:
    """The call of the list to make now, the one `after` another; past the last it begins anew. For somebody (`mine`)
    none that somebody else is about to make.

    None: nobody else may be rung now.
    """
    return next(_next_ones(engine, session, creditor_ids, now, mine, after), None)


def take_next_call(
    engine: "Engine", creditor_ids: Sequence[int], actor: str, now: datetime, after: int | None = None
) -> int | None:
    """`next_call` of a person who makes it: for some minutes nobody else is given it.

    Raises:
        RefusedError: the person does not talk with customers, or may not see a creditor.
    """
    with engine.database.session() as session:
        acting_person(session, actor, "record a call", *TALKERS)
        codes = session.exec(select(Creditor.code).where(col(Creditor.id).in_(creditor_ids)))
        require_sight(session, actor, *codes)
        for task_id in _next_ones(engine, session, creditor_ids, now, actor, after):
            wanted = {"task": task_id, "login": actor, "until": now + RESERVED_FOR, "now": now}
            if session.connection().execute(text(RESERVE), wanted).first() is not None:
                others = delete(CallReservation).where(
                    col(CallReservation.login) == actor, col(CallReservation.task_id) != task_id
                )
                session.execute(others)
                return task_id
    return None


def _next_ones(
    engine: "Engine", session: Session, creditor_ids: Sequence[int], now: datetime, mine: str | None, after: int | None
) -> Iterator[int]:
    """The calls that may be made now, from the one after another on."""
    due = _due(engine, session, creditor_ids, now, mine).filter(pl.col("opens") == NOW)
    others = session.exec(
        select(CallReservation.task_id).where(col(CallReservation.until) > now, col(CallReservation.login) != mine)
    )
    ids = due.filter(~pl.col("id").is_in(others.all()))["id"].to_list()
    place = ids.index(after) + 1 if after in ids else 0
    return (task_id for task_id in ids[place:] + ids[:place] if task_id != after)


def _due(
    engine: "Engine", session: Session, creditor_ids: Sequence[int], now: datetime, mine: str | None
) -> pl.DataFrame:
    """`_in_order`, of one's own calls and nobody's where somebody's are asked for."""
    head = session.connection().execute(text("SELECT seq FROM event_head")).scalar_one()
    due = _in_order(engine, tuple(sorted(creditor_ids)), head, now.replace(second=0, microsecond=0))
    return due if mine is None else due.filter(pl.col("assignee").fill_null(mine) == mine)


@lru_cache(maxsize=8)
def _in_order(engine: "Engine", creditor_ids: tuple[int, ...], head: int, minute: datetime) -> pl.DataFrame:
    """The `id` of each call that is due, in order; its `assignee`, when it `opens`, `later_today`, `agreed`.

    The hours of customers who have them in common are reckoned once. The same for all who look within a minute, unless
    something happened: the `head` of the events is another then.
    """
    del head
    with engine.database.frames(read_only=True) as frames:
        due = frames.read(DUE.format(creditors=numbers(creditor_ids)))
    alike = due.select(ALIKE).unique()
    with engine.database.reading() as session:
        hours = _hours(engine, session, set(alike["creditor_id"]))
    when = [_when(row, hours[row["creditor_id"]], minute) for row in alike.to_dicts()]
    reckoned = alike.with_columns(
        pl.Series("opens", [opens for opens, _ in when], pl.String),
        pl.Series("later_today", [later for _, later in when], pl.Boolean),
    )
    units = pl.Series([10 ** decimals(currency) for currency in due["currency"]], dtype=pl.Int64)
    return (
        due.with_columns(at_risk=pl.col("value_at_risk") / units)
        .join(reckoned, on=ALIKE, nulls_equal=True)
        .sort("opens", ~pl.col("agreed"), -pl.col("at_risk"), "due_on", "id")
        .select("id", "assignee", "opens", "later_today", "agreed")
    )


def _when(row: dict[str, Any], hours: Hours, now: datetime) -> tuple[str, bool]:
    """From when a customer may be rung, as text that sorts, and whether that is later on the business date."""
    today, zone = row["business_date"], row["our_zone"]
    at = moment(today, now, zone)
    opens = call_window(row, hours).next_from(at)
    if opens is None:
        return "never", False
    return (NOW, False) if opens == at else (opens.isoformat(), opens.astimezone(ZoneInfo(zone)).date() == today)


def _hours(engine: "Engine", session: Session, creditors: set[int]) -> dict[int, Hours]:
    """By creditor: the hours of its newest pack."""
    packs = current_packs(session, creditors)
    return {creditor: engine.pack(pack).guardrails.hours for creditor, pack in packs.items()}


def _shown(engine: "Engine", session: Session, tasks: list[int], now: datetime) -> list[dict[str, Any]]:
    rows = [dict(row) for row in session.connection().execute(text(SHOWN), {"tasks": tasks, "now": now}).mappings()]
    debtors = sorted({row["debtor_id"] for row in rows})
    known = session.connection().execute(text(HOURS_OF), {"debtors": debtors}).mappings()
    customers = {row["debtor_id"]: dict(row) for row in known}
    hours = _hours(engine, session, {row["creditor_id"] for row in rows})
    for row in rows:
        of_creditor, today = hours[row.pop("creditor_id")], row["business_date"]
        customer = customers[row["debtor_id"]]
        row["ring_from"], row["may_ring"] = ringing(customer, of_creditor, today, row["due_on"], now)
        row["call_hours"] = customer["call_hours"]
        row["oldest_due_on"] = None if row["oldest_due_on"] == NEVER else row["oldest_due_on"]
    return rows
