"""Whom no message reaches: another way, then a person's decision, and never the same attempt for ever (rule 24)."""

from datetime import date

import pytest
from sqlmodel import col, select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import CallResult, EvidenceKind, NonPaymentReason
from maatpak.ledger.tables import Action, Case, ContactSlot, DebtorProfile, Message, Plan, WorkTask
from maatpak.ledger.versions import succeed
from policies.reach import Learned
from tasks.calls import Call, record_call
from tasks.day import run_day
from tasks.evidence import note_evidence
from tasks.preferences import mark_address, set_contact
from tasks.reasons import state_reason
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

OLD = date(2026, 1, 30)


@pytest.fixture
def unreachable(house: House) -> int:
    """A customer whose addresses the ledger has and no message takes."""
    case_id = house.debtor("U1", email="no mail", street="Kade 1", city="", phone="+31201234567")
    house.item(case_id, "U-1", 90_000, OLD)
    return case_id


def test_a_text_to_a_number_on_land_becomes_a_letter(house: House) -> None:
    case_id = house.debtor("L1", kind="consumer", phone="+31201234567")
    house.item(case_id, "L-1", 9_900, OLD)
    Script(house, calling=False).until("second_text")
    channels = [message.channel for message in house.rows(Message, case_id=case_id)]
    assert channels == ["email", "post"]


def test_what_reaches_nobody_fails_and_ends_in_a_decision(house: House, unreachable: int) -> None:
    script = Script(house, calling=False)
    script.until("decide", "in_progress")
    for _ in range(6):
        script.day()
    actions = house.rows(Action, case_id=unreachable)
    tries = [action for action in actions if action.step == "reminder"]
    assert [(action.state, action.reason) for action in tries] == [("failed", "no_address")] * len(tries)
    assert len(tries) <= 2
    assert [action.state for action in actions if action.step == "decide"] == ["in_progress"]
    assert house.rows(Message, case_id=unreachable) == []
    assert {slot.action_id for slot in house.rows_of(ContactSlot)}.isdisjoint(action.id for action in tries)
    assert house.rows(WorkTask, case_id=unreachable, kind="repair")


def test_an_offer_that_reaches_nobody_never_stood(house: House, unreachable: int) -> None:
    with house.desk("carla", 7) as desk:
        state_reason(desk, desk.case(unreachable), NonPaymentReason.CASH_FLOW)
    house.go_to(add_working_days(house.day, 1, "NL"))
    Script(house).until("plan_letter", "failed")
    assert [plan.state for plan in house.rows(Plan, case_id=unreachable)] == ["cancelled"]


def repairs(house: House, **having: object) -> list[tuple[str | None, str]]:
    return [(task.channel, task.state) for task in house.rows(WorkTask, kind="repair", **having)]


def moves(house: House, case_id: int, **address: str) -> None:
    """The ledger of the next working day tells another address."""
    with house.engine.database.session() as session:
        debtor_id = session.get_one(Case, case_id).debtor_id
        present = session.exec(
            select(DebtorProfile).where(DebtorProfile.debtor_id == debtor_id, col(DebtorProfile.replaced_at).is_(None))
        ).one()
        following = add_working_days(house.day, 1, "NL")
        succeed(session, present, following, at(following, 5), **address)


def run(house: House) -> None:
    """The next working day, and nobody does anything."""
    house.day = add_working_days(house.day, 1, "NL")
    house.snapshot(house.day)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6)).require_whole()


def learn(house: House, case_id: int, channel: str, address: str, learned: Learned) -> None:
    with house.desk("olga", 11) as desk:
        mark_address(desk, desk.case(case_id), channel, address, learned, "for a test")


