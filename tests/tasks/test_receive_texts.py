"""What Twilio calls back with, in any order and more than once."""

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from connectors.sms.hooks import read_incoming, read_status
from connectors.sms.twilio_client import TwilioSms
from maatpak.ledger.tables import ContactPerson, DebtorProfile
from maatpak.ledger.versions import succeed
from tasks.engine import Engine
from tasks.receive.assigning import list_incoming
from tasks.receive.texts import record_text, record_text_report
from tests.tasks.outbox_world import DAY, EARLIER, NOW, House
from tests.tasks.send.sending import messages, run_sql, send

NUMBER = "+31612345678"


@pytest.fixture
def house(engine: Engine) -> House:
    """A house whose customer got a text."""
    house = House(engine)
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    send(house)
    return house


def told(house: House, state: str, code: int | None = None, *, by_ref: bool = True) -> bool:
    """Twilio calls back about the text."""
    (message,) = messages(house)
    form = {"MessageSid": message["service_ref"], "MessageStatus": state, **({"ErrorCode": str(code)} if code else {})}
    report = read_status(form)
    assert report is not None
    return record_text_report(house.engine, report, message["message_ref"] if by_ref else None, NOW)


def texted(house: House, words: str, sid: str = "SM1", sender: str = NUMBER, theirs: str = "") -> bool:
    """The customer texts us; `theirs`: what Twilio takes it for."""
    form = {"MessageSid": sid, "From": sender, "To": "+31970000000", "Body": words, "OptOutType": theirs}
    text = read_incoming(form)
    assert text is not None
    return record_text(house.engine, text, NOW)


def evidence(house: House) -> list[str]:
    return [row["kind"] for row in house.rows("SELECT kind FROM evidence ORDER BY id")]


def address(house: House) -> list[dict[str, Any]]:
    return house.rows("SELECT address, state FROM address_state WHERE replaced_at IS NULL")


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "delivered"])))
@pytest.mark.parametrize("by_ref", [True, False])
def test_delivered_once_whatever_the_order(house: House, order: tuple[str, ...], by_ref: bool) -> None:
    for state in order:
        told(house, state, by_ref=by_ref)
    assert evidence(house) == ["accepted", "delivered"]
    assert address(house) == [{"address": NUMBER, "state": "proven"}]


@pytest.mark.parametrize("order", list(permutations(["sent", "undelivered", "queued"])))
def test_lost_once_whatever_the_order(house: House, order: tuple[str, ...]) -> None:
    for state in order:
        told(house, state, 30005 if state == "undelivered" else None)
    assert evidence(house) == ["accepted", "bounced"]
    assert address(house) == [{"address": NUMBER, "state": "dead"}]


@pytest.mark.parametrize(("code", "state", "repairs"), [(30003, "unproven", 0), (30005, "dead", 1), (30007, None, 0)])
def test_an_undelivered_text_says_what_of_the_number_it_says(
    house: House, code: int, state: str | None, repairs: int
) -> None:
    assert told(house, "undelivered", code)
    assert not told(house, "undelivered", code)
    assert evidence(house) == ["accepted", "bounced"]
    assert [row["state"] for row in address(house)] == ([state] if state else [])
    assert len(house.rows("SELECT 1 AS one FROM work_task WHERE kind = 'repair'")) == repairs


def test_stop_is_obeyed_and_start_takes_it_back(house: House) -> None:
    assert texted(house, "Afmelden!")
    assert address(house) == [{"address": NUMBER, "state": "opted_out"}]
    assert house.rows("SELECT 1 AS one FROM answer") == [], "nobody has to read it"
    assert not texted(house, "Afmelden!"), "the same text again"
    told(house, "delivered")
    assert [row["state"] for row in address(house)] == ["opted_out"], "a late report does not bring it back"
    assert texted(house, "start", "SM2")
    assert [row["state"] for row in address(house)] == ["proven"]


