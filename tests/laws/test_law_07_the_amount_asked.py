"""Law 7. What an action names is what may be asked, each cent once, and never more than is open."""

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, ActionItem, ItemVersion
from policies.fact_frames import ITEM_COLUMNS
from tasks.day import run_day
from tasks.disputes import open_dispute
from tasks.promises import make_promise
from tasks.proposal import named_items
from tests.laws.examples import house_at, played, pure
from tests.tasks.act.house import at
from tests.tasks.act.stages import Stages

ITEMS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.booleans()), min_size=1, max_size=8)
"""(open, asked, demandable)."""


@pure
@given(ITEMS, st.booleans())
def test_an_action_names_what_is_asked_and_a_demand_only_what_may_be_demanded(
    items: list[tuple[int, int, bool]], escalating: bool
) -> None:
    rows = [
        {
            **dict.fromkeys(ITEM_COLUMNS),
            "case_id": 1,
            "item_id": number,
            "open_amount": max(open_, asked),
            "asked": asked,
            "demandable": demandable,
        }
        for number, (open_, asked, demandable) in enumerate(items)
    ]
    action = {
        "case_id": 1, "step": "x", "kind": "message", "state": "proposed", "escalating": escalating,
        "occurrence": None, "written": True, "passes": [], "outside_round": False, "prepares_due": False,
        "ahead": None,
    }  # fmt: skip
    schema: dict[str, Any] = {"occurrence": pl.Date, "passes": pl.List(pl.String), "ahead": pl.Int64}
    named = named_items(pl.DataFrame([action], schema_overrides=schema), pl.DataFrame(rows, schema=dict(ITEM_COLUMNS)))
    may = [asked for _, asked, demandable in items if demandable or not escalating]
    assert named["amount"].sum() == sum(may)
    assert named["item_id"].n_unique() == named.height
    assert (named["amount"] > 0).all()


@played
@given(
    st.lists(st.integers(1_000, 90_000), min_size=1, max_size=4),
    st.integers(0, 60_000),
    st.integers(0, 50_000),
    st.integers(0, 40_000),
)
def test_a_letter_asks_for_what_is_left_of_it_all(
    stages: Stages, amounts: list[int], credited: int, disputed: int, promised: int
) -> None:
    with house_at(stages) as house:
        case_id = house.debtor("C2")
        for number, amount in enumerate(amounts):
            house.item(case_id, f"G{number}", amount, house.day - timedelta(days=30 + number))
        if credited:
            house.item(case_id, "CN", credited, house.day - timedelta(days=5), item_type="credit_note")
        with house.desk("carla") as desk:
            case = desk.case(case_id)
            part = min(disputed, amounts[0])
            if part:
                open_dispute(desk, case, "G0", NonPaymentReason.PRICE, amount=part)
            said = min(promised, sum(amounts) - part)
            if said:
                make_promise(desk, case, house.day + timedelta(days=3), amount=said)
        day = house.day + timedelta(days=1)
        house.snapshot(day)
        run_day(house.engine, house.creditor_id, day, at(day, 6))
        left = max(0, sum(amounts) - part - said - credited)
        written = [action for action in house.rows(Action, case_id=case_id) if action.kind == "message"]
        assert [action.amount for action in written] == ([left] if left > 500 else [])
        opens = {version.item_id: version.open_amount for version in house.rows(ItemVersion)}
        for action in written:
            named = [row for row in house.rows_of(ActionItem) if row.action_id == action.id]
            assert sum(row.amount for row in named) == action.amount
            assert all(row.amount <= opens[row.item_id] for row in named)
