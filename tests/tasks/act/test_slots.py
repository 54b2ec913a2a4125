"""One debtor, one conversation: two creditors and one party, and two runs of one day at once (laws 3 and 6)."""

import multiprocessing
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.settings import Settings
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    ContactSlot,
    ContactWait,
    Message,
    Party,
    Round,
    RoundItem,
    Tick,
    WorkTask,
)
from tasks.day import run_day
from tasks.engine import open_engine
from tests.tasks.act.house import LONG_AGO, House, at, build_house
from tests.tasks.act.script import Script

OLD = date(2026, 1, 30)


@pytest.fixture
def second(house: House) -> House:
    """Another creditor in the same installation."""
    return build_house(house.engine, house.day, code="OTHER")


def both_owed(house: House, second: House) -> tuple[int, int]:
    """One party that owes both creditors."""
    first = house.debtor("S1", party="KVK 1")
    house.item(first, "S-1", 80_000, OLD)
    other = second.debtor("S2", party="KVK 1")
    second.item(other, "S-2", 90_000, OLD)
    return first, other


def test_the_second_creditor_gives_way_and_comes_later(house: House, second: House) -> None:
    first, other = both_owed(house, second)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    summary = run_day(second.engine, second.creditor_id, second.day, at(second.day, 6))
    assert summary.ticks[0].reasons == {"budget": 1}
    assert len(house.rows(Action, case_id=first)) == 1
    assert house.rows(Action, case_id=other, kind="message") == []
    days = [house.day]
    for _ in range(6):
        second.day = second.day + timedelta(days=1 if second.day.weekday() < 4 else 3)
        second.snapshot(second.day)
        run_day(second.engine, second.creditor_id, second.day, at(second.day, 6))
        if house.rows(Action, case_id=other, kind="message", state="executed"):
            days.append(second.day)
            break
    assert len(days) == 2, "nobody waits for ever"
    assert (days[1] - days[0]).days >= 3


def test_a_party_has_one_slot_a_day(house: House, second: House) -> None:
    both_owed(house, second)
    script = Script(house)
    for _ in range(10):
        script.day()
        second.day = house.day
        second.snapshot(second.day)
        run_day(second.engine, second.creditor_id, second.day, at(second.day, 6))
    slots = [(slot.party_id, slot.day) for slot in house.rows_of(ContactSlot)]
    assert len(slots) == len(set(slots))


def test_who_is_kept_from_a_party_by_another_creditor_waits(house: House, second: House) -> None:
    _, other = both_owed(house, second)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    run_day(second.engine, second.creditor_id, second.day, at(second.day, 7))
    (wait,) = house.rows_of(ContactWait)
    assert (wait.case_id, wait.since, wait.last_on) == (other, second.day, second.day)
    assert (wait.stage, wait.amount) == ("remind", 90_000)
    assert wait.first_from == add_working_days(second.day, 5, "NL")


def test_who_waited_for_five_working_days_goes_first(house: House, second: House) -> None:
    first, other = both_owed(house, second)
    with house.engine.database.session() as session:
        party_id = int(session.exec(select(Party).where(Party.party_ref == "KVK 1")).one().id or 0)
        session.add(
            ContactWait(
                party_id=party_id,
                case_id=other,
                stage="prepare",
                amount=1,
                since=house.day - timedelta(days=7),
                first_from=house.day,
                last_on=house.day - timedelta(days=3),
                recorded_at=LONG_AGO,
            )
        )
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    run_day(second.engine, second.creditor_id, second.day, at(second.day, 7))
    (slot,) = [slot for slot in house.rows_of(ContactSlot) if slot.party_id == party_id]
    assert house.row(Action, id=slot.action_id).creditor_id == second.creditor_id
    (wait,) = house.rows_of(ContactWait)
    assert (wait.case_id, wait.since) == (first, house.day)


def test_two_currencies_of_one_customer_are_one_letter(house: House, case_id: int) -> None:
    house.item(house.another_currency(case_id, "GBP"), "G-1", 70_000, OLD)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    assert {action.state for action in house.rows(Action)} == {"executed"}
    assert len(house.rows(Action)) == 2
    assert len(house.rows(Message)) == 1
    assert len(house.rows_of(ContactSlot)) == 1


