"""By which channel a message goes, for every rule of a step, and why it is another than the one asked for."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.words import Channel
from policies.schema import ChannelOrder, ChannelRule, ChannelsFile, SmallAmounts
from tasks.compose.ways import Choice, Orders, Way
from tests.tasks.compose.test_recipients import customer

STANDARD = ChannelsFile()
SINCE = date(2026, 5, 12)


def known(channel: str, address: str, word: str) -> dict[str, Any]:
    return {"channel": channel, "address": address, "state": word, "cause": f"{word}!", "valid_from": SINCE}


def choice(
    amount: int = 100_000, *, texts: bool = True, order: ChannelOrder = STANDARD.order, **changes: Any
) -> Choice:
    return Choice(customer(**changes), Orders(order, STANDARD.small), amount, texts)


def told(ways: list[Way]) -> list[str]:
    """`post`, or `post<email:dead` for a letter in place of a mail to an address that is dead."""
    return [
        str(way.reach.channel) + (f"<{way.switch.instead_of}:{way.switch.why.reason}" if way.switch else "")
        for way in ways
    ]


MAIL_DEAD: dict[str, Any] = {"states": [known("email", "A@B.example", "dead")]}
MAIL_DOUBTFUL: dict[str, Any] = {"states": [known("email", "a@b.example", "doubtful")]}
MAIL_OPTED_OUT: dict[str, Any] = {"states": [known("email", "a@b.example", "opted_out")]}
PHONE_OPTED_OUT: dict[str, Any] = {"states": [known("phone", "06-1234 5678", "opted_out")]}
POST_DEAD: dict[str, Any] = {"states": [known("post", "Dam 1, 1012 JS Amsterdam", "dead")]}
LANDLINE: dict[str, Any] = {"phone": "020 1234567"}


@pytest.mark.parametrize(
    ("changes", "rule", "amount", "used", "expected"),
    [
        ({}, "preferred", 100000, [], ["email"]),
        ({"preferred_channel": "post"}, "preferred", 100000, [], ["post"]),
        ({"preferences": {"channel": "post"}}, "preferred", 100000, [], ["post"]),
        ({"email": None}, "preferred", 100000, [], ["post<email:no_address"]),
        (MAIL_DEAD, "preferred", 100000, [], ["post<email:dead"]),
        (MAIL_DOUBTFUL, "preferred", 100000, [], ["post<email:doubtful"]),
        ({**MAIL_DOUBTFUL, "street": None, "phone": None}, "preferred", 100000, [], ["email"]),
        (MAIL_OPTED_OUT, "preferred", 100000, [], ["post<email:opted_out"]),
        ({**MAIL_DEAD, "street": None}, "preferred", 100000, [], ["sms<email:dead"]),
        ({**LANDLINE, "preferred_channel": "sms"}, "preferred", 100000, [], ["email<sms:no_address"]),
        ({**PHONE_OPTED_OUT, "preferred_channel": "sms"}, "preferred", 100000, [], ["email<sms:opted_out"]),
        (MAIL_OPTED_OUT, "email", 100000, [], ["post<email:opted_out"]),
        (MAIL_DOUBTFUL, "email", 100000, [], ["email"]),
        (POST_DEAD, "post", 100000, [], ["email<post:dead"]),
        ({}, "sms", 100000, [], ["sms"]),
        ({"states": [known("phone", "+31612345678", "dead")]}, "sms", 100000, ["email"], ["post<sms:dead"]),
        (PHONE_OPTED_OUT, "sms", 100000, ["email"], ["post<sms:opted_out"]),
        (
            {"states": [known("sms", "+31612345678", "opted_out"), known("phone", "+31612345678", "proven")]},
            *("sms", 100000, ["email"], ["post<sms:opted_out"]),
        ),
        (LANDLINE, "sms", 100000, ["email"], ["post<sms:no_address"]),
        ({**LANDLINE, "street": None}, "sms", 100000, ["email"], ["email<sms:no_address"]),
        ({**LANDLINE, "street": None, "email": None}, "sms", 100000, [], []),
        ({}, "other", 100000, ["email"], ["post"]),
        ({}, "other", 100000, ["email", "post"], ["email"]),
        (POST_DEAD, "other", 100000, ["email"], ["sms<post:dead"]),
        ({"kind": "consumer"}, "other", 24999, ["email"], ["sms"]),
        ({"kind": "consumer"}, "other", 25000, ["email"], ["post"]),
        ({"kind": "consumer", **LANDLINE}, "other", 24999, ["email"], ["post<sms:no_address"]),
        ({"street": None, "phone": None}, "other", 100000, ["email"], ["email<post:no_address"]),
        ({}, "both", 100000, [], ["email", "post"]),
        ({"street": None, "phone": None}, "both", 100000, [], ["email<post:no_address"]),
        (MAIL_DEAD, "both", 100000, [], ["post<email:dead", "sms<email:dead"]),
        ({}, "post_and_email", 100000, [], ["email", "post"]),
        ({"email": "no mail"}, "post_and_email", 100000, [], ["post<email:no_address"]),
        (POST_DEAD, "post_and_email", 100000, [], ["email<post:dead"]),
        ({"email": None, "street": None}, "post_and_email", 100000, [], ["sms<post:no_address"]),
        ({"email": None, "street": None, "phone": None}, "preferred", 100000, [], []),
    ],
)
def test_channel_rules(changes: dict[str, Any], rule: str, amount: int, used: list[str], expected: list[str]) -> None:
    assert told(choice(amount, **changes).ways(ChannelRule(rule), used)) == expected


def test_a_switch_says_what_was_said_and_since_when() -> None:
    (way,) = choice(**MAIL_DEAD).ways(ChannelRule.PREFERRED, [])
    assert way.switch is not None
    assert (way.switch.why.cause, way.switch.why.since) == ("dead!", SINCE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["email"]),
        ({"preferred_channel": "sms"}, ["email<sms:no_words"]),
        ({"street": None, "email": None}, []),
        ({"street": None, **MAIL_DEAD}, []),
    ],
)
def test_a_template_without_words_for_a_text_is_not_texted(changes: dict[str, Any], expected: list[str]) -> None:
    assert told(choice(texts=False, **changes).ways(ChannelRule.PREFERRED, [])) == expected


@pytest.mark.parametrize(
    ("changes", "rule", "used", "expected"),
    [
        ({}, "preferred", [], ["post<email:failed"]),
        ({}, "other", ["email"], ["email<post:failed"]),
        ({}, "sms", ["email"], ["post<sms:failed"]),
        ({"street": None, "phone": None}, "preferred", [], ["email<post:no_address"]),
        ({"street": None, "phone": None, "email": None}, "preferred", [], []),
    ],
)
def test_what_could_not_be_sent_goes_another_way(
    changes: dict[str, Any], rule: str, used: list[str], expected: list[str]
) -> None:
    assert told(choice(**changes).after_failure(ChannelRule(rule), used)) == expected


def test_a_segment_has_an_order_of_its_own() -> None:
    own = ChannelOrder(preferred=[Channel.SMS, Channel.POST], other=[Channel.EMAIL])
    mine = choice(order=own, **MAIL_DEAD)
    assert told(mine.ways(ChannelRule.PREFERRED, [])) == ["sms<email:dead"]
    assert told(mine.ways(ChannelRule.OTHER, ["sms"])) == ["sms<email:dead"], "it leaves the post out"
    small = SmallAmounts(below=0)
    consumer = Choice(customer(kind="consumer"), Orders(STANDARD.order, small), 1, texts=True)
    assert told(consumer.ways(ChannelRule.OTHER, ["email"])) == ["post"]
