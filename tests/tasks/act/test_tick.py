import time
from datetime import date, timedelta

from maatpak.ledger.tables import Action, Message, WorkTask
from tasks.day import run_day
from tests.tasks.act.house import House, at


def test_opens_a_round_and_proposes(house: House, case_id: int) -> None:
    day = house.day
    for _ in range(6):
        house.snapshot(day) if day > house.day else None
        started = time.perf_counter()
        summary = run_day(house.engine, house.creditor_id, day, at(day, 6))
        print(day, round(time.perf_counter() - started, 3), summary)
        day += timedelta(days=1)
    for row in house.rows(Action):
        print(row.step, row.state, row.reason, row.result)
    for row in house.rows(Message):
        print(row.template, row.state, row.channel, row.recipient, row.failure)
    for row in house.rows(WorkTask):
        print(row.kind, row.subject, row.state, row.role)
    assert False
