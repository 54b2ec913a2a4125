"""What each coded result of a call does to the call and its step.

What else follows (work, a hold, the reason it states, the number's state) is declared in the pack's call_results.yaml.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import col, func, select

from maatpak.kernel.calendars import working_days_between
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import (
    ATTEMPT_ONLY_RESULTS,
    SPOKEN_RESULTS,
    TRIED_DAY_PARTS,
    TRIED_DAYS,
    ActionState,
    CallResult,
    NonPaymentReason,
    Role,
    WorkKind,
    WorkState,
)
from maatpak.ledger.locks import lock_parties
from maatpak.ledger.tables import Case, ContactResult, Debtor, WorkTask
from policies.reach import OF_STATE, Learned
from tasks.actions import action_of, move_action
from tasks.call_hours import HOURS_OF, Side, call_window, moment
from tasks.desk import Desk
from tasks.holds import set_hold
from tasks.payers import PAYING_NOW
from tasks.preferences import mark_address
from tasks.promises import make_promise
from tasks.reasons import state_reason
from tasks.repairs import open_repair
from tasks.rights import TALKERS
from tasks.worklist import close_work, hold_source, open_work

RUNG_FOR = f"""
SELECT d.id FROM debtor d WHERE d.party_id = :party UNION SELECT x.debtor_id {PAYING_NOW} AND y.party_id = :party
"""  # noqa: S608 - our own words
"""The accounts about which a party is rung: its own, and those that it pays for."""
TRIED = "tried"
CALLBACK = "The callback that was agreed."
DAY_PARTS = ("morning", "afternoon", "evening")
NOON, EVENING = 12, 17
"""Hours at which the afternoon and the evening begin."""


@dataclass(frozen=True)
class Call:
    """What came of one attempt, as the collector tells it."""

    code: CallResult
    day_part: str
    callback_on: date | None = None
    promised_on: date | None = None
    promised_amount: int | None = None
    documents: list[str] | None = None
    """What the promise and the reason are about; all that is overdue, if none is named."""
    reason: NonPaymentReason | None = None
    objected: list[str] | None = None
    """What the reason is about, where that is something else than what is promised."""
    disputed: int | None = None
    """How much of one document the reason objects to; all of it, if nothing is said."""
    note: str | None = None
    at: time | None = None
    """The hour at which it was made, where the creditor is; None for just now."""
    side: Side = Side.OURS


def day_part(at: time) -> str:
    """The part of the day of an hour where the creditor is."""
    return "morning" if at.hour < NOON else "afternoon" if at.hour < EVENING else "evening"


def record_call(desk: Desk, task_id: int, call: Call) -> WorkTask:
    """Record one attempt of a call task and do what its result asks for.

    Raises:
        RefusedError: the customer was already called today, or may not be called at that hour.
        UsageError: the task is no open call, or the result lacks its date or reason.
    """
    desk.require("record a call", *TALKERS)
    task = _open_call(desk, task_id)
    case = desk.case(int(task.case_id or 0))
    desk.session.refresh(task, with_for_update=True)
    if task.state != WorkState.OPEN:
        raise RefusedError(f"Call {task_id} is {task.state}.", advice="Somebody was first.")
    payer = desk.payer(desk.session.get_one(Debtor, case.debtor_id))
    lock_parties(desk.session, {case.party_id, payer.party_id})
    _check(desk, case, call, payer.party_id)
    desk.session.add(
        ContactResult(
            creditor_id=case.creditor_id,
            case_id=int(case.id or 0),
            debtor_id=case.debtor_id,
            payer_party_id=payer.party_id if payer.party_id != case.party_id else None,
            task_id=task.id,
            code=call.code,
            day_part=call.day_part,
            callback_on=call.callback_on if call.code == CallResult.CALLBACK_AGREED else None,
            called_on=desk.as_of,
            actor=desk.person.login,
            recorded_at=desk.now,
        )
    )
    desk.session.flush()
    desk.record("call_recorded", case=case, action_id=task.action_id, task=task.id, result=call.code, side=call.side)
    _others_tomorrow(desk, payer.party_id, task)
    _as_the_pack_says(desk, case, call)
    CONSEQUENCES[call.code](desk, case, task, call)
    return task


def _check(desk: Desk, case: Case, call: Call, party_id: int) -> None:
    """Refuse what cannot be; `party_id` is the party that was called."""
    if call.day_part not in DAY_PARTS:
        raise UsageError(f"{call.day_part!r} is no part of a day.", advice=f"One of: {', '.join(DAY_PARTS)}.")
    if call.code in ATTEMPT_ONLY_RESULTS:
        # Who is called is one person on the phone, whatever the account, the currency or the creditor (law 6).
        today = desk.session.exec(
            select(ContactResult)
            .join(Case, col(Case.id) == ContactResult.case_id)
            .where(
                func.coalesce(ContactResult.payer_party_id, Case.party_id) == party_id,
                ContactResult.called_on == desk.as_of,
            )
        ).first()
        if today is not None:
            raise RefusedError(
                f"The customer of case {case.id} was already called on {desk.as_of}.",
                advice="One attempt a day, over all its cases; try again tomorrow.",
            )
        if call.side is Side.INBOUND:
            raise UsageError(
                f"Nobody was reached ({call.code}), so the customer did not ring us.", advice="Leave --inbound out."
            )
    _within_hours(desk, case, call)
    if call.code == CallResult.CALLBACK_AGREED and (call.callback_on is None or call.callback_on < desk.as_of):
        raise UsageError("A callback needs its date, from today on.", advice="Give the day on which we call back.")
    if call.code == CallResult.CALLBACK_AGREED and call.callback_on is not None:
        _not_too_late(desk, case, call.callback_on)
    if call.code == CallResult.PROMISED and call.promised_on is None:
        raise UsageError("A promise needs its date.", advice="Give the day by which the money is promised.")
    if call.code == CallResult.REFUSES and not (call.note or "").strip():
        raise UsageError("A refusal needs its reason in words.", advice="Give a note for the credit manager.")
    if call.disputed is not None:
        line = desk.pack.reasons.get(call.reason) if call.reason is not None else None
        if line is None or not line.dispute or len(call.objected or call.documents or ()) != 1:
            raise UsageError("A part is objected to of one document.", advice="Give the objection, and that document.")


def _not_too_late(desk: Desk, case: Case, callback_on: date) -> None:
    """Until a callback we are silent, so it is no further off than a promise may be (rule 16)."""
    ahead = working_days_between(desk.as_of, callback_on, desk.country(case.debtor_id))
    most = desk.pack.guardrails.promises.horizon
    if ahead > most:
        raise RefusedError(
            f"{callback_on} is {ahead} working days ahead; a callback is agreed for {most} at most.",
            advice="Agree an earlier day, or let a credit manager set a hold with its reason.",
        )


def _within_hours(desk: Desk, case: Case, call: Call) -> None:
    """The hours of the pack and those that the customer asked for hold for a person, too (rule 28)."""
    ours = desk.now.astimezone(ZoneInfo(desk.creditor.time_zone))
    if call.at is not None and ours.date() == desk.as_of and call.at > ours.time():
        raise UsageError(
            f"A call at {call.at:%H:%M} is still to be made: it is {ours:%H:%M}.", advice="Record it when it was made."
        )
    if call.side is not Side.OURS:
        return
    known = desk.session.execute(text(HOURS_OF), {"debtors": [case.debtor_id]}).mappings().one()
    window = call_window(dict(known), desk.pack.guardrails.hours)
    made = moment(desk.as_of, desk.now, desk.creditor.time_zone, call.at)
    opens = window.next_from(made)
    if opens == made:
        return
    then = "" if opens is None else f"; next from {window.local(opens):%a %d %b %H:%M} there"
    raise RefusedError(
        f"The customer of case {case.id} is rung {window.said()}, and it is {window.local(made):%a %d %b %H:%M} there.",
        advice=f"Ring within these hours{then}. If it was made at another hour, give --at HH:MM; --inbound if they rang"
        " us, --asked if they asked for a call at this time.",
    )


def _others_tomorrow(desk: Desk, party_id: int, task: WorkTask) -> None:
    """What else the party was to be rung about today waits until tomorrow; a callback that was agreed stands."""
    rung = desk.session.execute(text(RUNG_FOR), {"party": party_id}).scalars().all()
    for other in desk.session.exec(
        select(WorkTask).where(
            col(WorkTask.debtor_id).in_(rung),
            WorkTask.id != task.id,
            WorkTask.kind == WorkKind.CALL,
            WorkTask.state == WorkState.OPEN,
            WorkTask.due_on <= desk.as_of,
            WorkTask.subject != CALLBACK,
        )
    ):
        other.due_on = desk.in_working_days(other.debtor_id, 1)


def _end(desk: Desk, task: WorkTask, outcome: str, call: Call) -> None:
    """The call is done, and so is its step."""
    close_work(desk, task, outcome, call.note)
    if task.action_id is not None:
        action = action_of(desk.session, task.action_id)
        if action.state == ActionState.IN_PROGRESS:
            move_action(desk.session, action, ActionState.EXECUTED, desk.as_of, desk.now, result=outcome)


def _try_again(desk: Desk, case: Case, task: WorkTask, call: Call) -> None:
    """Nobody reached: tomorrow at another time of day, until it counts as tried."""
    attempts = desk.session.exec(select(ContactResult).where(ContactResult.task_id == task.id)).all()
    tries = [attempt for attempt in attempts if attempt.code in ATTEMPT_ONLY_RESULTS]
    days, parts = {each.called_on for each in tries}, {each.day_part for each in tries}
    if len(days) >= TRIED_DAYS and len(parts) >= TRIED_DAY_PARTS:
        _end(desk, task, TRIED, call)
        return
    task.due_on = desk.in_working_days(case.debtor_id, 1)
    desk.session.flush()


def _stays(desk: Desk, case: Case, task: WorkTask, call: Call) -> None:
    """We told nothing and ask for the right person, on another day."""
    del call
    task.due_on = desk.in_working_days(case.debtor_id, 1)
    desk.session.flush()


def _number_dead(desk: Desk, case: Case, task: WorkTask, call: Call) -> None:
    """Nobody was called: the step failed, until the number is mended or another way is chosen."""
    del case
    close_work(desk, task, call.code, call.note)
    if task.action_id is None:
        return
    action = action_of(desk.session, task.action_id)
    if action.state == ActionState.IN_PROGRESS:
        move_action(
            desk.session, action, ActionState.FAILED, desk.as_of, desk.now, result=call.code, reason="no_address"
        )


def _callback(desk: Desk, case: Case, task: WorkTask, call: Call) -> None:
    """Ours to keep: a call of its own on the agreed day; silence until then and a day after."""
    assert call.callback_on is not None
    _spoken(desk, case, task, call)
    promised = open_work(desk, case, WorkKind.CALL, CALLBACK, Role.COLLECTOR, working_days=0)
    promised.due_on, promised.assignee = call.callback_on, desk.person.login
    desk.session.flush()


def _promised(desk: Desk, case: Case, task: WorkTask, call: Call) -> None:
    assert call.promised_on is not None
    make_promise(desk, case, call.promised_on, amount=call.promised_amount, documents=call.documents, source="call")
    _spoken(desk, case, task, call)


def _spoken(desk: Desk, case: Case, task: WorkTask, call: Call) -> None:
    """The call is done, and so is its step."""
    del case
    _end(desk, task, call.code, call)


CONSEQUENCES: dict[CallResult, Callable[[Desk, Case, WorkTask, Call], None]] = {
    CallResult.NO_ANSWER: _try_again,
    CallResult.VOICEMAIL: _try_again,
    CallResult.WRONG_NUMBER: _number_dead,
    CallResult.LEFT_COMPANY: _number_dead,
    CallResult.THIRD_PARTY: _stays,
    CallResult.CALLBACK_AGREED: _callback,
    CallResult.PROMISED: _promised,
    CallResult.PLAN_ASKED: _spoken,
    CallResult.SPOKE_NO_COMMITMENT: _spoken,
    CallResult.REFUSES: _spoken,
    CallResult.COMPLAINT: _spoken,
    CallResult.DISTRESS: _spoken,
    CallResult.DO_NOT_CALL: _spoken,
}
"""What a result does to the call itself; what else follows is the pack's to say."""


