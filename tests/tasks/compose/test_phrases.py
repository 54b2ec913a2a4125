"""Phrases that turn on what is known: a number to call, how many invoices, how many payments."""

import pytest

from tasks.engine import Engine
from tests.tasks.compose.composing import written
from tests.tasks.outbox_world import House


def plain(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("segment", ["forgetful", "strained"])
@pytest.mark.parametrize(
    ("language", "invitation"),
    [("en", "or call us"), ("nl", "of bel ons"), ("de", "oder rufen Sie uns an"), ("fr", "ou appelez-nous")],
)
@pytest.mark.parametrize("phone", ["+31 20 555 0100", None])
def test_nobody_is_asked_to_call_without_a_number(
    engine: Engine, phone: str | None, language: str, invitation: str, segment: str
) -> None:
    house = House(engine, phone=phone)
    house.customer("call", segment, language=language, phone=None)
    (outgoing,) = written(house)
    assert (invitation in outgoing.text) is (phone is not None)
    assert phone is None or phone in plain(outgoing.text)
