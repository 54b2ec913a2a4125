"""Dates as people's systems write them: `D/M/YYYY`, `YYYY-MM-DD`, `DD MMM YY`, or `excel` for a spreadsheet's serials.

A format is matched as a whole and never guessed at: four digits of a year are four, parts that no sign divides have all
their digits, and nothing may follow but a time of day, which is left out (`2024-03-05 00:00:00` is how spreadsheets
print a plain date). Midnight only may name its time zone: another hour may be of another day where the debtor is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl
from babel.dates import get_month_names

ISO = "YYYY-MM-DD"
SERIAL = "excel"
LATEST = date(2060, 12, 31)
EARLIEST = date(1990, 1, 1)
"""Calendars reach so far; a ledger's date outside is a slip of the pen."""

_SERIAL_ORIGIN = date(1899, 12, 30)
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?"
_ZONED = r"00:00(?::00(?:\.0+)?)?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})"
_TIME = f"(?:[ T](?:{_CLOCK}|{_ZONED}))?"
_TOKENS = {
    "YYYY": ("[0-9]{4}", "%Y"),
    "YY": ("[0-9]{2}", "%y"),
    "MMM": (r"\p{L}{3,9}\.?", "%b"),
    "MM": ("[0-9]{1,2}", "%m"),
    "M": ("[0-9]{1,2}", "%m"),
    "DD": ("[0-9]{1,2}", "%d"),
    "D": ("[0-9]{1,2}", "%d"),
}
_DIGITS = _TOKENS.keys() - {"MMM"}
_LANGUAGES = ("en", "nl", "de", "fr")
_SPLIT = re.compile(r"(YYYY|YY|MMM|MM|M|DD|D)")


@cache
def _months() -> dict[str, str]:
    """Number of each month, by its names and their shortenings in the languages that `MMM` reads."""
    names = {"sept": "09", "mär": "03", "mrz": "03"}
    for language in _LANGUAGES:
        for width in ("abbreviated", "wide"):
            found = get_month_names(width, locale=language)
            names |= {name.rstrip(".").lower(): f"{number:02}" for number, name in found.items()}
    return names


@dataclass(frozen=True)
class DateFormat:
    """A format, ready to be matched and parsed."""

    text: str
    pattern: str
    directive: str

    @property
    def swapped(self) -> "DateFormat | None":
        """The same with day and month exchanged; None when the month is a word or a serial has neither."""
        if self.text == SERIAL or "MMM" in self.text:
            return None
        exchanged = {"DD": "MM", "D": "M", "MM": "DD", "M": "D"}
        return date_format("".join(exchanged.get(part, part) for part in _SPLIT.split(self.text)))

    def parse(self, cells: pl.Expr) -> pl.Expr:
        """The dates of cells of text; null where one does not match."""
        core = cells.str.extract(self.pattern, 1)
        if self.text == SERIAL:
            return pl.lit(_SERIAL_ORIGIN) + pl.duration(days=core.cast(pl.Int64, strict=False))
        if "MMM" in self.text:
            word = core.str.extract(r"(\p{L}+)", 1).str.to_lowercase()
            month = word.replace_strict(_months(), default=None, return_dtype=pl.String)
            core = pl.when(month.is_not_null()).then(core.str.replace(r"\p{L}+\.?", month))
        return core.str.to_date(self.directive.replace("%b", "%m"), strict=False)

    def write(self, day: date) -> str:
        """The date as the format writes it."""
        return str((day - _SERIAL_ORIGIN).days) if self.text == SERIAL else day.strftime(self.directive)


def date_format(text: str) -> DateFormat:
    """Read a format.

    Raises:
        ValueError: it lacks year, month or day, or has a letter that is none of them.
    """
    if text == SERIAL:
        return DateFormat(text, r"^([0-9]{5})(?:\.[0-9]+)?$", "")
    pattern, directive, seen = "", "", []
    parts = [part for part in _SPLIT.split(text) if part]
    for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        if part in _TOKENS:
            token_pattern, token_directive = _TOKENS[part]
            if before in _DIGITS or after in _DIGITS:
                token_pattern = token_pattern.replace("{1,2}", "{2}")
            pattern, directive = pattern + token_pattern, directive + token_directive
            seen.append(part[0])
        elif any(letter.isalnum() or letter == "%" for letter in part):
            raise ValueError(f"{text!r} is no date format: what is {part!r}? Use YYYY YY MMM MM M DD D, or 'excel'")
        else:
            pattern, directive = pattern + re.escape(part), directive + part
    if sorted(seen) != ["D", "M", "Y"]:
        raise ValueError(f"{text!r} is no date format: it needs one year, one month and one day, such as D/M/YYYY")
    # What programs make of a number in a column with gaps: 20240229.0
    floated = r"(?:\.0)?" if set(parts) <= _DIGITS else ""
    return DateFormat(text, f"^({pattern}){floated}{_TIME}$", directive)


@dataclass(frozen=True)
class ParsedDates:
    """Columns of one parsed date column, as expressions over its text."""

    value: pl.Expr
    ambiguous: pl.Expr
    """Two of the formats read the cell, as different days."""
    swapped: pl.Expr
    """No format reads the cell, but one would with day and month exchanged."""


def parse_dates(cells: pl.Expr, formats: Sequence[DateFormat], earliest: date = EARLIEST) -> ParsedDates:
    """Parse cells by the first format that reads them."""
    readings = [_within(each.parse(cells), earliest) for each in formats]
    value = pl.coalesce(readings)
    ambiguous: pl.Expr = pl.lit(value=False)
    for reading in readings[1:]:
        ambiguous = ambiguous | (reading != value).fill_null(value=False)
    others = [other for each in formats if (other := each.swapped) is not None]
    swapped: pl.Expr = pl.lit(value=False)
    if others:
        exchanged = pl.coalesce([_within(each.parse(cells), earliest) for each in others])
        swapped = cells.is_not_null() & value.is_null() & exchanged.is_not_null()
    return ParsedDates(value, ambiguous, swapped)


def _within(days: pl.Expr, earliest: date) -> pl.Expr:
    return pl.when(days.is_between(earliest, LATEST)).then(days)
