"""Whether the customer was reached: what each item of a case was told in this round, and what came of it (law 5).

For people who look at one case. What counts as evidence is decided by the same code that the facts come from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.words import EvidenceLevel
from tasks.facts.evidence import LOST, NOTICE_KINDS, SPOKEN, STRONG, counting, told_items
from tasks.facts.working_days import CALENDAR

NOTICES = """
SELECT a.id AS action_id, a.case_id, a.round_id, a.kind, a.step, a.written, m.id AS message_id, m.channel, m.sent_on,
  ARRAY(SELECT i.item_id FROM action_item i WHERE i.action_id = a.id) AS item_ids, e.*,
  (SELECT min(c.called_on) FROM contact_result c WHERE c.case_id = a.case_id AND c.code = ANY(:spoken)
   AND c.called_on > m.sent_on AND c.called_on <= :day) AS spoken_on
FROM action a JOIN round r ON r.id = a.round_id AND r.closed_at IS NULL
JOIN message_action s ON s.action_id = a.id
JOIN message m ON m.id = s.message_id AND m.state = 'sent' AND m.sent_on <= :day
CROSS JOIN LATERAL (
  SELECT min(e.observed_on) FILTER (WHERE e.kind = 'delivered') AS delivered_on,
    min(e.observed_on) FILTER (WHERE e.kind = ANY(:strong)) AS strong_on,
    min(e.observed_on) FILTER (WHERE e.kind = 'printed') AS printed_on,
    min(e.observed_on) FILTER (WHERE e.kind = 'handed_over') AS posted_on,
    max(e.observed_on) FILTER (WHERE e.kind = ANY(:lost)) AS lost_on
  FROM evidence e WHERE e.message_id = m.id AND e.observed_on <= :day) e
WHERE a.case_id = :case AND a.state = 'executed' AND a.written AND a.kind = ANY(:kinds)
ORDER BY m.sent_on, m.id
"""
OBSERVED: dict[str, Any] = {
    **dict.fromkeys(("action_id", "case_id", "round_id", "message_id"), pl.Int64),
    **dict.fromkeys(("kind", "step", "channel"), pl.String),
    "written": pl.Boolean,
    "item_ids": pl.List(pl.Int64),
    **dict.fromkeys(
        ("sent_on", "delivered_on", "strong_on", "printed_on", "posted_on", "lost_on", "spoken_on"), pl.Date
    ),
}
NAMES = {0: EvidenceLevel.NONE, 1: EvidenceLevel.WEAK, 2: EvidenceLevel.STRONG}


@dataclass(frozen=True)
class Notice:
    """An earlier message that named an item."""

    message_id: int
    step: str
    channel: str
    sent_on: date
    evidence: str
    """strong, weak, none (nothing can be said yet) or lost (it came back)."""
    since: date | None
    """The day from which it counts as that."""


@dataclass(frozen=True)
class Reached:
    """What an item was told in this round."""

    evidence: str
    """strong, weak or none: the best of its notices."""
    enough: bool
    """Whether a final demand may name it: one strong or two weak with one of them by post, for 10 working days."""
    notices: tuple[Notice, ...]


def reached(session: Session, case_id: int, item_ids: Iterable[int], country: str, as_of: date) -> dict[int, Reached]:
    """Item → what it was told in the case's open round, as of a date; `country`: whose working days count."""
    given = {
        "case": case_id,
        "day": as_of,
        "spoken": list(SPOKEN),
        "strong": list(STRONG),
        "lost": list(LOST),
        "kinds": list(NOTICE_KINDS),
    }
    rows = [dict(row) for row in session.connection().execute(text(NOTICES), given).mappings()]
    messages = pl.DataFrame(rows, schema=OBSERVED).with_columns(pl.lit(country).alias(CALENDAR))
    counted = counting(messages.lazy().filter(pl.col("lost_on").is_null()), as_of)
    named = messages.select("action_id", item_id="item_ids").explode("item_id").unique()
    case = pl.DataFrame({"case_id": [case_id], CALENDAR: [country]})
    judged = told_items(messages.unique("action_id"), named, counted, case, as_of)
    told = {row["item_id"]: row for row in judged.to_dicts()}
    known = {(row["message_id"], row["action_id"]): row for row in counted.to_dicts()}
    return {
        item_id: Reached(
            NAMES[told[item_id]["best"]] if item_id in told else EvidenceLevel.NONE,
            item_id in told and bool(told[item_id]["demandable"]),
            tuple(
                _notice(row, known.get((row["message_id"], row["action_id"])))
                for row in rows
                if item_id in row["item_ids"]
            ),
        )
        for item_id in item_ids
    }


def _notice(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> Notice:
    shown = (row["message_id"], row["step"], row["channel"], row["sent_on"])
    if row["lost_on"] is not None:
        return Notice(*shown, "lost", row["lost_on"])
    if known is None:
        return Notice(*shown, EvidenceLevel.NONE, None)
    return Notice(*shown, EvidenceLevel.STRONG if known["strong"] else EvidenceLevel.WEAK, known["evidence_on"])
