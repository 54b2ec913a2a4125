"""From decisions to rows: which rounds open, which actions stand, which items they name, which days they claim.

Frames in, frames out; nothing here reads or writes the database. `tasks.tick` does both around it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from maatpak.kernel.words import ActionState, NoActionReason, StepKind
from policies.decide import Decisions

NAMING = (StepKind.MESSAGE, StepKind.PLAN_OFFER, StepKind.HANDOFF)
"""Kinds whose actions name items; a statement names none (it is no notice), people's work neither."""

DAY_DONE = "day_done"
"""Withheld: the case has had its step of this business date."""


@dataclass(frozen=True)
class Proposal:
    """What a tick is about to write."""

    cases: pl.DataFrame
    """The decisions, with `withheld` where a proposed step is not taken after all."""
    actions: pl.DataFrame
    items: pl.DataFrame
    """case_id, step, item_id, amount: what the actions name."""
    slots: pl.DataFrame
    """party_id, case_id, step: the action that claims the party's day."""
    asked: pl.DataFrame
    """case_id, item_id: what is asked of each case; the items that a round opens for."""

    @property
    def rounds(self) -> pl.DataFrame:
        """The cases whose round opens."""
        return self.cases.filter(pl.col("opens_round"))

    @property
    def reroutes(self) -> pl.DataFrame:
        """The cases that change their course inside a round."""
        return self.cases.filter(pl.col("reroute").is_not_null() & pl.col("round_id").is_not_null())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.actions.is_empty() and self.rounds.is_empty() and self.reroutes.is_empty()


def make_proposal(
    decisions: Decisions, items: pl.DataFrame, taken: pl.DataFrame, done_today: pl.DataFrame, as_of: date
) -> Proposal:
    """The proposal of decisions.

    `items`: the items frame beside the facts; `taken`: parties whose day another creditor claimed; `done_today`: cases
    that had their step of this date already.
    """
    written = decisions.actions.filter(pl.col("written") & (pl.col("state") != ActionState.SKIPPED))
    crowded = written.join(taken, on="party_id", how="semi").select("case_id", withheld=pl.lit("budget"))
    done = done_today.select("case_id", withheld=pl.lit(DAY_DONE))
    withheld = pl.concat([done, crowded]).unique("case_id", keep="first", maintain_order=True)
    cases = with_withheld(decisions.cases, withheld, as_of)
    actions = decisions.actions.join(done, on="case_id", how="anti").join(
        crowded.select("case_id"), on="case_id", how="anti"
    )
    if not crowded.is_empty():
        # What the case does beside the letter (skips, notices inside) stands.
        beside = (
            decisions.actions.join(crowded.select("case_id"), on="case_id", how="semi")
            .join(done, on="case_id", how="anti")
            .filter(~pl.col("written") | (pl.col("state") == ActionState.SKIPPED))
        )
        actions = pl.concat([actions, beside])
    actions = actions.sort("case_id", "step")
    claiming = actions.filter(pl.col("written") & (pl.col("state") != ActionState.SKIPPED))
    slots = claiming.unique("party_id", keep="first", maintain_order=True).select("party_id", "case_id", "step")
    asked = items.filter(pl.col("asked") > 0).select("case_id", "item_id")
    return Proposal(cases, actions, named_items(actions, items), slots, asked)


def named_items(actions: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Which items each action names, and with which amount."""
    naming = actions.filter(pl.col("kind").is_in(list(NAMING)) & (pl.col("state") != ActionState.SKIPPED)).select(
        "case_id", "step", "escalating", "occurrence", "round_id", "opens_round"
    )
    joined = naming.join(items, on="case_id", how="inner")
    in_round = pl.col("round_id").is_not_null() | pl.col("opens_round")
    asked = pl.when(pl.col("escalating") & ~pl.col("demandable")).then(0).otherwise(pl.col("asked"))
    upcoming = pl.when(pl.col("bank_due_on") == pl.col("occurrence")).then(pl.col("open_amount")).otherwise(0)
    return (
        joined.with_columns(named=pl.when(in_round).then(asked).otherwise(upcoming))
        .filter(pl.col("named") > 0)
        .select("case_id", "step", "item_id", amount="named")
    )


def with_withheld(cases: pl.DataFrame, withheld: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Decisions as they stand after all: a step that is not taken gives way to its reason."""
    joined = cases.join(withheld, on="case_id", how="left", maintain_order="left")
    stopped = pl.col("withheld").is_not_null() & (pl.col("outcome") == "act")
    full = stopped & (pl.col("withheld") == "budget")
    done = pl.col("withheld") == DAY_DONE
    return joined.with_columns(
        outcome=pl.when(stopped).then(pl.lit("none")).otherwise("outcome"),
        reason=pl.when(full)
        .then(pl.lit(str(NoActionReason.BUDGET)))
        .when(stopped)
        .then(pl.lit(str(NoActionReason.STEP_UNDER_WAY)))
        .otherwise("reason"),
        detail=pl.when(full)
        .then(pl.lit("another creditor writes to this party today"))
        .when(stopped)
        .then(pl.lit("the case has had its step today"))
        .otherwise("detail"),
        next_step=pl.when(stopped).then("step").otherwise("next_step"),
        next_on=pl.when(stopped).then(pl.lit(as_of + timedelta(days=1))).otherwise("next_on"),
        opens_round=pl.col("opens_round") & ~done.fill_null(value=False),
        reroute=pl.when(done).then(None).otherwise("reroute"),
    )
