import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.message import Outgoing
from connectors.post.letters import letter_pdf
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import (
    ActionItem,
    ContactPerson,
    Creditor,
    Item,
    ItemVersion,
    Payment,
    Plan,
    Preference,
    Promise,
)
from policies.schema import Hours
from policies.vocabulary import VARIABLES, samples
from tasks.compose import compose, content_hashes, preview, queue_messages
from tasks.compose.context import booked_by
from tasks.compose.outlook import KNOWN, what_next
from tasks.engine import Engine
from tests.tasks.composing import consulted, letters, paid, put, sent_before, state, versioned, written
from tests.tasks.outbox_world import DAY, EARLIER, NOW, Account, House, add

HOURS = Hours(business="08:00-19:00", consumer="09:00-19:00")


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


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
        "K-1001 F-2000 F-2001",
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


def test_composing_again_gives_the_same_messages_and_queues_nothing(house: House) -> None:
    house.customer()
    first = house.written()
    with house.engine.database.frames() as frames:
        again = compose(house.engine, frames, pl.DataFrame({"action_id": [house.accounts[0].action_id]}), DAY, NOW)
        assert queue_messages(frames, again) == 0
    assert again.messages.equals(first.messages)
    assert again.hashes.equals(first.hashes)
    assert len(house.rows("SELECT 1 AS one FROM message")) == 1


def test_other_words_for_the_same_action_are_not_a_second_message(house: House) -> None:
    account = house.customer()
    house.written()
    put(house, Preference(**versioned(debtor_id=account.debtor_id, name="language", value="en", source="t", actor="t")))
    changed = house.written()
    assert changed.messages["language"].to_list() == ["en"]
    assert len(house.rows("SELECT 1 AS one FROM message")) == 1


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
        (None, "de", None, "nl"),
        ("fr", "en", None, "nl"),
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


def test_a_letter_is_whole_and_can_be_set(house: House) -> None:
    house.customer("manager_letter", "habitual", preferred_channel="post")
    (outgoing,) = [each for each in written(house) if each.channel is Channel.POST]
    assert outgoing.letter is not None
    assert outgoing.letter["pay"]["minor"] == 173050
    assert ["Uw klantnummer", "K-1001"] in outgoing.letter["particulars"]
    assert letter_pdf(outgoing).startswith(b"%PDF")


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
    parts = [{"due_on": "2026-03-25", "amount": 57684}, {"due_on": "2026-04-24", "amount": 115366}]
    put(
        house,
        Plan(
            **versioned(
                plan_no="P-1",
                case_id=account.case_id,
                total=173050,
                items={},
                instalments=parts,
                offered_on=DAY,
                valid_until=DAY,
                state="active",
                source="t",
                actor="t",
            )
        ),
    )
    text = written(house)[0].text.replace("\xa0", " ")
    assert "25 maart 2026" in text
    assert "€ 1.153,66" in text


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(("agreed", "asks"), [("active", False), ("offered", True)])
def test_thanks_for_a_part_ask_for_nothing_beside_an_agreed_plan(
    house: House, agreed: str, language: str, *, asks: bool
) -> None:
    account = house.customer("part_thanks", language=language)
    parts = [{"due_on": "2026-03-25", "amount": 57684}, {"due_on": "2026-04-24", "amount": 115366}]
    known = versioned(case_id=account.case_id, source="t", actor="t", offered_on=DAY, valid_until=DAY)
    put(house, Plan(**known, plan_no="P-1", total=173050, items={}, instalments=parts, state=agreed))
    paid(house, account, DAY)
    (outgoing,) = written(house)
    text = outgoing.text.replace("\xa0", " ")
    assert re.search("€ ?50[.,]00 (is aangekomen|has arrived)", text)
    assert ("Totaal te betalen" in text or "Total to pay" in text) is asks
    assert ("NL91 ABNA 0417 1643 00" in text.partition("IBAN NL91")[0]) is asks
    assert ("niets anders" in text or "nothing else" in text) is not asks
    assert ("25 maart 2026" in text or "25 March 2026" in text) is not asks


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


def change_item(house: House, account: Account) -> None:
    other = house.customer()
    put(house, ActionItem(action_id=account.action_id, item_id=other.item_ids[0], amount=100))


def change_address(house: House, account: Account) -> None:
    put(house, state(account, "email", "k-1001@klant.example", ReachState.DEAD))


def change_language(house: House, account: Account) -> None:
    put(house, Preference(**versioned(debtor_id=account.debtor_id, name="language", value="en", source="t", actor="t")))


def change_creditor(**values: Any) -> Callable[[House, Account], None]:
    def change(house: House, account: Account) -> None:
        with house.engine.database.session() as session:
            creditor = session.get_one(Creditor, house.creditor_id)
            for name, value in values.items():
                setattr(creditor, name, value)

    return change


def change_look(text: str) -> Callable[[House, Account], None]:
    def change(house: House, account: Account) -> None:
        folder = house.engine.settings.workspace / "looks"
        folder.mkdir()
        (folder / "NL1.yaml").write_text(text)

    return change


def change_copy(house: House, account: Account) -> None:
    (house.engine.settings.workspace / "documents" / "f.pdf").write_bytes(b"%PDF-another")


