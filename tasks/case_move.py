"""A person's hand on a case's course: another segment, another stage, or one step less. Always with the reason.

Position moves along by the names of steps, so what was done at a stage stays done. Whoever moves a case does not
approve what follows from it in the same round (law 9).
"""

import json

import polars as pl
from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import OPEN_ACTION_STATES, ActionState, Role, Stage, WorkKind, WorkState
from maatpak.ledger.tables import Action, Case, Round, RoundCourse, WorkTask
from maatpak.ledger.versions import succeed
from policies.journey import Journey
from policies.walk import ENTRY_LIMIT
from tasks.actions import move_action
from tasks.desk import Desk
from tasks.facts import build_facts
from tasks.rights import COLLECTORS, MANAGERS
from tasks.worklist import close_work, open_work

MANAGED_FROM = Stage.SOLVE
"""Entering a journey at or beyond this stage is a manager's decision."""
SKIPPED = "A step was passed over by hand."
"""Subject of the note that keeps the person's words."""
MOVE_CONFIRM = "Confirm that the key account is moved."
"""Subject of the work by which a finance director lets a key account leave its journey."""


def move_case(desk: Desk, case: Case, segment: str, reason: str, *, stage: Stage | None = None) -> RoundCourse | None:
    """Put an open round on another segment's journey, at a stage: by default as far as it had come, but no further on
    than a reroute would take it, and by nobody's word further than it has come (rule 4). What was proposed
    and not begun is taken back.

    A key account comes onto a path that leads to a demand by a credit manager's word and a finance director's: the
    first asks here (None), the second confirms the work that this opens.

    Raises:
        RefusedError: there is no open round, it has not come that far, or the role may not enter the journey that far
            on.
        UsageError: there is no such segment, or nothing would change; or the reason is missing.
    """
    desk.require("move a case", *COLLECTORS, Role.FINANCE_DIRECTOR)
    opened, course = _course(desk, case)
    journeys = desk.engine.pack(course.pack_id).journeys
    if segment not in journeys:
        raise UsageError(f"There is no segment {segment!r}.", advice=f"One of: {', '.join(journeys)}.")
    if not reason.strip():
        raise UsageError("A move needs its reason in words.", advice="Give a reason.")
    reached = _reached(desk, opened)
    entry = stage or min(reached, ENTRY_LIMIT, key=lambda each: each.rank)
    if (segment, entry) == (course.segment, course.entry_stage):
        raise UsageError(f"Case {case.id} is in {segment} from {entry} on already.", advice="There is nothing to move.")
    own = max(reached, Stage(course.entry_stage), key=lambda each: each.rank)
    if entry.rank > own.rank:
        milder = ", ".join(each for each in Stage if each.rank <= own.rank)
        raise RefusedError(
            f"Case {case.id} has come as far as {own}; the stage {entry} is harsher.",
            advice=f"A case changes journeys at the same or a softer stage: leave it out, or give one of: {milder}.",
        )
    if entry.rank >= MANAGED_FROM.rank:
        desk.require(f"move a case to the stage {entry}", *MANAGERS)
    if _needs_two(desk, case, journeys[course.segment], journeys[segment]):
        desk.require("ask to move a key account towards a demand", Role.CREDIT_MANAGER)
        draft = {"segment": segment, "stage": str(entry), "reason": reason}
        key = desk.engine.store.put("moves", canonical_json(draft).encode(), "json")
        task = open_work(
            desk, case, WorkKind.REVIEW, MOVE_CONFIRM, Role.FINANCE_DIRECTOR, working_days=2, record_no=key,
            asked_by=desk.person.login,
        )  # fmt: skip
        desk.record("case_move_asked", case=case, task=task.id, segment=segment, before=course.segment, stage=entry)
        return None
    return _move(desk, case, segment, entry, reason)


def confirm_move(desk: Desk, case: Case, draft_key: str) -> RoundCourse:
    """The finance director's yes: the case moves as the credit manager asked."""
    draft = json.loads(desk.engine.store.get(draft_key))
    return _move(desk, case, draft["segment"], Stage(draft["stage"]), draft["reason"])


def _needs_two(desk: Desk, case: Case, present: Journey, wanted: Journey) -> bool:
    """Whether a key account would come from a journey without a demand onto one that leads to it."""
    threatens = [any(step.escalating for step in journey.steps.values()) for journey in (present, wanted)]
    if threatens != [False, True]:
        return False
    with desk.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, case.creditor_id, desk.as_of, desk.now, case_ids=[int(case.id or 0)])
    return bool(facts.cases.filter(pl.col("case_id") == case.id)["key_account"].any())


