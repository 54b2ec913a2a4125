"""What waits for a verdict: amounts, yeses, new addresses, checks before a placement, what the group owes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.words import StepKind
from policies.guardrails import PlacementLimits
from tasks.desk import Desk
from tasks.groups import exposures
from tasks.placement_checks import Check, checks_of, reading
from tasks.revalidate import EVERYTHING_RECORDED

ADDRESS_WATCH = 5
"""A change of address this many working days before a demand shows on its approval."""


WAITING = """
SELECT a.id, a.case_id, d.debtor_no, p.name, k.currency, a.step, a.kind, a.approval_role,
  a.approvals_needed, (SELECT count(*) FROM approval v WHERE v.action_id = a.id
                       AND v.content_hash = a.content_hash AND v.verdict = 'approved'),
  a.amount, a.overdue_amount, a.business_date, a.content_hash,
  EXISTS (SELECT 1 FROM event e WHERE e.debtor_id = d.id AND e.kind IN ('contact_changed', 'address_marked')
          AND e.business_date >= a.business_date - CAST(:watch AS integer))
  OR EXISTS (SELECT 1 FROM debtor_profile n JOIN debtor_profile o ON o.debtor_id = n.debtor_id
             AND o.replaced_from = n.valid_from AND o.id < n.id
             WHERE n.debtor_id = d.id AND n.valid_from >= a.business_date - CAST(:watch AS integer)
             AND (o.email, o.phone, o.street, o.postal_code, o.city)
                 IS DISTINCT FROM (n.email, n.phone, n.street, n.postal_code, n.city))
  OR EXISTS (SELECT 1 FROM contact_person n
             WHERE n.debtor_id = d.id AND n.valid_from >= a.business_date - CAST(:watch AS integer)
             AND NOT EXISTS (SELECT 1 FROM contact_person o WHERE o.debtor_id = n.debtor_id
                             AND o.id < n.id AND (o.email, o.phone) IS NOT DISTINCT FROM (n.email, n.phone))),
  d.id AS debtor_id, a.escalating
FROM action a JOIN "case" k ON k.id = a.case_id JOIN debtor d ON d.id = k.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
WHERE a.creditor_id = :creditor AND a.state = 'awaiting_approval'
  AND (CAST(:ids AS bigint[]) IS NULL OR a.id = ANY(CAST(:ids AS bigint[])))
ORDER BY a.amount DESC, a.id
"""


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


def pending_of(
    session: Session,
    creditor_id: int,
    limits: PlacementLimits,
    as_of: date,
    action_ids: Sequence[int] | None = None,
) -> list[Pending]:
    """The same for whoever only looks: `limits` of the creditor's pack, as of its date; `action_ids`: only of these."""
    given = {"creditor": creditor_id, "watch": ADDRESS_WATCH + 2, "ids": None if action_ids is None else [*action_ids]}
    rows = session.execute(text(WAITING), given).all()
    placements = [row.id for row in rows if row.kind == StepKind.HANDOFF]
    checks = checks_of(reading(session), placements, limits, as_of, EVERYTHING_RECORDED) if placements else []
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
