"""Another channel than the step asks for, and everybody is told why: in rows, on the case, in the list of messages."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.reasons import SwitchReason
from maatpak.kernel.words import EvidenceKind
from maatpak.ledger.tables import Message
from policies.reach import Learned
from tasks.evidence import note_evidence
from tasks.explaining import explain_case
from tasks.finding import find_case
from tasks.outbox import MessageFilter, list_messages
from tasks.preferences import mark_address
from tasks.written import WHY, way_of
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


def switch_of(message: Message) -> tuple[Any, ...]:
    return message.channel, message.instead_of, message.switch_reason, message.switch_cause, message.switch_on


@pytest.mark.stage("reminded")
def test_after_a_hard_bounce_the_rest_goes_by_post_and_says_why(house: House, case_id: int) -> None:
    (mail,) = house.rows(Message, case_id=case_id)
    assert switch_of(mail) == ("email", None, None, None, None)
    with house.desk("olga", 11) as desk:
        note_evidence(desk, mail.message_ref, EvidenceKind.BOUNCED, "mailbox")
    bounced_on = house.day
    Script(house, calling=False).until("second_notice")
    resent, letter = [each for each in house.rows(Message, case_id=case_id) if each.id != mail.id]
    assert switch_of(resent)[:2] == ("post", None), "another channel is what that step asks for"
    assert switch_of(letter) == ("post", "email", "dead", "bounced", bounced_on)
    said = f"by post, since the e-mail address is dead (bounced, {bounced_on.day} {bounced_on:%B %Y})"
    told = explain_case(house.engine, find_case(house.engine, "C1"), None, at(house.day, 18), {})
    assert [each["way"] for each in told.written] == [said, "by post", "by e-mail"]
    assert [item["last_asked"] for item in told.timeline] == [f"{letter.sent_on} {said}"] * 2
    (listed, *_) = list_messages(house.engine, MessageFilter(debtor_no="C1"))
    assert (listed["way"], listed["switch_reason"]) == (said, "dead")
    before = explain_case(house.engine, find_case(house.engine, "C1"), bounced_on, at(house.day, 18), {})
    assert all(each["business_date"] <= bounced_on for each in before.written)


def test_who_opted_out_of_mail_is_reminded_by_post(house: House, case_id: int) -> None:
    with house.desk("olga", 7) as desk:
        mark_address(desk, desk.case(case_id), "email", "C1@example.test", Learned.OPTED_OUT, "asked for it")
    since = house.day
    Script(house, calling=False).until("reminder")
    (letter,) = house.rows(Message, case_id=case_id)
    assert switch_of(letter) == ("post", "email", "opted_out", "asked for it", since)


def test_a_changed_address_is_used_again_and_the_old_one_stays_dead(house: House, case_id: int) -> None:
    other = house.debtor("C2", email="c2@OLD.example", street=None, phone=None)
    house.item(other, "E1", 90_000, date(2026, 1, 30))
    with house.desk("olga", 7) as desk:
        mark_address(desk, desk.case(other), "email", "c2@old.example", Learned.GONE, "550 5.1.1")
        mark_address(desk, desk.case(case_id), "email", "old@c1.example", Learned.GONE, "550 5.1.1")
    script = Script(house, calling=False)
    script.until("reminder")
    assert [switch_of(each)[:2] for each in house.rows(Message, case_id=case_id)] == [("email", None)]
    assert house.rows(Message, case_id=other) == [], "written in another way, it is the same dead address"


@pytest.mark.parametrize("reason", SwitchReason)
def test_every_reason_is_said_in_words(reason: SwitchReason) -> None:
    assert reason in WHY
    said = way_of(
        {"channel": "post", "instead_of": "sms", "switch_reason": reason, "switch_cause": None, "switch_on": None}
    )
    assert said.startswith("by post, since ")
    assert "{" not in said
