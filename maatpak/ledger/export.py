"""Everything on one debtor, for an auditor: rows, events, decisions and evidence, as files with checksums.

JSON holds the exact values; CSV the same for a spreadsheet, with a quote before text that it would take for a formula.
`SHA256SUMS` covers every file, and the manifest names the head of the event chain that the export was made at. Its own
hash is the seal of the export. `verify.py`, which lies beside, proves all that with nothing but Python.
"""

import csv
import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import polars as pl
from sqlalchemy import Connection, text

from maatpak.kernel.errors import UsageError
from maatpak.kernel.files import plain_cell
from maatpak.kernel.ids import bytes_hash
from maatpak.ledger.anchors import Anchor
from maatpak.ledger.database import Database
from maatpak.ledger.store import KEY, EvidenceStore
from maatpak.ledger.tables import Tick

CASES = 'SELECT id FROM "case" WHERE debtor_id = :debtor'
ROUNDS = f"SELECT id FROM round WHERE case_id IN ({CASES})"  # noqa: S608
ACTIONS = f"SELECT id FROM action WHERE case_id IN ({CASES})"  # noqa: S608
MESSAGES = "SELECT id FROM message WHERE debtor_id = :debtor"
PACKS = f"SELECT pack_id FROM action WHERE case_id IN ({CASES})"  # noqa: S608
SEEN = f"SELECT tick_id FROM action WHERE case_id IN ({CASES})"  # noqa: S608
ACCOUNTS = "SELECT id FROM debtor WHERE creditor_id = :creditor AND party_id = :party"
OF_DEBTOR, OF_CASES = "debtor_id = :debtor", f"case_id IN ({CASES})"

WHOSE: Mapping[str, str] = {
    "creditor": "id = :creditor",
    "party": "id = :party",
    "debtor": "id = :debtor",
    "debtor_profile": OF_DEBTOR,
    "contact_person": OF_DEBTOR,
    "address_state": OF_DEBTOR,
    "preference": OF_DEBTOR,
    "text_consent": OF_DEBTOR,
    "ticket": OF_DEBTOR,
    "item": OF_DEBTOR,
    "item_version": OF_DEBTOR,
    "payment": OF_DEBTOR,
    "snapshot": "id IN (SELECT snapshot_id FROM item_version WHERE debtor_id = :debtor)",
    "quarantined_row": "creditor_id = :creditor AND debtor_no = :debtor_no",
    "case": OF_DEBTOR,
    "case_note": OF_CASES,
    "case_standing": OF_DEBTOR,
    "round": OF_CASES,
    "round_course": f"round_id IN ({ROUNDS})",
    "round_item": f"round_id IN ({ROUNDS})",
    "action": OF_CASES,
    "action_item": f"action_id IN ({ACTIONS})",
    "approval": f"action_id IN ({ACTIONS})",
    "contact_slot": f"action_id IN ({ACTIONS})",
    "contact_wait": OF_CASES,
    "message": OF_DEBTOR,
    "message_action": f"message_id IN ({MESSAGES})",
    "evidence": f"message_id IN ({MESSAGES})",
    "work_task": OF_DEBTOR,
    "contact_result": OF_DEBTOR,
    "answer": OF_DEBTOR,
    "incoming": OF_DEBTOR,
    "hold": f"{OF_DEBTOR} OR (scope = 'party' AND debtor_id IN ({ACCOUNTS}))",
    "promise": OF_CASES,
    "dispute": OF_CASES,
    "stated_reason": OF_CASES,
    "claimed_payment": OF_CASES,
    "plan": OF_CASES,
    "placement": OF_CASES,
    "placement_check": f"{OF_DEBTOR} OR (debtor_id IS NULL AND creditor_id = :creditor)",
    "touch": f"creditor_id = :creditor AND (party_id = :party OR {OF_CASES})",
    "policy_pack": f"id IN ({PACKS})",
    "pack_draft": f"pack_id IN ({PACKS})",
    "tick": f"id IN ({SEEN})",
    "event": f"{OF_DEBTOR} OR {OF_CASES} OR action_id IN ({ACTIONS})",
}
"""Which rows of a table are about the debtor. Other creditors' dealings with the same party are not."""

TICKS = "SELECT * FROM tick WHERE creditor_id = :creditor ORDER BY id"
TICK_EVENTS = "SELECT * FROM event WHERE kind = 'tick_decided' AND creditor_id = :creditor ORDER BY seq"

FRAMES = tuple(column for column in Tick.model_fields if column.endswith("_evidence"))
"""What a pass saw and decided, a row a case: facts, steps taken before, decisions."""


VERIFIER = Path(__file__).with_name("verifier.py")
"""The program that goes along."""


@dataclass(frozen=True)
class Exported:
    """What an export holds."""

    seal: str
    """SHA-256 of its `SHA256SUMS`: whoever knows it can tell this export from any other."""
    creditor_id: int
    debtor_id: int
    files: int
    rows: int
    evidence_files: int


