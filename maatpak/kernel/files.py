"""Files for others: put in place whole or not at all, with cells that no spreadsheet takes for a formula."""

import os
from pathlib import Path
from uuid import uuid4

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all, for its owner alone, and on the disk before it has its name. Its folder is there."""
    draft = path.with_name(f".{uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Have the disk know the names that were put in place there: without it, the last ones can go with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def plain_cell(text: str) -> str:
    """Text for a cell, quoted where a spreadsheet would run it."""
    return f"'{text}" if text.startswith(FORMULA) else text
