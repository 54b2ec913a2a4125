"""A day end to end: rounds, steps, messages, work, escalation up to the placement, and the same day twice."""

import csv
import json
from datetime import date, timedelta

import pytest

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    Approval,
    ContactSlot,
    Creditor,
    Message,
    Placement,
    Round,
    RoundItem,
    Tick,
    Touch,
)
from tasks.day import begin_day, catch_up_instant, run_day
from tasks.replay import replay
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script, creditor


def test_opens_a_round_names_its_items_and_writes(house: House, case_id: int) -> None:
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    opened = house.row(Round)
    assert (opened.case_id, opened.number, opened.opened_on) == (case_id, 1, house.day)
    assert {item.item_id for item in house.rows_of(RoundItem)} == set(house.items.values())
    (action,) = house.rows(Action)
    assert (action.step, action.state, action.amount, action.executed_on) == (
        "reminder", "executed", 150_000, house.day,
    )  # fmt: skip
    assert {(row.item_id, row.amount) for row in house.rows_of(ActionItem)} == {
        (house.items["F1"], 100_000),
        (house.items["F2"], 50_000),
    }
    message = house.row(Message)
    assert (message.state, message.channel, message.recipient) == ("sent", "email", "C1@example.test")
    (slot,) = house.rows_of(ContactSlot)
    assert (slot.day, slot.action_id) == (house.day, action.id)


@pytest.mark.stage("demanding")
def test_goes_through_demand_and_placement_with_all_that_law_5_asks(house: House, case_id: int) -> None:
    script = Script(house)
    script.people()
    demand = script.until("final_demand")
    assert demand.escalating
    assert {approval.actor for approval in house.rows(Approval, action_id=demand.id)} == {"mo"}
    assert {message.channel for message in house.rows(Message, template="final_demand")} == {"post", "email"}
    handoff = script.until("handoff")
    assert len({approval.actor for approval in house.rows(Approval, action_id=handoff.id)}) == 2
    placement = house.row(Placement)
    assert (placement.case_id, placement.amount, placement.state) == (case_id, 150_000, "placed")
    folder = house.engine.settings.workspace
    (manifest,) = folder.rglob("manifest.json")
    history = list(csv.DictReader((manifest.parent / "history.csv").read_text("utf-8-sig").splitlines()))
    named = {row["evidence"] for row in history if row["kind"] == "message"}
    assert named, "the dossier is in the agency's folder"
    assert named == {name for name in json.loads(manifest.read_text())["files"] if name.startswith("evidence/")}
    assert [touch.rating for touch in house.rows(Touch, kind="handoff")] == [-12]
    script.day()
    (reason,) = script.day().ticks[0].reasons
    assert reason == "placed"
    for tick in house.rows(Tick)[::7]:
        assert replay(house.engine, house.creditor_id, tick.business_date).differences == ()


def test_a_paid_round_closes_once_and_newer_items_open_the_next(house: House, case_id: int) -> None:
    script = Script(house)
    script.until("reminder")
    script.day()
    for document in ("F1", "F2"):
        house.pay(document, house.day)
    house.item(case_id, "F3", 70_000, house.day - timedelta(days=3))
    summary = script.day()
    assert summary.settled.counts["round closed"] == 1
    closed = house.row(Round)
    assert closed.closed_on == house.day
    while not house.rows(Round, number=2):
        assert script.day().settled.counts.get("round closed") is None
    second = house.row(Round, number=2)
    assert (second.opened_on - closed.closed_on).days >= 7, "five working days of silence"


def test_time_does_not_go_back(house: House, case_id: int) -> None:
    Script(house).day()
    with pytest.raises(RefusedError, match="is past and is not run again"):
        begin_day(house.engine, house.creditor_id, house.day - timedelta(days=1), at(house.day))


def test_a_missed_week_is_caught_up_one_step_a_contact(house: House, case_id: int) -> None:
    script = Script(house, calling=False)
    script.until("reminder")
    house.day += timedelta(days=40)
    script.day()
    late = [action for action in house.rows(Action) if action.business_date == house.day and action.state != "skipped"]
    assert len([action for action in late if action.kind == "message"]) <= 1


def test_a_creditor_is_found_by_its_code_and_begins_at_the_run(house: House, case_id: int) -> None:
    day = date(2026, 3, 3)
    house.snapshot(day)
    summary = run_day(house.engine, "ACME", day, catch_up_instant(day))
    assert summary.began
    assert (creditor(house).business_date, creditor(house).looked_at) == (day, catch_up_instant(day))


def test_a_day_begins_after_what_others_of_that_day_have_seen(house: House) -> None:
    later = at(house.day, 7)
    begin_day(house.engine, house.creditor_id, house.day, later)
    with house.engine.database.session() as session:
        first = session.get_one(Creditor, house.creditor_id)
        kept = first.model_dump(exclude={"id", "code", "business_date", "looked_at"})
        other = Creditor(**kept, code="OTHER")
        session.add(other)
        session.flush()
        other_id = int(other.id or 0)
    begin_day(house.engine, other_id, house.day, at(house.day, 6))
    with house.engine.database.reading() as session:
        assert session.get_one(Creditor, other_id).looked_at == later
