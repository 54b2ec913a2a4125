"""Reads kept figures for a page: the newest of each creditor, what they were before, and how they went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from tasks.figures.registry import FIGURES, Definition

WEEKS, MONTHS = 13, 12
"""How many last dates of weeks and of months a trend has, the newest among them."""

NEWEST = """
SELECT f.creditor_id, f.business_date, f.name, f.dimension, f.key, f.currency, f.value, f.count
FROM unnest(CAST(:creditors AS bigint[])) AS c (id)
CROSS JOIN LATERAL (SELECT max(d.business_date) AS day FROM figure d
                    WHERE d.creditor_id = c.id AND d.business_date <= :as_of) last
JOIN figure f ON f.creditor_id = c.id AND f.business_date = last.day
ORDER BY f.creditor_id, f.name, f.dimension, f.key, f.currency
"""

TRENDS = """
WITH days AS (
  SELECT DISTINCT creditor_id, business_date AS day FROM figure
  WHERE creditor_id = ANY(:creditors) AND name = 'open' AND dimension = '' AND business_date > :since
    AND business_date <= :as_of),
placed AS (
  SELECT creditor_id, day, row_number() OVER (PARTITION BY creditor_id ORDER BY day DESC) AS place,
    day = max(day) OVER (PARTITION BY creditor_id, date_trunc('week', day)) AND day > :weeks_since AS of_week,
    day = max(day) OVER (PARTITION BY creditor_id, date_trunc('month', day)) AS of_month
  FROM days)
SELECT f.creditor_id, f.name, f.currency, f.business_date, f.value, p.place, p.of_week, p.of_month
FROM placed p JOIN figure f ON f.creditor_id = p.creditor_id AND f.business_date = p.day AND f.dimension = ''
WHERE p.place <= 2 OR p.of_week OR p.of_month
ORDER BY f.business_date
"""
"""The whole of each figure at the newest date, the one before, and the last date of each week and month."""


@dataclass(frozen=True)
class Point:
    """A figure's value at a date; None: not known then."""

    on: date
    value: Decimal | None


@dataclass(frozen=True)
class Trend:
    """How the whole of a figure went, oldest first, the newest value last."""

    previous: Point | None
    """At the business date before."""
    weeks: tuple[Point, ...]
    """At the last business date of each of the last 13 weeks."""
    months: tuple[Point, ...]
    """At the last business date of each of the last 12 months."""


@dataclass(frozen=True)
class FigureValue:
    """One value. Money is in minor units of its currency; all else in its unit, with two decimals; None: not known."""

    definition: Definition
    dimension: str
    key: str
    currency: str
    value: Decimal | None
    count: int
    trend: Trend | None
    """Of a whole; of a part None."""

    @property
    def made_of(self) -> str:
        """Path and query of the list behind it."""
        return self.definition.link(self.dimension, self.key, self.currency)

    @property
    def change(self) -> Decimal | None:
        """Since the business date before; None where one of the two is not known."""
        before = self.trend.previous if self.trend else None
        return None if self.value is None or before is None or before.value is None else self.value - before.value


@dataclass(frozen=True)
class CreditorFigures:
    """All figures of one creditor as of its newest business date that has any."""

    creditor_id: int
    business_date: date
    values: tuple[FigureValue, ...]

    def whole(self, name: str) -> tuple[FigureValue, ...]:
        """The figure as a whole: one value, of money one a currency."""
        return self.parts(name, "")

    def parts(self, name: str, dimension: str) -> tuple[FigureValue, ...]:
        """The figure by a dimension, in the order of the keys."""
        return tuple(each for each in self.values if each.definition.name == name and each.dimension == dimension)


def read_figures(session: Session, creditor_ids: Sequence[int], as_of: date) -> tuple[CreditorFigures, ...]:
    """The newest figures on or before a date, with their trends, by creditor; in two queries."""
    marks = {
        "creditors": list(creditor_ids),
        "as_of": as_of,
        "since": _months_before(as_of, MONTHS),
        "weeks_since": as_of - timedelta(days=as_of.weekday() + 7 * (WEEKS - 1) + 1),
    }
    found = session.execute(text(NEWEST), marks).all()
    trends = _trends(session.execute(text(TRENDS), marks).all()) if found else {}
    creditors: dict[tuple[int, date], list[FigureValue]] = {}
    for creditor_id, day, name, dimension, key, currency, value, count in found:
        definition = FIGURES.get(name)
        if definition is None:  # kept by a Maatpak that knew another one
            continue
        trend = None if dimension else trends.get((creditor_id, name, currency))
        creditors.setdefault((creditor_id, day), []).append(
            FigureValue(definition, dimension, key, currency, _shown(definition, value), count, trend)
        )
    return tuple(CreditorFigures(creditor_id, day, tuple(values)) for (creditor_id, day), values in creditors.items())


def _trends(rows: Iterable[Any]) -> dict[tuple[int, str, str], Trend]:
    lists: dict[tuple[int, str, str], tuple[list[Point], list[Point], list[Point]]] = {}
    for creditor_id, name, currency, day, value, place, of_week, of_month in rows:
        if name not in FIGURES:
            continue
        point = Point(day, _shown(FIGURES[name], value))
        before, weeks, months = lists.setdefault((creditor_id, name, currency), ([], [], []))
        for wanted, points in ((place == 2, before), (of_week, weeks), (of_month, months)):
            if wanted:
                points.append(point)
    return {
        key: Trend(before[0] if before else None, tuple(weeks), tuple(months))
        for key, (before, weeks, months) in lists.items()
    }


def _shown(definition: Definition, value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value) / definition.unit.scale


def _months_before(day: date, months: int) -> date:
    """The last day before the first of the months that a trend has."""
    number = day.year * 12 + day.month - months
    return date(number // 12, number % 12 + 1, 1) - timedelta(days=1)
