"""Whose turn it is at a party: the order, rule by rule (rule 21)."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.turns import CLAIM, LETTER, in_order, out_of_turn

DAY = date(2026, 3, 10)
LETTERS: dict[str, Any] = {**CLAIM, "debtor_id": pl.Int64, "pack_id": pl.Int64, "segment": pl.String, "step": pl.String,
           "approvals_needed": pl.Int64}  # fmt: skip


def claim(case_id: int, **given: Any) -> dict[str, Any]:
    usual = {"written_to": 1, "case_id": case_id, "stage": "remind", "amount": 10_000, "currency": "EUR",
             "first_from": None}  # fmt: skip
    return {**usual, **given}


def letter(case_id: int, **given: Any) -> dict[str, Any]:
    own = {"debtor_id": case_id, "pack_id": 1, "segment": "forgetful", "step": "reminder", "approvals_needed": 0}
    return {**claim(case_id), **own, **given}


def claims(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CLAIM, orient="row")


def letters(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=LETTERS, orient="row")


ORDER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("who waited for five working days", {"first_from": DAY, "stage": "prepare"}, {"stage": "demand"}),
    ("the longest wait", {"first_from": date(2026, 3, 5)}, {"first_from": date(2026, 3, 9), "stage": "demand"}),
    ("a shorter wait counts for nothing", {"stage": "listen"}, {"first_from": date(2026, 3, 11)}),
    ("the furthest stage", {"stage": "listen", "amount": 1}, {"stage": "remind", "amount": 10**9}),
    ("the larger value", {"amount": 10_001}, {"amount": 10_000}),
    ("whole units between currencies", {"amount": 90_100}, {"amount": 90_000, "currency": "GBP"}),
    ("a currency without decimals", {"amount": 1_000, "currency": "JPY"}, {"amount": 99_999}),
    ("a currency with three", {"amount": 10_001}, {"amount": 100_001, "currency": "TND"}),
]
"""What goes first, and before what."""


@pytest.mark.parametrize(("about", "first", "second"), ORDER, ids=[row[0] for row in ORDER])
def test_the_order(about: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    del about
    rows = claims(claim(2, **first), claim(1, **second))
    assert in_order(rows, DAY)["case_id"].to_list() == [2, 1]
    assert in_order(rows.reverse(), DAY)["case_id"].to_list() == [2, 1]


def test_the_lower_number_where_all_else_is_the_same() -> None:
    assert in_order(claims(claim(9), claim(8)), DAY)["case_id"].to_list() == [8, 9]


def test_one_letter_a_party_goes_and_its_other_currencies_with_it() -> None:
    rows = letters(
        letter(1, debtor_id=1, amount=50_000),
        letter(2, debtor_id=1, amount=100, currency="GBP"),
        letter(3, amount=40_000),
        letter(4, written_to=2),
    )
    assert out_of_turn(rows, claims(), DAY)["case_id"].to_list() == [3]


def test_a_rival_that_goes_first_keeps_all_of_ours_waiting() -> None:
    rows = letters(letter(1), letter(2, amount=1), letter(3, written_to=2))
    rivals = claims(claim(7, stage="demand"), claim(8, written_to=2, amount=1))
    assert out_of_turn(rows, rivals, DAY)["case_id"].to_list() == [1, 2]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["prepare", "remind", "listen", "demand"]),
            st.integers(0, 3),
            st.sampled_from(["EUR", "JPY"]),
            st.sampled_from([None, date(2026, 3, 9), date(2026, 3, 12)]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_each_party_has_one_turn_and_somebody_takes_it(drawn: list[tuple[Any, ...]]) -> None:
    """However many want to write: each party's first, and no other, goes; and only to a party where it is ours."""
    names = ("written_to", "stage", "amount", "currency", "first_from")
    ours = [letter(at, **dict(zip(names, row, strict=False))) for at, row in enumerate(drawn) if row[-1]]
    theirs = [claim(at, **dict(zip(names, row, strict=False))) for at, row in enumerate(drawn) if not row[-1]]
    rows, rivals = letters(*ours), claims(*theirs)
    waiting = out_of_turn(rows, rivals, DAY)
    going = rows.join(waiting, on="case_id", how="anti")
    assert going.select(LETTER).unique().height == going["written_to"].n_unique()
    everyone = in_order(pl.concat([rows.select(list(CLAIM)), rivals]), DAY)
    first = dict(everyone.unique("written_to", keep="first").select("written_to", "case_id").iter_rows())
    assert set(going["case_id"]) == set(first.values()) & set(rows["case_id"])
