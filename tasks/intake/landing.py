"""The last leg of an import: evidence first, then the snapshot and all its rows under the creditor's lock."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from connectors.ledgers.source import LedgerSource
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.words import Severity
from maatpak.ledger.audit import EventDraft
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor
from tasks.intake.beside import supersede_rows, write_contacts, write_findings, write_quarantine, write_tickets
from tasks.intake.known import Known
from tasks.intake.plan import Plan
from tasks.intake.report import SnapshotReport
from tasks.intake.sifting import Sifted
from tasks.intake.writing import Origin, write_creditor, write_plan, write_snapshot
from tasks.quality.gate import Gate
from tasks.today import last_look, recorded_after

if TYPE_CHECKING:
    from tasks.engine import Engine


@dataclass
class Part:
    """One creditor's part of an import, through the gate and planned."""

    known: Known
    gate: Gate
    sifted: Sifted
    plan: Plan
    page: str
    """Evidence key of the Data Docs page."""
    rows: int
    item_rows: int
    accepted: dict[str, str]


@dataclass(frozen=True)
class Landing:
    """What is landed, for which day, by whom."""

    source: LedgerSource
    as_of: date
    now: datetime
    actor: str
    flow_run: str | None
    content_hash: str


@dataclass(frozen=True)
class Landed:
    """What came of it."""

    report: SnapshotReport
    findings: pl.DataFrame
    event: EventDraft
    at: datetime
    """When it was recorded."""


def land(engine: "Engine", frames: Frames, landing: Landing, part: Part) -> Landed:
    """Write a part under the creditor's lock. The event is the caller's to append, last."""
    known, source, plan = part.known, landing.source, part.plan
    findings, apart = part.gate.found(), part.sifted.set_apart()
    warnings = int((findings["severity"] == Severity.WARN).sum())
    evidence = _keep(engine, source, part, findings)
    creditor_id = write_creditor(frames, known, landing.now)
    lock_creditor(frames, creditor_id)
    looked_at = last_look(frames, creditor_id)  # only now: a day may have begun while the gate was at work
    at = recorded_after(looked_at, landing.now)
    snapshot = {
        "creditor_id": creditor_id,
        "source": source.name,
        "kind": source.mode,
        "as_of": plan.last_date,
        "tables": sorted(part.sifted.row_counts),
        "content_hash": landing.content_hash,
        "evidence": canonical_json(evidence),
        "report": part.page,
        "row_count": part.item_rows,
        "quarantined_count": apart.height,
        "warning_count": warnings,
        "balances": plan.balances,
        "accepted_bounds": part.accepted,
        "actor": landing.actor,
        "flow_run": landing.flow_run,
        "recorded_at": at,
    }
    origin = Origin(
        creditor_id=creditor_id,
        snapshot_id=write_snapshot(frames, snapshot),
        source=source.name,
        as_of=landing.as_of,
        at=at,
        actor=landing.actor,
        is_history=source.mode == "history",
        is_full=source.mode == "full",
        is_backdated=source.mode == "history" and looked_at is None,
    )
    written = write_plan(frames, plan, origin)
    written["contacts"] = write_contacts(frames, plan.contacts, origin)
    written["tickets"] = write_tickets(frames, plan.tickets, origin)
    supersede_rows(frames, pl.DataFrame() if origin.is_full else _restated(part), NUMBERS, origin)
    first = plan.items["valid_from"].min()
    write_quarantine(frames, apart, origin, first if isinstance(first, date) else landing.as_of)
    write_findings(frames, findings, origin)
    report = SnapshotReport(
        creditor=known.code,
        snapshot_id=origin.snapshot_id,
        as_of=plan.last_date,
        unchanged=False,
        rows=part.rows,
        quarantined=apart.height,
        of_nobody=apart["debtor_no"].null_count(),
        warnings=warnings,
        written=written,
        balances=plan.balances,
        counts=part.gate.counts,
        evidence=tuple(evidence),
        report=part.page,
    )
    return Landed(report, findings, _event(landing, origin, report, part), at)


def _keep(engine: "Engine", source: LedgerSource, part: Part, findings: pl.DataFrame) -> list[str]:
    """The import as evidence: the source's definition, the canonical rows, what was set apart, every finding."""
    store = engine.store
    keys = [store.put("source", canonical_json(source.model_dump(mode="json")).encode(), "json")]
    for table, frame in part.sifted.accepted.items():
        columns = [name for name in frame.columns if "__" not in name]
        keys.append(store.put_frame(f"ledger_{table}", frame.select(columns)))
    keys.append(store.put_frame("ledger_quarantine", part.sifted.set_apart()))
    keys.append(store.put_frame("findings", findings))
    return keys


NUMBERS = {
    "items": "document_no",
    "debtors": "debtor_no",
    "payments": "payment_no",
    "contacts": "name",
    "tickets": "ticket_no",
}
"""By which column a row of a table is stated anew."""


def _restated(part: Part) -> pl.DataFrame:
    """What the rows of an import are called: `table_name`, `debtor_no`, `number`."""
    rows = []
    apart = part.sifted.set_apart()
    for table, number in NUMBERS.items():
        own = apart.filter(pl.col("table_name") == table)
        called = pl.col("raw").str.json_path_match(f"$.{number}").alias("number")
        rows.append(own.select("table_name", "debtor_no", called))
        if table in part.sifted.accepted:
            frame = part.sifted.accepted[table]
            debtor = pl.col("debtor_no") if "debtor_no" in frame.columns else pl.lit(None, dtype=pl.String)
            named = (pl.lit(table).alias("table_name"), debtor.alias("debtor_no"), pl.col(number).alias("number"))
            rows.append(frame.select(named))
    return pl.concat(rows)


def _event(landing: Landing, origin: Origin, report: SnapshotReport, part: Part) -> EventDraft:
    return EventDraft(
        kind="ledger_imported",
        actor=landing.actor,
        business_date=landing.as_of,
        creditor_id=origin.creditor_id,
        flow_run=landing.flow_run,
        snapshot_hash=landing.content_hash,
        body={
            "snapshot_id": origin.snapshot_id,
            "source": origin.source,
            "kind": landing.source.mode,
            "rows": report.rows,
            "quarantined": report.quarantined,
            "warnings": report.warnings,
            "written": dict(report.written),
            "accepted_bounds": sorted(part.accepted),
            "evidence": list(report.evidence),
            "report": report.report,
        },
    )
