"""Failures in detail, kept in the workspace: what an error says may quote personal data, so only its name goes further.

A database error quotes rows, a traceback quotes values; Prefect's database, events and other people's screens are
outside our erasure. So whoever lets the work go on after an error writes it down here and passes on its name.
"""

import traceback
from pathlib import Path

from maatpak.kernel.errors import MaatpakError
from maatpak.kernel.ids import bytes_hash
from maatpak.ledger.workspace import Workspace

FAILURES = Path("logs") / "failures"
DETAILS = f"The workspace has the details, in {FAILURES}."


def keep_failure(workspace: Workspace, error: Exception) -> str:
    """Write an error down in the workspace, whole; its name, which anybody may see."""
    # What is wrong may be the text itself, and an error quotes it.
    told = "".join(traceback.format_exception(error)).encode(errors="backslashreplace")
    folder = workspace.root / FAILURES
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{bytes_hash(told)[:16]}.txt"
    file.write_bytes(told)
    file.chmod(0o600)
    return error.code if isinstance(error, MaatpakError) else type(error).__name__
