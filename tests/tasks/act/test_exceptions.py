"""Money without a purpose: no reminder, but work for cash and a polite word, once and while it lasts (rules 5, 19)."""

from datetime import timedelta

import pytest
from sqlmodel import select

from connectors.message import Outgoing
from maatpak.kernel.words import Channel, NonPaymentReason
from maatpak.ledger.tables import Action, DebtorProfile, Message, Touch, WorkTask
from maatpak.ledger.versions import succeed
from tasks.answers import READ, read_answer, record_answer
from tasks.day import run_day
from tasks.exceptions import ALLOCATE, BREATHING_SPACE, TELL
from tasks.reasons import state_reason
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at


def run(house: House, hour: int = 9) -> dict[str, int]:
    house.day += timedelta(days=1)
    house.snapshot(house.day)
    return run_day(house.engine, house.creditor_id, house.day, at(house.day, hour)).ticks[0].reasons


def money(house: House, case_id: int, document: str, amount: int) -> None:
    """A payment that nobody has allocated, of today."""
    house.item(case_id, document, amount, house.day, item_type="payment", issued_on=house.day)


def questions(house: House) -> list[Outgoing]:
    sent = [message for message in house.rows(Message) if message.template == "cash_question"]
    return [Outgoing.from_json(house.engine.store.get(message.content)) for message in sent]


def test_who_is_owed_money_is_told_by_a_person_once_while_it_lasts(house: House, case_id: int) -> None:
    house.item(case_id, "X1", 200_000, house.day, item_type="credit_note", issued_on=house.day)
    assert run(house) == {"we_owe_customer": 1}
    (task,) = house.rows(WorkTask)
    assert (task.subject, task.kind, task.role, task.blocks) == (TELL, "reply", "collector", False)
    assert task.due_on > house.day
    assert house.rows(Message) == []
    with house.desk("colin") as desk:
        finish_work(desk, task.id, Outcome("answered"))
    run(house)
    assert len(house.rows(WorkTask)) == 1, "what somebody has done is not asked again at once"


def test_money_that_covers_the_debt_is_asked_about_and_nothing_else_is(house: House, case_id: int) -> None:
    money(house, case_id, "X1", 120_000)
    money(house, case_id, "X2", 30_000)
    run(house)
    (task,) = house.rows(WorkTask)
    assert (task.subject, task.kind, task.role) == (ALLOCATE, "cash", "operator")
    (question,) = questions(house)
    assert question.subject == "Which invoice is your payment for?"
    for told in (
        "- €1,200.00, received on 2 March 2026",
        "- €300.00, received",
        "- F1, due on 30 January 2026, €1,000.00",
    ):
        assert told in question.text
    for word in ("pay ", "overdue", "reminder", "NL91", "Total"):
        assert word not in question.text
    assert question.items == (), "it names nothing as a notice does"
    (action,) = house.rows(Action)
    assert (action.step, action.state, action.round_id, action.written) == ("cash_question", "executed", None, True)
    assert [(touch.kind, touch.rating) for touch in house.rows(Touch)] == [("cash_question", 0)]
    for _ in range(12):
        if run(house):
            assert house.rows(Action) == [action], "once, however long it lies"


def test_a_new_payment_is_asked_about_when_the_limits_allow_it(house: House, case_id: int) -> None:
    money(house, case_id, "X1", 150_000)
    run(house)
    house.item(case_id, "F3", 40_000, house.day - timedelta(days=5), issued_on=house.day - timedelta(days=35))
    money(house, case_id, "X2", 40_000)
    for _ in range(2):
        assert run(house) == {"covered_by_cash": 1}
    run(house)
    first, second = questions(house)
    assert "€1,500.00" in first.text
    assert "- €1,500.00, received on 2 March 2026" in second.text
    assert "- €400.00, received on 3 March 2026" in second.text


