"""Rule 8, Truth: what a message says happened, or did not, is so."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from maatpak.kernel.words import Channel
from maatpak.ledger.tables import (
    Answer,
    ClaimedPayment,
    ContactResult,
    ItemVersion,
    Person,
    Promise,
    StatedReason,
    WorkTask,
)
from maatpak.ledger.versions import succeed
from tests.tasks.compose.composing import (
    consulted,
    letters,
    paid,
    put,
    reminded,
    sent_before,
    thanked,
    versioned,
    written,
)
from tests.tasks.outbox_world import DAY, EARLIER, Account, House


@pytest.mark.parametrize(
    ("days_ago", "channel", "observed", "said"),
    [
        (7, Channel.EMAIL, (), "Wij schreven u hierover al per e-mail op 4 maart 2026."),
        (1, Channel.EMAIL, (), "Misschien heeft onze e-mail van 10 maart 2026 u niet bereikt."),
        (1, Channel.EMAIL, ("delivered",), "Wij schreven u hierover al per e-mail op 10 maart 2026."),
        (7, Channel.EMAIL, ("bounced",), "Misschien heeft onze e-mail van 4 maart 2026 u niet bereikt."),
        (7, Channel.POST, (), "Misschien heeft onze brief van 4 maart 2026 u niet bereikt."),
        (9, Channel.POST, (), "Wij schreven u hierover al per brief op 2 maart 2026."),
        (20, Channel.POST, ("returned",), "Misschien heeft onze brief van 19 februari 2026 u niet bereikt."),
        (2, Channel.SMS, ("answered",), "Wij schreven u hierover al per sms op 9 maart 2026."),
    ],
)
def test_an_earlier_notice_is_mentioned_only_if_it_has_evidence(
    house: House, days_ago: int, channel: Channel, observed: tuple[str, ...], said: str
) -> None:
    account = house.customer("second_notice")
    sent_before(house, account, days_ago, channel, *observed)
    assert said in written(house)[0].text


def test_thanks_are_no_earlier_notice(house: House) -> None:
    account = house.customer("second_notice")
    sent_before(house, account, 9, Channel.EMAIL, action_id=thanked(house, account))
    (outgoing,) = written(house)
    assert "Wij schreven u hierover" not in outgoing.text
    assert "niet bereikt" not in outgoing.text


@pytest.mark.parametrize(
    ("language", "said"), [("nl", "Wij schreven u over {} al per"), ("en", "wrote to you about {} by")]
)
def test_an_earlier_notice_is_said_of_the_items_that_it_named(house: House, language: str, said: str) -> None:
    account = house.customer("second_notice", language=language)
    sent_before(house, account, 9, Channel.EMAIL, action_id=reminded(house, account, account.item_ids[:1]))
    (outgoing,) = written(house)
    first = outgoing.items[0]["document_no"]
    assert said.format(first) in outgoing.text


@pytest.mark.parametrize("days_ago", [7, 1, None])
def test_a_personal_letter_speaks_of_colleagues_only_where_they_were_heard(house: House, days_ago: int | None) -> None:
    account = house.customer("personal_letter", "key")
    if days_ago is not None:
        sent_before(house, account, days_ago, Channel.EMAIL)
    for outgoing in written(house):
        assert ("Onze collega's hadden al contact" in outgoing.text) is (days_ago == 7)
        assert "waarderen als u er zelf naar kijkt" in outgoing.text


def answered(house: House, account: Account, on: date) -> None:
    said = {"answer_no": "A-1", "creditor_id": house.creditor_id, "debtor_id": account.debtor_id, "channel": "email"}
    put(house, Answer(**versioned(**said, received_on=on)))


def called(code: str) -> Callable[[House, Account, date], None]:
    def call(house: House, account: Account, on: date) -> None:
        ids: dict[str, Any] = {
            "creditor_id": house.creditor_id,
            "case_id": account.case_id,
            "debtor_id": account.debtor_id,
        }
        result: dict[str, Any] = {
            "code": code,
            "day_part": "morning",
            "called_on": on,
            "actor": "carla",
            "recorded_at": EARLIER,
        }
        put(house, ContactResult(**ids, **result))

    return call


def reasoned(house: House, account: Account, on: date) -> None:
    said = {"case_id": account.case_id, "reason": "forgot", "stated_on": on, "source": "t", "actor": "t"}
    put(house, StatedReason(**versioned(**said)))


def claimed(house: House, account: Account, on: date) -> None:
    said = {"claim_no": "C-1", "case_id": account.case_id, "amount": 100, "claimed_on": on, "until_on": on}
    put(house, ClaimedPayment(**versioned(**said, state="not_found", actor="t")))


def promised(house: House, account: Account, on: date) -> None:
    said = {"promise_no": "B-1", "case_id": account.case_id, "amount": 100, "made_on": on, "promised_on": on}
    put(house, Promise(**versioned(**said, state="broken", source="t", actor="t")))


@pytest.mark.parametrize(
    ("hear", "days_ago", "heard"),
    [
        (None, 0, False),
        (answered, 2, True),
        (called("refuses"), 2, True),
        (called("no_answer"), 2, False),
        (reasoned, 2, True),
        (claimed, 2, True),
        (promised, 2, True),
        (paid, 2, True),
        (answered, 30, False),
        (paid, 30, False),
    ],
)
def test_silence_is_spoken_of_only_where_there_was_silence_since_the_first_notice(
    house: House, hear: Callable[[House, Account, date], None] | None, days_ago: int, heard: bool
) -> None:
    silence = {
        "second_notice": "en wij hoorden niets van u",
        "final_demand": "en wij hebben noch uw betaling, noch een afspraak met u",
    }
    for step in silence:
        account = house.customer(step)
        sent_before(house, account, 9, Channel.EMAIL)
        if hear is not None and step == "second_notice":
            hear(house, account, DAY - timedelta(days=days_ago))
    composed = house.written()
    for letter, template in zip(letters(house, composed), composed.messages["template"], strict=True):
        silent = not heard or template == "final_demand"
        assert (silence[template] in letter.text) is silent
        assert "None" not in letter.text


def test_a_demand_owns_that_money_came_or_a_word(house: House) -> None:
    account = house.customer("final_demand")
    sent_before(house, account, 20, Channel.EMAIL)
    paid(house, account, DAY - timedelta(days=8))
    for outgoing in written(house):
        assert "de oudste op 1 maart 2026, en staan nog open. Wij vragen u daarom formeel" in outgoing.text


def test_of_an_item_paid_in_part_no_silence_is_claimed(house: House) -> None:
    account = house.customer("second_notice")
    sent_before(house, account, 9, Channel.EMAIL)
    with house.engine.database.session() as session:
        version = session.exec(select(ItemVersion).filter_by(item_id=account.item_ids[0])).one()
        succeed(session, version, DAY, EARLIER, open_amount=version.open_amount - 5000)
    assert "hoorden niets van u" not in written(house)[0].text


@pytest.mark.parametrize(
    ("result", "answered_by", "named"),
    [("agree", "piet", True), ("agree", "dirk", False), ("not_heard", "maritNL1", False), (None, None, False)],
    ids=["agreed", "the deputy agreed", "not heard", "never asked"],
)
def test_a_letter_says_that_the_account_manager_knows_of_it_only_where_that_is_so(
    house: House, result: str | None, answered_by: str | None, named: bool
) -> None:
    account = house.customer("personal_letter", "key", account_manager="piet")
    put(house, Person(login="piet", name="Piet Smit", role="account_manager", approval_limit=0, recorded_at=EARLIER))
    if result:
        consult = consulted(house, account, result)
        work: dict[str, Any] = {
            "kind": "consult",
            "subject": "May we?",
            "role": "account_manager",
            "opened_on": DAY,
            "due_on": DAY,
        }
        done: dict[str, Any] = {
            "state": "done",
            "outcome": result,
            "done_on": DAY,
            "done_by": answered_by,
            "recorded_at": EARLIER,
        }
        ids: dict[str, Any] = {
            "creditor_id": house.creditor_id,
            "debtor_id": account.debtor_id,
            "case_id": account.case_id,
        }
        put(house, WorkTask(**ids, **work, **done, action_id=consult))
    for outgoing in written(house):
        assert ("Piet Smit, uw vaste aanspreekpunt bij ons, weet van deze brief" in outgoing.text) is named
