"""A person's word on a proposed action: yes, no, not yet, or a question to the account manager first (laws 5 and 9).

The order of the checks is that of their weight: is it still there, may this person say yes (`tasks.four_eyes`), is what
was shown still what would go out; and a placement gets its last yes only when all is known that must be known first.
Nothing is written before all of them hold.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import ActionState, Role, StepKind, Verdict, WorkKind, WorkState
from maatpak.ledger.locks import lock_parties
from maatpak.ledger.tables import Action, Approval, Case, WorkTask
from tasks.actions import action_of, move_action
from tasks.checking import require_checked
from tasks.content import hashes_of
from tasks.desk import Desk
from tasks.four_eyes import MAY_APPROVE, objections
from tasks.worklist import open_work

ASKED = "Before the verdict on {step}: {question}"
"""Subject of the consultation by which an approver asks the account manager."""
ANSWERED_WITHIN = 3
"""Working days; then the question passes on, as any consultation does (rule 9)."""
LONGEST_QUESTION = 1_000


def approve(
    desk: Desk, action_ids: Sequence[int], reason: str, *, shown: Mapping[int, str] | None = None
) -> list[Action]:
    """A person's yes to one action or a batch; those that have all their yeses are approved.

    `shown`: action → the content hash that the person saw; without it, the one that is proposed.

    Raises:
        RefusedError: role, limit, four eyes, an open question, the content or a check before a placement forbid it; or
            the batch holds too many final demands, or a placement beside something else.
    """
    _needs_words("An approval", reason)
    _lock(desk, action_ids)
    actions = [_waiting(desk, action_id) for action_id in sorted(set(action_ids))]
    _require_batch(desk, actions)
    ids = [int(action.id or 0) for action in actions]
    against = objections(desk.session, desk.person, ids, desk.as_of)
    if against:
        first = against[min(against)]
        raise RefusedError(first.told, advice=first.advice)
    as_they_are = _as_they_are(desk, actions)
    for action in actions:
        _unchanged(action, shown, as_they_are.get(int(action.id or 0)))
        if action.kind == StepKind.HANDOFF and _yeses(desk, action) + 1 >= max(1, action.approvals_needed):
            require_checked(desk, action)
        _say_yes(desk, action, reason)
    return actions


def reject(desk: Desk, action_id: int, reason: str, next_step: str, next_on: date) -> Action:
    """A person's no: with its reason, and which step comes next and when. Until then the proposal does not return."""
    action = _waiting(desk, action_id)
    _needs_words("A rejection", reason)
    steps = desk.engine.pack(action.pack_id).journeys[action.segment].steps
    _needs_later(desk, next_on)
    if next_step not in steps:
        raise UsageError(
            f"The journey {action.segment} has no step {next_step!r}.", advice=f"One of: {', '.join(steps)}."
        )
    desk.require("reject this", *MAY_APPROVE[str(action.approval_role)])
    _turn_down(desk, action, Verdict.REJECTED, reason, next_step, next_on)
    desk.record(
        "approval_refused",
        case=desk.case(action.case_id),
        action_id=action.id,
        content=action.content_hash,
        next_step=next_step,
        next_on=next_on.isoformat(),
    )
    return action


def postpone(desk: Desk, action_id: int, reason: str, until: date) -> Action:
    """A person's not yet: the proposal is taken back, and the same step comes up again from that date (rule 11).

    What it says is then written afresh, from the facts of that day, and needs its verdict as ever.
    """
    action = _waiting(desk, action_id)
    _needs_words("A postponement", reason)
    _needs_later(desk, until)
    desk.require("postpone this", *MAY_APPROVE[str(action.approval_role)])
    _turn_down(desk, action, Verdict.POSTPONED, reason, action.step, until)
    desk.record(
        "approval_postponed",
        case=desk.case(action.case_id),
        action_id=action.id,
        content=action.content_hash,
        step=action.step,
        until=until.isoformat(),
    )
    return action


def ask_account_manager(desk: Desk, action_id: int, question: str) -> WorkTask:
    """A question to the customer's account manager; until it is answered nobody says yes (rule 9).

    It is a consultation: agree, I talk until then, or no, because; unanswered it passes to the deputy, then to the
    credit manager.

    Raises:
        RefusedError: nobody looks after the customer, or it is who asks; or another question is open.
    """
    action = _waiting(desk, action_id)
    desk.require("ask before the verdict", *MAY_APPROVE[str(action.approval_role)])
    words = " ".join(question.split())
    if not 0 < len(words) <= LONGEST_QUESTION:
        raise UsageError(
            f"A question has 1 to {LONGEST_QUESTION} characters, not {len(words)}.",
            advice="Ask it in a sentence or two.",
        )
    case = desk.case(action.case_id)
    profile = desk.profile(case.debtor_id)
    asked = profile.account_manager if profile else None
    if not asked:
        raise RefusedError(
            "The master data names no account manager of this customer.", advice="Decide it, or postpone it."
        )
    if asked == desk.person.login:
        raise RefusedError(f"{asked} is the account manager.", advice="Postpone it, and talk with the customer.")
    desk.require_person(asked, "answer a consultation", Role.ACCOUNT_MANAGER, Role.CREDIT_MANAGER)
    if _questions(desk.session, action):
        raise RefusedError("A question about it is open already.", advice="It waits for that answer.")
    task = open_work(
        desk,
        case,
        WorkKind.CONSULT,
        ASKED.format(step=action.step, question=words),
        Role.ACCOUNT_MANAGER,
        working_days=ANSWERED_WITHIN,
        assignee=asked,
        asked_by=desk.person.login,
        action_id=action.id,
    )
    desk.record("account_manager_asked", case=case, action_id=action.id, task=task.id, content=action.content_hash)
    return task


