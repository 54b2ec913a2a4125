"""Who may say yes to a proposed action, and why not: role, four eyes, the account manager's answer, and the limit.

One reading for all of a list, in one query; the checks are in the order of their weight. An approval is refused by it,
and the list of what waits shows it: so what people read and what binds them cannot differ (law 9, rule 10).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.money import format_money
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import VISIBLE, Person
from tasks.access.visitor import Visitor
from tasks.case_move import MOVE_CONFIRM
from tasks.holds import LIFT_CONFIRM
from tasks.revalidate import EVERYTHING_RECORDED

MAY_APPROVE: dict[str, tuple[Role, ...]] = {
    Role.COLLECTOR: (Role.COLLECTOR, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR),
    Role.ACCOUNT_MANAGER: (Role.ACCOUNT_MANAGER, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR),
    Role.CREDIT_MANAGER: (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR),
    Role.FINANCE_DIRECTOR: (Role.FINANCE_DIRECTOR,),
}
"""The role that a step asks for → the roles that have it."""
APPROVERS = tuple(role for role in Role if any(role in roles for roles in MAY_APPROVE.values()))
"""Every role that some step may ask for."""

HOLDS = """hold x ON x.debtor_id IN (SELECT o.id FROM debtor o WHERE o.party_id = w.party_id)
  AND (x.debtor_id = w.debtor_id OR x.scope = 'party') AND x.valid_from >= w.since"""
"""Holds on the debtor, and on its whole party whichever account they were set at."""

HANDS = (
    ("recorded a call result", "contact_result x ON x.case_id = w.case_id AND x.called_on >= w.since", "x.actor"),
    ("recorded a reason", "stated_reason x ON x.case_id = w.case_id AND x.valid_from >= w.since", "x.actor"),
    ("recorded a promise", "promise x ON x.case_id = w.case_id AND x.valid_from >= w.since", "x.actor"),
    ("changed a plan", "plan x ON x.case_id = w.case_id AND x.valid_from >= w.since", "x.actor"),
    ("set or lifted a hold", HOLDS, "x.actor"),
    (
        "asked to lift a hold",
        f"{HOLDS} JOIN work_task y ON y.subject = :lift AND y.record_no = x.hold_no AND y.outcome = 'agreed'",
        "y.asked_by",
    ),
    (
        "rejected a dispute",
        "dispute x ON x.case_id = w.case_id AND x.state = 'rejected' AND x.valid_from >= w.since",
        "x.actor",
    ),
    (
        "resolved a claimed payment",
        "claimed_payment x ON x.case_id = w.case_id AND x.state = 'not_found' AND x.valid_from >= w.since",
        "x.actor",
    ),
    (
        "changed an address",
        "address_state x ON x.debtor_id = w.debtor_id AND x.valid_from >= w.since AND x.state <> 'proven'",
        "x.actor",
    ),
    (
        "changed a contact or skipped a step",
        "event x ON x.debtor_id = w.debtor_id AND x.kind IN ('contact_changed', 'step_skipped')"
        " AND x.business_date >= w.since",
        "x.actor",
    ),
    (
        "waived the call",
        "work_task x ON x.case_id = w.case_id AND x.outcome = 'waived' AND x.done_on >= w.since",
        "x.done_by",
    ),
    (
        "corrected a row",
        "quarantined_row x ON x.creditor_id = w.creditor_id AND x.debtor_no = w.debtor_no AND x.resolved_on >= w.since",
        "x.resolved_by",
    ),
    ("moved the case", "round_course x ON x.round_id = w.round_id", "x.actor"),
    (
        "asked to move the case",
        "work_task x ON x.case_id = w.case_id AND x.subject = :move AND x.outcome = 'agreed' AND x.done_on >= w.since",
        "x.asked_by",
    ),
    ("published the pack", "policy_pack x ON x.id = w.pack_id", "x.published_by"),
    ("published the pack", "pack_draft x ON x.pack_id = w.pack_id", "x.submitted_by"),
    ("published the pack", "pack_draft x ON x.pack_id = w.pack_id", "x.ended_by"),
    (
        "gave the creditor the pack",
        "creditor_pack x ON x.pack_id = w.pack_id AND x.creditor_id = w.creditor_id",
        "x.actor",
    ),
)
"""Acts of this round that take a person's word on what follows from them away (rule 10): in words, where, and whose."""

