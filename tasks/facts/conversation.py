"""What was said between the customer and us: letters, calls, reasons, answers, consultations."""

import polars as pl

from maatpak.kernel.words import (
    ATTEMPT_ONLY_RESULTS,
    OPEN_ACTION_STATES,
    TRIED_DAY_PARTS,
    TRIED_DAYS,
    ActionState,
    CallResult,
    ConsultAnswer,
    StepKind,
)
from tasks.facts.collecting import collected
from tasks.facts.evidence import SPOKEN
from tasks.facts.reading import Reader
from tasks.facts.scope import CONTACT_DAYS
from tasks.facts.working_days import CALENDAR, days_until

BUDGET_DAYS, CALL_DAYS = 20, 5
"""Working days, today included, over which written contacts and call attempts are counted."""

NO_CONTACT = tuple(
    str(state) for state in (ActionState.SKIPPED, ActionState.REJECTED, ActionState.CANCELLED, ActionState.FAILED)
)
UNDER_WAY = tuple(sorted(str(state) for state in OPEN_ACTION_STATES))
ATTEMPTS_ONLY = tuple(sorted(str(result) for result in ATTEMPT_ONLY_RESULTS))
ANSWERS = tuple(str(answer) for answer in ConsultAnswer if answer not in (ConsultAnswer.NONE, ConsultAnswer.OPEN))
HEARD = (ConsultAnswer.AGREE.value, ConsultAnswer.NOT_HEARD.value)
INVOICE_COPY = "invoice_copy"
"""Template of the copy that answers `lost_invoice`."""
WAIVED = "waived"
"""Result of a call that a credit manager waived."""


def written(reader: Reader, actions: pl.DataFrame, cases: pl.DataFrame, *, shared: bool) -> pl.DataFrame:
    """One row a case: letters of the last weeks to the party that is written to, by whichever of our creditors and
    about whichever account, and beside them those to its own party, which demands go to.

    Actions of one creditor on one day are one letter. One under way stands on the day it was proposed for.
    """
    own = (
        actions.lazy()
        .filter(pl.col("written") & (pl.col("proposed_on") > reader.scope.days_ago(CONTACT_DAYS)))
        .filter(~pl.col("state").is_in(NO_CONTACT))
        .join(cases.lazy().select("case_id", "party_id"), on="case_id")
        .select(
            pl.coalesce("payer_party_id", "party_id").alias("party_id"),
            pl.lit(reader.scope.creditor_id, pl.Int64).alias("creditor_id"),
            WRITTEN_ON,
        )
    )
    rows = own
    if shared:
        theirs = reader.rows("written_elsewhere").lazy().filter(~pl.col("state").is_in(NO_CONTACT))
        rows = pl.concat([own, theirs.select("party_id", "creditor_id", WRITTEN_ON)])
    counted = (days_until("on", reader.scope.as_of) < BUDGET_DAYS).cast(pl.Int64)
    return (
        rows.unique()
        .join(_addressed(cases).lazy(), on="party_id")
        .select(
            "case_id",
            contacts_20wd=pl.when("paying").then(counted),
            last_written_on=pl.when("paying").then("on"),
            own_contacts_20wd=pl.when("own").then(counted),
            own_last_written_on=pl.when("own").then("on"),
        )
        .group_by("case_id")
        .agg(pl.sum("contacts_20wd", "own_contacts_20wd"), pl.max("last_written_on", "own_last_written_on"))
        .pipe(collected)
    )


def _addressed(cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, party_id, paying, own): whom each case's contacts go to: who pays (`paying`), and for demands the
    debtor's own party (`own`); mostly they are one."""
    columns = ("case_id", "party_id", CALENDAR)
    same = pl.col("party_id") == pl.col("payer_party_id")
    itself = cases.select(*columns, paying=same, own=pl.lit(value=True))
    others = cases.filter(~same).select(
        "case_id",
        pl.col("payer_party_id").alias("party_id"),
        CALENDAR,
        paying=pl.lit(value=True),
        own=pl.lit(value=False),
    )
    return itself if others.is_empty() else pl.concat([itself, others])


