"""The steps that were taken or are under way, as they stood then, and which of them count for the present driver."""

import polars as pl

from maatpak.kernel.words import ActionState
from policies.fact_frames import STEP_COLUMNS
from tasks.facts.collecting import only
from tasks.facts.reading import Reader

NOT_YET_KNOWN = ("reason", "executed_on", "result", "retry_on", "retry_step")
"""Columns of an action that were still empty while its last state was not reached."""


def actions_then(reader: Reader) -> pl.DataFrame:
    """Actions of open rounds, those outside rounds, and recent written ones, each as it was at the scope's instant."""
    actions = reader.take("actions")
    return actions if actions["known"].all() else actions.with_columns(pl.when("known").then(pl.col(NOT_YET_KNOWN)))


def step_history(
    actions: pl.DataFrame,
    named: pl.DataFrame,
    evidence: pl.DataFrame,
    returned: pl.DataFrame,
    position: pl.DataFrame,
) -> pl.DataFrame:
    """The steps frame. `position` is (case_id, item_id, joined_on): each case's driver, or the item in its place.

    A step counts for it when it named it or named nothing; a skip when it came after it had joined the open round.
    """
    named_it = pl.col("item_id").is_in(position["item_id"].implode())
    naming = named.select("action_id", hit=named_it).group_by("action_id").agg(pl.any("hit"))
    skipped = pl.col("state") == ActionState.SKIPPED.value
    since = (pl.col("joined_on") <= pl.col("proposed_on")).fill_null(value=False)
    steps = (
        only(actions, actions["in_scope"])
        .join(naming, on="action_id", how="left", maintain_order="left")
        .join(evidence, on="action_id", how="left", maintain_order="left")
        .join(returned, on="action_id", how="left", maintain_order="left")
        .join(position.select("case_id", "joined_on"), on="case_id", how="left", maintain_order="left")
        .with_columns(for_driver=pl.when(skipped).then(since).otherwise(pl.col("hit").fill_null(value=True)))
    )
    if not steps["action_id"].is_sorted():
        steps = steps.sort("action_id")
    return steps.select(list(STEP_COLUMNS)).cast(pl.Schema(STEP_COLUMNS))
