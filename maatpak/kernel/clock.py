"""The one place that reads a clock. Edges take `now` from here and hand it down (law 1)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

Elapsed = Callable[[], timedelta]
"""Technical time that has passed since somebody began: what `now` has grown by while the work went on."""


class Clock(Protocol):
    """Gives the present instant in UTC."""

    def now(self) -> datetime:
        """The present instant, with its zone."""
        ...


class SystemClock:
    """The machine's clock, or so far ahead of it that an installation lives in another time than we do."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC) + self._ahead


class FixedClock:
    """A clock that stands where it is put; tests move it by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was put at."""
        return self.at


def stopwatch() -> Elapsed:
    """One that begins to run at once. It never runs backwards, and goes on while the machine sleeps."""
    clock = SystemClock()
    began = clock.now()
    furthest = timedelta()

    def elapsed() -> timedelta:
        nonlocal furthest
        furthest = max(furthest, clock.now() - began)
        return furthest

    return elapsed
