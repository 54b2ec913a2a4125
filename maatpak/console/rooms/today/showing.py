"""Figures as they are shown: a value in words, whether it went the right way, a line of how it went, what it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.numbers import format_currency, format_decimal

from maatpak.console.frame.drawing import LANGUAGE, NOTHING
from maatpak.kernel.money import to_decimal
from tasks.figures import FigureValue, Point, Unit
from tasks.figures.registry import Better

UNITS = {
    Unit.DAYS: ("day", "days"),
    Unit.WORKING_DAYS: ("working day", "working days"),
    Unit.PERCENT: ("%", "%"),
    Unit.PER_THOUSAND: ("per 1,000", "per 1,000"),
    Unit.POINTS: ("points", "points"),
}
WHOLE_FROM = 1000
"""Amounts from so many whole units on are shown without cents."""
LINE = (96, 26)
"""Width and height of a tile's line, in its own pixels."""
EDGE = 2


@dataclass(frozen=True)
class Beside:
    """A value that belongs to a figure's: the same in another currency, or reckoned in another way."""

    label: str
    text: str
    link: str


@dataclass(frozen=True)
class Tile:
    """A figure of a creditor: money in minor units of `currency`, all else in its unit. None: not known."""

    name: str
    title: str
    unit: Unit
    currency: str
    value: Decimal | None
    count: int
    counts: str
    """What `count` counts."""
    change: Decimal | None
    """Since the business date before."""
    since: date | None
    better: Better
    formula: str
    source: str
    link: str
    """The list that it is made of."""
    weeks: tuple[Point, ...]
    """At the last date of each of the last 13 weeks."""
    beside: tuple[Beside, ...] = ()

    @property
    def text(self) -> str:
        """The value in words, without its unit."""
        return told(self.unit, self.value, self.currency, bare=True)

    @property
    def unit_text(self) -> str:
        """What it is counted in, where that is not money."""
        if self.value is None or self.unit not in UNITS:
            return ""
        return UNITS[self.unit][self.value != 1]

    @property
    def change_text(self) -> str:
        """How it changed, in words."""
        if self.change is None:
            return ""
        if not self._moved:
            return "unchanged"
        arrow = "▲" if self.change > 0 else "▼"
        return f"{arrow} {told(self.unit, abs(self.change), self.currency, bare=True)}"

    @property
    def tone(self) -> str:
        """Whether the change is a good one."""
        if self.change is None or not self._moved or self.better is Better.NEITHER:
            return ""
        return "good" if (self.change > 0) is (self.better is Better.HIGHER) else "bad"

    @property
    def _moved(self) -> bool:
        """Whether the change is one that can be seen in what is shown."""
        return bool(self.change and (self.unit in (Unit.MONEY, Unit.COUNT) or round(self.change, 1)))

    @property
    def line(self) -> str:
        """How it went, as the path of an SVG; empty where fewer than three weeks are known."""
        return spark([point.value for point in self.weeks])


def tile_of(values: Sequence[FigureValue], currency: str, others: Sequence[FigureValue] = ()) -> Tile:
    """A figure as a whole, in the creditor's own currency; beside it other currencies, and `others` like it."""
    first = next((each for each in values if each.currency in (currency, "")), values[0])
    definition, trend = first.definition, first.trend
    beside = [
        Beside("also", told(definition.unit, each.value, each.currency), each.made_of)
        for each in values
        if each is not first and definition.unit is Unit.MONEY and each.value
    ]
    beside += [
        Beside(each.definition.title, told(each.definition.unit, each.value, each.currency), each.made_of)
        for each in others
        if each.currency == first.currency
    ]
    return Tile(
        name=definition.name,
        title=definition.title,
        unit=definition.unit,
        currency=first.currency,
        value=first.value,
        count=first.count,
        counts=definition.counts,
        change=first.change,
        since=trend.previous.on if trend and trend.previous else None,
        better=definition.better,
        formula=definition.formula,
        source=definition.source,
        link=first.made_of,
        weeks=trend.weeks if trend else (),
        beside=tuple(beside),
    )


def told(unit: Unit, value: Decimal | None, currency: str = "", *, bare: bool = False) -> str:
    """A value in words; `bare`: without its unit, but money is never without its currency."""
    if value is None:
        return NOTHING
    if unit is Unit.MONEY:
        amount = to_decimal(int(value), currency)
        pattern = "¤#,##0;-¤#,##0" if abs(amount) >= WHOLE_FROM or amount == int(amount) else None
        return format_currency(amount, currency, pattern, locale=LANGUAGE, currency_digits=pattern is None)
    if unit is Unit.COUNT:
        return format_decimal(value, "#,##0", locale=LANGUAGE)
    # Nothing has no sign, however little it was less than nothing.
    value = value if round(value, 1) else Decimal(0)
    signed = unit is Unit.POINTS and value
    number = format_decimal(value, "+#,##0.0;-#,##0.0" if signed else "#,##0.0", locale=LANGUAGE)
    return number if bare else f"{number}{'' if unit is Unit.PERCENT else ' '}{UNITS[unit][value != 1]}"


def spark(values: Sequence[Decimal | None]) -> str:
    """The path of a small line through the known values, from the left edge to the right one."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 3:
        return ""
    width, height = LINE
    low, high = min(value for _, value in known), max(value for _, value in known)
    first, last = known[0][0], known[-1][0]
    room = Decimal(height - 2 * EDGE)
    steps = []
    for place, value in known:
        x = Decimal(width) * (place - first) / (last - first)
        y = height - EDGE - (value - low) / (high - low) * room if high > low else Decimal(height) / 2
        steps.append(f"{x:.1f} {y:.1f}")
    return f"M{'L'.join(steps)}"
