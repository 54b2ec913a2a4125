"""The server of a test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.engine import Engine
from tests.mailserver.server import MailServer, mail_server, remove, require
from tests.tasks.outbox_world import House


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A server that is not started yet; a path short enough for its sockets."""
    require()
    folder = Path(tempfile.mkdtemp(prefix="maatpak-mail-"))
    try:
        with mail_server(folder) as made:
            yield made
    finally:
        remove(folder)


@pytest.fixture
def house(engine: Engine) -> House:
    """The house that sends through it."""
    return House(engine, email="credit@ours.test")
