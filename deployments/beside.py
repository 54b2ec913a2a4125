"""Work that goes on beside other work in one process, bounded."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class OneOfEach:
    """Work beside each other, one piece at a time of each key; a piece says for how many seconds its key then rests."""

    def __init__(self, at_once: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._last: dict[int, Future[float]] = {}

    def start(self, key: int, work: Callable[[], float]) -> None:
        """Begin it, unless the key's last piece is under way or its rest is not over. Returns at once."""
        last = self._last.get(key)
        if last is None or (last.done() and time.monotonic() >= last.result()):
            self._last[key] = self._pool.submit(_rested, work)

    def close(self) -> None:
        """Wait for what is under way; what has not begun is left."""
        self._pool.shutdown(cancel_futures=True)


def _rested(work: Callable[[], float]) -> float:
    """Do it; the moment at which its rest is over."""
    rest = work()
    return time.monotonic() + rest
