"""What each chart shows, as numbers: from the figures of a business date, for a creditor or all that a visitor sees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session

from maatpak.console.frame.fields import as_words
from maatpak.console.frame.problems import missing
from maatpak.kernel.ids import content_hash
from maatpak.kernel.money import to_decimal
from tasks.access.visitor import SeenCreditor
from tasks.figures import FIGURES, CreditorFigures, Point, Unit, read_figures

LINES = {"dso": "DSO", "dso_best": "Best possible", "dso_count_back": "Counted back"}
ENOUGH_MONTHS = 4


@dataclass(frozen=True)
class Series:
    """What a chart shows: rows of numbers, money in minor units of `currency`."""

    chart: str
    currency: str
    label: str
    """In a sentence, for who does not see it."""
    rows: tuple[tuple[str, ...], ...]
    """Text and numbers as the chart takes them."""

    @property
    def version(self) -> str:
        """Changes with whatever is drawn."""
        return content_hash([self.chart, self.currency, self.label, self.rows])[:12]


def ageing_of(figures: Sequence[CreditorFigures], codes: Mapping[int, str], currency: str) -> Series:
    """Open money by age: of one creditor by segment, of several by creditor."""
    if len(figures) == 1:
        rows = [
            (as_words(each.key.partition(":")[0]), each.key.partition(":")[2], f"{each.value:.0f}")
            for each in figures[0].parts("ageing", "segment_bucket")
            if each.currency == currency and each.value
        ]
    else:
        rows = [
            (codes[of.creditor_id], each.key, f"{each.value:.0f}")
            for of in figures
            for each in of.parts("ageing", "bucket")
            if each.currency == currency and each.value
        ]
    by = "segment" if len(figures) == 1 else "creditor"
    return Series("ageing", currency, f"Open {currency} by {by} and days past due", tuple(rows))


def expected_of(figures: Sequence[CreditorFigures], codes: Mapping[int, str], currency: str) -> Series:
    """Cash that is expected in each of the next 13 weeks."""
    del codes
    rows = [
        (each.key, f"{each.value or 0:.0f}")
        for each in figures[0].parts("expected", "week")
        if each.currency == currency and each.key[0].isdigit()
    ]
    return Series("expected", currency, f"Expected {currency} by week, by each customer's own delay", tuple(rows))


def dso_of(figures: Sequence[CreditorFigures], codes: Mapping[int, str], currency: str) -> Series:
    """DSO three ways, by month where enough of them are known, else by week."""
    del codes
    rows = [
        (title, point.on.isoformat(), f"{point.value}")
        for name, title in LINES.items()
        for value in figures[0].whole(name)
        if value.currency == currency and value.trend
        for point in (value.trend.months if _known(value.trend.months) >= ENOUGH_MONTHS else value.trend.weeks)
        if point.value is not None
    ]
    return Series("dso", currency, f"Days of sales outstanding in {currency}, three ways, over time", tuple(rows))


def reasons_of(figures: Sequence[CreditorFigures], codes: Mapping[int, str], currency: str) -> Series:
    """Overdue money by why it is not paid; of several creditors summed, as they have one currency."""
    del codes
    sums: dict[str, tuple[int, int]] = {}
    for of in figures:
        for each in of.parts("reasons", "reason"):
            if each.currency == currency:
                amount, count = sums.get(each.key, (0, 0))
                sums[each.key] = (amount + int(each.value or 0), count + each.count)
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    rows = tuple((as_words(key), str(amount), str(count)) for key, (amount, count) in ordered)
    return Series("reasons", currency, f"Overdue {currency} by why customers do not pay", rows)


def trend_of(name: str, figures: Sequence[CreditorFigures], currency: str) -> Series:
    """One figure over time."""
    title = FIGURES[name].title
    points: Sequence[Point] = ()
    for value in figures[0].whole(name):
        if value.currency in (currency, "") and value.trend:
            months = value.trend.months
            points = months if _known(months) >= ENOUGH_MONTHS else value.trend.weeks
    shown = [(each.on.isoformat(), _in_units(name, each.value, currency)) for each in points if each.value is not None]
    return Series("trend", currency, f"{title} over time", tuple((title, on, f"{value}") for on, value in shown))


def _in_units(name: str, value: Decimal, currency: str) -> Decimal:
    return to_decimal(int(value), currency) if FIGURES[name].unit is Unit.MONEY else value


def _known(points: Sequence[Point]) -> int:
    return sum(point.value is not None for point in points)


SERIES: Mapping[str, Callable[[Sequence[CreditorFigures], Mapping[int, str], str], Series]] = {
    "ageing": ageing_of,
    "expected": expected_of,
    "dso": dso_of,
    "reasons": reasons_of,
}


def series_of(name: str, figures: Sequence[CreditorFigures], codes: Mapping[int, str], currency: str) -> Series:
    """What a chart shows: one of `SERIES`, else a figure over time.

    Raises:
        MissingError: there is no such chart, or nobody's figures.
    """
    if not figures or (name not in SERIES and name not in FIGURES):
        raise missing("chart", name)
    return SERIES[name](figures, codes, currency) if name in SERIES else trend_of(name, figures, currency)


def figures_of(session: Session, seen: Sequence[SeenCreditor]) -> tuple[CreditorFigures, ...]:
    """The newest figures of creditors, by their codes; in two queries."""
    days = [each.business_date for each in seen if each.business_date]
    if not days:
        return ()
    codes = {each.id: each.code for each in seen}
    found = read_figures(session, list(codes), max(days))
    return tuple(sorted(found, key=lambda each: codes[each.creditor_id]))
