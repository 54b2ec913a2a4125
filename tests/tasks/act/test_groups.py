"""The group carries exposure, and its account managers are told of demands (rule 22)."""

from datetime import date
from typing import Any

import pytest

from maatpak.ledger.tables import Action, Case, DebtorProfile, WorkTask
from maatpak.ledger.versions import succeed
from tasks.groups import DEMANDED, exposures
from tasks.pending import pending
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

OLD = date(2026, 1, 30)
NOT_DUE = date(2026, 12, 1)


def joins(house: House, case_id: int, parent_no: str) -> None:
    """From today on a customer belongs to another's group."""
    profile = house.row(DebtorProfile, debtor_id=house.row(Case, id=case_id).debtor_id)
    with house.engine.database.session() as session:
        succeed(session, session.get_one(DebtorProfile, profile.id), house.day, at(house.day, 7), parent_no=parent_no)


def notices(house: House) -> dict[str, Any]:
    return {each.assignee: each for each in house.rows(WorkTask, kind="notice") if each.subject == DEMANDED}


@pytest.fixture
def grouped(house: House, case_id: int) -> dict[str, int]:
    """The customer of the house under a head with a sister, and one that belongs to nobody."""
    cases = {"own": case_id, "head": house.debtor("H", account_manager="dirk")}
    cases["sister"] = house.debtor("Z", parent_no="H", account_manager="carla")
    cases["niece"] = house.debtor("N", parent_no="Z", account_manager="dirk")
    cases["stranger"] = house.debtor("X", account_manager="colin")
    return cases


@pytest.mark.stage("demanding")
def test_every_account_manager_of_the_group_is_told_of_a_demand_that_was_sent(
    house: House, grouped: dict[str, int]
) -> None:
    joins(house, grouped["own"], "H")
    script = Script(house)
    script.people()
    script.until("final_demand", "approved")
    assert notices(house) == {}, "nobody is told of what did not go out"
    demand = script.until("final_demand")
    told = notices(house)
    assert set(told) == {"anna", "dirk", "carla"}
    for each in told.values():
        assert (each.case_id, each.action_id, each.role) == (grouped["own"], demand.id, "account_manager")
        assert (each.blocks, each.opened_on) == (False, demand.executed_on)
    assert {each.outcome for each in told.values()} == {"seen"}, "each ended theirs"
    assert house.row(Action, id=demand.id).state == "executed"


@pytest.mark.stage("demanding")
def test_nobody_more_is_told_of_a_demand_to_who_has_no_group(house: House, grouped: dict[str, int]) -> None:
    script = Script(house)
    script.people()
    script.until("final_demand")
    assert notices(house) == {}


@pytest.mark.stage("demanding")
def test_who_approves_a_demand_sees_what_the_group_owes(house: House, grouped: dict[str, int]) -> None:
    joins(house, grouped["own"], "H")
    house.item(grouped["head"], "H-1", 40_000, NOT_DUE)
    house.item(grouped["sister"], "Z-1", 30_000, OLD)
    house.item(grouped["sister"], "Z-2", 5_000, OLD, item_type="credit_note")
    house.item(grouped["stranger"], "X-1", 99_000, OLD)
    with house.desk("mo", 14) as desk:
        waiting = pending(desk)
    (demand,) = [each for each in waiting if each.step == "final_demand" and each.case_id == grouped["own"]]
    assert demand.group_accounts == 4
    assert demand.group_open == demand.overdue_amount + 40_000 + 30_000 - 5_000
    assert demand.group_overdue == demand.overdue_amount + 30_000
    assert all(each.group_open is None for each in waiting if not each.escalating)


@pytest.mark.parametrize(
    ("parents", "accounts"),
    [
        ({}, None),
        ({"A": "B"}, 2),
        ({"A": "B", "B": "C"}, 3),
        ({"A": "C", "B": "C"}, 3),
        ({"A": "unknown", "B": "unknown"}, 2),
        ({"A": "unknown"}, None),
        ({"A": "B", "B": "A"}, 2),
    ],
    ids=["alone", "child", "chain", "siblings", "under a head that has no account", "alone under one", "a circle"],
)
def test_who_belongs_to_a_group(house: House, parents: dict[str, str], accounts: int | None) -> None:
    cases = {number: house.debtor(number, parent_no=parents.get(number)) for number in "ABC"}
    for number, case_id in cases.items():
        house.item(case_id, f"{number}-1", 10_000, OLD)
    with house.engine.database.session() as session:
        debtor_id = next(each.debtor_id for each in house.rows(DebtorProfile) if each.email == "A@example.test")
        found = exposures(session, [debtor_id], house.day)
    told = found.get((debtor_id, "EUR"))
    assert (told and told.accounts) == accounts
    assert told is None or (told.open_amount, told.overdue_amount) == (told.accounts * 10_000,) * 2
