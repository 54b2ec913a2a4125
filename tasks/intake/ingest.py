"""One import from files to ledger, in one transaction.

The order keeps it safe: read, gate and plan first; evidence next, which a rolled back import may leave behind unharmed;
then the creditor's lock and all rows; the event last. A refused file leaves evidence only.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from connectors.ledgers.source import ACCEPTABLE, CreditorDefinition, LedgerSource
from maatpak.kernel.errors import InputRejectedError, RefusedError, UsageError
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.words import Role, Severity
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor
from tasks.desk import recorded_after
from tasks.intake.beside import supersede_rows, write_contacts, write_findings, write_quarantine, write_tickets
from tasks.intake.files import Ledger, read_ledger
from tasks.intake.known import Known, known_payments, load_known, lock_intake, paid_before, quoted, same_import
from tasks.intake.plan import Plan, plan_import
from tasks.intake.report import IntakeReport, SnapshotReport
from tasks.intake.resolutions import apply_resolutions
from tasks.intake.sifting import Sieve, Sifted
from tasks.intake.writing import Origin, write_creditor, write_plan, write_snapshot
from tasks.quality.common_rules import Import
from tasks.quality.file_rules import FileMeasures
from tasks.quality.gate import FINDING, Gate

if TYPE_CHECKING:
    from tasks.engine import Engine

ACCEPTING_ROLES = (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)
"""Who may accept a bound once for a file."""


@dataclass(frozen=True)
class Call:
    """What the caller of an import asked for."""

    source: LedgerSource
    as_of: date
    now: datetime
    actor: str
    flow_run: str | None
    accepted: Mapping[str, str]
    """Bound → reason."""


@dataclass
class Part:
    """One creditor's part of an import, on its way through the gate."""

    known: Known
    gate: Gate
    sifted: Sifted
    plan: Plan
    page: str
    """Evidence key of the Data Docs page."""
    rows: int
    item_rows: int
    accepted: dict[str, str]


def ingest_ledger(
    engine: "Engine",
    source: LedgerSource,
    paths: Sequence[Path],
    as_of: date,
    now: datetime,
    actor: str,
    flow_run: str | None = None,
    accept_bounds: Mapping[str, str] | None = None,
) -> IntakeReport:
    """Import the files of a ledger for a day. The same content for the same day changes nothing.

    Raises:
        InputRejectedError: the gate refused the files; nothing was changed. `context` has its findings and evidence.
        RefusedError: `actor` may not accept bounds.
        UsageError: the files or bounds do not fit the source.
    """
    call = Call(source, as_of, now, actor, flow_run, dict(accept_bounds or {}))
    ledger = read_ledger(source, paths)
    with engine.database.frames() as frames:
        _require_acceptance(frames, call)
        # Every creditor's part passes the gate before the first one is written.
        parts = [_sift_part(engine, frames, call, ledger, creditor) for creditor in source.all_creditors]
        ledger.tables.clear()
        written = [_write_part(engine, frames, call, ledger, part) for part in parts if isinstance(part, Part)]
        drafts = [draft for _, _, draft in written]
        if drafts:
            append_events(frames, drafts, now)
    if drafts:
        engine.anchor()
    unchanged = [part for part in parts if isinstance(part, SnapshotReport)]
    snapshots = (*unchanged, *(report for report, _, _ in written))
    findings = pl.concat([found for _, found, _ in written]) if written else pl.DataFrame(schema=FINDING)
    return IntakeReport(source.name, source.mode, as_of, ledger.content_hash, snapshots, findings)


def _require_acceptance(frames: Frames, call: Call) -> None:
    if not call.accepted:
        return
    unknown = sorted(set(call.accepted) - ACCEPTABLE)
    if unknown or not all(reason.strip() for reason in call.accepted.values()):
        told = f"{', '.join(unknown)}: no bound that can be accepted" if unknown else "An accepted bound needs a reason"
        raise UsageError(f"{told}.", advice=f"Bounds are {', '.join(sorted(ACCEPTABLE))}.")
    found = frames.read(f"SELECT role FROM person WHERE active AND login = {quoted(call.actor)}")  # noqa: S608 - quoted
    if found.is_empty() or found.item() not in ACCEPTING_ROLES:
        raise RefusedError(
            f"{call.actor!r} may not accept a bound for a file.",
            advice=f"It takes a person with the role {' or '.join(ACCEPTING_ROLES)}.",
        )


def _sift_part(
    engine: "Engine", frames: Frames, call: Call, ledger: Ledger, creditor: CreditorDefinition | str
) -> "Part | SnapshotReport":
    """A creditor's part through the gate, or the report of an import that is there already."""
    code = creditor if isinstance(creditor, str) else creditor.code
    lock_intake(frames, code)
    known = load_known(frames, creditor, call.source.name)
    if known is None:
        raise UsageError(
            f"There is no creditor {code!r}.", advice="Define it in the source: code, name, country, language, …"
        )
    if known.creditor_id is not None:
        same = same_import(frames, known.creditor_id, call.source.name, ledger.content_hash, call.as_of)
        if same is not None:
            return SnapshotReport(code, same, call.as_of, unchanged=True)
    from tasks.quality.expectations import Judge  # Great Expectations takes seconds to load: only where it judges

    with closing(Judge()) as judge:
        return _judge_part(engine, frames, call, ledger, known, Gate(judge))


