"""Who pays for others is written to, and has one budget over all that it pays for (rules 21 and 22)."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import CallResult, NonPaymentReason
from maatpak.ledger.tables import (
    Action,
    Case,
    ContactResult,
    ContactSlot,
    ContactWait,
    DebtorProfile,
    Message,
    WorkTask,
)
from maatpak.ledger.versions import succeed
from policies.reach import Learned
from tasks.calls import Call, record_call
from tasks.day import run_day
from tasks.execute import execute_all
from tasks.facts import build_facts
from tasks.listing import WorkFilter, list_work
from tasks.preferences import mark_address, opt_out_of
from tasks.reasons import state_reason
from tasks.replay import replay
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.send import deliver
from tasks.send.claiming import Batch, Claims
from tasks.tick import tick
from tests.tasks.act.house import House, at, build_house
from tests.tasks.act.script import Script

OLD = date(2026, 1, 30)
AMOUNTS = {"S1": 70_000, "S2": 90_000, "S3": 80_000}


def family(house: House, parent: str = "P", **profile: Any) -> dict[str, int]:
    """A parent that owes nothing itself and pays for three subsidiaries; the cases by debtor number."""
    cases = {parent: house.debtor(parent, **profile)}
    for number, amount in AMOUNTS.items():
        cases[number] = house.debtor(number, payer_no=parent, parent_no=parent)
        house.item(cases[number], f"{number}-1", amount, OLD)
    return cases


def row_of(house: House, case_id: int) -> dict[str, Any]:
    """The case's facts, alone and in the whole alike."""
    with house.engine.database.frames(read_only=True) as frames:
        whole = build_facts(frames, house.creditor_id, house.day, EVERYTHING_RECORDED).cases
        alone = build_facts(frames, house.creditor_id, house.day, EVERYTHING_RECORDED, case_ids=[case_id]).cases
    rows = [{row["case_id"]: row for row in frame.to_dicts()} for frame in (whole, alone)]
    assert rows[0][case_id] == rows[1][case_id]
    found: dict[str, Any] = rows[0][case_id]
    return found


def written_days(house: House, party_id: int) -> list[date]:
    """The days of letters to a party, one each, in order."""
    cases = {case.id: case for case in house.rows(Case)}
    return sorted(
        each.executed_on
        for each in house.rows(Action, written=True, state="executed")
        if (each.payer_party_id or cases[each.case_id].party_id) == party_id
    )


def well_spaced(days: list[date]) -> bool:
    apart = all(later >= add_working_days(earlier, 3, "NL") for earlier, later in pairwise(days))
    few = all(sum(day <= other < add_working_days(day, 20, "NL") for other in days) <= 3 for day in days)
    return apart and few and not [day for day, count in Counter(days).items() if count > 1]


def party(house: House, case_id: int) -> int:
    return int(house.row(Case, id=case_id).party_id)


def test_a_parent_of_three_gets_one_letter_a_day_and_three_in_a_month(house: House) -> None:
    cases = family(house)
    parent = party(house, cases["P"])
    script = Script(house, calling=False)
    for _ in range(25):
        script.day()
    assert replay(house.engine, house.creditor_id, house.day).same
    days = written_days(house, parent)
    assert len(days) >= 3, "the parent is written to"
    assert well_spaced(days)
    first = [
        each.case_id
        for each in sorted(house.rows(Action, step="reminder", state="executed"), key=lambda each: each.executed_on)
        if each.payer_party_id == parent
    ]
    assert first == [cases["S2"], cases["S3"], cases["S1"]], "the larger first, and everybody has a turn"
    sent = [each for each in house.rows(Message) if each.case_id in cases.values()]
    assert {each.recipient for each in sent if each.channel == "email"} == {"P@example.test"}


