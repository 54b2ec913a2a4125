"""Imports: what ledgers brought, what the gate found in them, and those that it refused whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import (
    EVERYBODY,
    Column,
    Content,
    Filter,
    Listing,
    Paper,
    Shape,
    Sheet,
    one_of,
)
from maatpak.console.frame.fields import named
from maatpak.console.frame.problems import missing
from maatpak.kernel.errors import WorkspaceError

PATH = "/imports"
ONE = PATH + "/{snapshot_id}"
REFUSED = PATH + "/rejected"
REFUSED_ONE = REFUSED + "/{rejection_id}"
COPIED = (
    *("creditor", "time_zone", "source", "kind", "as_of", "tables", "accepted_bounds", "actor", "flow_run"),
    *("recorded_at", "content_hash"),
)
FIRST = 5
"""Rows that are shown of each rule."""
SNAPSHOT = """
SELECT s.*, c.code AS creditor, c.time_zone FROM snapshot s JOIN creditor c ON c.id = s.creditor_id WHERE s.id = :id
"""
FINDINGS = """
SELECT * FROM (
  SELECT f.severity, f.rule, f.file, f.row_no, f.column_name, f.value, f.message, f.advice,
    count(*) OVER (PARTITION BY f.severity, f.rule) AS count,
    row_number() OVER (PARTITION BY f.severity, f.rule ORDER BY f.id) AS nth
  FROM finding f WHERE f.snapshot_id = :id) found
