"""Asks a step's `when` again before its effect: what it was decided for may have changed since (law 4)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import StepKind
from policies.fact_frames import COLUMNS
from policies.journey import Step
from policies.rules import CompiledRule, outcomes
from tasks.revalidate import step_of

if TYPE_CHECKING:
    from policies.pack import CompiledPack

WRITTEN, CONSULTED = "contacts_20wd", "consult_answer"
"""Facts that an action on its way changes by itself: it counts as a contact, its question is open."""

NOT_SO = {"action_id": pl.Int64, "reason": pl.String}


def no_longer_so(pack_of: Callable[[int], "CompiledPack"], actions: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """(action_id, reason) of the actions whose step's condition does not hold any more.

    `actions`: action_id, case_id, pack_id, segment, step; `cases`: the facts of their cases as they are now. What is
    unknown counts as false, as in deciding; but what an action changes by itself says nothing against it.
    """
    known = cases.join(actions.select("case_id"), on="case_id", how="semi")
    placed = actions.join(known.select("case_id").with_row_index("row"), on="case_id")
    ended = [pl.DataFrame(schema=NOT_SO)]
    for (pack_id, segment, name), rows in placed.group_by("pack_id", "segment", "step", maintain_order=True):
        step = step_of(pack_of, int(str(pack_id)), str(segment), str(name))
        if step is not None and step.when is not None:
            fails = _fails(step, step.when, known[rows["row"]])
            ended.append(rows.filter(fails).select("action_id", reason=pl.lit(str(SkipReason.CONDITION_FALSE))))
    return pl.concat(ended)


def _fails(step: Step, rule: CompiledRule, facts: pl.DataFrame) -> pl.Series:
    own = {WRITTEN} if step.written or step.kind is StepKind.CALL else set()
    own |= {CONSULTED} if step.kind is StepKind.CONSULT else set()
    own &= set(rule.facts)
    unsure = facts.with_columns(pl.lit(None, COLUMNS[name]).alias(name) for name in own)
    return ~outcomes([rule], unsure)[0].fill_null(value=bool(own))
