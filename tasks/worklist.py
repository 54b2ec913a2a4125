"""Opening and closing work for people, the same way wherever it comes from."""

from sqlmodel import col, select

from maatpak.kernel.words import Role, WorkKind, WorkState
from maatpak.ledger.tables import Case, WorkTask
from tasks.desk import Desk


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
    """A new piece of work on a case, due in that many working days; the one that is open already, if any."""
    present = desk.session.exec(
        select(WorkTask).where(
            WorkTask.case_id == case.id,
            WorkTask.kind == kind,
            WorkTask.subject == subject,
            WorkTask.record_no == record_no if record_no is not None else col(WorkTask.record_no).is_(None),
            WorkTask.state == WorkState.OPEN,
        )
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
