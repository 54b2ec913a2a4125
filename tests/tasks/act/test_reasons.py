"""What each stated reason starts, compared with the table of the trade."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import NonPaymentReason as R
from maatpak.ledger.tables import ClaimedPayment, Dispute, Hold, Preference, StatedReason, WorkTask
from tasks.reasons import state_reason
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House

STARTS: dict[R, dict[str, Any]] = {
    R.LOST_INVOICE: {"work": ("department", "operator", True)},
    R.FORGOT: {},
    R.APPROVAL_PENDING: {},
    R.PO_MISSING: {"work": ("department", "operator", True), "items": "dispute"},
    R.WRONG_INVOICE: {"work": ("department", "operator", False), "disputes": 2},
    R.WRONG_ENTITY: {"work": ("department", "operator", False), "disputes": 2},
    R.PRICE: {"disputes": 2},
    R.QUANTITY: {"disputes": 2},
    R.NOT_DELIVERED: {"work": ("department", "operator", True), "items": "dispute"},
    R.OUR_FAILURE: {"work": ("department", "operator", True), "items": "complaint"},
    R.CASH_FLOW: {"work": ("review", "credit_manager", False)},
    R.WAITS_FOR_CUSTOMER: {"work": ("review", "credit_manager", False)},
    R.POLICY: {"work": ("review", "account_manager", False)},
    R.PAY_RUN: {},
    R.PAID_ALREADY: {"work": ("cash", "operator", False), "claims": 1},
    R.PAYMENT_FAILED: {},
    R.SET_OFF: {"work": ("review", "credit_manager", False), "disputes": 2},
    R.VERIFYING_IBAN: {"work": ("reply", "collector", True)},
    R.UNWILLING: {"work": ("review", "credit_manager", False)},
    R.INSOLVENT: {"work": ("review", "credit_manager", False), "stop": "insolvent"},
    R.DECEASED: {"work": ("review", "credit_manager", False), "stop": "deceased"},
    R.REPRESENTED: {"work": ("review", "credit_manager", False), "stop": "represented"},
}


def test_the_table_is_complete() -> None:
    assert set(STARTS) == set(R) - {R.NONE}


@pytest.mark.parametrize("reason", STARTS, ids=str)
def test_starts_what_the_trade_says(house: House, case_id: int, reason: R) -> None:
    with house.desk("carla") as desk:
        state_reason(desk, desk.case(case_id), reason)
    starts = STARTS[reason]
    assert house.row(StatedReason).reason == reason
    work = [(task.kind, task.role, task.blocks) for task in house.rows(WorkTask)]
    assert work == ([starts["work"]] if "work" in starts else [])
    assert len(house.rows(Dispute)) == starts.get("disputes", 0)
    assert len(house.rows(ClaimedPayment)) == starts.get("claims", 0)
    holds = [(hold.scope, hold.reason, hold.source if hold.scope == "party" else "") for hold in house.rows(Hold)]
    expected = [("item", starts["items"], "")] * 2 if "items" in starts else []
    assert holds == expected + ([("party", "legal_stop", starts["stop"])] if "stop" in starts else [])


@pytest.mark.parametrize("reason", [R.PO_MISSING, R.NOT_DELIVERED, R.OUR_FAILURE], ids=str)
def test_items_rest_until_the_department_is_through(house: House, case_id: int, reason: R) -> None:
    with house.desk("carla") as desk:
        state_reason(desk, desk.case(case_id), reason, documents=["F2"])
    hold = house.row(Hold)
    assert (hold.item_id, hold.until_on) == (house.items["F2"], date(2026, 3, 9))
    with house.desk("olga") as desk:
        finish_work(desk, house.row(WorkTask).id, Outcome("done"))
    assert house.row(Hold).state == "lifted"


def test_a_price_is_disputed_in_part(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        state_reason(desk, desk.case(case_id), R.PRICE, documents=["F1"], amount=12_345)
    assert house.row(Dispute).amount == 12_345


def test_a_pay_run_is_kept_as_a_preference(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        state_reason(desk, desk.case(case_id), R.PAY_RUN, pay_run="Friday")
    row = house.row(Preference)
    assert (row.name, row.value) == ("pay_run", "friday")


def test_none_is_no_reason_and_an_operator_states_none(house: House, case_id: int) -> None:
    with house.desk("carla") as desk, pytest.raises(UsageError, match="no reason"):
        state_reason(desk, desk.case(case_id), R.NONE)
    with house.desk("olga") as desk, pytest.raises(RefusedError):
        state_reason(desk, desk.case(case_id), R.FORGOT)
