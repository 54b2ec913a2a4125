"""Which journeys have something to act on: what flows start runs for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.engine import Engine

DUE = """
SELECT DISTINCT a.segment, a.pack_id, k.shard_key % {shards} AS shard
FROM action a JOIN "case" k ON k.id = a.case_id
WHERE a.creditor_id = {creditor} AND (a.state = 'approved' OR (a.state = 'in_progress' AND a.kind = 'handoff'))
ORDER BY 1, 2, 3
"""
"""A placement that stands but has not left (its run was killed) counts, too."""


@dataclass(frozen=True)
class DueJourney:
    """One run of a journey: a segment, a pack version and a shard."""

    segment: str
    pack_id: int
    shard: int


def due_journeys(engine: "Engine", creditor_id: int, segments: Collection[str] | None = None) -> list[DueJourney]:
    """The journeys with approved actions, of these segments or of all, in the order of the pack's segments."""
    query = DUE.format(creditor=int(creditor_id), shards=engine.settings.shards)
    with engine.database.frames(read_only=True) as frames:
        found = [DueJourney(*row) for row in frames.read(query).iter_rows()]
    wanted = [each for each in found if segments is None or each.segment in segments]
    return sorted(wanted, key=lambda due: (due.pack_id, *_place(engine, due), due.shard))


def _place(engine: "Engine", due: DueJourney) -> tuple[int, str]:
    order = list(engine.pack(due.pack_id).journeys)
    return (order.index(due.segment) if due.segment in order else len(order), due.segment)
