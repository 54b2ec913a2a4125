"""Opening and closing work for people, the same way wherever it comes from."""

from datetime import date, datetime
from typing import Any

import polars as pl
from sqlmodel import col, select

from maatpak.kernel.words import Role, WorkKind, WorkState
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import Case, WorkTask
from tasks.desk import Desk

WAIVE_CALL = "No number: waive the call?"
"""Subject of the work by which a credit manager lets a round go on without the call that nobody could make (rule 7)."""

CHECK_FIRST = "Look up what must be known before the placement."
"""Subject of the work by which somebody records what a placement still needs (rule 20)."""


def open_work(
    desk: Desk,
    case: Case,
    kind: WorkKind,
    subject: str,
    role: Role,
    *,
    working_days: int,
    assignee: str | None = None,
    record_no: str | None = None,
    asked_by: str | None = None,
    action_id: int | None = None,
    blocks: bool = False,
) -> WorkTask:
    """A new piece of work on a case, due in that many working days; the one that is open already, if any.

    Of a repair that names no address there is one a customer, whatever asks for it (`tasks.repairs` has the others).
    """
    same: list[Any]
    if kind is WorkKind.REPAIR:
        same = [WorkTask.debtor_id == case.debtor_id, col(WorkTask.channel).is_(None)]
    else:
        about = WorkTask.record_no == record_no if record_no is not None else col(WorkTask.record_no).is_(None)
        same = [WorkTask.case_id == case.id, WorkTask.subject == subject, about]
    present = desk.session.exec(
        select(WorkTask).where(WorkTask.kind == kind, WorkTask.state == WorkState.OPEN, *same)
    ).first()
    if present is not None:
        return present
    task = WorkTask(
        creditor_id=case.creditor_id,
        debtor_id=case.debtor_id,
        case_id=case.id,
        action_id=action_id,
        kind=kind,
        subject=subject,
        role=role,
        assignee=assignee,
        record_no=record_no,
        asked_by=asked_by,
        opened_on=desk.as_of,
        due_on=desk.in_working_days(case.debtor_id, working_days),
        blocks=blocks,
        recorded_at=desk.now,
    )
    desk.session.add(task)
    desk.session.flush()
    return task


NEW_WORK = {
    "case_id": pl.Int64,
    "debtor_id": pl.Int64,
    "kind": pl.String,
    "subject": pl.String,
    "role": pl.String,
    "record_no": pl.String,
    "due_on": pl.Date,
    "blocks": pl.Boolean,
}
"""What the engine says of work that it opens."""

OPEN_MANY = """
INSERT INTO work_task (creditor_id, debtor_id, case_id, kind, subject, role, record_no, opened_on, due_on, blocks,
                       state, recorded_at)
SELECT {creditor}, n.debtor_id, n.case_id, n.kind, n.subject, n.role, n.record_no, {day}, n.due_on, n.blocks, 'open',
       {at}
FROM pg_temp.new_work n
WHERE NOT EXISTS (SELECT 1 FROM work_task t WHERE t.case_id = n.case_id AND t.subject = n.subject
  AND CASE WHEN n.record_no IS NULL THEN t.record_no IS NULL AND (t.state = 'open' OR t.done_on > {day} - {again})
      ELSE t.record_no = n.record_no END)
ORDER BY n.case_id, n.subject, n.record_no
RETURNING case_id, subject, record_no
"""
AGAIN_AFTER = 28
"""Days before which work on something that lasts is not asked for again, once somebody has ended it."""


def open_many(frames: Frames, creditor_id: int, rows: pl.DataFrame, on: date, at: datetime) -> pl.DataFrame:
    """Work that the engine opens, once a case, subject and record: (case_id, subject, record_no) of what is new.

    Rows without `blocks` keep no notice back.
    """
    if "blocks" not in rows.columns:
        rows = rows.with_columns(blocks=pl.lit(value=False))
    frames.stage("new_work", rows.select(pl.col(name).cast(dtype) for name, dtype in NEW_WORK.items()))
    day, moment = f"DATE '{on.isoformat()}'", f"TIMESTAMPTZ '{at.isoformat()}'"
    return frames.read(OPEN_MANY.format(creditor=int(creditor_id), day=day, at=moment, again=AGAIN_AFTER))


def hold_source(task: WorkTask) -> str:
    """The source of holds that last while a piece of work is open."""
    return f"W{task.id}"


def close_work(desk: Desk, task: WorkTask, outcome: str, note: str | None = None) -> None:
    """The work is done, with its coded outcome."""
    task.state, task.outcome, task.note = WorkState.DONE, outcome, note
    task.done_on, task.done_by, task.done_at = desk.as_of, desk.person.login, desk.now
    desk.session.flush()


def close_work_about(desk: Desk, record_no: str, outcome: str) -> None:
    """Whatever is open about a record is done with it."""
    for task in desk.session.exec(
        select(WorkTask).where(WorkTask.record_no == record_no, WorkTask.state == WorkState.OPEN)
    ):
        close_work(desk, task, outcome)
