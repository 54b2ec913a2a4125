"""Phrases that turn on what is known: a number to call, how many invoices, how many payments."""

import re
from datetime import timedelta
from typing import Any

import pytest

from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Item, ItemVersion
from tasks.engine import Engine
from tests.tasks.compose.composing import written
from tests.tasks.outbox_world import DAY, EARLIER, Account, House, add


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


def received(house: House, account: Account, *amounts: int) -> None:
    """Payments of the account that lie unallocated."""
    for at, amount in enumerate(amounts):
        identity: dict[str, Any] = {
            "creditor_id": house.creditor_id,
            "debtor_id": account.debtor_id,
            "item_type": "payment",
            "document_no": f"B-{at}",
            "issued_on": DAY - timedelta(days=2),
            "currency": "EUR",
        }
        with house.engine.database.session() as session:
            item_id = add(session, Item(**identity, recorded_at=EARLIER))
            money: dict[str, Any] = {"due_on": DAY, "amount": amount, "open_amount": amount, "valid_from": DAY}
            add(session, ItemVersion(**identity, **money, item_id=item_id, recorded_at=EARLIER))


@pytest.mark.parametrize(
    ("step", "segment", "language", "one", "many"),
    [
        ("courtesy", "forgetful", "fr", "pour qu’elle ne vous échappe pas", "pour qu’elles ne vous échappent pas"),
        ("readiness", "habitual", "fr", "Pour qu’elle puisse entrer", "Pour qu’elles puissent entrer"),
        ("readiness", "habitual", "en", "So that it can go", "So that they can go"),
        ("readiness", "habitual", "nl", "Zodat hij mee kan", "Zodat ze mee kunnen"),
        ("readiness", "habitual", "de", "kommen kann, wüssten", "kommen können, wüssten"),
    ],
)
def test_the_invoices_of_a_courtesy_agree_with_their_number(
    house: House, step: str, segment: str, language: str, one: str, many: str
) -> None:
    house.customer(step, segment, amounts=(125000,), language=language)
    house.customer(step, segment, amounts=(125000, 48050), language=language)
    single, several = (outgoing.text for outgoing in written(house))
    assert (one in single, many in single) == (True, False)
    assert (one in several, many in several) == (False, True)


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en", "book it to the right document.", "book them to the right documents."),
        ("nl", "het op het juiste document.", "ze op de juiste documenten."),
        ("de", "sie auf den richtigen Beleg.", "sie auf die richtigen Belege."),
        ("fr", "nous l’affecterons au bon document.", "nous les affecterons aux bons documents."),
    ],
)
def test_what_becomes_of_payments_agrees_with_their_number(house: House, language: str, one: str, many: str) -> None:
    received(house, house.customer("cash_question", language=language), 12000)
    received(house, house.customer("cash_question", language=language), 12000, 8000)
    single, several = (outgoing.text for outgoing in written(house))
    assert (one in single, many in single) == (True, False)
    assert (one in several, many in several) == (False, True)


@pytest.mark.parametrize("segment", ["prompt", "key"])
def test_who_writes_a_letter_of_their_own_may_be_anyone(house: House, segment: str) -> None:
    house.customer("personal_letter", segment, language="fr")
    for outgoing in written(house):
        assert "J’aimerais avoir de vos nouvelles" in outgoing.text
        assert not {"heureux", "reconnaissant"} & set(outgoing.text.split())


@pytest.mark.parametrize(
    ("step", "segment"), [("courtesy", "forgetful"), ("courtesy", "new"), ("readiness", "habitual")]
)
@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("en", "the first (on|due on) 1 March 2026"),
        ("nl", "de eerste (op|te betalen op) 1 maart 2026"),
        ("de", "die erste (am|fällig am) 1. März 2026"),
        ("fr", "la première (le|à payer le) 1er mars 2026"),
    ],
)
def test_of_several_invoices_only_the_first_falls_due_on_the_day_named(
    house: House, step: str, segment: str, language: str, first: str
) -> None:
    house.customer(step, segment, amounts=(125000,), language=language)
    house.customer(step, segment, amounts=(125000, 48050), language=language)
    house.customer(step, segment, amounts=(1250, 480), language=language, email=None, street=None, phone="+31612345678")
    single, several, text = written(house)
    assert text.channel is Channel.SMS
    assert not re.search(first, single.subject + single.text)
    assert re.search(first, plain(several.subject))
    assert re.search(first, plain(several.text))
    assert re.search(first, plain(text.text))
