"""Law 6. One contact a day and party, spaced, and few in a month, over all creditors; silence while somebody talks."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.calendars import add_working_days, is_working_day
from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Action, Case, ContactSlot, Message
from tasks.answers import record_answer
from tasks.day import run_day
from tests.laws.examples import house_at, long_played
from tests.tasks.act.house import House, at, build_house
from tests.tasks.act.script import Script
from tests.tasks.act.stages import Stages

ACCOUNTS = ("first", "second", "first in GBP", "paid for")
DEBTS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2"]),
        st.booleans(),
        st.sampled_from(ACCOUNTS),
        st.integers(6_000, 500_000),
        st.integers(0, 40),
    ),
    min_size=3,
    max_size=8,
)
"""(party, whether the second creditor's, which account or currency there or one that it pays for, amount, days due)."""


Debt = tuple[str, bool, str, int, int]


@long_played
@given(DEBTS)
def test_the_budget_of_a_party_holds_over_creditors_accounts_and_currencies(stages: Stages, debts: list[Debt]) -> None:
    with house_at(stages) as first:
        second = build_house(first.engine, first.day, code="OTHER")
        _owe(first, second, debts)
        script = Script(first)
        for _ in range(12):
            script.day()
            second.day = first.day
            second.snapshot(second.day)
            run_day(second.engine, second.creditor_id, second.day, at(second.day, 6))
        _spaced(first)


def _owe(first: House, second: House, debts: list[Debt]) -> None:
    cases: dict[tuple[str, bool, str], int] = {}
    numbers: dict[tuple[str, bool], str] = {}
    for number, (party, other, account, amount, age) in enumerate(debts):
        house = second if other else first
        for needed in ("first", account):
            key = (party, other, needed)
            if key not in cases and needed == "first in GBP":
                cases[key] = house.another_currency(cases[party, other, "first"], "GBP")
            elif key not in cases and needed == "paid for":
                payer = numbers[party, other]
                cases[key] = house.debtor(f"D{len(cases)}", party=f"{party}'s child", payer_no=payer)
            elif key not in cases:
                numbers.setdefault((party, other), f"D{len(cases)}")
                cases[key] = house.debtor(f"D{len(cases)}", party=party)
        house.item(cases[party, other, account], f"I{number}", amount, first.day - timedelta(days=age))


def _spaced(house: House) -> None:
    cases = {case.id: case for case in house.rows(Case)}
    days: dict[int, set[date]] = defaultdict(set)
    letters: dict[tuple[int, date], set[tuple[object, ...]]] = defaultdict(set)
    for action in house.rows(Action):
        if action.written and action.executed_on is not None:
            case = cases[action.case_id]
            addressee = action.payer_party_id or case.party_id
            days[addressee].add(action.executed_on)
            letters[addressee, action.executed_on].add((case.debtor_id, action.segment, action.step))
            assert is_working_day(action.executed_on, "NL")
    assert all(len(written) == 1 for written in letters.values()), "two letters on one day"
    for contacts in days.values():
        ordered = sorted(contacts)
        for earlier, later in pairwise(ordered):
            assert later >= add_working_days(earlier, 3, "NL")
        for day in ordered:
            assert sum(day <= other < add_working_days(day, 20, "NL") for other in ordered) <= 3
    slots = [(slot.party_id, slot.day, slot.slot) for slot in house.rows_of(ContactSlot)]
    assert len(slots) == len(set(slots))


@long_played
@given(st.integers(1, 8))
def test_silence_until_an_answer_is_read(stages: Stages, after: int) -> None:
    with house_at(stages, "reminded") as house:
        script = Script(house)
        script.people = lambda: None  # type: ignore[method-assign]
        for _ in range(after):
            script.day()
        with house.desk("olga", 17) as desk:
            record_answer(desk, desk.case(int(house.row(Case).id)), Channel.EMAIL)
        sent = house.count(Message)
        for _ in range(6):
            script.day()
        assert house.count(Message) == sent
