"""Law 8. A case that gets nothing says why, also when a step was withheld after it had been decided."""

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.reasons import NoActionReason
from maatpak.ledger.tables import Action, Case, Tick
from policies.reporting import CASE_COLUMNS
from tasks.proposal import BUDGET, COVERED, DAY_DONE, with_withheld
from tests.laws.examples import house_at, played, pure
from tests.tasks.act.script import Script
from tests.tasks.act.stages import Stages

TODAY = date(2026, 3, 2)
DECIDED = st.lists(
    st.tuples(st.sampled_from([None, BUDGET, COVERED, DAY_DONE]), st.sampled_from([None, *NoActionReason])), max_size=12
)
"""(why the tick withholds it, why it was decided that nothing happens)."""


@pure
@given(DECIDED)
def test_what_is_withheld_says_so(decided: list[tuple[str | None, NoActionReason | None]]) -> None:
    rows = [
        {
            **dict.fromkeys(CASE_COLUMNS),
            "case_id": number,
            "outcome": "act" if reason is None else "none",
            "reason": None if reason is None else str(reason),
            "step": "reminder",
            "opens_round": True,
        }
        for number, (_, reason) in enumerate(decided)
    ]
    held = [(number, why) for number, (why, _) in enumerate(decided) if why]
    withheld = pl.DataFrame(held, schema={"case_id": pl.Int64, "withheld": pl.String}, orient="row")
    cases = with_withheld(pl.DataFrame(rows, schema=dict(CASE_COLUMNS)), withheld, TODAY)
    for row in cases.iter_rows(named=True):
        assert (row["outcome"] == "none") == (row["reason"] is not None)
        assert row["outcome"] == "act" or row["reason"] in set(NoActionReason)
        assert row["withheld"] is None or row["outcome"] == "none"


@played
@given(st.lists(st.integers(600, 400_000), min_size=1, max_size=4), st.integers(3, 12))
def test_every_case_of_every_day_acts_or_says_why(stages: Stages, amounts: list[int], days: int) -> None:
    with house_at(stages) as house:
        for number, amount in enumerate(amounts):
            house.item(house.debtor(f"D{number}"), f"I{number}", amount, date(2026, 2, 1 + number))
        script = Script(house)
        for _ in range(days):
            script.day()
        for tick in house.rows(Tick):
            decisions = house.engine.store.get_frame(tick.decisions_evidence)
            assert decisions.filter((pl.col("outcome") == "none") & pl.col("reason").is_null()).is_empty()
            assert set(decisions["case_id"]) == {case.id for case in house.rows(Case)}
            acting = decisions.filter(pl.col("outcome") == "act")["case_id"].to_list()
            proposed = {action.case_id for action in house.rows(Action, tick_id=tick.id) if action.state != "skipped"}
            assert set(acting) == proposed
