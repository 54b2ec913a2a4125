"""The message of an action that is no row: what a step would send today, written by the same hand as the real one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from maatpak.ledger.database import Frames
from tasks.compose.composed import Drafts, Wanted
from tasks.compose.drafter import Drafter
from tasks.compose.drafting import lists_all
from tasks.compose.reading import Row, suppose_material
from tasks.current_pack import current_pack

if TYPE_CHECKING:
    from tasks.engine import Engine


def suppose(
    engine: "Engine",
    frames: Frames,
    action: Row,
    named: Mapping[int, int],
    offer: Row | None,
    wanted: Wanted,
    as_of: date,
    now: datetime,
) -> Drafts:
    """The drafts of one supposed action; writes nothing.

    `action`: the columns of `reading.ACTIONS`; `named`: item → the amount asked of it; `offer`: the plan that would be
    offered, in the columns of `reading.PLANS`, where the case has none.
    """
    material = suppose_material(frames, action, named, as_of, now, lambda row: lists_all(engine, row))
    if offer is not None and action["case_id"] not in material.plans:
        material = replace(material, plans={action["case_id"]: offer})
    limits = engine.pack(current_pack(frames, action["creditor_id"])).guardrails
    creditor = material.creditors[action["creditor_id"]]
    drafter = Drafter(engine, material, creditor, limits, as_of, now, keep=False, wanted=wanted)
    made = Drafts()
    drafter.draft(engine.pack(action["pack_id"]), action["segment"], action["step"], [action], made)
    return made
