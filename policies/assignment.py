"""Which journey each case follows today: its round's, another by a reroute, or the one a new round opens with.

Segment and version are fixed when a round opens (rule 4); inside a round only a declared reroute changes the
segment, and it never enters the new journey further on than the case had come. Where a person set the course it stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.errors import UsageError
from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import ActionState, Stage
from policies.cases import Cases
from policies.gates import Gates
from policies.history import CODE, NONE, STATE, History
from policies.journey import Journey
from policies.pack import CompiledPack
from policies.rules import CompiledRule, held
from policies.walk import ENTRY_LIMIT
from policies.workdays import MISSING, Days, Flags

Index = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Plan:
    """A journey of a pack, as one of those that cases of the frame may follow."""

    pack_id: int
    segment: str
    journey: Journey


@dataclass
class Assignment:
    """Per case: the plan it follows and how it came to it."""

    plans: list[Plan]
    fresh: Index
    """Plan of the segment that its facts put it in today, in the current pack."""
    plan: Index
    """Plan of its round, open or opening; −1 without."""
    has_round: Flags
    opens: Flags
    silent: Flags
    """Would open a round, were the last one not so recent."""
    cause: Index
    """Position in `causes` of the reroute that moves it today; −1 if none."""
    causes: list[str]
    entry: npt.NDArray[np.int8]
    rerouted_on: Days


_UNSURE = (
    NoActionReason.LEGAL_STOP,
    NoActionReason.DATA_STALE,
    NoActionReason.QUARANTINED,
)
"""While one of these holds the facts or the law do not allow to move a case."""


def assign(
    cases: Cases, history: History, packs: Mapping[int, CompiledPack], current_pack_id: int, gates: Gates
) -> Assignment:
    """The plan of each case.

    Raises:
        UsageError: a round follows a pack or segment that is not there.
    """
    ids = [current_pack_id, *(pack_id for pack_id in sorted(packs) if pack_id != current_pack_id)]
    plans = [Plan(pack_id, segment, journey) for pack_id in ids for segment, journey in packs[pack_id].journeys.items()]
    position = {(plan.pack_id, plan.segment): at for at, plan in enumerate(plans)}
    current = packs[current_pack_id]
    fresh = first_match([segment.rule for segment in current.segments], cases.frame)
    has_round = cases.flags("has_round")
    wants = ~has_round & (gates.parked == NONE) & (gates.stopped == NONE)
    rested = cases.workdays.shift(cases.days("last_round_closed_on"), gates.guardrails.silence_after_round)
    silent = wants & (rested > cases.as_of)
    opens = wants & ~silent
    plan = np.where(opens, fresh, np.int16(-1))
    cause = np.full(cases.count, -1, dtype=np.int16)
    causes: list[str] = []
    pack_of_round = cases.amounts("round_pack_id")
    unsure = np.isin(gates.stopped, [CODE[reason] for reason in _UNSURE])
    may_move = has_round & ~unsure & ~cases.flags("moved_by_hand")
    for pack_id in np.unique(pack_of_round[has_round]).tolist():
        if pack_id not in packs:
            raise UsageError(
                f"A round follows policy pack {pack_id}, which was not given.", advice="Load every live pack."
            )
        pack = packs[pack_id]
        rows = np.flatnonzero(has_round & (pack_of_round == pack_id))
        names = list(pack.journeys)
        segment = cases.words("round_segment", names)[rows]
        if (segment < 0).any():
            raise UsageError(f"A round follows a segment that pack {pack.name!r} does not have.")
        target, moved_by = _rerouted(pack, names, cases.frame[rows], segment)
        moved = may_move[rows] & (target != segment)
        plan[rows] = np.where(moved, target, segment) + position[pack_id, names[0]]
        cause[rows] = np.where(moved, moved_by + len(causes), -1)
        causes += [reroute.cause for reroute in pack.reroutes]
    moved = cause >= 0
    entry = cases.words("round_entry_stage", list(Stage)).astype(np.int8)
    entry = np.where(has_round, np.maximum(entry, 0), 0).astype(np.int8)
    reached = np.minimum(_furthest(history, cases.count), np.int8(ENTRY_LIMIT.rank))
    return Assignment(
        plans=plans,
        fresh=fresh,
        plan=plan,
        has_round=has_round,
        opens=opens,
        silent=silent,
        cause=cause,
        causes=causes,
        entry=np.where(moved, reached, entry).astype(np.int8),
        rerouted_on=np.where(moved, np.int32(cases.as_of), np.where(has_round, cases.days("rerouted_on"), MISSING)),
    )


def first_match(rules: Sequence[CompiledRule], frame: pl.DataFrame) -> Index:
    """Per row: the position of the first rule that holds; −1 where none does. Unknown counts as false."""
    found = np.full(frame.height, -1, dtype=np.int16)
    for at, holds in reversed(list(enumerate(held(rules, frame)))):
        found[holds] = at
    return found


def _rerouted(pack: CompiledPack, names: Sequence[str], frame: pl.DataFrame, segment: Index) -> tuple[Index, Index]:
    """(target segment, position of the reroute) a row; the present segment where no reroute holds."""
    moved_by = first_match([reroute.rule for reroute in pack.reroutes], frame)
    targets = np.array([*(names.index(reroute.to) for reroute in pack.reroutes), -1], dtype=np.int16)
    return np.where(moved_by >= 0, targets[moved_by], segment), moved_by


def _furthest(history: History, count: int) -> npt.NDArray[np.int8]:
    """Per case: the rank of the furthest stage in which a step of the round was executed for the driver."""
    chosen = (history.state == STATE[ActionState.EXECUTED]) & history.in_round & history.for_driver
    chosen &= history.occurrence == MISSING
    ranks = np.zeros(count, dtype=np.int8)
    np.maximum.at(ranks, history.row[chosen], history.stage[chosen].astype(np.int8))
    return ranks
