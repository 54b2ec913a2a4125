"""Reading the rows that were set apart, as people look at them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.ledgers.source import Role
from maatpak.kernel.errors import UsageError
from maatpak.ledger.database import Frames

ROWS = """
SELECT q.id, c.code AS creditor, s.source, s.as_of, q.snapshot_id, q.creditor_id, q.debtor_no, q.file, q.row_no,
       q.table_name, q.raw::text AS raw, q.rules, q.state, q.correction::text AS correction, q.resolved_by,
       q.resolved_reason, q.resolved_on, q.business_date, q.salt, s.evidence, s.kind
FROM quarantined_row q JOIN snapshot s ON s.id = q.snapshot_id JOIN creditor c ON c.id = q.creditor_id
"""


@dataclass(frozen=True)
class QuarantinedLine:
    """A row that was set apart, as people look at it."""

    row_id: int
    creditor: str
    source: str
    as_of: date
    creditor_id: int
    snapshot_id: int
    debtor_no: str | None
    file: str
    row_no: int
    table: Role
    raw: Mapping[str, str | None]
    rules: tuple[str, ...]
    state: str
    correction: Mapping[str, str | None]
    resolved_by: str | None
    resolved_reason: str | None
    resolved_on: date | None
    since: date
    evidence: tuple[str, ...]
    kind: str
    salt: str


def read_rows(frames: Frames, condition: str) -> list[QuarantinedLine]:
    """Rows by an SQL condition over `q` (the row), `s` (its snapshot) and `c` (its creditor), oldest first."""
    found = frames.read(f"{ROWS} WHERE {condition} ORDER BY q.business_date, q.id")
    return [_line(row) for row in found.iter_rows(named=True)]


def _line(row: dict[str, Any]) -> QuarantinedLine:
    return QuarantinedLine(
        row_id=row["id"],
        creditor=row["creditor"],
        source=row["source"],
        as_of=row["as_of"],
        creditor_id=row["creditor_id"],
        snapshot_id=row["snapshot_id"],
        debtor_no=row["debtor_no"],
        file=row["file"],
        row_no=row["row_no"],
        table=row["table_name"],
        raw=json.loads(row["raw"]),
        rules=tuple(dict.fromkeys(row["rules"].split(","))),
        state=row["state"],
        correction=json.loads(row["correction"] or "null") or {},
        resolved_by=row["resolved_by"],
        resolved_reason=row["resolved_reason"],
        resolved_on=row["resolved_on"],
        since=row["business_date"],
        evidence=tuple(json.loads(row["evidence"])),
        kind=row["kind"],
        salt=row["salt"],
    )


def read_row(frames: Frames, row_id: int) -> QuarantinedLine:
    """A row by its number.

    Raises:
        UsageError: there is none.
    """
    found = read_rows(frames, f"q.id = {int(row_id)}")
    if not found:
        raise UsageError(f"There is no quarantined row {row_id}.", advice="See `maatpak quarantine list`.")
    return found[0]
