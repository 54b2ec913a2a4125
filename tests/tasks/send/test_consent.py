"""Texts go to numbers only on a ground: the contract, or a consent that is recorded, where the pack asks for one."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.sms.hooks import read_incoming
from maatpak.kernel.errors import RefusedError, UsageError
from policies.guardrails import GuardrailsFile, TextBasis, Texts
from tasks.desk import desk
from tasks.preferences import consent_to_texts
from tasks.receive.texts import record_text
from tests.tasks.outbox_world import DAY, NOW, Account, House
from tests.tasks.send.sending import messages, send, states

NUMBER = "+12015550123"
MORNING = NOW + timedelta(hours=5)
"""In New York."""


@pytest.fixture
def account(house: House) -> Account:
    """A consumer in a country whose law asks for consent to every text."""
    us: dict[str, Any] = {"country": "US", "time_zone": "America/New_York", "phone": "(201) 555-0123"}
    return house.customer("second_text", kind="consumer", amounts=(9900,), **us)


def agree(house: House, account: Account, number: str = NUMBER, *, given: bool = True, who: str = "maritNL1") -> None:
    with desk(house.engine, house.creditor_id, who, DAY, NOW) as at:
        consent_to_texts(at, at.debtor(account.debtor_id), number, given=given, source="call")


def channels(house: House) -> list[tuple[str, str]]:
    return [(row["channel"], row["state"]) for row in messages(house)]


def test_without_consent_another_way_is_taken(house: House, account: Account) -> None:
    house.written(MORNING)
    assert [channel for channel, _ in channels(house)] == ["post"]


def test_who_agreed_is_texted_and_it_is_recorded_who_heard_it(house: House, account: Account) -> None:
    agree(house, account, "201-555-0123")
    house.written(MORNING)
    assert send(house, now=MORNING, elapsed=timedelta).plain() == {"sms": {"sent": 1}}
    rows = house.rows("SELECT number, given, source, actor, valid_from FROM text_consent")
    assert rows == [{"number": NUMBER, "given": True, "source": "call", "actor": "maritNL1", "valid_from": DAY}]
    (event,) = house.rows("SELECT body::text AS body FROM event WHERE kind = 'text_consent'")
    assert "555" not in event["body"], "a number is personal"


def test_a_consent_that_is_taken_back_stops_what_waits(house: House, account: Account) -> None:
    agree(house, account)
    house.written(MORNING)
    agree(house, account, given=False)
    assert send(house, now=MORNING, elapsed=timedelta).plain() == {"sms": {"cancelled": 1}}
    assert house.rows("SELECT reason FROM action") == [{"reason": "no_consent"}]


def test_a_consent_is_for_one_number(house: House, account: Account) -> None:
    agree(house, account, "+12015550199")
    house.written(MORNING)
    assert [channel for channel, _ in channels(house)] == ["post"]
    (message,) = house.rows("SELECT instead_of, switch_reason FROM message")
    assert (message["instead_of"], message["switch_reason"]) == ("sms", "no_consent")


def test_stop_takes_it_back_and_start_gives_it_anew(house: House, account: Account) -> None:
    agree(house, account)
    for sid, body in enumerate(("STOP", "START")):
        text = read_incoming({"MessageSid": f"SM{sid}", "From": NUMBER, "To": "+31970000000", "Body": body})
        assert text is not None
        record_text(house.engine, text, NOW)
    told = house.rows("SELECT given, source, actor FROM text_consent ORDER BY id")
    assert [(row["given"], row["source"]) for row in told] == [
        (True, "call"),
        (False, "texted STOP"),
        (True, "texted START"),
    ]


def test_where_the_contract_is_ground_enough_nobody_is_asked(house: House) -> None:
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    send(house)
    assert states(house) == {"sent": 1}


def test_only_a_mobile_number_is_agreed_to_and_only_by_who_may_record_it(house: House, account: Account) -> None:
    with pytest.raises(UsageError, match="takes no texts"):
        agree(house, account, "none")
    with pytest.raises(RefusedError, match="nobody who may act"):
        agree(house, account, who="ghost")


@pytest.mark.parametrize(
    ("kind", "country", "needed"),
    [("consumer", "NL", True), ("business", "NL", False), ("business", "US", True)],
)
def test_the_pack_says_who_must_have_agreed(kind: str, country: str, needed: bool) -> None:
    texts = Texts(business=TextBasis.CONTRACT, consumer=TextBasis.CONSENT, consent_in=["US"])
    assert texts.need_consent(kind, country) == needed


def test_a_pack_that_says_nothing_of_it_asks_everywhere() -> None:
    silent = GuardrailsFile.model_fields["texts"].get_default()
    assert silent.need_consent("business", "NL")
    assert silent.need_consent("consumer", "NL")
