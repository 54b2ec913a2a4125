"""What a person does to a case's course by hand: move it to another segment, or pass a step over.

Whoever does either does not approve what follows (law 9, tasks.approvals). A round keeps its version and its history;
only the course is replaced, and never further on than the case had come (practice, rule 4).
"""

from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import (
    DONE_ACTION_STATES,
    OPEN_ACTION_STATES,
    ActionState,
    Role,
    SkipReason,
    Stage,
    WorkKind,
)
from maatpak.ledger.tables import Action, Case, Round, RoundCourse
from maatpak.ledger.versions import succeed
from policies.journey import Journey, Step
from policies.walk import ENTRY_LIMIT
from tasks.actions import move_action
from tasks.desk import Desk
from tasks.rights import MANAGERS
from tasks.worklist import close_work, open_work

NOT_BEGUN = OPEN_ACTION_STATES - {ActionState.IN_PROGRESS}
"""What can be taken back without taking anything from anybody."""
SKIPPED = "A step was passed over by hand."
"""Subject of the note that keeps the person's words."""


def move_case(desk: Desk, case: Case, segment: str, reason: str) -> RoundCourse:
    """Let the open round follow another segment's journey from today; what was proposed and not begun is taken back.

    Raises:
        RefusedError: the role may not, or no round is open.
        UsageError: there is no such segment, or the case is in it; or the reason is missing.
    """
    desk.require("move a case", *MANAGERS)
    _needs_words("A move", reason)
    round_ = _open_round(desk, case)
    course = _course(desk, round_)
    journeys = desk.engine.pack(course.pack_id).journeys
    if segment not in journeys:
        raise UsageError(f"There is no segment {segment!r}.", advice=f"One of: {', '.join(journeys)}.")
    if segment == course.segment:
        raise UsageError(f"Case {case.id} is in {segment} already.", advice="See `maatpak cases`.")
    stage = _reached(desk, round_)
    for action in _actions(desk, round_):
        if action.state in NOT_BEGUN:
            move_action(
                desk.session, action, ActionState.CANCELLED, desk.as_of, desk.now, reason=str(SkipReason.REROUTED)
            )
    before = course.segment
    moved = succeed(
        desk.session,
        course,
        desk.as_of,
        desk.now,
        segment=segment,
        entry_stage=stage,
        cause=reason,
        actor=desk.person.login,
    )
    desk.record("case_moved", case=case, round=round_.id, before=before, after=segment, stage=stage)
    return moved


def skip_step(desk: Desk, case: Case, step: str, reason: str) -> Action:
    """Pass a step of the open round over: it counts as done for what follows, with the reason `by_hand`.

    Raises:
        RefusedError: the role may not, no round is open, or the step is done, under way or of unknown outcome.
        UsageError: the journey has no such step in a round; or the reason is missing.
    """
    desk.require("pass a step over", *MANAGERS)
    _needs_words("A skip", reason)
    round_ = _open_round(desk, case)
    course = _course(desk, round_)
    planned = _step(desk.engine.pack(course.pack_id).journeys[course.segment], step)
    earlier = [each for each in _actions(desk, round_) if (each.stage, each.step) == (planned.stage, step)]
    skipped = None
    for action in earlier:
        _may_skip(action)
        if action.state == ActionState.PROPOSED:
            move_action(desk.session, action, ActionState.SKIPPED, desk.as_of, desk.now, reason=str(SkipReason.BY_HAND))
            skipped = action
        elif action.state in NOT_BEGUN:
            move_action(
                desk.session, action, ActionState.CANCELLED, desk.as_of, desk.now, reason=str(SkipReason.BY_HAND)
            )
    attempt = max((each.attempt for each in earlier), default=0) + 1
    skipped = skipped or _skipped(desk, case, round_, course, planned, attempt)
    note = open_work(
        desk, case, WorkKind.REVIEW, SKIPPED, Role.CREDIT_MANAGER, working_days=0, action_id=skipped.id,
        record_no=f"S{skipped.id}",
    )  # fmt: skip
    close_work(desk, note, "done", reason)
    desk.record("step_skipped", case=case, action_id=skipped.id, step=step, stage=planned.stage)
    return skipped


def _skipped(desk: Desk, case: Case, round_: Round, course: RoundCourse, planned: Step, attempt: int) -> Action:
    action = Action(
        creditor_id=case.creditor_id,
        case_id=int(case.id or 0),
        round_id=round_.id,
        stage=planned.stage,
        step=planned.name,
        attempt=attempt,
        kind=planned.kind,
        segment=course.segment,
        pack_id=course.pack_id,
        state=ActionState.SKIPPED,
        reason=SkipReason.BY_HAND,
        amount=0,
        due_on=desk.as_of,
        business_date=desk.as_of,
        proposed_at=desk.now,
        ended_at=desk.now,
    )
    desk.session.add(action)
    desk.session.flush()
    return action


def _may_skip(action: Action) -> None:
    if action.state in DONE_ACTION_STATES:
        raise RefusedError(
            f"The step {action.step} of case {action.case_id} is {action.state}.", advice="There is nothing to skip."
        )
    if action.state == ActionState.IN_PROGRESS:
        raise RefusedError(
            f"The step {action.step} of case {action.case_id} is under way.",
            advice="End its work (`maatpak tasks list`), or wait for its message.",
        )
    if action.state == ActionState.UNKNOWN:
        raise RefusedError(
            f"Nobody knows whether the step {action.step} of case {action.case_id} reached the customer.",
            advice="Find out, and say so: `maatpak messages list --state unknown`.",
        )


def _step(journey: Journey, name: str) -> Step:
    inside = [step.name for step in (*journey.course, *journey.reactions)]
    if name not in inside:
        raise UsageError(
            f"A round of the journey {journey.segment} has no step {name!r}.", advice=f"One of: {', '.join(inside)}."
        )
    return journey.steps[name]


def _open_round(desk: Desk, case: Case) -> Round:
    found = desk.open_round(int(case.id or 0))
    if found is None:
        raise RefusedError(
            f"Case {case.id} has no open round.", advice="The next one looks for its segment by the facts of that day."
        )
    return found


def _course(desk: Desk, round_: Round) -> RoundCourse:
    return desk.session.exec(
        select(RoundCourse).where(RoundCourse.round_id == round_.id, col(RoundCourse.replaced_at).is_(None))
    ).one()


def _actions(desk: Desk, round_: Round) -> list[Action]:
    query = select(Action).where(Action.round_id == round_.id, col(Action.occurrence).is_(None))
    return list(desk.session.exec(query.order_by(col(Action.attempt), col(Action.id)).with_for_update()))


def _reached(desk: Desk, round_: Round) -> Stage:
    """The furthest stage that was executed in the round, but none that escalates: the new journey begins there."""
    done = [Stage(each.stage) for each in _actions(desk, round_) if each.state == ActionState.EXECUTED]
    furthest = max(done, key=lambda stage: stage.rank, default=Stage.PREPARE)
    return min(furthest, ENTRY_LIMIT, key=lambda stage: stage.rank)


def _needs_words(act: str, reason: str) -> None:
    if not reason.strip():
        raise UsageError(f"{act} needs its reason in words.", advice="Give a reason.")
