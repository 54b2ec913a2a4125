"""Waiting that Ctrl-C and SIGTERM cut short, at moments of our choosing: never between a start and its clean-up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Patience:
    """Waits in pieces; once a signal came, no more waiting."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            KeyboardInterrupt: somebody asked us to end.
        """
        if self._asked.wait(seconds):
            raise KeyboardInterrupt

    def end(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler."""
        del signum, frame
        self._asked.set()


@contextmanager
def patience() -> Iterator[Patience]:
    """While the block lasts, Ctrl-C and SIGTERM end the waiting, not the process."""
    waiting = Patience()
    before = {each: signal.signal(each, waiting.end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield waiting
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
