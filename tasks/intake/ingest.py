"""One import from files to ledger, in one transaction.

The order keeps it safe: read, gate and plan first; evidence next, which a rolled back import may leave behind unharmed;
then the creditor's lock and all rows; the event last. A refused file leaves evidence and an event only.
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
from maatpak.ledger.literals import quoted
from maatpak.ledger.locks import lock_creditor
from tasks.access.sight import require_sight
from tasks.desk import acting_person
from tasks.intake.bounds import measure_change, measure_end, measure_quarantine, measure_time
from tasks.intake.files import Ledger, code_of, read_ledger
from tasks.intake.known import Known, known_payments, load_known, lock_intake, paid_before, same_import
from tasks.intake.landing import Landing, Part, land
from tasks.intake.plan import plan_import
from tasks.intake.report import IntakeReport, SnapshotReport
from tasks.intake.resolutions import apply_resolutions
from tasks.intake.sifting import Sieve
from tasks.quality.common_rules import Import
from tasks.quality.file_rules import FileMeasures
from tasks.quality.gate import FINDING, Gate
from tasks.rights import IMPORTERS
from tasks.today import recording_instant

if TYPE_CHECKING:
    from tasks.engine import Engine

ENGINE = "engine"
"""Who imports where no person does: a flow."""

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


def ingest_ledger(
    engine: "Engine",
    source: LedgerSource,
    paths: Sequence[Path],
    as_of: date,
    now: datetime,
    actor: str | None,
    flow_run: str | None = None,
    accept_bounds: Mapping[str, str] | None = None,
) -> IntakeReport:
    """Import the files of a ledger for a day. The same content for the same day changes nothing.

    `actor` is the person who does it, none where the engine does it itself.

    Raises:
        InputRejectedError: the gate refused the files; nothing was changed. `context` has its findings and evidence.
        RefusedError: `actor` is nobody who may import, may not see a creditor, or may not accept bounds.
        UsageError: the files or bounds do not fit the source.
    """
    call = Call(source, as_of, now, actor or ENGINE, flow_run, dict(accept_bounds or {}))
    role = None if actor is None else _importer(engine, actor, source)
    _require_acceptance(call, role)
    ledger = read_ledger(source, paths)
    try:
        with engine.database.frames() as frames:
            # Every creditor's part passes the gate before the first one is written. One order for all: each is locked.
            named = sorted(source.all_creditors, key=code_of)
            parts = [_sift_part(engine, frames, call, ledger, creditor) for creditor in named]
            ledger.tables.clear()
            landing = Landing(source, as_of, now, call.actor, flow_run, ledger.content_hash)
            landed = [land(engine, frames, landing, part) for part in parts if isinstance(part, Part)]
            drafts = [each.event for each in landed]
            if drafts:
                append_events(frames, drafts, max(each.at for each in landed))
    except InputRejectedError as error:
        _note_refusal(engine, call, ledger, error)
        raise
    if drafts:
        engine.anchor()
    unchanged = [part for part in parts if isinstance(part, SnapshotReport)]
    snapshots = (*unchanged, *(each.report for each in landed))
    findings = pl.concat([each.findings for each in landed]) if landed else pl.DataFrame(schema=FINDING)
    return IntakeReport(source.name, source.mode, as_of, ledger.content_hash, snapshots, findings)


def _importer(engine: "Engine", actor: str, source: LedgerSource) -> Role:
    """The role of the person who imports, and sees all whose ledger it is."""
    with engine.database.reading() as session:
        role = Role(acting_person(session, actor, "import a ledger", *IMPORTERS).role)
        require_sight(session, actor, *map(code_of, source.all_creditors))
    return role


def _require_acceptance(call: Call, role: Role | None) -> None:
    if not call.accepted:
        return
    unknown = sorted(set(call.accepted) - ACCEPTABLE)
    if unknown or not all(reason.strip() for reason in call.accepted.values()):
        told = f"{', '.join(unknown)}: no bound that can be accepted" if unknown else "An accepted bound needs a reason"
        raise UsageError(f"{told}.", advice=f"Bounds are {', '.join(sorted(ACCEPTABLE))}.")
    if role not in ACCEPTING_ROLES:
        raise RefusedError(
            f"{call.actor!r} may not accept a bound for a file.",
            advice=f"It takes a person with the role {' or '.join(ACCEPTING_ROLES)}.",
        )


def _sift_part(
    engine: "Engine", frames: Frames, call: Call, ledger: Ledger, creditor: CreditorDefinition | str
) -> "Part | SnapshotReport":
    """A creditor's part through the gate, or the report of an import that is there already."""
    code = code_of(creditor)
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
    stray = ledger.stray_creditors()
    for role, mapped in ledger.tables.items():
        first.faults(role, [*mapped.faults, *(stray if role == "items" else [])])
    sound = not stray and not any(mapped.faults for mapped in ledger.tables.values())
    whose = f" of {known.code}" if sound and source.creditors else ""
    rows = sum(mapped.row_count for mapped in own.tables.values())
    main = own.tables["items"].row_count if "items" in own.tables else rows
    first.at_most("rows_missing", "files", float(sound and main == 0), 0, "The ledger has no rows.", "Export it again.")
    measure_time(first, source, call.as_of, known)
    _refuse_breach(engine, call, ledger, whose, gate, first, known.code)
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
    measure_quarantine(second, source, sifted)
    earlier = paid_before(frames, known.creditor_id if source.mode == "delta" else None)
    plan = plan_import(sifted, about, known, earlier)
    measure_change(second, source, known, main, plan)
    measure_end(second, sifted, plan)
    _refuse_breach(engine, call, ledger, whose, gate, second, known.code)
    used = {bound: call.accepted[bound] for bound in sorted(first.used | second.used)}
    page = engine.store.put("quality", gate.judge.page(), "html")
    return Part(known, gate, sifted, plan, page, rows, main, used)


