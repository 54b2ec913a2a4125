"""A pay run takes what came before its cut-off; a reminder waits for the run that the invoice made (rule 28)."""

from datetime import date

import pytest

from tasks.facts import build_facts
from tasks.preferences import set_preference
from tests.tasks.act.house import House, at


@pytest.mark.parametrize(
    ("issued", "due", "cut_off", "run"),
    [
        # Of a customer who pays on Fridays; 2026-02-27 is one.
        (date(2026, 2, 16), date(2026, 2, 26), None, date(2026, 2, 27)),
        (date(2026, 2, 16), date(2026, 2, 26), "0", date(2026, 2, 27)),
        (date(2026, 2, 16), date(2026, 2, 26), "9", date(2026, 2, 27)),
        (date(2026, 2, 16), date(2026, 2, 26), "10", date(2026, 3, 6)),
        (date(2026, 2, 26), date(2026, 2, 26), None, date(2026, 2, 27)),
        (date(2026, 2, 26), date(2026, 2, 26), "1", date(2026, 2, 27)),
        (date(2026, 2, 26), date(2026, 2, 26), "2", date(2026, 3, 6)),
        (date(2026, 1, 5), date(2026, 2, 27), "20", date(2026, 2, 27)),
    ],
)
def test_the_run_that_an_invoice_makes(house: House, issued: date, due: date, cut_off: str | None, run: date) -> None:
    case_id = house.debtor("K1")
    house.item(case_id, "K-1", 10_000, due, issued_on=issued)
    with house.desk("olga", 7) as desk:
        debtor = desk.debtor(desk.case(case_id).debtor_id)
        set_preference(desk, debtor, "pay_run", "friday")
        if cut_off is not None:
            set_preference(desk, debtor, "cut_off", cut_off)
    with house.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, house.creditor_id, house.day, at(house.day, 8), case_ids=[case_id])
    assert facts.cases.filter(case_id=case_id)["driver_pay_run_on"].to_list() == [run]
