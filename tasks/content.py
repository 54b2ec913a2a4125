"""What an approval binds to: the hash of items, amounts, recipient and words of an action (law 9).

Messages are hashed as they would be written (tasks.compose); what has no words, a placement, by its items and amounts.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic_core import from_json

from connectors.message import Outgoing
from maatpak.kernel.ids import canonical_json, content_hash
from maatpak.ledger.database import Frames
from tasks.compose import WRITERS, Drafts, action_hashes, content_hashes, drafts_of

if TYPE_CHECKING:
    from tasks.engine import Engine

WORDLESS = """
SELECT a.id AS action_id, a.kind, a.step, a.amount, i.item_id, i.amount AS item_amount
FROM action a LEFT JOIN action_item i ON i.action_id = a.id WHERE a.id = ANY('{{{ids}}}'::bigint[])
ORDER BY a.id, i.item_id
"""


@dataclass(frozen=True)
class Proposed:
    """The words of a proposed action, as they were when it was proposed: those that its content hash is of.

    Dates that move with the day of sending are those of the day of the proposal.
    """

    messages: tuple[Outgoing, ...] = ()
    """None of a placement: it has no words."""
    unreachable: tuple[str, ...] = ()
    """Why nobody can be told, where that is so."""


NOTHING = Proposed()


def proposed_words(engine: "Engine", key: str | None) -> Proposed:
    """The words that were kept under a key.

    Raises:
        WorkspaceError: they are not there any more.
    """
    if key is None:
        return NOTHING
    kept = from_json(engine.store.get(key))
    messages = tuple(Outgoing.from_json(canonical_json(each).encode()) for each in kept["messages"])
    return Proposed(messages, tuple(kept["unreachable"]))


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
    """Give proposed actions the hash that their approvals will bind to, and keep the words that it is of."""
    if not action_ids:
        return
    made = drafts_of(engine, frames, action_ids, as_of, now)
    hashes = action_hashes(made)
    hashes |= _wordless(frames, [each for each in action_ids if each not in hashes])
    keys = _kept(engine, made)
    rows = [(action_id, content, keys.get(action_id)) for action_id, content in hashes.items()]
    columns = {"action_id": pl.Int64, "content_hash": pl.String, "proposal": pl.String}
    frames.stage("content_hashes", pl.DataFrame(rows, schema=columns, orient="row"))
    frames.execute(
        "UPDATE action a SET content_hash = h.content_hash, proposal = h.proposal"
        " FROM pg_temp.content_hashes h WHERE a.id = h.action_id"
    )


def _kept(engine: "Engine", made: Drafts) -> dict[int, str]:
    """Action → evidence key of its words."""
    words: dict[int, dict[str, list[Any]]] = {}
    for draft in made.drafts:
        for action in draft.actions:
            of_action = words.setdefault(action["action_id"], {"messages": [], "unreachable": []})
            of_action["messages"].append(asdict(draft.outgoing))
    for action_id, _, detail in made.unreachable:
        words.setdefault(action_id, {"messages": [], "unreachable": []})["unreachable"].append(detail)
    with ThreadPoolExecutor(WRITERS) as pool:
        kept = pool.map(
            lambda each: engine.store.put("proposal", canonical_json(each).encode(), "json"), words.values()
        )
        return dict(zip(words, kept, strict=True))
