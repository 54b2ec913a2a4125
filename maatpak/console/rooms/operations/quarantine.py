"""Rows that the gate set apart: seen with what is wrong beside each cell, corrected, released or discarded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, Field, create_model

from connectors.ledgers.columns import FILE_COLUMNS, Kind
from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Column, Done, Filter, Listing, Shape, Sheet
from maatpak.console.frame.fields import Line, Reason, as_words, named
from maatpak.kernel.errors import UsageError
from tasks.finding import acting_date
from tasks.intake.resolutions import TEXT
from tasks.quarantine import KEEPERS, discard_row, find_row, fix_row, release_row

PATH = "/quarantine"
ONE = PATH + "/{row_id}"
FEW_WORDS = 30
"""Words that a cell may be and that are still offered to choose from."""
BLOCKED = "(SELECT sum(k.overdue_open) FROM case_standing k WHERE k.debtor_id = d.id AND k.currency = c.currency)"
SOURCE = """quarantined_row q JOIN snapshot s ON s.id = q.snapshot_id JOIN creditor c ON c.id = q.creditor_id
LEFT JOIN debtor d ON d.creditor_id = q.creditor_id AND d.debtor_no = q.debtor_no
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL"""
ROW = f"""
SELECT q.id AS row_id, q.snapshot_id, q.debtor_no, q.file, q.row_no, q.table_name, q.raw, q.rules, q.state,
  q.correction, q.resolved_by, q.resolved_reason, q.resolved_on, q.business_date AS since, c.code AS creditor,
  c.currency,
  s.source, s.as_of, d.id AS debtor_id, COALESCE(p.name, q.debtor_no) AS name, {BLOCKED} AS blocked
FROM {SOURCE} WHERE q.id = :id
"""  # noqa: S608 - our own words
FINDINGS = """
SELECT rule, severity, column_name, value, message, advice FROM finding
WHERE snapshot_id = :snapshot AND file = :file AND row_no = :row ORDER BY id
"""
TABLES: Sequence[str] = tuple(FILE_COLUMNS)
STATES = ("open", "released", "discarded", "superseded")


@dataclass(frozen=True)
class Wrong:
    """What a rule says of a cell, or of the row."""

    rule: str
    severity: str
    message: str
    advice: str


@dataclass(frozen=True)
class Cell:
    """One column of the row."""

    column: str
    meaning: str
    kind: str
    """text, date, money, flag or word: how it is corrected."""
    words: list[str]
    """What it may be, where that are few."""
    read: str | None
    """As it was read."""
    corrected: str | None
    is_corrected: bool
    wrong: list[Wrong]


@dataclass(frozen=True)
class RowSheet:
    """One row that is quarantined."""

    row_id: int
    creditor: str
    debtor_no: str | None
    debtor_id: int | None
    """None: there is no such customer yet, or the row does not say whose it is."""
    name: str | None
    snapshot_id: int
    source: str
    as_of: date
    file: str
    row_no: int
    table: str
    rules: list[str]
    state: str
    resolved_by: str | None
    resolved_reason: str | None
    resolved_on: date | None
    since: date
    blocked: int | None
    """What is overdue of the customer, who is not contacted while the row is open: minor units of `currency`."""
    currency: str
    text: str | None
    """The line itself, where it could not be read as columns."""
    cells: list[Cell]
    wrong: list[Wrong]
    """What concerns the row as a whole."""


class Why(BaseModel):
    """Why it is decided so."""

    reason: Reason


_CELLS: dict[str, Any] = {
    name: (Line | None, Field(None, title=as_words(name), description=column.meaning))
    for columns in FILE_COLUMNS.values()
    for name, column in columns.items()
}
Correction = create_model(
    "Correction",
    __doc__="What cells should be: only columns of the row; dates as 2026-01-31, amounts as 1250.00.",
    **_CELLS,
    emptied=(list[str], Field(default_factory=list, title="To be empty", description="Cells without a value.")),
    reason=(Reason, ...),
)


def read_row_sheet(asking: Asking, row_id: int) -> RowSheet:
    """One row."""
    asking.creditor_of("row_id", row_id)
    row = asking.rows(ROW, id=row_id)[0]
    found = asking.rows(FINDINGS, snapshot=row["snapshot_id"], file=row["file"], row=row["row_no"])
    columns = _columns(row["table_name"], row["raw"], row["correction"] or {})
    wrong: dict[str | None, list[Wrong]] = {}
    for each in found:
        about = each["column_name"] if each["column_name"] in columns else None
        wrong.setdefault(about, []).append(Wrong(each["rule"], each["severity"], each["message"], each["advice"]))
    return RowSheet(
        table=row["table_name"],
        rules=list(dict.fromkeys(row["rules"].split(","))),
        blocked=None if row["blocked"] is None else int(row["blocked"]),
        text=row["raw"].get(TEXT),
        cells=[_cell(row, name, wrong.get(name, [])) for name in columns],
        wrong=wrong.get(None, []),
        **{
            name: row[name]
            for name in RowSheet.__dataclass_fields__
            if name in row and name not in ("rules", "blocked")
        },
    )


def _columns(table: str, raw: Collection[str], correction: Collection[str]) -> list[str]:
    """The row's columns in the order of the canonical ledger; of a line that could not be read, all there are."""
    there = {*raw, *correction}
    return [name for name in FILE_COLUMNS[table] if TEXT in raw or name in there]


