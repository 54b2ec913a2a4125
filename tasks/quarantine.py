"""Rows that the gate set apart: look at them, correct them, release or discard them (rules 10 and 13).

A released row passes the whole gate again, corrected as a person said and without the doubts that the person waived,
and lands as a small import of its own: for the day that its file spoke for, known from now on. What waited for it, the
items of a debtor or the payments of a document, comes along if it passes too. What people decided holds for the same
row in later files.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from connectors.ledgers.broken import WHOSE
from connectors.ledgers.canonical import FILE, Mapped, fault_of, type_columns
from connectors.ledgers.columns import FILE_COLUMNS, Kind
from connectors.ledgers.raw import BROKEN, ROW
from connectors.ledgers.source import LedgerSource, Role
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.ids import canonical_json, content_hash, salted_hash
from maatpak.kernel.words import Role as Duty
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from maatpak.ledger.locks import lock_creditor
from tasks.access.sight import require_sight
from tasks.intake.known import Known, known_payments, load_known, lock_intake, paid_before
from tasks.intake.landing import Landing, Part, land
from tasks.intake.plan import plan_import
from tasks.intake.resolutions import TEXT, written_as_source
from tasks.intake.sifting import Sieve, Sifted
from tasks.quality.common_rules import Import
from tasks.quality.file_rules import FileMeasures
from tasks.quality.gate import WAIVED, Gate
from tasks.quarantined_rows import QuarantinedLine, read_row, read_rows
from tasks.today import recording_instant

if TYPE_CHECKING:
    from tasks.engine import Engine

KEEPERS = (Duty.OPERATOR, Duty.COLLECTOR, Duty.CREDIT_MANAGER)
"""Who may decide on a row."""

WAITING = {
    "debtors": ("debtor_unknown", "debtor_no", ("items", "contacts", "tickets")),
    "items": ("document_quarantined", "document_no", ("payments",)),
}
"""By table: the only rule for which a row waits for one of it, the number they share, and where such rows are."""


@dataclass(frozen=True)
class Released:
    """What a release came to."""

    row_id: int
    snapshot_id: int
    came_along: tuple[int, ...]
    """Rows that had waited for it."""
    written: Mapping[str, int]


def list_rows(
    engine: "Engine", creditor: str | None = None, debtor_no: str | None = None, *, ended: bool = False
) -> list[QuarantinedLine]:
    """Rows that wait, oldest first; with `ended` also those that people or later files decided on."""
    wanted = [] if ended else ["q.state = 'open'"]
    wanted += [f"c.code = {quoted(creditor)}"] if creditor is not None else []
    wanted += [f"q.debtor_no = {quoted(debtor_no)}"] if debtor_no is not None else []
    with engine.database.frames(read_only=True) as frames:
        return read_rows(frames, " AND ".join(wanted) or "TRUE")


def find_row(engine: "Engine", row_id: int) -> QuarantinedLine:
    """A row by its number.

    Raises:
        UsageError: there is none.
    """
    with engine.database.frames(read_only=True) as frames:
        return read_row(frames, row_id)


def fix_row(
    engine: "Engine",
    row_id: int,
    correction: Mapping[str, str | None],
    reason: str,
    *,
    actor: str,
    as_of: date,
    now: datetime,
) -> QuarantinedLine:
    """Note what the cells of a row should be: dates in ISO form, amounts as 1250.00, nothing for an empty cell.

    The row stays apart until it is released. Of a line that could not be read, every cell is to be given.

    Raises:
        RefusedError: the actor may not, or the row is decided on.
        UsageError: there is no such row or column, or a value cannot be read.
    """
    with engine.database.frames() as frames:
        row = _open_row(frames, row_id, actor, reason)
        known = FILE_COLUMNS[row.table]
        if unknown := sorted(set(correction) - set(known)):
            raise UsageError(
                f"A row of {row.table} has no column {', '.join(unknown)}.", advice=f"It has {', '.join(known)}."
            )
        merged = {**row.correction, **correction}
        _refuse_unreadable(engine, frames, replace(row, correction=merged), correction)
        frames.execute(
            f"UPDATE quarantined_row SET correction = {quoted(canonical_json(merged))}::jsonb WHERE id = {row.row_id}"  # noqa: S608
        )
        body = {"row_id": row.row_id, "columns": sorted(correction), "content": salted_hash(merged, row.salt)}
        at = recording_instant(frames, row.creditor_id, now)
        _record(frames, row, "row_corrected", reason, actor, as_of, at, body)
    engine.anchor()
    return replace(row, correction=merged)


def discard_row(
    engine: "Engine", row_id: int, reason: str, *, actor: str, as_of: date, now: datetime
) -> QuarantinedLine:
    """Leave a row out for good; the same row in later files is left out too.

    Raises:
        RefusedError: the actor may not, or the row is decided on.
        UsageError: there is no such row.
    """
    with engine.database.frames() as frames:
        row = _open_row(frames, row_id, actor, reason)
        at = _decide(frames, [row], "discarded", reason, actor, as_of, now)
        _record(frames, row, "row_discarded", reason, actor, as_of, at, {"row_id": row.row_id})
    engine.anchor()
    return replace(row, state="discarded")


def release_row(engine: "Engine", row_id: int, reason: str, *, actor: str, as_of: date, now: datetime) -> Released:
    """Take a row in, as corrected; with it, what waited only for it.

    Raises:
        RefusedError: the row does not pass the gate, its twins are undecided, or the actor may not; nothing changed.
        UsageError: there is no such row.
    """
    from tasks.quality.expectations import Judge  # Great Expectations takes seconds to load: only where it judges

    with engine.database.frames() as frames, closing(Judge()) as judge:
        row = _open_row(frames, row_id, actor, reason, landing=True)
        _refuse_twins(frames, row)
        source = _source_of(engine, row)
        rows = [row, *_waiting(frames, row)]
        known = load_known(frames, row.creditor, row.source)
        assert known is not None  # the row has its creditor
        gate = Gate(judge)
        sifted = _sift(frames, gate, source, row.as_of, known, rows)
        _require_passed(gate, sifted, row)
        passed = _passed(rows, sifted)
        sifted.quarantined.clear()  # what did not pass stays apart as it is
        landed_rows = len(passed)
        about = _about(source, row.as_of, known)
        earlier = paid_before(frames, known.creditor_id if source.mode == "delta" else None)
        page = engine.store.put("quality", judge.page(), "html")
        plan = plan_import(sifted, about, known, earlier)
        part = Part(known, gate, sifted, plan, page, landed_rows, landed_rows, {})
        digest = content_hash(
            {"released": [each.row_id for each in passed], "rows": [_cells(source, r) for r in passed]}
        )
        # First, for a row that is stated anew by a landing would count as superseded.
        _decide(frames, passed, "released", reason, actor, as_of, now)
        landed = land(engine, frames, Landing(source, row.as_of, now, actor, None, digest), part)
        drafts = [landed.event]
        for each in passed:
            body = {"row_id": each.row_id, "snapshot_id": landed.report.snapshot_id, "with": row.row_id}
            drafts.append(_draft(frames, each, "row_released", reason, actor, as_of, body))
        append_events(frames, drafts, landed.at)
    engine.anchor()
    along = tuple(each.row_id for each in passed if each.row_id != row.row_id)
    return Released(row.row_id, landed.report.snapshot_id, along, landed.report.written)


def _refuse_unreadable(
    engine: "Engine", frames: Frames, row: QuarantinedLine, correction: Mapping[str, str | None]
) -> None:
    """Whether the gate would accept the row is seen when it is released; a value that is none is told at once."""
    known = FILE_COLUMNS[row.table]
    unread = [name for name, value in correction.items() if known[name].kind is Kind.DATE and not _is_date(value)]
    if not unread:
        source = _source_of(engine, row)
        currency = frames.read(f"SELECT currency FROM creditor WHERE id = {row.creditor_id}").item()  # noqa: S608
        typed = type_columns(source, _mapped(source, row.table, [row]), currency)
        faults = {name: fault_of(name) for name in correction if fault_of(name) in typed.columns}
        unread = [name for name, fault in faults.items() if typed[fault].item()]
    for name in unread:
        raise UsageError(
            f"{name} cannot be {correction[name]!r}.",
            advice="Give dates as 2026-01-31, amounts as 1250.00, words as docs/sources.md lists them.",
        )


def _is_date(value: str | None) -> bool:
    try:
        return value is None or bool(date.fromisoformat(value))
    except ValueError:
        return False


def _open_row(frames: Frames, row_id: int, actor: str, reason: str, *, landing: bool = False) -> QuarantinedLine:
    """The row, locked, if this person may decide on it.

    In the order of imports: the creditor's intake if something will land, the creditor, the row last.
    """
    if not reason.strip():
        raise UsageError("A decision on a row needs a reason.", advice="Say why.")
    role = frames.read(f"SELECT role FROM person WHERE active AND login = {quoted(actor)}")  # noqa: S608 - quoted
    if role.is_empty() or role.item() not in KEEPERS:
        raise RefusedError(
            f"{actor!r} may not decide on quarantined rows.", advice=f"It takes a person who is {' or '.join(KEEPERS)}."
        )
    found = read_row(frames, row_id)
    require_sight(frames, actor, found.creditor)
    if landing:
        lock_intake(frames, found.creditor)
    lock_creditor(frames, found.creditor_id, shared=not landing)
    frames.read(f"SELECT id FROM quarantined_row WHERE id = {int(row_id)} FOR UPDATE")  # noqa: S608 - an integer
    row = read_row(frames, row_id)
    if row.state != "open":
        raise RefusedError(f"Row {row_id} is {row.state}.", advice="Only an open row can be decided on.")
    return row


def _refuse_twins(frames: Frames, row: QuarantinedLine) -> None:
    """Of rows that contradict each other only one may come in, so the others must be gone first."""
    for rule, number in (("documents_differ", "document_no"), ("debtors_differ", "debtor_no")):
        if rule not in row.rules or row.raw.get(number) is None:
            continue
        twins = read_rows(
            frames,
            f"q.state = 'open' AND q.id <> {row.row_id} AND q.creditor_id = {row.creditor_id}"
            f" AND q.table_name = {quoted(row.table)} AND q.raw ->> '{number}' = {quoted(row.raw[number])}"
            f" AND position('{rule}' IN q.rules) > 0",
        )
        if twins:
            raise RefusedError(
                f"Row {row.row_id} contradicts row {', '.join(str(twin.row_id) for twin in twins)}.",
                advice="Discard the wrong ones first, then release the right one.",
            )


def _waiting(frames: Frames, row: QuarantinedLine) -> list[QuarantinedLine]:
    """Rows that wait only for this one, and those that wait for them."""
    found: list[QuarantinedLine] = []
    if row.table not in WAITING:
        return found
    rule, number, tables = WAITING[row.table]
    value = {**row.raw, **row.correction}.get(number)
    if value is None:
        return found
    listed = ", ".join(quoted(table) for table in tables)
    found = read_rows(
        frames,
        f"q.state = 'open' AND q.creditor_id = {row.creditor_id} AND s.source = {quoted(row.source)}"
        f" AND q.table_name IN ({listed}) AND q.rules = '{rule}' AND q.raw ->> '{number}' = {quoted(value)}",
    )
    return [each for first in found for each in (first, *_waiting(frames, first))]


def _source_of(engine: "Engine", row: QuarantinedLine) -> LedgerSource:
    """The source as it was when the row was read; a full file's row comes in as a delta."""
    (key,) = [key for key in row.evidence if key.startswith("source/")]
    source = LedgerSource.model_validate_json(engine.store.get(key))
    return source if source.mode == "history" else source.model_copy(update={"mode": "delta"})


