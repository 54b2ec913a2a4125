"""The house that writes."""

import pytest

from tasks.engine import Engine
from tests.tasks.outbox_world import House


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)
