"""What a person records asks for a look at the creditor, in its own transaction, and until somebody has looked."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Wake
from tasks.reasons import state_reason
from tasks.waking import Waiting, taken, those_waiting
from tests.tasks.act.house import House


def state(house: House, *case_ids: int) -> None:
    with house.desk("carla") as desk:
        for case_id in case_ids:
            state_reason(desk, desk.case(case_id), NonPaymentReason.FORGOT)


def be_killed(house: House) -> None:
    """As if the process died that looks at the creditor: its connection is gone before it is through."""
    with taken(house.engine, house.creditor_id) as causes:
        assert causes == ["reason_stated"]
        with house.engine.database.session() as session:
            locked = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = ("
            session.execute(text(locked + "SELECT oid FROM pg_database WHERE datname = current_database())"))


def test_an_act_asks_in_its_transaction(house: House, case_id: int) -> None:
    assert those_waiting(house.engine) == []
    with pytest.raises(UsageError):
        state(house, case_id, -1)
    assert house.count(Wake) == 0
    state(house, case_id)
    assert those_waiting(house.engine) == [Waiting(house.creditor_id, "ACME")]


def test_what_is_recorded_while_one_looks_asks_again(house: House, case_id: int) -> None:
    state(house, case_id)
    state(house, case_id)
    with taken(house.engine, house.creditor_id) as causes:
        assert causes == ["reason_stated"] * 2
        state(house, case_id)
        with taken(house.engine, house.creditor_id) as others:
            assert others == [], "one who looks is alone with the creditor"
    with taken(house.engine, house.creditor_id) as causes:
        assert causes == ["reason_stated"]
    assert house.count(Wake) == 0


def test_whoever_is_killed_leaves_it_asked_for(house: House, case_id: int) -> None:
    state(house, case_id)
    with pytest.raises(OperationalError):
        be_killed(house)
    with taken(house.engine, house.creditor_id) as causes:
        assert causes == ["reason_stated"]


def test_a_day_that_begins_looks_at_everything(house: House, case_id: int) -> None:
    state(house, case_id)
    house.go_to(house.day + timedelta(days=1))
    assert those_waiting(house.engine) == []
