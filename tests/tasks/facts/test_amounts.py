"""Each cent once: what is asked of an overdue item is what no record and no credit covers (rule 5)."""

from datetime import date, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.facts.amounts import divide
from tasks.facts.covers import COVERS, SCHEMA

DAY = date(2026, 3, 2)
DEBTS = pl.Schema(
    {
        "case_id": pl.Int64,
        "item_id": pl.Int64,
        "document_no": pl.String,
        "due_on": pl.Date,
        "open_amount": pl.Int64,
        "overdue": pl.Boolean,
    }
)
CREDIT = pl.Schema(
    {"case_id": pl.Int64, "item_type": pl.String, "open_amount": pl.Int64, "reference": pl.String, "item_id": pl.Int64}
)


def debts(*amounts: int, overdue: int = 99) -> pl.DataFrame:
    """Items 1, 2, … of case 7, the oldest first; the first `overdue` of them are overdue."""
    rows = [
        (7, number, f"I{number}", DAY + timedelta(days=number), amount, number <= overdue)
        for number, amount in enumerate(amounts, 1)
    ]
    return pl.DataFrame(rows, DEBTS, orient="row")


def claims(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """(cover, record, item or None, amount it has in all or None, amount it says of the item)."""
    full = [(cover, record, 7, item, amount, of_item) for cover, record, item, amount, of_item in rows]
    return pl.DataFrame(full, pl.Schema(SCHEMA), orient="row")


def credit(*rows: tuple[str, int, str | None]) -> pl.DataFrame:
    """(type, amount, document it refers to)."""
    full = [(7, kind, amount, reference, 900 + n) for n, (kind, amount, reference) in enumerate(rows)]
    return pl.DataFrame(full, CREDIT, orient="row")


def asked(frame: pl.DataFrame) -> list[int]:
    return frame.sort("item_id")["asked"].to_list()


@pytest.mark.parametrize(
    ("owed", "records", "notes", "left"),
    [
        pytest.param(debts(100, 50), claims(), credit(), [100, 50], id="nothing-to-net"),
        pytest.param(debts(100, 50, overdue=1), claims(), credit(), [100, 0], id="not-due-is-never-asked"),
        pytest.param(debts(100), claims(("disputed", 1, 1, None, 40)), credit(), [60], id="undisputed-rest"),
        pytest.param(debts(100), claims(("disputed", 1, 1, None, 400)), credit(), [0], id="no-more-than-open"),
        pytest.param(
            debts(100),
            claims(("disputed", 1, 1, None, 40)),
            credit(("credit_note", 40, "I1")),
            [60],
            id="credit-note-takes-the-dispute-first",
        ),
        pytest.param(
            debts(100),
            claims(("disputed", 1, 1, None, 40)),
            credit(("credit_note", 60, "I1")),
            [40],
            id="and-then-the-rest",
        ),
        pytest.param(
            debts(100),
            claims(("disputed", 1, 1, None, 40)),
            credit(("payment", 60, "I1")),
            [0],
            id="cash-pays-what-is-not-disputed",
        ),
        pytest.param(
            debts(100, 80), claims(), credit(("credit_note", 130, "I2")), [50, 80 - 80], id="excess-nets-the-oldest"
        ),
        pytest.param(debts(100, 80), claims(), credit(("payment", 130, None)), [0, 50], id="oldest-first"),
        pytest.param(debts(100, 80), claims(), credit(("payment", 30, "gone")), [70, 80], id="reference-to-nothing"),
        pytest.param(
            debts(100, 80, overdue=1),
            claims(),
            credit(("credit_note", 80, "I2")),
            [100, 0],
            id="credit-of-a-later-item",
        ),
        pytest.param(
            debts(100, 80), claims(("promised", 1, None, 120, None)), credit(), [0, 60], id="promise-of-an-amount"
        ),
        pytest.param(
            debts(100, 80),
            claims(("promised", 1, 1, 60, 100), ("promised", 1, 2, 60, 80)),
            credit(),
            [40, 80],
            id="promise-of-items-has-60-left",
        ),
        pytest.param(
            debts(100),
            claims(("disputed", 1, 1, None, 70), ("in_plan", 2, 1, None, 70), ("claimed", 3, 1, None, 70)),
            credit(),
            [0],
            id="covers-do-not-add-up-to-more",
        ),
        pytest.param(
            debts(100, 80),
            claims(("placed", 1, 1, None, 100), ("promised", 2, None, 100, None)),
            credit(("payment", 30, None)),
            [0, 0],
            id="placed-is-out-before-a-promise",
        ),
    ],
)
def test_what_is_asked(owed: pl.DataFrame, records: pl.DataFrame, notes: pl.DataFrame, left: list[int]) -> None:
    assert asked(divide(owed, records, notes)) == left


@given(seed=st.integers(0, 10**9))
def test_each_cent_stands_once(seed: int) -> None:
    """Overdue open = asked + covered + credit used; nothing below zero; the order of the rows does not matter."""
    random = Random(seed)
    owed = debts(*(random.randint(1, 50) for _ in range(random.randint(1, 5))), overdue=random.randint(0, 5))
    records = claims(
        *(
            (cover, record, *random.choice([(random.randint(1, 5), random.choice([None, 20]), 30), (None, 25, None)]))
            for record, cover in enumerate(random.choices(COVERS, k=random.randint(0, 6)))
        )
    )
    notes = credit(
        *(
            (random.choice(["credit_note", "payment"]), random.randint(1, 60), random.choice([None, "I1", "I3", "no"]))
            for _ in range(random.randint(0, 4))
        )
    )
    divided = divide(owed, records, notes)
    everything = owed.join(divided, on="item_id").with_columns(
        covered=pl.sum_horizontal(*COVERS),
        credited=pl.col("open_amount") - pl.sum_horizontal("asked", *COVERS),
    )
    overdue = everything.filter("overdue")
    assert everything.select((pl.col("asked", *COVERS) >= 0).all()).row(0) == (True,) * 7
    assert (overdue["credited"] >= 0).all()
    used = overdue["credited"].sum()
    assert used <= notes["open_amount"].sum()
    if overdue["asked"].sum() > 0:
        later = [f"I{n}" for n in everything.filter(~pl.col("overdue"))["item_id"]]
        spare = notes.filter(~pl.col("reference").is_in(later) | pl.col("reference").is_null())["open_amount"].sum()
        assert used >= spare, "credit is left though something is still asked"
    assert asked(divide(owed.reverse(), records.reverse(), notes.reverse())) == asked(divided)
