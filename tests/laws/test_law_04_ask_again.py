"""Law 4. What came in meanwhile cancels the effect, with the reason; what did not change is not cancelled."""

from datetime import date
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.reasons import SkipReason
from policies.fact_frames import COLUMNS, ITEM_COLUMNS, STEP_COLUMNS
from policies.pack import load_pack, standard_pack_files
from tasks.facts import FactFrames
from tasks.revalidate import objections
from tests.laws.examples import pure

GUARDRAILS = load_pack(standard_pack_files()).guardrails
SPEAKS_AGAINST: dict[str, Any] = {
    "legal_stop": "insolvent",
    "data_age_wd": 9,
    "quarantined_rows": 1,
    "hold_reason": "data",
    "our_turn": True,
    "tickets_open": 1,
    "unread_reply": True,
}
CALM: dict[str, Any] = {
    **{name: {"Int64": 0, "Float64": 0.0, "Boolean": False, "String": "none", "Date": None}[str(kind)]
       for name, kind in COLUMNS.items()},
    "case_id": 1, "country": "NL", "party_kind": "business", "manager_heard": True, "tried_call": True, "party_id": 1,
    "payer_party_id": 1,
}  # fmt: skip
COVERS = {"disputed": "disputed_open", "in_plan": "in_plan_open", "promised": "promised_open",
          "claimed": "claimed_paid_open", "in_flight": "debits_in_flight"}  # fmt: skip


def objection(
    facts: dict[str, Any], amounts: list[tuple[int, int, str | None]], *, escalating: bool, kind: str = "message"
) -> str | None:
    """What is said against a message that named items: (named, asked now, what covers the rest)."""
    items: list[dict[str, Any]] = [
        {
            **{name: 0 for name, kind in ITEM_COLUMNS.items() if kind == pl.Int64},
            **{name: None for name, kind in ITEM_COLUMNS.items() if kind in (pl.Date, pl.String)},
            **{name: True for name, kind in ITEM_COLUMNS.items() if kind == pl.Boolean},
            "case_id": 1,
            "item_id": number,
            "open_amount": named if cover else asked,
            "asked": asked,
            **({cover: named - asked} if cover else {}),
        }
        for number, (named, asked, cover) in enumerate(amounts)
    ]
    open_ = sum(item["open_amount"] for item in items)
    covered = {fact: sum(item[name] for item in items) for name, fact in COVERS.items()}
    row = {**CALM, "round_open": open_, "asked_amount": sum(item["asked"] for item in items), **covered, **facts}
    frames = FactFrames(
        pl.DataFrame([row], schema=dict(COLUMNS)),
        pl.DataFrame(items, schema=dict(ITEM_COLUMNS)),
        pl.DataFrame(schema=dict(STEP_COLUMNS)),
    )
    action = {
        "action_id": 7, "case_id": 1, "kind": kind, "escalating": escalating, "occurrence": None, "passes": [],
        "outside_round": False, "asks_of_cash": False, "own_offer": False, "written": True, "written_to": 1,
    }  # fmt: skip
    schema: dict[str, Any] = {"passes": pl.List(pl.String), "occurrence": pl.Date}
    named_rows = {
        "action_id": [7] * len(amounts),
        "item_id": list(range(len(amounts))),
        "amount": [named for named, _, _ in amounts],
    }
    found = objections(pl.DataFrame([action], schema_overrides=schema), pl.DataFrame(named_rows), frames, GUARDRAILS)
    return None if found.is_empty() else str(found["reason"].item())


AMOUNTS = st.lists(st.integers(1_000, 10**9), min_size=1, max_size=5)


@pure
@given(AMOUNTS, st.booleans())
def test_nothing_changed_nothing_cancelled(amounts: list[int], escalating: bool) -> None:
    assert objection({}, [(amount, amount, None) for amount in amounts], escalating=escalating) is None


@pure
@given(AMOUNTS, st.sets(st.sampled_from(sorted(SPEAKS_AGAINST)), min_size=1), st.booleans())
def test_whatever_speaks_against_it_cancels_it(amounts: list[int], against: set[str], escalating: bool) -> None:
    facts = {name: SPEAKS_AGAINST[name] for name in against}
    assert objection(facts, [(amount, amount, None) for amount in amounts], escalating=escalating) in set(SkipReason)


@pure
@given(AMOUNTS, st.data())
def test_any_cent_less_cancels_it_and_nothing_left_is_paid(amounts: list[int], data: st.DataObject) -> None:
    now = [data.draw(st.integers(0, amount)) for amount in amounts]
    cover = data.draw(st.sampled_from([None, *COVERS]))
    changed = [(amount, left, cover) for amount, left in zip(amounts, now, strict=True)]
    found = objection({}, changed, escalating=False)
    assert (found is None) == (now == amounts)
    if cover is None and sum(now) == 0:
        assert found == SkipReason.PAID


def test_the_day_does_not_matter_only_what_is_recorded() -> None:
    assert objection({"driver_due_on": date(2020, 1, 1)}, [(5_000, 5_000, None)], escalating=False) is None


def test_a_statement_goes_on_while_the_ball_is_with_us() -> None:
    ours = {"our_turn": True, "tickets_open": 1}
    assert objection(ours, [(5_000, 5_000, None)], escalating=False, kind="statement") is None
    assert objection(ours, [(5_000, 5_000, None)], escalating=False) == SkipReason.ON_HOLD