WRITTEN_ON = pl.coalesce("executed_on", "proposed_on").alias("on")


def called(reader: Reader, rounds: pl.DataFrame) -> pl.DataFrame:
    """One row a case that was called: attempts of the round, and whether the right person was reached in it."""
    calls = reader.rows("calls")
    if calls.is_empty():
        return _NO_CALLS
    in_round = pl.col("in_round")
    known = (
        calls.lazy()
        .join(rounds.lazy().select("case_id", "round_opened_on"), on="case_id", how="left")
        .with_columns(
            in_round=(pl.col("called_on") >= pl.col("round_opened_on")).fill_null(value=False),
            spoken=pl.col("code").is_in(SPOKEN),
        )
        .pipe(collected)
    )
    summed = (
        known.lazy()
        .select(
            *("case_id", "called_on"),
            call_attempts=in_round.cast(pl.Int64),
            spoken=in_round & pl.col("spoken"),
        )
        .group_by("case_id")
        .agg(pl.sum("call_attempts"), pl.any("spoken"))
    )
    tried = (
        known.lazy()
        .filter(in_round & pl.col("code").is_in(ATTEMPTS_ONLY))
        .filter(pl.len().over("case_id") >= TRIED_DAYS)
        .group_by("case_id")
        .agg(tried=(pl.n_unique("called_on") >= TRIED_DAYS) & (pl.n_unique("day_part") >= TRIED_DAY_PARTS))
    )
    return (
        summed.join(tried, on="case_id", how="left")
        .with_columns(tried_call=pl.col("tried").fill_null(value=False) | pl.col("spoken"))
        .select(_NO_CALLS.columns)
        .pipe(collected)
    )


_NO_CALLS = pl.DataFrame(
    schema={
        "case_id": pl.Int64,
        "call_attempts": pl.Int64,
        "spoken": pl.Boolean,
        "tried_call": pl.Boolean,
    }
)


def spoken_with(reader: Reader, cases: pl.DataFrame, *, shared: bool) -> pl.DataFrame:
    """One row a case: calls at the party that is written to, on whichever case and by whichever of our creditors (law
    6). A talk with its own party counts as well, for there is one conversation.

    A callback stands until the party is called again about the case for which it was agreed.
    """
    columns = ("call_id", "case_id", "party_id", "code", "callback_on", "called_on")
    own = reader.rows("calls").join(cases.select("case_id", "party_id"), on="case_id")
    rows = own.with_columns(party_id=pl.coalesce("payer_party_id", "party_id")).select(columns)
    if shared:
        rows = pl.concat([rows, reader.rows("calls_elsewhere").select(columns)])
    if rows.is_empty():
        return _NOT_CALLED
    lately = (days_until("called_on", reader.scope.as_of) < CALL_DAYS).cast(pl.Int64)
    # The last call about each case tells whether a callback is still to come.
    return (
        rows.lazy()
        .sort("called_on", "call_id")
        .with_columns(last=pl.col("call_id") == pl.col("call_id").last().over("case_id", "party_id"))
        .join(_addressed(cases).lazy().rename({"case_id": "of_case"}), on="party_id")
        .select(
            case_id="of_case",
            calls_5wd=pl.when("paying").then(lately),
            called_on=pl.when("paying").then("called_on"),
            spoken_on=pl.when(pl.col("code").is_in(SPOKEN)).then("called_on"),
            callback_on=pl.when(pl.col("last") & (pl.col("code") == CallResult.CALLBACK_AGREED.value)).then(
                "callback_on"
            ),
        )
        .group_by("case_id")
        .agg(
            pl.sum("calls_5wd"),
            pl.max("callback_on"),
            last_call_on=pl.max("called_on"),
            last_spoken_on=pl.max("spoken_on"),
        )
        .select(_NOT_CALLED.columns)
        .pipe(collected)
    )


_NOT_CALLED = pl.DataFrame(
    schema={
        "case_id": pl.Int64,
        "calls_5wd": pl.Int64,
        "last_call_on": pl.Date,
        "last_spoken_on": pl.Date,
        "callback_on": pl.Date,
    }
)


