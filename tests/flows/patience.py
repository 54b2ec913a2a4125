"""Waiting for what other processes do, with an end."""

import time
from collections.abc import Callable

PATIENCE = 300.0
LOOK_EVERY = 0.05


def until(reached: Callable[[], object], what: str) -> None:
    """Wait for something, with an end."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(LOOK_EVERY)
