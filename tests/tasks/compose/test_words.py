"""What each message says, and what it must not say."""

import re
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import (
    ContactPerson,
    Item,
    ItemVersion,
    Payment,
    Plan,
    Promise,
)
from tasks.compose.outlook import KNOWN, what_next
from tasks.compose.subject import booked_by
from tests.tasks.compose.composing import consulted, letters, paid, planned, put, state, versioned, written
from tests.tasks.outbox_world import DAY, EARLIER, House, add


def test_a_reminder_says_everything_that_it_owes(house: House) -> None:
    account = house.customer()
    composed = house.written()
    (outgoing,) = letters(house, composed)
    row = composed.messages.row(0, named=True)
    assert (row["channel"], row["recipient"], row["language"]) == ("email", "k-1001@klant.example", "nl")
    assert row["message_ref"] == outgoing.message_ref
    assert outgoing.message_ref.endswith("@zuidermeer.example")
    assert len(outgoing.message_ref.partition("@")[0]) == 32
    assert row["written"] is True
    text = outgoing.text.replace("\xa0", " ")
    for piece in (
        "Beste J. de Vries",
        "F-2000",
        "F-2001",
        "€ 1.250,00",
        "€ 480,50",
        "€ 1.730,50",
        "volgens onze boeken op 11 maart 2026",
        "NL91 ABNA 0417 1643 00",
        "8000 0000 0020 1001",
        f"https://betalen.zuidermeer.example/?m={outgoing.message_ref.partition('@')[0]}",
        "Wilt u het uiterlijk 18 maart 2026 in orde maken?",
        "Horen wij tot en met 18 maart 2026 niets van u, dan schrijven wij u opnieuw.",
        "Marit de Boer",
    ):
        assert piece in text, piece
    assert outgoing.subject.replace("\xa0", " ") == "Herinnering: 2 facturen, samen € 1.730,50"
    assert outgoing.html is not None
    assert outgoing.reply_to == "debiteuren@zuidermeer.example"
    assert {item["item_id"] for item in outgoing.items} == set(account.item_ids)
    assert composed.pairs.rows() == [(outgoing.message_ref, account.action_id)]
    assert composed.unreachable.is_empty()
    assert set(composed.hashes["action_id"]) == {account.action_id}


@pytest.mark.parametrize(
    ("next_step", "country", "term"),
    [
        (date(2026, 3, 19), "NL", date(2026, 3, 18)),
        (date(2026, 3, 23), "NL", date(2026, 3, 20)),
        (date(2026, 5, 1), "NL", date(2026, 4, 29)),
        (date(2026, 4, 28), "NL", date(2026, 4, 24)),
    ],
    ids=["a day before", "over a weekend", "banks are closed on that day", "a holiday of the customer before"],
)
def test_a_term_is_over_and_its_payments_booked_before_the_next_step(next_step: date, country: str, term: date) -> None:
    assert booked_by(next_step, country) == term


@pytest.mark.parametrize(("step", "asked"), [("reminder", "18 maart"), ("second_notice", "17 maart")])
def test_what_is_asked_for_lies_before_the_next_step(house: House, step: str, asked: str) -> None:
    """A second notice comes six working days after the first, on 19 March, a call five after that."""
    house.customer(step)
    (outgoing,) = written(house)
    assert f"uiterlijk {asked} 2026" in outgoing.text
    assert f"tot en met {asked} 2026" in outgoing.text


@pytest.mark.parametrize(("amount", "named"), [(125000, True), (20000, False)])
def test_a_demand_names_the_agency_only_if_it_will_come_to_that(house: House, amount: int, named: bool) -> None:
    account = house.customer("final_demand", amounts=(amount,))
    consulted(house, account, "agree")
    for outgoing in written(house):
        assert ("incassobureau" in outgoing.text) is named
        assert "30 maart 2026" in outgoing.text


def test_what_comes_next_passes_over_steps_that_cannot_hold(house: House) -> None:
    journey = house.engine.pack(house.pack_id).journeys["forgetful"]
    rows = [("business", 125000, None, True), ("consumer", 20000, None, True), ("business", 4000, None, True)]
    known = pl.DataFrame(rows, schema=KNOWN, orient="row")
    found = what_next(journey, journey.steps["reminder"], known)
    assert [each and (str(each.kind), each.working_days) for each in found] == [
        ("message", 6),
        ("message", 6),
        ("message", 6),
    ]
    after_second = what_next(journey, journey.steps["second_notice"], known)
    assert after_second[0] is not None
    assert (str(after_second[0].kind), after_second[0].working_days) == ("call", 5)
    assert after_second[2] is None or str(after_second[2].kind) != "call"


