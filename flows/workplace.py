"""What the flow and task runs of this process work with: the engine, the present instant, and discretion.

A run in a process of its own opens the engine that its settings name, once, and closes it when the process ends. Who
runs flows inside a process that has an engine already (the demo, tests) lends it.
"""

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from maatpak.kernel.errors import MaatpakError, OutsideError, TransientError
from maatpak.kernel.settings import load_settings
from maatpak.ledger.failures import DETAILS, keep_failure
from tasks.engine import Engine, open_engine
from tasks.seen import Seen

P = ParamSpec("P")
R = TypeVar("R")

_lock = threading.Lock()
_engines: list[Engine] = []
"""The last one counts: lent ones lie on top of our own."""

_looks: ContextVar[dict[int, Seen] | None] = ContextVar("looks", default=None)
"""What the ticks of the daily run around us saw, by shard."""


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


@contextmanager
def one_heart() -> Iterator[None]:
    """The runs inside the block send no heartbeats: they live and die with the run around them, which does.

    Prefect would have each wait up to a second at its end for its own heart to stop.
    """
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@contextmanager
def looking() -> Iterator[None]:
    """What ticks see inside the block serves what follows there (decision 8)."""
    token = _looks.set({})
    try:
        yield
    finally:
        _looks.reset(token)


def keep_look(shard: int, seen: Seen) -> None:
    """A tick of the daily run around us has looked; outside of one nothing is kept."""
    looks = _looks.get()
    if looks is not None:
        looks[shard] = seen


def look_of(shard: int) -> Seen | None:
    """What the tick of a shard has just seen, if this is a daily run."""
    return (_looks.get() or {}).get(shard)


def instant(at: datetime | None) -> datetime:
    """The instant that a run speaks for: the one it was given, else now. The only look at a clock in a run."""
    return engine().clock.now() if at is None else at.astimezone(UTC)


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