def test_those_that_wait_say_why_and_since_when(house: House) -> None:
    cases = family(house)
    summary = run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    assert summary.ticks[0].reasons["budget"] == 2
    (slot,) = [each for each in house.rows_of(ContactSlot) if each.party_id == party(house, cases["P"])]
    assert house.row(Action, id=slot.action_id).case_id == cases["S2"]
    waits = {each.case_id: each for each in house.rows_of(ContactWait)}
    assert waits.keys() == {cases["S1"], cases["S3"]}
    assert {each.since for each in waits.values()} == {house.day}
    assert {each.first_from for each in waits.values()} == {add_working_days(house.day, 5, "NL")}


def test_who_waited_longest_goes_first_though_another_is_further(house: House) -> None:
    cases = family(house)
    script = Script(house, calling=False)
    with house.engine.database.session() as session:
        session.add(
            ContactWait(
                party_id=party(house, cases["P"]),
                case_id=cases["S1"],
                stage="remind",
                amount=70_000,
                since=house.day - timedelta(days=7),
                first_from=house.day,
                last_on=house.day,
                recorded_at=at(house.day, 1),
            )
        )
    script.day()
    sent = [each.case_id for each in house.rows(Action, step="reminder", state="executed") if each.payer_party_id]
    assert sent == [cases["S1"]]


def test_the_parents_own_items_are_of_the_same_budget(house: House) -> None:
    cases = family(house)
    house.item(cases["P"], "P-1", 100_000, OLD)
    script = Script(house, calling=False)
    for _ in range(12):
        script.day()
    days = written_days(house, party(house, cases["P"]))
    assert well_spaced(days)
    assert days[0] == min(each.executed_on for each in house.rows(Action, case_id=cases["P"], state="executed"))


@pytest.mark.parametrize("parent", ["P", "P2", "P3"])
def test_shards_share_the_parent(house: House, parent: str) -> None:
    """Whichever shards parent and subsidiaries lie in."""
    cases = family(house, parent)
    for shard in range(4):
        tick(house.engine, house.creditor_id, house.day, at(house.day, 6), shard, 4)
    to_parent = [each for each in house.rows(Action, written=True) if each.case_id in cases.values()]
    assert len(to_parent) == 1
    house.day = add_working_days(house.day, 1, "NL")
    house.go_to(house.day)
    for shard in range(4):
        tick(house.engine, house.creditor_id, house.day, at(house.day, 6), shard, 4)
    assert len([each for each in house.rows(Action, written=True) if each.case_id in cases.values()]) == 1


def test_two_creditors_share_a_payer(house: House) -> None:
    second = build_house(house.engine, house.day, code="OTHER")
    cases = family(house, party="KVK 9")
    other = second.debtor("Q", party="KVK 9")
    paid_for = second.debtor("T1", payer_no="Q")
    second.item(paid_for, "T-1", 120_000, OLD)
    script = Script(house, calling=False)
    for _ in range(12):
        script.day()
        second.day = house.day
        second.snapshot(second.day)
        run_day(second.engine, second.creditor_id, second.day, at(second.day, 6))
        assert replay(second.engine, second.creditor_id, second.day).same
    parent = party(house, cases["P"])
    assert parent == party(second, other)
    days = written_days(house, parent)
    assert well_spaced(days)
    writers = {each.creditor_id for each in house.rows(Action, written=True, state="executed") if each.payer_party_id}
    assert writers == {house.creditor_id, second.creditor_id}, "nobody waits for ever"


def test_between_creditors_what_waits_is_weighed_too(house: House) -> None:
    """The first creditor's day comes first, and yet it leaves the party to the other, which waits with more."""
    second = build_house(house.engine, house.day, code="OTHER")
    first = house.debtor("A", party="KVK 3")
    house.item(first, "A-1", 70_000, OLD)
    other = second.debtor("B", party="KVK 3")
    second.item(other, "B-1", 90_000, OLD)
    with house.engine.database.session() as session:
        session.add(
            ContactWait(
                party_id=party(second, other),
                case_id=other,
                stage="remind",
                amount=90_000,
                since=house.day - timedelta(days=1),
                first_from=add_working_days(house.day, 4, "NL"),
                last_on=house.day - timedelta(days=1),
                recorded_at=at(house.day, 1),
            )
        )
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    assert house.rows(Action, case_id=first, kind="message") == []
    run_day(second.engine, second.creditor_id, second.day, at(second.day, 7))
    (slot,) = [each for each in house.rows_of(ContactSlot) if each.party_id == party(second, other)]
    assert house.row(Action, id=slot.action_id).case_id == other
    (wait,) = house.rows_of(ContactWait)
    assert wait.case_id == first


