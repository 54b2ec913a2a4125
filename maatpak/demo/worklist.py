"""What lies on the desks of a made-up house on a day, read from the database in an order that every run has alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from maatpak.demo.world import Customer, World
from tasks.engine import Engine

OPEN_WORK = """
SELECT t.id, t.kind, t.subject, t.role, t.assignee, t.record_no, t.asked_by, t.opened_on, t.due_on, t.case_id,
       d.debtor_no, k.currency, a.step, a.attempt,
       (SELECT count(*) FROM contact_result r WHERE r.task_id = t.id) AS tries,
       (SELECT w.content FROM answer w WHERE w.creditor_id = t.creditor_id AND w.answer_no = t.record_no
          AND w.replaced_at IS NULL) AS answer
FROM work_task t JOIN debtor d ON d.id = t.debtor_id JOIN "case" k ON k.id = t.case_id
LEFT JOIN action a ON a.id = t.action_id
WHERE t.creditor_id = :creditor AND t.state = 'open'
ORDER BY d.debtor_no, k.currency, t.kind, t.subject, t.opened_on, t.id
"""

OPEN_DISPUTES = """
SELECT p.dispute_no, p.case_id, p.item_id, p.amount, p.reason, p.opened_on, p.owner, v.document_no, d.debtor_no,
       k.currency
FROM dispute p JOIN "case" k ON k.id = p.case_id JOIN debtor d ON d.id = k.debtor_id
JOIN item_version v ON v.item_id = p.item_id AND v.replaced_at IS NULL
WHERE k.creditor_id = :creditor AND p.state = 'open' AND p.replaced_at IS NULL
ORDER BY d.debtor_no, k.currency, v.document_no, p.opened_on, p.id
"""

OFFERS = """
SELECT p.plan_no, p.case_id, p.offered_on, p.valid_until, p.instalments, p.items, d.debtor_no, k.currency
FROM plan p JOIN "case" k ON k.id = p.case_id JOIN debtor d ON d.id = k.debtor_id
WHERE k.creditor_id = :creditor AND p.state = 'offered' AND p.replaced_at IS NULL
ORDER BY d.debtor_no, k.currency, p.offered_on, p.id
"""

APPROVALS = """
SELECT a.id, a.step, a.segment, a.amount, a.overdue_amount, a.content_hash, a.approval_role, a.approvals_needed,
       a.business_date, a.case_id, d.debtor_no, k.currency, a.attempt,
       (SELECT count(*) FROM approval y WHERE y.action_id = a.id AND y.content_hash = a.content_hash
          AND y.verdict = 'approved') AS given
FROM action a JOIN "case" k ON k.id = a.case_id JOIN debtor d ON d.id = k.debtor_id
WHERE a.creditor_id = :creditor AND a.state = 'awaiting_approval'
ORDER BY d.debtor_no, k.currency, a.step, a.attempt, a.id
"""

SENT = """
SELECT DISTINCT ON (m.id) m.id, m.message_ref, m.service_ref, m.channel, m.recipient, m.subject, m.template, m.sent_on,
       m.case_id, d.debtor_no, k.currency, a.step, a.business_date,
       ARRAY(SELECT v.document_no FROM action_item i
             JOIN item_version v ON v.item_id = i.item_id AND v.replaced_at IS NULL
             WHERE i.action_id = a.id ORDER BY v.due_on, v.document_no) AS documents
FROM message m JOIN message_action x ON x.message_id = m.id JOIN action a ON a.id = x.action_id
JOIN debtor d ON d.id = m.debtor_id JOIN "case" k ON k.id = m.case_id
WHERE m.creditor_id = :creditor AND m.state = 'sent' AND m.sent_on = :day
ORDER BY m.id, a.step, a.id
"""

PLACED = """
SELECT p.placement_no, p.case_id, d.debtor_no, k.currency,
       ARRAY(SELECT v.document_no FROM jsonb_object_keys(p.items) j JOIN item_version v
             ON v.item_id = j::bigint AND v.replaced_at IS NULL ORDER BY v.due_on, v.document_no) AS documents
FROM placement p JOIN "case" k ON k.id = p.case_id JOIN debtor d ON d.id = k.debtor_id
WHERE p.creditor_id = :creditor AND p.state = 'placed' AND p.valid_from = :day AND p.replaced_at IS NULL
ORDER BY d.debtor_no, k.currency
"""


@dataclass(frozen=True)
class Paper:
    """A row of one of these lists, with the customer that it is about."""

    row: Any
    customer: Customer

    @property
    def about(self) -> str:
        """Names the case in a way that does not depend on numbers of the database."""
        return f"{self.customer.key}/{self.row.currency}"


class Papers:
    """Reads the lists of one house."""

    def __init__(self, engine: Engine, world: World, house: str, creditor_id: int) -> None:
        self.engine = engine
        self.world = world
        self.house = house
        self.creditor_id = creditor_id

    def read(self, query: str, day: date | None = None) -> Sequence[Paper]:
        """The rows of a list."""
        parameters = {"creditor": self.creditor_id} | ({"day": day} if day else {})
        with self.engine.database.reading() as session:
            rows = session.connection().execute(text(query), parameters).all()
        customers = self.world.customers
        papers = [Paper(row, customers[f"{self.house}/{row.debtor_no}"]) for row in rows]
        return sorted(papers, key=lambda paper: paper.about) if query is SENT else papers

    def text(self, content: str) -> str:
        """The words of an answer."""
        return self.engine.store.get(content).decode()

    def case_of(self, customer: Customer) -> int:
        """The case of a customer; of several, the first."""
        query = (
            'SELECT min(k.id) FROM "case" k JOIN debtor d ON d.id = k.debtor_id'
            " WHERE d.creditor_id = :creditor AND d.debtor_no = :number"
        )
        with self.engine.database.reading() as session:
            found: int = session.execute(
                text(query), {"creditor": self.creditor_id, "number": customer.no}
            ).scalar_one()
        return found

    def overdue(self, paper: Paper, as_of: date) -> list[str]:
        """Documents of the case that are overdue in the ledger of this morning."""
        due = [
            document
            for document in self.world.open_invoices(paper.customer, as_of)
            if document.currency == paper.row.currency and document.due_on < as_of
        ]
        return [document.no for document in sorted(due, key=lambda document: (document.due_on, document.no))]
