"""Moving single actions through their states; bulk moves are in tasks.execute and tasks.settle."""

from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import ACTION_TRANSITIONS, OPEN_ACTION_STATES, ActionState
from maatpak.ledger.tables import Action, Case


def move_action(
    session: Session,
    action: Action,
    state: ActionState,
    on: date,
    at: datetime,
    *,
    result: str | None = None,
    reason: str | None = None,
) -> None:
    """Take an action to its next state; what may follow what is the words' own table."""
    if state not in ACTION_TRANSITIONS[ActionState(action.state)]:
        raise RefusedError(
            f"Action {action.id} is {action.state}; it cannot become {state}.",
            advice="Somebody or the engine was first; look at the case again.",
        )
    action.state = state
    action.result = result if result is not None else action.result
    action.reason = reason if reason is not None else action.reason
    if state == ActionState.APPROVED:
        action.approved_on, action.approved_at = on, at
    elif state == ActionState.EXECUTED:
        action.executed_on, action.ended_at = on, at
    elif state not in OPEN_ACTION_STATES:
        action.ended_at = at
    session.flush()
    if state in (ActionState.CANCELLED, ActionState.REJECTED):
        give_back_slot(session, action)


def give_back_slot(session: Session, action: Action) -> None:
    """The party's day is free again, unless another action of the same letter still needs it."""
    sharer = session.exec(
        select(Action.id)
        .join(Case, col(Case.id) == Action.case_id)
        .where(
            Action.id != action.id,
            Action.business_date == action.business_date,
            col(Action.written),
            col(Action.payer_party_id).is_not_distinct_from(action.payer_party_id),
            col(Action.state).not_in([ActionState.CANCELLED, ActionState.REJECTED, ActionState.SKIPPED]),
            Case.debtor_id == select(Case.debtor_id).where(Case.id == action.case_id).scalar_subquery(),
        )
    ).first()
    if sharer is None:
        session.execute(text("DELETE FROM contact_slot WHERE action_id = :action"), {"action": action.id})
    else:
        session.execute(
            text("UPDATE contact_slot SET action_id = :sharer WHERE action_id = :action"),
            {"sharer": sharer, "action": action.id},
        )


def action_of(session: Session, action_id: int) -> Action:
    """The action, its row locked."""
    action = session.exec(select(Action).where(Action.id == action_id).with_for_update()).first()
    if action is None:
        raise RefusedError(f"There is no action {action_id}.", advice="`maatpak approvals list` shows what waits.")
    return action
