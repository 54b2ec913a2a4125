"""Laws of the decision, on random cases: alone as in a frame, whatever the order, the same again, holds only stop."""

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from maatpak.kernel.calendars import add_working_days, is_working_day
from maatpak.kernel.words import (
    ActionState,
    CallResult,
    ConsultAnswer,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    PartyKind,
    PlanState,
    Reaction,
)
from policies.decide import Decisions, decide
from policies.journey import OUTWARD, TO_CUSTOMER
from tests.policies.lives import PACK, facts_frame, in_round, overdue, standard, step_row, steps_frame

DAY = date(2026, 3, 18)

Row = dict[str, Any]


def _days(before: int = 60, after: int = 10) -> st.SearchStrategy[date]:
    return st.integers(-before, after).map(lambda count: DAY + timedelta(days=count))


_COMMON: dict[str, st.SearchStrategy[Any]] = {
    "country": st.sampled_from(["NL", "BE", "GB", "XX"]),
    "party_kind": st.sampled_from([str(each) for each in PartyKind]),
    "relation_days": st.sampled_from([10, 400, 2_000]),
    "key_account": st.sampled_from([False, False, False, True]),
    "settled_items_24m": st.integers(0, 12),
    "share_paid_late_12m": st.floats(0, 1),
    "median_delay_days": st.floats(0, 30),
    "reason": st.sampled_from([str(each) for each in NonPaymentReason]),
    "promises_broken_6m": st.integers(0, 2),
    "consult_answer": st.sampled_from([str(each) for each in ConsultAnswer]),
    "plan_state": st.sampled_from([str(each) for each in PlanState]),
    "experience_balance": st.integers(-14, 5),
    "contacts_20wd": st.integers(0, 4),
    "last_written_on": st.none() | _days(20, 0),
    "last_spoken_on": st.none() | _days(20, 0),
    "promised_open": st.sampled_from([0, 0, 10_000]),
    "demandable_amount": st.sampled_from([0, 30_000]),
    "manager_heard": st.booleans(),
    "tried_call": st.booleans(),
    "spoken": st.booleans(),
    "email_known": st.booleans(),
    "phone_known": st.booleans(),
    "post_known": st.booleans(),
    "upcoming_bank_due_on": st.none() | _days(0, 10),
    "next_pay_run_on": st.none() | _days(0, 10),
    "not_due_open": st.sampled_from([0, 200_000]),
    "largest_item": st.sampled_from([5_000, 200_000, 2_000_000]),
    **{f"{reaction}_on": st.none() | st.none() | _days(10, 0) for reaction in Reaction},
}

_STEPS = [
    (step.name, str(step.stage), str(step.kind))
    for journey in standard().journeys.values()
    for step in (*journey.course, *journey.reactions)
]


@st.composite
def _cases(draw: st.DrawFn, case_id: int = 1) -> tuple[Row, list[Row]]:
    facts = {name: draw(values) for name, values in _COMMON.items()}
    amount = draw(st.sampled_from([0, 300, 4_000, 50_000]))
    segment = draw(st.none() | st.sampled_from(list(standard().journeys)))
    if segment is not None:
        facts |= in_round(segment, round_id=case_id, rerouted_on=draw(st.none() | _days(10, 0)))
        facts["round_entry_stage"] = draw(st.sampled_from(["prepare", "listen", "solve"]))
    row = overdue(draw(_days(50, -1)), DAY, amount, **facts, case_id=case_id)
    row["asked_amount"] = max(0, amount - facts["promised_open"])
    steps = []
    for name, stage, kind in draw(st.lists(st.sampled_from(_STEPS), unique=True, max_size=8)) if segment else []:
        executed = draw(_days(40, 0))
        state = draw(st.sampled_from(["executed", "executed", "skipped", *ActionState]))
        steps.append(
            step_row(
                name,
                stage,
                kind,
                case_id=case_id,
                round_id=case_id,
                state=str(state),
                executed_on=executed if state == "executed" else None,
                proposed_on=executed,
                evidence_on=draw(st.none() | st.just(executed)),
                for_driver=draw(st.sampled_from([True, True, False])),
                result=draw(st.none() | st.sampled_from([str(each) for each in CallResult])),
                retry_on=draw(st.none() | _days(5, 5)) if state == "rejected" else None,
                retry_step=draw(st.none() | st.sampled_from([each for each, *_ in _STEPS])),
            )
        )
    return row, steps