def _judge_part(engine: "Engine", frames: Frames, call: Call, ledger: Ledger, known: Known, gate: Gate) -> Part:
    """Through the gate: whole files first, then rows, then what they come to together."""
    source = call.source
    about = Import(source, call.as_of, known.currency, source.allowed_currencies or (known.currency,))
    own = ledger.of_creditor(known.code)
    accepted = frozenset(call.accepted)
    first = FileMeasures(accepted)
    for role, mapped in ledger.tables.items():
        first.faults(role, [*mapped.faults, *(ledger.stray_creditors() if role == "items" else [])])
    rows = sum(mapped.row_count for mapped in own.tables.values())
    main = own.tables["items"].row_count if "items" in own.tables else rows
    first.at_most("rows_missing", "files", float(main == 0), 0, "The ledger has no rows.", "Export it again.")
    _measure_time(first, call, known)
    _refuse_breach(engine, call, ledger, gate, first)
    _tell_differences(gate, known)

    tables = {}
    for role, mapped in own.tables.items():
        tables[role], left_out = apply_resolutions(source, mapped, known.resolutions)
        gate.add(_left_out(role, left_out))
    second = FileMeasures(accepted)
    sieve = Sieve(
        gate,
        about,
        second,
        known.items,
        known.debtors,
        lambda payments: known_payments(frames, known.creditor_id, payments),
    )
    sifted = sieve.sift(tables)
    _measure_quarantine(second, source, sifted)
    earlier = paid_before(frames, known.creditor_id if source.mode == "delta" else None)
    plan = plan_import(sifted, about, known, earlier)
    _measure_change(second, source, known, main, plan)
    _refuse_breach(engine, call, ledger, gate, second)
    used = {bound: call.accepted[bound] for bound in sorted(first.used | second.used)}
    page = engine.store.put("quality", gate.judge.page(), "html")
    return Part(known, gate, sifted, plan, page, rows, main, used)


def _measure_time(measures: FileMeasures, call: Call, known: Known) -> None:
    last = known.last
    behind = (last.as_of - call.as_of).days if last is not None and last.kind != "history" else 0
    told = f"The file speaks for {call.as_of}, an earlier import of this source for {last.as_of if last else None}."
    measures.at_most("older_than_last", "files", behind, 0, told, "Import days in their order.")
    again = call.source.mode == "history" and last is not None
    told = "A history is loaded once, and this source was loaded before."
    measures.at_most("history_loaded", "files", float(again), 0, told, "Load later days with a full or delta source.")


def _measure_quarantine(measures: FileMeasures, source: LedgerSource, sifted: Sifted) -> None:
    apart = sifted.set_apart().group_by("table_name").len()
    counts = dict(apart.iter_rows())
    bounds = source.bounds
    for role, rows in sifted.row_counts.items():
        count = counts.get(role, 0)
        share = count / rows if rows >= bounds.compare_from_rows else 0.0
        told = f"{count} of {rows} rows of the {role} would be set apart."
        measures.at_most(
            "quarantined_share", role, share, bounds.max_quarantined, told, "Look at the findings of the rows first.",
            "max_quarantined",
        )  # fmt: skip


def _measure_change(measures: FileMeasures, source: LedgerSource, known: Known, rows: int, plan: Plan) -> None:
    """Against the last full file: far fewer rows, or a balance that jumped."""
    last, bounds = known.last, source.bounds
    if source.mode != "full" or last is None or last.kind != "full" or last.row_count < bounds.compare_from_rows:
        return
    drop = (last.row_count - rows) / last.row_count
    told = f"The file has {rows} rows, the last one had {last.row_count}."
    advice = "Is it cut off? If it is right, have a credit manager accept the bound for this file."
    measures.at_most("row_drop", "items", drop, bounds.max_row_drop, told, advice, "max_row_drop")
    for currency in sorted(set(plan.balances) | set(last.balances)):
        before, after = last.balances.get(currency, 0), plan.balances.get(currency, 0)
        jump = abs(after - before) / abs(before) if before else float(currency in last.balances and after != 0)
        told = f"The open balance in {currency} goes from {before} to {after} (minor units)."
        measures.at_most(
            "balance_jump", f"items.{currency}", jump, bounds.max_balance_jump, told, advice, "max_balance_jump"
        )


def _tell_differences(gate: Gate, known: Known) -> None:
    told = "The source defines the creditor otherwise than it is known; what is known stays."
    advice = "Change a creditor by its own command, with four eyes; or correct the source."
    gate.add(_told("creditor_differs", [("creditor", None, None, name) for name in known.differs], told, advice))


def _left_out(role: str, rows: pl.DataFrame) -> pl.DataFrame:
    told, advice = "A person discarded this row before; it is left out again.", "Mend it where the file comes from."
    return _told("discarded_before", [(role, file, row_no, None) for file, row_no in rows.iter_rows()], told, advice)


