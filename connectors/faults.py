"""Failures on demand: what a local simulator does wrong, to whom, and how often.

They stand in a file of the simulator's folder, so that a test, a demo or a person can change them while it runs.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "faults.json"


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong for recipients that contain `match`."""

    match: str = ""
    reply: str = ""
    """What the service answers instead of yes: an SMTP reply, or an HTTP status with a service's error code."""
    at: str = "recipient"
    """When: at the `recipient`, at the `content`, or `after` it was taken."""
    drop: bool = False
    """Cut the connection instead of answering."""
    delay: float = 0.0
    """Seconds to wait before answering."""
    times: int | None = None
    """How often; always when not given."""


def plan_faults(folder: Path, faults: Sequence[Fault]) -> None:
    """Replace the faults of the simulator in a folder; none heals it."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.{os.getpid()}"
    draft.write_text(json.dumps([asdict(fault) for fault in faults]))
    draft.replace(folder / FILE)


class Faults:
    """The simulator's side: reads the file again whenever it changes, and counts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._seen: tuple[int, int] | None = None
        self._faults: list[Fault] = []

    def take(self, recipient: str, at: str) -> Fault | None:
        """The fault that strikes this recipient now, counted off."""
        self._refresh()
        for fault in self._faults:
            if fault.at == at and fault.match in recipient and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._faults = None, []
            return
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._seen:
            self._seen = stamp
            self._faults = [Fault(**each) for each in json.loads(self._path.read_text())]
