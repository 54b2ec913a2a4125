"""An agency's folder: one dossier a placement, in a folder of its own.

A dossier is a PDF cover, the items, the contact history and the checks as CSV, copies of the evidence, and a manifest
with the hash of every file. It is made aside and put in place whole by one rename, so the same placement leaves one
dossier.
"""

import csv
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from connectors.agency.cover import cover_pdf
from connectors.agency.port import Dossier
from connectors.outcome import Failed, Outcome, Sent
from maatpak.kernel.files import plain_cell
from maatpak.kernel.ids import bytes_hash, canonical_json
from maatpak.kernel.money import to_decimal

ITEM_COLUMNS = (
    "document_no",
    "item_type",
    "issued_on",
    "due_on",
    "currency",
    "amount",
    "open_amount",
    "placed_amount",
)
MONEY_COLUMNS = frozenset({"amount", "open_amount", "placed_amount"})
HISTORY_COLUMNS = ("on", "kind", "channel", "what", "result", "evidence")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class AgencyFolder:
    """A folder that an agency, or an upload to one, empties."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, dossier: Dossier) -> Outcome:
        """Write the dossier; the same placement again leaves the one that is there."""
        target = self._target(dossier.agency, dossier.placement_ref)
        if not target.exists():
            draft = target.with_name(f".{uuid4().hex}")
            try:
                draft.mkdir(parents=True)
                self._write(dossier, draft)
                _put_in_place(draft, target)
            except OSError as error:
                return Failed(f"the agency's folder cannot be written: {error}", permanent=False)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return Sent(str(target.relative_to(self.folder)))

    def has(self, agency: str, placement_ref: str) -> bool:
        """Whether the dossier is in its place."""
        return self._target(agency, placement_ref).exists()

    def _target(self, agency: str, placement_ref: str) -> Path:
        return self.folder / _name(agency) / _name(placement_ref)

    def _write(self, dossier: Dossier, folder: Path) -> None:
        enclosed = {
            copy.name: f"evidence/{number:03d}-{_name(copy.name)}"
            for number, copy in enumerate(dossier.evidence, start=1)
        }
        dossier = replace(dossier, history=tuple(_naming_files(each, enclosed) for each in dossier.history))
        files: dict[str, bytes] = {
            "cover.pdf": cover_pdf(dossier),
            "items.csv": _csv(ITEM_COLUMNS, (_item(item, dossier.currency) for item in dossier.items)),
            "history.csv": _csv(HISTORY_COLUMNS, dossier.history),
            "checks.csv": _csv(("on", "check", "result", "until", "actor", "source"), dossier.checks),
            "approvals.csv": _csv(("on", "actor", "role", "reason"), dossier.approvals),
        }
        files |= {enclosed[copy.name]: copy.content for copy in dossier.evidence}
        manifest = {
            "placement": dossier.placement_ref,
            "agency": dossier.agency,
            "placed_on": dossier.placed_on,
            "customer": dossier.customer,
            "currency": dossier.currency,
            "amount": sum(item["placed_amount"] for item in dossier.items),
            "files": {name: {"sha256": bytes_hash(content), "bytes": len(content)} for name, content in files.items()},
        }
        files["manifest.json"] = json.dumps(
            json.loads(canonical_json(manifest)), ensure_ascii=False, indent=1, sort_keys=True
        ).encode()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())


def _put_in_place(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise


def _naming_files(contact: Mapping[str, Any], enclosed: Mapping[str, str]) -> dict[str, Any]:
    """A contact with its evidence as the dossier's own file; what is not enclosed is not named."""
    return {**contact, "evidence": enclosed.get(contact.get("evidence") or "", "")}


def _item(item: Mapping[str, Any], currency: str) -> dict[str, Any]:
    money = {name: to_decimal(item[name], currency) for name in MONEY_COLUMNS}
    return {**item, **money, "currency": currency}


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """CSV that a spreadsheet can open without running anything in it."""
    written = StringIO()
    names = list(columns)
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return plain_cell(value)
    return "" if value is None else str(value)


def _name(text: str) -> str:
    return _NOT_IN_NAMES.sub("_", text).strip("._") or "_"
