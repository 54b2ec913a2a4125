"""Copies of invoices that go along: files that the ledger names, kept as evidence of what was sent."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from connectors.message import Attachment
from maatpak.ledger.store import EvidenceStore
from tasks.compose.reading import Row

FOLDER = "documents"
LARGEST = 5_000_000
MEDIA = {".pdf": "application/pdf", ".xml": "application/xml"}


class Copies:
    """The documents of a workspace. Only files below its `documents` folder are ever sent."""

    def __init__(self, workspace: Path, store: EvidenceStore | None) -> None:
        self._folder = (workspace / FOLDER).resolve()
        self._store = store
        self._kept: dict[Path, str] = {}
        self._prints: dict[Path, str] = {}

    def of(self, items: Sequence[Row]) -> tuple[Attachment, ...]:
        """A copy of each item that there is a file of."""
        found = []
        for item in items:
            path = self._path(item["document_path"])
            if path is not None:
                name = f"{item['document_no']}{path.suffix.lower()}".replace("/", "-")
                found.append(Attachment(name, MEDIA[path.suffix.lower()], self._keep(path)))
        return tuple(found)

    def prints(self, items: Sequence[Row]) -> list[list[str]]:
        """Name and fingerprint of each copy: what an approval binds to, also when nothing is kept."""
        paths = [self._path(item["document_path"]) for item in items]
        return [[path.name, self._print(path)] for path in paths if path is not None]

    def _print(self, path: Path) -> str:
        if path not in self._prints:
            self._prints[path] = sha256(path.read_bytes()).hexdigest()
        return self._prints[path]

    def _path(self, named: str | None) -> Path | None:
        """The file, if it is where it may be, of a known kind, and not too large for a mail."""
        if not named:
            return None
        path = (self._folder / named).resolve()
        if not path.is_relative_to(self._folder) or path.suffix.lower() not in MEDIA or not path.is_file():
            return None
        return path if path.stat().st_size <= LARGEST else None

    def _keep(self, path: Path) -> str:
        if self._store is None:
            return ""
        if path not in self._kept:
            self._kept[path] = self._store.put("document", path.read_bytes(), path.suffix.lower().removeprefix("."))
        return self._kept[path]
