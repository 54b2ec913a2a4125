"""The group of an account: every customer under the same head (rule 22).

It carries exposure, which whoever approves a demand sees, and its account managers are told of demands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.calendars import BANK, add_working_days
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import numbers
from tasks.facts.people import DEPTH

GROUPS = f"""
WITH RECURSIVE up AS (
  SELECT d.id AS debtor_id, d.creditor_id, d.debtor_no AS number, p.parent_no AS parent, 0 AS level
  FROM debtor d LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL WHERE d.id = ANY({{debtors}})
  UNION ALL
  SELECT u.debtor_id, u.creditor_id, u.parent, p.parent_no, u.level + 1
  FROM up u LEFT JOIN debtor d ON d.creditor_id = u.creditor_id AND d.debtor_no = u.parent
  LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
  WHERE u.parent IS NOT NULL AND u.level < {DEPTH}),
head AS (SELECT DISTINCT ON (debtor_id) debtor_id, creditor_id, number FROM up ORDER BY debtor_id, level DESC),
down AS (
  SELECT debtor_id, creditor_id, number, 0 AS level FROM head
  UNION ALL
  SELECT w.debtor_id, w.creditor_id, d.debtor_no, w.level + 1
  FROM down w
  JOIN debtor_profile p ON p.creditor_id = w.creditor_id AND p.parent_no = w.number AND p.replaced_at IS NULL
  JOIN debtor d ON d.id = p.debtor_id WHERE w.level < {DEPTH}),
member AS (
  SELECT DISTINCT w.debtor_id, d.id AS member_id
  FROM down w JOIN debtor d ON d.creditor_id = w.creditor_id AND d.debtor_no = w.number),
grouped AS (
  SELECT m.debtor_id, m.member_id, count(*) OVER (PARTITION BY m.debtor_id) AS accounts FROM member m)
"""  # noqa: S608 - our own words
"""`grouped`: each of some debtors with the accounts of its group, itself among them, and how many these are."""

EXPOSURE = f"""
{GROUPS.format(debtors=":debtors")}
SELECT g.debtor_id, v.currency, max(g.accounts) AS accounts,
  sum(CASE WHEN v.item_type IN ('invoice', 'debit_note') THEN v.open_amount ELSE -v.open_amount END) AS open_amount,
  COALESCE(sum(v.open_amount) FILTER (WHERE v.item_type IN ('invoice', 'debit_note') AND v.due_on <= :overdue), 0)
    AS overdue_amount
FROM grouped g JOIN item_version v ON v.debtor_id = g.member_id AND v.replaced_at IS NULL AND v.open_amount > 0
WHERE g.accounts > 1 GROUP BY g.debtor_id, v.currency
"""  # noqa: S608 - our own words

DEMANDED = "A demand went to a customer of this group."

TELL = """
INSERT INTO work_task (creditor_id, debtor_id, case_id, action_id, kind, subject, role, assignee, opened_on, due_on,
                       blocks, state, recorded_at)
SELECT DISTINCT ON (k.debtor_id, m.login) a.creditor_id, k.debtor_id, a.case_id, a.id, '{kind}', '{subject}', '{role}',
       m.login, a.executed_on, a.executed_on, false, 'open', {now}
FROM pg_temp.demand n JOIN action a ON a.id = n.action_id JOIN "case" k ON k.id = a.case_id
JOIN ({members}) g ON g.debtor_id = k.debtor_id AND g.accounts > 1
JOIN debtor_profile p ON p.debtor_id = g.member_id AND p.replaced_at IS NULL
JOIN person m ON m.login = p.account_manager AND m.active
WHERE NOT EXISTS (SELECT 1 FROM work_task t WHERE t.action_id = a.id AND t.kind = '{kind}' AND t.assignee = m.login)
ORDER BY k.debtor_id, m.login, a.id
"""


@dataclass(frozen=True)
class Exposure:
    """What a group owes in one currency."""

    accounts: int
    open_amount: int
    """Everything open, due or not, less credits."""
    overdue_amount: int


def exposures(session: Session, debtor_ids: Iterable[int], as_of: date) -> dict[tuple[int, str], Exposure]:
    """(debtor, currency) → what its group owes; nothing for who belongs to none."""
    given = {"debtors": sorted(set(debtor_ids)), "overdue": add_working_days(as_of, -1, BANK)}
    rows = session.connection().execute(text(EXPOSURE), given)
    return {
        (row.debtor_id, row.currency): Exposure(row.accounts, int(row.open_amount), int(row.overdue_amount))
        for row in rows
    }


def tell_groups(frames: Frames, demands: pl.DataFrame, now: str) -> None:
    """Tell the account managers of all accounts of a group that a demand went to one of them; `now` as SQL.

    `demands`: (action_id, debtor_id) of those that were sent. Whoever looks after a customer without a group was heard
    before it.
    """
    if demands.is_empty():
        return
    frames.stage("demand", demands.select("action_id"))
    debtors = numbers(demands["debtor_id"].unique().sort())
    members = GROUPS.format(debtors=debtors) + "SELECT * FROM grouped"  # noqa: S608 - numbers
    marks = {"kind": WorkKind.NOTICE, "subject": DEMANDED, "role": Role.ACCOUNT_MANAGER}
    frames.execute(TELL.format(**marks, now=now, members=members))
