"""From order to payment: what happened to each item, as far as the ledger and our own records tell (rule 29)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import QUIET_DAYS, STRONG_EVIDENCE, Channel
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import visible
from policies.schema import Attachment
from tasks.facts.sending import CAME_BACK, WENT_ELSEWHERE
from tasks.revalidate import step_of

if TYPE_CHECKING:
    from tasks.engine import Engine

OF_THE_LEDGER = ("ordered_on", "delivered_on", "invoice_sent_on", "approved_on")

ITEMS = f"""
SELECT v.item_id, v.document_no, v.po_number, v.issued_on, v.due_on, v.settled_on,
  {", ".join(f"CASE WHEN v.{name} <= {{day}} THEN v.{name} END AS {name}" for name in OF_THE_LEDGER)},
  COALESCE(p.country, c.country) AS country,
  v.invoice_channel,
  {CAME_BACK.format(a="{of_address}")} AS came_back, {WENT_ELSEWHERE.format(f="{of_preference}")} AS elsewhere
FROM "case" k JOIN creditor c ON c.id = k.creditor_id
JOIN item_version v ON v.debtor_id = k.debtor_id AND v.currency = k.currency
LEFT JOIN debtor_profile p ON p.debtor_id = k.debtor_id AND {{of_profile}}
WHERE k.id = {{case}} AND v.item_type IN ('invoice', 'debit_note') AND {{of_item}}
  AND (v.open_amount > 0 OR v.item_id IN (SELECT i.item_id FROM round_item i JOIN round r ON r.id = i.round_id
    WHERE r.case_id = k.id AND r.opened_on <= {{day}} AND (r.closed_on IS NULL OR r.closed_on > {{day}})))
ORDER BY v.due_on, v.document_no, v.item_id
"""  # noqa: S608 - our own words

ACTIONS = """
SELECT i.item_id, a.id AS action_id, a.pack_id, a.segment, a.step, a.kind, a.written, a.executed_on,
  NOT EXISTS (SELECT 1 FROM message_action m WHERE m.action_id = a.id) AS by_hand,
  (SELECT min(e.observed_on) FROM message_action m JOIN evidence e ON e.message_id = m.message_id
   WHERE m.action_id = a.id AND e.kind IN ({strong}) AND e.observed_on <= {day}
     AND e.recorded_at <= {instant}) AS strong_on
FROM action_item i JOIN action a ON a.id = i.action_id
WHERE a.case_id = {case} AND a.state = 'executed' AND a.kind IN ('message', 'plan_offer') AND a.executed_on <= {day}
  AND a.ended_at <= {instant}
ORDER BY a.executed_on, a.id
"""


VERSIONED = {"address": "a", "profile": "p", "preference": "f", "item": "v"}
"""Tables with two times, and how the queries call them."""


def timeline(
    engine: "Engine",
    frames: Frames,
    case_id: int,
    as_of: date,
    known_at: datetime,
    messages: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """An item a row, those open and those of the open round: the dates there are of its way from order to payment.

    `messages`: how it was written to (`tasks.written`), so that it is said by which way the item was asked for.
    """
    marks = {
        "case": str(int(case_id)),
        "day": f"DATE '{as_of.isoformat()}'",
        "instant": f"TIMESTAMPTZ '{known_at.isoformat()}'",
        "strong": ", ".join(f"'{kind}'" for kind in sorted(STRONG_EVIDENCE)),
        **{f"of_{name}": f"({visible(alias, as_of, known_at)})" for name, alias in VERSIONED.items()},
    }
    items = {row["item_id"]: _told_by_the_ledger(row, as_of) for row in frames.read(ITEMS.format(**marks)).to_dicts()}
    for action in frames.read(ACTIONS.format(**marks)).to_dicts():
        item = items.get(action["item_id"])
        if item is None:
            continue
        copy = not action["written"] and _attaches(engine, action)
        if action["written"] and action["kind"] in ("message", "plan_offer"):
            ways = [each["way"] for each in messages if action["action_id"] in each["action_ids"]]
            item["asked_on"] = item["asked_on"] or action["executed_on"]
            item["last_asked"] = f"{action['executed_on']} {'; '.join(ways)}".strip()
        if copy:
            item["sent_again_on"] = action["executed_on"]
        confirmed = action["executed_on"] if copy and action["by_hand"] else action["strong_on"]
        if confirmed is not None and (item["receipt"] != CONFIRMED or confirmed < item["received_on"]):
            item |= {"received_on": confirmed, "receipt": CONFIRMED}
    return list(items.values())


CONFIRMED, PRESUMED, CAME_BACK = "confirmed", "presumed", "came back"
"""What is known of an invoice's receipt: somebody said so, nothing came back in time, or it did."""


def _told_by_the_ledger(row: dict[str, Any], as_of: date) -> dict[str, Any]:
    sent_on = row["invoice_sent_on"]
    received_on, receipt = None, CAME_BACK if row["came_back"] else None
    if row["approved_on"] is not None:
        received_on, receipt = row["approved_on"], CONFIRMED
    elif sent_on is not None and not row["came_back"] and not row["elsewhere"]:
        by_post = (row["invoice_channel"] or "").lower() == Channel.POST
        arrived = add_working_days(sent_on, QUIET_DAYS[Channel.POST if by_post else Channel.EMAIL], row["country"])
        received_on, receipt = (arrived, PRESUMED) if arrived <= as_of else (None, None)
    return {
        "item_id": row["item_id"],
        "document_no": row["document_no"],
        "order_no": row["po_number"],
        "ordered_on": row["ordered_on"],
        "delivered_on": row["delivered_on"],
        "invoiced_on": row["issued_on"],
        "sent_on": sent_on,
        "sent_by": row["invoice_channel"],
        "sent_again_on": None,
        "received_on": received_on,
        "receipt": receipt,
        "approved_on": row["approved_on"],
        "due_on": row["due_on"],
        "asked_on": None,
        "last_asked": None,
        "paid_on": row["settled_on"],
    }


def _attaches(engine: "Engine", action: dict[str, Any]) -> bool:
    step = step_of(engine.pack, action["pack_id"], action["segment"], action["step"])
    return step is not None and Attachment.INVOICES in step.attach
