"""Which notices arrived, as far as we can tell, and what each open item was told (law 5; rule 7).

A sent message is weak evidence once nothing came back for 3 working days (mail, text) or 7 (post), or on the day of a
delivery report; a letter's days count from the day on which the post got it, where that is told. It is strong once it
was answered, used or receipted, or the right person was spoken after it. One that bounced or was returned is none.
"""

from datetime import date

import polars as pl

from maatpak.kernel.words import (
    LOST_EVIDENCE,
    QUIET_DAYS,
    SPOKEN_RESULTS,
    STRONG_EVIDENCE,
    ActionState,
    Channel,
    EvidenceKind,
    StepKind,
)
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.working_days import CALENDAR, days_after, days_until

KNOWN_FOR = 10
"""Working days since the first evidenced notice before an item may be demanded."""

SPOKEN = tuple(sorted(str(result) for result in SPOKEN_RESULTS))
STRONG = tuple(sorted(str(kind) for kind in STRONG_EVIDENCE))
QUIET = {str(channel): days for channel, days in QUIET_DAYS.items()}
LOST = tuple(sorted(str(kind) for kind in LOST_EVIDENCE))
NOTICE_KINDS = (StepKind.MESSAGE.value, StepKind.PLAN_OFFER.value)


def observed(reader: Reader, actions: pl.DataFrame, served: pl.DataFrame) -> pl.DataFrame:
    """One row a sent message and action it serves: channel, sent_on, and what was first observed of it."""
    executed = actions.filter(pl.col("in_scope") & (pl.col("state") == ActionState.EXECUTED.value))
    served = served.join(executed.select("action_id", "case_id"), on="action_id")
    ids = served["message_id"].unique()
    sent, seen = reader.of_ids("messages", ids), reader.of_ids("evidence", ids)
    observations = seen()
    first = observations.group_by("message_id").agg(
        delivered_on=pl.col("observed_on").filter(pl.col("kind") == EvidenceKind.DELIVERED.value).min(),
        strong_on=pl.col("observed_on").filter(pl.col("kind").is_in(STRONG)).min(),
        printed_on=pl.col("observed_on").filter(pl.col("kind") == EvidenceKind.PRINTED.value).min(),
        posted_on=pl.col("observed_on").filter(pl.col("kind") == EvidenceKind.HANDED_OVER.value).min(),
        lost_on=pl.col("observed_on").filter(pl.col("kind").is_in(LOST)).max(),
    )
    return served.join(sent(), on="message_id").join(first, on="message_id", how="left")


def terms(messages: pl.DataFrame, returned: pl.DataFrame) -> pl.DataFrame:
    """(case_id, term_until): the last date by which a message that was not lost asks for an answer.

    The date that a demand set is void with its letter, whatever else it went by; `returned` has the action_id of these.
    """
    given = messages.lazy().filter(pl.col("lost_on").is_null()).drop_nulls("reply_by")
    valid = given.join(returned.lazy(), on="action_id", how="anti")
    return valid.group_by("case_id").agg(term_until=pl.max("reply_by")).pipe(collected)


def bounces(messages: pl.DataFrame, demands: pl.DataFrame) -> pl.DataFrame:
    """(case_id, on) of the messages that did not arrive; a demand is not made up for by a note, it goes again."""
    return messages.join(demands, on="action_id", how="anti").select("case_id", on="lost_on").drop_nulls("on")


def returned_demands(messages: pl.DataFrame, demands: pl.DataFrame) -> pl.DataFrame:
    """(action_id, returned_on): the demands no letter of which stands, for all came back (law 5)."""
    letters = messages.filter(pl.col("channel") == Channel.POST.value).join(demands, on="action_id", how="semi")
    return (
        letters.group_by("action_id")
        .agg(returned_on=pl.max("lost_on"), stands=pl.col("lost_on").is_null().any())
        .filter(~pl.col("stands"))
        .select("action_id", "returned_on")
    )


