"""What the page of an act says it is about: the customer, the person, the row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maatpak.console.frame.asking import RECORDS_OF_CASES, Asking
from maatpak.console.frame.problems import missing

CUSTOMER = """
SELECT COALESCE(p.name, d.debtor_no) AS name, d.debtor_no, c.code, {case} AS case_id
FROM {table} JOIN debtor d ON d.id = {debtor} JOIN creditor c ON c.id = d.creditor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL WHERE {key} = :id
"""
ABOUT = {
    "case_id": CUSTOMER.format(table='"case" k', debtor="k.debtor_id", case="k.id", key="k.id"),
    "debtor_id": CUSTOMER.format(
        table="debtor own",
        debtor="own.id",
        case='(SELECT min(k.id) FROM "case" k WHERE k.debtor_id = own.id)',
        key="own.id",
    ),
    "action_id": CUSTOMER.format(
        table='action a JOIN "case" k ON k.id = a.case_id', debtor="k.debtor_id", case="k.id", key="a.id"
    ),
    "task_id": CUSTOMER.format(table="work_task t", debtor="t.debtor_id", case="t.case_id", key="t.id"),
    "message_id": CUSTOMER.format(table="message m", debtor="m.debtor_id", case="m.case_id", key="m.id"),
    **{
        f"{name}_no": CUSTOMER.format(
            table=f'{table} r JOIN "case" k ON k.id = r.case_id AND r.replaced_at IS NULL',
            debtor="k.debtor_id",
            case="k.id",
            key=f"r.{name}_no",
        )
        for name, table in RECORDS_OF_CASES.items()
    },
    "hold_no": CUSTOMER.format(
        table="hold r",
        debtor="r.debtor_id",
        case='COALESCE(r.case_id, (SELECT min(k.id) FROM "case" k WHERE k.debtor_id = r.debtor_id))',
        key="r.replaced_at IS NULL AND r.hold_no",
    ),
}


@dataclass(frozen=True)
class About:
    """A customer, in a line."""

    words: str
    path: str


def about(asking: Asking, ids: Mapping[str, Any]) -> About | None:
    """Whom an act is about, if it is about a customer; that the visitor may see what the path names is known before.

    Raises:
        MissingError: it has gone since.
    """
    for name, value in ids.items():
        if name not in ABOUT:
            continue
        found = asking.rows(ABOUT[name], id=value)
        if not found:
            raise missing(name, value)
        row = found[0]
        path = f"/cases/{row['case_id']}" if row["case_id"] is not None else "/cases"
        return About(f"{row['name']} · {row['debtor_no']} · {row['code']}", path)
    return None
