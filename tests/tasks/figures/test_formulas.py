"""The formulas: hand-worked examples of the field, and what must hold of any numbers."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.figures import formulas
from tasks.figures.formulas import BUCKETS

MONTHS = [(100_000, 30), (80_000, 30), (70_000, 30)]

amounts = st.integers(0, 10**12)
sales = st.integers(1, 10**12)
months = st.lists(st.tuples(st.integers(0, 10**9), st.integers(28, 31)), max_size=24)


def test_days_of_sales_by_hand() -> None:
    assert formulas.dso_simple(15_000, 10_000, 30) == 45
    assert formulas.best_possible_dso(4_000, 10_000, 30) == 12
    assert formulas.average_days_delinquent(15_000, 4_000, 10_000, 30) == 33


@pytest.mark.parametrize(
    ("receivables", "days"),
    [
        (212_000, pytest.approx(73.714, abs=0.001)),
        (0, 0),
        (50_000, 15),
        (100_000, 30),
        (180_000, 60),
        (250_000, 90),
        (250_001, None),
    ],
)
def test_days_of_sales_counted_back(receivables: int, days: float | None) -> None:
    assert formulas.dso_count_back(receivables, MONTHS) == days


def test_a_month_without_sales_is_older_than_what_is_owed() -> None:
    assert formulas.dso_count_back(150, [(100, 10), (0, 31), (100, 30)]) == 10 + 31 + 15


def test_collection_effectiveness_by_hand() -> None:
    found = formulas.collection_effectiveness(40_000_000, 120_000_000, 35_000_000, 28_000_000)
    assert found == pytest.approx(94.697, abs=0.001)


def test_what_divides_by_nothing_is_not_known() -> None:
    assert formulas.dso_simple(100, 0, 90) is None
    assert formulas.best_possible_dso(0, 0, 90) is None
    assert formulas.average_days_delinquent(100, 50, 0, 90) is None
    assert formulas.collection_effectiveness(0, 100, 100, 100) is None
    assert formulas.dso_count_back(1, []) is None
    assert formulas.share(0, 0) is None
    assert formulas.per_thousand(0, 0) is None


@pytest.mark.parametrize(
    ("late", "bucket"),
    [
        *((-400, "current"), (0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60")),
        *((61, "61-90"), (90, "61-90"), (91, "90+"), (4_000, "90+")),
    ],
)
def test_the_edges_of_the_buckets(late: int, bucket: str) -> None:
    assert formulas.bucket(late) == bucket


@pytest.mark.parametrize(
    ("late", "delay", "days"),
    [(-10, 4, 14), (-10, 4.5, 15), (-10, -3.5, 7), (-10, -20, 0), (5, 12, 7), (5, 2, 0), (0, 0, 0)],
)
def test_when_an_item_is_expected(late: int, delay: float, days: int) -> None:
    assert formulas.expected_in(late, delay) == days


def test_shares_by_hand() -> None:
    assert formulas.share(3, 4) == 75
    assert formulas.per_thousand(3, 2_000) == 1.5


@given(months, amounts, amounts)
def test_owing_more_never_counts_fewer_days(given: list[tuple[int, int]], one: int, other: int) -> None:
    fewer, more = (formulas.dso_count_back(each, given) for each in sorted((one, other)))
    assert fewer is not None or more is None
    assert fewer is None or more is None or fewer <= more
    whole = sum(days for _, days in given)
    assert more is None or 0 <= more <= whole


@given(amounts, months, st.integers(0, 10**9))
def test_selling_more_lately_never_counts_more_days(owed: int, given: list[tuple[int, int]], extra: int) -> None:
    assume(given)
    before = formulas.dso_count_back(owed, given)
    after = formulas.dso_count_back(owed, [(given[0][0] + extra, given[0][1]), *given[1:]])
    assert before is None or (after is not None and after <= before + 1e-6)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=12), st.integers(0, 10**6))
def test_steady_sales_make_both_ways_equal(given: list[int], owed: int) -> None:
    steady = [(given[0], 30)] * len(given)
    counted = formulas.dso_count_back(owed, steady)
    assert counted is None or counted == pytest.approx(formulas.dso_simple(owed, given[0], 30))


@given(st.integers(-10_000, 10_000), st.integers(0, 10_000))
def test_an_item_only_grows_older(late: int, more: int) -> None:
    assert BUCKETS.index(formulas.bucket(late)) <= BUCKETS.index(formulas.bucket(late + more))
    assert (formulas.bucket(late) == "current") == (late <= 0)


@given(st.integers(-1_000, 1_000), st.floats(-400, 400), st.integers(0, 400))
def test_nothing_is_expected_in_the_past_nor_earlier_than_the_customer_pays(late: int, delay: float, more: int) -> None:
    found = formulas.expected_in(late, delay)
    assert found >= max(0, delay - late)
    assert formulas.expected_in(late, delay + more) >= found >= formulas.expected_in(late + more, delay)


@given(amounts, amounts, sales, st.integers(1, 365))
def test_delinquency_is_what_the_overdue_cost(current: int, overdue: int, sold: int, days: int) -> None:
    found = formulas.average_days_delinquent(current + overdue, current, sold, days)
    assert found == pytest.approx(overdue / sold * days, rel=1e-6, abs=1e-3)


@given(amounts, sales, amounts, amounts)
def test_effectiveness_is_a_share_and_whole_when_nothing_is_overdue(
    beginning: int, sold: int, current: int, overdue: int
) -> None:
    assume(current + overdue <= beginning + sold)
    assume(current < beginning + sold)
    found = formulas.collection_effectiveness(beginning, sold, current + overdue, current)
    assert found is not None
    assert 0 <= found <= 100
    assert (found == 100) == (overdue == 0) or overdue / (beginning + sold - current) < 1e-12
