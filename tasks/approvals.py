"""A person's yes or no to a proposed action: role, limit, four eyes, and the very content that was shown (law 9).

The order of the checks is that of their weight: is it still there, may this role, has this person a hand in the case,
does the limit reach, is what was shown still what would go out; and a placement gets its last yes only when all is
known that must be known first. Nothing is written before all of them hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import text
from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import format_money
from maatpak.kernel.words import ActionState, Role, StepKind, Verdict
from maatpak.ledger.locks import lock_parties
from maatpak.ledger.tables import Action, Approval, Case
from policies.guardrails import PlacementLimits
from tasks.actions import action_of, move_action
from tasks.case_move import MOVE_CONFIRM
from tasks.checking import require_checked
from tasks.content import hashes_of
from tasks.desk import Desk
from tasks.groups import exposures
from tasks.placement_checks import Check, checks_of, reading
from tasks.revalidate import EVERYTHING_RECORDED

ADDRESS_WATCH = 5
"""A change of address this many working days before a demand shows on its approval."""

MAY_APPROVE: dict[str, tuple[Role, ...]] = {
    Role.COLLECTOR: (Role.COLLECTOR, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR),
    Role.ACCOUNT_MANAGER: (Role.ACCOUNT_MANAGER, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR),
    Role.CREDIT_MANAGER: (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR),
    Role.FINANCE_DIRECTOR: (Role.FINANCE_DIRECTOR,),
}
"""The role that a step asks for → the roles that have it."""

HANDS_IN_THE_CASE = """
SELECT DISTINCT hand.actor, hand.act FROM (
    SELECT actor, 'recorded a call result' AS act FROM contact_result WHERE case_id = :case AND called_on >= :since
    UNION ALL SELECT actor, 'recorded a reason' FROM stated_reason WHERE case_id = :case AND valid_from >= :since
    UNION ALL SELECT actor, 'recorded a promise' FROM promise WHERE case_id = :case AND valid_from >= :since
    UNION ALL SELECT actor, 'changed a plan' FROM plan WHERE case_id = :case AND valid_from >= :since
    UNION ALL SELECT actor, 'set or lifted a hold' FROM hold WHERE debtor_id = :debtor AND valid_from >= :since
    UNION ALL SELECT actor, 'rejected a dispute' FROM dispute
              WHERE case_id = :case AND state = 'rejected' AND valid_from >= :since
    UNION ALL SELECT actor, 'resolved a claimed payment' FROM claimed_payment
              WHERE case_id = :case AND state = 'not_found' AND valid_from >= :since
    UNION ALL SELECT actor, 'changed an address' FROM address_state
              WHERE debtor_id = :debtor AND valid_from >= :since AND state <> 'proven'
    UNION ALL SELECT actor, 'changed a contact or skipped a step' FROM event
              WHERE debtor_id = :debtor AND kind IN ('contact_changed', 'step_skipped') AND business_date >= :since
    UNION ALL SELECT done_by, 'waived the call' FROM work_task
              WHERE case_id = :case AND outcome = 'waived' AND done_on >= :since
    UNION ALL SELECT q.resolved_by, 'corrected a row' FROM quarantined_row q
              JOIN debtor d ON d.id = :debtor AND d.debtor_no = q.debtor_no AND d.creditor_id = q.creditor_id
              WHERE q.resolved_on >= :since
    UNION ALL SELECT c.actor, 'moved the case' FROM round_course c WHERE c.round_id = :round
    UNION ALL SELECT w.asked_by, 'asked to move the case' FROM work_task w
              WHERE w.case_id = :case AND w.subject = :move AND w.outcome = 'agreed' AND w.done_on >= :since
    UNION ALL SELECT p.published_by, 'published the pack' FROM policy_pack p WHERE p.id = :pack
    UNION ALL SELECT hand, 'published the pack' FROM pack_draft p, unnest(ARRAY[p.submitted_by, p.ended_by]) hand
              WHERE p.pack_id = :pack
    UNION ALL SELECT g.actor, 'gave the creditor the pack' FROM creditor_pack g JOIN "case" k ON k.id = :case
              WHERE g.pack_id = :pack AND g.creditor_id = k.creditor_id
) hand WHERE hand.actor = :person ORDER BY hand.act
"""
"""Why a person may not approve what follows from their own act (rule 10)."""


@dataclass(frozen=True)
class Pending:
    """An action that waits for a verdict, as an approver sees it."""

    action_id: int
    case_id: int
    debtor_no: str
    name: str
    currency: str
    step: str
    kind: str
    role: str
    needed: int
    given: int
    amount: int
    overdue_amount: int
    proposed_on: date
    content_hash: str
    address_changed: bool
    debtor_id: int
    escalating: bool
    checks: tuple[Check, ...]
    """What must be known before a placement, each with where it stands (rule 20); nothing else has such a list."""
    group_accounts: int | None = None
    """Of a demand or a placement to a member of a group: its accounts, what they owe in this currency less credits, and
    what of it is overdue (rule 22)."""
    group_open: int | None = None
    group_overdue: int | None = None

    @property
    def unchecked(self) -> int:
        """How many of the checks do not let it go."""
        return sum(not check.fine for check in self.checks)


def pending(desk: Desk) -> list[Pending]:
    """What waits for a verdict, the largest amount first."""
    return pending_of(desk.session, int(desk.creditor.id or 0), desk.pack.guardrails.placement, desk.as_of)


def pending_of(session: Session, creditor_id: int, limits: PlacementLimits, as_of: date) -> list[Pending]:
    """The same for whoever only looks: `limits` of the creditor's pack, as of its date."""
    rows = session.execute(
        text(
            """
            SELECT a.id, a.case_id, d.debtor_no, p.name, k.currency, a.step, a.kind, a.approval_role,
                   a.approvals_needed, (SELECT count(*) FROM approval v WHERE v.action_id = a.id
                                        AND v.content_hash = a.content_hash AND v.verdict = 'approved'),
                   a.amount, a.overdue_amount, a.business_date, a.content_hash,
                   EXISTS (SELECT 1 FROM event e WHERE e.debtor_id = d.id AND e.kind IN ('contact_changed',
                           'address_marked') AND e.business_date >= a.business_date - CAST(:watch AS integer))
                   OR EXISTS (SELECT 1 FROM debtor_profile n JOIN debtor_profile o ON o.debtor_id = n.debtor_id
                              AND o.replaced_from = n.valid_from AND o.id < n.id
                              WHERE n.debtor_id = d.id AND n.valid_from >= a.business_date - CAST(:watch AS integer)
                              AND (o.email, o.phone, o.street, o.postal_code, o.city)
                                  IS DISTINCT FROM (n.email, n.phone, n.street, n.postal_code, n.city))
                   OR EXISTS (SELECT 1 FROM contact_person n
                              WHERE n.debtor_id = d.id AND n.valid_from >= a.business_date - CAST(:watch AS integer)
                              AND NOT EXISTS (SELECT 1 FROM contact_person o WHERE o.debtor_id = n.debtor_id
                                              AND o.id < n.id AND (o.email, o.phone)
                                                  IS NOT DISTINCT FROM (n.email, n.phone))),
                   d.id AS debtor_id, a.escalating
            FROM action a JOIN "case" k ON k.id = a.case_id JOIN debtor d ON d.id = k.debtor_id
            LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
            WHERE a.creditor_id = :creditor AND a.state = 'awaiting_approval'
            ORDER BY a.amount DESC, a.id
            """
        ),
        {"creditor": creditor_id, "watch": ADDRESS_WATCH + 2},
    ).all()
    placements = [row.id for row in rows if row.kind == StepKind.HANDOFF]
    checks = checks_of(reading(session), placements, limits, as_of, EVERYTHING_RECORDED)
    found = [Pending(*[*row, tuple(check for check in checks if check.action_id == row.id)]) for row in rows]
    return _with_groups(session, found, as_of)


