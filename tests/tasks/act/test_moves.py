"""A person's hand on a case's course: a key account leaves its journey by two people's word only."""

from datetime import date

import pytest
from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import Stage
from maatpak.ledger.tables import Round, RoundCourse, WorkTask
from tasks.case_move import MOVE_CONFIRM, move_case
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House
from tests.tasks.act.script import Script


@pytest.fixture
def key_case(house: House) -> int:
    """A key account whose round is open."""
    case_id = house.debtor("K1", key_account=True)
    house.item(case_id, "K-1", 400_000, date(2026, 1, 30))
    Script(house, calling=False).day()
    assert segment(house, case_id) == "key"
    return case_id


def segment(house: House, case_id: int) -> str:
    with house.engine.database.session() as session:
        course = session.exec(
            select(RoundCourse)
            .join(Round, col(Round.id) == RoundCourse.round_id)
            .where(Round.case_id == case_id, col(RoundCourse.replaced_at).is_(None))
        ).one()
        return str(course.segment)


def test_a_collector_does_not_move_a_key_account_towards_a_demand(house: House, key_case: int) -> None:
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="key account"):
        move_case(desk, desk.case(key_case), "forgetful", "they forgot")
    assert segment(house, key_case) == "key"


def test_a_credit_manager_asks_and_a_finance_director_confirms(house: House, key_case: int) -> None:
    with house.desk("mo") as desk:
        assert move_case(desk, desk.case(key_case), "forgetful", "they forgot") is None
    assert segment(house, key_case) == "key"
    task = house.row(WorkTask, subject=MOVE_CONFIRM)
    for who in ("mo", "mia", "carla"):
        with house.desk(who) as desk, pytest.raises(RefusedError):
            finish_work(desk, int(task.id), Outcome("agreed", "seen"))
    with house.desk("frans") as desk:
        finish_work(desk, int(task.id), Outcome("agreed", "seen"))
    assert segment(house, key_case) == "forgetful"
    assert [event.actor for event in house.rows_of_events("case_moved")] == ["frans"]


def test_a_refused_move_leaves_the_case_where_it_is(house: House, key_case: int) -> None:
    with house.desk("mo") as desk:
        move_case(desk, desk.case(key_case), "forgetful", "they forgot")
    with house.desk("frans") as desk:
        finish_work(desk, int(house.row(WorkTask, subject=MOVE_CONFIRM).id), Outcome("refused", "we talk"))
    assert segment(house, key_case) == "key"


@pytest.mark.stage("demanding")
def test_a_person_may_soften_and_never_goes_further_than_the_case_has_come(house: House, case_id: int) -> None:
    before = segment(house, case_id)
    other = "strained" if before != "strained" else "habitual"
    with house.desk("mo") as desk, pytest.raises(RefusedError, match="handoff is harsher"):
        move_case(desk, desk.case(case_id), other, "hurry", stage=Stage.HANDOFF)
    assert segment(house, case_id) == before
    with house.desk("mo") as desk:
        move_case(desk, desk.case(case_id), other, "they rang", stage=Stage.REMIND)
    with house.desk("mo") as desk:
        moved = move_case(desk, desk.case(case_id), before, "as it was", stage=Stage.LISTEN)
    assert moved is not None
    assert moved.entry_stage == Stage.LISTEN, "what was done in the round stays done"
