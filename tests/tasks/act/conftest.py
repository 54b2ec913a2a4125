from datetime import date

import pytest

from tasks.engine import Engine
from tests.tasks.act.house import House, build_house

MONDAY = date(2026, 3, 2)


@pytest.fixture
def house(engine: Engine) -> House:
    """A house on a Monday, far from any holiday."""
    return build_house(engine, MONDAY)


@pytest.fixture
def case_id(house: House) -> int:
    """A customer with two overdue invoices of 1,000.00 and 500.00."""
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 100_000, date(2026, 1, 30))
    house.item(case_id, "F2", 50_000, date(2026, 2, 6))
    return case_id
