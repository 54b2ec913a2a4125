"""Charts: thin SVG in the reader's fonts, safe in a page under a strict policy, told apart without colour vision."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from maatpak.console.charts.drawing import INKS, Aged, Cause, Dated, Scheme, ageing_chart, expected_chart, pareto_chart
from maatpak.console.charts.drawing import trend_chart as trend
from tasks.figures.formulas import BUCKETS

DAY = date(2026, 3, 2)
HOSTILE = "<script>&\"'"
LABEL = 'Ageing & "more"'
MOST = 40_000

SEGMENTS = ("prompt", "habitual", "key", "forgetful", "strained", HOSTILE)
AGED = [Aged(name, bucket, 10_000_00 * (6 - place)) for place, name in enumerate(SEGMENTS) for bucket in BUCKETS]
WEEKS = [(DAY + timedelta(days=7 * place), 1_000_00 * (place + 1)) for place in range(13)]
LINES = [(name, [Dated(DAY + timedelta(days=7 * k), 40.0 + k) for k in range(13)]) for name in ("DSO", "Best", HOSTILE)]
CAUSES = [Cause("Price", 50_00, 4), Cause(HOSTILE, 30_00, 2), Cause("Lost", 20_00, 9)]

Draw = Callable[[Scheme, int], str]
CHARTS: dict[str, Draw] = {
    "ageing": lambda scheme, width: ageing_chart(AGED, BUCKETS, "EUR", scheme, label=LABEL, width=width),
    "expected": lambda scheme, width: expected_chart(WEEKS, "EUR", scheme, label=LABEL, width=width),
    "trend": lambda scheme, width: trend(LINES, scheme, label=LABEL, width=width),
    "pareto": lambda scheme, width: pareto_chart(CAUSES, "EUR", scheme, label=LABEL, width=width),
}
EMPTY: dict[str, Callable[[], str]] = {
    "ageing": lambda: ageing_chart([], BUCKETS, "EUR", Scheme.LIGHT, label=LABEL),
    "expected": lambda: expected_chart([], "EUR", Scheme.LIGHT, label=LABEL),
    "trend": lambda: trend([("DSO", [])], Scheme.LIGHT, label=LABEL),
    "pareto": lambda: pareto_chart([], "EUR", Scheme.LIGHT, label=LABEL),
}


@pytest.mark.parametrize(("scheme", "width"), [(Scheme.LIGHT, 640), (Scheme.DARK, 328)])
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_thin_plain_and_told_to_those_who_hear_it(name: str, scheme: Scheme, width: int) -> None:
    svg = CHARTS[name](scheme, width)
    root = ET.fromstring(svg)
    assert len(svg.encode()) <= MOST
    assert root.get("role") == "img"
    assert root.get("aria-label") == LABEL
    assert float((root.get("viewBox") or "").split()[2]) == pytest.approx(width, abs=1)
    assert re.search(r"<script|<style| style=| class=| on\w+=|href|url\(|@import", svg) is None
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert name == "expected" or any(HOSTILE in text for text in texts)


@pytest.mark.parametrize("name", EMPTY)
def test_a_chart_of_nothing_is_still_one(name: str) -> None:
    assert ET.fromstring(EMPTY[name]()).get("role") == "img"


def test_labels_say_what_the_bars_show() -> None:
    svg = CHARTS["pareto"](Scheme.LIGHT, 640)
    assert re.findall(r">(€\d+ · \d+ · \d+ %)<", svg) == ["€50 · 4 · 50 %", "€30 · 2 · 80 %", "€20 · 9 · 100 %"]
    ink = INKS[Scheme.LIGHT]
    assert (svg.count(ink.strong), svg.count(ink.pale)) == (2, 1)
    assert re.findall(r">(€[^<]+)<", CHARTS["ageing"](Scheme.LIGHT, 640)) == [f"€{50 * n}K" for n in (6, 5, 4, 3, 2, 1)]


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", Scheme)
def test_the_ages_are_told_apart_in_grey(scheme: Scheme) -> None:
    late = [_luminance(colour) for colour in INKS[scheme].ages[1:]]
    contrasts = [(max(pair) + 0.05) / (min(pair) + 0.05) for pair in pairwise(late)]
    assert late == sorted(late, reverse=scheme is Scheme.LIGHT)
    assert min(contrasts) > 1.4