def test_who_pays_in_two_currencies_gets_one_question(house: House, case_id: int) -> None:
    dollars = house.another_currency(case_id, "USD")
    house.item(dollars, "U1", 70_000, house.day - timedelta(days=20))
    money(house, case_id, "X1", 150_000)
    money(house, dollars, "X2", 70_000)
    run(house)
    (question,) = questions(house)
    assert "€1,500.00, received" in question.text
    assert "US$700.00, received" in question.text


@pytest.mark.parametrize("channel", ["post", "email"])
def test_it_is_asked_in_the_language_and_on_the_channel_of_the_customer(house: House, channel: str) -> None:
    case_id = house.debtor("C2", language="nl", preferred_channel=channel)
    house.item(case_id, "G1", 90_000, house.day - timedelta(days=30))
    money(house, case_id, "X1", 90_000)
    run(house)
    (question,) = questions(house)
    assert (str(question.channel), question.language) == (channel, "nl")
    assert "Wij ontvingen €\u00a0900,00 op 2 maart 2026 en weten niet voor welke factuur dat is." in question.text


def test_its_answer_is_work_for_cash(house: House, case_id: int) -> None:
    money(house, case_id, "X1", 150_000)
    run(house)
    with house.desk("olga") as desk:
        finish_work(desk, house.row(WorkTask, subject=ALLOCATE).id, Outcome("not_found"))
    (sent,) = house.rows(Message)
    with house.desk("olga", 11) as desk:
        record_answer(desk, desk.case(case_id), Channel.EMAIL, message_ref=sent.message_ref, content=b"For F1 and F2.")
    assert {task.subject for task in house.rows(WorkTask, state="open")} == {READ, ALLOCATE}
    with house.desk("colin", 12) as desk:
        read_answer(desk, str(house.row(WorkTask, subject=READ).record_no))
    (task,) = house.rows(WorkTask, state="open")
    assert (task.kind, task.role) == ("cash", "operator")


def test_an_answer_to_anything_else_is_not(house: House, case_id: int) -> None:
    with house.desk("olga") as desk:
        record_answer(desk, desk.case(case_id), Channel.EMAIL, content=b"Hello.")
    assert [task.subject for task in house.rows(WorkTask)] == [READ]


def test_what_no_longer_lasts_is_taken_back(house: House, case_id: int) -> None:
    money(house, case_id, "X1", 150_000)
    run(house, hour=20)  # too late in the evening for a message
    assert [message.state for message in house.rows(Message)] == ["queued"]
    house.pay("X1", house.day, known_on=house.day + timedelta(days=1))
    assert "covered_by_cash" not in run(house)
    assert {(task.state, task.outcome) for task in house.rows(WorkTask, subject=ALLOCATE)} == {("cancelled", "ended")}
    (action,) = house.rows(Action, step="cash_question")
    assert (action.state, action.reason) == ("cancelled", "nothing_left")


def test_cash_for_a_part_is_to_be_allocated_while_the_rest_is_asked_for(house: House, case_id: int) -> None:
    money(house, case_id, "X1", 120_000)
    run(house)
    assert [task.subject for task in house.rows(WorkTask, kind="cash")] == [ALLOCATE]
    assert questions(house) == []


@pytest.mark.parametrize(
    ("stop", "subject"),
    [
        ("insolvent", "Insolvent; file the claim."),
        ("deceased", "Deceased; find the estate."),
        ("breathing_space", BREATHING_SPACE),
    ],
)
def test_a_stop_that_the_ledger_tells_is_a_specialists(house: House, case_id: int, stop: str, subject: str) -> None:
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, house.day, at(house.day, 7), legal_stop=stop)
    assert run(house) == {"legal_stop": 1}
    (task,) = house.rows(WorkTask)
    assert (task.subject, task.kind, task.role) == (subject, "review", "credit_manager")
    run(house)
    assert len(house.rows(WorkTask)) == 1


def test_what_a_person_said_of_a_stop_is_not_asked_twice(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        state_reason(desk, desk.case(case_id), NonPaymentReason.INSOLVENT)
    assert run(house) == {"legal_stop": 1}
    assert [task.subject for task in house.rows(WorkTask)] == ["Insolvent; file the claim."]