def _tell_differences(gate: Gate, known: Known) -> None:
    told = "The source defines the creditor otherwise than it is known; what is known stays."
    advice = "Change it with `maatpak creditor change`, by four eyes; or correct the source."
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


def _refuse_breach(
    engine: "Engine", call: Call, ledger: Ledger, whose: str, gate: Gate, measures: FileMeasures, code: str
) -> None:
    """Judge what was measured of a creditor's part of the files; on a breach keep the evidence and refuse them."""
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
        f"The files{whose} of {call.source.name} for {call.as_of} are refused, nothing was changed: {reasons}",
        advice=" ".join(dict.fromkeys(rule.advice for rule in breached)),
        findings=findings.head(1000).to_dicts(),
        report=report,
        page=page,
        creditor=code,
        counts=dict(gate.counts),
        evidence=[report, kept],
    )


def _note_refusal(engine: "Engine", call: Call, ledger: Ledger, error: InputRejectedError) -> None:
    """That files were refused is all that is left of them: an event, which names their evidence."""
    told = error.context
    with engine.database.frames() as frames:
        found = frames.read(f"SELECT id FROM creditor WHERE code = {quoted(told['creditor'])}")  # noqa: S608 - quoted
        creditor_id, at = None, call.now
        if not found.is_empty():
            creditor_id = int(found.item())
            lock_creditor(frames, creditor_id, shared=True)
            at = recording_instant(frames, creditor_id, call.now)
        draft = EventDraft(
            kind="ledger_rejected",
            actor=call.actor,
            business_date=call.as_of,
            creditor_id=creditor_id,
            flow_run=call.flow_run,
            snapshot_hash=ledger.content_hash,
            body={
                "source": call.source.name,
                "kind": call.source.mode,
                "breaches": sum(told["counts"].values()),
                "rules": told["counts"],
                "evidence": told["evidence"],
                "report": told["page"],
            },
        )
        append_events(frames, [draft], at)
    engine.anchor()