def _cell(row: dict[str, Any], name: str, wrong: list[Wrong]) -> Cell:
    column = FILE_COLUMNS[row["table_name"]][name]
    correction = row["correction"] or {}
    words = list(column.words) if column.kind is Kind.WORD and len(column.words) <= FEW_WORDS else []
    return Cell(
        name,
        column.meaning,
        str(column.kind),
        words,
        row["raw"].get(name),
        correction.get(name),
        name in correction,
        wrong,
    )


def _own(asking: Asking, row_id: int) -> list[str]:
    row = asking.rows("SELECT table_name, raw, correction FROM quarantined_row WHERE id = :id", id=row_id)[0]
    return _columns(row["table_name"], row["raw"], row["correction"] or {})


def _wanted(asking: Asking, row_id: int) -> Collection[str]:
    return {*_own(asking, row_id), "emptied", "reason"}


def _cells(asking: Asking, row_id: int) -> dict[str, list[Choice]]:
    return {"emptied": named(_own(asking, row_id))}


def _said(acting: Acting, row_id: int, reason: str) -> dict[str, Any]:
    """Who says it, why, and on which date it counts."""
    as_of = acting_date(acting.engine, find_row(acting.engine, row_id).creditor, acting.now)
    return {"reason": reason, "actor": acting.visitor.login, "as_of": as_of, "now": acting.now}


def _fix(acting: Acting, form: BaseModel, row_id: int) -> Done:
    given = {name: getattr(form, name) for name in form.model_fields_set if name in _CELLS}
    given |= dict.fromkeys(form.emptied)  # type: ignore[attr-defined]
    if not given:
        raise UsageError("No cell is corrected.", advice="Give at least one, or release the row as it is.")
    fix_row(acting.engine, row_id, given, **_said(acting, row_id, form.reason))  # type: ignore[attr-defined]
    return Done("The row is corrected. It comes in when it is released.", f"{PATH}/{row_id}")


def _release(acting: Acting, form: Why, row_id: int) -> Done:
    done = release_row(acting.engine, row_id, **_said(acting, row_id, form.reason))
    along = f", and {len(done.came_along)} that waited for it" if done.came_along else ""
    data = {"snapshot_id": done.snapshot_id, "came_along": list(done.came_along), "written": dict(done.written)}
    return Done(
        f"The row is in{along}. From the next run on the customer may be written to again.",
        f"/imports/{done.snapshot_id}",
        data,
    )


def _discard(acting: Acting, form: Why, row_id: int) -> Done:
    discard_row(acting.engine, row_id, **_said(acting, row_id, form.reason))
    return Done("The row is left out, in later files too.", PATH)


LIST = Listing(
    path=PATH,
    title="Quarantined rows",
    help="Rows of ledgers that the gate did not let in, the oldest first. Their customers are not contacted meanwhile.",
    source=SOURCE,
    columns=(
        Column("row_id", "Row", "q.id", Shape.NUMBER, link=ONE),
        Column("name", "Customer", "COALESCE(p.name, q.debtor_no)", link="/debtors/{debtor_id}"),
        Column("debtor_no", "Number", "q.debtor_no"),
        Column("creditor", "Creditor", "c.code"),
        Column("table_name", "Table", "q.table_name", Shape.CODE),
        Column("rules", "What is wrong", "replace(q.rules, ',', ', ')", Shape.CODE),
        Column("file", "File", "q.file"),
        Column("row_no", "Line", "q.row_no", Shape.NUMBER),
        Column("since", "Since", "q.business_date", Shape.DATE, sorts=True),
        Column("days", "Days", "c.business_date - q.business_date", Shape.NUMBER),
        Column("blocked", "Overdue and blocked", BLOCKED, Shape.MONEY,
               help="What is overdue of the customer, in the creditor's currency, and not asked for meanwhile."),
        Column("state", "State", "q.state", Shape.CODE),
        Column("resolved_by", "Decided by", "q.resolved_by"),
        Column("snapshot_id", "Import", "q.snapshot_id", Shape.NUMBER, link="/imports/{snapshot_id}"),
        Column("currency", "Currency", "c.currency", shown=False),
        Column("debtor_id", "Customer's id", "d.id", Shape.NUMBER, shown=False),
    ),
    key="q.id",
    order="since",
    creditor="q.creditor_id",
    filters=(
        Filter("state", "State", "q.state = :value", choices=named(STATES),
               default="open"),
        Filter("table", "Table", "q.table_name = :value", choices=named(TABLES)),
        Filter("rule", "Rule", "position(:value IN q.rules) > 0"),
        Filter("import", "Import", "q.snapshot_id = :value", Shape.NUMBER),
    ),
    search="q.debtor_no = :words",
    empty="No row is quarantined.",
)  # fmt: skip
SHEETS = (
    Sheet(ONE, "Quarantined row", "A row as it was read, what is wrong with it, and what became of it.", RowSheet,
          read_row_sheet, "quarantined.html"),
)  # fmt: skip
ACTS = (
    Act(ONE + "/fix", "Correct", "Notes what the cells should be; releasing it takes it in. Who corrects a row may not"
        " approve an escalation of this customer in this round.", Correction, _fix, KEEPERS, choices=_cells,
        wanted=_wanted),
    Act(ONE + "/release", "Release", "The row passes the whole gate again, as corrected and without the doubts that it"
        " was quarantined for; what waited for it comes along. The same row of later files is treated the same.", Why,
        _release, KEEPERS),
    Act(ONE + "/discard", "Discard", "The row is left out for good, in later files too.", Why, _discard, KEEPERS,
        grave=True),
)  # fmt: skip
