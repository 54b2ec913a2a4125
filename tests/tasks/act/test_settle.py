"""What time does: consultations pass on, holds end in a review, unread answers alarm, placements follow the money."""

from datetime import date, timedelta

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Channel, ConsultAnswer, HoldReason, NonPaymentReason
from maatpak.ledger.tables import Action, Answer, Evidence, Hold, Message, Placement, Promise, WorkTask
from tasks.answers import READ, read_answer, record_answer
from tasks.disputes import open_dispute
from tasks.holds import set_hold
from tasks.placements import recall_placement
from tasks.promises import make_promise
from tasks.settle import settle_records
from tasks.settle_waits import ANSWER_UNREAD, HOLD_ENDED
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script, creditor


def settle(house: House, day: date) -> dict[str, int]:
    house.go_to(day)
    return settle_records(house.engine, house.creditor_id, day, at(day, 6)).counts


def test_a_hold_past_its_end_wakes_a_review_that_blocks_and_never_a_letter(house: House, case_id: int) -> None:
    script = Script(house, calling=False)
    with house.desk("carla") as desk:
        number = set_hold(desk, desk.case(case_id), HoldReason.DATA, date(2026, 3, 4), "asked").hold_no
    script.people = lambda: None  # type: ignore[method-assign]
    for _ in range(2):
        assert script.day().ticks[0].reasons == {"hold": 1}
    assert script.day().settled.counts == {f"{HOLD_ENDED} review": 1}
    task = house.row(WorkTask, subject=HOLD_ENDED)
    assert (task.record_no, task.blocks, task.role) == (number, True, "collector")
    assert script.day().ticks[0].reasons == {"our_turn": 1}
    assert len(house.rows(WorkTask)) == 1
    with house.desk("colin") as desk:
        finish_work(desk, task.id, Outcome("done"))
    assert script.day().ticks[0].proposed == 1
    assert house.row(Hold).state == "active", "history keeps what it was; its dates say that it is over"


def test_an_answer_is_silence_until_read_and_an_alarm_after_two_days(house: House, case_id: int) -> None:
    script = Script(house, calling=False)
    script.until("reminder")
    message = house.row(Message)
    with house.desk("olga", 12) as desk:
        answer = record_answer(
            desk, desk.case(case_id), Channel.EMAIL, message_ref=message.message_ref, content=b"We pay on Friday."
        )
        assert record_answer(desk, desk.case(case_id), Channel.EMAIL, answer_no=answer.answer_no).id == answer.id
    assert [evidence.kind for evidence in house.rows(Evidence) if evidence.kind != "accepted"] == ["answered"]
    assert house.row(WorkTask, subject=READ).record_no == answer.answer_no
    script.people = lambda: None  # type: ignore[method-assign]
    reasons = [script.day() for _ in range(3)]
    assert {reason for day in reasons for reason in day.ticks[0].reasons} == {"unread_answer"}
    assert house.row(WorkTask, subject=ANSWER_UNREAD).role == "credit_manager"
    with house.desk("carla", 12) as desk:
        read_answer(desk, answer.answer_no)
        with pytest.raises(UsageError, match="no unread answer"):
            read_answer(desk, answer.answer_no)
    read = house.row(Answer)
    assert (read.read_on, read.read_by) == (house.day, "carla")
    assert house.row(WorkTask, subject=READ).outcome == "read"


def test_an_answer_to_somebody_elses_message_is_refused(house: House, case_id: int) -> None:
    Script(house).until("reminder")
    other = house.debtor("C2")
    reference = house.row(Message).message_ref
    with house.desk("olga", 12) as desk, pytest.raises(UsageError, match="went to that debtor"):
        record_answer(desk, desk.case(other), Channel.EMAIL, message_ref=reference)


@pytest.mark.stage("consulting")
def test_a_consultation_passes_to_the_deputy_then_to_the_manager(house: House, case_id: int) -> None:
    task = house.row(WorkTask, kind="consult")
    assert (task.role, task.assignee) == ("account_manager", "anna")
    for who in ("dirk", "mo", "carla"):
        with house.desk(who) as desk, pytest.raises(RefusedError):
            finish_work(desk, task.id, Outcome("agree"))
    script = Script(house, consulting=False, approving=False)
    seen = []
    for _ in range(8):
        script.day()
        found = house.row(WorkTask, id=task.id)
        seen.append((found.role, found.assignee))
    anna, dirk, manager = ("account_manager", "anna"), ("account_manager", "dirk"), ("credit_manager", None)
    assert seen == [anna] * 3 + [dirk] * 2 + [manager] * 3
    with house.desk("mo") as desk:
        finish_work(desk, task.id, Outcome("agree"))
    action = house.row(Action, step="consult")
    assert (action.state, action.result) == ("executed", ConsultAnswer.NOT_HEARD)
    assert script.until("final_demand", "awaiting_approval").escalating


