"""What an approval binds to: the hash of items, amounts, recipient and words of an action (law 9).

Messages are hashed as they would be written (tasks.compose); what has no words, a placement, by its items and amounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from connectors.message import Outgoing
from maatpak.kernel.ids import content_hash
from maatpak.ledger.database import Frames
from tasks.compose import action_hashes, content_hashes, drafts_of

if TYPE_CHECKING:
    from tasks.engine import Engine

WORDLESS = """
SELECT a.id AS action_id, a.kind, a.step, a.amount, i.item_id, i.amount AS item_amount
FROM action a LEFT JOIN action_item i ON i.action_id = a.id WHERE a.id = ANY('{{{ids}}}'::bigint[])
ORDER BY a.id, i.item_id
"""


@dataclass(frozen=True)
class Proposal:
    """What an action would do as things stand."""

    content_hash: str
    messages: tuple[Outgoing, ...]
    """None of a placement: it has no words."""
    unreachable: tuple[str, ...]
    """Why nobody can be told, where that is so."""


def proposal_of(engine: "Engine", frames: Frames, action_id: int, as_of: date, now: datetime) -> Proposal:
    """What one action would say as things stand, and the hash of it; writes nothing."""
    made = drafts_of(engine, frames, [action_id], as_of, now)
    hashes = action_hashes(made) or _wordless(frames, [action_id])
    messages = tuple(draft.outgoing for draft in made.drafts)
    return Proposal(hashes.get(action_id, ""), messages, tuple(detail for _, _, detail in made.unreachable))


def hashes_of(
    engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime
) -> dict[int, str]:
    """Action → hash of what it would do as things stand."""
    hashes = content_hashes(engine, frames, action_ids, as_of, now)
    return hashes | _wordless(frames, [each for each in action_ids if each not in hashes])


def _wordless(frames: Frames, action_ids: Sequence[int]) -> dict[int, str]:
    if not action_ids:
        return {}
    rows = frames.read(WORDLESS.format(ids=",".join(str(int(each)) for each in action_ids)))
    return {
        int(str(key[0])): content_hash(
            [*key[1:], [list(item) for item in group.select("item_id", "item_amount").rows()]]
        )
        for key, group in rows.group_by("action_id", "kind", "step", "amount", maintain_order=True)
    }


def bind_contents(engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime) -> None:
    """Give proposed actions the hash that their approvals will bind to."""
    if not action_ids:
        return
    hashes = hashes_of(engine, frames, action_ids, as_of, now)
    rows = pl.DataFrame(list(hashes.items()), schema={"action_id": pl.Int64, "content_hash": pl.String}, orient="row")
    frames.stage("content_hashes", rows)
    frames.execute(
        "UPDATE action a SET content_hash = h.content_hash FROM pg_temp.content_hashes h WHERE a.id = h.action_id"
    )