def _about(source: LedgerSource, as_of: date, known: Known) -> Import:
    return Import(source, as_of, known.currency, source.allowed_currencies or (known.currency,))


def _cells(source: LedgerSource, row: QuarantinedLine) -> dict[str, Any]:
    """The row's cells, as the source would have written them, with what a person waived."""
    corrected = written_as_source(source, row.table, row.correction)
    raw = {} if TEXT in row.raw else row.raw
    return {FILE: row.file, ROW: row.row_no, **raw, **corrected, WAIVED: f",{','.join(row.rules)},"}


def _mapped(source: LedgerSource, role: Role, rows: Sequence[QuarantinedLine]) -> Mapped:
    """Rows of one table as if they had just been read, corrected."""
    given = getattr(source.files, role).given
    columns = [name for name in FILE_COLUMNS[role] if name in given]
    schema = {FILE: pl.String, ROW: pl.Int64, **dict.fromkeys([*columns, WAIVED], pl.String)}
    spelled = [_cells(source, row) for row in rows]
    cells = pl.DataFrame([{name: row.get(name) for name in schema} for row in spelled], schema=schema)
    nothing = pl.DataFrame(schema={FILE: pl.String, **BROKEN, **dict.fromkeys(WHOSE, pl.List(pl.String))})
    suspect = pl.DataFrame(schema={FILE: pl.String, ROW: pl.Int64, "column": pl.String, "fault": pl.String})
    return Mapped(role, cells, nothing, suspect, cells.clear(), (), len(rows), typed=False)


