"""One row of what is reckoned, and how a number becomes what is kept of it."""

from dataclasses import dataclass

from tasks.figures.registry import FIGURES


@dataclass(frozen=True)
class Row:
    """One value of one figure; as `maatpak.ledger.tables.Figure` keeps it."""

    name: str
    value: int | None
    count: int = 0
    dimension: str = ""
    key: str = ""
    currency: str = ""


def kept(name: str, number: float | None) -> int | None:
    """A number as the figure's value is kept: in hundredths unless it is money or a count, rounded half to even."""
    return None if number is None else round(number * FIGURES[name].unit.scale)
