"""What a rule looks at beyond the one cell: repeats, exchanged days and months, outliers, what was known before."""

from dataclasses import dataclass

import polars as pl

from connectors.ledgers.canonical import text_of
from connectors.ledgers.columns import OF_DEBTORS, TABLES, Kind
from tasks.quality.common_rules import Import, repeats

USUAL_SHARE = 0.05
"""Share of rows from which on a term of payment counts as usual."""
USUAL_TOGETHER = 0.95
"""Share of rows that the usual terms must cover before an unusual one says anything."""
OUTLIER = 1_000
"""Times the 95th percentile of its currency, above which an amount is taken for a slip."""
ENOUGH_ROWS = 20
"""Fewer rows have no usual terms and no outliers."""

REPEAT, DIFFERS, REUSED = "is_repeat", "differs", "is_reused"
SWAPPED_TERM, OUTLYING, ZEROS_LOST = "is_swapped", "is_outlier", "zeros_lost"
KNOWN_AMOUNT, KNOWN_CURRENCY, MOVED = "known_amount", "known_currency", "moved"


@dataclass(frozen=True)
class KnownItems:
    """Open items as the database has them: what a new file is compared with."""

    frame: pl.DataFrame
    """`debtor_no`, `document_no`, `document_type`, `issued_on`, `amount`, `open_amount`, `currency`, `source`."""


def measure_items(frame: pl.DataFrame, about: Import, known: KnownItems) -> pl.DataFrame:
    """The items with everything beside them that a rule looks at and one cell does not tell."""
    frame = frame.with_columns(pl.col("issued_on").dt.year().alias("issued_year"))
    key = ["document_type", "document_no"]
    content = [
        text_of(name) if TABLES["items"][name].kind is not Kind.TEXT else name
        for name in frame.columns
        if name in TABLES["items"] and name not in OF_DEBTORS
    ]
    is_repeat, differs = repeats(frame, [*key, "issued_year"], content)
    frame = frame.with_columns(is_repeat.alias(REPEAT), differs.alias(DIFFERS))
    numbered = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    years = pl.col("issued_year").n_unique().over(key)
    frame = frame.with_columns(
        (numbered & pl.struct(key).is_duplicated() & ~pl.col(DIFFERS) & (years > 1)).alias(REUSED)
    )
    frame = frame.with_columns(_swapped_terms(frame).alias(SWAPPED_TERM), _outliers(frame).alias(OUTLYING))
    return _compared(frame.drop("issued_year"), about, known)


def _swapped_terms(frame: pl.DataFrame) -> pl.Series:
    """Rows whose term of payment is unusual, but usual with day and month, or the two dates, exchanged."""
    days = frame.select((pl.col("due_on") - pl.col("issued_on")).dt.total_days().alias("term"))["term"]
    none = pl.repeat(value=False, n=frame.height, eager=True)
    counts = days.drop_nulls().value_counts()
    usual = counts.filter(pl.col("count") >= USUAL_SHARE * frame.height)
    if frame.height < ENOUGH_ROWS or usual["count"].sum() < USUAL_TOGETHER * frame.height:
        return none
    issued, due = pl.col("issued_on"), pl.col("due_on")
    other_terms = [due - _exchanged("issued_on"), _exchanged("due_on") - issued]
    other_terms += [_exchanged("due_on") - _exchanged("issued_on"), issued - due]
    listed = usual["term"].implode()
    asked = frame["document_type"].is_in(["invoice", "debit_note"])  # a credit note has no term
    unusual = frame.with_row_index("at").filter(asked & days.is_not_null() & ~days.is_in(usual["term"].to_list()))
    swapped = unusual.select("at", pl.any_horizontal(term.dt.total_days().is_in(listed) for term in other_terms))
    rows = swapped.filter(pl.nth(1).fill_null(value=False))["at"]
    return none.scatter(rows, values=True) if rows.len() else none


def _exchanged(column: str) -> pl.Expr:
    """The date with day and month exchanged, where that is a date too."""
    day = pl.col(column)
    can = (day.dt.day() <= 12) & day.is_not_null()
    safe = pl.when(can).then(day.dt.day()).otherwise(1)
    return pl.when(can).then(pl.date(day.dt.year(), safe, day.dt.month()))


def _outliers(frame: pl.DataFrame) -> pl.Series:
    size = pl.col("amount").abs()
    usual = size.quantile(0.95).over("currency")
    enough = size.count().over("currency") >= ENOUGH_ROWS
    return frame.select(((size > OUTLIER * usual) & enough & (usual > 0)).fill_null(value=False)).to_series()


def _compared(frame: pl.DataFrame, about: Import, known: KnownItems) -> pl.DataFrame:
    """What the database has under the same keys: another amount, another date, another debtor."""
    none = [pl.lit(None, dtype=pl.String).alias(name) for name in (KNOWN_CURRENCY, MOVED)]
    none.append(pl.lit(None, dtype=pl.Int64).alias(KNOWN_AMOUNT))
    if not known.frame.height:
        return frame.with_columns(none)
    key = ["debtor_no", "document_type", "document_no", "issued_on"]
    amounts = known.frame.select(*key, pl.col("amount").alias(KNOWN_AMOUNT), pl.col("currency").alias(KNOWN_CURRENCY))
    frame = frame.join(amounts, on=key, how="left", maintain_order="left")
    gone = known.frame.join(frame, on=key, how="anti")
    by_number = gone.group_by("document_type", "document_no").agg(
        pl.col("debtor_no").first().alias("was_debtor"), pl.col("issued_on").first().alias("was_issued")
    )
    frame = frame.join(by_number, on=["document_type", "document_no"], how="left", maintain_order="left")
    moved = (
        pl.when(pl.col(KNOWN_AMOUNT).is_not_null() | pl.col("was_debtor").is_null())
        .then(None)
        .when(pl.col("was_debtor") != pl.col("debtor_no"))
        .then(pl.lit("debtor"))
        .when(pl.col("was_issued") != pl.col("issued_on"))
        .then(pl.lit("date"))
    )
    balance_only = not about.source.gives("items", "open_amount") and about.source.files.payments is None
    return frame.with_columns(
        moved.alias(MOVED), pl.when(not balance_only).then(pl.col(KNOWN_AMOUNT)).alias(KNOWN_AMOUNT)
    ).drop("was_debtor", "was_issued")
