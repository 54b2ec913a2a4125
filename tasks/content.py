"""What an approval binds to: the hash of items, amounts, recipient and words of an action (law 9).

Messages are hashed as they would be written (tasks.compose); what has no words, a placement, by its items and amounts.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.ids import content_hash
from maatpak.ledger.database import Frames
from tasks.compose import content_hashes

if TYPE_CHECKING:
    from tasks.engine import Engine

WORDLESS = """
SELECT a.id AS action_id, a.kind, a.step, a.amount, i.item_id, i.amount AS item_amount
FROM action a LEFT JOIN action_item i ON i.action_id = a.id WHERE a.id = ANY('{{{ids}}}'::bigint[])
ORDER BY a.id, i.item_id
"""


def hashes_of(
    engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime
) -> dict[int, str]:
    """Action → hash of what it would do as things stand."""
    hashes = content_hashes(engine, frames, action_ids, as_of, now)
    missing = [str(int(each)) for each in action_ids if each not in hashes]
    if missing:
        rows = frames.read(WORDLESS.format(ids=",".join(missing)))
        for key, group in rows.group_by("action_id", "kind", "step", "amount", maintain_order=True):
            items = group.select("item_id", "item_amount").rows()
            hashes[int(str(key[0]))] = content_hash([*key[1:], [list(item) for item in items]])
    return hashes


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
