"""Law 11. Money is whole minor units everywhere between the edges; parts add up to the cent."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Float, Numeric

from maatpak.ledger.audit import EventDraft, _row
from maatpak.ledger.tables import metadata
from policies.fact_frames import ITEM_COLUMNS
from policies.facts import FACTS
from policies.reporting import ACTION_COLUMNS, CASE_COLUMNS
from tasks.plans import standard_instalments
from tests.laws.examples import pure
from tests.tasks.act.house import at

MONEY = ("amount", "asked_amount", "overdue_open", "overdue_amount", "open_amount", "asked", "total", "received")


def test_no_table_has_a_float_and_amounts_are_wide() -> None:
    for table in metadata.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, Float | Numeric), f"{table.name}.{column.name}"
            if column.name in MONEY or column.name.endswith("_amount"):
                assert isinstance(column.type, BigInteger), f"{table.name}.{column.name}"


def test_no_frame_has_money_in_floats() -> None:
    frames = {**CASE_COLUMNS, **ACTION_COLUMNS, **ITEM_COLUMNS}
    assert {frames[name] for name in frames if name in MONEY} == {pl.Int64}
    assert {fact.dtype for fact in FACTS.values() if fact.unit == "minor"} == {pl.Int64}


@pure
@given(st.integers(1, 10**14), st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 12), st.integers(1, 20))
def test_parts_of_a_plan_add_up_to_the_cent(total: int, day: date, count: int, first: int) -> None:
    parts = standard_instalments(total, day, "NL", count, first)
    assert sum(part.amount for part in parts) == total
    assert [part.due_on for part in parts] == sorted({part.due_on for part in parts})


@pure
@given(
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: "." in repr(number) or "e" in repr(number))
)
def test_an_event_takes_no_float(amount: float) -> None:
    with pytest.raises(ValueError, match="holds the float"):
        _row(EventDraft("promise_made", "carla", body={"amount": amount}), 1, "0" * 64, at(date(2026, 3, 2)))
