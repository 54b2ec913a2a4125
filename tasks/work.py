"""Work for people and its coded outcomes: consultations, reviews, decisions, repairs, cash, departments, replies.

Every piece of work ends once, by somebody whose role or name is on it, with an outcome from its list. What follows from
the outcome happens in the same transaction. Calls have their own table (tasks.calls).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import format_money
from maatpak.kernel.words import ActionState, CallResult, ConsultAnswer, HoldReason, Role, WorkKind, WorkState
from maatpak.ledger.tables import Action, Case, Touch, WorkTask
from tasks.actions import action_of, move_action
from tasks.answers import READ, read_answer
from tasks.case_move import MOVE_CONFIRM, confirm_move
from tasks.checking import require_looked_up
from tasks.claims import FIND_CASH, resolve_claim
from tasks.desk import Desk
from tasks.holds import LIFT_CONFIRM, current_hold, end_hold, holds_from, set_hold
from tasks.merging import MERGE_CONFIRM, confirm_merge
from tasks.plans import CONFIRM, OFFER, confirm_offer
from tasks.rights import COLLECTORS, DESK, HEARD, MANAGERS
from tasks.uploads import not_uploaded
from tasks.worklist import CHECK_FIRST, WAIVE_CALL, close_work, hold_source, open_work

MAY_DO: dict[str, tuple[Role, ...]] = {
    Role.OPERATOR: DESK,
    Role.COLLECTOR: (*COLLECTORS, Role.FINANCE_DIRECTOR),
    Role.ACCOUNT_MANAGER: HEARD,
    Role.CREDIT_MANAGER: MANAGERS,
    Role.FINANCE_DIRECTOR: (Role.FINANCE_DIRECTOR,),
}
"""Whose work it is → who may do it."""

WAIVED = "waived"
CONFIRM_WRITE_OFF = "Confirm the write-off."
NOT_OURS = "not_ours"
AGREED, REFUSED, SUPPLY_STOPPED = "agreed", "refused", "supply_stopped"

OUTCOMES: dict[WorkKind, tuple[str, ...]] = {
    WorkKind.CALL: (WAIVED,),
    WorkKind.CONSULT: (ConsultAnswer.AGREE, ConsultAnswer.I_TALK, ConsultAnswer.NO, ConsultAnswer.NOT_HEARD),
    WorkKind.REVIEW: ("done", AGREED, REFUSED),
    WorkKind.DECIDE: ("plan", "hold", "write_off", "legal", "statement_only", "continue"),
    WorkKind.NOTICE: ("seen", ConsultAnswer.I_TALK),
    WorkKind.REPAIR: ("repaired", "not_found"),
    WorkKind.CASH: ("found", "not_found"),
    WorkKind.DEPARTMENT: ("done", NOT_OURS),
    WorkKind.REPLY: ("answered",),
}
"""By kind of work: how it may end. A call ends by its results too, some reviews only as `outcomes_of` says."""

CONFIRMATIONS = frozenset({CONFIRM, CONFIRM_WRITE_OFF, LIFT_CONFIRM, MERGE_CONFIRM, MOVE_CONFIRM})
"""Subjects of the reviews that are a second person's word: nothing but a yes or a no ends them."""

TALK_DAYS = 5
"""Working days that an account manager may keep a case for a talk."""


@dataclass(frozen=True)
class Outcome:
    """How a person ends a piece of work."""

    code: str
    note: str | None = None
    until: date | None = None
    """For `hold` and `i_talk`: the last day of silence."""
    hold_reason: HoldReason | None = None


def outcomes_of(kind: WorkKind, subject: str, *, supply: bool) -> tuple[str, ...]:
    """How a piece of work may end without its result being a call's; `supply`: a review that may stop it."""
    if kind is not WorkKind.REVIEW:
        return OUTCOMES[kind]
    if subject in CONFIRMATIONS:
        return (AGREED, REFUSED)
    if subject == WAIVE_CALL:
        return (WAIVED, REFUSED)
    if subject == CHECK_FIRST:
        return ("done",)
    return (*OUTCOMES[kind], SUPPLY_STOPPED) if supply else OUTCOMES[kind]


