"""What the flow and task runs of this process work with: the engine, the present instant, and discretion.

A run in a process of its own opens the engine that its settings name, once, and closes it when the process ends. Who
runs flows inside a process that has an engine already (the demo, tests) lends it.
"""

import atexit
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from maatpak.kernel.clock import SystemClock
from maatpak.kernel.errors import MaatpakError, OutsideError, TransientError
from maatpak.kernel.ids import bytes_hash
from maatpak.kernel.settings import load_settings
from tasks.engine import Engine, open_engine

P = ParamSpec("P")
R = TypeVar("R")

FAILURES = Path("logs") / "failures"
DETAILS = f"The workspace has the details, in {FAILURES}."

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

    A database error quotes rows, a traceback quotes values; Prefect's database is outside our erasure and audit.

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
    told = "".join(traceback.format_exception(error))
    folder = engine().settings.workspace / FAILURES
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{bytes_hash(told.encode())[:16]}.txt"
    file.write_text(told)
    file.chmod(0o600)
    return error.code if isinstance(error, MaatpakError) else type(error).__name__