def _say_yes(desk: Desk, action: Action, reason: str) -> None:
    case, needed = desk.case(action.case_id), max(1, action.approvals_needed)
    desk.session.add(
        Approval(
            action_id=int(action.id or 0),
            content_hash=str(action.content_hash),
            verdict=Verdict.APPROVED,
            actor=desk.person.login,
            role=desk.person.role,
            reason=reason,
            decided_on=desk.as_of,
            lapses_on=desk.in_working_days(case.debtor_id, desk.pack.guardrails.approvals.lapse_after),
            recorded_at=desk.now,
        )
    )
    desk.session.flush()
    given = _yeses(desk, action)
    if given >= needed:
        move_action(desk.session, action, ActionState.APPROVED, desk.as_of, desk.now)
    desk.record(
        "approval_given",
        case=case,
        action_id=action.id,
        content=action.content_hash,
        step=action.step,
        yes=given,
        of=action.approvals_needed,
    )


def _turn_down(desk: Desk, action: Action, verdict: Verdict, reason: str, next_step: str, next_on: date) -> None:
    """No, or not yet: the proposal ends, and says what comes next and when. A question about it needs no answer."""
    desk.session.add(
        Approval(
            action_id=int(action.id or 0),
            content_hash=str(action.content_hash),
            verdict=verdict,
            actor=desk.person.login,
            role=desk.person.role,
            reason=reason,
            next_step=next_step,
            next_on=next_on,
            decided_on=desk.as_of,
            recorded_at=desk.now,
        )
    )
    action.retry_on, action.retry_step = next_on, next_step
    move_action(desk.session, action, ActionState.REJECTED, desk.as_of, desk.now, reason=verdict)
    for task in _questions(desk.session, action):
        task.state, task.outcome, task.done_at = WorkState.CANCELLED, verdict, desk.now


def _require_batch(desk: Desk, actions: Sequence[Action]) -> None:
    """Placements one by one; of final demands as many as somebody can look at (rule 11)."""
    demands = [each for each in actions if each.escalating and each.kind == StepKind.MESSAGE]
    most = desk.pack.guardrails.approvals.demands_a_batch
    if len(demands) > most:
        raise RefusedError(
            f"{len(demands)} final demands in one batch; {most} is the most.",
            advice="Look at them in smaller batches.",
        )
    if len(actions) > 1 and any(each.kind == StepKind.HANDOFF for each in actions):
        raise RefusedError("Placements are approved one by one.", advice="Take them out of the batch.")


def _needs_words(what: str, reason: str) -> None:
    if not reason.strip():
        raise UsageError(f"{what} needs its reason in words.", advice="Give a reason.")


def _needs_later(desk: Desk, day: date) -> None:
    if day <= desk.as_of:
        raise UsageError(f"{day} is not after today ({desk.as_of}).", advice="Say when the next step may come.")


def _questions(session: Session, action: Action) -> list[WorkTask]:
    """The open questions about an action."""
    return list(
        session.exec(
            select(WorkTask).where(
                WorkTask.action_id == action.id,
                WorkTask.kind == WorkKind.CONSULT,
                WorkTask.state == WorkState.OPEN,
            )
        )
    )


def _lock(desk: Desk, action_ids: Sequence[int]) -> None:
    """The parties of a whole batch, in the one order of all locks."""
    parties = desk.session.exec(
        select(Case.party_id)
        .join(Action, col(Action.case_id) == Case.id)
        .where(col(Action.id).in_(set(action_ids)), Action.creditor_id == desk.creditor.id)
    )
    lock_parties(desk.session, parties)


def _waiting(desk: Desk, action_id: int) -> Action:
    found = desk.session.get(Action, action_id)
    if found is None or found.creditor_id != desk.creditor.id:
        raise UsageError(f"There is no action {action_id}.", advice="`maatpak approvals list` shows what waits.")
    desk.case(found.case_id)
    action = action_of(desk.session, action_id)
    desk.session.refresh(action)
    if action.state != ActionState.AWAITING_APPROVAL:
        raise RefusedError(f"Action {action_id} is {action.state}; nothing waits.", advice="Look at the list again.")
    return action


def _unchanged(action: Action, shown: Mapping[int, str] | None, as_it_is: str | None) -> None:
    if shown is not None and shown.get(int(action.id or 0)) != action.content_hash:
        raise RefusedError(
            f"Action {action.id} is no longer what was shown.", advice="Look at it again before you approve it."
        )
    if as_it_is != action.content_hash:
        raise RefusedError(
            f"Items, amount, recipient or text of action {action.id} have changed since it was proposed.",
            advice="The next run proposes it afresh.",
        )


def _as_they_are(desk: Desk, actions: Sequence[Action]) -> dict[int, str]:
    """The hashes of what the actions would do now; the parties are locked, so nothing moves meanwhile."""
    with desk.engine.database.frames(read_only=True) as frames:
        ids = [int(action.id or 0) for action in actions]
        return hashes_of(desk.engine, frames, ids, desk.as_of, desk.now)


def _yeses(desk: Desk, action: Action) -> int:
    rows = desk.session.exec(
        select(Approval).where(
            Approval.action_id == action.id,
            Approval.content_hash == action.content_hash,
            Approval.verdict == Verdict.APPROVED,
            col(Approval.lapses_on) >= desk.as_of,
        )
    ).all()
    return len({row.actor for row in rows})
