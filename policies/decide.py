"""The decision of every case of a frame: one action, or none with its reason (law 8). Pure, and one pass for all.

Facts and history in, decisions out; no clock, no file, no database. Cases are decided by the version that their round
follows, limits come from the newest one. A row decided alone equals that row decided in any frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.pack import CompiledPack
from policies.reckoning import Reckoning, reckon
from policies.reporting import ACTION_COLUMNS, CASE_COLUMNS, action_rows, case_rows

__all__ = ["ACTION_COLUMNS", "CASE_COLUMNS", "Decisions", "decide", "decisions"]


@dataclass(frozen=True)
class Decisions:
    """A row a case, and a row for each step proposed or passed over."""

    cases: pl.DataFrame
    """Columns of `CASE_COLUMNS`, in the order of the facts."""
    actions: pl.DataFrame
    """Columns of `ACTION_COLUMNS`, by case."""


def decide(
    facts: pl.DataFrame,
    steps: pl.DataFrame,
    packs: Mapping[int, CompiledPack],
    current_pack_id: int,
    as_of: date,
) -> Decisions:
    """Decide every case of a facts frame.

    Args:
        facts: columns of `policies.facts.COLUMNS`, one row a case.
        steps: columns of `policies.facts.STEP_COLUMNS`, the history of these cases.
        packs: every pack that an open round of them follows, and the current one, by id.
        current_pack_id: the pack that new rounds follow; its guardrails hold for all.
        as_of: the business date.

    Raises:
        UsageError: a round follows a pack or a segment that is not there.
    """
    return decisions(reckon(facts, steps, packs, current_pack_id, as_of))


def decisions(reckoning: Reckoning) -> Decisions:
    """What was reckoned of a frame, as decisions."""
    return Decisions(case_rows(reckoning), action_rows(reckoning))
