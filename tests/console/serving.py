"""The web application on a real port."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from maatpak.console.app import create_app
from maatpak.kernel.clock import Clock
from tasks.engine import Engine

PATIENCE = 30.0
"""Seconds that a caller waits; the machine may be busy with other tests."""


@contextmanager
def served(engine: Engine, port: int, clock: Clock | None = None) -> Iterator[str]:
    """The application on a real port; its address."""
    server = uvicorn.Server(uvicorn.Config(create_app(engine, clock), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
