"""How the properties of the laws are tried: few examples where each plays days in a database, many where none does."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests.tasks.act.house import House
from tests.tasks.act.stages import Stages

pure = settings(max_examples=200, deadline=None)
played = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""The same three lives each time; the random ones are tests/lives."""
long_played = settings(played, max_examples=2)
"""For lives of many days."""


@contextmanager
def house_at(stages: Stages, stage: str = "start") -> Iterator[House]:
    """A house of the example's own."""
    with tempfile.TemporaryDirectory() as folder, stages.at(stage, Path(folder) / "workspace") as house:
        yield house
