"""What we learn later of a contact: it was wrong, so we say so, apologise and keep quiet; what was done well counts."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import Channel, DisputeState, HoldReason, NonPaymentReason, Role, WorkKind
from maatpak.ledger.tables import Case, Hold, Message, Promise, Touch, WorkTask
from tasks.answers import record_answer
from tasks.disputes import decide_dispute, open_dispute
from tasks.reasons import state_reason
from tasks.settle import settle_records
from tasks.work import Outcome, finish_work
from tasks.worklist import open_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


def settle(house: House) -> dict[str, int]:
    house.go_to(add_working_days(house.day, 1, "NL"))
    return settle_records(house.engine, house.creditor_id, house.day, at(house.day, 6)).counts


def wrongful(house: House) -> list[Touch]:
    return [touch for touch in house.rows(Touch) if touch.wrongful]


@pytest.mark.stage("reminded")
def test_a_payment_that_was_booked_late_makes_the_reminder_wrongful(house: House, case_id: int) -> None:
    sent = house.row(Message)
    assert sent.sent_on == house.day
    assert "touch wrongful_contact" not in settle(house)
    house.pay("F1", sent.sent_on - timedelta(days=1), known_on=house.day)
    assert settle(house)["touch wrongful_contact"] == 1
    (touch,) = wrongful(house)
    assert (touch.rating, touch.cause, touch.record_no) == (-12, "paid", f"M{sent.id}")
    apology = house.row(WorkTask, record_no=f"M{sent.id}")
    assert (apology.kind, apology.subject) == ("reply", "Apologise: what we asked for had been paid.")
    assert apology.due_on == add_working_days(house.day, 1, "NL")
    (event,) = house.rows_of_events("contact_found_wrongful")
    assert (event.case_id, event.body) == (case_id, {"contact": f"M{sent.id}", "cause": "paid"})
    assert "touch wrongful_contact" not in settle(house), "once"
    assert len(wrongful(house)) == 1


@pytest.mark.stage("reminded")
def test_a_message_that_was_found_out_to_be_sent_is_wrongful_too(house: House) -> None:
    sent = house.row(Message)
    known = "ALTER TABLE message DISABLE TRIGGER ALL; UPDATE message SET sent_at = sent_at + interval '5 days';"
    with house.engine.database.session() as session:
        session.execute(text(f"{known} ALTER TABLE message ENABLE TRIGGER ALL"))
    house.go_to(add_working_days(house.day, 1, "NL"))
    house.pay("F1", sent.sent_on - timedelta(days=1), known_on=house.day)
    assert settle(house)["touch wrongful_contact"] == 1


@pytest.mark.stage("reminded")
def test_after_a_wrongful_contact_we_are_quiet_and_a_person_decides(house: House, case_id: int) -> None:
    script = Script(house, calling=False)
    (sent,) = house.rows(Message)
    house.pay("F1", sent.sent_on - timedelta(days=1), known_on=add_working_days(house.day, 1, "NL"))
    found = script.day()
    assert found.settled.counts["touch wrongful_contact"] == 1
    silent_until = add_working_days(house.day, 10, "NL")
    reasons = set(found.ticks[0].reasons)
    while house.day < silent_until:
        reasons |= set(script.day().ticks[0].reasons)
    assert [message.id for message in house.rows(Message) if message.written] == [sent.id]
    assert reasons
    for _ in range(5):
        reasons |= set(script.day().ticks[0].reasons)
    assert "experience" in reasons, "after the silence the balance still asks for a person"
    assert [message.id for message in house.rows(Message) if message.written] == [sent.id]


@pytest.mark.stage("reminded")
def test_what_is_dated_the_day_of_the_contact_proves_nothing(house: House) -> None:
    house.pay("F1", house.row(Message).sent_on, known_on=add_working_days(house.day, 1, "NL"))
    assert "touch wrongful_contact" not in settle(house)


@pytest.mark.stage("reminded")
def test_what_was_so_before_but_learned_later_is_counted_by_its_kind(house: House, case_id: int) -> None:
    (sent,) = house.rows(Message)
    before, later = sent.sent_on - timedelta(days=2), add_working_days(house.day, 1, "NL")
    with house.engine.database.session() as session:
        debtor_id = session.get_one(Case, case_id).debtor_id
        session.add(
            Promise(
                promise_no="P-late", case_id=case_id, amount=1_000, made_on=before, promised_on=later, source="call",
                actor="carla", valid_from=later, recorded_at=at(later, 5),
            )
        )  # fmt: skip
    assert settle(house)["touch contact_during_promise"] == 1
    assert house.row(Touch, kind="contact_during_promise").rating == -4
    assert not wrongful(house)
    with house.engine.database.session() as session:
        session.add(
            Hold(
                hold_no="H-late", scope="debtor", debtor_id=debtor_id, reason=HoldReason.COMPLAINT, source="person",
                from_on=before, until_on=sent.sent_on, note="-", actor="carla", valid_from=house.day,
                recorded_at=at(house.day, 20),
            )
        )  # fmt: skip
    assert "touch wrongful_contact" not in settle(house), "one contact is rated once"


@pytest.mark.stage("placing")
def test_a_placement_of_what_had_been_paid_is_wrongful(house: House) -> None:
    script = Script(house)
    placed = script.until("handoff")
    script.people = lambda: None  # type: ignore[method-assign]
    assert placed.executed_on is not None
    house.pay("F1", placed.executed_on - timedelta(days=1), known_on=add_working_days(house.day, 1, "NL"))
    script.day()
    found = {touch.record_no: touch for touch in wrongful(house)}
    assert (found[f"A{placed.id}"].rating, found[f"A{placed.id}"].cause) == (-12, "paid")


@pytest.mark.stage("reminded")
def test_an_answered_welcome_does_good(house: House, case_id: int) -> None:
    (sent,) = house.rows(Message)
    with house.engine.database.session() as session:
        copied = sent.model_dump(exclude={"id", "template", "message_ref", "content_key"})
        welcome = Message(**copied, template="welcome", message_ref="welcome-1", content_key="welcome")
        session.add(welcome)
    with house.desk("olga", 12) as desk:
        record_answer(desk, desk.case(case_id), Channel.EMAIL, message_ref="welcome-1", content=b"All right.")
    assert settle(house)["touch welcome_answered"] == 1
    assert house.row(Touch, kind="welcome_answered").rating == 1


def test_a_supply_stop_is_rated_as_the_pack_says(house: House, case_id: int) -> None:
    with house.desk("mo") as desk:
        case = desk.case(case_id)
        asked = "Limit, new supply, security, insurer."
        task = open_work(desk, case, WorkKind.REVIEW, asked, Role.CREDIT_MANAGER, working_days=2)
        finish_work(desk, int(task.id or 0), Outcome("supply_stopped"))
    rated = house.engine.pack(house.pack_id).ratings["supply_stopped"]
    assert [(touch.kind, touch.rating) for touch in house.rows(Touch)] == [("supply_stopped", rated)]


def test_a_question_answered_in_time_does_good_once_a_day(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        dispute = open_dispute(desk, desk.case(case_id), "F1", NonPaymentReason.PRICE)
        state_reason(desk, desk.case(case_id), NonPaymentReason.LOST_INVOICE, documents=["F2"], source="call")
    work = house.row(WorkTask, kind="department")
    with house.desk("olga") as desk:
        finish_work(desk, work.id, Outcome("done"))
    with house.desk("mo") as desk:
        decide_dispute(desk, dispute.dispute_no, DisputeState.REJECTED, note="as agreed")
    counts = settle(house)
    assert counts["touch copy_in_a_day"] == counts["touch query_solved_in_time"] == 1
    assert sorted(touch.rating for touch in house.rows(Touch)) == [0, 1]
    assert "touch copy_in_a_day" not in settle(house)
