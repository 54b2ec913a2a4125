"""What is owed: open, overdue, its age, days of sales, effectiveness, write-offs, and when it is expected."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from tasks.figures import formulas
from tasks.figures.cases import Known
from tasks.figures.formulas import BUCKETS
from tasks.figures.queries import PERIOD
from tasks.figures.rows import Row, kept
from tasks.figures.totals import Totals

WEEK = 7
"""Days; the first week begins today."""
WEEKS = 13
LATER = "later"
"""The key of what is expected after the last of these weeks."""

Sums = dict[tuple[str, str], tuple[int, int]]
"""(amount, count) by segment and bucket; the segment is empty for all of them."""


def receivable_rows(known: Known, totals: Totals) -> Iterator[Row]:
    """All figures of the ledger, by currency; the creditor's own has rows even where nothing is open."""
    aged = _aged(known)
    expected = _expected(known)
    for currency in sorted({totals.currency, *aged, *totals.currencies("ledger")}):
        sums = aged[currency]
        yield from _standing(sums, currency)
        yield from _days(sums, totals, currency)
        yield from _forecast(expected[currency], known, currency)
    yield from _credits(totals)
    yield from _write_offs(totals)


def _aged(known: Known) -> dict[str, Sums]:
    """By currency: sums by segment and bucket, those of all segments under an empty one."""
    rows = known.items.group_by("currency", "segment", "late").agg(pl.sum("open"), pl.len())
    found: dict[str, Sums] = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    for currency, segment, late, amount, count in rows.iter_rows():
        sums = found[currency]
        for key in (("", formulas.bucket(late)), (segment, formulas.bucket(late))):
            before = sums[key]
            sums[key] = (before[0] + amount, before[1] + count)
    return found


def _standing(sums: Sums, currency: str) -> Iterator[Row]:
    for segment in sorted({"", *(segment for segment, _ in sums)}):
        where = {"dimension": "segment" if segment else "", "key": segment, "currency": currency}
        for name, buckets in (("open", BUCKETS), ("overdue", BUCKETS[1:]), ("overdue_90", BUCKETS[-1:])):
            found = [sums[segment, bucket] for bucket in buckets if (segment, bucket) in sums]
            yield Row(name, sum(amount for amount, _ in found), sum(count for _, count in found), **where)
    for bucket in BUCKETS:
        yield Row("ageing", *sums.get(("", bucket), (0, 0)), "bucket", bucket, currency)
    for (segment, bucket), (amount, count) in sorted(sums.items()):
        if segment:
            yield Row("ageing", amount, count, "segment_bucket", f"{segment}:{bucket}", currency)


def _days(sums: Sums, totals: Totals, currency: str) -> Iterator[Row]:
    """DSO three ways, ADD and CEI."""
    found = [sums[key] for key in sums if not key[0]]
    whole, count = sum(amount for amount, _ in found), sum(number for _, number in found)
    current = sums.get(("", BUCKETS[0]), (0, 0))[0]
    sales, beginning = totals.sales(currency), totals.beginning(currency)
    reckoned = {
        "dso": formulas.dso_simple(whole, sales, PERIOD),
        "dso_count_back": formulas.dso_count_back(whole, totals.months(currency)),
        "dso_best": formulas.best_possible_dso(current, sales, PERIOD),
        "add": formulas.average_days_delinquent(whole, current, sales, PERIOD),
        "cei": None if beginning is None else formulas.collection_effectiveness(beginning, sales, whole, current),
    }
    for name, number in reckoned.items():
        yield Row(name, kept(name, number), count, currency=currency)


def _expected(known: Known) -> dict[str, dict[int, tuple[int, int]]]:
    """By currency and week from today: what is expected; all that comes after the last week in the one behind it."""
    rows = known.items.group_by("currency", "late", "delay").agg(pl.sum("open"), pl.len())
    found: dict[str, dict[int, tuple[int, int]]] = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    for currency, late, delay, amount, count in rows.iter_rows():
        week = min(formulas.expected_in(late, delay) // WEEK, WEEKS)
        before = found[currency][week]
        found[currency][week] = (before[0] + amount, before[1] + count)
    return found


def _forecast(weeks: dict[int, tuple[int, int]], known: Known, currency: str) -> Iterator[Row]:
    soon = [weeks.get(place, (0, 0)) for place in range(WEEKS)]
    yield Row("expected", sum(amount for amount, _ in soon), sum(count for _, count in soon), currency=currency)
    for place, (amount, count) in enumerate(soon):
        first = known.as_of + timedelta(days=WEEK * place)
        yield Row("expected", amount, count, "week", first.isoformat(), currency)
    if WEEKS in weeks:
        yield Row("expected", *weeks[WEEKS], "week", LATER, currency)


def _credits(totals: Totals) -> Iterator[Row]:
    for name, part in (("credit_notes", "credit_note"), ("unallocated", "payment")):
        for _, currency, count, amount in totals.of(part):
            yield Row(name, amount, count, currency=currency)


def _write_offs(totals: Totals) -> Iterator[Row]:
    rows = totals.of("write_off")
    for currency in sorted({totals.currency, *totals.currencies("write_off")}):
        months = [(key, count, amount) for key, money, count, amount in rows if money == currency]
        yield Row("write_offs", sum(each[2] for each in months), sum(each[1] for each in months), currency=currency)
        for key, count, amount in months:
            yield Row("write_offs", amount, count, "month", key, currency)
