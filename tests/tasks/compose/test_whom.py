"""Who is written to, in which language, and of whose items."""

from typing import Any

import polars as pl
import pytest

from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import (
    ContactPerson,
    Preference,
)
from tests.tasks.compose.composing import letters, put, sent_before, state, versioned, written
from tests.tasks.outbox_world import House


def test_cases_of_one_customer_in_two_currencies_make_one_message(house: House) -> None:
    first = house.customer()
    second = house.customer(amounts=(99900,), currency="GBP", account=first)
    composed = house.written()
    (outgoing,) = letters(house, composed)
    text = outgoing.text.replace("\xa0", " ")
    assert "€ 1.730,50 en £ 999,00" in text
    assert text.count("Totaal te betalen") == 2
    assert set(composed.pairs["action_id"]) == {first.action_id, second.action_id}


@pytest.mark.parametrize(
    ("preference", "profile", "contact", "spoken"),
    [
        ("en", "nl", "nl", "en"),
        (None, "nl", "en", "en"),
        (None, "en", None, "en"),
        (None, "de", None, "de"),
        (None, "es", None, "nl"),
        ("fr", "en", None, "fr"),
        ("it", "en", None, "nl"),
    ],
)
def test_the_language_is_the_customers_else_the_creditors(
    house: House, preference: str | None, profile: str, contact: str | None, spoken: str
) -> None:
    account = house.customer(language=profile)
    if preference:
        wish = versioned(debtor_id=account.debtor_id, name="language", value=preference, source="t", actor="t")
        put(house, Preference(**wish))
    if contact:
        person = versioned(debtor_id=account.debtor_id, name="Piet", role="payables", language=contact)
        put(house, ContactPerson(**person))
    assert written(house)[0].language == spoken


def test_the_contact_person_of_the_role_is_written_to(house: House) -> None:
    account = house.customer("manager_letter", "habitual")
    people = [
        ContactPerson(**versioned(debtor_id=account.debtor_id, name=name, role=role, email=f"{role}@klant.example"))
        for name, role in (("Paula", "payables"), ("Dirk", "decision_maker"))
    ]
    put(house, *people)
    by_channel = {each.channel: each for each in written(house)}
    assert by_channel[Channel.EMAIL].recipient.email == "decision_maker@klant.example"
    assert by_channel[Channel.POST].recipient.lines == (
        "Van den Heuvel & Zonen K-1001",
        "Dirk",
        "Keizersgracht 123",
        "1015 CJ Amsterdam",
    )
    assert "Beste Dirk" in by_channel[Channel.POST].text


def test_the_customers_wish_goes_before_the_role_of_the_template(house: House) -> None:
    account = house.customer()
    put(
        house,
        ContactPerson(
            **versioned(debtor_id=account.debtor_id, name="Eva", role="escalation", email="eva@klant.example")
        ),
        Preference(
            **versioned(debtor_id=account.debtor_id, name="contact_role", value="escalation", source="t", actor="t")
        ),
    )
    assert written(house)[0].recipient.email == "eva@klant.example"


@pytest.mark.parametrize(
    ("profile", "marked", "reason"),
    [
        ({"email": None, "street": None, "phone": None}, None, "no_address"),
        ({"street": None, "phone": None}, ReachState.OPTED_OUT, "opted_out"),
        ({"street": None, "phone": None}, ReachState.DEAD, "no_address"),
    ],
)
def test_who_cannot_be_told_is_reported_with_the_reason(
    house: House, profile: dict[str, Any], marked: ReachState | None, reason: str
) -> None:
    account = house.customer(**profile)
    if marked:
        put(house, state(account, "email", "k-1001@klant.example", marked))
    composed = house.written()
    assert composed.messages.is_empty()
    assert composed.unreachable.select("action_id", "reason").rows() == [(account.action_id, reason)]


def test_a_demand_without_a_postal_address_is_not_written(house: House) -> None:
    house.customer("final_demand", street=None)
    composed = house.written()
    assert composed.messages.is_empty()
    assert composed.unreachable["reason"].to_list() == ["no_address"]


def test_mails_of_a_case_make_one_thread(house: House) -> None:
    account = house.customer()
    sent_before(house, account, 9, Channel.EMAIL)
    sent_before(house, account, 5, Channel.POST)
    sent_before(house, account, 2, Channel.EMAIL)
    (outgoing,) = written(house)
    case = account.case_id
    assert outgoing.references == (
        f"before-{case}-9@zuidermeer.example",
        f"before-{case}-2@zuidermeer.example",
    )
    assert outgoing.in_reply_to == outgoing.references[-1]


def test_the_payer_is_written_to_and_told_whose_items_they_are(house: House) -> None:
    house.customer("personal_letter", "key")
    debtor = house.customer(language="en", payer_no="K-1001")
    demand = house.customer("final_demand", "habitual", language="en", payer_no="K-1001")
    composed = house.written()
    outgoing = dict(zip(composed.messages["case_id"].to_list(), letters(house, composed), strict=True))
    recipients = dict(composed.messages.select("case_id", "recipient").rows())
    assert recipients[debtor.case_id] == "k-1001@klant.example"
    assert "betaalt voor Van den Heuvel & Zonen K-1002, klantnummer K-1002" in outgoing[debtor.case_id].text
    assert "1003" in recipients[demand.case_id] or "Keizersgracht" in recipients[demand.case_id]
    assert "U betaalt voor" not in outgoing[demand.case_id].text
    assert "You pay for" not in outgoing[demand.case_id].text


def test_an_address_of_the_payer_that_died_for_one_customer_is_not_used_for_it(house: House) -> None:
    house.customer("personal_letter", "key")
    debtor = house.customer(payer_no="K-1001")
    put(house, state(debtor, "email", "k-1001@klant.example", ReachState.DEAD))
    composed = house.written()
    channels = dict(composed.messages.filter(pl.col("case_id") == debtor.case_id).select("case_id", "channel").rows())
    assert channels == {debtor.case_id: "post"}
