"""The contact budget at the moment of leaving (law 6).

A letter was proposed for a day that was free. Where it waited since, for its hour, for room or for a service, it may
meet what was written meanwhile, also by another creditor.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from maatpak.kernel.calendars import add_working_days
from maatpak.ledger.database import Frames
from policies.guardrails import ContactLimits

LOOK_BACK = timedelta(days=60)

LEFT = """
SELECT COALESCE(a.payer_party_id, k.party_id) AS party_id, a.id AS action_id,
  COALESCE(m.sent_on, m.ended_at::date, DATE '{day}') AS on_day
FROM action a JOIN "case" k ON k.id = a.case_id JOIN message_action x ON x.action_id = a.id
JOIN message m ON m.id = x.message_id
WHERE a.written AND (k.party_id IN ({parties}) AND a.payer_party_id IS NULL OR a.payer_party_id IN ({parties}))
  AND (m.sent_on > DATE '{since}' OR m.state IN ('sending', 'unknown')
    OR m.state = 'queued' AND m.leased_until > clock_timestamp() AND m.id NOT IN ({ours}))
"""
"""What has left or is leaving, whichever worker has it. Their parties are locked by the caller."""


def crowded(frames: Frames, rows: Sequence[dict[str, Any]], limits: ContactLimits, as_of: date) -> set[int]:
    """The messages that would come too close to what the same party was written, or on top of it: they wait.

    `rows`: id, written, action_ids, party_id, payer_party_id and country of claimed messages. One that goes by a second
    way, of which the first has left, is no further contact.
    """
    letters = [row for row in rows if row["written"]]
    if not letters:
        return set()
    marks = {
        "day": as_of.isoformat(),
        "since": (as_of - LOOK_BACK).isoformat(),
        "parties": ", ".join(str(int(_reader(row))) for row in letters),
        "ours": ", ".join(str(int(row["id"])) for row in rows),
    }
    left: dict[int, list[tuple[int, date]]] = defaultdict(list)
    for party_id, action_id, on_day in frames.read(LEFT.format(**marks)).iter_rows():
        left[party_id].append((action_id, on_day))
    waits = set()
    for row in letters:
        own, contacts = set(row["action_ids"] or ()), left[_reader(row)]
        begun = any(action_id in own for action_id, _ in contacts)
        if not begun and _too_many({day for _, day in contacts}, row["country"] or "", limits, as_of):
            waits.add(row["id"])
        else:
            contacts.extend((action_id, as_of) for action_id in own)
    return waits


def _too_many(days: set[date], country: str, limits: ContactLimits, as_of: date) -> bool:
    close = any(add_working_days(day, limits.apart, country) > as_of for day in days)
    return close or sum(add_working_days(day, limits.within, country) > as_of for day in days) >= limits.most


def _reader(row: dict[str, Any]) -> int:
    party_id: int = row["payer_party_id"] or row["party_id"]
    return party_id
