from datetime import date

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import DisputeState, NonPaymentReason
from maatpak.ledger.tables import Dispute, Touch, WorkTask
from tasks.disputes import DISPUTE_REASONS, decide_dispute, open_dispute
from tasks.settle import settle_records
from tasks.settle_waits import DISPUTE_OVERDUE
from tests.tasks.act.house import House, at


def dispute(house: House, case_id: int, amount: int | None = None, document: str = "F1") -> str:
    with house.desk("carla") as desk:
        return open_dispute(desk, desk.case(case_id), document, NonPaymentReason.PRICE, amount=amount).dispute_no


@pytest.mark.parametrize("reason", sorted(DISPUTE_REASONS), ids=str)
def test_has_an_owner_and_ten_working_days(house: House, case_id: int, reason: NonPaymentReason) -> None:
    with house.desk("carla") as desk:
        open_dispute(desk, desk.case(case_id), "F1", reason)
    row = house.row(Dispute)
    assert (row.amount, row.owner, row.answer_by, row.state) == (100_000, "anna", date(2026, 3, 16), "open")


def test_a_reason_that_objects_to_nothing_is_no_dispute(house: House, case_id: int) -> None:
    with house.desk("carla") as desk, pytest.raises(UsageError, match=r"^'forgot' is no objection"):
        open_dispute(desk, desk.case(case_id), "F1", NonPaymentReason.FORGOT)


def test_never_more_than_is_open_and_undisputed(house: House, case_id: int) -> None:
    dispute(house, case_id, 60_000)
    with pytest.raises(UsageError, match=r"€400\.00 of it is open and undisputed"):
        dispute(house, case_id, 40_001)
    dispute(house, case_id, 40_000)
    with pytest.raises(UsageError, match="0 of it"):
        dispute(house, case_id)


@pytest.mark.parametrize(
    ("state", "accepted", "stored", "reply"),
    [
        (DisputeState.ACCEPTED, None, 60_000, 0),
        (DisputeState.PART_ACCEPTED, 20_000, 20_000, 1),
        (DisputeState.REJECTED, None, 0, 1),
        (DisputeState.WITHDRAWN, None, 0, 0),
    ],
    ids=str,
)
def test_is_decided_and_a_no_is_told(
    house: House, case_id: int, state: DisputeState, accepted: int | None, stored: int, reply: int
) -> None:
    number = dispute(house, case_id, 60_000)
    with house.desk("anna") as desk:
        decide_dispute(desk, number, state, "looked into it", accepted_amount=accepted)
    row = house.row(Dispute)
    assert (row.state, row.accepted_amount, row.decided_on) == (state, stored, house.day)
    assert len(house.rows(WorkTask, kind="reply")) == reply
    with house.desk("anna") as desk, pytest.raises(UsageError, match="no open dispute"):
        decide_dispute(desk, number, state, "again", accepted_amount=accepted)


@pytest.mark.parametrize("accepted", [None, 0, 60_000, 70_000])
def test_accepted_in_part_is_less_than_all(house: House, case_id: int, accepted: int | None) -> None:
    number = dispute(house, case_id, 60_000)
    with house.desk("anna") as desk, pytest.raises(UsageError, match="Accepted in part"):
        decide_dispute(desk, number, DisputeState.PART_ACCEPTED, "some of it", accepted_amount=accepted)


def test_is_not_decided_by_just_anybody_nor_without_words(house: House, case_id: int) -> None:
    number = dispute(house, case_id)
    with house.desk("olga") as desk, pytest.raises(RefusedError, match="may not decide"):
        decide_dispute(desk, number, DisputeState.REJECTED, "no")
    with house.desk("mo") as desk, pytest.raises(RefusedError, match="in words"):
        decide_dispute(desk, number, DisputeState.REJECTED, " ")


def settle(house: House, day: date) -> dict[str, int]:
    house.go_to(day)
    return settle_records(house.engine, house.creditor_id, day, at(day, 6)).counts


def test_over_a_settled_item_it_is_over(house: House, case_id: int) -> None:
    dispute(house, case_id)
    house.pay("F1", date(2026, 3, 4))
    assert settle(house, date(2026, 3, 5)) == {"dispute withdrawn": 1}
    assert house.row(Dispute).state == "withdrawn"


def test_past_its_date_it_wakes_a_manager_once_and_counts_against_us(house: House, case_id: int) -> None:
    dispute(house, case_id)
    assert settle(house, date(2026, 3, 16)) == {}
    assert f"{DISPUTE_OVERDUE} review" in settle(house, date(2026, 3, 17))
    assert house.row(WorkTask, subject=DISPUTE_OVERDUE).role == "credit_manager"
    assert settle(house, date(2026, 3, 18)) == {}
    settle(house, date(2026, 3, 23))
    assert house.rows(Touch) == []
    settle(house, date(2026, 3, 24))
    settle(house, date(2026, 3, 25))
    assert [(touch.kind, touch.rating) for touch in house.rows(Touch)] == [("late_answer", -2)]
    settle(house, date(2026, 4, 2))
    assert len(house.rows(Touch)) == 2