def _move(desk: Desk, case: Case, segment: str, entry: Stage, reason: str) -> RoundCourse:
    opened, course = _course(desk, case)
    moved = succeed(
        desk.session,
        course,
        desk.as_of,
        desk.now,
        segment=segment,
        entry_stage=str(entry),
        cause=reason,
        actor=desk.person.login,
        by_hand=True,
        entered_on=desk.as_of,
    )
    for action in _open_actions(desk, opened):
        if action.state != ActionState.IN_PROGRESS:
            move_action(desk.session, action, ActionState.CANCELLED, desk.as_of, desk.now, reason=SkipReason.REROUTED)
    desk.record("case_moved", case=case, segment=segment, before=course.segment, stage=entry)
    return moved


def skip_step(desk: Desk, case: Case, step: str, reason: str) -> Action:
    """Pass over a step of the open round by hand; it counts as done for what follows.

    Raises:
        RefusedError: there is no open round, the step is being sent or of unknown outcome, or the role may not skip it.
        UsageError: a round of the journey has no such step; or the reason is missing.
    """
    opened, course = _course(desk, case)
    journey = desk.engine.pack(course.pack_id).journeys[course.segment]
    inside = {each.name: each for each in (*journey.course, *journey.reactions)}
    if step not in inside:
        raise UsageError(
            f"A round of the journey {course.segment} has no step {step!r}.", advice=f"One of: {', '.join(inside)}."
        )
    if not reason.strip():
        raise UsageError("A skipped step needs its reason in words.", advice="Give a reason.")
    chosen = inside[step]
    desk.require("skip a step", *(MANAGERS if chosen.stage.rank >= MANAGED_FROM.rank else COLLECTORS))
    earlier = _earlier(desk, opened, step, chosen.stage)
    for action in earlier:
        _take_back(desk, action)
    skipped = Action(
        creditor_id=case.creditor_id,
        case_id=int(case.id or 0),
        round_id=opened.id,
        stage=str(chosen.stage),
        step=step,
        attempt=max((action.attempt for action in earlier), default=0) + 1,
        kind=str(chosen.kind),
        segment=course.segment,
        pack_id=course.pack_id,
        state=ActionState.SKIPPED,
        reason=SkipReason.BY_HAND,
        template=chosen.template,
        escalating=False,
        amount=0,
        due_on=desk.as_of,
        business_date=desk.as_of,
        proposed_at=desk.now,
        ended_at=desk.now,
    )
    desk.session.add(skipped)
    desk.session.flush()
    note = open_work(
        desk, case, WorkKind.REVIEW, SKIPPED, Role(desk.person.role), working_days=0, record_no=f"A{skipped.id}",
        action_id=skipped.id,
    )  # fmt: skip
    close_work(desk, note, "done", reason)
    desk.record("step_skipped", case=case, action_id=skipped.id, step=step)
    return skipped


def _course(desk: Desk, case: Case) -> tuple[Round, RoundCourse]:
    opened = desk.open_round(int(case.id or 0))
    if opened is None:
        raise RefusedError(f"Case {case.id} has no open round.", advice="There is no course to change.")
    course = desk.session.exec(
        select(RoundCourse).where(RoundCourse.round_id == opened.id, col(RoundCourse.replaced_at).is_(None))
    ).one()
    return opened, course


def _open_actions(desk: Desk, opened: Round) -> list[Action]:
    return list(
        desk.session.exec(
            select(Action)
            .where(Action.round_id == opened.id, col(Action.state).in_([str(state) for state in OPEN_ACTION_STATES]))
            .with_for_update()
        )
    )


def _reached(desk: Desk, opened: Round) -> Stage:
    """The furthest stage that was executed in the round."""
    done = desk.session.exec(
        select(Action.stage).where(
            Action.round_id == opened.id,
            Action.state == ActionState.EXECUTED,
            col(Action.occurrence).is_(None),
        )
    )
    return max((Stage(stage) for stage in done), key=lambda stage: stage.rank, default=Stage.PREPARE)


def _earlier(desk: Desk, opened: Round, step: str, stage: Stage) -> list[Action]:
    """What became of the step in this round before."""
    return list(
        desk.session.exec(
            select(Action)
            .where(
                Action.round_id == opened.id,
                Action.stage == str(stage),
                Action.step == step,
                col(Action.occurrence).is_(None),
            )
            .with_for_update()
        )
    )


def _take_back(desk: Desk, action: Action) -> None:
    if action.state == ActionState.UNKNOWN:
        raise RefusedError(
            f"Nobody knows whether the step {action.step} reached the customer.",
            advice="Find out, and say so: `maatpak messages list --state unknown`.",
        )
    if action.state not in OPEN_ACTION_STATES:
        return
    tasks = desk.session.exec(
        select(WorkTask).where(WorkTask.action_id == action.id, WorkTask.state == WorkState.OPEN)
    ).all()
    if action.state == ActionState.IN_PROGRESS and not tasks:
        raise RefusedError(
            f"The step {action.step} is on its way to the customer.", advice="Wait until it has left, then go on."
        )
    for task in tasks:
        task.state, task.outcome, task.done_at = WorkState.CANCELLED, SkipReason.BY_HAND, desk.now
    move_action(desk.session, action, ActionState.CANCELLED, desk.as_of, desk.now, reason=SkipReason.BY_HAND)
