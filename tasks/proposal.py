"""From decisions to rows: which rounds open, which actions stand, which items they name, which days they claim.

Frames in, frames out; nothing here reads or writes the database. `tasks.tick` does both around it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import ActionState, StepKind
from policies.decide import Decisions
from policies.turns import out_of_turn
from tasks.naming import named_amount
from tasks.turns import Turns

NAMES_ITEMS = pl.col("written") | pl.col("kind").is_in([StepKind.MESSAGE, StepKind.PLAN_OFFER, StepKind.HANDOFF])
"""Actions that name items: also a call that is a letter, for want of a number. A statement names none (it is no
notice), people's work neither."""

DAY_DONE, COVERED, BUDGET = "day_done", "covered", "budget"
"""Why a step is withheld: the case has had its step of this business date, nothing of what falls due is left to name,
or another letter to the same party goes first."""


@dataclass(frozen=True)
class Proposal:
    """What a tick is about to write."""

    cases: pl.DataFrame
    """The decisions, with `withheld` where a proposed step is not taken after all."""
    actions: pl.DataFrame
    items: pl.DataFrame
    """case_id, step, item_id, amount: what the actions name."""
    slots: pl.DataFrame
    """written_to, case_id, step: the action that claims the party's day."""
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
    def gave_way(self) -> pl.Series:
        """The cases whose letter another one to the same party goes before."""
        return self.cases.filter(pl.col("withheld") == BUDGET)["case_id"]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.actions.is_empty() and self.rounds.is_empty() and self.reroutes.is_empty()


def make_proposal(
    decisions: Decisions,
    items: pl.DataFrame,
    properties: pl.DataFrame,
    turns: Turns,
    done_today: pl.DataFrame,
    as_of: date,
) -> Proposal:
    """The proposal of decisions.

    `items`: the items frame beside the facts; `properties`: what the steps say of what they name
    (tasks.revalidate.step_properties); `turns`: who else wants to write to the same parties; `done_today`: cases that
    had their step of this date already.
    """
    steps = decisions.actions.join(properties, on=["pack_id", "segment", "step"], how="left", maintain_order="left")
    left = steps.join(done_today, on="case_id", how="anti", maintain_order="left")
    named = named_items(left, items)
    covered = _proposed(left).filter(pl.col("prepares_due"))
    covered = covered.join(named, on=["case_id", "step"], how="anti", maintain_order="left")
    left = _without(left, covered)
    letters = (
        _letters(left)
        .join(decisions.cases.select("case_id", "debtor_id", "currency"), on="case_id", maintain_order="left")
        .join(turns.waits, on=["written_to", "case_id"], how="left", maintain_order="left")
        .rename({"asked_amount": "amount"})
    )
    second = out_of_turn(letters, turns.rivals, as_of)
    crowded = pl.concat(
        [each.select("case_id", "step") for each in (letters.join(turns.taken, on="written_to", how="semi"), second)]
    )
    left = _without(left, crowded).sort("case_id", "step")
    withheld = pl.concat(
        frame.select("case_id", withheld=pl.lit(code))
        for frame, code in ((done_today, DAY_DONE), (covered, COVERED), (crowded, BUDGET))
    ).unique("case_id", keep="first", maintain_order=True)
    slots = _letters(left).unique("written_to", keep="first", maintain_order=True)
    return Proposal(
        cases=with_withheld(decisions.cases, withheld, as_of),
        actions=left.select(decisions.actions.columns),
        items=named.join(left.filter(NAMES_ITEMS), on=["case_id", "step"], how="semi", maintain_order="left"),
        slots=slots.select("written_to", "case_id", "step"),
        asked=items.filter(pl.col("asked") > 0).select("case_id", "item_id"),
    )


def _proposed(actions: pl.DataFrame) -> pl.DataFrame:
    return actions.filter(pl.col("state") != ActionState.SKIPPED)


def _letters(actions: pl.DataFrame) -> pl.DataFrame:
    return _proposed(actions).filter("written")


def _without(actions: pl.DataFrame, dropped: pl.DataFrame) -> pl.DataFrame:
    """The actions less some that were to be taken; what a case does beside them (skips, notices inside) stands."""
    if dropped.is_empty():
        return actions
    gone = dropped.select("case_id", "step", dropped=pl.lit(value=True)).unique()
    marked = actions.join(gone, on=["case_id", "step"], how="left", maintain_order="left")
    stands = pl.col("dropped").is_null() | (pl.col("state") == ActionState.SKIPPED)
    return marked.filter(stands).drop("dropped")


def named_items(actions: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Which items each action is about, and with which amount of each.

    `actions` have the columns of decisions and those of their steps' properties.
    """
    naming = _proposed(actions).filter(NAMES_ITEMS | pl.col("prepares_due"))
    falls_due = pl.col("bank_due_on") == pl.col("occurrence")
    sent_again = pl.col("ahead").is_not_null() & pl.col("unreceived_wd").is_not_null()
    near = falls_due | (pl.col("unreceived_wd") <= pl.col("ahead"))
    chosen = (pl.col("prepares_due") & falls_due) | (sent_again & near)
    return (
        naming.select("case_id", "step", "escalating", "occurrence", "passes", "outside_round", "prepares_due", "ahead")
        .join(items, on="case_id", how="inner")
        .filter(~pl.col("outside_round") | chosen.fill_null(value=False))
        .with_columns(amount=named_amount())
        .filter(pl.col("amount") > 0)
        .select("case_id", "step", "item_id", "amount")
    )


def with_withheld(cases: pl.DataFrame, withheld: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Decisions as they stand after all: a step that is not taken gives way to its reason."""
    joined = cases.join(withheld, on="case_id", how="left", maintain_order="left")
    stopped = pl.col("withheld").is_not_null() & (pl.col("outcome") == "act")
    full = stopped & (pl.col("withheld") == BUDGET)
    covered = stopped & (pl.col("withheld") == COVERED)
    done = pl.col("withheld") == DAY_DONE
    return joined.with_columns(
        outcome=pl.when(stopped).then(pl.lit("none")).otherwise("outcome"),
        reason=pl.when(full)
        .then(pl.lit(str(NoActionReason.BUDGET)))
        .when(covered)
        .then(pl.lit(str(NoActionReason.NOTHING_OVERDUE)))
        .when(stopped)
        .then(pl.lit(str(NoActionReason.STEP_UNDER_WAY)))
        .otherwise("reason"),
        detail=pl.when(full)
        .then(pl.lit("another letter to the same party goes first"))
        .when(covered)
        .then(pl.lit("what falls due is disputed, planned, promised or about to be collected"))
        .when(stopped)
        .then(pl.lit("the case has had its step today"))
        .otherwise("detail"),
        next_step=pl.when(stopped).then("step").otherwise("next_step"),
        next_on=pl.when(stopped).then(pl.lit(as_of + timedelta(days=1))).otherwise("next_on"),
        opens_round=pl.col("opens_round") & ~done.fill_null(value=False),
        reroute=pl.when(done).then(None).otherwise("reroute"),
    )
