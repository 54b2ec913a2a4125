"""An account manager's own customers: where their cases stand, and what waits for that person's word.

Whose a customer is says the login in the master data's `account_manager` (connectors.ledgers.columns).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, func, select

from maatpak.kernel.words import SettledBy, WorkKind, WorkState
from maatpak.ledger.tables import CaseStanding, ItemVersion, WorkTask


@dataclass(frozen=True)
class MyCustomer:
    """A case of one of the customers."""

    standing: CaseStanding
    paid_late_on: date | None
    """When the customer last paid an item after its due date."""
    told: int
    """Notices that the person has not seen yet: a first late payment, a second notice to come, which they may stop."""
    asked: int
    """Consultations that wait for the person's answer."""


def my_customers(session: Session, login: str, creditor_ids: Sequence[int], most: int = 50) -> list[MyCustomer]:
    """The cases of a person's customers at some creditors, those with work for them first, then the most overdue."""
    told, asked = (func.count().filter(col(WorkTask.kind) == kind) for kind in (WorkKind.NOTICE, WorkKind.CONSULT))
    work = (
        select(WorkTask.case_id, told.label("told"), asked.label("asked"))
        .where(WorkTask.assignee == login, WorkTask.state == WorkState.OPEN)
        .group_by(col(WorkTask.case_id))
        .subquery()
    )
    told_of, asked_of = (func.coalesce(column, 0) for column in (work.c.told, work.c.asked))
    paid_late_on = (
        select(func.max(ItemVersion.settled_on))
        .where(
            ItemVersion.debtor_id == CaseStanding.debtor_id,
            ItemVersion.currency == CaseStanding.currency,
            col(ItemVersion.replaced_at).is_(None),
            col(ItemVersion.settled_by).in_((SettledBy.PAYMENT, SettledBy.DEBIT)),
            col(ItemVersion.settled_on) > ItemVersion.due_on,
        )
        .scalar_subquery()
    )
    rows = session.exec(
        select(CaseStanding, paid_late_on, told_of, asked_of)
        .outerjoin(work, work.c.case_id == CaseStanding.case_id)
        .where(CaseStanding.account_manager == login, col(CaseStanding.creditor_id).in_(list(creditor_ids)))
        .order_by((told_of + asked_of == 0), col(CaseStanding.overdue_open).desc(), col(CaseStanding.case_id))
        .limit(most)
    )
    return [MyCustomer(*row) for row in rows]
