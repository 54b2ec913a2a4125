"""Work: everything that is asked of a person and is no call, from consultations to the second word on a write-off."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Column, Done, Filter, Listing, Room, Shape, Sheet, one_of
from maatpak.console.frame.fields import NoFields, Words, as_words, named
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.whose import CASE, OF_TASK, WORK_TASKS, asked_of
from maatpak.console.rooms.work.seen import About, Beside, OpenItem, Piece
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import ConsultAnswer, HoldReason, Role, WorkKind, WorkState
from maatpak.ledger.tables import WorkTask
from maatpak.ledger.tables.standing import NO_DATE
from tasks.checking import action_of_placement
from tasks.desk import desk_in
from tasks.rights import DESK
from tasks.work import CONFIRMATIONS, MAY_DO, Outcome, finish_work, require_may_end, take_work, ways_to_end
from tasks.worklist import CHECK_FIRST

PATH = "/work"
ONE = PATH + "/{task_id}"
KINDS = tuple(kind for kind in WorkKind if kind is not WorkKind.CALL)
MINE = f"""
t.asked_by IS DISTINCT FROM :login
AND (t.assignee = :login OR (t.assignee IS NULL AND t.role = ANY({asked_of(MAY_DO)})))
"""
"""What somebody may end: theirs by name, or nobody's yet and of a role that theirs does."""
COUNT = f"""
SELECT count(*) FROM work_task t
WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open' AND t.kind <> 'call' AND {MINE}
"""  # noqa: S608 - our own words

TASK = f"""
SELECT t.id AS task_id, t.case_id, t.debtor_id, t.creditor_id, t.action_id, t.kind, t.subject, t.role, t.assignee,
  t.record_no, t.asked_by, t.channel, t.opened_on, t.due_on, t.blocks, t.state, t.outcome, t.note, t.done_on, t.done_by,
  c.code AS creditor, c.business_date, d.debtor_no, COALESCE(p.name, d.debtor_no) AS name,
  COALESCE(k.currency, c.currency) AS currency, p.account_manager, p.email, p.phone,
  s.segment, s.overdue_open, s.asked_amount, s.items_overdue, NULLIF(s.oldest_due_on, {NO_DATE}) AS oldest_due_on,
  s.experience_balance, s.non_payment_reason, s.next_step, a.step, a.state AS action_state, a.amount AS action_amount,
  a.approval_role IS NOT NULL AS approved_by_people
FROM {WORK_TASKS} LEFT JOIN action a ON a.id = t.action_id
WHERE t.id = :id AND t.creditor_id = ANY(:creditors)
"""  # noqa: S608 - our own words
RECORD = """
SELECT * FROM (
  SELECT 'promise' AS kind, promise_no AS number, state, made_on AS on, promised_on AS until, amount, NULL AS words,
    actor, NULL AS content, NULL::jsonb AS parts FROM promise WHERE promise_no = :number AND replaced_at IS NULL
  UNION ALL SELECT 'plan', plan_no, state, offered_on, valid_until, total, NULL, actor, NULL, instalments
    FROM plan WHERE plan_no = :number AND replaced_at IS NULL
  UNION ALL SELECT 'dispute', dispute_no, state, opened_on, answer_by, amount, reason, actor, NULL, NULL
    FROM dispute WHERE dispute_no = :number AND replaced_at IS NULL
  UNION ALL SELECT 'claimed payment', claim_no, state, claimed_on, until_on, amount, NULL, actor, NULL, NULL
    FROM claimed_payment WHERE claim_no = :number AND replaced_at IS NULL
  UNION ALL SELECT 'hold', hold_no, state, from_on, until_on, NULL, reason || ': ' || note, actor, NULL, NULL
    FROM hold WHERE hold_no = :number AND replaced_at IS NULL
  UNION ALL SELECT 'answer', answer_no, CASE WHEN read_on IS NULL THEN 'unread' ELSE 'read' END, received_on, NULL,
    NULL, channel, read_by, content, NULL FROM answer WHERE answer_no = :number AND replaced_at IS NULL
  UNION ALL SELECT 'decision', 'W' || id, COALESCE(outcome, state), opened_on, due_on, NULL, subject,
    COALESCE(done_by, assignee, role), NULL, NULL FROM work_task WHERE 'W' || id = :number AND case_id = :case
) r LIMIT 1
"""
ITEMS = """
SELECT v.item_id, v.document_no, v.item_type, v.due_on, v.open_amount FROM item_version v
WHERE v.debtor_id = :debtor AND v.currency = :currency AND v.open_amount > 0 AND v.replaced_at IS NULL
ORDER BY v.due_on, v.document_no LIMIT 20
"""
BESIDE = """
SELECT id AS task_id, kind, subject, role, assignee, due_on FROM work_task
WHERE case_id = :case AND state = 'open' AND id <> :id ORDER BY due_on, id LIMIT 10
"""

