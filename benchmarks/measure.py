"""Measuring: alternating runs, medians, and the most memory a process ever had."""

import gc
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

RUNS = 5


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Append the seconds that the block takes."""
    gc.collect()
    started = time.perf_counter()
    yield
    into.append(time.perf_counter() - started)


def alternate(subjects: Mapping[str, Callable[[list[float]], object]], runs: int = RUNS) -> dict[str, float]:
    """Run the subjects in turn, so many times; the median seconds of each. A subject times the part that counts."""
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(runs):
        for name, subject in subjects.items():
            subject(seconds[name])
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def peak_memory() -> int:
    """Bytes: the most that this process ever held. Where the system tells, without what its parent held before it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(words[1]) * 1024 for words in lines if words[0] == "VmHWM:")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