def _told(
    rule: str, rows: Sequence[tuple[str, str | None, int | None, str | None]], told: str, advice: str
) -> pl.DataFrame:
    data = [
        (str(Severity.WARN), rule, table, file or "", row_no, column, None, told, advice)
        for table, file, row_no, column in rows
    ]
    return pl.DataFrame(data, schema=FINDING, orient="row")


def _refuse_breach(engine: "Engine", call: Call, ledger: Ledger, gate: Gate, measures: FileMeasures) -> None:
    """Judge what was measured of the files; on a breach keep the evidence and refuse them."""
    gate.pass_table("file", measures.frame(", ".join(ledger.files)), measures.rules)
    breached = measures.breached()
    if not breached:
        return
    findings = gate.found()
    page = engine.store.put("quality", gate.judge.page(), "html")
    kept = engine.store.put_frame("findings", findings)
    summary = {
        "source": call.source.name,
        "as_of": call.as_of,
        "actor": call.actor,
        "content_hash": ledger.content_hash,
        "findings": kept,
        "page": page,
        "counts": gate.counts,
    }
    report = engine.store.put("rejection", canonical_json(summary).encode(), "json")
    reasons = " ".join(dict.fromkeys(rule.meaning for rule in breached))
    raise InputRejectedError(
        f"The files of {call.source.name} for {call.as_of} are refused, nothing was changed: {reasons}",
        advice=" ".join(dict.fromkeys(rule.advice for rule in breached)),
        findings=findings.head(1000).to_dicts(),
        report=report,
        page=page,
    )


def _write_part(
    engine: "Engine", frames: Frames, call: Call, ledger: Ledger, part: Part
) -> tuple[SnapshotReport, pl.DataFrame, EventDraft]:
    known, source, plan = part.known, call.source, part.plan
    findings, apart = part.gate.found(), part.sifted.set_apart()
    warnings = int((findings["severity"] == Severity.WARN).sum())
    evidence = _keep(engine, source, part, findings)
    at = recorded_after(known.looked_at, call.now)
    creditor_id = write_creditor(frames, known, at)
    lock_creditor(frames, creditor_id)
    snapshot = {
        "creditor_id": creditor_id,
        "source": source.name,
        "kind": source.mode,
        "as_of": plan.last_date,
        "content_hash": ledger.content_hash,
        "evidence": canonical_json(evidence),
        "report": part.page,
        "row_count": part.item_rows,
        "quarantined_count": apart.height,
        "warning_count": warnings,
        "balances": plan.balances,
        "accepted_bounds": part.accepted,
        "actor": call.actor,
        "flow_run": call.flow_run,
        "recorded_at": at,
    }
    origin = Origin(
        creditor_id=creditor_id,
        snapshot_id=write_snapshot(frames, snapshot),
        source=source.name,
        as_of=call.as_of,
        at=at,
        actor=call.actor,
        is_history=source.mode == "history",
        is_full=source.mode == "full",
        is_backdated=source.mode == "history" and known.looked_at is None,
    )
    written = write_plan(frames, plan, origin)
    written["contacts"] = write_contacts(frames, plan.contacts, origin)
    written["tickets"] = write_tickets(frames, plan.tickets, origin)
    supersede_rows(frames, _restated(part), origin)
    first = plan.items["valid_from"].min()
    write_quarantine(frames, apart, origin, first if isinstance(first, date) else call.as_of)
    write_findings(frames, findings, origin)
    report = SnapshotReport(
        creditor=known.code,
        snapshot_id=origin.snapshot_id,
        as_of=plan.last_date,
        unchanged=False,
        rows=part.rows,
        quarantined=apart.height,
        warnings=warnings,
        written=written,
        balances=plan.balances,
        counts=part.gate.counts,
        evidence=tuple(evidence),
        report=part.page,
    )
    return report, findings, _event(call, ledger, origin, report, part)


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


def _restated(part: Part) -> pl.DataFrame:
    columns = ("table_name", "debtor_no", "document_no")
    rows = [part.sifted.set_apart().select(columns)]
    for table, frame in part.sifted.accepted.items():
        numbers = [pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String) for name in columns[1:]]
        named = [number.alias(name) for number, name in zip(numbers, columns[1:], strict=True)]
        rows.append(frame.select(pl.lit(table).alias("table_name"), *named))
    return pl.concat(rows)


def _event(call: Call, ledger: Ledger, origin: Origin, report: SnapshotReport, part: Part) -> EventDraft:
    return EventDraft(
        kind="ledger_imported",
        actor=call.actor,
        business_date=call.as_of,
        creditor_id=origin.creditor_id,
        flow_run=call.flow_run,
        snapshot_hash=ledger.content_hash,
        body={
            "snapshot_id": origin.snapshot_id,
            "source": origin.source,
            "kind": call.source.mode,
            "rows": report.rows,
            "quarantined": report.quarantined,
            "warnings": report.warnings,
            "written": dict(report.written),
            "accepted_bounds": sorted(part.accepted),
            "evidence": list(report.evidence),
            "report": report.report,
        },
    )
