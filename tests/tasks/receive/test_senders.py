"""From whom an answer is believed to be the customer's, so that it proves something by itself."""

from typing import Any

import pytest

from connectors.faults import Fault
from maatpak.ledger.versions import succeed
from tasks.compose.reference import SHORT
from tasks.desk import desk
from tasks.engine import Engine
from tasks.preferences import set_contact
from tasks.receive import read_mailbox
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.receive.mails import arrives, by_return_path, reported, writes
from tests.tasks.send.sending import faulty, messages, send

BOOKKEEPER, PAYER, OTHER = "Boss@bookkeeper.example", "pay@holding.example", "k-1003@other.example"
PRIVATE = "jansen@ziggo.nl"


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


def mailed(house: House, recipient: str) -> dict[str, Any]:
    """A message to an address that is dead by now, of an account with a contact and a payer; others got mails, too."""
    first = house.customer(email=recipient)
    house.customer(email=PAYER)
    house.customer(email=OTHER)
    house.written()
    send(house)
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        profile = at.profile(first.debtor_id)
        assert profile is not None
        succeed(at.session, profile, DAY, NOW, payer_no="K-1002")
        set_contact(at, at.debtor(first.debtor_id), "B. Boss", "payables", email=BOOKKEEPER)
    message = next(each for each in messages(house) if each["debtor_id"] == first.debtor_id)
    reported(house, message["message_ref"], recipient, "550 5.1.1 no such user")
    read_mailbox(house.engine, NOW)
    assert state(house, recipient) == "dead"
    return message


def answered(house: House) -> int:
    return len(house.rows("SELECT 1 AS one FROM evidence WHERE kind = 'answered'"))


def state(house: House, recipient: str) -> str:
    rows = house.rows(f"SELECT state FROM address_state WHERE replaced_at IS NULL AND address = '{recipient}'")
    return str(rows[0]["state"])


@pytest.mark.parametrize(
    ("recipient", "sender"),
    [
        ("Inkoop@klant.example", "inkoop@KLANT.example"),
        ("inkoop@klant.example", "boss@klant.example"),
        ("inkoop@klant.example", BOOKKEEPER.lower()),
        ("inkoop@klant.example", PAYER.upper()),
        (PRIVATE, PRIVATE),
    ],
    ids=["recipient", "colleague", "contact", "payer", "private"],
)
def test_an_answer_of_the_customer_proves_the_address(house: House, recipient: str, sender: str) -> None:
    message = mailed(house, recipient)
    writes(house, sender, In_Reply_To=f"<{message['message_ref']}>")
    read_mailbox(house.engine, NOW)
    assert (answered(house), state(house, recipient)) == (1, "proven")


@pytest.mark.parametrize("by", ["thread", "subject"])
@pytest.mark.parametrize(
    ("recipient", "sender"),
    [
        ("inkoop@klant.example", "stranger@evil.example"),
        ("inkoop@klant.example", "boss@klant.example.evil.example"),
        ("inkoop@klant.example", OTHER),
        (PRIVATE, "stranger@ziggo.nl"),
    ],
    ids=["stranger", "lookalike", "other customer", "same provider"],
)
def test_an_answer_of_anybody_else_waits_for_a_person_and_proves_nothing(
    house: House, recipient: str, sender: str, by: str
) -> None:
    message = mailed(house, recipient)
    reference = message["message_ref"]
    named = {"In_Reply_To": f"<{reference}>"} if by == "thread" else {"Subject": f"Re {reference[:SHORT]}"}
    writes(house, sender, **named)
    read_mailbox(house.engine, NOW)
    assert (answered(house), state(house, recipient)) == (0, "dead")
    answers = house.rows("SELECT case_id, message_id, read_on FROM answer")
    assert answers == [{"case_id": message["case_id"], "message_id": None, "read_on": None}]
    replies = house.rows("SELECT record_no FROM work_task WHERE kind = 'reply' AND state = 'open'")
    assert len(replies) == 1
    kept = house.rows("SELECT message_id FROM incoming WHERE kind = 'answer'")
    assert kept == [{"message_id": message["id"]}], "which message it named is known still"


def test_what_comes_to_the_return_path_is_no_persons_answer(house: House) -> None:
    message = mailed(house, "inkoop@klant.example")
    mail = b"From: inkoop@klant.example\r\nSubject: Bedankt voor uw mail\r\nMessage-ID: <r@klant>\r\n\r\nDank."
    arrives(house, "inkoop@klant.example", by_return_path(house, message["message_ref"]), mail)
    assert read_mailbox(house.engine, NOW).counts == {"auto_reply": 1}
    assert (answered(house), state(house, "inkoop@klant.example")) == (0, "dead")
    assert house.rows("SELECT 1 AS one FROM answer") == []


def test_an_answer_settles_a_message_of_which_nobody_knew_whether_it_left(house: House) -> None:
    house.customer(email="ap@klant.example")
    house.written()
    faulty(house, Fault(at="after", drop=True), Fault(at="delivery", drop=True))
    send(house)
    (unknown,) = messages(house)
    assert unknown["state"] == "unknown"
    writes(house, "somebody@elsewhere.example", In_Reply_To=f"<{unknown['message_ref']}>")
    read_mailbox(house.engine, NOW)
    assert messages(house)[0]["state"] == "unknown", "anybody can name it"
    writes(house, "ap@klant.example", In_Reply_To=f"<{unknown['message_ref']}>")
    read_mailbox(house.engine, NOW)
    (settled,) = messages(house)
    assert (settled["state"], settled["failure"]) == ("sent", None)
    kinds = house.rows(f"SELECT kind FROM evidence WHERE message_id = {settled['id']} ORDER BY id")
    assert [row["kind"] for row in kinds] == ["accepted", "answered"]
