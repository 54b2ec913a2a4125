"""The rules for items: complete, consistent, believable, and what is worth telling."""

from collections.abc import Iterator

import polars as pl

from maatpak.kernel.words import ItemType, Severity
from tasks.quality.checks import AtMost, Check, Holds, Listed, NotAbove, Rule
from tasks.quality.common_rules import Import, cell_rules, missing
from tasks.quality.item_measures import (
    DIFFERS,
    KNOWN_AMOUNT,
    KNOWN_CURRENCY,
    MOVED,
    OUTLIER,
    OUTLYING,
    REPEAT,
    REUSED,
    SWAPPED_TERM,
    ZEROS_LOST,
)

LONGEST_TERM = 1096
"""Days; no customer gets longer to pay."""

_AGAINST_US = [ItemType.CREDIT_NOTE, ItemType.PAYMENT]


def item_rules(frame: pl.DataFrame, about: Import, known_debtors: pl.Series) -> list[Rule]:
    """The rules for the items of an import, all severities but what refuses a file."""
    return [
        *cell_rules("items", frame),
        *_complete(known_debtors),
        *_consistent(frame, about),
        *_doubtful(about),
        *_told(about),
    ]


def _complete(known_debtors: pl.Series) -> Iterator[Rule]:
    debtor = pl.col("debtor_no")
    known = Holds(debtor.is_null() | debtor.is_in(known_debtors.implode()))
    told = "No debtor has this number, or the debtor's own row is set apart."
    yield _rule("debtor_unknown", "debtor_no", Severity.QUARANTINE, known, told, "Load or release the debtor first.")
    yield missing("items", "debtor_no", "debtor_missing", "The row names no debtor.", "Say whose item it is.")
    yield missing("items", "document_no", "document_missing", "The row has no document number.", "Give its number.")
    yield missing("items", "document_type", "type_missing", "The row has no document type.", "Say what it is.")
    yield missing("items", "issued_on", "issued_missing", "The row has no date of issue.", "Give the date.")
    yield missing("items", "due_on", "due_missing", "The row has no due date.", "Give the due date.")
    yield missing("items", "amount", "amount_missing", "The row has no amount.", "Give the amount.")
    yield missing("items", "currency", "currency_missing", "The row has no currency.", "Give the currency.")


def _rule(
    code: str, column: str, severity: Severity, check: Check, meaning: str, advice: str, *, waivable: bool = False
) -> Rule:
    return Rule(code, "items", column, severity, check, meaning, advice, waivable)


def _consistent(frame: pl.DataFrame, about: Import) -> Iterator[Rule]:
    amount, quarantine = pl.col("amount"), Severity.QUARANTINE
    yield _rule(
        "currency_not_listed",
        "currency",
        quarantine,
        Listed(pl.col("currency"), about.currencies),
        "The currency is not one of the source's.",
        "List it in `currencies`, or correct the row.",
    )
    yield _rule(
        "documents_differ",
        "document_no",
        quarantine,
        Holds(~pl.col(DIFFERS)),
        "Rows with this document number differ from each other.",
        "Find out which one is right, correct it and discard the others.",
    )
    if about.source.negative_amounts == "refuse":
        yield _rule(
            "negative_invoice",
            "amount",
            quarantine,
            Holds(pl.col("document_type").is_in(_AGAINST_US) | (amount >= 0)),
            "An invoice is below zero, and the source does not say that it is a credit note.",
            "Set `negative_amounts: credit_note` in the source, map the type, or correct the row.",
        )
    if "open_amount" in frame.columns:
        left = pl.col("open_amount")
        yield _rule(
            "open_above_amount",
            "open_amount",
            quarantine,
            NotAbove(left.abs(), amount.abs()),
            "More is open than was ever invoiced.",
            "Correct the open or the original amount.",
        )
        yield _rule(
            "signs_differ",
            "open_amount",
            quarantine,
            Holds((left.sign() * amount.sign()) >= 0),
            "Open and original amount have different signs.",
            "Correct one of them.",
        )
        if "settled_on" in frame.columns:
            until = pl.lit(about.as_of)
            yield _rule(
                "settled_but_open",
                "settled_on",
                quarantine,
                Holds((left == 0) | pl.col("settled_on").is_null() | (pl.col("settled_on") > until)),
                "The row is settled and open at once.",
                "Correct the date or the open amount.",
            )
            if not about.is_history:
                yield _rule(
                    "settled_later",
                    "settled_on",
                    quarantine,
                    Holds((left != 0) | ~(pl.col("settled_on") > until)),
                    "The row is settled on a date that is still to come.",
                    "Correct the date.",
                )
    if "settled_on" in frame.columns:
        yield _rule(
            "settled_before_issued",
            "settled_on",
            quarantine,
            NotAbove(pl.col("issued_on"), pl.col("settled_on")),
            "The row was settled before it was issued.",
            "Correct one of the dates.",
            waivable=True,
        )
    if "disputed_amount" in frame.columns:
        yield _rule(
            "disputed_above_amount",
            "disputed_amount",
            quarantine,
            NotAbove(pl.col("disputed_amount").abs(), amount.abs()),
            "More is disputed than was invoiced.",
            "Correct the disputed amount.",
        )


