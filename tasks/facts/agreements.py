"""What was agreed with the customer or lies with us: promises, plans, disputes, holds, tickets, our own work."""

import polars as pl

from maatpak.kernel.words import DisputeState, HoldReason, LegalStop, PlanState, PromiseState
from tasks.facts.collecting import collected
from tasks.facts.covers import LIVE_PLANS
from tasks.facts.reading import Reader
from tasks.facts.working_days import CALENDAR, days_until

STRICTNESS = {reason.value: rank for rank, reason in enumerate(reason for reason in HoldReason if reason != "none")}
"""The stricter the reason of a hold, the lower the number."""


def promised(reader: Reader) -> pl.DataFrame:
    """One row a case that promised: what runs, and what was broken in six months."""
    promises = reader.rows("promises").unique("record_id")
    is_open = pl.col("state") == PromiseState.OPEN.value
    broken = (pl.col("state") == PromiseState.BROKEN.value) & (pl.col("state_on") > reader.scope.months_ago(6))
    return promises.group_by("case_id").agg(
        promises_broken_6m=broken.sum().cast(pl.Int64),
        promise_open=is_open.any(),
        promise_due_on=pl.col("promised_on").filter(is_open).max(),
        broken_on=pl.col("state_on").filter(pl.col("state") == PromiseState.BROKEN.value).max(),
    )


def planned(reader: Reader) -> pl.DataFrame:
    """One row a case with a plan: the newest one's state, an offer that waits, breaches of twelve months."""
    plans = reader.rows("plans").unique("record_id").sort("offered_on", "record_id")
    return plans.group_by("case_id", maintain_order=True).agg(
        plan_state=pl.last("state"),
        offer_open=(pl.col("state") == PlanState.OFFERED.value).any(),
        plans_breached_12m=(pl.col("breached_on") > reader.scope.months_ago(12)).sum().cast(pl.Int64),
        breached_on=pl.max("breached_on"),
    )


def agreed(reader: Reader) -> pl.DataFrame:
    """(case_id, on) of every agreement that runs: a promise made, a plan accepted."""
    promises = reader.rows("promises").filter(pl.col("state") == PromiseState.OPEN.value)
    plans = reader.rows("plans").filter(pl.col("state") == PlanState.ACTIVE.value)
    return pl.concat(
        [
            promises.select("case_id", on="made_on"),
            plans.select("case_id", on="accepted_on").drop_nulls("on"),
        ]
    )


def holds_of_cases(reader: Reader, cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, reason, source, until_on): every live hold of a case, of its debtor or of its party."""
    holds = reader.rows("holds")
    if holds.is_empty():
        return pl.DataFrame(schema={"case_id": pl.Int64, "reason": pl.String, "source": pl.String, "until_on": pl.Date})
    columns = ("case_id", "reason", "source", "until_on")
    people = cases.select("case_id", "debtor_id", "party_id")
    return pl.concat(
        [
            holds.filter(pl.col("scope") == "case").select(columns),
            *(
                holds.filter(pl.col("scope") == scope)
                .drop("case_id")
                .join(people.select("case_id", key), on=key)
                .select(columns)
                for scope, key in (("debtor", "debtor_id"), ("party", "party_id"))
            ),
        ]
    )


def held(holds: pl.DataFrame) -> pl.DataFrame:
    """One row a case on hold: the strictest reason, the legal stop behind it, and whether hardship is among them."""
    ranked = holds.with_columns(rank=pl.col("reason").replace_strict(STRICTNESS, return_dtype=pl.Int8))
    stops = [stop.value for stop in LegalStop if stop != LegalStop.NONE]
    is_stop = pl.col("reason") == HoldReason.LEGAL_STOP.value
    return (
        ranked.sort("rank", "source")
        .group_by("case_id", maintain_order=True)
        .agg(
            hold_reason=pl.first("reason"),
            held_stop=pl.col("source").filter(is_stop & pl.col("source").is_in(stops)).first(),
            is_stop=is_stop.any(),
            held_hardship=(pl.col("reason") == HoldReason.HARDSHIP.value).any(),
        )
        # A stop that does not say which is read as the one that forbids the least: talk to whoever stands for them.
        .with_columns(
            pl.when("is_stop").then(pl.coalesce("held_stop", pl.lit(LegalStop.REPRESENTED.value))).alias("held_stop")
        )
        .drop("is_stop")
    )


def our_turn(reader: Reader, cases: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """One row a case where the ball is with us, and since when: open disputes, tickets, work that blocks notices."""
    work, records, tickets = reader.rows("blocking_work"), reader.rows("disputes"), reader.rows("tickets")
    if work.is_empty() and records.is_empty() and tickets.is_empty() and flagged.is_empty():
        return _NOTHING_OURS
    people = cases.lazy().select("case_id", "debtor_id")
    of_case = work.lazy().filter(pl.col("case_id").is_not_null())
    of_debtor = work.lazy().filter(pl.col("case_id").is_null()).drop("case_id").join(people, on="debtor_id")
    disputes = records.lazy().filter(pl.col("state") == DisputeState.OPEN.value)
    sources = [
        *(frame.select("case_id", "opened_on", source=pl.lit("work")) for frame in (of_case, of_debtor)),
        disputes.select("case_id", "opened_on", source=pl.lit("dispute")),
        flagged.lazy().select("case_id", opened_on=pl.lit(None, pl.Date), source=pl.lit("dispute")),
        tickets.lazy().join(people, on="debtor_id").select("case_id", "opened_on", source=pl.lit("ticket")),
    ]
    return (
        pl.concat(sources)
        .group_by("case_id")
        .agg(
            since=pl.min("opened_on"),
            our_turn=(pl.col("source") == "work").any(),
            dispute_open=(pl.col("source") == "dispute").any(),
            tickets_open=(pl.col("source") == "ticket").sum().cast(pl.Int64),
        )
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .with_columns(our_turn_wd=days_until("since", reader.scope.as_of).cast(pl.Int64).fill_null(0))
        .select(_NOTHING_OURS.columns)
        .pipe(collected)
    )


_NOTHING_OURS = pl.DataFrame(
    schema={
        "case_id": pl.Int64,
        "our_turn": pl.Boolean,
        "dispute_open": pl.Boolean,
        "tickets_open": pl.Int64,
        "our_turn_wd": pl.Int64,
    }
)


def wake_dates(reader: Reader, holds: pl.DataFrame, in_flight: pl.DataFrame) -> pl.DataFrame:
    """(case_id, wake_on): the earliest day, today or later, on which something that parks the case ends."""
    live = reader.rows("plans").lazy().filter(pl.col("state").is_in(LIVE_PLANS))
    running = reader.rows("promises").lazy().filter(pl.col("state") == PromiseState.OPEN.value)
    offered = pl.col("state") == PlanState.OFFERED.value
    ends = [
        holds.lazy().select("case_id", wake_on="until_on"),
        running.select("case_id", wake_on="promised_on"),
        live.select("case_id", wake_on=pl.when(offered).then("valid_until").otherwise("last_on")),
        reader.rows("claims").lazy().select("case_id", wake_on="until_on"),
        in_flight.lazy().select("case_id", wake_on="until_on"),
    ]
    still = pl.concat(ends).filter(pl.col("wake_on") >= reader.scope.as_of)
    return still.group_by("case_id").agg(pl.min("wake_on")).pipe(collected)
