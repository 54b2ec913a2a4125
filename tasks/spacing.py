"""The contact budget of a party, asked again (law 6): when a letter is acted on, and when its message leaves.

A letter was proposed for a day that was free. Where it waited since, for approval, for its hour, for room or for a
service, it may meet what was written meanwhile, also by another creditor.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from maatpak.kernel.calendars import add_working_days
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import numbers
from policies.guardrails import ContactLimits
from policies.turns import CLAIM, out_of_turn

LOOK_BACK = timedelta(days=60)

CONTACTS = """
WITH theirs AS (
  SELECT k.party_id, a.id FROM "case" k JOIN action a ON a.case_id = k.id
  WHERE k.party_id = ANY({parties}) AND a.payer_party_id IS NULL AND a.written
  UNION ALL
  SELECT a.payer_party_id, a.id FROM action a
  WHERE a.payer_party_id = ANY({parties}) AND a.written)
SELECT t.party_id, t.id AS action_id, COALESCE(m.sent_on, m.ended_at::date, DATE '{day}') AS on_day
FROM theirs t JOIN message_action x ON x.action_id = t.id JOIN message m ON m.id = x.message_id
WHERE m.sent_on > DATE '{since}' OR m.state IN ('sending', 'unknown') OR m.state = 'queued' AND {also}
"""
"""What the parties were written, about whichever account and by whichever creditor: what has left, what is leaving, and
what {also} says of what waits, which counts as of today."""
WAITS = "TRUE"
TAKEN_BY_OTHERS = "m.leased_until > clock_timestamp() AND m.id <> ALL ({ours})"

SLOTS_TAKEN = """
SELECT l.action_id FROM pg_temp.late_letter l JOIN contact_slot s ON s.party_id = l.written_to AND s.day = DATE '{day}'
JOIN action o ON o.id = s.action_id JOIN "case" k ON k.id = o.case_id
WHERE o.id <> l.action_id AND (k.debtor_id, o.pack_id, o.segment, o.step)
  IS DISTINCT FROM (l.debtor_id, l.pack_id, l.segment, l.step)
"""
"""Whose day is claimed by another letter than the one that theirs would be a part of."""


def crowded_letters(
    frames: Frames, actions: pl.DataFrame, countries: pl.DataFrame, limits: ContactLimits, as_of: date
) -> pl.DataFrame:
    """(action_id) of letters proposed on an earlier day that would now come too close to, or on top of, others.

    `actions`: candidates of tasks.execute, whose parties are locked; `countries`: case_id and country.
    """
    late = actions.filter(pl.col("written") & (pl.col("business_date") < as_of))
    if late.is_empty():
        return late.select("action_id")
    frames.stage("late_letter", late.select("action_id", "written_to", "debtor_id", "pack_id", "segment", "step"))
    claims = late.with_columns(first_from=pl.lit(None, dtype=pl.Date))
    second = out_of_turn(claims, claims.select(list(CLAIM)).clear(), as_of).select("action_id")
    taken = frames.read(SLOTS_TAKEN.format(day=as_of))
    contacts = _contacts(frames, late["written_to"], as_of, WAITS)
    asked = late.join(countries, on="case_id", how="left").select("action_id", "written_to", "country")
    full = [
        action_id
        for action_id, party_id, country in asked.iter_rows()
        if _is_full((day for other, day in contacts[party_id] if other != action_id), country or "", limits, as_of)
    ]
    return pl.concat([taken, second, pl.DataFrame({"action_id": full}, schema={"action_id": pl.Int64})]).unique()


def crowded_messages(
    frames: Frames, rows: Sequence[dict[str, Any]], claimed: Iterable[int], limits: ContactLimits, as_of: date
) -> set[int]:
    """The messages that would come too close to what the same party was written, or on top of it: they wait.

    `rows`: id, written, action_ids, party_id, payer_party_id and country of the messages that would go, whose parties
    are locked; `claimed`: with them, all that were claimed, for what of these does not go keeps none waiting. The first
    way of a letter does not stand against its second, only other letters do: also those that left in between.
    """
    letters = [row for row in rows if row["written"]]
    if not letters:
        return set()
    parties = (row["payer_party_id"] or row["party_id"] for row in letters)
    contacts = _contacts(frames, parties, as_of, TAKEN_BY_OTHERS.format(ours=numbers(claimed)))
    waits = set()
    for row in letters:
        own, theirs = set(row["action_ids"] or ()), contacts[row["payer_party_id"] or row["party_id"]]
        others = (day for action_id, day in theirs if action_id not in own)
        if _is_full(others, row["country"] or "", limits, as_of):
            waits.add(row["id"])
        else:
            theirs.extend((action_id, as_of) for action_id in own)
    return waits


def _contacts(frames: Frames, parties: Iterable[int], as_of: date, also: str) -> dict[int, list[tuple[int, date]]]:
    """Party → the actions that wrote to it, and when; `also`: which of the waiting messages count, as SQL."""
    found = frames.read(CONTACTS.format(parties=numbers(set(parties)), day=as_of, since=as_of - LOOK_BACK, also=also))
    contacts: dict[int, list[tuple[int, date]]] = defaultdict(list)
    for party_id, action_id, on_day in found.iter_rows():
        contacts[party_id].append((action_id, on_day))
    return contacts


def _is_full(contacts: Iterable[date], country: str, limits: ContactLimits, as_of: date) -> bool:
    """Whether a party that was written to on those days has no room for another letter today."""
    days = set(contacts)
    close = any(add_working_days(day, limits.apart, country) > as_of for day in days)
    return close or sum(add_working_days(day, limits.within, country) > as_of for day in days) >= limits.most


def move_days(frames: Frames, actions: pl.DataFrame, as_of: date, at: datetime) -> None:
    """Letters that go on another day than they were proposed for claim that day instead."""
    late = actions.filter(pl.col("written") & (pl.col("business_date") < as_of))
    if late.is_empty():
        return
    frames.stage("moved_letter", late.select("action_id", "written_to"))
    frames.execute("DELETE FROM contact_slot s USING pg_temp.moved_letter l WHERE s.action_id = l.action_id")
    frames.execute(
        "INSERT INTO contact_slot (party_id, day, slot, action_id, recorded_at)"  # noqa: S608 - typed literals
        f" SELECT DISTINCT ON (l.written_to) l.written_to, DATE '{as_of}', 1, l.action_id,"
        f" TIMESTAMPTZ '{at.isoformat()}'"
        " FROM pg_temp.moved_letter l ORDER BY l.written_to, l.action_id ON CONFLICT DO NOTHING"
    )