def _doubtful(about: Import) -> Iterator[Rule]:
    issued, due, quarantine = pl.col("issued_on"), pl.col("due_on"), Severity.QUARANTINE
    release = "Correct the row, or release it if it is right."
    yield _rule(
        "term_too_long",
        "due_on",
        quarantine,
        AtMost((due - issued).dt.total_days(), LONGEST_TERM),
        "The due date lies years after the date of issue.",
        release,
        waivable=True,
    )
    yield _rule(
        "day_month_swapped",
        "issued_on",
        quarantine,
        Holds(~pl.col(SWAPPED_TERM)),
        "The term of payment is usual only if day and month, or the two dates, are exchanged.",
        release,
        waivable=True,
    )
    yield _rule(
        "amount_outlier",
        "amount",
        quarantine,
        Holds(~pl.col(OUTLYING)),
        f"The amount is more than {OUTLIER:,} times what 95 % of the rows have.",
        release,
        waivable=True,
    )
    yield _rule(
        "amount_changed",
        "amount",
        quarantine,
        Holds(pl.col(KNOWN_AMOUNT).is_null() | (pl.col(KNOWN_AMOUNT) == pl.col("amount").abs())),
        "The original amount is not what it was in the last ledger.",
        release,
        waivable=True,
    )
    yield _rule(
        "currency_changed",
        "currency",
        quarantine,
        Holds(pl.col(KNOWN_CURRENCY).is_null() | (pl.col(KNOWN_CURRENCY) == pl.col("currency"))),
        "The item had another currency in the last ledger.",
        "Correct the currency, or credit the item and invoice it anew.",
    )
    yield _rule(
        "document_redated",
        "issued_on",
        quarantine,
        Holds(pl.col(MOVED).ne_missing("date")),
        "The document had another date of issue in the last ledger.",
        release,
        waivable=True,
    )
    yield _rule(
        "document_moved",
        "debtor_no",
        quarantine,
        Holds(pl.col(MOVED).ne_missing("debtor")),
        "The document was another debtor's in the last ledger.",
        release,
        waivable=True,
    )
    if not about.is_history:
        ahead = (issued - pl.lit(about.as_of)).dt.total_days()
        yield _rule(
            "issued_later",
            "issued_on",
            quarantine,
            AtMost(ahead, about.source.bounds.max_days_ahead),
            "The document is dated long after the day the file speaks for.",
            release,
            waivable=True,
        )


def _told(about: Import) -> Iterator[Rule]:
    warn = Severity.WARN
    yield _rule(
        "repeat",
        "document_no",
        warn,
        Holds(~pl.col(REPEAT)),
        "The row repeats an earlier one; the first is kept.",
        "Have the export leave repeats out.",
    )
    yield _rule(
        "zero_amount",
        "amount",
        warn,
        Holds(pl.col("amount") != 0),
        "The amount is zero; nothing will be asked for it.",
        "Nothing, if that is right.",
    )
    yield _rule(
        "due_before_issued",
        "due_on",
        warn,
        NotAbove(pl.col("issued_on"), pl.col("due_on")),
        "The row was due before it was issued; the later date counts.",
        "Nothing for rent in advance; else correct the date.",
    )
    yield _rule(
        "leading_zeros_lost",
        "debtor_no",
        warn,
        Holds(~pl.col(ZEROS_LOST)),
        "The number seems to have lost its leading zeros.",
        "Have the export write numbers as text.",
    )
    yield _rule(
        "document_number_reused",
        "document_no",
        warn,
        Holds(~pl.col(REUSED)),
        "The document number was used in another year too; both are kept.",
        "Nothing, if numbers start again each year.",
    )
    if not about.is_history:
        yield _rule(
            "known_later",
            "issued_on",
            warn,
            NotAbove(pl.col("issued_on"), pl.lit(about.as_of)),
            "The document is dated after the day the file speaks for.",
            "Check the day of the import.",
        )
