"""Letters set beside each other, each in a process of its own: two threads of one process are little faster than one.

A child is started when it is first needed and lives as long as its standard input stays open, so an interrupted or
killed owner leaves none behind. One that dies takes the letter that it was setting with it, and no other.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections import deque
from multiprocessing.connection import Connection, Pipe

from connectors.companion import end_child
from connectors.message import Outgoing
from connectors.outcome import Failed
from connectors.post.letters import letter_pdf, signs_without_a_font
from maatpak.kernel.errors import TransientError

MOST = 8
"""More children than that would wait for their owner: what it does for a letter takes a sixth of the time to set it."""


def fitting() -> int:
    """How many children keep busy the cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST)


class Typesetters:
    """As many children as are ever needed at once, at most `count`."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._idle: deque[_Typesetter] = deque()

    def letter(self, outgoing: Outgoing, *, sender_line: bool = True) -> bytes | Failed:
        """The letter as `letter_pdf` gives it; a failure where the fonts lack a sign. Any thread may ask.

        Raises:
            TransientError: the child died, or did not start.
            Exception: what `letter_pdf` raises.
        """
        with self._free:
            try:
                typesetter = self._living()
                made = typesetter.letter(outgoing, sender_line=sender_line)
            except (EOFError, OSError) as error:
                raise TransientError(
                    "The process that sets letters has ended.", advice="The next delivery tries the letter again."
                ) from error
            self._idle.append(typesetter)
        if isinstance(made, Exception):
            raise made
        return made

    def stop(self) -> None:
        """End them, and wait until they are gone."""
        while self._idle:
            self._idle.pop().end()

    def _living(self) -> "_Typesetter":
        while self._idle:
            typesetter = self._idle.pop()
            if typesetter.process.poll() is None:
                return typesetter
        return _Typesetter()


class _Typesetter:
    """One child."""

    def __init__(self) -> None:
        self._letters, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", __name__], stdin=theirs.fileno(), stdout=subprocess.DEVNULL
            )
        self.end = weakref.finalize(self, _end, self.process, self._letters)

    def letter(self, outgoing: Outgoing, *, sender_line: bool) -> bytes | Failed | Exception:
        """What came of it.

        Raises:
            EOFError, OSError: the child is no more.
        """
        try:
            self._letters.send((outgoing, sender_line))
            made: bytes | Failed | Exception = self._letters.recv()
        except (EOFError, OSError):
            self.end()
            raise
        return made


def _end(process: subprocess.Popen[bytes], letters: Connection) -> None:
    letters.close()
    end_child(process)


def _made(outgoing: Outgoing, *, sender_line: bool) -> bytes | Failed | Exception:
    try:
        if signs := signs_without_a_font(outgoing):
            return Failed(f"the letter's fonts have no {signs}", permanent=True)
        return letter_pdf(outgoing, sender_line=sender_line)
    except Exception as error:  # noqa: BLE001 - it is raised where the letter was asked for
        error.add_note(traceback.format_exc())
        return error


def main() -> None:
    """Set the letters that come in until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Connection(0) as owner, contextlib.suppress(EOFError, OSError):
        while True:
            outgoing, sender_line = owner.recv()
            owner.send(_made(outgoing, sender_line=sender_line))


if __name__ == "__main__":
    main()
