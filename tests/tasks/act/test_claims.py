from datetime import date

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import ClaimedPayment, WorkTask
from tasks.claims import ASK_FOR_PROOF, FIND_CASH, claim_payment, resolve_claim
from tasks.explaining import explain_case
from tasks.facts import build_facts
from tasks.finding import find_case
from tasks.reasons import state_reason
from tasks.settle import settle_records
from tasks.settle_waits import NOT_BOOKED
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at


def claim(house: House, case_id: int, **what: object) -> str:
    with house.desk("carla") as desk:
        return claim_payment(desk, desk.case(case_id), **what).claim_no  # type: ignore[arg-type]


def amounts(house: House) -> tuple[int, int, bool]:
    """What is claimed, what is asked, and whether it is our turn."""
    with house.engine.database.frames() as frames:
        row = build_facts(frames, house.creditor_id, house.day, at(house.day, 23)).cases.row(0, named=True)
    return row["claimed_paid_open"], row["asked_amount"], row["our_turn"]


def found(house: House, number: str) -> None:
    with house.desk("olga") as desk:
        resolve_claim(desk, number, found=True)


def settle(house: House, day: date) -> dict[str, int]:
    house.go_to(day)
    return settle_records(house.engine, house.creditor_id, day, at(day, 6)).counts


@pytest.mark.parametrize(
    ("what", "amount", "named"),
    [({}, 150_000, 2), ({"documents": ["F2"]}, 50_000, 1), ({"amount": 30_000}, 30_000, 0)],
    ids=["everything overdue", "a document", "an amount"],
)
def test_silences_five_days_and_sends_cash_to_look(
    house: House, case_id: int, what: dict[str, object], amount: int, named: int
) -> None:
    number = claim(house, case_id, **what)
    row = house.row(ClaimedPayment)
    assert (row.amount, len(row.items or {}), row.until_on, row.state) == (amount, named, date(2026, 3, 9), "open")
    task = house.row(WorkTask)
    assert (task.kind, task.subject, task.record_no, task.due_on) == ("cash", FIND_CASH, number, date(2026, 3, 4))


@pytest.mark.stage("calling")
def test_what_was_done_is_told_also_while_nothing_is_asked(house: House, case_id: int) -> None:
    claim(house, case_id)
    told = explain_case(house.engine, find_case(house.engine, "C1"), None, at(house.day, 12), {}).explanation
    steps = {step.name: (step.status, step.done_on) for step in told.steps}
    assert told.decision["reason"] == "claimed_paid"
    assert steps["reminder"] == ("done", date(2026, 3, 3))
    assert steps["second_notice"] == ("done", date(2026, 3, 11))
    assert steps["second_text"] == ("skipped before", date(2026, 3, 11))
    assert steps["call"] == ("open", None)
    assert (told.next_step, told.next_on) == ("call", house.row(ClaimedPayment).until_on)


def test_no_more_than_is_open(house: House, case_id: int) -> None:
    with pytest.raises(UsageError, match=r"€1,500\.00 is open"):
        claim(house, case_id, amount=150_001)


def test_an_auditor_records_none(house: House, case_id: int) -> None:
    with house.desk("audrey") as desk, pytest.raises(RefusedError):
        claim_payment(desk, desk.case(case_id))


@pytest.mark.parametrize(("found", "state", "asks"), [(True, "found", 0), (False, "not_found", 1)])
def test_cash_finds_the_money_or_not(house: House, case_id: int, found: bool, state: str, asks: int) -> None:
    number = claim(house, case_id)
    with house.desk("olga") as desk:
        resolve_claim(desk, number, found=found)
    assert house.row(ClaimedPayment).state == state
    assert house.row(WorkTask, kind="cash").outcome == state
    assert len(house.rows(WorkTask, kind="reply", subject=ASK_FOR_PROOF)) == asks
    with house.desk("olga") as desk, pytest.raises(UsageError, match="no open claim"):
        resolve_claim(desk, number, found=found)