def test_a_demand_goes_to_the_legal_entity_and_counts_there(house: House, case_id: int) -> None:
    house.debtor("P")
    paid_by(house, case_id, "P")
    Script(house).until("final_demand")
    demand = house.rows(Action, step="final_demand", state="executed")[-1]
    row = row_of(house, case_id)
    assert demand.payer_party_id is None
    assert row["own_contacts_20wd"] == 1
    assert row["own_last_written_on"] == demand.executed_on
    assert row["last_written_on"] < demand.executed_on, "the payer's letters came before"
    sent = house.rows(Message, case_id=case_id)
    assert all("P@" in each.recipient for each in sent if each.channel == "email" and each.template != "final_demand")
    assert not [each for each in sent if each.template == "final_demand" and "P@" in each.recipient]


def paid_by(house: House, case_id: int, payer_no: str | None) -> None:
    """From today on another account pays, or none other."""
    profile = house.row(DebtorProfile, debtor_id=house.row(Case, id=case_id).debtor_id)
    with house.engine.database.session() as session:
        succeed(session, session.get_one(DebtorProfile, profile.id), house.day, at(house.day, 7), payer_no=payer_no)


def test_a_letter_whose_payer_changed_is_not_sent_to_the_old_one(house: House) -> None:
    cases = family(house)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    (proposed,) = house.rows(Action, case_id=cases["S2"], kind="message")
    paid_by(house, cases["S2"], None)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 8))
    found = house.row(Action, id=proposed.id)
    assert (found.state, found.reason) == ("cancelled", "payer_changed")
    assert house.rows(Message, case_id=cases["S2"]) == []
    Script(house, calling=False).day()
    again = house.rows(Action, case_id=cases["S2"], kind="message", state="executed")
    assert [each.payer_party_id for each in again] == [None]


NOTHING: dict[str, Any] = {"email": None, "phone": None, "city": None}
REACHED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, bool]]] = [
    ("the payer's", NOTHING, {}, {"email": True, "phone": True, "post": True, "own_post": False}),
    ("not its own", {}, NOTHING, {"email": False, "phone": False, "post": False, "own_post": True}),
]
"""What the debtor lacks, what the payer lacks, and what is known then."""


@pytest.mark.parametrize(("about", "own", "paying", "known"), REACHED, ids=[row[0] for row in REACHED])
def test_what_is_known_is_known_of_who_is_written_to(
    house: House, about: str, own: dict[str, Any], paying: dict[str, Any], known: dict[str, bool]
) -> None:
    del about
    house.debtor("P", **paying)
    case_id = house.debtor("S", payer_no="P", **own)
    house.item(case_id, "S-1", 70_000, OLD)
    row = row_of(house, case_id)
    assert {name: row[f"{name}_known"] for name in known} == known


def test_a_dead_address_of_the_payer_is_dead_for_the_account_it_was_found_out_for(house: House) -> None:
    cases = family(house)
    with house.desk("olga", 7) as desk:
        mark_address(desk, desk.case(cases["S1"]), "email", "P@example.test", Learned.GONE, "bounced")
    assert not row_of(house, cases["S1"])["email_known"]
    assert row_of(house, cases["S2"])["email_known"]


