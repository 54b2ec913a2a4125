"""What a plan asks for, offered or agreed: its first instalment, and nothing of the rest yet."""

import re

import pytest

from tests.tasks.compose.composing import planned, put, written
from tests.tasks.outbox_world import House


@pytest.mark.parametrize(
    ("language", "now", "way"),
    [
        ("nl", "alleen de eerste termijn: € 576,84 uiterlijk 25 maart 2026.", "- Zeg ja, en betaal de eerste termijn"),
        (
            "en",
            "only the first instalment is to be paid now: €576.84 by 25 March 2026.",
            "- Say yes, and pay the first instalment",
        ),
        (
            "de",
            "jetzt nur die erste Rate zu zahlen: 576,84 € bis zum 25. März 2026.",
            "- Sagen Sie Ja, und zahlen Sie die erste Rate",
        ),
        (
            "fr",
            "seul le premier versement est à payer maintenant : 576,84 € au plus tard le 25 mars 2026.",
            "- Dites oui, et payez le premier versement",
        ),
    ],
)
@pytest.mark.parametrize("step", ["plan_offer", "soft_reminder"])
def test_an_offer_to_pay_in_parts_asks_for_the_first_part_alone(
    house: House, step: str, language: str, now: str, way: str
) -> None:
    account = house.customer(step, "strained", language=language, preferred_channel="post")
    put(house, planned(account, "offered"))
    (outgoing,) = written(house)
    text = outgoing.text.replace("\xa0", " ").replace("\u202f", " ")
    assert now in text
    assert way in text
    assert not re.search("te betalen|[Tt]o pay|[Zz]u zahlen insgesamt|Total à payer", text)
    pay = (outgoing.letter or {})["pay"]
    assert (pay["minor"], pay["currency"]) == (57684, "EUR"), "the code to scan says so too"
    assert pay["amount"].replace("\xa0", " ") in now
    (table,) = (outgoing.letter or {})["tables"]
    assert table["columns"][-1] == "open"


def test_an_agreed_plan_is_confirmed_with_what_is_to_be_paid_first(house: House) -> None:
    account = house.customer("confirm", "strained")
    put(house, planned(account, "active"))
    (outgoing,) = written(house)
    text = outgoing.text.replace("\xa0", " ")
    assert "Voor de eerste termijn, € 576,84 uiterlijk 25 maart 2026: IBAN NL91 ABNA 0417 1643 00" in text