CHANGES = {
    "items": change_item,
    "address": change_address,
    "language": change_language,
    "account": change_creditor(iban="NL02ABNA0123456789"),
    "bank": change_creditor(bic="RABONL2U"),
    "payment page": change_creditor(payment_url="https://elsewhere.example/"),
    "sender": change_creditor(name="Somebody Else B.V."),
    "registration": change_creditor(registration_no="KVK 2"),
    "signatory": change_look("signatory: {name: I. Impostor}"),
    "footer": change_look("footer: [Elsewhere]"),
    "copy": change_copy,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_approval_binds_to_items_amounts_recipient_and_text(
    house: House, change: Callable[[House, Account], None]
) -> None:
    folder = house.engine.settings.workspace / "documents"
    folder.mkdir()
    (folder / "f.pdf").write_bytes(b"%PDF-copy")
    step = "reminder" if change is change_copy else "personal_letter"
    account = house.customer(step, "habitual" if change is change_copy else "key", documents=("f.pdf",))
    with house.engine.database.frames(read_only=True) as frames:
        shown = content_hashes(house.engine, frames, [account.action_id], DAY, NOW)
        next_day = content_hashes(
            house.engine, frames, [account.action_id], DAY + timedelta(days=1), NOW + timedelta(days=1)
        )
    assert shown == next_day
    change(house, account)
    with house.engine.database.frames(read_only=True) as frames:
        assert content_hashes(house.engine, frames, [account.action_id], DAY, NOW) != shown


def test_a_preview_is_what_would_go_out_and_keeps_nothing(house: House) -> None:
    account = house.customer()
    with house.engine.database.frames(read_only=True) as frames:
        ((action_id, shown),) = preview(house.engine, frames, [account.action_id], DAY, NOW)
    assert action_id == account.action_id
    assert not (house.engine.settings.workspace / "evidence" / "message").exists()
    assert written(house) == [shown]


def test_copies_go_along_only_from_the_documents_folder(house: House) -> None:
    house.customer(documents=("f-2000.pdf", "../secret.pdf"))
    folder = house.engine.settings.workspace / "documents"
    folder.mkdir()
    (folder / "f-2000.pdf").write_bytes(b"%PDF-copy")
    (house.engine.settings.workspace / "secret.pdf").write_bytes(b"secret")
    (outgoing,) = written(house)
    (attachment,) = outgoing.attachments
    assert (attachment.name, attachment.media_type) == ("F-2000.pdf", "application/pdf")
    assert house.engine.store.get(attachment.evidence) == b"%PDF-copy"
    assert "U vindt een kopie in de bijlage." in outgoing.text


def test_a_creditors_look_is_plain_settings(house: House) -> None:
    folder = house.engine.settings.workspace / "looks"
    folder.mkdir()
    (folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')
    look = folder / "NL1.yaml"
    look.write_text(
        'colour: "#aa3300"\nlogo: logo.svg\nfooter: [Zuidermeer, Utrecht]\n'
        "signatory: {name: Anna Bakker, title: Teamleider, phone: '+31 20 555 0199'}\n"
    )
    house.customer(preferred_channel="post")
    (outgoing,) = written(house)
    assert outgoing.letter is not None
    assert outgoing.letter["look"] == {"colour": "#aa3300", "footer": ["Zuidermeer", "Utrecht"]}
    assert outgoing.letter["logo"].startswith("<svg")
    assert "Anna Bakker" in outgoing.text
    assert letter_pdf(outgoing).startswith(b"%PDF")
    look.write_text("colour: red\n")
    with pytest.raises(UsageError, match="does not hold"):
        house.written()
    look.write_text("logo: ../link.key\n")
    with pytest.raises(UsageError, match="is no SVG file"):
        house.written()


def test_the_context_is_what_the_vocabulary_says(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from policies.render import Templates

    seen: list[dict[str, Any]] = []
    render = Templates.render

    def noting(self: Templates, template: str, tone: str, channel: Channel, language: str, context: Any) -> Any:
        seen.append(context)
        return render(self, template, tone, channel, language, context)

    house.customer()
    monkeypatch.setattr(Templates, "render", noting)
    house.written()
    context, sample = seen[-1], next(samples())
    assert context.keys() == sample.keys()
    for name, variable in VARIABLES.items():
        if variable.fields and context.get(name) and not variable.many:
            assert set(context[name]) >= set(variable.fields), name


def test_mails_wait_for_their_hour_and_letters_do_not(house: House) -> None:
    house.customer("reminder", "prompt")
    composed = house.written(NOW.replace(hour=5))
    waits = dict(composed.messages.select("channel", "send_after").iter_rows())
    assert waits == {"email": NOW.replace(hour=7), "post": None}


def test_an_evidence_file_is_erasable_and_the_row_says_nothing_personal(house: House, workspace: Path) -> None:
    house.customer()
    composed = house.written()
    key = composed.messages["content"].item()
    path = house.engine.store.path(key)
    assert path is not None
    assert path.is_relative_to(workspace)
    assert Outgoing.from_json(path.read_bytes()) == replace(letters(house, composed)[0])


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