def notices(reader: Reader, messages: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """The messages that count as evidence as of the scope's date, with `evidence_on` and `strong`."""
    arrived = (
        messages.lazy().filter(pl.col("lost_on").is_null()).join(cases.lazy().select("case_id", CALENDAR), on="case_id")
    )
    calls = reader.rows("calls")
    if calls.is_empty():
        arrived = arrived.with_columns(spoken_on=pl.lit(None, pl.Date))
    else:
        arrived = arrived.join(_spoken_after(calls.lazy(), messages.lazy()), on=["case_id", "sent_on"], how="left")
    return counting(arrived, reader.scope.as_of)


def counting(messages: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Those messages that are evidence by then, of such that were not lost, with what was observed and `spoken_on`."""
    strong_on = pl.min_horizontal("strong_on", "spoken_on")
    return (
        messages.with_columns(
            by_post=pl.col("channel") == Channel.POST.value,
            wait=pl.col("channel").replace_strict(QUIET, return_dtype=pl.Int64),
            left_on=pl.when(pl.col("printed_on").is_null() | pl.col("posted_on").is_not_null()).then(
                pl.coalesce("posted_on", "sent_on")
            ),
        )
        .with_columns(quiet_on=days_after("left_on", "wait"))
        .select(
            *("message_id", "action_id", "case_id", "sent_on", "by_post"),
            evidence_on=pl.min_horizontal("quiet_on", "delivered_on", strong_on),
            strong=strong_on.is_not_null(),
        )
        .filter(pl.col("evidence_on") <= as_of)
        .pipe(collected)
    )


def _spoken_after(calls: pl.LazyFrame, messages: pl.LazyFrame) -> pl.LazyFrame:
    """(case_id, sent_on, spoken_on): the first day after a message on which the right person of its case was spoken."""
    spoken = calls.filter(pl.col("code").is_in(SPOKEN)).select("case_id", spoken_on="called_on")
    return (
        messages.select("case_id", "sent_on")
        .join(spoken, on="case_id")
        .filter(pl.col("spoken_on") > pl.col("sent_on"))
        .group_by("case_id", "sent_on")
        .agg(pl.min("spoken_on"))
    )


def told_items(
    actions: pl.DataFrame, named: pl.DataFrame, evidenced: pl.DataFrame, cases: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """(item_id, notices, best, evidence_complete, demandable) of the items that evidenced notices of a round named."""
    is_notice = pl.col("written") & pl.col("kind").is_in(NOTICE_KINDS) & pl.col("round_id").is_not_null()
    complete = pl.col("strong") | (pl.col("by_post") & pl.col("by_other"))
    by_action = (
        evidenced.lazy()
        .join(actions.lazy().filter(is_notice).select("action_id"), on="action_id", how="semi")
        .group_by("action_id", "case_id")
        .agg(pl.any("strong", "by_post"), by_other=(~pl.col("by_post")).any(), sent_on=pl.min("sent_on"))
    )
    return (
        named.lazy()
        .join(by_action, on="action_id")
        .group_by("item_id", "case_id")
        .agg(pl.any("strong", "by_post", "by_other"), notices=pl.len().cast(pl.Int64), first_on=pl.min("sent_on"))
        .join(cases.lazy().select("case_id", CALENDAR), on="case_id")
        .with_columns(old_enough=days_until("first_on", as_of) >= KNOWN_FOR)
        .select(
            *("item_id", "notices"),
            best=pl.when("strong").then(2).otherwise(1).cast(pl.Int8),
            evidence_complete=complete,
            demandable=complete & pl.col("old_enough"),
        )
        .pipe(collected)
    )


def first_evidence(evidenced: pl.DataFrame, demands: pl.DataFrame) -> pl.DataFrame:
    """(action_id, evidence_on): the first day with at least weak evidence of an action's messages.

    Of a demand only its letter counts: the mail that went with it starts no clock.
    """
    counts = pl.col("by_post") | ~pl.col("action_id").is_in(demands["action_id"].implode())
    return evidenced.filter(counts).group_by("action_id").agg(pl.min("evidence_on"))