LIST = Listing(
    path=PATH,
    title="Work",
    help="What is asked of people, the most urgent first. Calls have a room of their own.",
    source="work_task t",
    beside=OF_TASK,
    columns=(
        Column("subject", "What", "t.subject", link=ONE),
        Column("name", "Customer", "COALESCE(p.name, d.debtor_no)", link=CASE),
        Column("debtor_no", "Number", "d.debtor_no", shown=False),
        Column("creditor", "Creditor", "c.code", shown=False),
        Column("kind", "Kind", "t.kind", Shape.CODE),
        Column("role", "Whose", "t.role", Shape.CODE),
        Column("assignee", "Assignee", "t.assignee"),
        Column("overdue_open", "Overdue", "s.overdue_open", Shape.MONEY),
        Column("opened_on", "Since", "t.opened_on", Shape.DATE, sorts=True, shown=False),
        Column("due_on", "Due", "t.due_on", Shape.DATE, sorts=True),
        Column("blocks", "Blocks", "t.blocks", Shape.FLAG, help="No notice goes out until it is done."),
        Column("outcome", "Outcome", "t.outcome", Shape.CODE),
        Column("currency", "Currency", "COALESCE(k.currency, c.currency)", shown=False),
        Column("state", "State", "t.state", Shape.CODE, shown=False),
        Column("asked_by", "Asked by", "t.asked_by", shown=False),
        Column("case_id", "Case", "t.case_id", Shape.NUMBER, shown=False),
        Column("action_id", "Action", "t.action_id", Shape.NUMBER, shown=False),
        Column("task_id", "Work number", "t.id", Shape.NUMBER, shown=False),
    ),
    key="t.id",
    order="due_on",
    creditor="t.creditor_id",
    where="t.kind <> 'call'",
    filters=(
        one_of(
            "state",
            "State",
            {"open": ("Open", "t.state = 'open'"), "ended": ("Ended", "t.state <> 'open'")},
            default="open",
        ),
        Filter("kind", "Kind", "t.kind = :value", choices=named(KINDS)),
        Filter("role", "Whose", "t.role = :value", choices=named(MAY_DO)),
        one_of(
            "assignee",
            "Assignee",
            {"me": ("Me", "t.assignee = :login"), "nobody": ("Nobody yet", "t.assignee IS NULL")},
        ),
        one_of(
            "when",
            "When",
            {
                "overdue": ("Overdue", "t.due_on < c.business_date"),
                "today": ("Due by today", "t.due_on <= c.business_date"),
            },
        ),
    ),
    search="t.subject ILIKE :words OR d.debtor_no ILIKE :words",
    searched=lambda words: f"%{words}%",
    empty="No work fits.",
)


class End(BaseModel):
    """How a piece of work ends."""

    outcome: Annotated[str, Field(max_length=40, title="Outcome")]
    note: Words | None = Field(None, title="Note", description="In your own words; some outcomes need it.")
    until: date | None = Field(None, title="Until", description="For a hold, or a talk: the last day of silence.")
    hold_reason: HoldReason | None = Field(None, title="Reason of the hold")