def asks_of_supply(desk: Desk, task: WorkTask) -> bool:
    """Whether the pack says that this review may stop supply: of its step, else of the reason that opened it.

    A reason's work keeps no trace of its line, so that line is known by its words in the newest pack.
    """
    if task.action_id is not None:
        action = desk.session.get_one(Action, task.action_id)
        return desk.engine.pack(action.pack_id).step(action.segment, action.step).supply
    pack = desk.pack
    opened = [line.work for line in pack.reasons.values()] + [line.work for line in pack.call_results.values()]
    return any(work is not None and work.supply and work.about == task.subject for work in opened)


def finish_work(desk: Desk, task_id: int, outcome: Outcome) -> WorkTask:
    """End a piece of work and do what its outcome asks for.

    Raises:
        RefusedError: it is not this person's to end, or it has ended.
        UsageError: the outcome is not one of this kind of work.
    """
    case, task = _open(desk, task_id)
    kind = WorkKind(task.kind)
    right = ways_to_end(desk, task)
    if outcome.code not in right:
        words = (*CallResult, *right) if kind is WorkKind.CALL else right
        raise UsageError(
            f"{outcome.code!r} does not end work {task_id} ({kind}: {task.subject}).",
            advice=f"One of: {', '.join(words)}.",
        )
    require_may_end(desk, task)
    HANDLERS[kind](desk, case, task, outcome)
    desk.record(
        "work_done", case=case, action_id=task.action_id, task=task.id, work=kind, outcome=task.outcome or "asked"
    )
    return task


def take_work(desk: Desk, task_id: int) -> WorkTask:
    """A piece of work is this person's from now on, so that nobody else need look at it.

    Raises:
        RefusedError: it is not this person's to do, or it has ended.
    """
    case, task = _open(desk, task_id)
    require_may_end(desk, task)
    task.assignee = desk.person.login
    desk.session.flush()
    desk.record("work_taken", case=case, action_id=task.action_id, task=task.id, work=task.kind)
    return task


def ways_to_end(desk: Desk, task: WorkTask) -> tuple[str, ...]:
    """How this piece of work may end without its result being a call's."""
    kind = WorkKind(task.kind)
    return outcomes_of(kind, task.subject, supply=kind is WorkKind.REVIEW and asks_of_supply(desk, task))


def _open(desk: Desk, task_id: int) -> tuple[Case, WorkTask]:
    """The piece of work with its case, both locked."""
    task = desk.session.get(WorkTask, task_id)
    if task is None or task.creditor_id != desk.creditor.id or task.case_id is None:
        raise UsageError(f"There is no work {task_id}.", advice="`maatpak tasks list` shows what is open.")
    case = desk.case(task.case_id)
    desk.session.refresh(task, with_for_update=True)
    if task.state != WorkState.OPEN:
        raise RefusedError(f"Work {task_id} is {task.state}.", advice="Somebody was first, or the round closed.")
    return case, task


def require_may_end(desk: Desk, task: WorkTask) -> None:
    """Refuse whoever may not end a piece of work: it is not theirs by name or role, or they asked for another's word.

    Raises:
        RefusedError: so it is.
    """
    person = desk.person
    desk.require("end work", *DESK)
    if task.asked_by == person.login:
        raise RefusedError(
            f"{person.login} asked for a second person on work {task.id}.", advice="Somebody else gives that word."
        )
    if task.kind == WorkKind.CONSULT and task.assignee is not None and task.assignee != person.login:
        raise RefusedError(
            f"Consultation {task.id} is {task.assignee}'s to answer.",
            advice="After its date it passes to the deputy, then to the credit manager.",
        )
    # A second person's word is one of their role, whoever took the work or was asked by name.
    if task.assignee != person.login or task.asked_by is not None:
        desk.require(f"end work of the {task.role}", *MAY_DO[task.role])


