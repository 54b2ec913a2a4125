"""Whose an e-mail address is, by the master data and the contact persons of the accounts."""

from collections.abc import Collection

from sqlalchemy import CompoundSelect
from sqlmodel import Session, col, func, select, union

from maatpak.ledger.tables import Case, ContactPerson, DebtorProfile


def accounts_with(email: str) -> CompoundSelect[tuple[int]]:
    """A query of the debtors that have an address now, in whatever case it is written."""
    return union(
        *(
            select(table.debtor_id).where(func.lower(table.email) == email.lower(), col(table.replaced_at).is_(None))
            for table in (DebtorProfile, ContactPerson)
        )
    )


def newest_cases(session: Session, debtors: Collection[int]) -> list[Case]:
    """Of each account."""
    newest = select(func.max(Case.id)).where(col(Case.debtor_id).in_(debtors)).group_by(col(Case.debtor_id))
    return list(session.exec(select(Case).where(col(Case.id).in_(newest)).order_by(col(Case.id))))