@pytest.mark.parametrize(
    ("phone", "contact", "mark", "promised"),
    [
        ("06 12345678", None, None, True),
        ("020 1234567", None, ReachState.DOUBTFUL, True),
        (None, None, None, False),
        (None, "0687654321", None, True),
        ("06 12345678", None, ReachState.DEAD, False),
        ("06 12345678", "0687654321", ReachState.DEAD, True),
        ("06 12345678", "0687654321", ReachState.OPTED_OUT, False),
    ],
)
def test_a_call_is_promised_only_where_there_is_a_number_to_ring(
    house: House, phone: str | None, contact: str | None, mark: ReachState | None, promised: bool
) -> None:
    account = house.customer("second_notice", phone=phone)
    if contact:
        put(house, ContactPerson(**versioned(debtor_id=account.debtor_id, name="T", role="payables", phone=contact)))
    if mark and phone:
        put(house, state(account, "phone", phone.replace(" ", "-"), mark))
    outgoings = written(house)
    assert outgoings
    for outgoing in outgoings:
        text = outgoing.text.replace("\xa0", " ")
        assert ("belt een collega u" in text) is promised
        assert ("dan schrijven wij u opnieuw" in text) is not promised


def test_a_statement_lists_everything_and_demands_nothing(house: House) -> None:
    account = house.customer("statement", "habitual")
    with house.engine.database.session() as session:
        for number, kind, issued, due, amount in (
            ("F-9001", "invoice", DAY, DAY + timedelta(days=10), 30000),
            ("F-9002", "invoice", DAY + timedelta(days=1), DAY + timedelta(days=31), 77700),
            ("C-17", "credit_note", DAY - timedelta(days=5), DAY - timedelta(days=5), 4000),
        ):
            identity: dict[str, Any] = {
                "creditor_id": house.creditor_id,
                "debtor_id": account.debtor_id,
                "item_type": kind,
                "document_no": number,
                "issued_on": issued,
                "currency": "EUR",
            }
            item_id = add(session, Item(**identity, recorded_at=EARLIER))
            version = {**identity, "item_id": item_id, "due_on": due, "amount": amount, "open_amount": amount}
            add(session, ItemVersion(**version, valid_from=DAY, recorded_at=EARLIER))
    (outgoing,) = written(house)
    text = outgoing.text.replace("\xa0", " ")
    lines = {line.split()[0]: line for line in text.splitlines() if line.startswith(("F-", "C-", "Saldo"))}
    assert "vervallen" in lines["F-2000"]
    assert "nog niet vervallen" in lines["F-9001"]
    assert "in uw voordeel" in lines["C-17"]
    assert "€ -40,00" in lines["C-17"]
    assert "€ 1.990,50" in lines["Saldo"]
    assert "F-9002" not in text, "it is known of, and issued only tomorrow"


def test_a_plan_a_promise_and_a_payment_are_spoken_of(house: House) -> None:
    account = house.customer("confirm", "strained")
    put(house, planned(account, "active"))
    text = written(house)[0].text.replace("\xa0", " ")
    assert "25 maart 2026" in text
    assert "€ 1.153,66" in text


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("plan", ["active", "offered", None])
def test_thanks_for_a_part_ask_for_nothing_beside_a_plan(house: House, plan: str | None, language: str) -> None:
    account = house.customer("part_thanks", language=language)
    if plan:
        put(house, planned(account, plan))
    paid(house, account, DAY)
    (outgoing,) = written(house)
    text = outgoing.text.replace("\xa0", " ")
    asks = plan is None
    assert re.search("€ ?50[.,]00 (is aangekomen|has arrived)", text)
    assert ("Totaal te betalen" in text or "Total to pay" in text) is asks
    assert ("NL91 ABNA 0417 1643 00" in text.partition("IBAN NL91")[0]) is asks
    assert ("niets anders" in text or "nothing else" in text) is not asks
    assert ("25 maart 2026" in text or "25 March 2026" in text) is (plan == "active")


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(("state", "asks"), [("open", False), ("kept", True)])
def test_thanks_for_a_part_ask_for_nothing_while_a_promise_stands(
    house: House, state: str, language: str, *, asks: bool
) -> None:
    account = house.customer("part_thanks", language=language)
    known = versioned(case_id=account.case_id, round_id=1, source="debtor", actor="t", made_on=EARLIER.date())
    put(house, Promise(**known, promise_no="P-1", amount=173050, promised_on=DAY, state=state))
    paid(house, account, DAY)
    text = written(house)[0].text.replace("\xa0", " ")
    assert re.search("€ ?50[.,]00 (is aangekomen|has arrived)", text)
    assert ("Totaal te betalen" in text or "Total to pay" in text) is asks
    assert ("niets anders" in text or "nothing else" in text) is not asks


def test_a_promise_is_confirmed_with_its_date(house: House) -> None:
    account = house.customer("confirm", "strained")
    put(
        house,
        Promise(
            **versioned(
                promise_no="B-1",
                case_id=account.case_id,
                amount=100000,
                made_on=DAY,
                promised_on=date(2026, 3, 20),
                source="t",
                actor="t",
            )
        ),
        Payment(
            creditor_id=house.creditor_id,
            debtor_id=account.debtor_id,
            payment_no="X",
            paid_on=DAY,
            currency="EUR",
            amount=5000,
            applied=0,
            valid_from=DAY,
            recorded_at=EARLIER,
        ),
    )
    assert "U betaalt € 1.000,00 uiterlijk 20 maart 2026" in written(house)[0].text.replace("\xa0", " ")