def _end(desk: Desk, task: WorkTask, outcome: str, note: str | None) -> None:
    """The work is done, and so is the step that asked for it."""
    close_work(desk, task, outcome, note)
    if task.action_id is None:
        return
    action = action_of(desk.session, task.action_id)
    if action.state == ActionState.IN_PROGRESS:
        move_action(desk.session, action, ActionState.EXECUTED, desk.as_of, desk.now, result=outcome)


def _waive_call(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    """A credit manager says, with a reason, that this round goes on without a call (rule 7)."""
    del case
    desk.require("waive a call", *MANAGERS)
    _needs_note(outcome)
    _end(desk, task, WAIVED, outcome.note)


def _waive_unmade_call(desk: Desk, task: WorkTask, outcome: Outcome) -> None:
    """The same where there was no number, so a letter went in the call's place: the letter goes its own way."""
    if outcome.code == WAIVED:
        desk.require("waive a call", *MANAGERS)
        _needs_note(outcome)
    close_work(desk, task, outcome.code, outcome.note)


def _notice(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    """Who is told of what comes next may stop it, with the reason, to talk with the customer first (rule 27)."""
    if outcome.code == ConsultAnswer.I_TALK:
        desk.require("stop a notice for a talk", *HEARD)
        _needs_note(outcome)
        _hold_for_talk(desk, case, outcome, f"W{task.id}")
    _end(desk, task, outcome.code, outcome.note)


def _hold_for_talk(desk: Desk, case: Case, outcome: Outcome, source: str) -> None:
    latest = desk.in_working_days(case.debtor_id, TALK_DAYS)
    set_hold(
        desk,
        case,
        HoldReason.ACCOUNT_MANAGER_TALKS,
        min(outcome.until or latest, latest),
        outcome.note or "account manager talks",
        source=source,
        by_engine_rule=True,
    )


def _consult(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    profile = desk.profile(case.debtor_id)
    stands_in = task.role == Role.CREDIT_MANAGER and profile is not None and bool(profile.account_manager)
    code = outcome.code
    if code == ConsultAnswer.NOT_HEARD and not stands_in:
        raise RefusedError(
            "The account manager can still be heard.", advice="After 3 + 2 working days the credit manager decides."
        )
    if code == ConsultAnswer.AGREE and stands_in:
        code = ConsultAnswer.NOT_HEARD
    if code == ConsultAnswer.NO:
        _needs_note(outcome)
    if code != ConsultAnswer.I_TALK:
        _end(desk, task, code, outcome.note)
        return
    _hold_for_talk(desk, case, outcome, "consult")
    close_work(desk, task, code, outcome.note)
    if task.action_id is not None:
        # Not done: after the talk the question stands again.
        action = action_of(desk.session, task.action_id)
        if action.state == ActionState.IN_PROGRESS:
            move_action(
                desk.session, action, ActionState.CANCELLED, desk.as_of, desk.now, result=code, reason="on_hold"
            )


def _review(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    if task.subject == WAIVE_CALL:
        _waive_unmade_call(desk, task, outcome)
        return
    if task.subject == CHECK_FIRST:
        require_looked_up(desk, task)
    elif task.subject == MOVE_CONFIRM and outcome.code == AGREED:
        confirm_move(desk, case, str(task.record_no))
    elif task.subject == MERGE_CONFIRM and outcome.code == AGREED:
        confirm_merge(desk, case, task)
    elif task.subject == LIFT_CONFIRM and outcome.code == AGREED:
        hold = current_hold(desk, str(task.record_no))
        end_hold(desk, hold, case, outcome.note or "confirmed by a second person")
    elif task.subject == CONFIRM and outcome.code == AGREED:
        _needs_limit(desk, case, task)
        confirm_offer(desk, case, str(task.record_no))
    elif task.subject == CONFIRM_WRITE_OFF:
        _confirm_write_off(desk, case, task, outcome)
    elif outcome.code == SUPPLY_STOPPED:
        desk.session.add(
            Touch(
                creditor_id=case.creditor_id,
                party_id=case.party_id,
                case_id=case.id,
                action_id=task.action_id,
                kind=SUPPLY_STOPPED,
                record_no=f"W{task.id}",
                rating=desk.pack.ratings.get(SUPPLY_STOPPED, 0),
                touched_on=desk.as_of,
                recorded_at=desk.now,
            )
        )
    _end(desk, task, outcome.code, outcome.note)


def _decide(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    if outcome.code == "hold":
        if outcome.until is None or outcome.hold_reason is None:
            raise UsageError("A hold needs its reason and its last day.", advice="Give both.")
        set_hold(desk, case, outcome.hold_reason, outcome.until, outcome.note or "decided", source="decide")
    elif outcome.code == "plan":
        open_work(desk, case, WorkKind.REVIEW, OFFER, Role.COLLECTOR, working_days=1)
    elif outcome.code == "legal":
        open_work(desk, case, WorkKind.REVIEW, "Hand the case to legal.", Role.CREDIT_MANAGER, working_days=5)
    elif outcome.code == "write_off":
        _needs_note(outcome)
        # The decision stays open until a second person has said yes (rule 10).
        open_work(
            desk,
            case,
            WorkKind.REVIEW,
            CONFIRM_WRITE_OFF,
            Role.CREDIT_MANAGER,
            working_days=2,
            record_no=f"W{task.id}",
            asked_by=desk.person.login,
        )
        return
    _end(desk, task, outcome.code, outcome.note)


def _confirm_write_off(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    """The second word on a write-off ends the decision it belongs to, or leaves it open for another outcome."""
    decision = desk.session.get(WorkTask, int(str(task.record_no).removeprefix("W")))
    if outcome.code == AGREED and decision is not None and decision.state == WorkState.OPEN:
        _needs_limit(desk, case, task)
        _end(desk, decision, "write_off", outcome.note)
        desk.record("write_off_proposed", case=case, action_id=decision.action_id, asked_by=task.asked_by)


def _plain(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    del case
    _end(desk, task, outcome.code, outcome.note)


def _cash(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    if task.subject == FIND_CASH and task.record_no:
        resolve_claim(desk, task.record_no, found=outcome.code == "found")  # closes this work too
        return
    _plain(desk, case, task, outcome)


def _department(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    """What rested because of this work need rest no longer."""
    if outcome.code == NOT_OURS and task.action_id is not None:
        not_uploaded(desk, task, outcome.code, outcome.note)
    else:
        _end(desk, task, outcome.code, outcome.note)
    for hold in holds_from(desk, case, hold_source(task)):
        end_hold(desk, hold, case, outcome.code)


def _reply(desk: Desk, case: Case, task: WorkTask, outcome: Outcome) -> None:
    if task.subject == READ and task.record_no:
        read_answer(desk, task.record_no)  # closes this work too
        return
    _department(desk, case, task, outcome)


HANDLERS: dict[WorkKind, Callable[[Desk, Case, WorkTask, Outcome], None]] = {
    WorkKind.CALL: _waive_call,
    WorkKind.CONSULT: _consult,
    WorkKind.REVIEW: _review,
    WorkKind.DECIDE: _decide,
    WorkKind.NOTICE: _notice,
    WorkKind.REPAIR: _plain,
    WorkKind.CASH: _cash,
    WorkKind.DEPARTMENT: _department,
    WorkKind.REPLY: _reply,
}


def _needs_note(outcome: Outcome) -> None:
    if not (outcome.note or "").strip():
        raise UsageError(f"The outcome {outcome.code} needs its reason in words.", advice="Give a note.")


def _needs_limit(desk: Desk, case: Case, task: WorkTask) -> None:
    """The second person's limit covers everything open on the case, in the limit's currency."""
    open_amount = sum(item.open_amount for item in desk.open_items(case))
    person = desk.person
    if person.limit_currency != case.currency or person.approval_limit < open_amount:
        raise RefusedError(
            f"{person.login}'s limit, {format_money(person.approval_limit, person.limit_currency)}, does not cover"
            f" {format_money(open_amount, case.currency)} of work {task.id}.",
            advice="Ask somebody with a higher limit in that currency.",
        )
