"""One customer's weeks, day by day, with the why of each: from its events and from the decision frames."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from maatpak.ledger.database import Database, Frames
from maatpak.ledger.store import EvidenceStore

RICHEST = """
SELECT a.case_id FROM action a
WHERE a.state = 'executed' AND a.round_id IS NOT NULL GROUP BY a.case_id
ORDER BY count(DISTINCT a.kind) + 2 * (EXISTS (SELECT 1 FROM promise p WHERE p.case_id = a.case_id))::int
         + (EXISTS (SELECT 1 FROM stated_reason p WHERE p.case_id = a.case_id))::int
         + 2 * (EXISTS (SELECT 1 FROM answer p WHERE p.case_id = a.case_id))::int
         + 3 * (EXISTS (SELECT 1 FROM evidence e JOIN message m ON m.id = e.message_id
                        WHERE m.case_id = a.case_id AND e.kind IN ('bounced', 'returned')))::int DESC,
         count(DISTINCT a.step) DESC,
         (SELECT c.code || d.debtor_no || k.currency FROM "case" k JOIN debtor d ON d.id = k.debtor_id
          JOIN creditor c ON c.id = k.creditor_id WHERE k.id = a.case_id)
LIMIT 1
"""
"""The case to which most kinds of things happened; numbers of the ledger break ties, never ids."""

WHO = """
SELECT p.name, d.debtor_no, c.name AS house, k.currency, p.country FROM "case" k JOIN debtor d ON d.id = k.debtor_id
JOIN creditor c ON c.id = k.creditor_id JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
WHERE k.id = {case}
"""

HAPPENED = """
SELECT executed_on AS day, 2 AS place, kind || ' · ' || step || COALESCE(' → ' || result, '') AS what FROM action
 WHERE case_id = {case} AND state = 'executed'
UNION ALL SELECT business_date, 2, step || ' passed over: ' || reason FROM action
 WHERE case_id = {case} AND state IN ('skipped', 'cancelled')
UNION ALL SELECT sent_on, 3, 'sent by ' || channel
  || COALESCE(' instead of ' || m.instead_of || ' (' || m.switch_reason || ')', '')
  || ': ' || COALESCE(subject, template)
 FROM message m WHERE case_id = {case} AND state = 'sent'
UNION ALL SELECT e.observed_on, 6, m.channel || ' ' || e.kind
  || CASE WHEN m.channel = 'post' THEN '' ELSE COALESCE(': ' || NULLIF(e.said, e.kind), '') END
 FROM evidence e JOIN message m ON m.id = e.message_id
 WHERE m.case_id = {case} AND e.kind NOT IN ('accepted', 'answered')
UNION ALL SELECT DISTINCT received_on, 6, 'they answered by ' || channel FROM answer WHERE case_id = {case}
UNION ALL SELECT s.valid_from, 7, s.channel || ' address ' || s.state
 FROM address_state s JOIN "case" k ON k.debtor_id = s.debtor_id
 WHERE k.id = {case} AND s.state <> 'proven' AND s.valid_from >= DATE '{start}'
UNION ALL SELECT r.called_on, 4, 'rung (' || r.day_part || '): ' || r.code FROM contact_result r WHERE case_id = {case}
UNION ALL SELECT stated_on, 5, 'they said: ' || reason FROM stated_reason WHERE case_id = {case}
UNION ALL SELECT made_on, 5, 'promised ' || to_char(amount / 100.0, 'FM999G999G990D00') || ' by ' || promised_on
 FROM promise WHERE case_id = {case} AND valid_from = made_on AND state = 'open'
UNION ALL SELECT valid_from, 1, 'promise ' || state FROM promise WHERE case_id = {case} AND state <> 'open'
UNION ALL SELECT from_on, 5, 'hold: ' || reason || ' until ' || until_on FROM hold
 WHERE case_id = {case} AND state = 'active'
UNION ALL SELECT valid_from, 5, 'plan ' || state FROM plan WHERE case_id = {case}
UNION ALL SELECT opened_on, 5, 'dispute: ' || reason FROM dispute
 WHERE case_id = {case} AND state = 'open' AND valid_from = opened_on
UNION ALL SELECT y.paid_on, 1, 'paid ' || to_char(y.amount / 100.0, 'FM999G999G990D00')
  || COALESCE(' on ' || y.document_no, '')
 FROM payment y JOIN "case" k ON k.debtor_id = y.debtor_id AND k.currency = y.currency
 WHERE k.id = {case} AND y.paid_on >= DATE '{start}'
UNION ALL SELECT decided_on, 5, verdict || ' by ' || p.role || ': ' || p.reason
 FROM approval p JOIN action a ON a.id = p.action_id
 WHERE a.case_id = {case}
UNION ALL SELECT opened_on, 1, 'round ' || number || ' opens' FROM round WHERE case_id = {case}
UNION ALL SELECT closed_on, 1, 'round ' || number || ' closes: all its items are settled' FROM round
 WHERE case_id = {case} AND closed_on IS NOT NULL
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Story:
    """Who it is about, and (day, what happened, why) in order."""

    name: str
    number: str
    house: str
    lines: list[tuple[date, str, str]]


def tell_story(database: Database, store: EvidenceStore, start: date) -> Story | None:
    """The story of the customer to whom most happened; None when nothing happened to anybody."""
    with database.frames(read_only=True) as frames:
        chosen = frames.read(RICHEST)
        if chosen.is_empty():
            return None
        case_id = int(chosen.item())
        who = frames.read(WHO.format(case=case_id)).row(0, named=True)
        happened = frames.read(HAPPENED.format(case=case_id, start=start.isoformat()))
        whys = _whys(frames, store, case_id)
    lines: list[tuple[date, str, str]] = []
    told: str | None = None
    for day in sorted({*happened["day"], *whys}):
        events = happened.filter(pl.col("day") == day)["what"].to_list()
        why = whys.get(day, "")
        if not events and why == told:
            continue
        told = why
        lines.append((day, "\n".join(events) or "–", why))
    return Story(who["name"], who["debtor_no"], who["house"], lines)


def _whys(frames: Frames, store: EvidenceStore, case_id: int) -> dict[date, str]:
    """What the engine decided for the case on each day, and why."""
    ticks = frames.read(
        "SELECT t.business_date, t.decisions_evidence FROM tick t"  # noqa: S608 - a number
        f' JOIN "case" k ON k.creditor_id = t.creditor_id AND k.shard_key % t.shards = t.shard WHERE k.id = {case_id}'
        " ORDER BY t.business_date, t.id"
    )
    whys: dict[date, str] = {}
    for day, key in ticks.rows():
        row = store.get_frame(key).filter(pl.col("case_id") == case_id)
        if not row.is_empty():
            whys[day] = _why(row.row(0, named=True))
    return whys


def _why(decision: dict[str, object]) -> str:
    if decision["outcome"] == "act":
        return f"{decision['segment']}: {decision['step']} is due"
    detail = f" ({decision['detail']})" if decision["detail"] else ""
    return f"{decision['segment'] or 'no round'}: {decision['reason']}{detail}"
