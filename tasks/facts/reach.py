"""Where and how the customer can be reached, and what they asked for (rule 28)."""

import polars as pl

from maatpak.kernel.words import ReachState
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.rhythm import statement_day

WORST_FIRST = (
    ReachState.OPTED_OUT.value,
    ReachState.PROVEN.value,
    ReachState.UNPROVEN.value,
    ReachState.DOUBTFUL.value,
    ReachState.DEAD.value,
)
"""Who opted out is not written to at another address; otherwise the best address counts."""
ADDRESSES = {"email": "has_email", "phone": "has_phone", "post": "has_post", "own_post": "own_has_post"}
"""Addresses of who is written to, and the debtor's own for demands, by the flag that says that there is one."""
CLOSED = (ReachState.DEAD.value, ReachState.OPTED_OUT.value)


def reached(reader: Reader, cases: pl.DataFrame) -> pl.DataFrame:
    """One row a case: where who is written to can be reached, in which language and how; and the statement day."""
    contacts = reader.rows("contact_people")
    marked = reader.rows("addresses")
    frame = cases.select(
        *("case_id", "debtor_id", "payer_id", "language", "preferred_channel", "country"),
        *("has_email", "has_phone", "has_post", "own_has_post"),
    )
    if not contacts.is_empty():
        more = contacts.group_by(payer_id="debtor_id").agg(
            mail=pl.col("has_email").any(), call=pl.col("has_phone").any()
        )
        frame = frame.join(more, on="payer_id", how="left").with_columns(
            has_email=pl.col("has_email") | pl.col("mail").fill_null(value=False),
            has_phone=pl.col("has_phone") | pl.col("call").fill_null(value=False),
        )
    frame = _with_states(frame, marked)
    return (
        _with_preferences(reader, frame, contacts)
        .with_columns(
            email_known=~pl.col("email_state").is_in(CLOSED),
            phone_known=~pl.col("phone_state").is_in(CLOSED),
            post_known=~pl.col("post_state").is_in(CLOSED),
            own_post_known=~pl.col("own_post_state").is_in(CLOSED),
        )
        .select(
            *("case_id", "language", "preferred_channel", "email_state", "phone_state"),
            *("email_known", "phone_known", "post_known", "own_post_known", "statement_on"),
        )
    )


def _with_states(frame: pl.DataFrame, marked: pl.DataFrame) -> pl.DataFrame:
    unmarked = [
        pl.when(has)
        .then(pl.lit(ReachState.UNPROVEN.value))
        .otherwise(pl.lit(ReachState.DEAD.value))
        .alias(f"{address}_state")
        for address, has in ADDRESSES.items()
    ]
    frame = frame.with_columns(unmarked)
    if marked.is_empty():
        return frame
    rank = pl.col("state").replace_strict({state: rank for rank, state in enumerate(WORST_FIRST)}, return_dtype=pl.Int8)
    best = marked.group_by("debtor_id", "payer_id").agg(
        rank.filter(pl.col("channel") == channel).min().alias(channel) for channel in ("email", "phone", "post")
    )
    itself = best.filter(pl.col("debtor_id") == pl.col("payer_id")).select("debtor_id", own_post="post")
    names = dict(enumerate(WORST_FIRST))
    return (
        frame.join(best, on=["debtor_id", "payer_id"], how="left")
        .join(itself, on="debtor_id", how="left")
        .with_columns(
            pl.coalesce(
                pl.when(has).then(pl.col(address).replace_strict(names, return_dtype=pl.String)), f"{address}_state"
            ).alias(f"{address}_state")
            for address, has in ADDRESSES.items()
        )
    )


def _with_preferences(reader: Reader, frame: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Language: as asked for, else that of the contact person in the role asked for (payables), else as it was; of who
    is written to. The statement day is that of the account."""
    asked = reader.rows("preferences")
    if asked.is_empty() and contacts.is_empty():
        return frame.with_columns(statement_on=pl.lit(None, pl.Date))
    wishes = asked.group_by(payer_id="debtor_id").agg(
        pl.col("value").filter(pl.col("name") == name).first().alias(f"asked_{name}")
        for name in ("language", "channel", "statement_day", "contact_role")
    )
    frame = frame.join(wishes.drop("asked_statement_day"), on="payer_id", how="left").join(
        wishes.select("asked_statement_day", debtor_id="payer_id"), on="debtor_id", how="left"
    )
    spoken = (
        contacts.drop_nulls("language")
        .rename({"debtor_id": "payer_id"})
        .join(wishes.select("payer_id", "asked_contact_role"), on="payer_id", how="left")
        .with_columns(other=pl.col("role") != pl.col("asked_contact_role").fill_null("payables"))
        .sort("other", "role", "name")
        .unique("payer_id", keep="first", maintain_order=True)
        .select("payer_id", contact_language="language")
    )
    frame = frame.join(spoken, on="payer_id", how="left").with_columns(
        language=pl.coalesce("asked_language", "contact_language", "language"),
        preferred_channel=pl.coalesce("asked_channel", "preferred_channel"),
    )
    days = frame.select("asked_statement_day", "country").drop_nulls().unique()
    dated = days.with_columns(
        statement_on=pl.Series(
            [statement_day(value, reader.scope.as_of, country) for value, country in days.iter_rows()], dtype=pl.Date
        )
    )
    return frame.join(dated, on=["asked_statement_day", "country"], how="left")


def experience(reader: Reader) -> pl.DataFrame:
    """(party_id, experience_balance, wrongful_on, manager_letters_12m): what the touches of twelve months come to.

    A positive counts once a day; a wrongful touch stays, however old, until twelve positives came after it.
    """
    touches = reader.rows("touches")
    if touches.is_empty():
        return _NO_TOUCHES
    in_year = pl.col("touched_on") > reader.scope.months_ago(12)
    positives = touches.lazy().filter(pl.col("rating") > 0).unique(["party_id", "touched_on"])
    negatives = touches.lazy().filter(pl.col("rating") < 0)
    recent = [frame.filter(in_year).select("party_id", "rating") for frame in (positives, negatives)]
    old = (
        negatives.filter(pl.col("wrongful") & ~in_year)
        .with_row_index("touch")
        .join(positives.select("party_id", positive_on="touched_on"), on="party_id", how="left")
        .group_by("touch", "party_id", "rating", "touched_on")
        .agg(later=(pl.col("positive_on") > pl.col("touched_on")).sum())
        .filter(pl.col("later") < OUTWEIGHED_BY)
        .select("party_id", "rating")
    )
    balance = pl.concat([*recent, old]).group_by("party_id").agg(experience_balance=pl.sum("rating").clip(*SCALE))
    wrongful = touches.lazy().filter("wrongful").group_by("party_id").agg(wrongful_on=pl.max("touched_on"))
    letters = touches.lazy().filter(in_year & pl.col("letter")).group_by("party_id").agg(manager_letters_12m=pl.len())
    return (
        balance.join(wrongful, on="party_id", how="full", coalesce=True)
        .join(letters, on="party_id", how="full", coalesce=True)
        .select(_NO_TOUCHES.columns)
        .pipe(collected)
    )


_NO_TOUCHES = pl.DataFrame(
    schema={
        "party_id": pl.Int64,
        "experience_balance": pl.Int64,
        "wrongful_on": pl.Date,
        "manager_letters_12m": pl.UInt32,
    }
)


OUTWEIGHED_BY = 12
"""Positives after a wrongful touch that outweigh it."""
SCALE = (-36, 12)
"""The balance stays within these."""
