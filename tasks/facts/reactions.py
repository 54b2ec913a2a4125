"""What happened inside the open round that a journey may answer, and until when that keeps us quiet."""

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.words import DisputeState, NonPaymentReason, Reaction
from tasks.facts.people import CALENDAR
from tasks.facts.reading import Reader
from tasks.facts.rhythm import next_runs
from tasks.facts.rounds import running
from tasks.facts.scope import Scope

PART_PAID_DAYS = 5
"""Working days of quiet after at least half of what was asked came in (practice, rule 19)."""
REJECTED_DAYS = 7
"""Working days between a rejected dispute and the next step (rule 17)."""
WRONGFUL_DAYS = 10
"""Working days of silence after a wrongful contact (practice, section 6)."""
PAY_RUN_REASONS = (NonPaymentReason.POLICY.value, NonPaymentReason.PAY_RUN.value)


def reactions(scope: Scope, rounds: pl.DataFrame, happened: dict[Reaction, pl.DataFrame]) -> pl.DataFrame:
    """One row a case with an open round in which something happened; `happened` gives (case_id, on) a reaction."""
    rows = pl.concat(
        [
            frame.select("case_id", "on", reaction=pl.lit(reaction.value))
            for reaction, frame in happened.items()
            if not frame.is_empty()
        ]
        or [pl.DataFrame(schema={"case_id": pl.Int64, "on": pl.Date, "reaction": pl.String})]
    )
    inside = rows.join(running(rounds), on="case_id").filter(
        pl.col("on").is_between("round_opened_on", pl.lit(scope.as_of))
    )
    return inside.group_by("case_id").agg(
        pl.col("on").filter(pl.col("reaction") == reaction.value).max().alias(f"{reaction}_on") for reaction in Reaction
    )


def received_in_round(settled: pl.DataFrame, parts: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """(case_id, on, amount, whole) of what was paid of the open rounds' items: items settled, and part payments."""
    items = named.select("item_id", "round_opened_on")
    paid = settled.filter(pl.col("paid")).join(items, on="item_id")
    partly = parts.join(items, on="item_id")
    rows = pl.concat(
        [
            paid.select("case_id", "round_opened_on", "amount", on="settled_on", whole=pl.lit(value=True)),
            partly.select("case_id", "round_opened_on", amount="applied", on="paid_on", whole=pl.lit(value=False)),
        ]
    )
    return rows.filter(pl.col("on") >= pl.col("round_opened_on")).drop("round_opened_on")


def pauses(
    reader: Reader,
    cases: pl.DataFrame,
    asked: pl.DataFrame,
    received: pl.DataFrame,
    callbacks: pl.DataFrame,
    reasons: pl.DataFrame,
    runs: pl.DataFrame,
    wrongful: pl.DataFrame,
) -> pl.DataFrame:
    """(case_id, paused_until): the latest day before which no notice goes out; only days still to come."""
    calendars = cases.select("case_id", "party_id", CALENDAR)
    decided = reader.rows("disputes").filter(
        pl.col("state").is_in([DisputeState.REJECTED.value, DisputeState.PART_ACCEPTED.value])
    )
    rows = pl.concat(
        [
            _after(_half_paid(reader, received, asked, calendars), calendars, PART_PAID_DAYS),
            _after(decided.select("case_id", on="decided_on"), calendars, REJECTED_DAYS),
            _after(callbacks.select("case_id", on="callback_on"), calendars, 1),
            _after(_pay_runs(reasons, runs, cases), calendars, 1),
            _after(
                wrongful.join(calendars, on="party_id").select("case_id", on="wrongful_on"), calendars, WRONGFUL_DAYS
            ),
        ]
    )
    return rows.filter(pl.col("paused_until") > reader.scope.as_of).group_by("case_id").agg(pl.max("paused_until"))


def _half_paid(reader: Reader, received: pl.DataFrame, asked: pl.DataFrame, calendars: pl.DataFrame) -> pl.DataFrame:
    """Cases where what came in lately is at least what is still asked: half or more of what was asked before."""
    lately = _after(received.select("case_id", "on", "amount"), calendars, PART_PAID_DAYS, "amount", "on").filter(
        pl.col("paused_until") > reader.scope.as_of
    )
    summed = lately.group_by("case_id").agg(pl.sum("amount"), pl.max("on")).join(asked, on="case_id", how="left")
    return summed.filter(pl.col("amount") >= pl.col("asked_amount").fill_null(0)).select("case_id", "on")


def _pay_runs(reasons: pl.DataFrame, runs: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """The first pay run after a customer said that they pay by runs."""
    said = reasons.filter(pl.col("reason").is_in(PAY_RUN_REASONS)).join(runs, on="case_id")
    if said.is_empty():
        return pl.DataFrame(schema={"case_id": pl.Int64, "on": pl.Date})
    dated = [
        next_runs(said.filter(pl.col("stated_on") == day).select("case_id", "rule"), cases, day)
        for day in said["stated_on"].unique()
    ]
    return pl.concat(dated).select("case_id", on="run_on")


def _after(rows: pl.DataFrame, calendars: pl.DataFrame, days: int, *kept: str) -> pl.DataFrame:
    """The rows with `paused_until`, so many working days after `on`."""
    dated = rows.drop_nulls("on").join(calendars.select("case_id", CALENDAR), on="case_id")
    until = shift_working_days(dated["on"], days, dated[CALENDAR]).alias("paused_until")
    return dated.with_columns(until).select("case_id", "paused_until", *kept)
