"""One figure explained: what it is, how it went, and what each part of it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from maatpak.console.charts.series import SERIES, figures_of
from maatpak.console.frame.asking import Asking
from maatpak.console.frame.fields import as_words
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.today.charts import Chart, chart_of
from maatpak.console.rooms.today.showing import told
from tasks.access.visitor import SeenCreditor
from tasks.figures import FIGURES, CreditorFigures, FigureValue, Unit
from tasks.figures.receivables import LATER


@dataclass(frozen=True)
class Value:
    """One value of the figure: money in minor units of `currency`, all else in its unit; None: not known."""

    creditor: str
    on: date
    currency: str
    part: str
    """Which part of its dimension; empty: the whole."""
    value: Decimal | None
    text: str
    """The value in words."""
    count: int
    link: str
    """The list that it is made of."""


@dataclass(frozen=True)
class Divided:
    """The figure by one dimension."""

    dimension: str
    values: list[Value]


@dataclass(frozen=True)
class Past:
    """The whole at an earlier date, by creditor and currency."""

    creditor: str
    currency: str
    on: date
    value: Decimal | None
    text: str


@dataclass(frozen=True)
class Figure:
    """What a figure is and what it came to."""

    name: str
    title: str
    unit: Unit
    formula: str
    source: str
    counts: str
    """What its counts count."""
    creditor: str | None
    """Code of the one that was chosen; None: all."""
    wholes: list[Value]
    parts: list[Divided]
    past: list[Past]
    """At the last date of each week, the newest first."""
    charts: list[Chart]


def read_figure(asking: Asking, name: str) -> Figure:
    """The page's context.

    Raises:
        MissingError: there is no such figure.
        UsageError: a creditor is chosen that the visitor does not see.
    """
    if name not in FIGURES:
        raise missing("figure", name)
    definition = FIGURES[name]
    seen = asking.seen
    figures = figures_of(asking.session, seen)
    codes = {each.id: each.code for each in seen}
    values = [(own, each) for own in figures for each in own.values if each.definition.name == name]
    divided = [
        Divided(dimension, [_value(codes, own, each) for own, each in values if each.dimension == dimension])
        for dimension in definition.dimensions
    ]
    return Figure(
        name=name,
        title=definition.title,
        unit=definition.unit,
        formula=definition.formula,
        source=definition.source,
        counts=definition.counts,
        creditor=seen[0].code if len(seen) == 1 else None,
        wholes=[_value(codes, own, each) for own, each in values if not each.dimension],
        parts=[each for each in divided if each.values],
        past=[past for own, each in values if not each.dimension for past in _past(codes, own, each)],
        charts=_charts(name, figures, seen),
    )


def _value(codes: dict[int, str], own: CreditorFigures, each: FigureValue) -> Value:
    code, definition = codes[own.creditor_id], each.definition
    joint = "&" if "?" in each.made_of else "?"
    return Value(
        creditor=code,
        on=own.business_date,
        currency=each.currency,
        part=_named(each),
        value=each.value,
        text=told(definition.unit, each.value, each.currency),
        count=each.count,
        link=f"{each.made_of}{joint}creditor={code}",
    )


def _named(each: FigureValue) -> str:
    """Dates, months and buckets stand as they are; codes in words."""
    if each.dimension in ("bucket", "month", "") or (each.dimension == "week" and each.key != LATER):
        return each.key
    first, _, second = each.key.partition(":")
    return f"{as_words(first)}, {second}" if second else as_words(first)


def _past(codes: dict[int, str], own: CreditorFigures, each: FigureValue) -> list[Past]:
    points = each.trend.weeks if each.trend else ()
    unit = each.definition.unit
    return [
        Past(codes[own.creditor_id], each.currency, point.on, point.value, told(unit, point.value, each.currency))
        for point in reversed(points)
    ]


def _charts(name: str, figures: Sequence[CreditorFigures], seen: Sequence[SeenCreditor]) -> list[Chart]:
    """Of one creditor: how it went, or what its parts show; several creditors have a line of the table each."""
    if len(seen) != 1 or not figures:
        return []
    shown = [chart_of(name, figures, seen, seen[0].currency)]
    if name not in SERIES:
        shown = [each for each in shown if len(each.rows) > 2]
    return [each for each in shown if each.rows]
