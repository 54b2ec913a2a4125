"""The contact budget at the moment of acting: an approval may have taken days, and the week may have filled (law 6)."""

from datetime import date, datetime, timedelta

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.ledger.database import Frames
from policies.guardrails import GuardrailsFile
from policies.turns import CLAIM, out_of_turn

LOOK_BACK = timedelta(days=60)

WRITTEN = """
o.id <> l.action_id AND o.written AND o.state IN ('in_progress', 'executed', 'unknown')
  AND o.business_date > DATE '{since}'
"""
OTHERS = f"""
SELECT l.action_id, COALESCE(o.executed_on, o.started_on, o.business_date) AS on_day
FROM pg_temp.late_letter l JOIN "case" k ON k.party_id = l.written_to
JOIN action o ON o.case_id = k.id AND o.payer_party_id IS NULL AND {WRITTEN}
UNION ALL
SELECT l.action_id, COALESCE(o.executed_on, o.started_on, o.business_date)
FROM pg_temp.late_letter l JOIN action o ON o.payer_party_id = l.written_to AND {WRITTEN}
"""  # noqa: S608 - our own words
"""What the party was written, about whichever account and by whichever creditor."""

TAKEN = """
SELECT l.action_id FROM pg_temp.late_letter l JOIN contact_slot s ON s.party_id = l.written_to AND s.day = DATE '{day}'
JOIN action o ON o.id = s.action_id JOIN "case" k ON k.id = o.case_id
WHERE o.id <> l.action_id AND (k.debtor_id, o.pack_id, o.segment, o.step)
  IS DISTINCT FROM (l.debtor_id, l.pack_id, l.segment, l.step)
"""
"""Whose day is claimed by another letter than the one that theirs would be a part of."""


def crowded(
    frames: Frames,
    actions: pl.DataFrame,
    countries: pl.DataFrame,
    guardrails: GuardrailsFile,
    as_of: date,
) -> pl.DataFrame:
    """(action_id) of letters proposed on an earlier day that would now come too close to, or on top of, others."""
    late = actions.filter(pl.col("written") & (pl.col("business_date") < as_of))
    if late.is_empty():
        return late.select("action_id")
    frames.stage("late_letter", late.select("action_id", "written_to", "debtor_id", "pack_id", "segment", "step"))
    others = frames.read(OTHERS.format(since=as_of - LOOK_BACK))
    claims = late.with_columns(first_from=pl.lit(None, dtype=pl.Date))
    second = out_of_turn(claims, claims.select(list(CLAIM)).clear(), as_of).select("action_id")
    taken = pl.concat([frames.read(TAKEN.format(day=as_of)), second]).unique()
    if others.is_empty():
        return taken
    others = others.join(late.join(countries, on="case_id", how="left").select("action_id", "country"), on="action_id")
    limits = guardrails.contacts
    others = others.with_columns(
        apart=shift_working_days(others["on_day"], limits.apart, others["country"]),
        within=shift_working_days(others["on_day"], limits.within, others["country"]),
    )
    counted = others.group_by("action_id").agg(
        close=(pl.col("apart") > as_of).any(),
        count=pl.col("on_day").filter(pl.col("within") > as_of).n_unique(),
    )
    full = counted.filter(pl.col("close") | (pl.col("count") >= limits.most)).select("action_id")
    return pl.concat([taken, full]).unique()


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
