"""What an agency gets of a case: who, how much, everything that was said, what was checked, and who agreed to it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from maatpak.ledger.database import Frames
from tasks.placement_checks import Check

ITEMS_OF = """
SELECT i.item_id, v.document_no, v.item_type, v.issued_on, v.due_on, v.amount, v.open_amount,
  LEAST(i.amount, v.open_amount) AS placed_amount
FROM action_item i JOIN item_version v ON v.item_id = i.item_id AND v.valid_from <= DATE '{day}'
 AND (v.replaced_from IS NULL OR v.replaced_from > DATE '{day}')
WHERE i.action_id = {action} AND v.open_amount > 0 ORDER BY v.due_on, v.document_no
"""

CREDITOR = """
SELECT c.name, c.street, c.postal_code, c.city, c.country, c.language, c.iban, c.email, c.phone FROM creditor c
JOIN "case" k ON k.creditor_id = c.id WHERE k.id = {case}
"""

CUSTOMER = """
SELECT d.debtor_no AS number, p.name, p.kind, p.street, p.postal_code, p.city, p.country, p.email, p.phone,
  p.contact_name AS contact FROM "case" k JOIN debtor d ON d.id = k.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.valid_from <= DATE '{day}'
 AND (p.replaced_from IS NULL OR p.replaced_from > DATE '{day}')
WHERE k.id = {case}
"""

HISTORY = """
SELECT m.sent_on AS on, 'message' AS kind, m.channel, m.template AS what,
  COALESCE((SELECT string_agg(DISTINCT e.kind, ', ') FROM evidence e WHERE e.message_id = m.id), 'sent') AS result,
  m.content AS evidence
FROM message m WHERE m.case_id = {case} AND m.state = 'sent'
UNION ALL SELECT r.called_on, 'call', 'phone', r.day_part, r.code, '' FROM contact_result r WHERE r.case_id = {case}
UNION ALL SELECT a.received_on, 'answer', a.channel, 'answer',
  CASE WHEN a.read_on IS NULL THEN 'unread' ELSE 'read' END,
  COALESCE(a.content, '') FROM answer a WHERE a.case_id = {case} AND a.replaced_at IS NULL
UNION ALL SELECT p.made_on, 'promise', p.source, 'promise', p.state, '' FROM promise p
  WHERE p.case_id = {case} AND p.replaced_at IS NULL
UNION ALL SELECT d.opened_on, 'dispute', d.source, d.reason, d.state, '' FROM dispute d
  WHERE d.case_id = {case} AND d.replaced_at IS NULL
ORDER BY 1, 2
"""

APPROVALS = """
SELECT v.actor, v.role, v.decided_on AS on, v.reason FROM approval v
WHERE v.action_id = {action} AND v.verdict = 'approved' ORDER BY v.id
"""


def read_dossier(
    frames: Frames, action: Mapping[str, Any], number: str, agency: str, as_of: date, checks: Sequence[Check]
) -> dict[str, Any]:
    """The dossier as plain data; `messages` and `answers` are the evidence keys of what was said."""
    keys = {"case": action["case_id"], "action": action["action_id"], "day": as_of.isoformat()}

    def rows(query: str) -> list[dict[str, Any]]:
        return [_plain(row) for row in frames.read(query.format(**keys)).iter_rows(named=True)]

    (creditor,) = rows(CREDITOR)
    (customer,) = rows(CUSTOMER)
    history = rows(HISTORY)
    place = " ".join(part for part in (creditor["postal_code"], creditor["city"]) if part)
    lines = (creditor["name"], creditor["street"], place, creditor["iban"], creditor["email"], creditor["phone"])
    return {
        "placement_ref": number,
        "agency": agency,
        "placed_on": as_of.isoformat(),
        "language": creditor["language"],
        "country": creditor["country"],
        "creditor": [line for line in lines if line],
        "customer": {name: value for name, value in customer.items() if value},
        "currency": action["currency"],
        "items": [{name: value for name, value in row.items() if name != "item_id"} for row in rows(ITEMS_OF)],
        "history": history,
        "approvals": rows(APPROVALS),
        "checks": [_checked(check, as_of) for check in checks],
        "messages": [row["evidence"] for row in history if row["kind"] == "message"],
        "answers": [row["evidence"] for row in history if row["kind"] == "answer" and row["evidence"]],
    }


def _checked(check: Check, as_of: date) -> dict[str, Any]:
    """What the engine saw for itself it saw today, and says no source."""
    row = {
        "on": check.checked_on or as_of,
        "check": check.kind,
        "result": check.state,
        "until": check.until_on,
        "actor": check.actor or "",
        "source": check.source or "",
    }
    return _plain(row)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