def consulted(reader: Reader, actions: pl.DataFrame, rounds: pl.DataFrame) -> pl.DataFrame:
    """One row a case whose open round (of `rounds`) asked the account manager, or had its call waived.

    A call is waived where somebody was to make it, or where a letter went in its place for want of a number.
    """
    in_round = actions.lazy().filter(pl.col("in_scope") & pl.col("round_id").is_not_null())
    running = pl.col("state").is_in(UNDER_WAY)
    answer = pl.when(running).then(pl.lit(ConsultAnswer.OPEN.value)).otherwise("result")
    asked = (
        in_round.filter((pl.col("kind") == StepKind.CONSULT.value) & (running | pl.col("result").is_in(ANSWERS)))
        .sort("action_id")
        .unique("case_id", keep="last", maintain_order=True)
        .select("case_id", consult_answer=answer)
        .with_columns(manager_heard=pl.col("consult_answer").is_in(HEARD))
    )
    unmade = reader.rows("calls_waived").join(rounds, on=["case_id", "round_id"], how="semi")
    made = in_round.filter((pl.col("kind") == StepKind.CALL.value) & (pl.col("result") == WAIVED))
    cases = pl.concat([made.select("case_id"), unmade.lazy().select("case_id")])
    waived = cases.unique().select("case_id", call_waived=pl.lit(value=True))
    return asked.join(waived, on="case_id", how="full", coalesce=True).pipe(collected)


def last_reason(reader: Reader) -> pl.DataFrame:
    """(case_id, reason, reason_on): the last stated reason of at most 90 days ago."""
    return (
        reader.rows("reasons")
        .sort("stated_on", "record_id")
        .unique("case_id", keep="last", maintain_order=True)
        .select("case_id", "reason", reason_on="stated_on")
    )


def unread(reader: Reader, cases: pl.DataFrame, *, shared: bool) -> pl.DataFrame:
    """(case_id, unread_reply) of cases an answer to which nobody has read: of the party or of who is written to, on
    whichever case, at whichever creditor."""
    people = cases.select("debtor_id", "party_id").unique()
    parties = reader.rows("answers").filter("unread").join(people, on="debtor_id").select("party_id")
    if shared:
        parties = pl.concat([parties, reader.rows("unread_elsewhere")])
    waiting = _addressed(cases).join(parties.unique(), on="party_id", how="semi")
    return waiting.select("case_id", unread_reply=pl.lit(value=True)).unique()


def answered_reasons(reader: Reader, actions: pl.DataFrame, since: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """(case_id, reason_answered_on): the last day since the reason was stated on which we did what it asks of us.

    That is when our work for it was done, or when the copy that was asked for arrived; `since` is the evidence.
    """
    copies = (
        actions.lazy()
        .filter(pl.col("in_scope") & (pl.col("template") == INVOICE_COPY) & pl.col("executed_on").is_not_null())
        .join(since.lazy(), on="action_id", how="left")
        .select("case_id", on=pl.coalesce("evidence_on", "executed_on"))
    )
    done = reader.rows("work_done").lazy().select("case_id", on="done_on")
    return (
        pl.concat([copies, done])
        .join(reasons.lazy().select("case_id", "reason_on"), on="case_id")
        .filter(pl.col("on") >= pl.col("reason_on"))
        .group_by("case_id")
        .agg(reason_answered_on=pl.max("on"))
        .pipe(collected)
    )


def answered(reader: Reader, cases: pl.DataFrame) -> pl.DataFrame:
    """(case_id, on) of every answer; one that names no case counts for all of the debtor's."""
    answers = reader.rows("answers")
    of_debtor = answers.filter(pl.col("case_id").is_null()).drop("case_id")
    return pl.concat(
        [
            answers.drop_nulls("case_id").select("case_id", on="received_on"),
            of_debtor.join(cases.select("case_id", "debtor_id"), on="debtor_id").select("case_id", on="received_on"),
        ]
    )
