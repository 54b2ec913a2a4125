"""The contact budget at the moment of acting: an approval may have taken days, and the week may have filled (law 6)."""

from datetime import date, datetime, timedelta

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.ledger.database import Frames
from policies.schema import GuardrailsFile

LOOK_BACK = timedelta(days=60)

OTHERS = """
SELECT l.action_id, COALESCE(o.executed_on, o.started_on, o.business_date) AS on_day, o.creditor_id
FROM pg_temp.late_letter l JOIN "case" k ON k.party_id = l.party_id
JOIN action o ON o.case_id = k.id AND o.id <> l.action_id
WHERE o.written AND o.state IN ('in_progress', 'executed', 'unknown') AND o.business_date > DATE '{since}'
"""

TAKEN = """
SELECT l.action_id FROM pg_temp.late_letter l JOIN contact_slot s ON s.party_id = l.party_id AND s.day = DATE '{day}'
JOIN action o ON o.id = s.action_id WHERE o.creditor_id <> {creditor}
"""


def crowded(
    frames: Frames,
    creditor_id: int,
    actions: pl.DataFrame,
    countries: pl.DataFrame,
    guardrails: GuardrailsFile,
    as_of: date,
) -> pl.DataFrame:
    """(action_id) of letters proposed on an earlier day that would now come too close to, or on top of, others."""
    late = actions.filter(pl.col("written") & (pl.col("business_date") < as_of))
    if late.is_empty():
        return late.select("action_id")
    frames.stage("late_letter", late.select("action_id", "party_id"))
    others = frames.read(OTHERS.format(since=as_of - LOOK_BACK))
    taken = frames.read(TAKEN.format(day=as_of, creditor=int(creditor_id)))
    if others.is_empty():
        return taken
    others = others.join(late.join(countries, on="case_id", how="left").select("action_id", "country"), on="action_id")
    # What this creditor writes to the party on this same day is one letter with it.
    others = others.filter((pl.col("on_day") < as_of) | (pl.col("creditor_id") != creditor_id))
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
    frames.stage("moved_letter", late.select("action_id", "party_id"))
    frames.execute("DELETE FROM contact_slot s USING pg_temp.moved_letter l WHERE s.action_id = l.action_id")
    frames.execute(
        "INSERT INTO contact_slot (party_id, day, slot, action_id, recorded_at)"  # noqa: S608 - typed literals
        f" SELECT DISTINCT ON (l.party_id) l.party_id, DATE '{as_of}', 1, l.action_id, TIMESTAMPTZ '{at.isoformat()}'"
        " FROM pg_temp.moved_letter l ORDER BY l.party_id, l.action_id ON CONFLICT DO NOTHING"
    )
