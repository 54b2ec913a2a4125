"""Evidence: files that are named by their content, kept under any fsspec URL, written once and never changed.

A key is `kind/ab/abcdef….suffix`, its long part the SHA-256 of the content. So a key in an event proves the content,
the same content is kept once, and a half-written file can never be taken for a whole one.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from fsspec.core import url_to_fs

from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.files import write_whole
from maatpak.kernel.ids import bytes_hash

KEY = re.compile(r"(?P<kind>[a-z][a-z0-9_]*)/(?P<start>[0-9a-f]{2})/(?P<hash>(?P=start)[0-9a-f]{62})\.(?P<suffix>\w+)")
"""How an evidence key is spelled."""
ROWS_A_GROUP = 8_192
"""Rows of a frame that are packed together: few enough to look at one case of many at once."""


class EvidenceStore:
    """Content-addressed files under a folder or an object store."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._files, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"Evidence cannot be kept at {url!r}: {error}.",
                advice="Set MAATPAK_EVIDENCE_URL to a known fsspec URL.",
            ) from error
        self.is_local = "file" in _protocols(self._files)
        """Whether it is a folder of this machine."""

    def put(self, kind: str, content: bytes, suffix: str) -> str:
        """Keep bytes; the key by which they are found. The same content again is the same file."""
        digest = bytes_hash(content)
        key = f"{kind}/{digest[:2]}/{digest}.{suffix}"
        _parts(key)
        if self.is_local:
            _write_once(Path(self._root) / key, content)
        elif not self._files.exists(f"{self._root}/{key}"):
            self._files.pipe_file(f"{self._root}/{key}", content)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key, proven to be what they were.

        Raises:
            WorkspaceError: the file is gone, or is no longer what its name says.
        """
        content, problem = self._look(key)
        if problem is not None:
            raise WorkspaceError(
                f"Evidence {key} {problem} in {self.url}.",
                advice="Restore it from a backup; its name proves its content.",
            )
        return content

    def put_frame(self, kind: str, frame: pl.DataFrame) -> str:
        """Keep a frame as compressed Parquet; its key."""
        buffer = BytesIO()
        frame.write_parquet(buffer, compression="zstd", row_group_size=ROWS_A_GROUP)
        return self.put(kind, buffer.getvalue(), "parquet")

    def get_frame(self, key: str, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
        """The frame of a key; only some of its columns, and its rows for which `where` holds, in a part of the time."""
        lazy = pl.scan_parquet(BytesIO(self.get(key)))
        lazy = lazy if where is None else lazy.filter(where)
        return (lazy if columns is None else lazy.select(list(columns))).collect()

    def problem(self, key: str) -> str | None:
        """What is wrong with the file of a key: `is missing` or `was changed`; None if it is as it was put."""
        return self._look(key)[1]

    def path(self, key: str) -> Path | None:
        """Where the file lies, if the store is a folder."""
        _parts(key)
        return Path(self._root) / key if self.is_local else None

    def _read(self, key: str) -> bytes:
        if self.is_local:
            return (Path(self._root) / key).read_bytes()
        content: bytes = self._files.cat_file(f"{self._root}/{key}")
        return content

    def _look(self, key: str) -> tuple[bytes, str | None]:
        digest = _parts(key)["hash"]
        try:
            content = self._read(key)
        except FileNotFoundError:
            return b"", "is missing"
        return content, None if bytes_hash(content) == digest else "was changed"


def _parts(key: str) -> dict[str, str]:
    match = KEY.fullmatch(key)
    if match is None:
        raise UsageError(f"{key!r} is not an evidence key.", advice="A key looks like letter/ab/ab….pdf.")
    return match.groupdict()


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


def _write_once(path: Path, content: bytes) -> None:
    """On the disk before anybody can name it; what is there already is the same."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, content)
