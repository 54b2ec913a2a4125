"""Charts on pages: a picture by its address, in two schemes and widths, and the same numbers as a table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from maatpak.console.charts.pictures import PATH
from maatpak.console.charts.series import Series, series_of
from maatpak.console.frame.drawing import NOTHING, address, day, money
from tasks.access.visitor import SeenCreditor
from tasks.figures import CreditorFigures
from tasks.figures.formulas import BUCKETS

TITLES = {
    "ageing": "Ageing",
    "expected": "Expected cash by week",
    "dso": "Days of sales outstanding",
    "reasons": "Why customers do not pay",
}
TOGETHER = ("ageing", "reasons")
"""What several creditors of one currency can be shown in together."""


@dataclass(frozen=True)
class Chart:
    """A chart, and the same as a table."""

    name: str
    """Of the figure that explains it."""
    title: str
    label: str
    address: str
    """Of the picture, in light colours and wide."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as many texts as there are columns."""

    def picture(self, scheme: str, width: str = "") -> str:
        """Address of the picture in a scheme, and a width: `narrow` or as wide as it is."""
        return f"{self.address}&scheme={scheme}{'&width=narrow' if width else ''}"


def charts_of(figures: Sequence[CreditorFigures], seen: Sequence[SeenCreditor]) -> list[Chart]:
    """Of one creditor all charts in its own currency; of each other currency, and of several creditors, some."""
    if not figures:
        return []
    if len(seen) == 1:
        own = seen[0].currency
        shown = [chart_of(name, figures, seen, own) for name in TITLES]
        others = sorted({each.currency for each in figures[0].whole("open") if each.value} - {own})
        shown += [chart_of("ageing", figures, seen, currency) for currency in others]
    else:
        currencies = sorted({each.currency for each in seen})
        shown = [chart_of(name, figures, seen, currency) for currency in currencies for name in TOGETHER]
    return [each for each in shown if each.rows]


def chart_of(name: str, figures: Sequence[CreditorFigures], seen: Sequence[SeenCreditor], currency: str) -> Chart:
    """One chart of a figure."""
    codes = {each.id: each.code for each in seen}
    series = series_of(name, figures, codes, currency)
    chosen = seen[0].code if len(seen) == 1 else None
    query = {"creditor": chosen, "currency": currency, "v": series.version}
    many = len(seen) > 1 or currency != seen[0].currency
    title = TITLES.get(name, series.label)
    columns, rows = _table(series, "Segment" if len(seen) == 1 else "Creditor")
    return Chart(
        name,
        f"{title}, {currency}" if many else title,
        series.label,
        address(f"{PATH}/{name}.svg", query),
        columns,
        tuple(rows),
    )


def _table(series: Series, by: str) -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    currency = series.currency
    match series.chart:
        case "ageing":
            return (by, *BUCKETS), _pivoted(series.rows, BUCKETS, lambda amount: money(int(amount), currency))
        case "expected":
            rows = ((day(date.fromisoformat(first)), money(int(amount), currency)) for first, amount in series.rows)
            return ("Week from", "Expected"), rows
        case "reasons":
            return ("Reason", "Overdue", "Cases"), (
                (name, money(int(amount), currency), count) for name, amount, count in series.rows
            )
        case _:
            names = tuple(dict.fromkeys(name for name, _, _ in series.rows))
            turned = [(day(date.fromisoformat(on)), name, value) for name, on, value in series.rows]
            return ("Date", *names), _pivoted(turned, names, lambda value: f"{Decimal(value):,.1f}")


def _pivoted(
    rows: Iterable[Sequence[str]], columns: Sequence[str], shown: Callable[[str], str]
) -> Iterator[tuple[str, ...]]:
    """(row, column, value) as a line a row, with a dash where there is nothing."""
    lines: dict[str, dict[str, str]] = {}
    for name, column, value in rows:
        lines.setdefault(name, {})[column] = shown(value)
    for name, cells in lines.items():
        yield name, *(cells.get(column, NOTHING) for column in columns)
