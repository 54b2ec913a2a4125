"""What the demo's customers do reaches the engine as it would from outside, and by the clock of the played day."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.inbox.reading import read_mail
from connectors.mail.returning import answer
from maatpak.demo.characters import CHARACTERS
from maatpak.demo.generate import WorldPlan, build_world, smaller
from maatpak.demo.outside import Outside
from maatpak.demo.play import Directly, at
from maatpak.demo.sayings import SAYINGS, customer_number, mail_of, meaning, quoted
from maatpak.demo.story import tell_story
from maatpak.demo.world import Customer, World
from maatpak.ledger.tables import Message
from tasks.engine import Engine
from tests.tasks.outbox_world import DAY, House
from tests.tasks.send.sending import messages, send

EVENING = at(DAY, time(18))
MAILBOX = "k-1001@klant.example"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(smaller(WorldPlan(), customers=20, documents=60))


@pytest.fixture
def customer(world: World) -> Customer:
    """Somebody of the world, with the mailbox of the house's first customer."""
    found = next(each for each in world.customers.values() if each.house == "NL01")
    found.email, found.contacts, found.mailbox_dead, found.mailbox_full = MAILBOX, [], False, False
    return found


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


@pytest.fixture
def outside(house: House, world: World, customer: Customer) -> Iterator[Outside]:
    assert not customer.mailbox_dead
    with closing(Outside(house.engine, world, ("NL01",))) as made:
        made.begin(DAY, EVENING)
        yield made


def evidence(house: House) -> list[str]:
    Directly(house.engine).receive(EVENING)
    rows = house.rows("SELECT kind, recorded_at FROM evidence WHERE kind <> 'accepted' ORDER BY id")
    assert all(row["recorded_at"] == EVENING for row in rows), "the played day's, not the machine's"
    return [row["kind"] for row in rows]


def sent(house: House, step: str = "reminder", **profile: Any) -> Message:
    house.customer(step, amounts=(9900,), **profile)
    house.written()
    send(house)
    (message,) = messages(house)
    return Message(**message)


def test_a_mailbox_that_is_gone_bounces_and_the_story_tells_it(
    house: House, outside: Outside, customer: Customer
) -> None:
    customer.mailbox_dead = True
    outside.begin(DAY, EVENING)
    sent(house)
    assert evidence(house) == ["bounced"]
    story = tell_story(house.engine.database, house.engine.store, DAY)
    assert story is not None
    told = "\n".join(happened for _, happened, _ in story.lines)
    assert "email bounced: 550 5.1.1 unknown_user\nemail address dead" in told


def test_a_full_mailbox_is_noted_and_condemns_nothing_at_once(
    house: House, outside: Outside, customer: Customer
) -> None:
    customer.mailbox_full = True
    outside.begin(DAY, EVENING)
    sent(house)
    assert evidence(house) == ["bounced"]
    assert house.rows("SELECT state, missed FROM address_state") == [{"state": "unproven", "missed": 1}]


def test_a_mail_that_arrived_is_told_and_answered(house: House, outside: Outside) -> None:
    message = sent(house)
    words = mail_of("J. de Vries", "K-1001", "nl", "promised") + quoted("nl", "11-03-2026", "Zuidermeer", "Herinnering")
    outside.write(message.recipient, "debiteuren@zuidermeer.example", "Re: Herinnering", words, message.message_ref)
    assert evidence(house) == ["delivered", "answered"]
    (answered,) = house.rows("SELECT content FROM answer")
    assert meaning(house.engine.store.get(answered["content"]).decode()) == "promised"


def test_a_persons_provider_tells_only_of_what_did_not_arrive(house: House, outside: Outside) -> None:
    sent(house, email="els@postvak.example")
    assert evidence(house) == []


def test_the_telephone_company_tells_twice_and_is_heard_once(house: House, outside: Outside) -> None:
    message = sent(house, "second_text", kind="consumer")
    assert evidence(house) == [], "nothing is told before the evening"
    assert message.service_ref is not None
    outside.report_text(message.service_ref, "delivered", None, 2)
    assert evidence(house) == ["delivered"]
    outside.text(message.recipient, "AFMELDEN")
    states = house.rows("SELECT state FROM address_state WHERE channel = 'sms' AND replaced_at IS NULL")
    assert states == [{"state": "opted_out"}]


def test_a_letter_is_printed_posted_and_comes_back(house: House, outside: Outside) -> None:
    message = sent(house, preferred_channel="post")
    outside.print_letters(DAY)
    assert evidence(house) == ["printed"]
    outside.print_letters(DAY)
    outside.return_letter(message.message_ref, DAY)
    assert sorted(evidence(house)) == ["handed_over", "printed", "returned"]
    assert [row["kind"] for row in house.rows("SELECT kind FROM work_task")] == ["repair"]


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("means", SAYINGS)
def test_whoever_reads_an_answer_understands_it(means: str, language: str) -> None:
    day = datetime.combine(date(2026, 2, 3), time(18), EVENING.tzinfo)
    words = mail_of("Zoë Öztürk", "NL10001", language, means) + quoted(
        language, "03-02-2026", "Ons B.V.", "Herinnering"
    )
    read = read_mail(answer("zoe@klant.example", "us@ours.example", "Re: Herinnering", words, day, "ref@ours.example"))
    assert read.received_at is not None
    assert format_datetime(read.received_at) == format_datetime(day)
    assert meaning(read.text) == means
    assert customer_number(read.text) == "NL10001"
    assert "Herinnering" not in read.text


def test_there_are_words_for_everything_that_customers_write() -> None:
    written = {
        means
        for nature in CHARACTERS.values()
        for means in nature.says
        if means.startswith("reason:") or means in ("promised", "plan_asked", "complaint", "spoke_no_commitment")
    }
    assert written == set(SAYINGS)