def export_debtor(
    database: Database,
    store: EvidenceStore,
    anchor: Anchor | None,
    creditor: str,
    debtor_no: str,
    target: Path | BinaryIO,
    now: datetime,
) -> Exported:
    """Write everything on one debtor into a new folder, or into an archive: a new `.zip`, or whatever takes bytes.

    Raises:
        UsageError: there is no such debtor, or the target is there already.
    """
    if isinstance(target, Path) and target.exists():
        raise UsageError(f"{target} is there already.", advice="Name a new folder or .zip file.")
    files: dict[str, bytes] = {}
    with database.reading() as session:
        connection = session.connection()
        whose = _identify(connection, creditor, debtor_no)
        tables = {name: _rows(connection, name, condition, whose) for name, condition in WHOSE.items()}
        ticks = [dict(row) for row in connection.execute(text(TICKS), whose).mappings()]
        tables["tick_event"] = [dict(row) for row in connection.execute(text(TICK_EVENTS), whose).mappings()]
        head = connection.execute(text("SELECT seq, hash FROM event_head")).one()
    cases = [int(row["id"]) for row in tables["case"]]
    for column in FRAMES:
        tables[column] = _from_frames(store, ticks, column, cases)
    for name, rows in tables.items():
        files[f"{name}.json"] = json.dumps(rows, ensure_ascii=False, indent=1, default=_plain).encode()
        files[f"{name}.csv"] = _csv(rows)
    keys = sorted(_evidence_of(store, tables))
    files |= {f"evidence/{key}": store.get(key) for key in keys}
    files["verify.py"] = VERIFIER.read_bytes()
    files["manifest.json"] = _manifest(creditor, debtor_no, now, head, anchor, tables)
    sums = "".join(f"{bytes_hash(content)}  {name}\n" for name, content in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    if isinstance(target, Path):
        _write(target, files)
    else:
        _archive(target, files)
    return Exported(
        seal=bytes_hash(files["SHA256SUMS"]),
        creditor_id=whose["creditor"],
        debtor_id=whose["debtor"],
        files=len(files),
        rows=sum(map(len, tables.values())),
        evidence_files=len(keys),
    )


def _identify(connection: Connection, creditor: str, debtor_no: str) -> dict[str, Any]:
    query = text(
        "SELECT d.id AS debtor, d.party_id AS party, d.creditor_id AS creditor, d.debtor_no"
        " FROM debtor d JOIN creditor c ON c.id = d.creditor_id WHERE c.code = :code AND d.debtor_no = :number"
    )
    row = connection.execute(query, {"code": creditor, "number": debtor_no}).mappings().first()
    if row is None:
        raise UsageError(
            f"Creditor {creditor!r} has no debtor {debtor_no!r}.", advice="`maatpak cases --debtor …` finds debtors."
        )
    return dict(row)


def _rows(connection: Connection, table: str, condition: str, whose: Mapping[str, Any]) -> list[dict[str, Any]]:
    query = text(f'SELECT * FROM "{table}" WHERE {condition} ORDER BY 1, 2')  # noqa: S608 - tables and conditions above
    return [dict(row) for row in connection.execute(query, dict(whose)).mappings()]


def _from_frames(
    store: EvidenceStore, ticks: Sequence[Mapping[str, Any]], which: str, cases: Sequence[int]
) -> list[dict[str, Any]]:
    """The rows of the debtor's cases in the frame of every tick: each day's decision, also to do nothing."""
    found = []
    for tick in ticks:
        frame = store.get_frame(tick[which]).filter(pl.col("case_id").is_in(list(cases)))
        origin = {"tick_id": tick["id"], "business_date": tick["business_date"]}
        found += [{**origin, **row} for row in frame.to_dicts()]
    return found


def _evidence_of(store: EvidenceStore, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> set[str]:
    """Files that are about this debtor: messages with what was enclosed, answers, dossiers."""
    keys: set[str] = set()
    for table, column in (("message", "content"), ("answer", "content"), ("placement", "dossier")):
        keys |= {row[column] for row in tables[table] if row[column] and KEY.fullmatch(row[column])}
    for row in tables["message"]:
        if KEY.fullmatch(row["content"]) and row["content"].endswith(".json"):
            keys |= {match.group() for match in KEY.finditer(store.get(row["content"]).decode())}
    for row in tables["event"]:
        keys |= {match.group() for match in KEY.finditer(json.dumps(row["body"]))}
    return keys


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    if not rows:
        return b""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    if isinstance(value, str):
        return plain_cell(value)
    return value.isoformat() if isinstance(value, date) else value


def _manifest(
    creditor: str,
    debtor_no: str,
    now: datetime,
    head: Any,
    anchor: Anchor | None,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> bytes:
    content = {
        "creditor": creditor,
        "debtor_no": debtor_no,
        "exported_at": now.isoformat(),
        "event_head": {"seq": int(head[0]), "hash": str(head[1])},
        "last_anchor": None
        if anchor is None
        else {"seq": anchor.seq, "hash": anchor.hash, "at": anchor.at.isoformat()},
        "rows": {name: len(rows) for name, rows in tables.items()},
        "note": "Money is in minor units. JSON is exact; in CSV a quote stands before text that begins like a formula.",
    }
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    """Whole or not at all, and for the auditor's eyes only: files 0600, folders 0700."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        if target.suffix == ".zip":
            with _private(aside) as out:
                _archive(out, files)
        else:
            aside.mkdir(mode=0o700)
            for name, content in sorted(files.items()):
                (aside / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with _private(aside / name) as file:
                    file.write(content)
        aside.rename(target)
    except BaseException:
        aside.unlink(missing_ok=True) if aside.is_file() else shutil.rmtree(aside, ignore_errors=True)
        raise


def _archive(out: BinaryIO, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
