"""Consoles at stages of a case's life."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.console.house import Console, console_of
from tests.tasks.act.stages import Stages

At = Callable[[str], Console]


@pytest.fixture
def at(stages: Stages, tmp_path: Path) -> Iterator[At]:
    """A console of this test's own at a stage, such as `demanding`: its cases are those of one house."""
    with ExitStack() as kept:
        yield lambda stage: console_of(kept.enter_context(stages.at(stage, tmp_path / "house")).engine)