WHERE nth <= :most ORDER BY array_position(ARRAY['reject', 'quarantine', 'warn'], severity), count DESC, rule, nth
"""
OPEN_ROWS = (
    "SELECT count(*) AS open FROM quarantined_row WHERE snapshot_id = :id AND state = 'open' AND creditor_id = :of"
)
REJECTION = """
SELECT e.seq, e.body, e.business_date, e.actor, e.recorded_at, e.flow_run, c.code AS creditor, c.time_zone
FROM event e JOIN creditor c ON c.id = e.creditor_id WHERE e.seq = :id
"""
KINDS = ("full", "delta", "history")


@dataclass(frozen=True)
class Found:
    """One finding."""

    file: str
    row_no: int | None
    column: str | None
    value: str | None
    """As it was read."""


@dataclass(frozen=True)
class Rule:
    """What one rule found."""

    severity: str
    """`reject`, `quarantine` or `warn`."""
    rule: str
    count: int
    message: str
    advice: str
    first: list[Found]


@dataclass(frozen=True)
class Balance:
    """What is open in a currency by this ledger, minor units."""

    currency: str
    amount: int


@dataclass(frozen=True)
class ImportSheet:
    """One import that was taken in, and what the gate found."""

    snapshot_id: int
    creditor: str
    time_zone: str
    source: str
    kind: str
    as_of: date
    tables: list[str]
    rows: int
    quarantined: int
    still_open: int
    """Rows set apart that nobody decided on yet."""
    warnings: int
    balances: list[Balance]
    accepted_bounds: dict[str, str]
    """Bound → why a person accepted it for this file."""
    actor: str
    flow_run: str | None
    recorded_at: datetime
    content_hash: str
    evidence: list[str]
    has_report: bool
    rules: list[Rule]


@dataclass(frozen=True)
class RejectionSheet:
    """One import that was refused whole: nothing was changed."""

    rejection_id: int
    creditor: str
    time_zone: str
    source: str
    as_of: date
    actor: str
    flow_run: str | None
    recorded_at: datetime
    counts: dict[str, int]
    """Breaches by table, column and rule."""
    rules: list[Rule]
    """Empty where the evidence is not kept any more."""


def read_import(asking: Asking, snapshot_id: int) -> ImportSheet:
    """One import."""
    creditor = asking.creditor_of("snapshot_id", snapshot_id)
    row = asking.rows(SNAPSHOT, id=snapshot_id)[0]
    return ImportSheet(
        snapshot_id=snapshot_id,
        rows=row["row_count"],
        quarantined=row["quarantined_count"],
        still_open=asking.rows(OPEN_ROWS, id=snapshot_id, of=creditor.id)[0]["open"],
        warnings=row["warning_count"],
        balances=[Balance(currency, int(amount)) for currency, amount in sorted(row["balances"].items())],
        evidence=json.loads(row["evidence"]),
        has_report=row["report"] is not None,
        rules=_ruled(asking.rows(FINDINGS, id=snapshot_id, most=FIRST)),
        **{name: row[name] for name in COPIED},
    )


def read_rejection(asking: Asking, rejection_id: int) -> RejectionSheet:
    """One refused import."""
    row = _rejection(asking, rejection_id)
    body = row["body"]
    return RejectionSheet(
        rejection_id=rejection_id,
        creditor=row["creditor"],
        time_zone=row["time_zone"],
        source=body["source"],
        as_of=row["business_date"],
        actor=row["actor"],
        flow_run=row["flow_run"],
        recorded_at=row["recorded_at"],
        counts=body["rules"],
        rules=_ruled(_kept_findings(asking, body["evidence"])),
    )


def _rejection(asking: Asking, rejection_id: int) -> Mapping[str, Any]:
    asking.creditor_of("rejection_id", rejection_id)
    return asking.rows(REJECTION, id=rejection_id)[0]


def _kept_findings(asking: Asking, evidence: list[str]) -> list[dict[str, Any]]:
    """Like `FINDINGS`, from the evidence that a refusal left."""
    try:
        found = asking.engine.store.get_frame(next(key for key in evidence if key.startswith("findings/")))
    except (WorkspaceError, StopIteration):
        return []
    by = ("severity", "rule")
    counted = found.with_columns(count=pl.len().over(by), nth=pl.int_range(pl.len()).over(by))
    return counted.filter(pl.col("nth") < FIRST).to_dicts()


def _ruled(rows: list[dict[str, Any]]) -> list[Rule]:
    """Findings by rule, in the order in which rules first come."""
    by_rule: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        by_rule.setdefault((row["severity"], row["rule"]), []).append(row)
    return [
        Rule(
            severity,
            rule,
            found[0]["count"],
            found[0]["message"],
            found[0]["advice"],
            [Found(each["file"], each["row_no"], each["column_name"], each["value"]) for each in found],
        )
        for (severity, rule), found in by_rule.items()
    ]


def _report(asking: Asking, snapshot_id: int) -> Content:
    asking.creditor_of("snapshot_id", snapshot_id)
    return _page(asking, asking.rows(SNAPSHOT, id=snapshot_id)[0]["report"], "report of import", snapshot_id)


def _refused_report(asking: Asking, rejection_id: int) -> Content:
    return _page(asking, _rejection(asking, rejection_id)["body"]["report"], "report of import", rejection_id)


def _page(asking: Asking, key: str | None, what: str, of: int) -> Content:
    content = asking.kept(key)
    if content is None:
        raise missing(what, of)
    return Content(content, "text/html; charset=utf-8")


LIST = Listing(
    path=PATH,
    title="Imports",
    help="Ledgers that were taken in, the newest first. What was refused whole is listed on its own.",
    source="snapshot s JOIN creditor c ON c.id = s.creditor_id",
    columns=(
        Column("snapshot_id", "Import", "s.id", Shape.NUMBER, link=ONE, sorts=True),
        Column("creditor", "Creditor", "c.code"),
        Column("source", "Source", "s.source"),
        Column("kind", "Kind", "s.kind", Shape.CODE),
        Column("as_of", "As of", "s.as_of", Shape.DATE, sorts=True),
        Column("rows", "Rows", "s.row_count", Shape.NUMBER, sorts=True),
        Column("quarantined", "Quarantined", "s.quarantined_count", Shape.NUMBER,
               link="/quarantine?import={snapshot_id}&state=any", sorts=True),
        Column("warnings", "Warnings", "s.warning_count", Shape.NUMBER, sorts=True),
        Column("open_amount", "Open by it", "CAST(s.balances ->> c.currency AS bigint)", Shape.MONEY,
               help="In the creditor's own currency; others are on its page."),
        Column("recorded_at", "Taken in", "s.recorded_at", Shape.INSTANT),
        Column("actor", "By", "s.actor"),
        Column("currency", "Currency", "c.currency", shown=False),
    ),
    key="s.id",
    order="-snapshot_id",
    creditor="s.creditor_id",
    filters=(
        Filter("source", "Source", "s.source = :value"),
        Filter("kind", "Kind", "s.kind = :value", choices=named(KINDS)),
        Filter("since", "From", "s.as_of >= :value", Shape.DATE),
        Filter("until", "To", "s.as_of <= :value", Shape.DATE),
        one_of("found", "Found", {"quarantined": ("Quarantined rows", "s.quarantined_count > 0"),
                                  "warnings": ("Warnings", "s.warning_count > 0")}),
    ),
    roles=EVERYBODY,
    empty="No ledger was taken in yet.",
)  # fmt: skip
REFUSED_LIST = Listing(
    path=REFUSED,
    title="Refused imports",
    help="Files that were refused whole: nothing of them was taken in, and the ledger stays as it was before.",
    source="event e JOIN creditor c ON c.id = e.creditor_id",
    columns=(
        Column("rejection_id", "Event", "e.seq", Shape.NUMBER, link=REFUSED_ONE, sorts=True),
        Column("creditor", "Creditor", "c.code"),
        Column("source", "Source", "e.body ->> 'source'"),
        Column("kind", "Kind", "e.body ->> 'kind'", Shape.CODE),
        Column("as_of", "As of", "e.business_date", Shape.DATE),
        Column("breaches", "Breaches", "CAST(e.body ->> 'breaches' AS bigint)", Shape.NUMBER),
        Column("recorded_at", "Refused", "e.recorded_at", Shape.INSTANT),
        Column("actor", "Tried by", "e.actor"),
    ),
    key="e.seq",
    order="-rejection_id",
    creditor="e.creditor_id",
    where="e.kind = 'ledger_rejected'",
    filters=(
        Filter("since", "From", "e.business_date >= :value", Shape.DATE),
        Filter("until", "To", "e.business_date <= :value", Shape.DATE),
    ),
    roles=EVERYBODY,
    empty="No import was refused.",
)
SHEETS = (
    Sheet(ONE, "Import", "What a ledger brought, and what the gate found in it, rule by rule.", ImportSheet,
          read_import, "import.html", EVERYBODY),
    Sheet(REFUSED_ONE, "Refused import", "Why files were refused whole, rule by rule.", RejectionSheet, read_rejection,
          "import_refused.html", EVERYBODY),
)  # fmt: skip
PAPERS = (
    Paper(ONE + "/report", "Quality report", "Every expectation of the gate and what came of it.", ("text/html",),
          _report, EVERYBODY),
    Paper(REFUSED_ONE + "/report", "Quality report of a refused import", "Every expectation that was judged.",
          ("text/html",), _refused_report, EVERYBODY),
)  # fmt: skip
