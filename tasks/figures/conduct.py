"""How both sides kept their word: promises, our contacts, our answers, and who came back."""

from collections.abc import Iterator

import polars as pl

from maatpak.kernel.calendars import count_working_days
from maatpak.kernel.words import PromiseState
from tasks.figures import formulas
from tasks.figures.rows import Row, kept
from tasks.figures.totals import Totals


def conduct_rows(totals: Totals, answers: pl.DataFrame, rounds: pl.DataFrame) -> Iterator[Row]:
    """Figures of promises, contacts, answers and rounds; each is there, not known where there was nothing to count."""
    yield from _promises(totals)
    ((_, _, contacts, wrongful),) = totals.of("contact")
    yield Row("wrongful_contacts", kept("wrongful_contacts", formulas.per_thousand(wrongful, contacts)), contacts)
    yield _answered(answers)
    yield from _again(rounds)


def _promises(totals: Totals) -> Iterator[Row]:
    due = totals.of("promise")
    kept_ones = [row for row in due if row[0] == PromiseState.KEPT]
    count = sum(number for _, _, number, _ in due)
    share = formulas.share(sum(number for _, _, number, _ in kept_ones), count)
    yield Row("promises_kept", kept("promises_kept", share), count)
    for currency in sorted({totals.currency, *totals.currencies("promise")}):
        whole, part = (sum(amount for _, money, _, amount in rows if money == currency) for rows in (due, kept_ones))
        number = sum(each for _, money, each, _ in due if money == currency)
        value = kept("promises_kept_value", formulas.share(part, whole))
        yield Row("promises_kept_value", value, number, currency=currency)


def _answered(answers: pl.DataFrame) -> Row:
    if answers.is_empty():
        return Row("answer_days", None)
    count = int(answers["answers"].sum())
    waited = count_working_days(answers["received_on"], answers["until"], answers["country"])
    return Row("answer_days", kept("answer_days", int((waited * answers["answers"]).sum()) / count), count)


def _again(rounds: pl.DataFrame) -> Iterator[Row]:
    counted: dict[tuple[str, str], tuple[int, int]] = {("", ""): (0, 0)}
    for segment, stage, step, number, again in rounds.iter_rows():
        for part in (("", ""), ("segment", segment), ("stage", stage), ("step", step)):
            before = counted.get(part, (0, 0))
            counted[part] = (before[0] + number, before[1] + again)
    for (dimension, key), (number, again) in sorted(counted.items()):
        share = kept("bought_again", formulas.share(again, number))
        yield Row("bought_again", share, number, dimension, key)
