"""The rules for payments: what they are, and what they are for."""

from collections.abc import Iterator

import polars as pl

from connectors.ledgers.canonical import text_of
from maatpak.kernel.words import Severity
from tasks.quality.checks import Check, Holds, Listed, NotAbove, Rule
from tasks.quality.common_rules import Import, cell_rules, missing, repeats
from tasks.quality.item_measures import DIFFERS, REPEAT

TARGETS, TARGET_DEBTOR, TARGET_CURRENCY, WAITS = "targets", "target_debtor", "target_currency", "waits"
CHANGED, KNOWN = "is_changed", "is_known"


def number_payments(frame: pl.DataFrame) -> pl.DataFrame:
    """Payments with a number each: their own, else one made of their content that is the same in tomorrow's file."""
    parts = [name for name in ("document_no", "debtor_no", text_of("paid_on"), text_of("amount")) if name in frame]
    content = pl.concat_str([pl.col(name).fill_null("") for name in parts], separator="/")
    made = pl.concat_str([content, (pl.int_range(pl.len()).over(content) + 1).cast(pl.String)], separator="#")
    own = pl.col("payment_no") if "payment_no" in frame.columns else pl.lit(None, dtype=pl.String)
    return frame.with_columns(pl.coalesce(own, made).alias("payment_no"))


