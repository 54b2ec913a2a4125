"""The rules for debtors, their contact persons and tickets."""

from collections.abc import Iterator

import polars as pl

from connectors.ledgers.canonical import text_of
from connectors.ledgers.columns import TABLES, Kind
from maatpak.kernel.words import Severity
from tasks.quality.checks import Holds, Rule
from tasks.quality.common_rules import cell_rules, missing, repeats
from tasks.quality.item_measures import DIFFERS, REPEAT, ZEROS_LOST

MAIL_ADDRESS = r"^[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]{2,}$"
PHONE_NUMBER = r"^\+?[0-9][0-9 ()/.\-]{5,20}$"

NAMES_VARY, UNKNOWN = "names_vary", "is_unknown"


def measure_debtors(frame: pl.DataFrame) -> pl.DataFrame:
    """Debtors with their repeats: the same number with other content, or only with another spelling of the name."""
    content = [
        text_of(name) if column.kind is not Kind.TEXT else name
        for name, column in TABLES["debtors"].items()
        if name in frame.columns or text_of(name) in frame.columns
    ]
    is_repeat, _ = repeats(frame, ["debtor_no"], content)
    namesake, differs = repeats(frame, ["debtor_no"], [name for name in content if name != "name"])
    return frame.with_columns(
        (is_repeat | namesake).alias(REPEAT), differs.alias(DIFFERS), (namesake & ~is_repeat).alias(NAMES_VARY)
    )


def debtor_rules(frame: pl.DataFrame) -> list[Rule]:
    """The rules for the debtors of an import."""
    return [*cell_rules("debtors", frame), *debtor_cells_rules("debtors"), *_whole(), *reach_rules(frame)]


def debtor_cells_rules(table: str) -> list[Rule]:
    """What no row that tells of a debtor may lack."""
    return [
        missing(table, column, f"{column}_missing", f"The debtor has no {column}.", f"Give the {column}.")
        for column in ("name", "kind", "country", "language")
    ]


def reach_rules(frame: pl.DataFrame) -> list[Rule]:
    """What is told of a debtor's addresses and names."""
    return [*_reachable(frame), _name_varies()]


def _name_varies() -> Rule:
    return Rule(
        "name_varies",
        "debtors",
        "name",
        Severity.WARN,
        Holds(~pl.col(NAMES_VARY)),
        "The same debtor number stands with another name; one of them is kept.",
        "Check that it is one customer.",
    )


def _whole() -> Iterator[Rule]:
    yield missing("debtors", "debtor_no", "debtor_missing", "The row has no debtor number.", "Give the number.")
    yield Rule(
        "debtors_differ",
        "debtors",
        "debtor_no",
        Severity.QUARANTINE,
        Holds(~pl.col(DIFFERS)),
        "Rows with this debtor number differ in more than the name.",
        "Find out which one is right, correct it and discard the others.",
    )
    yield Rule(
        "repeat",
        "debtors",
        "debtor_no",
        Severity.WARN,
        Holds(~pl.col(REPEAT) | pl.col(NAMES_VARY)),
        "The row repeats an earlier one; the first is kept.",
        "Have the export leave repeats out.",
    )
    yield Rule(
        "leading_zeros_lost",
        "debtors",
        "debtor_no",
        Severity.WARN,
        Holds(~pl.col(ZEROS_LOST)),
        "The number seems to have lost its leading zeros.",
        "Have the export write numbers as text.",
    )


def _reachable(frame: pl.DataFrame) -> Iterator[Rule]:
    def warn(code: str, column: str, statement: pl.Expr, meaning: str, advice: str) -> Rule:
        return Rule(code, "debtors", column, Severity.WARN, Holds(statement), meaning, advice)

    if "email" in frame.columns:
        email = pl.col("email")
        yield warn("email_missing", "email", email.is_not_null(), "There is no mail address.", "Ask for one.")
        told = "The mail address cannot be one; it is left out."
        yield warn("email_odd", "email", email.is_null() | email.str.contains(MAIL_ADDRESS), told, "Correct it.")
    if "phone" in frame.columns:
        phone = pl.col("phone")
        told = "The phone number is odd; it is left out."
        yield warn("phone_odd", "phone", phone.is_null() | phone.str.contains(PHONE_NUMBER), told, "Correct it.")
    if {"street", "city"} <= set(frame.columns):
        told = "There is no full postal address."
        there = pl.col("street").is_not_null() & pl.col("city").is_not_null()
        yield warn("address_missing", "street", there, told, "Ask for it: escalating takes a letter.")


def measure_beside(table: str, frame: pl.DataFrame, known_debtors: pl.Series) -> pl.DataFrame:
    """Contact persons or tickets, with whether their debtor is known and which rows repeat."""
    key = ["debtor_no", "role", "name"] if table == "contacts" else ["debtor_no", "ticket_no"]
    spelled = [text_of(name) if text_of(name) in frame.columns else name for name in key]
    is_repeat, differs = repeats(frame, spelled, [name for name in frame.columns if name not in ("file", "row_no")])
    unknown = ~pl.col("debtor_no").is_in(known_debtors.implode()) & pl.col("debtor_no").is_not_null()
    return frame.with_columns(is_repeat.alias(REPEAT), differs.alias(DIFFERS), unknown.alias(UNKNOWN))


def beside_rules(table: str, frame: pl.DataFrame) -> list[Rule]:
    """The rules for contact persons or tickets."""
    rules = cell_rules(table, frame)
    for column in TABLES[table].values():
        if column.required:
            told = f"The row has no {column.name}."
            rules.append(missing(table, column.name, f"{column.name}_missing", told, f"Give the {column.name}."))
    return [
        *rules,
        Rule(
            "debtor_unknown",
            table,
            "debtor_no",
            Severity.QUARANTINE,
            Holds(~pl.col(UNKNOWN)),
            "No debtor has this number.",
            "Load the debtor first, or correct the number.",
        ),
        Rule(
            "rows_differ",
            table,
            "debtor_no",
            Severity.QUARANTINE,
            Holds(~pl.col(DIFFERS)),
            "Rows with the same key differ from each other.",
            "Find out which one is right, correct it and discard the others.",
        ),
        Rule(
            "repeat",
            table,
            "debtor_no",
            Severity.WARN,
            Holds(~pl.col(REPEAT)),
            "The row repeats an earlier one; the first is kept.",
            "Have the export leave repeats out.",
        ),
    ]