def test_a_stop_is_for_every_account_with_that_number(house: House) -> None:
    """Also for one that we have not texted yet, and one that got the text before the words came."""
    spelled = house.customer("second_text", kind="consumer", amounts=(8800,), phone="(06) 1234 5678")
    contact = house.customer("second_text", kind="consumer", amounts=(7700,), phone=None)
    elsewhere = house.customer("second_text", kind="consumer", amounts=(6600,), phone="+49 151 12345678")
    with house.engine.database.session() as session:
        told: dict[str, Any] = {"name": "A", "role": "payables", "valid_from": DAY, "recorded_at": EARLIER}
        session.add(ContactPerson(debtor_id=contact.debtor_id, phone="0612345678", **told))
    assert texted(house, "stop")
    marked = house.rows("SELECT debtor_id FROM address_state WHERE state = 'opted_out' ORDER BY debtor_id")
    first = house.accounts[0].debtor_id
    assert [row["debtor_id"] for row in marked] == [first, spelled.debtor_id, contact.debtor_id]
    house.written()
    assert [row["debtor_id"] for row in messages(house) if row["state"] == "queued" and row["channel"] == "sms"] == [
        elsewhere.debtor_id
    ]


def test_a_text_of_a_number_that_we_know_and_never_texted_lies_on_its_account(house: House) -> None:
    known = house.customer("second_text", kind="consumer", amounts=(8800,), phone="+31 6 87654321")
    assert texted(house, "Ik betaal vrijdag", "SM8", sender="+31687654321")
    assert house.rows("SELECT debtor_id FROM answer") == [{"debtor_id": known.debtor_id}]
    house.customer("second_text", kind="consumer", amounts=(7700,), phone="06 87654321")
    assert texted(house, "Of maandag", "SM9", sender="+31687654321")
    assert len(house.rows("SELECT 1 AS one FROM answer")) == 1, "whose it is of two, a person says"
    assert [row["state"] for row in house.rows("SELECT state FROM incoming ORDER BY id")] == ["taken", "unassigned"]


def test_a_number_that_opted_out_gets_no_text_of_whatever_account(house: House) -> None:
    """An account that was opened after the STOP."""
    texted(house, "stop")
    house.customer("second_text", kind="consumer", amounts=(8800,))
    house.written()
    assert send(house).plain()["sms"] == {"cancelled": 1}
    assert house.rows("SELECT reason FROM action ORDER BY id DESC LIMIT 1") == [{"reason": "opted_out"}]


def test_a_start_of_somebody_who_has_not_stopped_is_noted_once_and_asks_nothing_of_anybody(house: House) -> None:
    house.customer("second_text", kind="consumer", amounts=(8800,))
    assert texted(house, "aan")
    assert not texted(house, "aan")
    assert address(house) == []
    assert house.rows("SELECT kind, state, sender FROM incoming") == [
        {"kind": "start", "state": "taken", "sender": NUMBER}
    ]
    assert len(house.rows("SELECT 1 AS one FROM event WHERE kind = 'start_noted'")) == 1
    for table in ("answer", "work_task", "text_consent"):
        assert house.rows(f"SELECT 1 AS one FROM {table}") == [], table


def test_a_yes_is_an_answer_of_whoever_has_not_stopped_and_takes_it_back_of_whoever_has(house: House) -> None:
    """Twilio takes it for a START either way."""
    house.customer("second_text", kind="consumer", amounts=(8800,))
    assert texted(house, "Yes", "SM1", theirs="START")
    assert len(house.rows("SELECT 1 AS one FROM answer WHERE read_on IS NULL")) == 1, "said once, it is answered once"
    texted(house, "stop", "SM2")
    assert texted(house, "Yes", "SM3", theirs="START")
    assert not texted(house, "Yes", "SM3", theirs="START"), "the same text again"
    assert [row["state"] for row in address(house)] == ["proven", "proven"]
    assert len(house.rows("SELECT 1 AS one FROM answer")) == 1


def test_a_start_takes_it_back_of_an_account_that_has_another_number_by_now(house: House) -> None:
    moved = house.customer("second_text", kind="consumer", amounts=(8800,))
    texted(house, "stop")
    with house.engine.database.session() as session:
        present = session.exec(select(DebtorProfile).where(DebtorProfile.debtor_id == moved.debtor_id)).one()
        succeed(session, present, DAY, NOW, phone="+31687654321")
    texted(house, "start", "SM2")
    assert [row["state"] for row in address(house)] == ["proven", "proven"]


