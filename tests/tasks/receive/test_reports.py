"""Reports of one message, in any order and number: what its address is taken for."""

import json
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.faults import Fault
from connectors.sms.hooks import read_status
from maatpak.kernel.words import EvidenceKind
from policies.reach import Known, Learned, moved
from tasks.compose.reference import SHORT
from tasks.desk import desk
from tasks.engine import Engine
from tasks.evidence import note_evidence
from tasks.receive import read_mailbox
from tasks.receive.texts import record_text_report
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.receive.mails import OURS, by_return_path, complained, reported, reported_of, writes
from tests.tasks.send.sending import faulty, messages, send

FULL, GONE, SPAM, ARRIVED = "552 5.2.2 mailbox full", "550 5.1.1 no such user", "550 5.7.1 spam", "250 2.1.5 delivered"
ANSWERED = "a person says that somebody answered"
LEARNED = {FULL: Learned.MISSED, GONE: Learned.GONE, ARRIVED: Learned.ARRIVED, ANSWERED: Learned.ANSWERED}
RECIPIENT, OTHER = "k-1001@klant.example", "private@elsewhere.example"
DOUBTFUL_AFTER = 2
LIVES = 12


def sent(house: House) -> None:
    """All mails, to servers that tell nothing by themselves."""
    house.written()
    faulty(house, Fault(at="delivery", drop=True))
    send(house)


def told(house: House, message: dict[str, str], *replies: str) -> None:
    """What is told of a mail, one after the other."""
    for reply in replies:
        if reply is ANSWERED:
            with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
                note_evidence(at, message["message_ref"], EvidenceKind.ANSWERED, "by telephone")
        else:
            reported(house, message["message_ref"], message["recipient"], reply)
            read_mailbox(house.engine, NOW)


def told_of_text(house: House, state: str, code: int) -> None:
    (message,) = messages(house)
    report = read_status({"MessageSid": message["service_ref"], "MessageStatus": state, "ErrorCode": str(code)})
    assert report is not None
    record_text_report(house.engine, report, message["message_ref"], NOW)


def address(house: House, recipient: str) -> tuple[str, int]:
    """Its state, and how many messages in a row it missed."""
    rows = house.rows(f"SELECT state, missed FROM address_state WHERE replaced_at IS NULL AND address = '{recipient}'")
    return (rows[0]["state"], rows[0]["missed"]) if rows else ("unproven", 0)


def noted(house: House) -> list[tuple[str, str | None]]:
    """The evidence but for our own, and what was said of each."""
    rows = house.rows("SELECT kind, said FROM evidence WHERE kind <> 'accepted' ORDER BY id")
    return [(row["kind"], row["said"]) for row in rows]


def events(house: House) -> int:
    return len(house.rows("SELECT 1 AS one FROM event WHERE kind = 'evidence_noted'"))


def repairs(house: House) -> int:
    return len(house.rows("SELECT 1 AS one FROM work_task WHERE kind = 'repair'"))


@pytest.fixture
def mailed(engine: Engine) -> House:
    """A house that sent one mail, of which nothing was told yet."""
    house = House(engine)
    house.customer()
    sent(house)
    return house


@pytest.fixture
def texted(engine: Engine) -> House:
    """A house that sent one text."""
    house = House(engine)
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    send(house)
    return house


