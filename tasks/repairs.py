"""Addresses that somebody has to find: one piece of work an address, closed by a new one.

It is that of the account that is written to: whoever pays for several, and whose mailbox is gone, is looked for once.
"""

from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import text
from sqlmodel import col, or_, select

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import LegalStop, Role, WorkKind, WorkState
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import Action, Case, Debtor, Message, MessageAction, WorkTask
from tasks.desk import Desk
from tasks.facts.query import PLAIN
from tasks.payers import PAYING_NOW
from tasks.settle_money import Settling, changes

ANY = "No message can reach the customer: find an address."
NO_PHONE = "There is no phone number to call: find one."
REPAIRS = {
    "email": "An e-mail did not arrive: find the right e-mail address.",
    "phone": "A text did not arrive: find the right phone number.",
    "post": "A letter did not arrive: find the right postal address.",
    None: ANY,
}
"""What is asked of whoever mends an address, by what is to be found; a text's is the phone number."""
ADDRESS_OF = {"email": "email", "sms": "phone", "phone": "phone", "post": "post"}
"""By channel, what is to be found."""
MENDED_WITHIN = 5
"""Working days."""
AGAIN_AFTER = {"repaired": 7, "not_found": 28}
"""Days before which an address is not asked for again, by what somebody said of it: found, or not to be found."""

DIGITS = "regexp_replace({text}, '[^0-9+]', '', 'g')"
"""What two ways of writing one number have in common."""
KEYS = {"email": "lower(p.email)", "phone": DIGITS.format(text="p.phone"), "post": PLAIN.format(text="p.street")}
NO_AREA = "''"
AREAS = {"email": NO_AREA, "phone": NO_AREA, "post": PLAIN.format(text="COALESCE(p.postal_code, '')")}
"""What belongs to a street."""
MARK = (
    f"CASE s.channel WHEN 'post' THEN {PLAIN.format(text='s.address')}"
    f" WHEN 'email' THEN lower(s.address) ELSE {DIGITS.format(text='s.address')} END"
)
GIVEN = " UNION ALL ".join(
    f"SELECT r.id AS task_id, '{channel}' AS channel, {key} AS address, {AREAS[channel]} AS area,"  # noqa: S608
    f" p.recorded_at, p.replaced_at FROM repair r JOIN {table} p ON p.debtor_id = r.owner_id WHERE {key} <> ''"
    for channel, key in KEYS.items()
    for table in (("debtor_profile",) if channel == "post" else ("debtor_profile", "contact_person"))
)

FOUND = f"""
WITH repair AS (
  SELECT t.id, t.channel, t.recorded_at, t.debtor_id, t.debtor_id AS owner_id FROM work_task t WHERE {{which}}
  UNION SELECT t.id, t.channel, t.recorded_at, t.debtor_id, y.id
    FROM work_task t CROSS JOIN LATERAL (SELECT y.id {PAYING_NOW} AND x.debtor_id = t.debtor_id) y WHERE {{which}}),
given AS ({GIVEN}),
found AS (
  SELECT r.id FROM repair r JOIN given g ON g.task_id = r.id AND g.replaced_at IS NULL
  LEFT JOIN LATERAL (
    SELECT s.state, s.recorded_at FROM address_state s
    WHERE s.debtor_id IN (r.debtor_id, r.owner_id) AND s.replaced_at IS NULL AND s.channel = g.channel
      AND CASE g.channel WHEN 'post' THEN position(g.address IN {MARK}) > 0 AND position(g.area IN {MARK}) > 0
          ELSE g.address = {MARK} END
    ORDER BY s.debtor_id = r.debtor_id DESC LIMIT 1) known ON TRUE
  WHERE COALESCE(r.channel, g.channel) = g.channel AND COALESCE(known.state, '') NOT IN ('dead', 'opted_out')
    AND (known.state = 'proven' AND known.recorded_at > r.recorded_at
      OR NOT EXISTS (SELECT 1 FROM given b WHERE b.task_id = r.id AND b.channel = g.channel
        AND b.address = g.address AND b.area = g.area
        AND b.recorded_at <= r.recorded_at AND (b.replaced_at IS NULL OR b.replaced_at > r.recorded_at))))
UPDATE work_task t SET state = 'done', outcome = 'repaired', done_on = {{day}}, done_by = {{who}}, done_at = {{at}}
FROM found WHERE t.id = found.id AND t.state = 'open' RETURNING t.id, t.case_id
"""  # noqa: S608 - our own words
"""Repairs that an address ends which was not there when they were asked for, or has proven good since."""

_DAYS = " ".join(f"WHEN '{outcome}' THEN {days}" for outcome, days in AGAIN_AFTER.items())
AGAIN = f"CASE t.outcome {_DAYS} ELSE 0 END"


def open_repair(
    desk: Desk,
    case: Case,
    channel: str,
    *,
    owner: Debtor | None = None,
    subject: str | None = None,
    role: Role = Role.OPERATOR,
    within: int = MENDED_WITHIN,
) -> WorkTask:
    """Somebody is to find the address of a channel; the one who is at it already, if any.

    `owner`: whose address it is, by default of who is written to for the case.
    """
    debtor = owner or desk.payer(desk.session.get_one(Debtor, case.debtor_id))
    wanted = ADDRESS_OF[channel]
    same = or_(col(WorkTask.channel) == wanted, col(WorkTask.channel).is_(None))
    present = desk.session.exec(
        select(WorkTask).where(
            WorkTask.debtor_id == debtor.id, WorkTask.kind == WorkKind.REPAIR, WorkTask.state == WorkState.OPEN, same
        )
    ).first()
    if present is not None:
        return present
    task = WorkTask(
        creditor_id=case.creditor_id,
        debtor_id=int(debtor.id or 0),
        case_id=case.id,
        kind=WorkKind.REPAIR,
        subject=subject or REPAIRS[wanted],
        role=role,
        channel=wanted,
        opened_on=desk.as_of,
        due_on=desk.in_working_days(int(debtor.id or 0), within),
        recorded_at=desk.now,
    )
    desk.session.add(task)
    desk.session.flush()
    return task