def _with_groups(session: Session, waiting: list[Pending], as_of: date) -> list[Pending]:
    """What waits, and beside demands and placements what the customer's whole group owes."""
    threatened = {each.debtor_id for each in waiting if each.escalating}
    if not threatened:
        return waiting
    owed = exposures(session, threatened, as_of)

    def beside(each: Pending) -> Pending:
        group = owed.get((each.debtor_id, each.currency)) if each.escalating else None
        if group is None:
            return each
        return replace(
            each,
            group_accounts=group.accounts,
            group_open=group.open_amount,
            group_overdue=group.overdue_amount,
        )

    return [beside(each) for each in waiting]


def approve(desk: Desk, action_ids: Sequence[int], reason: str, *, shown: str | None = None) -> list[Action]:
    """A person's yes to one action or a batch; those that have all their yeses are approved.

    `shown` is the content hash that the person saw; without it, the one that is proposed.

    Raises:
        RefusedError: role, limit, four eyes, the content or a check before a placement forbid it, or the batch holds
            too many final demands.
    """
    if not reason.strip():
        raise UsageError("An approval needs its reason in words.", advice="Give a reason.")
    _lock(desk, action_ids)
    actions = [_waiting(desk, action_id) for action_id in sorted(set(action_ids))]
    demands = [each for each in actions if each.escalating and each.kind == StepKind.MESSAGE]
    limits = desk.pack.guardrails.approvals
    if len(demands) > limits.demands_a_batch:
        raise RefusedError(
            f"{len(demands)} final demands in one batch; {limits.demands_a_batch} is the most.",
            advice="Look at them in smaller batches.",
        )
    for action in actions:
        _may_approve(desk, action, desk.case(action.case_id))
    as_they_are = _as_they_are(desk, actions)
    for action in actions:
        case = desk.case(action.case_id)
        _unchanged(action, shown, as_they_are.get(int(action.id or 0)))
        needed = max(1, action.approvals_needed)
        if action.kind == StepKind.HANDOFF and _yeses(desk, action) + 1 >= needed:
            require_checked(desk, action)
        approval = Approval(
            action_id=int(action.id or 0),
            content_hash=str(action.content_hash),
            verdict=Verdict.APPROVED,
            actor=desk.person.login,
            role=desk.person.role,
            reason=reason,
            decided_on=desk.as_of,
            lapses_on=desk.in_working_days(case.debtor_id, limits.lapse_after),
            recorded_at=desk.now,
        )
        desk.session.add(approval)
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
    return actions


