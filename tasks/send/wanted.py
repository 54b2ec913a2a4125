"""Asked for the last time: are the actions behind these messages still wanted at this very moment (law 4)?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import numbers
from tasks.conditions import no_longer_so
from tasks.current_pack import current_pack
from tasks.revalidate import closed_today, objections, silent_today, step_properties
from tasks.seen import Seen, facts_now

if TYPE_CHECKING:
    from tasks.engine import Engine

ACTIONS = """
SELECT a.id AS action_id, a.case_id, a.kind, a.escalating, a.occurrence, a.pack_id, a.segment, a.step, a.state,
  a.written, COALESCE(a.payer_party_id, k.party_id) AS written_to,
  o.id IS NOT NULL AND o.state IN ('offered', 'active') AS own_offer,
  o.id IS NOT NULL AND o.state NOT IN ('offered', 'active') AS withdrawn,
  EXISTS (SELECT 1 FROM message_action x JOIN message m ON m.id = x.message_id
          WHERE x.action_id = a.id AND m.state IN ('sent', 'unknown')) AS begun
FROM action a JOIN "case" k ON k.id = a.case_id LEFT JOIN plan o ON o.action_id = a.id AND o.replaced_at IS NULL
WHERE a.id = ANY({ids})
"""

NAMED = "SELECT i.action_id, i.item_id, i.amount FROM action_item i WHERE i.action_id = ANY({ids})"


@dataclass(frozen=True)
class Against:
    """What speaks against actions."""

    reasons: dict[int, str] = field(default_factory=dict)
    """Action → why it is not wanted any more."""
    later: frozenset[int] = frozenset()
    """Actions that are wanted, but not on this day."""


def no_longer_wanted(
    engine: "Engine",
    frames: Frames,
    creditor_id: int,
    action_ids: Iterable[int],
    as_of: date,
    seen: Sequence[Seen] = (),
) -> Against:
    """What speaks against sending for these actions now. Their parties are locked by the caller."""
    ids = numbers(sorted(set(action_ids)))
    actions = frames.read(ACTIONS.format(ids=ids))
    gone = actions.filter((pl.col("state") != "in_progress") | pl.col("withdrawn"))
    actions = actions.join(gone, on="action_id", how="anti")
    reasons = dict.fromkeys(gone["action_id"].to_list(), str(SkipReason.STOPPED))
    if actions.is_empty():
        return Against(reasons)
    facts = facts_now(frames, creditor_id, as_of, actions["case_id"], seen)
    asked = actions.join(step_properties(engine.pack, actions), on=["pack_id", "segment", "step"], how="left")
    current = engine.pack(current_pack(frames, creditor_id))
    guardrails = current.guardrails
    # What an action has done itself, its offer or the first of its letters, is no condition of the rest of it.
    not_begun = actions.filter(~pl.col("own_offer") & ~pl.col("begun"))
    against = pl.concat(
        [
            objections(asked, frames.read(NAMED.format(ids=ids)), facts, guardrails),
            no_longer_so(engine.pack, not_begun, facts.cases),
        ]
    ).unique("action_id", keep="first", maintain_order=True)
    later = pl.concat(
        [
            closed_today(actions, facts.cases.select("case_id", "country"), guardrails, as_of),
            silent_today(engine.pack, actions, facts.cases, current, as_of),
        ]
    )
    return Against({**reasons, **dict(against.iter_rows())}, frozenset(later["action_id"].to_list()))
