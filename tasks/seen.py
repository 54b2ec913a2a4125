"""What a tick has just seen need not be read again: it is as good as another look while only we have acted since.

Every act of a person and every import leaves an event, in the transaction in which it takes effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

import polars as pl

from maatpak.ledger.database import Frames
from tasks.facts import FactFrames, build_facts
from tasks.revalidate import EVERYTHING_RECORDED

OWN_EVENTS = (
    *("tick_decided", "step_executed", "messages_delivered", "unusual_volume", "report_made", "message_resolved"),
    "note_written",
)
"""Kinds of events after which an action is still as wanted as it was."""

FOREIGN = "SELECT EXISTS (SELECT 1 FROM event WHERE seq > {seq} AND kind <> ALL ('{{{own}}}'))"


@dataclass(frozen=True)
class Seen:
    """The facts that a tick saw of its shard and what it decided, and the last event when it ended."""

    facts: FactFrames
    seq: int
    decisions: pl.DataFrame
    """One row a case: `policies.decide.CASE_COLUMNS`, and what was withheld."""
    known_at: datetime


def facts_now(
    frames: Frames, creditor_id: int, as_of: date, case_ids: pl.Series, seen: Sequence[Seen] = ()
) -> FactFrames:
    """The facts of these cases at this moment. Their parties are locked by the caller."""
    if seen:
        foreign = FOREIGN.format(seq=min(each.seq for each in seen), own=",".join(OWN_EVENTS))
        known = pl.concat([each.facts.cases["case_id"] for each in seen])
        if not frames.read(foreign).item() and case_ids.is_in(known.implode()).all():
            names = [field.name for field in fields(FactFrames)]
            return FactFrames(*(pl.concat([getattr(each.facts, name) for each in seen]) for name in names))
    return build_facts(frames, creditor_id, as_of, EVERYTHING_RECORDED, case_ids=case_ids.unique())