def owner_of(desk: Desk, message: Message) -> Debtor:
    """Whose address a message went to: of who pays, but a demand goes to the legal entity itself (rule 22)."""
    debtor = desk.session.get_one(Debtor, message.debtor_id)
    demands = (
        select(Action.id)
        .join(MessageAction, col(MessageAction.action_id) == col(Action.id))
        .where(MessageAction.message_id == message.id, col(Action.escalating))
    )
    return debtor if desk.session.exec(demands).first() is not None else desk.payer(debtor)


OPEN_MANY = """
INSERT INTO work_task (creditor_id, debtor_id, case_id, kind, subject, role, channel, opened_on, due_on, blocks, state,
                       recorded_at)
SELECT {creditor}, r.owner_id, r.case_id, 'repair', r.subject, 'operator', r.channel, {day}, r.due_on, false, 'open',
  {at}
FROM (SELECT DISTINCT ON (n.owner_id, n.channel) n.*
      FROM (SELECT w.*, COALESCE((SELECT y.id {paying} AND x.debtor_id = w.debtor_id AND NOT w.itself LIMIT 1),
                                 w.debtor_id) AS owner_id FROM pg_temp.to_repair w) n
      ORDER BY n.owner_id, n.channel, n.case_id) r
WHERE NOT EXISTS (SELECT 1 FROM work_task t WHERE t.debtor_id = r.owner_id AND t.kind = 'repair'
  AND (t.state = 'open' AND (r.channel IS NULL OR t.channel IS NULL OR t.channel = r.channel)
    OR t.channel IS NOT DISTINCT FROM r.channel AND t.done_by <> 'engine' AND t.done_on > {day} - {again}))
ORDER BY r.owner_id, r.channel ON CONFLICT DO NOTHING
"""


def open_repairs(frames: Frames, creditor_id: int, wanted: pl.DataFrame, on: date, at: datetime) -> None:
    """The same for many: (case_id, debtor_id, channel or null, itself, subject, country).

    `itself`: whether the debtor's own address is meant, whoever pays.
    """
    if wanted.is_empty():
        return
    today = pl.Series("due_on", [on]).new_from_index(0, wanted.height)
    due_on = shift_working_days(today, MENDED_WITHIN, wanted["country"])
    columns = (*("case_id", "debtor_id", "itself", "subject"), pl.col("channel").cast(pl.String))
    frames.stage("to_repair", wanted.select(*columns, due_on=due_on))
    frames.execute(
        OPEN_MANY.format(
            creditor=int(creditor_id),
            day=f"DATE '{on.isoformat()}'",
            at=f"TIMESTAMPTZ '{at.isoformat()}'",
            paying=PAYING_NOW,
            again=AGAIN,
        )
    )


def unreached(decided: pl.DataFrame) -> pl.DataFrame:
    """The customers for whom an address is to be found, before their journey comes to it.

    `decided`: (case_id, debtor_id, country, reason) and the facts of what is owed and which addresses are known.
    """
    owes = (pl.col("overdue_open") + pl.col("not_due_open") > 0) & (pl.col("legal_stop") == LegalStop.NONE)
    known = pl.col("email_known") | pl.col("phone_known") | pl.col("post_known")
    by_post = known & (pl.col("reason") == NoActionReason.NO_ADDRESS)
    return (
        decided.filter(owes & (~known | by_post))
        .with_columns(itself=known & ~pl.col("own_post_known"), channel=pl.when(known).then(pl.lit("post")))
        .with_columns(subject=pl.when(known).then(pl.lit(REPAIRS["post"])).otherwise(pl.lit(ANY)))
    )


def end_repairs(settling: Settling) -> pl.DataFrame:
    """The work of finding an address ends with a new one, wherever it came from."""
    which = f"t.creditor_id = {int(settling.creditor_id)} AND t.kind = 'repair' AND t.state = 'open'"
    at = f"TIMESTAMPTZ '{settling.at.isoformat()}'"
    ended = settling.frames.read(FOUND.format(which=which, day=f"DATE '{settling.as_of}'", who="'engine'", at=at))
    return changes(
        ended.select(
            "case_id",
            what=pl.lit("repair"),
            record=pl.col("id").cast(pl.String),
            state=pl.lit("repaired"),
            amount=pl.lit(None),
        )
    )


def end_repairs_of(desk: Desk, debtor: Debtor) -> None:
    """The same at once, for an account whose address a person has just given."""
    marks: dict[str, Any] = {"debtor": debtor.id, "day": desk.as_of, "who": desk.person.login, "at": desk.now}
    which = "t.debtor_id = :debtor AND t.kind = 'repair' AND t.state = 'open'"
    statement = FOUND.format(which=which, day=":day", who=":who", at=":at")
    desk.session.execute(text(statement), marks)