def reject(desk: Desk, action_id: int, reason: str, next_step: str, next_on: date) -> Action:
    """A person's no: with its reason, and which step comes next and when. Until then the proposal does not return."""
    action = _waiting(desk, action_id)
    if not reason.strip():
        raise UsageError("A rejection needs its reason in words.", advice="Give a reason.")
    if next_on <= desk.as_of:
        raise UsageError(f"{next_on} is not after today ({desk.as_of}).", advice="Say when the next step may come.")
    steps = desk.engine.pack(action.pack_id).journeys[action.segment].steps
    if next_step not in steps:
        raise UsageError(
            f"The journey {action.segment} has no step {next_step!r}.", advice=f"One of: {', '.join(steps)}."
        )
    desk.require("reject this", *MAY_APPROVE[str(action.approval_role)])
    case = desk.case(action.case_id)
    desk.session.add(
        Approval(
            action_id=int(action.id or 0),
            content_hash=str(action.content_hash),
            verdict=Verdict.REJECTED,
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
    move_action(desk.session, action, ActionState.REJECTED, desk.as_of, desk.now, reason="rejected")
    desk.record(
        "approval_refused",
        case=case,
        action_id=action.id,
        content=action.content_hash,
        next_step=next_step,
        next_on=next_on.isoformat(),
    )
    return action


def hand_in_the_case(desk: Desk, action: Action, case: Case) -> str | None:
    """What this person did in this round that forbids them to approve what follows from it; None if nothing."""
    opened = desk.open_round(int(case.id or 0))
    row = desk.session.execute(
        text(HANDS_IN_THE_CASE),
        {
            "case": case.id,
            "debtor": case.debtor_id,
            "round": action.round_id,
            "pack": action.pack_id,
            "person": desk.person.login,
            "move": MOVE_CONFIRM,
            "since": opened.opened_on if opened else action.business_date,
        },
    ).first()
    return None if row is None else str(row.act)


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


def _may_approve(desk: Desk, action: Action, case: Case) -> None:
    desk.require("approve this", *MAY_APPROVE[str(action.approval_role)])
    hand = hand_in_the_case(desk, action, case)
    if hand is not None:
        raise RefusedError(
            f"{desk.person.login} {hand} in this round and may not approve what follows from it.",
            advice="Four eyes: somebody else looks at it.",
        )
    said = desk.session.exec(
        select(Approval).where(Approval.action_id == action.id, Approval.actor == desk.person.login)
    ).first()
    if said is not None:
        raise RefusedError(
            f"{desk.person.login} has already {said.verdict} action {action.id}.", advice="It needs another person."
        )
    overdue = sum(item.open_amount for item in desk.open_items(case) if item.due_on < desk.as_of)
    needed, person = max(action.amount, action.overdue_amount, overdue), desk.person
    if person.limit_currency != case.currency:
        raise RefusedError(
            f"{person.login}'s limit is in {person.limit_currency}, the case in {case.currency}: no rate, no approval.",
            advice=f"Ask somebody with a limit in {case.currency}.",
        )
    if person.approval_limit < needed:
        raise RefusedError(
            f"{person.login} may approve up to {format_money(person.approval_limit, case.currency)},"
            f" this is {format_money(needed, case.currency)}.",
            advice="Ask somebody with a higher limit.",
        )


def _unchanged(action: Action, shown: str | None, as_it_is: str | None) -> None:
    if shown is not None and shown != action.content_hash:
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
