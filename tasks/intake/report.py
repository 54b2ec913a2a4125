"""What an import came to: for the caller, the command line and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl


@dataclass(frozen=True)
class SnapshotReport:
    """One creditor's part of an import."""

    creditor: str
    snapshot_id: int
    as_of: date
    unchanged: bool
    """The same content was imported for the same day before; nothing was written."""
    rows: int = 0
    quarantined: int = 0
    of_nobody: int = 0
    """Rows among these that do not say whose they are, or name nobody who is known."""
    warnings: int = 0
    written: Mapping[str, int] = field(default_factory=dict)
    """Rows written by kind: debtors, profiles, items, versions, left, payments, cases."""
    balances: Mapping[str, int] = field(default_factory=dict)
    """Open by currency, minor units."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Breaches by `table column rule`."""
    evidence: tuple[str, ...] = ()
    report: str | None = None
    """Evidence key of the Data Docs page."""


@dataclass(frozen=True)
class IntakeReport:
    """What an import came to, over all creditors of its files."""

    source: str
    mode: str
    as_of: date
    content_hash: str
    snapshots: tuple[SnapshotReport, ...]
    findings: pl.DataFrame
    """Every finding: severity, rule, table_name, file, row_no, column_name, value, message, advice."""

    @property
    def unchanged(self) -> bool:
        """Nothing was written."""
        return all(snapshot.unchanged for snapshot in self.snapshots)

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(snapshot.rows for snapshot in self.snapshots)

    @property
    def quarantined(self) -> int:
        """Rows set apart."""
        return sum(snapshot.quarantined for snapshot in self.snapshots)

    @property
    def warnings(self) -> int:
        """Findings that are only told."""
        return sum(snapshot.warnings for snapshot in self.snapshots)

    @property
    def snapshot_id(self) -> int:
        """The snapshot of an import for one creditor."""
        return self.snapshots[0].snapshot_id

    def as_json(self) -> dict[str, Any]:
        """Plain data for `--json` and for evidence."""
        return {
            "source": self.source,
            "mode": self.mode,
            "as_of": self.as_of.isoformat(),
            "content_hash": self.content_hash,
            "unchanged": self.unchanged,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "warnings": self.warnings,
            "snapshots": [_plain(snapshot) for snapshot in self.snapshots],
            "findings": self.findings.head(1000).to_dicts(),
        }


def _plain(snapshot: SnapshotReport) -> dict[str, Any]:
    return {
        **vars(snapshot),
        "as_of": snapshot.as_of.isoformat(),
        "evidence": list(snapshot.evidence),
        "written": dict(snapshot.written),
        "balances": dict(snapshot.balances),
        "counts": dict(snapshot.counts),
    }
