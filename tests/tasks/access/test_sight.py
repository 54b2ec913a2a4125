"""Nobody acts for a creditor that they may not see."""

from datetime import date

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.tables import Creditor, Person
from tasks.access.login import let_in
from tasks.access.people import add_person, change_person, people
from tasks.access.sight import require_sight
from tasks.desk import desk
from tests.tasks.access.conftest import NOW, Doors

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