def measure_payments(
    frame: pl.DataFrame, targets: pl.DataFrame, quarantined: pl.Series, known: pl.DataFrame
) -> pl.DataFrame:
    """Payments beside the documents that they name, and beside what is known under their number.

    `targets` are invoices and debit notes (`debtor_no`, `document_no`, `currency`), `quarantined` the numbers of
    documents that are set apart, `known` earlier payments (`payment_no`, `known_amount`, `known_on`).
    """
    for name in ("document_no", "debtor_no"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    content = [name for name in frame.columns if name not in ("file", "row_no")]
    is_repeat, differs = repeats(frame, ["payment_no"], content)
    frame = frame.with_columns(is_repeat.alias(REPEAT), differs.alias(DIFFERS))
    frame = frame.join(known, on="payment_no", how="left", maintain_order="left")
    changed = (pl.col("known_amount") != pl.col("amount")) | (pl.col("known_on") != pl.col("paid_on"))
    is_known = pl.col("known_on").is_not_null().alias(KNOWN)
    frame = frame.with_columns(changed.fill_null(value=False).alias(CHANGED), is_known)
    frame = frame.drop("known_amount", "known_on")
    by_number = targets.group_by("document_no").agg(
        pl.col("debtor_no").n_unique().cast(pl.Int64).alias(TARGETS),
        pl.col("debtor_no").first().alias(TARGET_DEBTOR),
        pl.col("currency").first().alias(TARGET_CURRENCY),
    )
    owned = targets.select("document_no", "debtor_no", pl.lit(value=True).alias("is_own")).unique()
    frame = frame.join(by_number, on="document_no", how="left", maintain_order="left")
    frame = frame.join(owned, on=["document_no", "debtor_no"], how="left", maintain_order="left")
    own = pl.col("is_own").fill_null(value=False)
    waits = pl.col(TARGETS).is_null() & pl.col("document_no").is_in(quarantined.implode())
    return frame.with_columns(
        pl.when(own).then(pl.col("debtor_no")).otherwise(pl.col(TARGET_DEBTOR)).alias(TARGET_DEBTOR),
        pl.when(own).then(1).otherwise(pl.col(TARGETS)).fill_null(0).alias(TARGETS),
        waits.fill_null(value=False).alias(WAITS),
    ).drop("is_own")


def payment_rules(frame: pl.DataFrame, about: Import, known_debtors: pl.Series) -> list[Rule]:
    """The rules for the payments of an import."""
    return [*cell_rules("payments", frame), *_complete(about), *_assigned(known_debtors), *_told(about)]


def _rule(code: str, column: str, severity: Severity, check: Check, meaning: str, advice: str) -> Rule:
    return Rule(code, "payments", column, severity, check, meaning, advice)


def _complete(about: Import) -> Iterator[Rule]:
    table, quarantine = "payments", Severity.QUARANTINE
    yield missing(table, "paid_on", "paid_missing", "The payment has no date.", "Give its value date.")
    yield missing(table, "amount", "amount_missing", "The payment has no amount.", "Give the amount.")
    yield missing(table, "currency", "currency_missing", "The payment has no currency.", "Give the currency.")
    listed = Listed(pl.col("currency"), about.currencies)
    told = "The currency is not one of the source's."
    yield _rule("currency_not_listed", "currency", quarantine, listed, told, "List it in `currencies`, or correct it.")
    positive = Holds(pl.col("amount") > 0)
    told = "A payment is above zero."
    yield _rule("amount_not_positive", "amount", quarantine, positive, told, "Correct it; a refund is a debit note.")
    told = "Payments with this number differ from each other."
    differ = Holds(~pl.col(DIFFERS))
    yield _rule("payments_differ", "payment_no", quarantine, differ, told, "Correct one and discard the others.")
    told = "The payment is known with another amount or date."
    changed = Holds(~pl.col(CHANGED))
    yield _rule("payment_changed", "payment_no", quarantine, changed, told, "Correct it, or give it a new number.")


def _assigned(known_debtors: pl.Series) -> Iterator[Rule]:
    debtor, quarantine = pl.col("debtor_no"), Severity.QUARANTINE
    known = debtor.is_in(known_debtors.implode())
    yield _rule(
        "payment_unassigned",
        "document_no",
        quarantine,
        Holds((pl.col(TARGETS) > 0) | pl.col(WAITS) | pl.col(KNOWN) | known.fill_null(value=False)),
        "Neither the document nor the debtor of the payment is known.",
        "Give the debtor's number.",
    )
    yield _rule(
        "payment_unclear",
        "document_no",
        quarantine,
        Holds(pl.col(TARGETS) <= 1),
        "Several debtors have a document with this number.",
        "Give the debtor's number.",
    )
    yield _rule(
        "debtor_differs",
        "debtor_no",
        quarantine,
        Holds(debtor.is_null() | pl.col(TARGET_DEBTOR).is_null() | (debtor == pl.col(TARGET_DEBTOR))),
        "The document that the payment names is another debtor's.",
        "Correct the debtor or the document.",
    )
    yield _rule(
        "currency_differs",
        "currency",
        quarantine,
        Holds(pl.col(TARGET_CURRENCY).is_null() | (pl.col("currency") == pl.col(TARGET_CURRENCY))),
        "The payment has another currency than its document.",
        "Correct the currency, or book the payment unallocated.",
    )
    yield _rule(
        "document_quarantined",
        "document_no",
        quarantine,
        Holds(~pl.col(WAITS)),
        "The document that the payment is for is set apart; the payment waits with it.",
        "Release the document: its payments follow.",
    )


def _told(about: Import) -> Iterator[Rule]:
    warn = Severity.WARN
    told = "The row repeats an earlier one; the first is kept."
    yield _rule("repeat", "payment_no", warn, Holds(~pl.col(REPEAT)), told, "Have the export leave repeats out.")
    told = "No item here has the document's number; the payment settles nothing here."
    unknown = Holds(pl.col("document_no").is_null() | (pl.col(TARGETS) > 0) | pl.col(WAITS))
    yield _rule("document_unknown", "document_no", warn, unknown, told, "Nothing, if it was settled long ago.")
    if not about.is_history:
        told = "The payment is dated after the day the file speaks for, and counts from its date."
        later = NotAbove(pl.col("paid_on"), pl.lit(about.as_of))
        yield _rule("known_later", "paid_on", warn, later, told, "Check the day of the import.")