def test_every_message_of_the_pack_says_its_amounts_in_every_language(house: House) -> None:
    """A believable case at every step that writes: no amount is missing, nothing is left blank."""
    steps: dict[tuple[str, str], tuple[str, str]] = {}
    for segment, journey in house.engine.pack(house.pack_id).journeys.items():
        for step in journey.steps.values():
            if step.template:
                steps.setdefault((step.template, step.tone), (step.name, segment))
    for language in ("en", "nl"):
        for name, segment in steps.values():
            account = house.customer(name, segment, language=language)
            parts = [{"due_on": "2026-03-25", "amount": 57684}, {"due_on": "2026-04-24", "amount": 115366}]
            known = versioned(case_id=account.case_id, source="t", actor="t")
            put(
                house,
                Plan(**known, plan_no=f"L-{account.action_id}", action_id=account.action_id, total=173050, items={},
                     instalments=parts, offered_on=DAY, valid_until=DAY + timedelta(days=14), state="offered"),
                Promise(**known, promise_no=f"B-{account.case_id}", amount=100000, made_on=DAY, promised_on=DAY,
                        state="broken"),
                Payment(creditor_id=house.creditor_id, debtor_id=account.debtor_id, payment_no=f"X{account.case_id}",
                        paid_on=DAY, currency="EUR", amount=5000, applied=0, valid_from=DAY, recorded_at=EARLIER),
            )  # fmt: skip
    composed = house.written()
    assert composed.unreachable.is_empty()
    assert composed.pairs["action_id"].n_unique() == 2 * len(steps)
    for outgoing in letters(house, composed):
        assert outgoing.subject.strip()
        sentences = [line for line in outgoing.text.splitlines() if line.rstrip().endswith((".", "?", "!", ":"))]
        assert len(sentences) > 1 or outgoing.channel is Channel.SMS
        prose = [outgoing.subject, *sentences]
        for line in prose:
            assert not re.search(r"\S  +\S|[ \xa0][,.;:!?](\s|$)|\(\s*\)|\*\*\s*\*\*", line), line
            assert not re.search(r"(€|EUR)\s*(?![\d\s-])", line.strip() + "$"), line


def test_a_notice_without_items_is_not_written(house: House) -> None:
    house.customer("reminder", "forgetful", amounts=())
    house.customer("confirm", "strained", amounts=())
    composed = house.written()
    assert composed.unreachable.select("reason", "detail").rows() == [
        ("nothing_left", "reminder asks for items, and none is named")
    ]
    assert composed.messages["template"].to_list() == ["confirm"]


@pytest.mark.parametrize(
    ("language", "said"), [("nl", "Niet in dit bedrag: € 50,00"), ("en", "Not in this amount: €50.00")]
)
def test_what_is_left_out_of_the_amount_is_said(house: House, language: str, said: str) -> None:
    account = house.customer("second_notice", language=language)
    assert said not in written(house)[0].text.replace("\xa0", " ")
    with house.engine.database.session() as session:
        session.execute(
            text(
                "ALTER TABLE action_item DISABLE TRIGGER ALL;"
                f" UPDATE action_item SET amount = amount - 5000 WHERE item_id = {account.item_ids[0]};"
                " ALTER TABLE action_item ENABLE TRIGGER ALL"
            )
        )
    assert said in written(house)[0].text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("language", "amount", "due", "greeting"),
    [
        ("en", "€1,250.00", "1 March 2026", "Dear J. de Vries,"),
        ("nl", "€\u00a01.250,00", "1 maart 2026", "Beste J. de Vries,"),
        ("de", "1.250,00\u00a0€", "1. März 2026", "Guten Tag J. de Vries,"),
        ("fr", "1\u202f250,00\u00a0€", "1er mars 2026", "Bonjour J. de Vries,"),
    ],
)
def test_amounts_and_dates_are_those_of_the_language_and_stay_in_one_piece(
    house: House, language: str, amount: str, due: str, greeting: str
) -> None:
    house.customer(amounts=(125000,), language=language)
    (outgoing,) = written(house)
    assert all(piece in outgoing.text for piece in (amount, due, greeting))
    assert amount in outgoing.subject
    assert f'lang="{language}"' in (outgoing.html or "")


def test_a_text_to_a_phone_has_no_signs_that_cost_it_half_its_room(house: House) -> None:
    house.customer("second_text", amounts=(12500,), language="fr", kind="consumer", phone="+31612345678")
    (outgoing,) = written(house)
    assert outgoing.channel is Channel.SMS
    assert "125,00 € (au 11 mars 2026), échue le 1er mars 2026" in outgoing.text
    assert not {"\u00a0", "\u202f", "’"} & set(outgoing.text)