def _sift(
    frames: Frames, gate: Gate, source: LedgerSource, as_of: date, known: Known, rows: Sequence[QuarantinedLine]
) -> Sifted:
    tables: dict[Role, Mapped] = {}
    for role, _ in source.files:
        own = [row for row in rows if row.table == role]
        if own:
            tables[role] = _mapped(source, role, own)
    sieve = Sieve(
        gate,
        _about(source, as_of, known),
        FileMeasures(),
        known.items,
        known.debtors,
        lambda payments: known_payments(frames, known.creditor_id, payments),
    )
    return sieve.sift(tables)


def _require_passed(gate: Gate, sifted: Sifted, row: QuarantinedLine) -> None:
    apart = sifted.set_apart()
    again = apart.filter(
        (pl.col("table_name") == row.table) & (pl.col("file") == row.file) & (pl.col("row_no") == row.row_no)
    )
    if again.is_empty():
        return
    found = gate.found().filter(
        (pl.col("file") == row.file) & (pl.col("row_no") == row.row_no) & (pl.col("severity") == "quarantine")
    )
    told = "; ".join(f"{column}: {message}" for column, message in found.select("column_name", "message").iter_rows())
    raise RefusedError(
        f"Row {row.row_id} does not pass the gate: {told}",
        advice="Correct it with `maatpak quarantine fix`, or discard it.",
        findings=found.to_dicts(),
    )


