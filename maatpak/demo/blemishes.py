"""What goes wrong in the made-up houses' files: rows that the quality gate must set apart, and a file cut in half."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Blemish:
    """A fault in the items of a file; the row it strikes is the same for as long as it lasts."""

    column: str
    value: str
    place: float
    """Where in the list the row stands, 0 to 1; open invoices only."""
    repeats: bool = False
    """The row is there twice instead."""

    def apply(self, lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        """The lines with the fault in them."""
        chosen = self.strikes(lines)
        if chosen is None:
            return list(lines)
        if self.repeats:
            return [*lines, dict(lines[chosen])]
        return [{**line, self.column: self.value} if index == chosen else line for index, line in enumerate(lines)]

    def strikes(self, lines: Sequence[Mapping[str, str]]) -> int | None:
        """Index of the row it strikes: chosen by document number, so that it stays with its row."""
        unsettled = [(line["document_no"], index) for index, line in enumerate(lines) if not line["settled_on"]]
        if not unsettled:
            return None
        unsettled.sort()
        return unsettled[int(self.place * (len(unsettled) - 1))][1]


WEEKS: dict[str, dict[int, Blemish]] = {
    "NL01": {
        4: Blemish("due_on", "", 0.31),
        13: Blemish("open_amount", "12O,50", 0.77),
        20: Blemish("amount", "", 0.5, repeats=True),
    },
    "BE01": {2: Blemish("currency", "XXX", 0.42), 15: Blemish("document_type", "Proforma", 0.63)},
    "UK01": {7: Blemish("debtor_no", "", 0.25), 22: Blemish("amount", "see attached", 0.58)},
}
"""By house and number of the working day."""

CUT_OFF: dict[str, int] = {"BE01": 10}
"""The working day on which a house's file arrives cut in half; the whole one follows within the hour."""


OUTAGE: dict[str, range] = {"UK01": range(40, 45)}
"""Working days of which the last two before a weekend bring no file; Monday's is a full one."""
THURSDAY = 3


def blemishes_of(house: str, day: int) -> list[Blemish]:
    """The faults in a house's file on a working day, counted from 0."""
    blemish = WEEKS.get(house, {}).get(day)
    return [] if blemish is None else [blemish]


def is_cut_off(house: str, day: int) -> bool:
    """Whether the file arrives cut in half at first."""
    return CUT_OFF.get(house) == day


def stays_away(house: str, number: int, day: date) -> bool:
    """Whether no file comes on a day: the export failed."""
    return number in OUTAGE.get(house, ()) and day.weekday() >= THURSDAY


def cut(content: bytes) -> bytes:
    """The first half of a file, in the middle of a line."""
    return content[: len(content) // 2]