HAND = "SELECT w.id, '{act}' AS act FROM waiting w JOIN {where} WHERE {who} = :person"
STANDING = f"""
WITH waiting AS MATERIALIZED (
  SELECT a.id, a.approval_role, a.amount, a.overdue_amount, a.creditor_id, a.case_id, a.round_id, a.pack_id,
    k.debtor_id, k.currency, d.debtor_no, d.party_id,
    COALESCE((SELECT r.opened_on FROM round r WHERE r.case_id = a.case_id AND r.closed_at IS NULL), a.business_date)
      AS since
  FROM action a JOIN "case" k ON k.id = a.case_id JOIN debtor d ON d.id = k.debtor_id
  WHERE a.id = ANY(CAST(:ids AS bigint[]))),
hand AS (
  {" UNION ALL ".join(HAND.format(act=act, where=where, who=who) for act, where, who in HANDS)}
)
SELECT w.id, w.approval_role, w.amount, w.overdue_amount, w.currency,
  (SELECT min(h.act) FROM hand h WHERE h.id = w.id) AS act,
  (SELECT v.verdict FROM approval v WHERE v.action_id = w.id AND v.actor = :person ORDER BY v.id LIMIT 1) AS said,
  (SELECT COALESCE(t.assignee, t.role) FROM work_task t
   WHERE t.action_id = w.id AND t.kind = '{WorkKind.CONSULT}' AND t.state = 'open' ORDER BY t.id LIMIT 1) AS asked,
  COALESCE((SELECT sum(v.open_amount) FROM item_version v
   WHERE v.debtor_id = w.debtor_id AND v.currency = w.currency AND v.item_type IN ('invoice', 'debit_note')
     AND v.open_amount > 0 AND v.due_on < :day
     AND {VISIBLE.format(t="v", as_of=":day", known_at=":known")}), 0)::bigint AS overdue
FROM waiting w
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class Objection:
    """Why a person may not say yes to an action."""

    code: str
    """role, four_eyes, said, asked, currency or limit."""
    told: str
    advice: str


def objections(
    session: Session, person: Person | Visitor, action_ids: Iterable[int], as_of: date
) -> dict[int, Objection]:
    """Action → why this person may not say yes to it, as of a date; those that they may approve are left out."""
    asked = {
        "ids": sorted(set(action_ids)),
        "person": person.login,
        "move": MOVE_CONFIRM,
        "lift": LIFT_CONFIRM,
        "day": as_of,
        "known": EVERYTHING_RECORDED,
    }
    rows = session.connection().execute(text(STANDING), asked).mappings() if asked["ids"] else ()
    found = {int(row["id"]): _objection(person, row) for row in rows}
    return {action_id: objection for action_id, objection in found.items() if objection is not None}


def _objection(person: Person | Visitor, action: Mapping[Any, Any]) -> Objection | None:
    roles = MAY_APPROVE[action["approval_role"]]
    if person.role not in roles:
        told = f"{person.login} is {person.role}: that role may not approve this."
        return Objection("role", told, f"Ask somebody who is {' or '.join(roles)}.")
    if action["act"] is not None:
        told = f"{person.login} {action['act']} in this round and may not approve what follows from it."
        return Objection("four_eyes", told, "Four eyes: somebody else looks at it.")
    if action["said"] is not None:
        told = f"{person.login} has already {action['said']} action {action['id']}."
        return Objection("said", told, "It needs another person.")
    if action["asked"] is not None:
        told = f"{action['asked']} was asked about action {action['id']} and has not answered."
        return Objection("asked", told, "It waits for that answer; after 3 working days another gives it.")
    return _over_limit(person, max(action["amount"], action["overdue_amount"], action["overdue"]), action["currency"])


def _over_limit(person: Person | Visitor, needed: int, currency: str) -> Objection | None:
    if person.limit_currency != currency:
        told = f"{person.login}'s limit is in {person.limit_currency}, the case in {currency}: no rate, no approval."
        return Objection("currency", told, f"Ask somebody with a limit in {currency}.")
    if person.approval_limit < needed:
        told = (
            f"{person.login} may approve up to {format_money(person.approval_limit, currency)},"
            f" this is {format_money(needed, currency)}."
        )
        return Objection("limit", told, "Ask somebody with a higher limit.")
    return None
