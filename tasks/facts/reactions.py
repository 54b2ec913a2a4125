"""What happened inside the open round that a journey may answer, and until when that keeps us quiet."""

from datetime import date

import polars as pl

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.words import DisputeState, NonPaymentReason, Reaction
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.rhythm import runs_after
from tasks.facts.scope import Scope
from tasks.facts.working_days import CALENDAR, days_after

PART_PAID_DAYS = 5
"""Working days of quiet after at least half of what was asked came in (rule 19)."""
REJECTED_DAYS = 7
"""Working days between a rejected dispute and the next step (rule 17)."""
NEW_DEBIT_DAYS = 5
"""Working days after a return for lack of funds in which a new debit, not a notice, is next (rule 15)."""
ANSWER_DAYS = 5
"""Working days for the customer to answer what a person asked: for a proof of payment, or the rest of a promise."""
WRONGFUL_DAYS = 10
"""Working days of silence after a wrongful contact."""
REFUSED = (DisputeState.REJECTED.value, DisputeState.PART_ACCEPTED.value)
NOT_YET = pl.lit(date.max)
"""When what is still open goes."""
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


def received_in_round(
    settled: pl.DataFrame, parts: pl.DataFrame, named: pl.DataFrame, items: pl.DataFrame
) -> pl.DataFrame:
    """(case_id, on, whole, half) of the payments of the open rounds' items: items settled, and part payments.

    `half`: what was paid that day was at least half of what was asked before of the items named by then. That is what
    went since of them, and what is still open and not disputed: the same answer on later days, whatever is agreed then.
    """
    before = parts.lazy().group_by("item_id").agg(pl.sum("applied"))
    columns = ("item_id", "gone_on", "amount", "paid", "whole")
    rest = (
        settled.lazy()
        .join(named.lazy(), on="item_id", how="semi")
        .join(before, on="item_id", how="left")
        .with_columns(amount=(pl.col("amount") - pl.col("applied").fill_null(0)).clip(0))
        .select("item_id", "amount", "paid", gone_on="settled_on", whole=pl.lit(value=True))
    )
    partly = parts.lazy().select(
        "item_id", amount="applied", gone_on="paid_on", paid=pl.lit(value=True), whole=pl.lit(value=False)
    )
    of_round = named.lazy().select("item_id", "case_id", "joined_on", "round_opened_on")
    gone = (
        pl.concat([rest.select(columns), partly.select(columns)])
        .join(of_round, on="item_id")
        .filter(pl.col("gone_on") >= pl.col("round_opened_on"))
        .pipe(collected)
    )
    received = gone.filter("paid").select("case_id", "whole", on="gone_on")
    days = received.lazy().select("case_id", "on").unique()
    that_day = pl.col("paid") & (pl.col("gone_on") == pl.col("on"))
    some = pl.col("open_before") > 0
    left = of_round.join(days, on="case_id", how="semi").join(
        items.lazy().select("item_id", open_amount=pl.col("open_amount") - pl.col("disputed")), on="item_id"
    )
    terms = pl.concat(
        [
            gone.lazy().select("case_id", "joined_on", "gone_on", "amount", "paid"),
            left.select("case_id", "joined_on", gone_on=NOT_YET, amount="open_amount", paid=pl.lit(value=False)),
        ]
    )
    shares = (
        days.join(terms, on="case_id")
        .filter((pl.col("joined_on") <= pl.col("on")) & (pl.col("gone_on") >= pl.col("on")))
        .group_by("case_id", "on")
        .agg(paid_then=pl.col("amount").filter(that_day).sum(), open_before=pl.sum("amount"))
        .select("case_id", "on", half=some & (pl.col("paid_then") * 2 >= pl.col("open_before")))
    )
    return (
        received.lazy()
        .join(shares, on=["case_id", "on"], how="left")
        .with_columns(pl.col("half").fill_null(value=False))
        .pipe(collected)
    )


def last_part(received: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """(case_id, part_paid_half) of each case's last part payment."""
    parts = received.filter(~pl.col("whole") & (pl.col("on") <= as_of))
    return parts.sort("on").group_by("case_id").agg(part_paid_half=pl.last("half"))


def pauses(
    reader: Reader,
    cases: pl.DataFrame,
    received: pl.DataFrame,
    returned: pl.DataFrame,
    callbacks: pl.DataFrame,
    reasons: pl.DataFrame,
    runs: pl.DataFrame,
    wrongful: pl.DataFrame,
) -> pl.DataFrame:
    """(case_id, paused_until): the latest day before which no notice goes out; only days still to come."""
    replies = reader.rows("replies")
    decided = reader.rows("disputes").filter(pl.col("state").is_in(REFUSED))
    misled = wrongful.drop_nulls("wrongful_on").join(cases.select("case_id", "party_id"), on="party_id")
    causes = [
        (received.filter("half"), "on", PART_PAID_DAYS),
        (decided, "decided_on", REJECTED_DAYS),
        (replies.filter("of_dispute"), "told_on", REJECTED_DAYS),
        (replies.filter(~pl.col("of_dispute")), "told_on", ANSWER_DAYS),
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


def _pay_runs(reasons: pl.DataFrame, runs: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, run_on): the first pay run after a customer said that they pay by runs."""
    said = reasons.filter(pl.col("reason").is_in(PAY_RUN_REASONS))
    return runs_after(runs, cases, said.select("case_id", day="reason_on"))
