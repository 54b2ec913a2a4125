"""What forms offer to choose from: a case's documents, people, and the steps of its journey."""

from collections.abc import Sequence

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import Choice
from maatpak.console.frame.drawing import day, money
from maatpak.console.frame.fields import named

MOST = 200

DOCUMENTS = """
SELECT v.document_no, v.item_id, v.due_on, v.open_amount, k.currency
FROM "case" k JOIN item_version v ON v.debtor_id = k.debtor_id AND v.currency = k.currency AND v.replaced_at IS NULL
WHERE k.id = :case AND v.open_amount > 0 AND v.item_type IN ('invoice', 'debit_note')
ORDER BY v.due_on, v.document_no LIMIT :most
"""
PEOPLE = """
SELECT p.login, p.name FROM person p WHERE p.active AND p.role = ANY(:roles)
  AND (NOT EXISTS (SELECT FROM person_creditor s WHERE s.person_id = p.id)
    OR EXISTS (SELECT FROM person_creditor s WHERE s.person_id = p.id AND s.creditor_id = ANY(:creditors)))
ORDER BY p.name, p.login
"""
COURSE = """
SELECT o.pack_id, o.segment FROM round r JOIN round_course o ON o.round_id = r.id AND o.replaced_at IS NULL
WHERE r.case_id = :case AND r.closed_at IS NULL
"""


def documents_of(asking: Asking, case_id: int) -> list[Choice]:
    """The invoices and debit notes of a case that are open, the oldest first."""
    return [
        Choice(
            row["document_no"],
            f"{row['document_no']} · due {day(row['due_on'])} · {money(row['open_amount'], row['currency'])}",
        )
        for row in asking.rows(DOCUMENTS, case=case_id, most=MOST)
    ]


def people_of(asking: Asking, roles: Sequence[str]) -> list[Choice]:
    """Who has one of these roles and may see what the visitor sees."""
    rows = asking.rows(PEOPLE, roles=[str(role) for role in roles], creditors=asking.creditors)
    return [Choice(row["login"], f"{row['name'] or row['login']} ({row['login']})") for row in rows]


def segments_of(asking: Asking, case_id: int) -> list[Choice]:
    """The segments that the round's pack has."""
    found = asking.rows(COURSE, case=case_id)
    return named(asking.engine.pack(found[0]["pack_id"]).journeys) if found else []


def steps_of(asking: Asking, case_id: int) -> list[Choice]:
    """The steps of the round's journey."""
    found = asking.rows(COURSE, case=case_id)
    if not found:
        return []
    journey = asking.engine.pack(found[0]["pack_id"]).journeys[found[0]["segment"]]
    return named(step.name for step in (*journey.course, *journey.reactions))
