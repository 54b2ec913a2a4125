"""Drawings of journeys: every step has its place, below what comes before it, and none lies on another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.console.frame.graph import LARGE, SMALL, Size, drawing
from policies.pack import load_pack, standard_pack_files

PACK = load_pack(standard_pack_files())


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Up to a dozen steps, each after some of those before it."""
    names = [f"s{number}" for number in range(draw(st.integers(0, 12)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=4)) if at else []
        for at, name in enumerate(names)
    }


def holds(after: dict[str, list[str]], size: Size) -> None:
    drawn = drawing(after, size)
    boxes = {each.name: each for each in drawn.boxes}
    assert sorted(boxes) == sorted(after)
    for name, earlier in after.items():
        box = boxes[name]
        assert 0 <= box.x <= drawn.width - size.width
        assert 0 <= box.y <= drawn.height - size.height
        assert all(boxes[each].y + size.height < box.y for each in earlier)
        beside = [each for each in drawn.boxes if each.y == box.y and each.name != name]
        assert all(abs(each.x - box.x) > size.width for each in beside)
    assert len(drawn.lines) >= sum(map(len, after.values()))
    told = {(each.earlier, each.later) for each in drawn.edges}
    assert told == {(before, name) for name, earlier in after.items() for before in earlier}
    assert all(boxes[each.later].y - size.below < each.y < boxes[each.later].y for each in drawn.edges)


@given(graphs(), st.sampled_from([SMALL, LARGE]))
def test_any_graph(after: dict[str, list[str]], size: Size) -> None:
    holds(after, size)


@pytest.mark.parametrize("segment", PACK.journeys)
def test_the_standard_journeys_fit_a_column(segment: str) -> None:
    after = {step.name: list(step.after) for step in PACK.journeys[segment].course}
    holds(after, SMALL)
    assert drawing(after).width < 4 * SMALL.width
