"""A local service beside us: a child process that is started at first use and ends when we do, however we end.

The child says on its first line of output on which port it listens, and lives as long as its standard input stays open.
So an interrupted or killed owner leaves nothing behind, and there is no port or process number to guess.
"""

import contextlib
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

from maatpak.kernel.errors import WorkspaceError


class Companion:
    """One module run as a child process with its folder as first argument."""

    def __init__(self, module: str, folder: Path, *arguments: str) -> None:
        self.module = module
        self.folder = folder
        self.arguments = arguments
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self._finalizer: weakref.finalize[..., Companion] | None = None

    def port(self) -> int:
        """The port it listens on; starts it, again if it died.

        Raises:
            WorkspaceError: it did not start.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._release()
                self._start()
            return self._port

    def stop(self) -> None:
        """End it, if it runs, and wait until it is gone."""
        with self._lock:
            self._release()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", self.module, str(self.folder), *self.arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self._process = process
        self._finalizer = weakref.finalize(self, end_child, process)
        line = process.stdout.readline().strip() if process.stdout else ""
        if not line.isdigit():
            self._release()
            raise WorkspaceError(
                f"The local service {self.module} did not start in {self.folder}.",
                advice="Its own message is above; `maatpak doctor` checks the workspace.",
            )
        self._port = int(line)

    def _release(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._finalizer, self._process = None, None


def end_child(process: subprocess.Popen[Any]) -> None:
    """Close what it reads and writes, and wait until it is gone; one that does not go is killed."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