def _read(asking: Asking, task_id: int) -> Piece:
    found = asking.rows(TASK, id=task_id, creditors=list(asking.visitor.creditor_ids))
    if not found:
        raise missing("task", task_id)
    row = found[0]
    case = row["case_id"]
    about = _about(asking, row) if row["record_no"] else None
    outcomes, refused = _rights(asking, row) if row["state"] == WorkState.OPEN and case is not None else ([], None)
    names = {each.name for each in fields(Piece)} & row.keys()
    return Piece(
        **{name: row[name] for name in names},
        late=row["state"] == WorkState.OPEN
        and row["business_date"] is not None
        and row["due_on"] < row["business_date"],
        confirms=row["kind"] == WorkKind.REVIEW and row["subject"] in CONFIRMATIONS,
        outcomes=outcomes,
        refused=refused,
        placement=action_of_placement(row["record_no"]) if row["subject"] == CHECK_FIRST else None,
        about=about,
        move=_move(asking, row["record_no"]),
        items=[OpenItem(**each) for each in asking.rows(ITEMS, debtor=row["debtor_id"], currency=row["currency"])],
        beside=[Beside(**each) for each in asking.rows(BESIDE, case=case, id=task_id)],
    )


def _rights(asking: Asking, row: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """How it may end, and why the visitor may not end it."""
    day = row["business_date"] or row["opened_on"]
    looking = desk_in(asking.session, asking.engine, row["creditor_id"], asking.visitor.login, day, asking.now)
    task = asking.session.get_one(WorkTask, row["task_id"])
    heard = task.kind == WorkKind.CONSULT and task.role == Role.ACCOUNT_MANAGER
    outcomes = [each for each in ways_to_end(looking, task) if not (heard and each == ConsultAnswer.NOT_HEARD)]
    try:
        require_may_end(looking, task)
    except RefusedError as error:
        return outcomes, f"{error.message} {error.advice}"
    return outcomes, None


def _about(asking: Asking, row: Mapping[str, Any]) -> About | None:
    found = asking.rows(RECORD, number=row["record_no"], case=row["case_id"])
    if not found:
        return None
    record = found[0]
    written, parts = asking.kept(record.pop("content")), record.pop("parts")
    text = None if written is None else written.decode(errors="replace")
    return About(**record, text=text, instalments=parts or [])


def _move(asking: Asking, record_no: str | None) -> dict[str, str] | None:
    """The move that a second person is asked about: segment, stage and reason."""
    if record_no is None or not record_no.startswith("moves/"):
        return None
    draft = asking.kept(record_no)
    return None if draft is None else dict[str, str](json.loads(draft))


def _outcomes(asking: Asking, task_id: int) -> dict[str, list[Choice]]:
    piece = _read(asking, task_id)
    held = named(each for each in HoldReason if each is not HoldReason.NONE)
    return {"outcome": named(piece.outcomes), "hold_reason": held}


def _end(acting: Acting, form: End, task_id: int) -> Done:
    outcome = Outcome(form.outcome, form.note, form.until, form.hold_reason)
    with acting.desk("task_id", task_id) as desk:
        task = finish_work(desk, task_id, outcome)
        state, ended = str(task.state), task.outcome
    if state == WorkState.OPEN:
        told = "Another person is asked to confirm it; until then this stays open."
        return Done(told, ONE.format(task_id=task_id), {"task_id": task_id, "state": state})
    return Done(f"Done: {as_words(str(ended)).lower()}.", PATH, {"task_id": task_id, "state": state, "outcome": ended})


def _take(acting: Acting, form: NoFields, task_id: int) -> Done:
    del form
    with acting.desk("task_id", task_id) as desk:
        take_work(desk, task_id)
    return Done("It is yours now.", ONE.format(task_id=task_id), {"task_id": task_id})


WORK = Room(
    name="work",
    title="Work",
    path=PATH,
    listings=(LIST,),
    sheets=(
        Sheet(
            ONE,
            "Work",
            "A piece of work: what is asked, about what, and how it may end.",
            Piece,
            _read,
            "work.html",
        ),
    ),
    acts=(
        Act(
            ONE + "/done",
            "Done",
            "It ends with this outcome, and what follows from it happens at once.",
            End,
            _end,
            DESK,
            choices=_outcomes,
        ),
        Act(ONE + "/take", "Take it over", "It is yours by name from now on.", NoFields, _take, DESK),
    ),
    waiting=COUNT,
)