@pytest.mark.stage("consulting")
@pytest.mark.parametrize(
    ("who", "outcome", "state", "result"),
    [
        ("anna", Outcome("agree"), "executed", "agree"),
        ("anna", Outcome("no", "a good customer"), "executed", "no"),
        ("anna", Outcome("i_talk"), "cancelled", "i_talk"),
    ],
    ids=["agree", "no", "I talk"],
)
def test_the_account_manager_answers(house: House, who: str, outcome: Outcome, state: str, result: str) -> None:
    with house.desk(who) as desk:
        finish_work(desk, house.row(WorkTask, kind="consult").id, outcome)
    action = house.row(Action, step="consult")
    assert (action.state, action.result) == (state, result)
    holds = [(hold.reason, hold.until_on) for hold in house.rows(Hold)]
    latest = add_working_days(house.day, 5, "NL")
    assert holds == ([("account_manager_talks", latest)] if result == "i_talk" else [])


@pytest.mark.stage("consulting")
@pytest.mark.parametrize(
    ("outcome", "error"),
    [(Outcome("no"), "in words"), (Outcome("not_heard"), "can still be heard"), (Outcome("maybe"), "does not end")],
)
def test_an_answer_that_is_none(house: House, outcome: Outcome, error: str) -> None:
    with house.desk("anna") as desk, pytest.raises((RefusedError, UsageError), match=error):
        finish_work(desk, house.row(WorkTask, kind="consult").id, outcome)


@pytest.mark.stage("consulting")
def test_after_a_talk_the_question_stands_again(house: House) -> None:
    with house.desk("anna") as desk:
        finish_work(desk, house.row(WorkTask, kind="consult").id, Outcome("i_talk"))
    script = Script(house, consulting=False)
    for _ in range(15):
        script.day()
    again = [action for action in house.rows(Action, step="consult") if action.attempt == 2]
    assert [action.state for action in again] == ["in_progress"]


@pytest.mark.stage("consulting")
def test_a_no_never_becomes_a_demand(house: House) -> None:
    with house.desk("anna") as desk:
        finish_work(desk, house.row(WorkTask, kind="consult").id, Outcome("no", "a good customer"))
    script = Script(house)
    action = script.until("decide", "in_progress")
    assert action.kind == "decide"
    assert {each.state for each in house.rows(Action, step="final_demand")} <= {"skipped"}


@pytest.fixture
def placed(house: House) -> Placement:
    """A case at the agency."""
    script = Script(house)
    script.until("handoff")
    script.people = lambda: None  # type: ignore[method-assign]
    found: Placement = house.row(Placement)
    return found


@pytest.mark.stage("placing")
def test_money_is_told_to_the_agency_and_paid_closes_the_placement(house: House, placed: Placement) -> None:
    house.pay("F1", house.day)
    assert settle(house, house.day + timedelta(days=1))["placement placed"] == 1
    assert house.row(Placement).amount == 50_000
    house.pay("F2", house.day)
    assert settle(house, house.day + timedelta(days=3))["placement closed"] == 1
    assert (house.row(Placement).state, house.row(Placement).cause) == ("closed", "paid")
    told = [task.subject for task in house.rows(WorkTask, record_no=placed.placement_no, kind="notice")]
    assert told == ["Tell the agency what was paid.", "Tell the agency that the case is paid."]
    assert settle(house, house.day + timedelta(days=4)) == {}


def test_settling_is_recorded_after_what_people_did_that_day(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        make_promise(desk, desk.case(case_id), house.day + timedelta(days=3))
    house.go_to(house.day + timedelta(days=1))
    house.pay("F1", house.day)
    house.pay("F2", house.day)
    with house.desk("carla", 14) as desk:
        set_hold(desk, desk.case(case_id), HoldReason.DATA, house.day, "asked")
    assert settle_records(house.engine, house.creditor_id, house.day, at(house.day, 6)).counts["promise kept"] == 1
    before, after = house.all_rows(Promise)
    assert before.replaced_at == after.recorded_at >= at(house.day, 14)
    assert creditor(house).looked_at == after.recorded_at, "the ticks of the day see it"


@pytest.mark.stage("placing")
def test_a_dispute_or_a_stop_recalls_it(house: House, case_id: int, placed: Placement) -> None:
    with house.desk("carla") as desk:
        open_dispute(desk, desk.case(case_id), "F1", NonPaymentReason.PRICE)
    assert settle(house, house.day + timedelta(days=1))["placement recalled"] == 1
    assert (house.row(Placement).state, house.row(Placement).cause) == ("recalled", "disputed")


@pytest.mark.stage("placing")
def test_a_person_recalls_it(house: House, placed: Placement) -> None:
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="may not recall"):
        recall_placement(desk, placed.placement_no, "error")
    with house.desk("anna") as desk:
        with pytest.raises(UsageError, match="recalls nothing"):
            recall_placement(desk, placed.placement_no, "regret")
        recall_placement(desk, placed.placement_no, "account_manager")
        with pytest.raises(UsageError, match="no placement"):
            recall_placement(desk, placed.placement_no, "error")
    assert house.row(Placement).state == "recalled"
