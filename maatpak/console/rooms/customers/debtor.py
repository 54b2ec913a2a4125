"""An account's sheet: its cases, what the master data said over time, who pays, its group, and how it is reached."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.drawing import day
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.customers.records import AccountRecords, account_records
from maatpak.console.rooms.customers.timeline import Happened, past_of_debtor
from maatpak.kernel.money import format_money
from maatpak.ledger.tables.standing import NO_DATE
from tasks.groups import GROUPS

MOST = 50
SHOWN = (
    *("name", "kind", "country", "language", "email", "phone", "street", "postal_code", "city", "contact_name"),
    *("time_zone", "preferred_channel", "account_manager", "parent_no", "payer_no", "customer_since", "key_account"),
    *("payment_terms", "credit_limit", "revenue_12m", "risk_class", "insured_amount", "insurer_notify_by"),
    *("hardship_until", "legal_stop"),
)
MONEY = frozenset({"credit_limit", "revenue_12m", "insured_amount"})
DATES = frozenset({"customer_since", "insurer_notify_by", "hardship_until"})

HEAD = """
SELECT d.id AS debtor_id, d.debtor_no, d.recorded_at, c.code AS creditor, c.name AS creditor_name, c.currency,
  c.business_date, c.time_zone
FROM debtor d JOIN creditor c ON c.id = d.creditor_id WHERE d.id = :id
"""
CASES = f"""
SELECT k.id AS case_id, k.currency, s.segment, s.stage, s.overdue_open AS overdue, s.asked_amount AS asked,
  s.not_due_open AS not_due, s.reason, s.next_step, NULLIF(s.next_on, {NO_DATE}) AS next_on
FROM "case" k LEFT JOIN case_standing s ON s.case_id = k.id WHERE k.debtor_id = :id ORDER BY k.currency
"""  # noqa: S608 - our own words
VERSIONS = f"""
SELECT {", ".join(f"to_jsonb(p.{name}) #>> '{{}}' AS {name}" for name in SHOWN)}, p.valid_from, p.recorded_at
FROM debtor_profile p WHERE p.debtor_id = :id ORDER BY p.id DESC LIMIT {MOST}
"""  # noqa: S608 - names of our own columns
RELATED = f"""
{GROUPS.format(debtors=":debtors")}
SELECT o.id AS debtor_id, o.debtor_no, COALESCE(q.name, o.debtor_no) AS name, r.role,
  (SELECT min(k.id) FROM "case" k WHERE k.debtor_id = o.id) AS case_id,
  (SELECT COALESCE(jsonb_agg(jsonb_build_object('currency', s.currency, 'overdue', s.overdue_open)
     ORDER BY s.currency), '[]') FROM case_standing s WHERE s.debtor_id = o.id) AS owes
FROM (
  SELECT member_id AS other_id, 'group' AS role FROM grouped WHERE accounts > 1 AND member_id <> :id
  UNION ALL
  SELECT y.id, 'pays' FROM debtor_profile x JOIN debtor y ON y.creditor_id = x.creditor_id AND y.debtor_no = x.payer_no
  WHERE x.debtor_id = :id AND x.replaced_at IS NULL AND y.id <> :id
  UNION ALL
  SELECT x.debtor_id, 'paid_for' FROM debtor me JOIN debtor_profile x
    ON x.creditor_id = me.creditor_id AND x.payer_no = me.debtor_no AND x.replaced_at IS NULL
  WHERE me.id = :id AND x.debtor_id <> :id) r
JOIN debtor o ON o.id = r.other_id
LEFT JOIN debtor_profile q ON q.debtor_id = o.id AND q.replaced_at IS NULL ORDER BY r.role, o.debtor_no LIMIT {MOST}
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class AccountCase:
    """A case of the account. Amounts are minor units of its currency; None: no run has decided it lately."""

    case_id: int
    currency: str
    segment: str | None
    stage: str | None
    overdue: int | None
    asked: int | None
    not_due: int | None
    reason: str | None
    next_step: str | None
    next_on: date | None


@dataclass(frozen=True)
class Said:
    """One thing that the master data says, as it is shown: money with its currency."""

    name: str
    value: str | None
    before: str | None
    """What it said before, in a version; of the present master data None."""


@dataclass(frozen=True)
class Version:
    """What a ledger changed in the master data."""

    valid_from: date
    recorded_at: datetime
    changes: list[Said]


@dataclass(frozen=True)
class Owes:
    """What an account of the same creditor owes in one currency."""

    currency: str
    overdue: int


@dataclass(frozen=True)
class Related:
    """Another account of the same creditor."""

    debtor_id: int
    debtor_no: str
    name: str
    role: str
    """`group`: under the same head; `pays`: pays for this one; `paid_for`: this one pays for it."""
    case_id: int | None
    owes: list[Owes]


@dataclass(frozen=True)
class DebtorSheet:
    """Everything about one customer account of one creditor."""

    debtor_id: int
    debtor_no: str
    name: str
    creditor: str
    creditor_name: str
    currency: str
    """The creditor's."""
    time_zone: str
    today: date
    cases: list[AccountCase]
    master: list[Said]
    """Empty: the ledger has told no master data."""
    versions: list[Version]
    """Changes of the master data, newest first."""
    related: list[Related]
    account: AccountRecords
    past: list[Happened]
    older: str | None


def read_debtor(asking: Asking, debtor_id: int) -> DebtorSheet:
    """The sheet of an account."""
    owner = asking.creditor_of("debtor_id", debtor_id)
    found = asking.rows(HEAD, id=debtor_id)
    if not found:
        raise missing("debtor_id", debtor_id)
    head = found[0]
    today = head["business_date"] or asking.now.date()
    cases = [AccountCase(**row) for row in asking.rows(CASES, id=debtor_id)]
    versions = [_shown(row, head["currency"]) for row in asking.rows(VERSIONS, id=debtor_id)]
    newest = versions[0] if versions else {}
    past = past_of_debtor(asking, debtor_id, today) if cases else None
    return DebtorSheet(
        **{name: head[name] for name in ("debtor_id", "debtor_no", "creditor_name", "currency", "time_zone")},
        name=newest.get("name") or head["debtor_no"],
        creditor=owner.code,
        today=today,
        cases=cases,
        master=[Said(name, newest[name], None) for name in SHOWN if newest.get(name) is not None],
        versions=[_version(newer, older) for newer, older in pairwise(versions)],
        related=_related(asking, debtor_id),
        account=account_records(asking, debtor_id),
        past=past.entries if past else [],
        older=past.older if past else None,
    )


def _shown(row: dict[str, Any], currency: str) -> dict[str, Any]:
    """A version with its values as people read them."""
    told = {name: value for name, value in row.items() if value is not None}
    told |= {name: format_money(int(row[name]), currency) for name in MONEY if name in told}
    told |= {name: day(date.fromisoformat(row[name])) for name in DATES if name in told}
    told["key_account"] = {"true": "yes", "false": "no"}[row["key_account"]]
    return {**row, **told}


def _version(newer: dict[str, Any], older: dict[str, Any]) -> Version:
    changes = [Said(name, newer[name], older[name]) for name in SHOWN if newer[name] != older[name]]
    return Version(newer["valid_from"], newer["recorded_at"], changes)


def _related(asking: Asking, debtor_id: int) -> list[Related]:
    rows = asking.rows(RELATED, debtors=[debtor_id], id=debtor_id)
    return [Related(**{**row, "owes": [Owes(**each) for each in row["owes"]]}) for row in rows]