class TestAMail:
    @pytest.mark.parametrize(
        ("reply", "kinds", "known"),
        [
            ("250 2.1.5 delivered", ["delivered"], ("proven", 0)),
            ("450 4.2.2 mailbox full, still trying", [], ("unproven", 0)),
            ("550 5.1.1 no such user", ["bounced"], ("dead", 0)),
            ("550 5.1.2 no such domain", ["bounced"], ("dead", 0)),
            ("551 5.1.6 moved away", ["bounced"], ("dead", 0)),
            ("552 5.2.2 mailbox full", ["bounced"], ("unproven", 1)),
            ("550 5.2.1 mailbox disabled", ["bounced"], ("unproven", 1)),
            ("554 5.4.7 delivery time expired", ["bounced"], ("unproven", 1)),
            ("554 5.4.4 connection timed out", ["bounced"], ("unproven", 1)),
            ("550 5.7.1 taken for spam", ["bounced"], ("unproven", 0)),
            ("550 5.7.1 your host is on a blacklist", ["bounced"], ("unproven", 0)),
            ("552 5.3.4 message too big", ["bounced"], ("unproven", 0)),
            ("554 5.6.0 a virus is in it", ["bounced"], ("unproven", 0)),
            ("554 5.0.0 no", ["bounced"], ("unproven", 0)),
        ],
    )
    def test_what_each_report_says(self, mailed: House, reply: str, kinds: list[str], known: tuple[str, int]) -> None:
        """As docs/mail.md tells it."""
        (message,) = messages(mailed)
        told(mailed, message, reply)
        assert [kind for kind, _ in noted(mailed)] == kinds
        assert address(mailed, message["recipient"]) == known
        assert repairs(mailed) == (known[0] == "dead")

    def test_two_mails_in_a_row_make_an_address_doubtful(self, mailed: House) -> None:
        mailed.customer(account=mailed.accounts[0], currency="USD")
        mailed.written()
        send(mailed)
        first, second = messages(mailed)
        told(mailed, first, FULL)
        told(mailed, second, FULL)
        assert address(mailed, first["recipient"]) == ("doubtful", 2)

    def test_a_complaint_ends_the_mails_of_every_account_and_is_work_for_somebody(self, mailed: House) -> None:
        (message,) = messages(mailed)
        mailed.customer(email=message["recipient"].upper())
        complained(mailed, by_return_path(mailed, message["message_ref"]))
        read_mailbox(mailed.engine, NOW)
        marked = mailed.rows("SELECT state FROM address_state WHERE replaced_at IS NULL")
        assert marked == [{"state": "opted_out"}] * len(mailed.accounts)
        assert mailed.rows("SELECT kind FROM work_task") == [{"kind": "reply"}]

    @pytest.mark.parametrize("how", ["subject", "original", "amazon"])
    def test_a_complaint_that_only_names_a_message_waits_for_a_person(self, mailed: House, how: str) -> None:
        (message,) = messages(mailed)
        reference = message["message_ref"]
        if how == "subject":
            complained(mailed, OURS, subject=f"Re {reference[:SHORT]}")
        elif how == "original":
            complained(mailed, OURS, original=f"<{reference}>")
        else:
            named = {"headers": [{"name": "Message-ID", "value": f"<{reference}>"}]}
            writes(mailed, "x@evil.example", json.dumps({"notificationType": "Complaint", "mail": named}))
        assert read_mailbox(mailed.engine, NOW).counts == {"complaint": 1}
        assert address(mailed, message["recipient"])[0] == "unproven"
        assert mailed.rows("SELECT kind FROM work_task") == [{"kind": "reply"}]

    def test_a_hard_bounce_after_a_soft_one_counts(self, mailed: House) -> None:
        (message,) = messages(mailed)
        told(mailed, message, FULL)
        assert (address(mailed, message["recipient"]), repairs(mailed)) == (("unproven", 1), 0)
        told(mailed, message, GONE)
        assert (address(mailed, message["recipient"])[0], repairs(mailed)) == ("dead", 1)
        assert noted(mailed) == [("bounced", "552 5.2.2 mailbox_full")], "the first of its kind stays"
        assert events(mailed) == 2

    def test_a_full_mailbox_after_a_filters_refusal_counts(self, mailed: House) -> None:
        (message,) = messages(mailed)
        told(mailed, message, SPAM, FULL)
        assert address(mailed, message["recipient"]) == ("unproven", 1)

    @pytest.mark.parametrize("reply", [FULL, GONE, ARRIVED])
    def test_what_is_told_twice_is_one(self, mailed: House, reply: str) -> None:
        (message,) = messages(mailed)
        told(mailed, message, reply)
        once = address(mailed, message["recipient"])
        told(mailed, message, reply)
        assert (address(mailed, message["recipient"]), events(mailed)) == (once, 1)

    @pytest.mark.parametrize("again", [GONE, FULL])
    def test_what_was_told_before_an_answer_does_not_undo_it(self, mailed: House, again: str) -> None:
        (message,) = messages(mailed)
        told(mailed, message, FULL, GONE, ANSWERED, again)
        assert address(mailed, message["recipient"]) == ("proven", 0)

    def test_the_customers_answer_revives_the_address_that_it_answers_to(self, mailed: House) -> None:
        (message,) = messages(mailed)
        told(mailed, message, GONE)
        writes(mailed, "boss@klant.example", In_Reply_To=f"<{message['message_ref']}>")
        read_mailbox(mailed.engine, NOW)
        assert [kind for kind, _ in noted(mailed)] == ["bounced", "answered"]
        assert address(mailed, message["recipient"]) == ("proven", 0)

    @pytest.mark.parametrize(
        ("told_of", "kinds", "state"),
        [
            ([(OTHER, GONE)], ["bounced"], "unproven"),
            ([(OTHER, ARRIVED)], [], "unproven"),
            ([(OTHER, GONE), (RECIPIENT, ARRIVED)], ["delivered"], "proven"),
            ([(RECIPIENT.upper(), ARRIVED), (OTHER, GONE)], ["delivered"], "proven"),
            ([(OTHER, ARRIVED), (RECIPIENT.upper(), GONE)], ["bounced"], "dead"),
            ([("", GONE)], ["bounced"], "dead"),
        ],
    )
    def test_of_whom_a_report_speaks(
        self, mailed: House, told_of: list[tuple[str, str]], kinds: list[str], state: str
    ) -> None:
        (message,) = messages(mailed)
        assert message["recipient"] == RECIPIENT
        reported_of(mailed, message["message_ref"], *told_of)
        read_mailbox(mailed.engine, NOW)
        assert [kind for kind, _ in noted(mailed)] == kinds
        assert address(mailed, RECIPIENT)[0] == state
        assert repairs(mailed) == (state == "dead")

    def test_what_was_sent_on_and_came_back_twice_makes_the_address_doubtful(self, mailed: House) -> None:
        mailed.customer(account=mailed.accounts[0], currency="USD")
        mailed.written()
        send(mailed)
        for message in messages(mailed):
            reported_of(mailed, message["message_ref"], (OTHER, GONE))
        read_mailbox(mailed.engine, NOW)
        assert address(mailed, RECIPIENT) == ("doubtful", 2)

    def test_one_mail_that_tells_both_teaches_both(self, mailed: House) -> None:
        (message,) = messages(mailed)
        reported(mailed, message["message_ref"], message["recipient"], FULL, GONE, GONE)
        read_mailbox(mailed.engine, NOW)
        assert address(mailed, message["recipient"])[0] == "dead"
        assert events(mailed) == 2


