"""Omission is told of too: what is long overdue without an action, and why; nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import HoldReason
from maatpak.ledger.tables import Action, ActionItem, QuarantinedRow, Snapshot
from tasks.day import run_day
from tasks.disputes import open_dispute
from tasks.engine import Engine
from tasks.holds import set_hold
from tasks.silent import silent_items
from tests.tasks.act.house import House, at, build_house

MONDAY = date(2026, 3, 2)


@pytest.fixture
def house(engine: Engine) -> House:
    return build_house(engine, MONDAY)


def run(house: House) -> None:
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))


def silent(house: House, as_of: date | None = None) -> list[dict[str, Any]]:
    day = as_of or house.day
    return silent_items(house.engine, house.creditor_id, day, at(day, 23)).items


def causes(house: House, as_of: date | None = None) -> dict[str, str]:
    return {row["document_no"]: row["cause"] for row in silent(house, as_of)}


def due(days: int) -> date:
    """A due date so many working days before Monday."""
    return add_working_days(MONDAY, -days, "NL")


def act(house: House, case_id: int, kind: str, on: date, *items: str, state: str = "executed") -> None:
    """Something that was done for a case in a round."""
    from maatpak.ledger.tables import Round

    with house.engine.database.session() as session:
        round_ = Round(case_id=case_id, number=1, opened_on=on, opened_at=at(on, 6), closed_on=on, closed_at=at(on, 7))
        session.add(round_)
        session.flush()
        action = Action(
            creditor_id=house.creditor_id,
            case_id=case_id,
            round_id=round_.id,
            stage="remind",
            step="x",
            kind=kind,
            segment="prompt",
            pack_id=house.pack_id,
            state=state,
            reason="paid" if state == "cancelled" else None,
            amount=1,
            due_on=on,
            business_date=on,
            proposed_at=at(on, 6),
            started_on=on,
            executed_on=on if state == "executed" else None,
            ended_at=at(on, 6),
        )
        session.add(action)
        session.flush()
        for number in items:
            session.add(ActionItem(action_id=int(action.id or 0), item_id=house.items[number], amount=1))


def test_only_what_is_overdue_for_over_ten_working_days(house: House) -> None:
    case_id = house.debtor("C1")
    for days in (9, 10, 11, 12):
        house.item(case_id, f"F{days}", 1000 * days, due(days))
    rows = silent(house)
    assert [(row["document_no"], row["overdue_wd"], row["silent_wd"], row["last_on"]) for row in rows] == [
        ("F12", 12, 12, None),
        ("F11", 11, 11, None),
    ]
    assert {row["cause"] for row in rows} == {"not_decided"}
    assert (rows[0]["debtor_no"], rows[0]["name"], rows[0]["open_amount"]) == ("C1", "C1 B.V.", 12_000)


def test_a_paid_item_a_credit_note_and_one_not_due_are_not_silent(house: House) -> None:
    case_id = house.debtor("C1")
    house.item(case_id, "PAID", 1000, due(20))
    house.pay("PAID", due(15))
    house.item(case_id, "CREDIT", 1000, due(20), item_type="credit_note")
    house.item(case_id, "LATER", 1000, MONDAY + timedelta(days=3))
    assert silent(house) == []


@pytest.mark.parametrize(
    ("kind", "items", "state", "heard"),
    [
        ("message", ("F1",), "executed", {"F1"}),
        ("call", (), "executed", {"F1", "F2"}),
        ("consult", (), "in_progress", {"F1", "F2"}),
        ("statement", (), "executed", set()),
        ("notify", (), "executed", set()),
        ("wait", (), "executed", set()),
        ("message", ("F1",), "cancelled", set()),
        ("message", ("F1",), "failed", set()),
    ],
)
def test_what_breaks_silence(house: House, kind: str, items: tuple[str, ...], state: str, heard: set[str]) -> None:
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 1000, due(30))
    house.item(case_id, "F2", 1000, due(30))
    act(house, case_id, kind, due(10), *items, state=state)
    assert set(causes(house)) == {"F1", "F2"} - heard


def test_silence_comes_back_ten_working_days_after_the_last_action(house: House) -> None:
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 1000, due(60))
    act(house, case_id, "message", due(10), "F1")
    assert silent(house) == []
    house.go_to(add_working_days(MONDAY, 1, "NL"))
    (row,) = silent(house)
    assert (row["last_on"], row["silent_wd"], row["overdue_wd"]) == (due(10), 11, 61)


def test_the_cause_is_what_the_last_run_decided(house: House) -> None:
    held = house.debtor("C1")
    house.item(held, "HELD", 100_000, due(20))
    small = house.debtor("C2")
    house.item(small, "SMALL", 400, due(20))
    acting = house.debtor("C3")
    house.item(acting, "ACTING", 100_000, due(20))
    house.debtor("C4")
    with house.desk("carla", 5) as desk:
        set_hold(desk, desk.case(held), HoldReason.DATA, MONDAY + timedelta(days=9), "address")
    house.day = add_working_days(MONDAY, 1, "NL")
    house.snapshot(house.day)
    run(house)
    rows = {row["document_no"]: row for row in silent(house)}
    assert {number: row["cause"] for number, row in rows.items()} == {"HELD": "hold", "SMALL": "below_tolerance"}
    assert rows["HELD"]["detail"] == "The hold is lifted, or ends and a person has reviewed it."
    assert "ACTING" in {row["document_no"] for row in silent(house, add_working_days(house.day, 11, "NL"))}


def test_what_covers_an_item_is_its_own_cause(house: House) -> None:
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 100_000, due(40))
    house.item(case_id, "F2", 50_000, due(20))
    with house.desk("carla", 5) as desk:
        open_dispute(desk, desk.case(case_id), "F2", "price")  # type: ignore[arg-type]
    house.day = add_working_days(MONDAY, 1, "NL")
    house.snapshot(house.day)
    run(house)
    assert causes(house) == {"F2": "dispute"}


def test_a_past_day_is_told_as_it_was_known(house: House) -> None:
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 400, due(20))
    run(house)
    tuesday = add_working_days(MONDAY, 1, "NL")
    house.pay("F1", tuesday)
    house.go_to(tuesday)
    assert silent(house) == []
    assert causes(house, MONDAY) == {"F1": "below_tolerance"}


def test_each_country_counts_its_own_working_days(house: House) -> None:
    for country in ("NL", "GB"):
        house.item(house.debtor(country, country=country), country, 1000, date(2026, 5, 5))
    # Ascension Day is a holiday at home, not in Britain.
    assert [(row["document_no"], row["overdue_wd"]) for row in silent(house, date(2026, 5, 20))] == [("GB", 11)]


def test_what_waits_in_quarantine_is_told_beside(house: House) -> None:
    with house.engine.database.session() as session:
        snapshot = session.get_one(Snapshot, 1)
        session.add(
            QuarantinedRow(
                snapshot_id=int(snapshot.id or 0),
                creditor_id=house.creditor_id,
                debtor_no="C7",
                file="items.csv",
                row_no=3,
                table_name="items",
                raw={"document_no": "F7"},
                rules="due_missing",
                business_date=MONDAY,
                recorded_at=at(MONDAY, 5),
            )
        )
    (row,) = silent_items(house.engine, house.creditor_id, MONDAY, at(MONDAY, 23)).quarantined
    assert (row["debtor_no"], row["document_no"], row["rules"]) == ("C7", "F7", "due_missing")