def test_a_stop_of_a_number_that_is_nobodys_is_obeyed_when_it_is_somebodys(house: House) -> None:
    new = "+31687654321"
    assert texted(house, "Afmelden", "SM1", new)
    assert not texted(house, "Afmelden", "SM1", new)
    assert list_incoming(house.engine) == [], "nobody can do more about it"
    house.customer("second_text", kind="consumer", amounts=(8800,), phone="06 87654321")
    house.written()
    assert send(house).plain()["sms"] == {"cancelled": 1}
    assert house.rows("SELECT reason FROM action ORDER BY id DESC LIMIT 1") == [{"reason": "opted_out"}]
    assert texted(house, "Yes", "SM2", new, theirs="START")
    assert house.rows("SELECT 1 AS one FROM answer") == [], "it takes back the word of before"
    house.customer("second_text", kind="consumer", amounts=(7700,), phone=new)
    house.written()
    assert send(house).plain()["sms"] == {"sent": 1}


def test_a_stop_goes_on_where_it_was_broken_off(house: House) -> None:
    """One of the creditors begins another day just then: the service calls again."""
    others = House(house.engine, "NL2")
    others.customer("second_text", kind="consumer", amounts=(8800,))
    run_sql(house, "ALTER TABLE address_state ADD CONSTRAINT once CHECK (debtor_id <> 2)")
    with pytest.raises(IntegrityError):
        texted(house, "stop")
    run_sql(house, "ALTER TABLE address_state DROP CONSTRAINT once")
    assert texted(house, "stop")
    assert [row["state"] for row in address(house)] == ["opted_out", "opted_out"]
    assert not texted(house, "stop")


def test_any_other_text_waits_on_the_case_to_be_read(house: House) -> None:
    assert texted(house, "I will not stop paying, Friday is fine")
    (answer,) = house.rows("SELECT case_id, channel, content FROM answer")
    assert (answer["case_id"], answer["channel"]) == (house.accounts[0].case_id, "sms")
    assert house.engine.store.get(answer["content"]).decode() == "I will not stop paying, Friday is fine"
    assert house.rows("SELECT kind FROM work_task") == [{"kind": "reply"}]


def test_an_answer_that_is_told_again_after_another_account_was_texted_is_one(house: House) -> None:
    assert texted(house, "Friday is fine")
    house.customer("second_text", kind="consumer", amounts=(8800,))
    house.written()
    send(house)
    assert not texted(house, "Friday is fine")
    assert len(house.rows("SELECT 1 AS one FROM answer")) == 1


def test_a_stranger_waits_for_somebody_who_knows_whose_it_is(house: House) -> None:
    texted(house, "Who is this?", sender="+31687654321")
    assert house.rows("SELECT state, debtor_id FROM incoming") == [{"state": "unassigned", "debtor_id": None}]
    assert [(each["sender"], each["text"]) for each in list_incoming(house.engine)] == [
        ("+31687654321", "Who is this?")
    ]


def test_a_report_settles_a_text_of_which_nobody_knew(engine: Engine) -> None:
    from connectors.faults import Fault
    from tasks.send import report_outcomes
    from tests.tasks.outbox_world import DAY
    from tests.tasks.send.sending import states

    house = House(engine)
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    sms = house.engine.sms
    assert isinstance(sms, TwilioSms)
    assert sms.simulator is not None
    sms.simulator.plan_faults([Fault(at="after", drop=True)])
    assert send(house).plain() == {"sms": {"unknown": 1}}
    (message,) = messages(house)
    report = read_status({"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"})
    assert report is not None
    assert record_text_report(house.engine, report, message["message_ref"], NOW)
    report_outcomes(house.engine, house.creditor_id, DAY, NOW, "w")
    assert states(house) == {"sent": 1}
    assert states(house, "action") == {"executed": 1}
    assert evidence(house) == ["accepted", "delivered"]
