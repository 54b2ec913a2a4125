"""Where the steps of a journey stand in a drawing: a small layered layout, from top to bottom.

A step's layer is the longest way to it. Edges that pass layers get a narrow place of their own in each, so that they
run beside the steps and not through them. Within a layer the order follows the neighbours above and below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

PASSING = 4
"""Width of an edge that passes a layer."""
MARGIN = 2
SWEEPS = 6


@dataclass(frozen=True)
class Size:
    """Of a step, and the room between steps of one layer and between layers, in pixels."""

    width: int
    height: int
    beside: int
    below: int


SMALL = Size(148, 46, 14, 28)
"""For a step's name and a few words."""
LARGE = Size(176, 92, 20, 40)
"""For a step's name and its numbers, with room for words on the edges."""


@dataclass(frozen=True)
class Box:
    """A step's place: its upper left corner."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Edge:
    """Where the words of an edge stand: the middle of its last stretch."""

    earlier: str
    later: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines of a graph, in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    """Paths as SVG writes them."""
    edges: tuple[Edge, ...]


Place = tuple[str, ...]
"""A step by its name, or a passing edge by both its ends and the layer."""


def drawing(after: Mapping[str, Sequence[str]], size: Size = SMALL) -> Drawing:
    """The drawing of a graph without cycles: name → the names that come before it; others are left out."""
    above = {name: [each for each in earlier if each in after] for name, earlier in after.items()}
    layers, links = _layers(above)
    _order(layers, links)
    centres = _centres(layers, links, size)
    left = min((centres[place] - _wide(place, size) / 2 for place in centres), default=0) - MARGIN
    x = {place: centre - left for place, centre in centres.items()}
    right = max((x[place] + _wide(place, size) / 2 for place in x), default=0) + MARGIN
    level = {place: at for at, layer in enumerate(layers) for place in layer}
    tops = {place: at * (size.height + size.below) + MARGIN for place, at in level.items()}
    boxes = tuple(
        Box(place[0], round(x[place] - size.width / 2, 1), tops[place])
        for layer in layers
        for place in layer
        if _is_step(place)
    )
    stretches = [(upper, lower) for upper, lowers in links.items() for lower in lowers]
    lines = tuple(_line(x, tops, size.height, *stretch) for stretch in stretches)
    edges = tuple(
        Edge(upper[0], lower[0], round((x[upper] + x[lower]) / 2, 1), tops[lower] - size.below / 2)
        for upper, lower in stretches
        if _is_step(lower)
    )
    height = len(layers) * (size.height + size.below) - size.below + 2 * MARGIN if layers else 0
    return Drawing(round(right, 1), height, boxes, lines, edges)


def _layers(above: Mapping[str, Sequence[str]]) -> tuple[list[list[Place]], dict[Place, list[Place]]]:
    """Places by layer, and what each leads to in the next one."""
    rank: dict[str, int] = {}

    def ranked(name: str) -> int:
        if name not in rank:
            rank[name] = max((ranked(each) + 1 for each in above[name]), default=0)
        return rank[name]

    layers: list[list[Place]] = [[] for _ in range(max(map(ranked, above), default=-1) + 1)]
    links: dict[Place, list[Place]] = {}
    for name in above:
        layers[rank[name]].append((name,))
    for name, earlier in above.items():
        for each in earlier:
            passing: list[Place] = [(each, name, str(at)) for at in range(rank[each] + 1, rank[name])]
            for place, layer in zip(passing, range(rank[each] + 1, rank[name]), strict=True):
                layers[layer].append(place)
            way: list[Place] = [(each,), *passing, (name,)]
            for upper, lower in pairwise(way):
                links.setdefault(upper, []).append(lower)
    return layers, links


def _order(layers: list[list[Place]], links: Mapping[Place, Sequence[Place]]) -> None:
    """Sort each layer by where its neighbours stand, from above and from below in turn."""
    up = _turned(links)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        near = up if downward else links
        for layer in layers if downward else reversed(layers):
            at = {place: number for each in layers for number, place in enumerate(each)}
            layer.sort(key=lambda place: _mean([at[each] for each in near.get(place, ())], at[place]))


def _centres(
    layers: Sequence[Sequence[Place]], links: Mapping[Place, Sequence[Place]], size: Size
) -> dict[Place, float]:
    """The middle of each place: near its neighbours, and as far from those beside it as both need."""
    up, centres = _turned(links), dict[Place, float]()
    for layer in layers:
        at = 0.0
        for place in layer:
            centres[place] = at + _wide(place, size) / 2
            at += _wide(place, size) + size.beside
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        near = up if downward else links
        for layer in layers if downward else reversed(layers):
            wished = [_mean([centres[each] for each in near.get(place, ())], centres[place]) for place in layer]
            for place, centre in zip(layer, _apart(layer, wished, size), strict=True):
                centres[place] = centre
    return centres


def _apart(layer: Sequence[Place], wished: Sequence[float], size: Size) -> list[float]:
    """Places as near to where they are wished as their widths allow, in this order."""
    found: list[float] = []
    for at, place in enumerate(layer):
        apart = (_wide(layer[at - 1], size) + _wide(place, size)) / 2 + size.beside
        least = found[-1] + apart if found else wished[at]
        found.append(max(wished[at], least))
    shift = _mean([place - wish for place, wish in zip(found, wished, strict=True)], 0)
    return [place - shift for place in found]


def _line(x: Mapping[Place, float], tops: Mapping[Place, float], height: float, upper: Place, lower: Place) -> str:
    """From the foot of one place to the head of another; beside what it passes it runs straight down."""
    begin, end = tops[upper] + height, tops[lower]
    middle = (begin + end) / 2
    start = f"M{x[upper]:.1f} {begin if _is_step(upper) else tops[upper]:.1f}V{begin:.1f}"
    return f"{start}C{x[upper]:.1f} {middle:.1f} {x[lower]:.1f} {middle:.1f} {x[lower]:.1f} {end:.1f}"


def _turned(links: Mapping[Place, Sequence[Place]]) -> dict[Place, list[Place]]:
    found: dict[Place, list[Place]] = {}
    for upper, lowers in links.items():
        for lower in lowers:
            found.setdefault(lower, []).append(upper)
    return found


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _is_step(place: Place) -> bool:
    return len(place) == 1


def _wide(place: Place, size: Size) -> float:
    return size.width if _is_step(place) else PASSING
