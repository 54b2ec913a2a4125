"""What a tick saw serves until somebody else acts, and not a moment longer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from maatpak.kernel.words import HoldReason
from maatpak.ledger.audit import EventDraft, append_events
from tasks.day import begin_day
from tasks.holds import set_hold
from tasks.seen import OWN_EVENTS, Seen, facts_now
from tasks.tick import tick_and_see
from tests.tasks.act.house import House, at


@pytest.fixture
def seen(house: House) -> Seen:
    begin_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    return tick_and_see(house.engine, house.creditor_id, house.day, at(house.day, 6))[1]


def hold_reason(house: House, seen: Seen) -> str:
    with house.engine.database.frames(read_only=True) as frames:
        facts = facts_now(frames, house.creditor_id, house.day, seen.facts.cases["case_id"], [seen])
    return str(facts.cases["hold_reason"].item())


@pytest.mark.parametrize("kind", OWN_EVENTS)
def test_our_own_acting_leaves_it_good(house: House, seen: Seen, kind: str) -> None:
    with house.engine.database.frames() as frames:
        append_events(frames, [EventDraft(kind, "engine", business_date=house.day)], at(house.day, 7))
    with house.engine.database.frames(read_only=True) as frames:
        facts = facts_now(frames, house.creditor_id, house.day, seen.facts.cases["case_id"], [seen])
    assert facts.cases.equals(seen.facts.cases)
    assert facts.items.equals(seen.facts.items)


def test_anybody_elses_act_is_seen(house: House, seen: Seen, case_id: int) -> None:
    assert hold_reason(house, seen) == "none"
    with house.desk("mo") as desk:
        set_hold(desk, desk.case(case_id), HoldReason.COMPLAINT, house.day + timedelta(days=3), "rang")
    assert hold_reason(house, seen) == "complaint"


def test_a_case_that_the_tick_did_not_see_is_read(house: House, seen: Seen, case_id: int) -> None:
    blind = replace(seen, facts=type(seen.facts)(*(frame.clear() for frame in vars(seen.facts).values())))
    with house.engine.database.frames(read_only=True) as frames:
        facts = facts_now(frames, house.creditor_id, house.day, seen.facts.cases["case_id"], [blind])
    assert facts.cases["case_id"].to_list() == [case_id]