@st.composite
def _frames(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    cases = [draw(_cases(case_id)) for case_id in range(1, draw(st.integers(1, 5)) + 1)]
    return [row for row, _ in cases], [step for _, steps in cases for step in steps]


def _decide(rows: list[Row], steps: list[Row], day: date = DAY) -> Decisions:
    return decide(facts_frame(rows), steps_frame(steps), {PACK: standard()}, PACK, day)


@settings(max_examples=50)
@given(_frames())
def test_a_case_alone_is_decided_as_in_any_frame(frames: tuple[list[Row], list[Row]]) -> None:
    rows, steps = frames
    together = _decide(rows, steps)
    for at, row in enumerate(rows):
        alone = _decide([row], [step for step in steps if step["case_id"] == row["case_id"]])
        assert alone.cases.equals(together.cases[at : at + 1])
        assert alone.actions.equals(together.actions.filter(pl.col("case_id") == row["case_id"]))


def test_a_step_that_nothing_dates_has_no_date() -> None:
    parked = {"asked_amount": 0, "disputed_open": 50_000, "driver_due_on": None, "driver_bank_due_on": None}
    row = overdue(DAY - timedelta(days=20), DAY, 50_000, case_id=1) | in_round("forgetful", round_id=1) | parked
    decided = _decide([row], []).cases.row(0, named=True)
    assert (decided["reason"], decided["next_step"]) == ("dispute", "reminder")
    assert (decided["due_on"], decided["next_on"]) == (None, None)


@settings(max_examples=25)
@given(_frames(), st.randoms(use_true_random=False))
def test_the_order_of_cases_and_of_their_history_does_not_matter(
    frames: tuple[list[Row], list[Row]], random: Any
) -> None:
    rows, steps = frames
    first = _decide(rows, steps)
    random.shuffle(rows)
    random.shuffle(steps)
    second = _decide(rows, steps)
    assert first.cases.sort("case_id").equals(second.cases.sort("case_id"))
    by = ["case_id", "step", "occurrence"]
    assert first.actions.sort(by).equals(second.actions.sort(by))


@settings(max_examples=10)
@given(_frames())
def test_the_same_again_decides_the_same(frames: tuple[list[Row], list[Row]]) -> None:
    first, second = _decide(*frames), _decide(*frames)
    assert first.cases.equals(second.cases)
    assert first.actions.equals(second.actions)


_STOPS: list[Row] = [
    *({"hold_reason": str(reason)} for reason in HoldReason if reason is not HoldReason.NONE),
    *({"legal_stop": str(stop)} for stop in LegalStop if stop is not LegalStop.NONE),
    {"quarantined_rows": 1},
    {"data_age_wd": 2},
]


@settings(max_examples=40)
@given(_cases(), st.sampled_from(_STOPS))
def test_what_stops_a_case_stops_every_step(case: tuple[Row, list[Row]], stop: Row) -> None:
    row, steps = case
    decisions = _decide([{**row, **stop}], steps)
    assert decisions.actions.height == 0
    assert decisions.cases["outcome"][0] == "none"
    assert not decisions.cases["opens_round"][0]


_MORE: list[Row] = [
    {"unread_reply": True},
    {"our_turn": True},
    {"tickets_open": 1},
    {"placed_open": 1},
    {"contacts_20wd": 9},
    {"experience_balance": -20},
    {"paused_until": date(2026, 12, 31)},
    {"callback_on": date(2026, 12, 31)},
    {"calls_5wd": 9},
    {"email_known": False, "phone_known": False, "post_known": False},
]


@settings(max_examples=60)
@given(_cases(), st.sampled_from(_MORE))
def test_one_more_reason_not_to_never_causes_contact(case: tuple[Row, list[Row]], more: Row) -> None:
    row, steps = case
    free, bound = _decide([row], steps), _decide([{**row, **more}], steps)
    contact = pl.col("kind").is_in([str(kind) for kind in TO_CUSTOMER]) & (pl.col("state") == "proposed")
    before, after = (set(each.actions.filter(contact)["step"]) for each in (free, bound))
    assert not after or before


@settings(max_examples=60)
@given(_cases(), _days(40, 40))
def test_what_is_taken_keeps_the_limits(case: tuple[Row, list[Row]], day: date) -> None:
    row, steps = case
    decisions = _decide([row], steps, day)
    taken = decisions.actions.filter(pl.col("state") == "proposed")
    outward = taken.filter(pl.col("kind").is_in([str(kind) for kind in OUTWARD]))
    assert outward.height <= 1
    reaching = taken.filter(pl.col("kind").is_in([str(kind) for kind in TO_CUSTOMER]))
    if reaching.height:
        assert is_working_day(day, row["country"])
        assert row["email_known"] or row["phone_known"] or row["post_known"]
    if taken.filter("written").height:
        assert row["contacts_20wd"] < 3
        if row["last_written_on"]:
            assert add_working_days(row["last_written_on"], 3, row["country"]) <= day
    for action in taken.filter("escalating").to_dicts():
        assert row["party_kind"] == "business"
        assert row["manager_heard"]
        assert row["tried_call"]
        assert 500 < action["asked_amount"] <= row["demandable_amount"]
        assert action["approval_role"]
    skipped = decisions.actions.filter(pl.col("state") == "skipped")
    assert skipped["reason"].null_count() == 0
    decided = decisions.cases.row(0, named=True)
    assert (decided["outcome"] == "act") == (taken.height > 0)
    assert (decided["reason"] is None) == (decided["outcome"] == "act")
    assert (decided["detail"] is None) == (decided["outcome"] == "act")


@settings(max_examples=40)
@given(_frames())
def test_no_action_stands_twice(frames: tuple[list[Row], list[Row]]) -> None:
    rows, steps = frames
    actions = _decide(rows, steps).actions
    key = ["case_id", "round_id", "stage", "step", "attempt", "occurrence"]
    assert actions.select(key).is_duplicated().sum() == 0
    ended = steps_frame(steps).filter(
        ~pl.col("state").is_in(["proposed", "awaiting_approval", "approved", "in_progress"])
    )
    assert actions.join(ended, on=key, nulls_equal=True).height == 0
