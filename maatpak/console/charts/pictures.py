"""Pictures of charts: drawn when somebody first looks, then kept in memory.

A drawing is good until the figures of its business date change: what is kept is found by all that is drawn. A browser
keeps it, too, by an address that changes with it. The first drawing of a process loads a renderer, which `warm_up` does
before anybody asks.
"""

from contextlib import suppress
from datetime import date
from functools import lru_cache
from threading import Lock

from fastapi import APIRouter, Request, Response

from maatpak.console.charts.drawing import (
    Aged,
    Cause,
    Dated,
    Scheme,
    ageing_chart,
    expected_chart,
    pareto_chart,
    trend_chart,
)
from maatpak.console.charts.series import Series, figures_of, series_of
from maatpak.console.frame.asking import seen_of
from maatpak.console.frame.declared import READERS
from maatpak.console.frame.problems import MissingError
from maatpak.console.frame.visiting import visitor
from maatpak.kernel.clock import Clock
from maatpak.kernel.errors import UsageError
from tasks.engine import Engine
from tasks.figures.formulas import BUCKETS

WIDE, NARROW = 520, 328
"""Pixels that charts are drawn for: two beside each other, and a phone."""
KEPT = 512
"""Drawings in memory, of some kilobytes each."""
PATH = "/charts"
IN_BROWSERS = "private, max-age=86400, immutable"


def drawn(series: Series, scheme: Scheme, width: int) -> str:
    """The chart as SVG; whoever asks for one that is being drawn waits for it."""
    with _ONE_AT_A_TIME:
        return _drawn(series, scheme, width)


_ONE_AT_A_TIME = Lock()
"""The renderer has one thread, and the same chart is not drawn twice."""


@lru_cache(KEPT)
def _drawn(series: Series, scheme: Scheme, width: int) -> str:
    currency, label, rows = series.currency, series.label, series.rows
    match series.chart:
        case "ageing":
            aged = [Aged(row, bucket, int(amount)) for row, bucket, amount in rows]
            return ageing_chart(aged, BUCKETS, currency, scheme, label=label, width=width)
        case "expected":
            weeks = [(date.fromisoformat(first), int(amount)) for first, amount in rows]
            return expected_chart(weeks, currency, scheme, label=label, width=width)
        case "reasons":
            causes = [Cause(name, int(amount), int(count)) for name, amount, count in rows]
            return pareto_chart(causes, currency, scheme, label=label, width=width)
        case _:
            lines: dict[str, list[Dated]] = {}
            for name, on, value in rows:
                lines.setdefault(name, []).append(Dated(date.fromisoformat(on), float(value)))
            return trend_chart(list(lines.items()), scheme, label=label, width=width)


def warm_up() -> None:
    """Load the renderer, by drawing a chart of nothing."""
    drawn(Series("reasons", "EUR", "", ()), Scheme.LIGHT, WIDE)


def chart_routes(engine: Engine, clock: Clock) -> APIRouter:
    """The route of the charts' pictures, for whoever sees figures."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH + "/{name}.svg")
    def picture(request: Request, name: str) -> Response:
        return _picture(engine, clock, request, name)

    return router


def _picture(engine: Engine, clock: Clock, request: Request, name: str) -> Response:
    asker = visitor(engine, request, clock.now())
    if asker is None:
        return Response(status_code=401)
    if asker.role not in READERS or asker.must_change_password:
        return Response(status_code=403)
    asked = request.query_params
    scheme, width = Scheme.LIGHT, NARROW if asked.get("width") == "narrow" else WIDE
    with suppress(ValueError):
        scheme = Scheme(asked.get("scheme", scheme))
    try:
        seen = seen_of(asker, asked.get("creditor"))
        with engine.database.reading() as session:
            figures = figures_of(session, seen)
        codes = {each.id: each.code for each in seen}
        series = series_of(name, figures, codes, asked.get("currency", ""))
    except (MissingError, UsageError):
        return Response(status_code=404)
    kept = {"Cache-Control": IN_BROWSERS} if asked.get("v") == series.version else {}
    return Response(drawn(series, scheme, width), headers=kept, media_type="image/svg+xml")