def test_ending_the_work_ends_the_claim(house: House, case_id: int) -> None:
    claim(house, case_id)
    task = house.row(WorkTask)
    with house.desk("olga") as desk:
        finish_work(desk, task.id, Outcome("not_found"))
    assert house.row(ClaimedPayment).state == "not_found"


def test_money_in_the_ledger_ends_it(house: House, case_id: int) -> None:
    claim(house, case_id, documents=["F1"])
    house.pay("F1", date(2026, 3, 3))
    assert settle(house, date(2026, 3, 4)) == {"claim found": 1, "cash found": 1}
    assert house.row(WorkTask).outcome == "found"


def test_without_money_its_silence_ends_and_a_proof_is_asked_for(house: House, case_id: int) -> None:
    claim(house, case_id)
    assert settle(house, date(2026, 3, 9)) == {}
    assert settle(house, date(2026, 3, 10)) == {"claim not_found": 1, "cash not_found": 1}
    assert house.row(WorkTask, kind="reply").subject == ASK_FOR_PROOF
    assert settle(house, date(2026, 3, 11)) == {}


def test_what_cash_found_is_not_asked_until_the_ledger_shows_it(house: House, case_id: int) -> None:
    found(house, claim(house, case_id, amount=100_000))
    row = house.row(ClaimedPayment)
    assert (row.state, row.until_on) == ("found", date(2026, 3, 16))
    assert settle(house, date(2026, 3, 11)) == {}
    assert amounts(house) == (100_000, 50_000, False)
    house.pay("F1", date(2026, 3, 12))
    assert settle(house, date(2026, 3, 12)) == {"claim found": 1}
    assert amounts(house) == (0, 50_000, False)
    assert settle(house, date(2026, 3, 13)) == {}
    assert settle(house, date(2026, 3, 17)) == {}


@pytest.mark.parametrize("what", [{"documents": ["F1"]}, {"amount": 100_000}], ids=["a document", "an amount"])
def test_what_the_ledger_showed_first_covers_nothing_more(house: House, case_id: int, what: dict[str, object]) -> None:
    claim(house, case_id, **what)
    house.pay("F1", date(2026, 3, 3))
    settle(house, date(2026, 3, 4))
    assert amounts(house) == (0, 50_000, False)


def test_found_money_that_is_not_booked_in_time_is_ours_to_explain(house: House, case_id: int) -> None:
    number = claim(house, case_id, documents=["F1"])
    found(house, number)
    assert settle(house, date(2026, 3, 16)) == {}
    assert amounts(house) == (100_000, 50_000, False)
    assert settle(house, date(2026, 3, 17)) == {f"{NOT_BOOKED} review": 1}
    task = house.row(WorkTask, state="open")
    assert (task.subject, task.role, task.record_no, task.blocks) == (NOT_BOOKED, "operator", number, True)
    assert amounts(house) == (0, 150_000, True)
    house.pay("F1", date(2026, 3, 18))
    assert settle(house, date(2026, 3, 18)) == {"claim found": 1, "cash found": 1}
    assert house.rows(WorkTask, state="open") == []


def test_no_document_is_claimed_twice(house: House, case_id: int) -> None:
    number = claim(house, case_id, documents=["F1"])
    with pytest.raises(RefusedError, match=f"F1 in {number}"):
        claim(house, case_id, documents=["F1", "F2"])
    claim(house, case_id)
    assert [row.amount for row in house.rows(ClaimedPayment)] == [100_000, 50_000]
    with pytest.raises(RefusedError, match=f"F1 in {number}"):
        claim(house, case_id)
    found(house, number)
    with pytest.raises(RefusedError, match=f"F1 in {number}"):
        claim(house, case_id, documents=["F1"])


def test_who_says_it_again_claims_nothing_new(house: House, case_id: int) -> None:
    for _ in range(2):
        with house.desk("carla") as desk:
            state_reason(desk, desk.case(case_id), NonPaymentReason.PAID_ALREADY, source="call")
    assert len(house.rows(ClaimedPayment)) == 1
