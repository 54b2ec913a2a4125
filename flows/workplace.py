"""What the flow and task runs of this process work with: the engine, the present instant, and discretion.

A run in a process of its own opens the engine that its settings name, once, and closes it when the process ends. Who
runs flows inside a process that has an engine already (the demo, tests) lends it.
"""

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from maatpak.kernel.clock import SystemClock
from maatpak.kernel.errors import MaatpakError, OutsideError, TransientError
from maatpak.kernel.settings import load_settings
from maatpak.ledger.failures import DETAILS, keep_failure
from tasks.engine import Engine, open_engine

P = ParamSpec("P")
R = TypeVar("R")

_lock = threading.Lock()
_engines: list[Engine] = []
"""The last one counts: lent ones lie on top of our own."""


def engine() -> Engine:
    """The engine to work with."""
    with _lock:
        if not _engines:
            opened = open_engine(load_settings())
            atexit.register(opened.close)
            _engines.append(opened)
        return _engines[-1]


@contextmanager
def lent(own: Engine) -> Iterator[None]:
    """Flows that run inside the block work with this engine."""
    with _lock:
        _engines.append(own)
    try:
        yield
    finally:
        with _lock:
            _engines.remove(own)


def instant(at: datetime | None) -> datetime:
    """The instant that a run speaks for: the one it was given, else now. The only look at a clock in a run."""
    return SystemClock().now() if at is None else at.astimezone(UTC)


def discreet(title: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the work; should it fail, let Prefect see what kind of failure it was, and the workspace all of it.

    Raises:
        TransientError: another try may do better.
        OutsideError: it would not.
    """
    try:
        return work(*args, **kwargs)
    except Exception as error:  # noqa: BLE001
        name = keep_for_ourselves(error)
        final = isinstance(error, MaatpakError) and not isinstance(error, TransientError)
        failure = (OutsideError if final else TransientError)(f"{title} failed: {name}.", advice=DETAILS)
    # Raised out here, so that the original does not travel along as context.
    raise failure


def keep_for_ourselves(error: Exception) -> str:
    """Write an error down in the workspace, whole; its name, which anybody may see."""
    return keep_failure(engine().workspace, error)
