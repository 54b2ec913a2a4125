"""Whose a row is: how lists find and name the customer, and whose word or work it waits for."""

from collections.abc import Collection, Mapping

from maatpak.console.frame.declared import Column
from maatpak.kernel.words import Role

CASE = "/cases/{case_id}"


def customer_of(debtor: str, creditor: str = "d.creditor_id") -> tuple[str, ...]:
    """The joins from a debtor's id to the account `d`, the creditor `c`, and what the ledger says of it now, `p`."""
    return (
        f"JOIN debtor d ON d.id = {debtor}",
        f"JOIN creditor c ON c.id = {creditor}",
        "LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL",
    )


OF_TASK = (
    *customer_of("t.debtor_id", "t.creditor_id"),
    'LEFT JOIN "case" k ON k.id = t.case_id',
    "LEFT JOIN case_standing s ON s.case_id = t.case_id",
)
"""The joins from work or a call `t` to whose it is and where the case stands."""
WORK_TASKS = f"work_task t {' '.join(OF_TASK)}"


def named_by(link: str = CASE) -> tuple[Column, Column, Column]:
    """The columns that name a customer of `customer_of`, who is looked at by the link."""
    return (
        Column("name", "Customer", "COALESCE(p.name, d.debtor_no)", link=link),
        Column("debtor_no", "Number", "d.debtor_no"),
        Column("creditor", "Creditor", "c.code"),
    )


def asked_of(having: Mapping[str, Collection[Role]]) -> str:
    """The roles whose work or steps somebody of `:role` does, as an SQL array; `having`: by role, who does it."""

    def line(role: Role) -> str:
        asked = ", ".join(f"'{asked}'" for asked, who in having.items() if role in who)
        return f"WHEN '{role}' THEN ARRAY[{asked}]::text[]"

    return f"CASE :role {' '.join(map(line, Role))} ELSE ARRAY[]::text[] END"
