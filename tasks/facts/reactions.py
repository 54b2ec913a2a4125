"""What happened inside the open round that a journey may answer, and until when that keeps us quiet."""

import polars as pl

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.words import DisputeState, NonPaymentReason, Reaction
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.rhythm import runs_after
from tasks.facts.scope import Scope
from tasks.facts.working_days import CALENDAR, days_after

PART_PAID_DAYS = 5
"""Working days of quiet after at least half of what was asked came in (practice, rule 19)."""
REJECTED_DAYS = 7
"""Working days between a rejected dispute and the next step (rule 17)."""
NEW_DEBIT_DAYS = 5
"""Working days after a return for lack of funds in which a new debit, not a notice, is next (rule 15)."""
WRONGFUL_DAYS = 10
"""Working days of silence after a wrongful contact (practice, section 6)."""
REFUSED = (DisputeState.REJECTED.value, DisputeState.PART_ACCEPTED.value)
PAY_RUN_REASONS = (NonPaymentReason.POLICY.value, NonPaymentReason.PAY_RUN.value)


def reactions(scope: Scope, running: pl.DataFrame, happened: dict[Reaction, pl.DataFrame]) -> pl.DataFrame:
    """One row a case with an open round in which something happened; `happened` gives (case_id, on) a reaction."""
    named = [frame.select("case_id", "on", reaction=pl.lit(kind.value)) for kind, frame in happened.items()]
    inside = pl.col("on").is_between("round_opened_on", pl.lit(scope.as_of))
    return (
        pl.concat(named)
        .lazy()
        .join(running.lazy().select("case_id", "round_opened_on"), on="case_id")
        .filter(inside)
        .group_by("case_id")
        .agg(pl.col("on").filter(pl.col("reaction") == kind.value).max().alias(f"{kind}_on") for kind in happened)
        .pipe(collected)
    )


def returned_debits(
    returns: pl.DataFrame, rounds: pl.DataFrame, named: pl.DataFrame, items: pl.DataFrame
) -> pl.DataFrame:
    """(case_id, on, cause) of the returned debits that the open round answers, or the round that is to be opened.

    A debit mostly comes back before there is a round, for while it was in flight nothing was asked. So a return counts
    for the round that names its item when it came after the previous round's close; without a round, for what is asked.
    """
    asked = items.lazy().filter(pl.col("asked") > 0).select("item_id", asked=pl.lit(value=True))
    in_round = pl.col("round_opened_on").is_not_null()
    since_closed = (pl.col("on") > pl.col("last_round_closed_on")).fill_null(value=True)
    own = pl.when(in_round).then("named").otherwise("asked").fill_null(value=False)
    return (
        returns.lazy()
        .join(rounds.lazy().select("case_id", "round_opened_on", "last_round_closed_on"), on="case_id", how="left")
        .join(named.lazy().select("item_id", named=pl.lit(value=True)).unique(), on="item_id", how="left")
        .join(asked, on="item_id", how="left")
        .filter((pl.col("on") >= pl.col("round_opened_on")).fill_null(value=False) | (own & since_closed))
        .sort("on", "item_id")
        .select("case_id", "on", "cause")
        .pipe(collected)
    )


def last_return(returned: pl.DataFrame) -> pl.DataFrame:
    """(case_id, debit_returned_on, debit_return_cause) of the last of these."""
    return returned.group_by("case_id", maintain_order=True).agg(
        debit_returned_on=pl.last("on"), debit_return_cause=pl.last("cause")
    )


def received_in_round(settled: pl.DataFrame, parts: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """(case_id, on, amount, whole) of what was paid of the open rounds' items: items settled, and part payments."""
    columns = ("case_id", "round_opened_on", "amount", "on", "whole")
    paid = (
        settled.lazy()
        .filter(pl.col("paid"))
        .select("item_id", "case_id", "amount", on="settled_on", whole=pl.lit(value=True))
    )
    partly = parts.lazy().select("item_id", "case_id", amount="applied", on="paid_on", whole=pl.lit(value=False))
    items = named.lazy().select("item_id", "round_opened_on")
    rows = pl.concat([each.join(items, on="item_id").select(columns) for each in (paid, partly)])
    return rows.filter(pl.col("on") >= pl.col("round_opened_on")).drop("round_opened_on").pipe(collected)


def pauses(
    reader: Reader,
    cases: pl.DataFrame,
    asked: pl.DataFrame,
    received: pl.DataFrame,
    returned: pl.DataFrame,
    callbacks: pl.DataFrame,
    reasons: pl.DataFrame,
    runs: pl.DataFrame,
    wrongful: pl.DataFrame,
) -> pl.DataFrame:
    """(case_id, paused_until): the latest day before which no notice goes out; only days still to come."""
    decided = reader.rows("disputes").filter(pl.col("state").is_in(REFUSED))
    misled = wrongful.drop_nulls("wrongful_on").join(cases.select("case_id", "party_id"), on="party_id")
    causes = [
        (_half_paid(reader, received, asked, cases), "on", PART_PAID_DAYS),
        (decided, "decided_on", REJECTED_DAYS),
        (returned.filter(pl.col("cause") == ReturnCause.FUNDS.value), "on", NEW_DEBIT_DAYS),
        (callbacks, "callback_on", 1),
        (_pay_runs(reasons, runs, cases), "run_on", 1),
        (misled, "wrongful_on", WRONGFUL_DAYS),
    ]
    rows = [
        frame.lazy().select("case_id", pl.col(day).alias("on"), pl.lit(days, pl.Int64).alias("days"))
        for frame, day, days in causes
        if not frame.is_empty()
    ]
    if not rows:
        return pl.DataFrame(schema={"case_id": pl.Int64, "paused_until": pl.Date})
    return (
        pl.concat(rows)
        .drop_nulls("on")
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .with_columns(paused_until=days_after("on", "days"))
        .filter(pl.col("paused_until") > reader.scope.as_of)
        .group_by("case_id")
        .agg(pl.max("paused_until"))
        .pipe(collected)
    )


def _half_paid(reader: Reader, received: pl.DataFrame, asked: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, on) where at least half of what was asked came in lately: as much as is still asked."""
    if received.is_empty():
        return received
    return (
        received.lazy()
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .filter(days_after("on", PART_PAID_DAYS) > reader.scope.as_of)
        .group_by("case_id")
        .agg(pl.sum("amount"), pl.max("on"))
        .join(asked.lazy(), on="case_id", how="left")
        .filter(pl.col("amount") >= pl.col("asked_amount").fill_null(0))
        .pipe(collected)
    )


def _pay_runs(reasons: pl.DataFrame, runs: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, run_on): the first pay run after a customer said that they pay by runs."""
    said = reasons.filter(pl.col("reason").is_in(PAY_RUN_REASONS))
    return runs_after(runs, cases, said.select("case_id", day="reason_on"))