class TestAText:
    def test_a_number_not_in_use_counts_after_a_telephone_that_was_off(self, texted: House) -> None:
        (message,) = messages(texted)
        told_of_text(texted, "undelivered", 30003)
        told_of_text(texted, "undelivered", 30005)
        assert (address(texted, message["recipient"])[0], repairs(texted)) == ("dead", 1)
        assert noted(texted) == [("bounced", "30003 undelivered")]

    def test_who_opted_out_counts_after_a_telephone_that_was_off(self, texted: House) -> None:
        (message,) = messages(texted)
        told_of_text(texted, "undelivered", 30003)
        told_of_text(texted, "failed", 21610)
        assert address(texted, message["recipient"])[0] == "opted_out"

    def test_a_telephone_that_was_off_says_nothing_after_that(self, texted: House) -> None:
        (message,) = messages(texted)
        told_of_text(texted, "undelivered", 30005)
        told_of_text(texted, "undelivered", 30003)
        assert (address(texted, message["recipient"]), events(texted)) == (("dead", 0), 1)


def expected(replies: list[str]) -> tuple[str, int]:
    """By the table of `policies.reach`, what is said again or softer left out."""
    known, heard = Known(), set[Learned]()
    for learned in (LEARNED[each] for each in replies if each in LEARNED):
        if learned not in heard and not (learned is Learned.MISSED and Learned.GONE in heard):
            known = moved(known, learned, DOUBTFUL_AFTER)
        heard.add(learned)
    return known.state, known.missed


def test_the_order_and_number_of_reports_does_not_matter(engine: Engine) -> None:
    house = House(engine)
    house.customers(LIVES)
    sent(house)
    fresh = iter(messages(house))

    @settings(max_examples=LIVES, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from([*LEARNED, SPAM]), min_size=2, max_size=7))
    def holds(replies: list[str]) -> None:
        (message,) = islice(fresh, 1)
        told(house, message, *replies)
        state, missed = address(house, message["recipient"])
        assert (state, missed) == expected(replies), replies
        if GONE in replies and ANSWERED not in replies[replies.index(GONE) :]:
            assert state == "dead", replies

    holds()
