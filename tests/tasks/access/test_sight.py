"""Nobody acts for a creditor that they may not see."""

from datetime import date

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.tables import Action, Creditor, Person
from tasks.access.login import let_in
from tasks.access.people import add_person, change_person, people
from tasks.access.sight import give_sight, require_sight
from tasks.approvals import approve
from tasks.desk import desk
from tasks.disputes import open_dispute
from tests.tasks.access.conftest import NOW, Doors
from tests.tasks.act.house import House
from tests.tasks.act.stages import Stages

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("given", "codes", "unseen"),
    [
        pytest.param([], ["NL01", "DE01", "XX"], None, id="who was given none sees all"),
        pytest.param(["NL01"], ["NL01"], None, id="who was given one sees it"),
        pytest.param(["NL01"], ["DE01"], "DE01", id="and not another"),
        pytest.param(["NL01"], ["NL01", "DE01", "XX"], "DE01, XX", id="nor one that there is not"),
        pytest.param(["DE01", "NL01"], ["DE01", "NL01"], None, id="two of two"),
        pytest.param(["NL01"], ["NL01'; --", "%(x)s :y"], "%.*, NL01'; --", id="odd codes"),
    ],
)
def test_who_sees_what(doors: Doors, given: list[str], codes: list[str], unseen: str | None) -> None:
    doors.set("rhea", active=False)
    change_person(doors.engine, "carla", "root", NOW, creditors=given)
    for transaction in (doors.engine.database.session, doors.engine.database.frames):
        with transaction() as tx:
            if unseen is None:
                require_sight(tx, "carla", *codes)
            else:
                with pytest.raises(RefusedError, match=f"carla may not see creditor {unseen}"):
                    require_sight(tx, "carla", *codes)
    _, visitor = let_in(doors.engine, "carla", NOW, "oidc")
    assert {each.code for each in visitor.creditors} == (set(given) or {"NL01", "DE01"})
    assert set(doors.events()[0][2]["creditors"]) == {doors.row(Creditor, code=code).id for code in given}


def test_desks_are_closed_to_who_may_not_see_the_creditor(doors: Doors) -> None:
    doors.set("rhea", active=False)
    change_person(doors.engine, "carla", "root", NOW, creditors=["NL01"])
    ids = {code: doors.row(Creditor, code=code).id for code in ("NL01", "DE01")}
    with desk(doors.engine, ids["NL01"], "carla", DAY, NOW) as made:
        assert made.person.login == "carla"
    with pytest.raises(RefusedError, match="may not see"), desk(doors.engine, ids["DE01"], "carla", DAY, NOW):
        pass
    with desk(doors.engine, ids["DE01"], None, DAY, NOW), desk(doors.engine, ids["DE01"], "mo", DAY, NOW):
        pass
    with desk(doors.engine, ids["DE01"], "mo", DAY, NOW) as made, pytest.raises(RefusedError, match="may not see"):
        made.require_person("carla", "own a dispute", *("collector",))  # type: ignore[arg-type]


def test_who_is_entered_sees_what_was_said(doors: Doors) -> None:
    person = Person(login="kim", name="Kim", role="collector", recorded_at=NOW)
    with pytest.raises(UsageError, match="no creditor 'XX'"):
        add_person(doors.engine, person, "root", NOW, ["XX"])
    add_person(doors.engine, person, "root", NOW, ["DE01"])
    seen = {row["login"]: row["creditors"] for row in people(doors.engine)}
    assert (seen["kim"], seen["carla"]) == (["DE01"], [])


def test_neither_an_approval_nor_a_record_is_of_who_may_not_see(stages: Stages, tmp_path: object) -> None:
    with stages.at("demanding", tmp_path / "workspace") as house:  # type: ignore[operator]
        demand = house.row(Action, step="final_demand")
        _only_elsewhere(house, "mo")
        with pytest.raises(RefusedError, match="mo may not see"), house.desk("mo") as made:
            approve(made, [demand.id], "looked at it")
        with pytest.raises(RefusedError, match="mo may not see"), house.desk("mo") as made:
            open_dispute(made, made.case(demand.case_id), "F1", "price")  # type: ignore[arg-type]
        assert house.row(Action, id=demand.id).state == "awaiting_approval"


def _only_elsewhere(house: House, login: str) -> None:
    with house.engine.database.session() as session:
        known = house.row(Creditor)
        other = Creditor(**{**known.model_dump(exclude={"id"}), "code": "ELSE"})
        session.add(other)
        session.flush()
        give_sight(session, int(house.row(Person, login=login).id), [int(other.id or 0)])
