"""The sums that one query gives, by what they are."""

from calendar import monthrange
from collections import defaultdict
from datetime import date, timedelta

import polars as pl

from maatpak.kernel.errors import UsageError
from tasks.facts.scope import months_before
from tasks.figures.queries import PERIOD, SALES_MONTHS


class Totals:
    """Sums by part and currency: sales, open when the period began, credits, write-offs, promises, contacts."""

    def __init__(self, rows: pl.DataFrame, as_of: date) -> None:
        self.as_of = as_of
        self._rows: dict[str, list[tuple[str, str, int, int, int]]] = defaultdict(list)
        for part, key, currency, count, first, second in rows.iter_rows():
            self._rows[part].append((key or "", currency, count or 0, first or 0, second or 0))
        ((_, self.currency, _, ledgers, self.pack_id),) = self._rows["creditor"]
        if not self.pack_id:
            raise UsageError("The creditor had no policy pack then.", advice="`maatpak policy publish` gives it one.")
        self._has_beginning = ledgers > 0

    def sales(self, currency: str) -> int:
        """Invoiced in the period, minor units."""
        since = (self.as_of - timedelta(days=PERIOD)).isoformat()
        return sum(amount for day, money, _, amount, _ in self._rows["ledger"] if money == currency and day > since)

    def months(self, currency: str) -> list[tuple[int, int]]:
        """(invoiced, days) of the date's month so far and the months before it, last first."""
        sums: dict[str, int] = defaultdict(int)
        for day, money, _, amount, _ in self._rows["ledger"]:
            if money == currency:
                sums[day[:7]] += amount
        found = [(sums[f"{self.as_of:%Y-%m}"], self.as_of.day)]
        for back in range(1, SALES_MONTHS):
            month = months_before(self.as_of.replace(day=1), back)
            found.append((sums[f"{month:%Y-%m}"], monthrange(month.year, month.month)[1]))
        return found

    def beginning(self, currency: str) -> int | None:
        """Open when the period began; None when there was no ledger then."""
        if not self._has_beginning:
            return None
        return sum(amount for _, money, _, _, amount in self._rows["ledger"] if money == currency)

    def of(self, part: str) -> list[tuple[str, str, int, int]]:
        """(key, currency, count, amount) of a part."""
        return [(key, currency, count, amount) for key, currency, count, amount, _ in self._rows[part]]

    def currencies(self, part: str) -> set[str]:
        """Those of a part."""
        return {currency for _, currency, *_ in self._rows[part]}
