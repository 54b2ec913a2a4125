"""The numbers on a drawn journey, worked out from a house whose one customer has come as far as a final demand."""

from collections.abc import Callable
from datetime import date
from threading import Thread

import pytest

from maatpak.kernel.calendars import add_working_days, working_days_between
from maatpak.ledger.tables import Action, Case, Figure, JourneyFigure, Payment, RoundCourse
from tasks.day import run_day
from tasks.engine import Engine
from tasks.figures import compute_figures
from tasks.figures.compute import SINGLE_LOCK as FIGURES_LOCK
from tasks.journey_figures import SINGLE_LOCK as JOURNEYS_LOCK
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
    # Two equal payments of one day are two.
    case = house.row(Case)
    about = {"creditor_id": house.creditor_id, "debtor_id": case.debtor_id, "item_id": house.items["F1"]}
    about |= {"paid_on": paid_on, "currency": "EUR", "amount": 300, "applied": 300}
    with house.engine.database.session() as session:
        for number in ("P1", "P2"):
            session.add(Payment(**about, payment_no=number, valid_from=following, recorded_at=at(following)))
    keep_journey_figures(house.engine, house.creditor_id, following)
    with house.engine.database.reading() as session:
        again = journey_figures(session, house.creditor_id, course.segment, course.pack_id)
    assert {step: each.cash["EUR"] for step, each in again.steps.items() if each.cash} == dict.fromkeys(named, 50_600)


@pytest.mark.stage("demanding")
@pytest.mark.parametrize(
    ("keep", "lock", "extra"),
    [
        (
            keep_journey_figures,
            JOURNEYS_LOCK,
            "INSERT INTO journey_figure (creditor_id, as_of, segment, pack_id, step, name, key, value)"
            " VALUES (1, DATE '{day}', 'older', 1, '', 'standing', '', 1)",
        ),
        (
            lambda engine, creditor, day: compute_figures(engine, creditor, day, at(day)),
            FIGURES_LOCK,
            "INSERT INTO figure (creditor_id, business_date, name, dimension, key, currency, value, count, recorded_at)"
            " VALUES (1, DATE '{day}', 'open', 'segment', 'older', 'EUR', 1, 1, now())",
        ),
    ],
    ids=["journeys", "figures"],
)
def test_of_two_at_once_nothing_of_the_first_is_left(
    house: House, keep: Callable[[Engine, int, date], int], lock: str, extra: str
) -> None:
    waiting = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with house.engine.database.frames() as first:
        first.execute(lock.format(creditor=house.creditor_id))
        first.execute(extra.format(day=house.day))
        second = Thread(target=keep, args=(house.engine, house.creditor_id, house.day))
        second.start()
        while second.is_alive() and not first.read(waiting).item():
            second.join(0.01)
    second.join()
    rows = [*house.rows_of(JourneyFigure), *house.rows_of(Figure)]
    assert rows
    assert "older" not in str(rows)


def house_rows(house: House, day: date) -> int:
    """How many figures are kept of a date."""
    return sum(row.as_of == day for row in house.rows_of(JourneyFigure))


def test_without_a_day_there_are_none(house: House) -> None:
    with house.engine.database.reading() as session:
        told = journey_figures(session, house.creditor_id, "prompt")
    assert (told.as_of, told.steps) == (None, {})
    assert keep_journey_figures(house.engine, house.creditor_id, date(2026, 3, 2)) == 0
