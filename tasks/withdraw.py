"""Taking back what is no longer wanted before anybody does it: calls, questions and proposals that wait for people.

A tick has just looked at every case, so it also sees which open work has lost its ground: paid, promised, disputed, on
hold. An approver's list and a collector's list hold nothing that would be cancelled in the end anyway.
"""

from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import ActionState, StepKind
from maatpak.ledger.database import Frames
from tasks.conditions import no_longer_so
from tasks.revalidate import objections, step_properties

if TYPE_CHECKING:
    from tasks.engine import Engine
    from tasks.tick import Look

OPEN = """
SELECT a.id AS action_id, a.case_id, a.kind, a.state, a.escalating, a.occurrence, a.pack_id, a.segment, a.step,
  false AS own_offer, k.party_id, a.written, COALESCE(a.payer_party_id, k.party_id) AS written_to
FROM action a JOIN "case" k ON k.id = a.case_id
WHERE a.creditor_id = {creditor} AND k.shard_key % {shards} = {shard}
  AND (a.state = 'awaiting_approval' OR (a.state = 'in_progress' AND a.kind IN ('call', 'consult', 'message')
       AND NOT EXISTS (SELECT 1 FROM message_action m WHERE m.action_id = a.id)))
"""

NAMED = """
SELECT i.action_id, i.item_id, i.amount FROM action_item i JOIN pg_temp.open_work w ON w.action_id = i.action_id
"""

UNWANTED = {"action_id": pl.Int64, "reason": pl.String, "party_id": pl.Int64}

BLOCKED_ONLY = (SkipReason.DATA_STALE, SkipReason.QUARANTINED)
"""A late ledger takes nobody's work away; it only stops what would go out."""


def unwanted_work(
    engine: "Engine", frames: Frames, creditor_id: int, seen: "Look", shard: int, shards: int
) -> pl.DataFrame:
    """(action_id, reason, party_id) of open calls, questions and proposals that the facts speak against.

    Whoever takes them back locks their parties first: people's acts hold the party, then change work and action.
    """
    found = frames.read(OPEN.format(creditor=int(creditor_id), shard=int(shard), shards=int(shards)))
    if found.is_empty():
        return pl.DataFrame(schema=UNWANTED)
    properties = step_properties(engine.pack, found)
    actions = found.join(properties, on=["pack_id", "segment", "step"], how="left")
    frames.stage("open_work", actions.select("action_id"))
    proposed = actions.filter(pl.col("state") == ActionState.AWAITING_APPROVAL)
    against = pl.concat(
        [
            objections(actions, frames.read(NAMED), seen.facts, seen.packs[seen.pack_id].guardrails),
            no_longer_so(engine.pack, proposed, seen.facts.cases),
        ]
    ).unique("action_id", keep="first", maintain_order=True)
    working = actions.filter(pl.col("state") == ActionState.IN_PROGRESS).select("action_id", "kind")
    # A call that somebody is making, or a copy, is not taken away because an amount moved.
    kept = working.filter(pl.col("kind") != StepKind.CONSULT).join(
        against.filter(pl.col("reason") == SkipReason.AMOUNT_CHANGED), on="action_id", how="semi"
    )
    against = against.filter(~pl.col("reason").is_in([str(reason) for reason in BLOCKED_ONLY])).join(
        kept, on="action_id", how="anti"
    )
    return against.join(found.select("action_id", "party_id"), on="action_id").select(list(UNWANTED))
