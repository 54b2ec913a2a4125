"""What the next tick of today would decide and propose, as things are or supposing another pack; nothing is written.

It goes the tick's own way (tasks.tick): the same facts, decisions, turns at parties and proposal, without its locks. So
what it says holds for as long as nothing is recorded.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.ledger.database import Frames
from policies.decide import decisions
from policies.outlook import messages_ahead
from policies.reckoning import reckon
from tasks.facts import FactFrames, Supposed, build_facts
from tasks.proposal import Proposal, make_proposal
from tasks.revalidate import step_properties
from tasks.tick import NOBODY, had_their_step, was_ticked
from tasks.turns import Part, suppose_turns

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

NOTHING = pl.Series(dtype=pl.Int64)


@dataclass(frozen=True)
class Foreseen:
    """One shard's tick before it is."""

    proposal: Proposal
    ahead: pl.DataFrame
    """case_id, messages_ahead."""
    packs: dict[int, "CompiledPack"]


def see_facts(
    frames: Frames, part: Part, as_of: date, known_at: datetime, supposing: Supposed | None = None
) -> FactFrames:
    """The facts that a tick would see."""
    return build_facts(frames, part.creditor_id, as_of, known_at, part.shard, part.shards, supposing=supposing)


def foresee(
    engine: "Engine",
    frames: Frames,
    part: Part,
    as_of: date,
    facts: FactFrames,
    pack_id: int,
    pack: "CompiledPack",
    gone: pl.Series = NOTHING,
) -> Foreseen:
    """The proposal of a tick whose current pack is this one. `gone`: ids of actions that would be taken back before."""
    running = facts.cases["round_pack_id"].drop_nulls().unique().to_list()
    packs = {each: pack if each == pack_id else engine.pack(each) for each in sorted({pack_id, *running})}
    reckoning = reckon(facts.cases, facts.steps, packs, pack_id, as_of)
    decided = decisions(reckoning)
    ticked = was_ticked(frames, part.creditor_id, as_of, part.shard, part.shards)
    done_today = had_their_step(frames, part.creditor_id, as_of) if ticked else NOBODY
    turns = suppose_turns(frames, part, as_of, decided.actions, gone)
    steps = step_properties(packs.__getitem__, decided.actions)
    proposal = make_proposal(decided, facts.items, steps, turns, done_today, as_of)
    return Foreseen(proposal, facts.cases.select("case_id").with_columns(messages_ahead(reckoning)), packs)
