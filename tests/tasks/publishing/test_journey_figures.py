"""The numbers on a drawn journey, worked out from a house whose one customer has come as far as a final demand."""

from datetime import date

import pytest

from maatpak.kernel.calendars import add_working_days, working_days_between
from maatpak.ledger.tables import Action, JourneyFigure, RoundCourse
from tasks.day import run_day
from tasks.journey_figures import journey_figures, keep_journey_figures
from tests.tasks.act.conftest import case_id, house
from tests.tasks.act.house import House, at

__all__ = ["case_id", "house"]


@pytest.mark.stage("demanding")
def test_what_stands_flowed_and_blocks(house: House) -> None:
    course = house.row(RoundCourse)
    done = {each.step: each for each in house.rows(Action, state="executed")}
    paid_on = add_working_days(done["second_notice"].executed_on, 2, "NL")
    house.pay("F2", paid_on, known_on=house.day)
    following = add_working_days(house.day, 1, "NL")
    house.day = following
    house.snapshot(following)
    run_day(house.engine, house.creditor_id, following, at(following, 6))
    kept = keep_journey_figures(house.engine, house.creditor_id, following)
    assert kept == keep_journey_figures(house.engine, house.creditor_id, following) == house_rows(house, following)
    with house.engine.database.reading() as session:
        told = journey_figures(session, house.creditor_id, course.segment, course.pack_id)
        every = journey_figures(session, house.creditor_id, course.segment)
        nobody = journey_figures(session, house.creditor_id, "strained")
    assert (told.as_of, every.steps, nobody.steps) == (following, told.steps, {})
    assert sum(each.standing for each in told.steps.values()) == 1
    assert {step: each.taken for step, each in told.steps.items() if each.taken} == dict.fromkeys(done, 1) | {
        "call": len(house.rows(Action, step="call", state="executed"))
    }
    (before, waited) = next(iter(told.steps["second_notice"].median_wait.items()))
    assert waited == working_days_between(done[before].executed_on, done["second_notice"].executed_on, "NL")
    named = [step for step, each in told.steps.items() if each.cash]
    assert named
    for step in named:
        assert told.steps[step].cash == {"EUR": 50_000}
        assert done[step].executed_on < paid_on <= add_working_days(done[step].executed_on, 10, "NL")


def house_rows(house: House, day: date) -> int:
    """How many figures are kept of a date."""
    return sum(row.as_of == day for row in house.rows_of(JourneyFigure))


def test_without_a_day_there_are_none(house: House) -> None:
    with house.engine.database.reading() as session:
        told = journey_figures(session, house.creditor_id, "prompt")
    assert (told.as_of, told.steps) == (None, {})
    assert keep_journey_figures(house.engine, house.creditor_id, date(2026, 3, 2)) == 0
