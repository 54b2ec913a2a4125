"""The contact budget at the moment of acting: an approval may have taken days, and the week may have filled (law 6)."""

from datetime import date, datetime, timedelta

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.words import Stage
from maatpak.ledger.database import Frames
from policies.schema import GuardrailsFile

LOOK_BACK = timedelta(days=60)

OTHERS = """
SELECT l.action_id, COALESCE(o.executed_on, o.started_on, o.business_date) AS on_day
FROM pg_temp.late_letter l JOIN "case" k ON k.party_id = l.party_id
JOIN action o ON o.case_id = k.id AND o.id <> l.action_id
WHERE o.written AND o.state IN ('in_progress', 'executed', 'unknown') AND o.business_date > DATE '{since}'
"""

TAKEN = """
SELECT l.action_id FROM pg_temp.late_letter l JOIN contact_slot s ON s.party_id = l.party_id AND s.day = DATE '{day}'
JOIN action o ON o.id = s.action_id JOIN "case" k ON k.id = o.case_id
WHERE o.id <> l.action_id AND (k.debtor_id, o.pack_id, o.segment, o.step)
  IS DISTINCT FROM (l.debtor_id, l.pack_id, l.segment, l.step)
"""
"""Whose day is claimed by another letter than the one that theirs would be a part of."""

LETTER = ("party_id", "debtor_id", "pack_id", "segment", "step", "approvals_needed")
"""Actions that have all of this in common are one letter: the cases of one customer in several currencies."""


def second_letters(letters: pl.DataFrame) -> pl.DataFrame:
    """Letters that a party would get beside another of the same creditor on one day (practice, rule 21).

    The one of the furthest stage stays, then that of the largest amount, and what is one letter with it.
    """
    several = letters.filter(pl.col("party_id").is_duplicated())
    rank = pl.col("stage").replace_strict({str(stage): stage.rank for stage in Stage}, return_dtype=pl.Int8)
    ordered = several.sort(rank, "amount", -pl.col("case_id"), descending=True)
    first = ordered.unique("party_id", keep="first", maintain_order=True)
    return several.join(first, on=LETTER, how="anti", maintain_order="left")


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
    frames.stage("late_letter", late.select("action_id", "party_id", "debtor_id", "pack_id", "segment", "step"))
    others = frames.read(OTHERS.format(since=as_of - LOOK_BACK))
    taken = pl.concat([frames.read(TAKEN.format(day=as_of)), second_letters(late).select("action_id")]).unique()
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
    frames.stage("moved_letter", late.select("action_id", "party_id"))
    frames.execute("DELETE FROM contact_slot s USING pg_temp.moved_letter l WHERE s.action_id = l.action_id")
    frames.execute(
        "INSERT INTO contact_slot (party_id, day, slot, action_id, recorded_at)"  # noqa: S608 - typed literals
        f" SELECT DISTINCT ON (l.party_id) l.party_id, DATE '{as_of}', 1, l.action_id, TIMESTAMPTZ '{at.isoformat()}'"
        " FROM pg_temp.moved_letter l ORDER BY l.party_id, l.action_id ON CONFLICT DO NOTHING"
    )