def _letters_by_day(house: House) -> dict[date, int]:
    days: dict[date, int] = {}
    for message in house.rows(Message):
        days[message.sent_on] = days.get(message.sent_on, 0) + 1
    return days


def test_two_accounts_of_one_party_with_one_creditor_take_turns(house: House) -> None:
    for number in (1, 2):
        house.item(house.debtor(f"S{number}", party="KVK 1"), f"S-{number}", 70_000 + number, OLD)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    cases = {row.case_id: row for row in house.rows(Action, creditor_id=house.creditor_id)}
    assert len(cases) == 2, "the other customer's, and one of the party's two accounts"
    assert max(cases.values(), key=lambda each: each.case_id).amount == 70_002, "the larger first"
    script = Script(house, calling=False)
    for _ in range(5):
        script.day()
    sent = [row for row in house.rows(Action, step="reminder", state="executed") if row.amount >= 70_001]
    days = sorted(row.executed_on for row in sent if row.amount <= 70_002)
    assert len(days) == 2
    assert days[1] >= add_working_days(days[0], 3, "NL")


def test_two_currencies_at_different_steps_are_not_two_letters_on_one_day(house: House, case_id: int) -> None:
    script = Script(house, calling=False)
    script.until("reminder")
    pounds = house.another_currency(case_id, "GBP")
    house.item(pounds, "G-1", 70_000, OLD)
    for _ in range(15):
        script.day()
    assert house.rows(Action, case_id=pounds, state="executed"), "the other currency has its turn"
    assert max(_letters_by_day(house).values()) == 1
    days = sorted(_letters_by_day(house))
    assert all(later >= add_working_days(earlier, 3, "NL") for earlier, later in pairwise(days))


def _run(workspace: Path, url: str, creditor_id: int, day: date, minute: int) -> None:
    engine = open_engine(Settings(workspace=workspace, database_url=url))
    try:
        run_day(engine, creditor_id, day, at(day, 6) + timedelta(minutes=minute))
    finally:
        engine.close()


def facts_of(house: House) -> dict[str, Any]:
    """What a day left behind, ids and times aside."""
    return {
        "actions": sorted(
            (each.case_id, each.step, each.attempt, each.state, str(each.reason), each.amount)
            for each in house.rows(Action)
        ),
        "messages": sorted((each.case_id, each.channel, each.template, each.state) for each in house.rows(Message)),
        "work": sorted((each.case_id, each.kind, each.state) for each in house.rows(WorkTask)),
        "rounds": [(each.case_id, each.number, each.closed_on) for each in house.rows(Round)],
        **{str(table.__tablename__): house.count(table) for table in (ActionItem, RoundItem, ContactSlot, Tick)},
        "events": [(event.kind, event.actor, event.business_date) for event in house.rows_of_events()],
    }


@pytest.mark.chaos
def test_two_runs_at_once_are_one(house: House, tmp_path: Path, stages: Any) -> None:
    with stages.at("start", tmp_path / "alone") as alone:
        for copy in (house, alone):
            for number in range(2, 8):
                copy.item(copy.debtor(f"C{number}"), f"G{number}", 40_000 + number, OLD)
        day = house.day + timedelta(days=1)
        for copy in (house, alone):
            copy.snapshot(day)
        run_day(alone.engine, alone.creditor_id, day, at(day, 6))
        context = multiprocessing.get_context("spawn")
        url, workspace = house.engine.database.url, house.engine.settings.workspace
        runs = [
            context.Process(target=_run, args=(workspace, url, house.creditor_id, day, minute)) for minute in (0, 1)
        ]
        for run in runs:
            run.start()
        for run in runs:
            run.join(120)
        assert [run.exitcode for run in runs] == [0, 0]
        together, single = facts_of(house), facts_of(alone)
        events, expected = together.pop("events"), single.pop("events")
        assert together == single
        assert sorted(events) == sorted(expected)
