"""Processes that belong to `maatpak up`, and never outlive it.

Each child leads a session of its own, so that Ctrl-C reaches only us and we choose the order in which they end; the
whole session is swept up after its leader. Each holds the reading end of a pipe: should we be killed, it reads the end
of the pipe and ends by itself.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from maatpak.kernel.errors import WorkspaceError

LAST_WORDS = 5
"""Lines of a child's log that an error message repeats."""


class Child:
    """One module of ours, run as a process with its output in a log file."""

    def __init__(
        self, title: str, module: str, arguments: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self.title = title
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", module, *arguments],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def require_alive(self) -> None:
        """Check that it runs.

        Raises:
            WorkspaceError: it ended; the message has its last words.
        """
        status = self._process.poll()
        if status is not None:
            said = self.log.read_text(errors="replace").strip().splitlines()[-LAST_WORDS:]
            raise WorkspaceError(
                f"{self.title} ended by itself with status {status}: {' | '.join(said) or 'it said nothing'}",
                advice=f"Its log is {self.log}.",
            )

    def stop(self, patience: float) -> None:
        """Ask it to end, wait, and sweep up what is left of its session."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._sweep()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _sweep(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def end_with_parent() -> None:
    """In a child: end in good order as soon as the parent is gone."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # Nothing is ever written: this returns when the pipe breaks.
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