def test_the_payer_is_called_once_a_day_over_all_that_it_pays_for(house: House) -> None:
    cases = family(house, phone="+31209999999")
    script = Script(house, calling=False)
    parent = party(house, cases["P"])
    for number in ("S1", "S2"):  # who has no money is rung at once
        with house.desk("carla", 7) as desk:
            state_reason(desk, desk.case(cases[number]), NonPaymentReason.CASH_FLOW)
    while len([each for each in house.rows(WorkTask, kind="call") if each.case_id in cases.values()]) < 2:
        script.day()
    first, other = [each for each in house.rows(WorkTask, kind="call") if each.case_id in cases.values()][:2]
    listed = [row for row in list_work(house.engine, WorkFilter(kind="call"), at(house.day)) if row["payer_no"]]
    assert {row["case_id"] for row in listed} >= {first.case_id, other.case_id}
    assert {(row["payer_no"], row["phone"]) for row in listed} == {("P", "+31209999999")}
    with house.desk("carla", 11) as desk:
        record_call(desk, int(first.id), Call(CallResult.SPOKE_NO_COMMITMENT, "morning"))
    assert house.row(ContactResult).payer_party_id == parent
    with pytest.raises(RefusedError, match="already called"), house.desk("carla", 12) as desk:
        record_call(desk, int(other.id), Call(CallResult.NO_ANSWER, "afternoon"))
    row = row_of(house, cases["S3"])
    assert (row["calls_5wd"], row["last_call_on"], row["last_spoken_on"]) == (1, house.day, house.day)


def test_an_address_of_the_payer_that_died_meanwhile_is_not_used(house: House) -> None:
    cases = family(house)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 7))
    with house.desk("olga", 8) as desk:
        mark_address(desk, desk.case(cases["P"]), "email", "P@example.test", Learned.GONE, "bounced")
    deliver(house.engine, house.creditor_id, house.day, at(house.day, 9), "test")
    (message,) = house.rows(Message, case_id=cases["S2"])
    assert (message.state, message.failure) == ("cancelled", "no_address")


def test_an_opt_out_holds_for_what_the_payer_would_get(house: House) -> None:
    cases = family(house)
    with house.desk("olga", 5) as desk:
        opt_out_of(desk, desk.case(cases["S2"]), "email")
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 9))
    assert {message.channel for message in house.rows(Message, case_id=cases["S2"])} <= {"post"}
    assert house.rows(Message), "somebody is written to"


def test_what_is_recorded_of_the_payer_while_sending_stops_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = family(house)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 7))
    take = Claims.take

    def taken(claims: Claims, limit: int) -> Batch:
        batch = take(claims, limit)
        if batch.claimed:
            with house.desk("carla", 8) as desk:
                state_reason(desk, desk.case(cases["P"]), NonPaymentReason.INSOLVENT)
        return batch

    monkeypatch.setattr(Claims, "take", taken)
    deliver(house.engine, house.creditor_id, house.day, at(house.day, 9), "test")
    (message,) = house.rows(Message, case_id=cases["S2"])
    assert (message.state, message.failure) == ("cancelled", "legal_stop")


def test_a_letter_waits_for_the_payers_morning(house: House) -> None:
    cases = family(house, country="US", time_zone="America/New_York")
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 9))
    (message,) = house.rows(Message, case_id=cases["S2"])
    assert message.state == "queued"
    assert message.send_after is not None
    deliver(house.engine, house.creditor_id, house.day, at(house.day, 16), "test")
    assert house.row(Message, id=message.id).state == "sent"


@pytest.mark.parametrize("told", ["master data", "a person"])
def test_a_payer_whom_law_protects_is_not_written_to_for_others(house: House, told: str) -> None:
    cases = family(house, legal_stop="insolvent" if told == "master data" else "none")
    if told == "a person":
        house.item(cases["P"], "P-1", 50_000, OLD)
        with house.desk("carla") as desk:
            state_reason(desk, desk.case(cases["P"]), NonPaymentReason.INSOLVENT)
    assert row_of(house, cases["S1"])["legal_stop"] == "insolvent"
    script = Script(house, calling=False)
    for _ in range(8):
        script.day()
    assert written_days(house, party(house, cases["P"])) == []
