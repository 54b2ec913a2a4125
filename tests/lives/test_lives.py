"""Random lives side by side: after every day every law holds, whatever happened to whom."""

from pathlib import Path

import pytest

from tasks.engine import Engine
from tests.lives.world import Lives


def play(engine: Engine, seed: int, lives: int, days: int) -> Lives:
    """Live and prove, day by day."""
    world = Lives(engine, seed, lives)
    evidence = Path(engine.store.url)
    for day in world.days(days):
        if world.live(day):
            breaches = world.breaches(evidence)
            assert not breaches, f"{day}, seed {seed}:\n" + "\n".join(map(str, breaches))
    return world


def test_two_hundred_lives(engine: Engine) -> None:
    world = play(engine, seed=1, lives=200, days=14)
    assert sum(world.done.values()) > 300, world.done


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 27))
def test_five_thousand_lives(engine: Engine, seed: int) -> None:
    play(engine, seed=seed, lives=200, days=90)
