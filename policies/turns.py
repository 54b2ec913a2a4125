"""Whose turn it is: letters of several cases to one party on one day (rule 21).

One order for all, within a creditor and between creditors. What waited for five working days goes first, the longest
wait foremost; then the furthest stage of the step that is due; then the largest value; then the lowest number of the
case. No rates are known here, so values of different currencies are compared as numbers of their whole units: 900 euro
go before 800 pounds.
"""

from datetime import date

import polars as pl

from maatpak.kernel.money import decimals
from maatpak.kernel.words import Stage

LONGEST_WAIT = 5
"""Working days after which a case that others keep from its turn goes first."""

LETTER = ("written_to", "debtor_id", "pack_id", "segment", "step", "approvals_needed")
"""Actions that have all of this in common are one letter: the cases of one customer in several currencies."""

CLAIM: dict[str, type[pl.DataType]] = {
    "written_to": pl.Int64,
    "case_id": pl.Int64,
    "stage": pl.String,
    "amount": pl.Int64,
    "currency": pl.String,
    "first_from": pl.Date,
}
"""What a case that wants to write brings along: the party, its step's stage, its value, and the date from which it goes
before others; null where it has not waited."""

_FINEST = 4
"""Decimals of the finest currency there is."""


def out_of_turn(letters: pl.DataFrame, rivals: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The letters that give way today: to another of `letters`, or to a rival that is not among them.

    `letters`: columns of `CLAIM` and `LETTER`; `rivals`: columns of `CLAIM`.
    """
    numbered = letters.with_row_index("at")
    pool = pl.concat([numbered.select(*CLAIM, "at"), rivals.select(*CLAIM, at=pl.lit(None, dtype=pl.get_index_type()))])
    contested = pool.filter(pl.col("written_to").is_duplicated())
    if contested.is_empty():
        return letters.clear()
    first = in_order(contested, as_of).unique("written_to", keep="first", maintain_order=True)
    ours = numbered.join(first.select("at").drop_nulls(), on="at", how="semi")
    return letters.join(contested, on="written_to", how="semi", maintain_order="left").join(
        ours, on=LETTER, how="anti", maintain_order="left"
    )


def in_order(claims: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Claims in the order in which they go."""
    if claims.is_empty():
        return claims
    places = {currency: decimals(currency) for currency in claims["currency"].unique()}
    unit = pl.col("currency").replace_strict({each: 10**count for each, count in places.items()}, return_dtype=pl.Int64)
    finer = pl.col("currency").replace_strict(
        {each: 10 ** (_FINEST - count) for each, count in places.items()}, return_dtype=pl.Int64
    )
    stage = pl.col("stage").replace_strict({str(each): each.rank for each in Stage}, return_dtype=pl.Int8)
    waited = pl.when(pl.col("first_from") <= as_of).then("first_from")
    return claims.sort(
        waited,
        -stage,
        -(pl.col("amount") // unit),
        -(pl.col("amount") % unit * finer),
        "case_id",
        nulls_last=True,
    )
