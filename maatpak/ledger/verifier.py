"""Proves a dossier of Maatpak with nothing but Python (3.9 or newer): `python3 verify.py`, or `python3 verify.py SEAL`.

SEAL is the number that the export showed and that the creditor's chain of events keeps (event `dossier_exported`).
Ends with 0 when nothing was found, with 1 when something was. It only reads, and only this folder. It is
maatpak/ledger/verifier.py of Maatpak: where you do not trust the one that lies here, take it from there.
"""

import csv
import hashlib
import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HASHED = """seq kind creditor_id debtor_id case_id action_id business_date actor flow_run policy_hash snapshot_hash body
recorded_at previous_hash""".split()
KEY = re.compile(r"[a-z][a-z0-9_]*/[0-9a-f]{2}/([0-9a-f]{64})\.\w+")
LIMITS = """
What this proves: without the seal, that the files agree with each other. Mails, letters and dossiers are named by their
content, each event has its own hash, and tables stand here twice. Who changes all that belongs together, checksums and
manifest included, is found by the seal alone: compare it with event `dossier_exported` of the creditor's chain
(`maatpak audit verify` there proves that chain). And who could rewrite that whole chain, its head included, is found
only by an anchor that was kept outside their reach. That something was never recorded, no dossier can show."""


def sha256(content: bytes) -> str:
    """The SHA-256 of bytes, as hex."""
    return hashlib.sha256(content).hexdigest()


def check_files(found: list[str]) -> None:
    """Every file is the one that SHA256SUMS tells of, none is missing, none was added."""
    lines = (line.split("  ", 1) for line in (HERE / "SHA256SUMS").read_text("utf-8").splitlines())
    sums = {line[-1]: line[0] for line in lines}
    there = {path.relative_to(HERE).as_posix() for path in HERE.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    found += [f"{name} is missing." for name in sorted(set(sums) - there)]
    found += [f"{name} was added: SHA256SUMS does not know it." for name in sorted(there - set(sums))]
    for name in sorted(there & set(sums)):
        content = (HERE / name).read_bytes()
        if sha256(content) != sums[name]:
            found.append(f"{name} was changed: its checksum is another.")
        key = KEY.fullmatch(name[len("evidence/") :]) if name.startswith("evidence/") else None
        if key and sha256(content) != key.group(1):
            found.append(f"{name} was changed: its name is the hash of other content.")


def check_tables(tables: dict[str, Any], counts: dict[str, int], found: list[str]) -> None:
    """As many rows as the manifest says, the same in JSON and CSV, and every file that they name is here."""
    for name, count in sorted(counts.items()):
        if len(tables[name]) != count:
            found.append(f"{name}.json has {len(tables[name])} rows; the manifest says {count}.")
        with (HERE / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            header, *cells = list(csv.reader(file)) or [[]]
        columns = [column for row in tables[name][:1] for column in row]
        if len(cells) != len(tables[name]) or header != columns or any(len(line) != len(columns) for line in cells):
            found.append(f"{name}.csv has other rows or columns than {name}.json.")
        for number, (row, line) in enumerate(zip(tables[name], cells), 1):
            for column, value, cell in zip(row, row.values(), line):
                text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
                if cell not in ({""} if value is None else {text, "'" + text}):
                    found.append(f"{name}: row {number} says one {column} in JSON and another in CSV.")
    for name, column in (("message", "content"), ("answer", "content"), ("placement", "dossier")):
        keys = {row[column] for row in tables[name] if KEY.fullmatch(row[column] or "")}
        lost = (key for key in sorted(keys) if not (HERE / "evidence" / key).is_file())
        found += [f"{name}.json names evidence that is not here: {key}." for key in lost]


def event_hash(event: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of every column but the hash: sorted keys, no spaces, the instant in UTC."""
    plain = {name: event[name] for name in HASHED}
    instant = datetime.fromisoformat(event["recorded_at"]).astimezone(timezone.utc)
    plain["recorded_at"] = instant.isoformat(timespec="microseconds")
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8"))


def check_events(events: list[dict[str, Any]], manifest: dict[str, Any], found: list[str]) -> int:
    """Every event has its hash; where numbers follow each other, so do the hashes. How many follow the one before."""
    hashes = {event["seq"]: event["hash"] for event in events}
    follow = 0
    for event in events:
        seq, before = event["seq"], hashes.get(event["seq"] - 1, "0" * 64 if event["seq"] == 1 else None)
        if event_hash(event) != event["hash"] or hashes[seq] != event["hash"]:
            found.append(f"Event {seq} ({event['kind']}) was changed: it does not have its hash.")
        if before is not None and before != event["previous_hash"]:
            found.append(f"Event {seq} ({event['kind']}) does not follow the one before: one of the two was changed.")
        follow += before is not None
    head, anchor = manifest["event_head"], manifest["last_anchor"]
    for what, known in (("head of the chain", head), ("last anchor", anchor or head)):
        if hashes.get(known["seq"], known["hash"]) != known["hash"]:
            found.append(f"Event {known['seq']} is not the one that the {what} names.")
    found += [f"Event {seq} is beyond the head of the chain." for seq in sorted(hashes) if seq > head["seq"]]
    return follow


def main() -> int:
    """Look at everything, and say it."""
    csv.field_size_limit(2**31 - 1)
    seal, found = sha256((HERE / "SHA256SUMS").read_bytes()), list[str]()
    try:
        check_files(found)
        manifest = json.loads((HERE / "manifest.json").read_text("utf-8"))
        tables = {name: json.loads((HERE / f"{name}.json").read_text("utf-8")) for name in manifest["rows"]}
        check_tables(tables, manifest["rows"], found)
        events = sorted(tables["event"] + tables["tick_event"], key=lambda event: event["seq"])
        follow = check_events(events, manifest, found)
        print(f"{sum(map(len, tables.values()))} rows, {len(events)} events, {follow} of which follow one in here.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found.append(f"It cannot be read on: {type(error).__name__}: {error}.")
    if len(sys.argv) > 1 and sys.argv[1] != seal:
        found.append("The seal is another: this is not the dossier that was exported.")
    print(f"Seal of this dossier: {seal}" + (" (compared)" if len(sys.argv) > 1 else " (not compared with any)"))
    print("\n".join(f"FOUND: {each}" for each in found) or "Nothing was changed, added or removed.")
    print(LIMITS)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