def _passed(rows: Sequence[QuarantinedLine], sifted: Sifted) -> list[QuarantinedLine]:
    apart = set(sifted.set_apart().select("table_name", "file", "row_no").iter_rows())
    return [row for row in rows if (row.table, row.file, row.row_no) not in apart]


def _decide(
    frames: Frames,
    rows: Sequence[QuarantinedLine],
    state: str,
    reason: str,
    actor: str,
    as_of: date,
    now: datetime,
) -> datetime:
    """Give the rows their last state; when that was recorded."""
    at = recording_instant(frames, rows[0].creditor_id, now)
    listed = ", ".join(str(row.row_id) for row in rows)
    frames.execute(
        f"UPDATE quarantined_row SET state = {quoted(state)}, resolved_by = {quoted(actor)},"  # noqa: S608 - quoted
        f" resolved_reason = {quoted(reason)}, resolved_on = DATE '{as_of}',"
        f" resolved_at = TIMESTAMPTZ '{at.isoformat()}'"
        f" WHERE id IN ({listed}) AND state = 'open'"
    )
    return at


def _draft(
    frames: Frames, row: QuarantinedLine, kind: str, reason: str, actor: str, as_of: date, body: dict[str, Any]
) -> EventDraft:
    debtor = frames.read(
        f"SELECT id FROM debtor WHERE creditor_id = {row.creditor_id} AND debtor_no = {quoted(row.debtor_no)}"  # noqa: S608
    )
    told = {"table": row.table, "rules": list(row.rules), "reason": salted_hash(reason, row.salt), **body}
    return EventDraft(
        kind=kind,
        actor=actor,
        business_date=as_of,
        creditor_id=row.creditor_id,
        debtor_id=None if debtor.is_empty() else int(debtor.item()),
        body=told,
    )


def _record(
    frames: Frames,
    row: QuarantinedLine,
    kind: str,
    reason: str,
    actor: str,
    as_of: date,
    now: datetime,
    body: dict[str, Any],
) -> None:
    append_events(frames, [_draft(frames, row, kind, reason, actor, as_of, body)], now)
