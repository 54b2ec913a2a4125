"""The formulas of credit control, as the field defines them: numbers in, a number out, or None where nothing is known.

Amounts are minor units of one currency, days are calendar days. Where a formula would divide by nothing, the answer
is None, which is told as "not known", and never 0, which would be praise or blame. Sources: creditguru, highako, CRF
(creditmanagementassociation.org), cbswebsite, Oracle Collections.
"""

from collections.abc import Iterable
from math import ceil

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
"""Ageing, youngest first."""
BUCKET_ENDS = (0, 30, 60, 90)
"""The last day past the due date of each bucket but the last."""


def dso_simple(receivables: int, sales: int, days: int) -> float | None:
    """Days of sales outstanding: receivables ÷ sales of a period × days of the period. Days. (creditguru)

    None without sales.
    """
    return receivables / sales * days if sales > 0 else None


def dso_count_back(receivables: int, months: Iterable[tuple[int, int]]) -> float | None:
    """Days of sales outstanding, counted back: each month's sales are taken off the receivables, its days added. Days.

    `months` are (sales, days) of the last month first; of the month in which the receivables run out counts the part
    that they cover. 212,000 against 100,000, 80,000 and 70,000 in months of 30 days: 30 + 30 + 32/70 × 30 = 73.7.
    (highako, benjipays) None where the receivables are older than the months that are given.
    """
    left, counted = receivables, 0.0
    for sales, days in months:
        if left <= 0:
            break
        if 0 < left <= sales:
            return counted + left / sales * days
        left -= max(sales, 0)
        counted += days
    return counted if left <= 0 else None


def best_possible_dso(current: int, sales: int, days: int) -> float | None:
    """DSO if everybody paid when due: receivables not yet due ÷ sales × days. Days. (creditguru, quadient)

    None without sales.
    """
    return dso_simple(current, sales, days)


def average_days_delinquent(receivables: int, current: int, sales: int, days: int) -> float | None:
    """ADD, how many of the days of DSO are due to lateness: DSO − best possible DSO. Days. (creditguru)

    15,000 of which 4,000 current, 10,000 sold in 30 days: 45 − 12 = 33. None without sales.
    """
    whole, best = dso_simple(receivables, sales, days), best_possible_dso(current, sales, days)
    return None if whole is None or best is None else whole - best


def collection_effectiveness(beginning: int, sales: int, ending: int, ending_current: int) -> float | None:
    """CEI, how much of what could be collected was. Percent, 100 is all. (CRF, creditguru)

    (receivables at the beginning + sales − receivables at the end) ÷ (the same − what of the end is not yet due) × 100.
    400,000 + 1,200,000 − 350,000 over 400,000 + 1,200,000 − 280,000: 94.7. None where nothing could be collected.
    """
    collectable = beginning + sales - ending_current
    return (beginning + sales - ending) / collectable * 100 if collectable > 0 else None


def bucket(late: int) -> str:
    """The ageing bucket, by calendar days past the contractual due date; on that date current. (rule 26; faqifrs)"""
    return next((name for name, end in zip(BUCKETS, BUCKET_ENDS, strict=False) if late <= end), BUCKETS[-1])


def share(part: int, whole: int) -> float | None:
    """Promises kept of those due, by count or value; a part of all. Percent; None of nothing. (cbswebsite, Oracle)"""
    return part / whole * 100 if whole > 0 else None


def per_thousand(part: int, whole: int) -> float | None:
    """How many of a thousand. None of nothing."""
    return part / whole * 1000 if whole > 0 else None


def expected_in(late: int, delay: float) -> int:
    """When an open item is expected to be paid: due date + the customer's median delay, never before today.

    In days from today, of an item that is `late` days past due (negative: not yet); half a day of delay counts as a
    whole one. A baseline that forecasts must beat, not a forecast.
    """
    return max(0, ceil(delay) - late)
