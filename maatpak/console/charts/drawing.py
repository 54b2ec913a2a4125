"""Charts as SVG: numbers in, text out. Calm, labelled where they are, told apart without colour vision.

A colour scheme each, for what is drawn is cached and shown as it is. The text is plain SVG text in the reader's own
fonts; the drawing carries no style, script or outside address, so it stands in a page under a strict policy.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Any

from babel.numbers import format_compact_currency, format_currency

from maatpak.kernel.money import to_decimal

if TYPE_CHECKING:
    import altair

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
SIZE = 12
WIDTH = 640
ROW = 28
"""Height of a bar with the room around it, pixels."""
NARROW = 480
"""Up to this width, pixels, things stand closer."""
SMALL, LARGE = 10, 1000
"""Numbers below and above these are written with a decimal, and short."""
FEW_DAYS = 120
"""Up to so many days are told by their days."""
LETTER = 7.2
"""Width that a letter may take, pixels: readers' fonts are wider than the one that is measured here."""
LONGEST = 22
"""Letters of a name beside a bar; longer ones are cut."""


class Scheme(StrEnum):
    """The page's colours."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class _Ink:
    text: str
    quiet: str
    line: str
    ages: tuple[str, str, str, str, str]
    """Not yet due in a cool colour, then from pale to strong in a warm one: their order shows in grey, too."""
    strong: str
    pale: str
    lines: tuple[str, str, str]


INKS = {
    Scheme.LIGHT: _Ink(
        text="#1f2933",
        quiet="#5b6875",
        line="#dde3e8",
        ages=("#8fb0cf", "#f2c57c", "#e0984a", "#b8651c", "#733407"),
        strong="#2f6690",
        pale="#9db9d3",
        lines=("#2f6690", "#b35c00", "#7c8894"),
    ),
    Scheme.DARK: _Ink(
        text="#e6ebf0",
        quiet="#9aa7b4",
        line="#33404c",
        ages=("#50779c", "#7d5730", "#ad7234", "#dc9a4e", "#ffd7a3"),
        strong="#6fa8dc",
        pale="#54718d",
        lines=("#6fa8dc", "#f0a35e", "#9aa7b4"),
    ),
}


@dataclass(frozen=True)
class Aged:
    """Open money of one row (a segment, a creditor) in one ageing bucket."""

    row: str
    bucket: str
    amount: int


@dataclass(frozen=True)
class Dated:
    """A value at a date."""

    on: date
    value: float


@dataclass(frozen=True)
class Cause:
    """A reason or department with what it keeps back."""

    name: str
    amount: int
    count: int


def ageing_chart(
    parts: Sequence[Aged], buckets: Sequence[str], currency: str, scheme: Scheme, *, label: str, width: int = WIDTH
) -> str:
    """A bar a row, stacked by bucket from young to old, its total behind it; the largest row first.

    `buckets` are in their order; amounts are minor units of the currency; `label` says in a sentence what is shown.
    """
    import altair as alt

    ink = INKS[scheme]
    totals: dict[str, int] = {}
    for part in parts:
        totals[part.row] = totals.get(part.row, 0) + part.amount
    rows = sorted(totals, key=lambda row: (-totals[row], row))
    stacked = [
        {"row": part.row, "bucket": part.bucket, "place": list(buckets).index(part.bucket), "amount": part.amount}
        for part in parts
    ]
    ends = [{"row": row, "total": totals[row], "text": _compact(totals[row], currency)} for row in rows]
    across = alt.Y("row:N", sort=rows, title=None, axis=_names(rows))
    bars = (
        alt.Chart(alt.InlineData(values=stacked))
        .mark_bar(height=ROW - 10)
        .encode(
            x=alt.X(
                "amount:Q",
                stack="zero",
                axis=None,
                scale=_room(max(totals.values(), default=0), width, rows, [str(each["text"]) for each in ends]),
            ),
            y=across,
            color=alt.Color(
                "bucket:N",
                scale=alt.Scale(domain=list(buckets), range=list(ink.ages[: len(buckets)])),
                legend=alt.Legend(
                    orient="top", title=None, symbolType="square", columnPadding=14 if width > NARROW else 3, offset=6
                ),
            ),
            order=alt.Order("place:Q"),
        )
    )
    sums = (
        alt.Chart(alt.InlineData(values=ends))
        .mark_text(align="left", dx=6, color=ink.text)
        .encode(x="total:Q", y=across, text="text:N")
    )
    return _svg(alt.layer(bars, sums), ink, width, ROW * len(rows), label)


def expected_chart(
    weeks: Sequence[tuple[date, int]], currency: str, scheme: Scheme, *, label: str, width: int = WIDTH
) -> str:
    """A column a week with what is expected in it, minor units; the largest are labelled, the rest is read off."""
    import altair as alt

    ink = INKS[scheme]
    named = set(sorted((amount for _, amount in weeks if amount), reverse=True)[:3])
    values = [
        {
            "week": f"{first.day} {first:%b}",
            "amount": amount,
            "text": _compact(amount, currency) if amount in named else "",
        }
        for first, amount in weeks
    ]
    along = alt.X(
        "week:O",
        sort=None,
        title=None,
        axis=alt.Axis(
            labelAngle=0, labelOverlap="greedy", labelSeparation=14, ticks=False, domainColor=ink.line, labelPadding=6
        ),
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=along,
        y=alt.Y("amount:Q", axis=None, scale=alt.Scale(domain=[0, max((1, *(amount for _, amount in weeks))) * 1.15])),
    )
    bars = base.mark_bar(color=ink.strong, width={"band": 0.72})
    texts = base.mark_text(dy=-7, color=ink.text).encode(text="text:N")
    return _svg(alt.layer(bars, texts), ink, width, 150, label, left=8)


def trend_chart(lines: Sequence[tuple[str, Sequence[Dated]]], scheme: Scheme, *, label: str, width: int = WIDTH) -> str:
    """Up to three named lines over time, such as DSO in three ways; each is named at its end, with its last value."""
    import altair as alt

    ink = INKS[scheme]
    names = [name for name, _ in lines]
    values = [
        {"line": name, "on": point.on.isoformat(), "value": point.value} for name, points in lines for point in points
    ]
    ends = _ends(lines)
    colour = alt.Color("line:N", scale=alt.Scale(domain=names, range=list(ink.lines[: len(names)])), legend=None)
    dash = alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2]]), legend=None)
    along = alt.X(
        "on:T",
        title=None,
        axis=alt.Axis(format=_dates(lines), grid=False, ticks=False, domainColor=ink.line, labelPadding=6, tickCount=6),
    )
    up = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(
            tickCount=3, format=_heights(lines), domain=False, ticks=False, gridColor=ink.line, labelPadding=6
        ),
    )
    drawn = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(strokeWidth=2, interpolate="monotone")
        .encode(x=along, y=up, color=colour, strokeDash=dash)
    )
    last = alt.Chart(alt.InlineData(values=ends)).encode(x="on:T", color=colour)
    dots = last.mark_point(filled=True, size=36, opacity=1).encode(y="value:Q")
    texts = last.mark_text(align="left", dx=8).encode(y="place:Q", text="text:N")
    return _svg(alt.layer(drawn, dots, texts), ink, width, 170, label, right=30, left=4)


def pareto_chart(causes: Sequence[Cause], currency: str, scheme: Scheme, *, label: str, width: int = WIDTH) -> str:
    """A bar a cause, the largest first, with amount, count and the share that it and those above it make.

    Where it is narrow the count is left out. Those that together make four fifths are strong, the others pale.
    """
    import altair as alt

    ink = INKS[scheme]
    ordered = sorted(causes, key=lambda cause: (-cause.amount, cause.name))
    whole, before = sum(cause.amount for cause in ordered), 0
    values: list[dict[str, Any]] = []
    for cause in ordered:
        vital = before * 5 < whole * 4
        before += cause.amount
        share = round(before / whole * 100) if whole else 0
        told = [_compact(cause.amount, currency), f"{cause.count}", f"{share} %"]
        text = " · ".join(told if width > NARROW else told[::2])
        values.append({"name": cause.name, "amount": cause.amount, "vital": vital, "text": text})
    names, texts = ([str(each[column]) for each in values] for column in ("name", "text"))
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X(
            "amount:Q", axis=None, scale=_room(max((each.amount for each in causes), default=0), width, names, texts)
        ),
        y=alt.Y("name:N", sort=None, title=None, axis=_names(names)),
    )
    bars = base.mark_bar(height=ROW - 10).encode(
        color=alt.Color("vital:N", scale=alt.Scale(domain=[True, False], range=[ink.strong, ink.pale]), legend=None)
    )
    labels = base.mark_text(align="left", dx=6, color=ink.text).encode(text="text:N")
    return _svg(alt.layer(bars, labels), ink, width, ROW * len(values), label)


def _dates(lines: Sequence[tuple[str, Sequence[Dated]]]) -> str:
    """How dates are written below: months, or days where there are few of them."""
    days = [point.on for _, points in lines for point in points]
    return "%b" if days and (max(days) - min(days)).days > FEW_DAYS else "%-d %b"


def _heights(lines: Sequence[tuple[str, Sequence[Dated]]]) -> str:
    """How numbers are written beside: large ones short, such as 15k."""
    highest = max((point.value for _, points in lines for point in points), default=0.0)
    return "~s" if highest >= LARGE else "~f"


def _names(names: Sequence[str]) -> "altair.Axis":
    """The names beside the bars, with room for them in whatever font."""
    import altair as alt

    return alt.Axis(domain=False, ticks=False, labelPadding=8, labelLimit=_beside(names), minExtent=_beside(names) + 8)


def _beside(names: Sequence[str]) -> float:
    return LETTER * min(max(map(len, names), default=0) + 1, LONGEST)


def _room(largest: int, width: int, names: Sequence[str], texts: Sequence[str]) -> "altair.Scale":
    """Bars that leave room for the names before them and the longest text behind."""
    import altair as alt

    across = width - _beside(names)
    behind = min(LETTER * max(map(len, texts), default=0) + 8, across * 0.7)
    return alt.Scale(domain=[0, max(largest, 1) * across / (across - behind)], nice=False)


def _ends(lines: Sequence[tuple[str, Sequence[Dated]]]) -> list[dict[str, Any]]:
    """The last point of each line, with its label moved apart from those that would touch it."""
    last = [(name, points[-1]) for name, points in lines if points]
    highest = max((point.value for _, points in lines for point in points), default=0.0)
    apart = (highest or 1.0) * 0.11
    ends: list[dict[str, Any]] = []
    place = -apart
    for name, point in sorted(last, key=lambda each: each[1].value):
        place = max(point.value, place + apart)
        text = f"{name} {point.value:,.{0 if abs(point.value) >= SMALL else 1}f}"
        ends.append({"line": name, "on": point.on.isoformat(), "value": point.value, "place": place, "text": text})
    return ends


def _compact(minor: int, currency: str) -> str:
    amount = to_decimal(minor, currency)
    if abs(amount) < 1_000:
        return format_currency(amount.to_integral_value(), currency, "¤#,##0", locale="en", currency_digits=False)
    digits = 1 if abs(amount) >= 1_000_000 else 0
    return format_compact_currency(amount, currency, locale="en", fraction_digits=digits)


def _svg(
    chart: "altair.LayerChart | altair.FacetChart",
    ink: _Ink,
    width: int,
    height: int,
    label: str,
    right: int = 5,
    left: int = 0,
) -> str:
    """The chart as an SVG that fills the width it is given and has nothing in it that nobody sees."""
    import vl_convert

    whole = chart.properties(width=width, height=max(height, ROW), background="transparent").configure(
        aria=False,
        font=FONT,
        padding={"left": left, "right": right, "top": 2, "bottom": 2},
        autosize={"type": "fit-x", "contains": "padding"},
        view={"stroke": None},
        axis={"labelColor": ink.quiet, "labelFontSize": SIZE},
        axisY={"labelColor": ink.text},
        legend={"labelColor": ink.quiet, "labelFontSize": SIZE, "symbolStrokeWidth": 0},
        text={"fontSize": SIZE},
    )
    return _thin(vl_convert.vegalite_to_svg(whole.to_dict(), allowed_base_urls=[]), label)


ATTRIBUTES = "class|style|pointer-events|role|aria-[a-z]+|version|xmlns:xlink|font-family|font-size"
ADDED = (
    (re.compile(rf' (?:{ATTRIBUTES})="[^"]*"'), ""),
    (re.compile(r' (?:transform="translate\(0,0\)"|stroke-miterlimit="10"|fill-opacity="1"|opacity="1")'), ""),
    (re.compile(r"<path(?: (?:d=\"\"|fill=\"none\"|stroke=\"none\"|display=\"none\"))*/>"), ""),
    (re.compile(r"(\.\d\d)\d+"), r"\1"),
)
"""What the renderer adds and nobody sees: names for its scripts, defaults, digits beyond a pixel's hundredth."""
EMPTY = re.compile(r"<g(?: [^<>]*)?></g>|<g>(<(?:path|text|line|rect)[^<>]*/>)</g>")


def _thin(svg: str, label: str) -> str:
    for pattern, instead in ADDED:
        svg = pattern.sub(instead, svg)
    before = ""
    while before != svg:
        before, svg = svg, EMPTY.sub(lambda found: found[1] or "", svg)
    size = re.match(r'<svg[^>]* viewBox="([^"]+)"', svg)
    assert size is not None
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size[1]}" role="img" aria-label="{escape(label)}"'
    head += f' font-family="{FONT}" font-size="{SIZE}">'
    return head + svg[svg.index(">") + 1 :]
