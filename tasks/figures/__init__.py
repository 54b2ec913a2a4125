"""The figures of a creditor's days: what they mean, how they are reckoned from the ledger, kept and read."""

from tasks.figures.compute import compute_figures
from tasks.figures.reading import CreditorFigures, FigureValue, Point, Trend, read_figures
from tasks.figures.registry import FIGURES, MADE_OF, Definition, Unit

__all__ = [
    "FIGURES",
    "MADE_OF",
    "CreditorFigures",
    "Definition",
    "FigureValue",
    "Point",
    "Trend",
    "Unit",
    "compute_figures",
    "read_figures",
]
