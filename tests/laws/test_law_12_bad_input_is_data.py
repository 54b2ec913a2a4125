"""Law 12. Whatever people type is taken or refused in words, never a traceback, and a refusal leaves nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.errors import MaatpakError, RefusedError, UsageError
from maatpak.kernel.words import CallResult, DisputeState, HoldReason, NonPaymentReason
from maatpak.ledger.tables import Case, ClaimedPayment, Dispute, Event, Hold, Plan, Preference, Promise, WorkTask
from tasks.calls import Call, record_call
from tasks.claims import claim_payment, resolve_claim
from tasks.desk import Desk
from tasks.disputes import decide_dispute, open_dispute
from tasks.holds import lift_hold, set_hold
from tasks.plans import Instalment, accept_plan, offer_plan
from tasks.preferences import set_preference
from tasks.promises import cancel_promise, make_promise
from tasks.tickets import close_ticket, open_ticket
from tasks.work import Outcome, finish_work
from tests.laws.examples import house_at, played
from tests.tasks.act.house import House
from tests.tasks.act.stages import MONDAY, Stages

TABLES = (Hold, Promise, Dispute, ClaimedPayment, Plan, Preference, WorkTask, Event)
WORD = st.sampled_from(["", " ", "F1", "F2", "F9", "H1", "1", "'; DROP TABLE hold; --", "é\u202e", "x" * 300])
DAY = st.integers(-400, 400).map(lambda days: MONDAY + timedelta(days=days))
AMOUNT = st.sampled_from([-1, 0, 1, 100_000, 150_000, 150_001, 10**15])
WHO = st.sampled_from(["olga", "carla", "anna", "mo", "audrey"])

ACTS = st.one_of(
    st.tuples(st.just("hold"), st.sampled_from(HoldReason), DAY, WORD, st.sampled_from(["case", "item", "moon"])),
    st.tuples(st.just("lift"), WORD),
    st.tuples(st.just("promise"), DAY, AMOUNT, st.none() | st.lists(WORD, max_size=2)),
    st.tuples(st.just("cancel"), WORD),
    st.tuples(st.just("dispute"), WORD, st.sampled_from(NonPaymentReason), AMOUNT),
    st.tuples(st.just("decide"), WORD, st.sampled_from(DisputeState), WORD, AMOUNT),
    st.tuples(st.just("claim"), AMOUNT, st.none() | st.lists(WORD, max_size=2)),
    st.tuples(st.just("resolve"), WORD, st.booleans()),
    st.tuples(st.just("plan"), st.lists(st.tuples(DAY, AMOUNT), max_size=3)),
    st.tuples(st.just("accept"), WORD),
    st.tuples(st.just("preference"), WORD, WORD),
    st.tuples(st.just("ticket"), WORD),
    st.tuples(st.just("close"), WORD),
    st.tuples(st.just("work"), st.integers(0, 5), WORD, WORD),
    st.tuples(st.just("call"), st.integers(0, 5), st.sampled_from(CallResult), WORD),
)


def _plan(desk: Desk, case: Case, parts: list[tuple[date, int]]) -> None:
    offer_plan(desk, case, instalments=[Instalment(day, amount) for day, amount in parts])


DO: dict[str, Callable[..., Any]] = {
    "hold": lambda desk, case, reason, until, note, scope: set_hold(desk, case, reason, until, note, scope=scope),
    "lift": lambda desk, _, number: lift_hold(desk, number, "over"),
    "promise": lambda desk, case, on, amount, named: make_promise(desk, case, on, amount=amount, documents=named),
    "cancel": lambda desk, _, number: cancel_promise(desk, number),
    "dispute": lambda desk, case, named, reason, amount: open_dispute(desk, case, named, reason, amount=amount),
    "decide": lambda desk, _, number, state, note, part: decide_dispute(
        desk, number, state, note, accepted_amount=part
    ),
    "claim": lambda desk, case, amount, named: claim_payment(desk, case, amount=amount, documents=named),
    "resolve": lambda desk, _, number, found: resolve_claim(desk, number, found=found),
    "plan": _plan,
    "accept": lambda desk, _, number: accept_plan(desk, number),
    "preference": lambda desk, case, name, value: set_preference(desk, desk.debtor(case.debtor_id), name, value),
    "ticket": lambda desk, case, kind: open_ticket(desk, desk.debtor(case.debtor_id), kind),
    "close": lambda desk, case, number: close_ticket(desk, desk.debtor(case.debtor_id), number),
    "work": lambda desk, _, number, code, note: finish_work(desk, number, Outcome(code, note)),
    "call": lambda desk, _, number, code, part: record_call(desk, number, Call(code, part)),
}


def _refusal(house: House, who: str, act: tuple[Any, ...]) -> MaatpakError | None:
    try:
        with house.desk(who) as desk:
            DO[act[0]](desk, desk.case(int(house.row(Case).id)), *act[1:])
    except (RefusedError, UsageError) as error:
        return error
    return None


@played
@given(st.lists(st.tuples(WHO, ACTS), min_size=10, max_size=25))
def test_an_act_is_done_or_refused_in_words(stages: Stages, acts: list[tuple[str, tuple[Any, ...]]]) -> None:
    with house_at(stages, "calling") as house:
        for who, act in acts:
            before = {table: house.count(table) for table in TABLES}
            error = _refusal(house, who, act)
            if error is not None:
                assert error.message
                assert error.advice
                assert {table: house.count(table) for table in TABLES} == before
