"""What a final demand says: in the number of its invoices, and with nothing that its own date belies."""

from typing import Any

import pytest

from connectors.message import Outgoing
from maatpak.kernel.words import Channel
from tests.tasks.compose.composing import consulted, letters
from tests.tasks.outbox_world import House


def demands(house: House, language: str, amounts: tuple[int, ...] = (125000,), **profile: Any) -> list[Outgoing]:
    """The demand of a customer whose account manager agreed, by e-mail and by post."""
    account = house.customer("final_demand", amounts=amounts, language=language, **profile)
    consulted(house, account, "agree")
    return letters(house, house.written())


def plain(outgoing: Outgoing) -> str:
    return outgoing.text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("language", "one", "several"),
    [
        (
            "en",
            ("Invoice F-2000 was due on 1 March 2026, and", "hand this item over"),
            ("The items below are past their due date, the oldest since 1 March 2026, and", "hand these items over"),
        ),
        (
            "nl",
            ("Factuur F-2000 is vervallen op 1 maart 2026, en", "dragen wij deze post over"),
            ("De posten hieronder zijn vervallen, de oudste op 1 maart 2026, en", "dragen wij deze posten over"),
        ),
        (
            "de",
            ("Rechnung F-2000 ist seit dem 1. März 2026 fällig, und", "übergeben wir diesen Posten an"),
            ("die unten genannten Posten sind fällig, der älteste seit dem 1. März 2026, und", "wir diese Posten an"),
        ),
        (
            "fr",
            ("La facture F-2000 est échue depuis le 1er mars 2026, et", "nous confierons ce document à"),
            ("Les documents ci-dessous sont échus, le plus ancien depuis le 1er mars 2026, et", "ces documents à"),
        ),
    ],
)
@pytest.mark.parametrize("amounts", [(125000,), (125000, 48050)])
def test_a_demand_speaks_of_one_invoice_or_of_the_oldest(
    house: House, amounts: tuple[int, ...], language: str, one: tuple[str, ...], several: tuple[str, ...]
) -> None:
    said, unsaid = (one, several) if len(amounts) == 1 else (several, one)
    outgoings = demands(house, language, amounts)
    assert {outgoing.channel for outgoing in outgoings} == {Channel.EMAIL, Channel.POST}
    for outgoing in outgoings:
        assert all(piece in plain(outgoing) for piece in said)
        assert not any(piece in plain(outgoing) for piece in unsaid)


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        ("en", ("Pay by 30 March 2026", "Ask for an arrangement", "never got the invoice"), "two weeks"),
        ("nl", ("Betaal uiterlijk 30 maart 2026", "Vraag om een regeling", "de factuur nooit kreeg"), "twee weken"),
        (
            "de",
            ("Zahlen Sie bis zum 30. März 2026", "um eine Vereinbarung", "nie angekommen"),
            "zwei Wochen",
        ),
        ("fr", ("Payez au plus tard le 30 mars 2026", "Demandez un arrangement", "jamais arrivée"), "deux semaines"),
    ],
)
def test_the_ways_out_of_a_demand_end_with_its_date(
    house: House, language: str, said: tuple[str, ...], unsaid: str
) -> None:
    for outgoing in demands(house, language):
        assert all(piece in plain(outgoing) for piece in said)
        assert unsaid not in plain(outgoing), "it would wait longer than its own date"


@pytest.mark.parametrize(
    ("language", "contact", "greeting", "closing"),
    [
        ("en", "J. de Vries", "Dear J. de Vries,", "Yours sincerely,"),
        ("nl", "J. de Vries", "Geachte J. de Vries,", "Hoogachtend,"),
        ("nl", None, "Geachte heer of mevrouw,", "Hoogachtend,"),
        ("de", "J. de Vries", "Sehr geehrte Damen und Herren,", "Mit freundlichen Grüßen"),
        ("fr", "J. de Vries", "Madame, Monsieur,", "Veuillez agréer, Madame, Monsieur, nos salutations distinguées."),
    ],
)
def test_a_demand_greets_and_closes_formally(
    house: House, language: str, contact: str | None, greeting: str, closing: str
) -> None:
    for outgoing in demands(house, language, contact_name=contact):
        lines = plain(outgoing).splitlines()
        assert lines[0] == greeting
        assert closing in lines
