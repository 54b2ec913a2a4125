"""Anchors: after a commit the head of the chain is written down outside the database, where its owner cannot mend it.

One line a head in an append-only file, on the disk before the call returns. Whoever cuts off or rewrites events would
have to rewrite this file too; kept on another machine or printed, it proves the whole chain up to that number.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from maatpak.kernel.errors import WorkspaceError


@dataclass(frozen=True)
class Anchor:
    """A head of the chain as it was."""

    seq: int
    hash: str
    at: datetime


class Anchors:
    """The anchors of one installation, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "anchors.jsonl"

    def record(self, seq: int, hash_: str, at: datetime) -> None:
        """Write a head down, unless it or a later one is there already; several processes may do it at once."""
        line = json.dumps({"seq": seq, "hash": hash_, "at": at.isoformat()}).encode() + b"\n"
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last, torn = _last_line(file.fileno())
            if last is not None and last.seq >= seq:
                return
            os.write(file.fileno(), b"\n" + line if torn else line)
            os.fsync(file.fileno())

    def last(self) -> Anchor | None:
        """The newest anchor, read from the end of the file."""
        if not self.file.exists():
            return None
        with self.file.open("rb") as file:
            return _last_line(file.fileno())[0]

    def read(self) -> list[Anchor]:
        """Every anchor, oldest first.

        Raises:
            WorkspaceError: a line in the middle cannot be read; the file was tampered with.
        """
        if not self.file.exists():
            return []
        anchors = []
        lines = self.file.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            anchor = _parse(line)
            if anchor is not None:
                anchors.append(anchor)
            elif line and number < len(lines) and not _was_torn(line):
                raise WorkspaceError(
                    f"Line {number} of {self.file} is not an anchor: {line[:80]!r}.",
                    advice="Compare the file with a backup; it is only ever added to.",
                )
        return anchors


def _parse(line: bytes) -> Anchor | None:
    try:
        data = json.loads(line)
        return Anchor(int(data["seq"]), str(data["hash"]), datetime.fromisoformat(data["at"]))
    except (ValueError, KeyError, TypeError):
        return None


def _was_torn(line: bytes) -> bool:
    """Whether it is the beginning of an anchor, left by a crash in the middle of writing it."""
    return line.startswith(b'{"seq": '[: len(line)]) and not line.endswith(b"}")


def _last_line(descriptor: int) -> tuple[Anchor | None, bool]:
    """The last whole anchor, and whether something torn comes after it."""
    size = os.fstat(descriptor).st_size
    end = os.pread(descriptor, 4096, max(0, size - 4096))
    lines = end.split(b"\n")
    torn = bool(lines[-1])
    found = [anchor for anchor in map(_parse, reversed(lines)) if anchor is not None]
    return (found[0] if found else None), torn
