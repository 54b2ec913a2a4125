"""The rounds of a case: the open one with the course it follows, and what came before."""

import polars as pl

from tasks.facts.collecting import collected
from tasks.facts.reading import Reader

OPEN_ROUND = (
    "round_id",
    "round_opened_on",
    "round_segment",
    "round_pack_id",
    "round_entry_stage",
    "rerouted_on",
    "moved_by_hand",
)


def case_rounds(reader: Reader) -> pl.DataFrame:
    """One row a case that ever had a round."""
    rounds = reader.take("rounds")
    is_open = pl.col("closed_on").is_null()
    past = rounds.group_by("case_id").agg(
        pl.max("round_no"),
        last_round_closed_on=pl.max("closed_on"),
        rounds_12m=(pl.col("round_opened_on") > reader.scope.months_ago(12)).sum().cast(pl.Int64),
    )
    return past.join(rounds.filter(is_open).select("case_id", *OPEN_ROUND), on="case_id", how="left")


def running(rounds: pl.DataFrame) -> pl.DataFrame:
    """(case_id, round_id, round_opened_on) of the cases with an open round."""
    return rounds.filter(pl.col("round_id").is_not_null()).select("case_id", "round_id", "round_opened_on")


def round_amounts(named: pl.DataFrame, debts: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """(case_id, named_open, round_first_due_on) of the items that open rounds were opened for or have named."""
    items = named.lazy().select("item_id", "case_id")
    here = debts.lazy().select("item_id", "open_amount", "due_on")
    past = settled.lazy().select("item_id", pl.lit(0, pl.Int64).alias("open_amount"), "due_on")
    return (
        pl.concat([here.join(items, on="item_id"), past.join(items, on="item_id")])
        .group_by("case_id")
        .agg(named_open=pl.sum("open_amount"), round_first_due_on=pl.min("due_on"))
        .pipe(collected)
    )