class TestNobodyCanReachACustomer:
    def test_from_the_first_day_somebody_looks_for_an_address_once(self, house: House) -> None:
        case_id = house.debtor("N1", email=None, phone=None, street=None)
        house.item(case_id, "N-1", 90_000, date(2026, 3, 25))
        house.another_currency(case_id, "USD")
        for _ in range(3):
            run(house)
        assert repairs(house, case_id=case_id) == [(None, "open")]
        assert house.rows(Action, case_id=case_id) == [], "its journey has not begun"

    def test_a_new_address_ends_the_work_on_the_day_it_is_known(self, house: House) -> None:
        case_id = house.debtor("N1", email=None, phone=None, street=None)
        house.item(case_id, "N-1", 90_000, date(2026, 3, 25))
        run(house)
        moves(house, case_id, email="n1@new.example")
        run(house)
        (task,) = house.rows(WorkTask, kind="repair", case_id=case_id)
        assert (task.state, task.outcome, task.done_by, task.done_on) == ("done", "repaired", "engine", house.day)

    def test_an_address_that_a_person_gives_ends_it_at_once(self, house: House) -> None:
        case_id = house.debtor("N1", email=None, phone=None, street=None)
        house.item(case_id, "N-1", 90_000, date(2026, 3, 25))
        run(house)
        with house.desk("olga", 15) as desk:
            debtor = desk.debtor(desk.case(case_id).debtor_id)
            set_contact(desk, debtor, "Nora", "payables", email="nora@n1.example")
        (task,) = house.rows(WorkTask, kind="repair", case_id=case_id)
        assert (task.state, task.done_by) == ("done", "olga")

    def test_who_lost_every_address_is_looked_for_at_the_addresses(self, house: House, case_id: int) -> None:
        learn(house, case_id, "email", "C1@example.test", Learned.GONE)
        learn(house, case_id, "phone", "+31201234567", Learned.OPTED_OUT)
        run(house)
        assert repairs(house) == [], "there is still the post"
        learn(house, case_id, "post", "Kade 1, 1011 AB Amsterdam", Learned.GONE)
        run(house)
        assert repairs(house) == [(None, "open")]

    def test_whoever_said_that_there_is_none_is_not_asked_every_day(self, house: House) -> None:
        case_id = house.debtor("N1", email=None, phone=None, street=None)
        house.item(case_id, "N-1", 90_000, date(2026, 3, 25))
        run(house)
        with house.desk("colin", 12) as desk:
            finish_work(desk, house.rows(WorkTask, kind="repair")[0].id, Outcome("not_found"))
        for _ in range(3):
            run(house)
        assert repairs(house) == [(None, "done")]


class TestOneRepairAnAddress:
    @pytest.mark.stage("calling")
    @pytest.mark.parametrize("code", [CallResult.WRONG_NUMBER, CallResult.LEFT_COMPANY])
    def test_a_wrong_number_is_looked_for_once(self, house: House, call_task: WorkTask, code: CallResult) -> None:
        with house.desk("carla", 11) as desk:
            record_call(desk, int(call_task.id or 0), Call(code, "morning"))
        for _ in range(4):
            run(house)
        assert house.rows(Action, step="call", result="no_phone"), "a letter went in place of the call"
        assert repairs(house) == [("phone", "open")]

    @pytest.mark.stage("reminded")
    def test_what_came_back_twice_is_looked_for_once(self, house: House, case_id: int) -> None:
        (mail,) = house.rows(Message, case_id=case_id)
        for source in ("mailbox", "service"):
            with house.desk("olga", 11) as desk:
                note_evidence(desk, mail.message_ref, EvidenceKind.BOUNCED, source)
        assert repairs(house) == [("email", "open")]

    @pytest.mark.stage("reminded")
    def test_only_an_address_that_is_new_ends_it(self, house: House, case_id: int) -> None:
        (mail,) = house.rows(Message, case_id=case_id)
        with house.desk("olga", 11) as desk:
            debtor = desk.debtor(desk.case(case_id).debtor_id)
            set_contact(desk, debtor, "Nora", "decision_maker", email="nora@c1.example")
            note_evidence(desk, mail.message_ref, EvidenceKind.BOUNCED, "mailbox")
        moves(house, case_id, email="C1@EXAMPLE.test", phone="+31201111111")
        run(house)
        assert repairs(house) == [("email", "open")], "the same again, and another channel, mend nothing"
        moves(house, case_id, email="new@c1.example")
        run(house)
        assert repairs(house) == [("email", "done")]

    def test_who_pays_for_several_is_looked_for_once(self, house: House) -> None:
        payer = house.debtor("P", email="P@example.test")
        for number in ("S1", "S2"):
            house.item(house.debtor(number, payer_no="P", party=number), f"{number}-1", 90_000, OLD)
        for _ in range(6):
            run(house)
        mails = house.rows(Message, channel="email", recipient="P@example.test")
        assert len(mails) > 1
        for mail in mails:
            with house.desk("olga", 11) as desk:
                note_evidence(desk, mail.message_ref, EvidenceKind.BOUNCED, "mailbox")
        (task,) = house.rows(WorkTask, kind="repair")
        assert task.debtor_id == house.row(Case, id=payer).debtor_id