def _as_the_pack_says(desk: Desk, case: Case, call: Call) -> None:
    """The number's state, the reason it states, the work and the hold that follow."""
    line = desk.pack.call_results[call.code]
    if line.phone is not None:
        _mark_phone(desk, case, OF_STATE[line.phone], call.code)
    elif call.code in SPOKEN_RESULTS:
        _mark_phone(desk, case, Learned.ANSWERED, call.code)
    reason = call.reason or line.states
    if reason is not None:
        about = call.objected or call.documents
        state_reason(
            desk, case, reason, documents=about, amount=call.disputed, source="call", with_work=line.work is None
        )
    source = "call"
    if line.work is not None:
        work = line.work
        if work.kind is WorkKind.REPAIR:
            task = open_repair(desk, case, "phone", subject=work.about, role=work.role, within=work.within)
        else:
            task = open_work(
                desk,
                case,
                work.kind,
                work.about,
                work.role,
                working_days=work.within,
                blocks=work.kind is WorkKind.REVIEW and line.hold is None,
            )
        task.note = call.note
        source = hold_source(task)
    if line.hold is not None:
        until = desk.in_working_days(case.debtor_id, line.hold.for_)
        note = call.note or line.about
        set_hold(desk, case, line.hold.reason, until, note, source=source, by_engine_rule=True)


def _mark_phone(desk: Desk, case: Case, learned: Learned, cause: str) -> None:
    payer = desk.payer(desk.session.get_one(Debtor, case.debtor_id))
    profile = desk.profile(int(payer.id or 0))
    if profile is not None and profile.phone:
        mark_address(desk, case, "phone", profile.phone, learned, cause)


def _open_call(desk: Desk, task_id: int) -> WorkTask:
    task = desk.session.get(WorkTask, task_id)
    if task is None or task.kind != WorkKind.CALL or task.creditor_id != desk.creditor.id:
        raise UsageError(f"There is no call {task_id}.", advice="`maatpak tasks list` shows the open ones.")
    if task.state != WorkState.OPEN:
        raise RefusedError(f"Call {task_id} is {task.state}.", advice="Somebody was first, or the round closed.")
    return task
