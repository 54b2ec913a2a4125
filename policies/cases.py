"""The columns of a facts frame that the engine itself reads, as arrays with a row a case.

Rules read facts through Polars; gates and dates are reckoned with here. What is unknown counts as the careful reading:
each caller says which that is.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from policies.workdays import MISSING, Days, Flags, Workdays, day_number

Amounts = npt.NDArray[np.int64]


class Cases:
    """A facts frame as of a date."""

    def __init__(self, frame: pl.DataFrame, as_of: date) -> None:
        self.frame = frame
        self.count = frame.height
        self.as_of = day_number(as_of)
        self.workdays = Workdays(frame.get_column("country"))
        self._kept: dict[str, npt.NDArray[np.generic]] = {}

    def days(self, name: str) -> Days:
        """A column of dates."""
        if name not in self._kept:
            column = self.frame.get_column(name).cast(pl.Int32).fill_null(int(MISSING))
            self._kept[name] = column.to_numpy()
        return self._kept[name]  # type: ignore[return-value]

    def amounts(self, name: str, *, unknown: int = 0) -> Amounts:
        """A column of whole numbers."""
        if name not in self._kept:
            self._kept[name] = self.frame.get_column(name).fill_null(unknown).to_numpy()
        return self._kept[name]  # type: ignore[return-value]

    def flags(self, name: str, *, unknown: bool) -> Flags:
        """A column of truth values."""
        if name not in self._kept:
            self._kept[name] = self.frame.get_column(name).fill_null(unknown).to_numpy()
        return self._kept[name]  # type: ignore[return-value]

    def are(self, name: str, word: str) -> Flags:
        """Whether a word stands in a column; unknown is not that word."""
        key = f"{name} = {word}"
        if key not in self._kept:
            self._kept[key] = (self.frame.get_column(name) == word).fill_null(value=False).to_numpy()
        return self._kept[key]  # type: ignore[return-value]

    def words(self, name: str, known: Sequence[str]) -> npt.NDArray[np.int16]:
        """A column of words as positions in a list; −1 where it is none of them, or null."""
        enum = self.frame.get_column(name).cast(pl.Enum([str(word) for word in known]), strict=False)
        return enum.to_physical().cast(pl.Int16).fill_null(-1).to_numpy()
