"""The page that a customer opens from a mail: what it shows, what it records, and what it refuses."""

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page as Sheet

from maatpak.console.preferences.drawing import LANGUAGES, words_of
from maatpak.console.preferences.form import form_mark
from maatpak.console.preferences.routes import LONGEST
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.links import PREFERENCES_PATH, preferences_token, reference_in
from policies.wording import FORBIDDEN, PROMOTION, THREATS, words_found
from tasks.engine import Engine
from tasks.receive.pages import MOST_A_DAY, VALID, read_page
from tests.browser import LOOKS, PHONE, Chromium, look, objections, page_of
from tests.console.serving import PATIENCE, served
from tests.flows.conftest import free_port
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import messages, run_sql, send

KEY = "for tests only"


@pytest.fixture
def house(engine: Engine) -> House:
    """A house whose customer got a mail just now."""
    house = House(engine)
    house.engine.settings = engine.settings.model_copy(update={"public_url": "https://maatpak.example"})
    house.customer()
    house.written()
    send(house)
    return house


@pytest.fixture
def site(house: House) -> Iterator[str]:
    """The application; its address."""
    with served(house.engine, free_port(), FixedClock(NOW)) as address:
        yield address


def token(house: House) -> str:
    (message,) = messages(house)
    return preferences_token(KEY, message["message_ref"].partition("@")[0])


def path(house: House) -> str:
    return f"{PREFERENCES_PATH}/{token(house)}"


def post(house: House, site: str, mark: str | None = None, **fields: Any) -> httpx.Response:
    """Send the form as a browser would, from a page drawn just now."""
    form = {"form": mark or form_mark(KEY, token(house), NOW), **fields}
    return httpx.post(f"{site}{path(house)}?language=nl", data=form, timeout=PATIENCE)


def recorded(house: House) -> dict[str, int]:
    """How many rows there are of all that the page may write."""
    tables = ("incoming", "answer", "preference", "address_state", "work_task", "event", "evidence")
    return {each: house.rows(f"SELECT count(*) AS n FROM {each}")[0]["n"] for each in tables}


def answers(house: House) -> list[str]:
    return [
        house.engine.store.get(row["content"]).decode() for row in house.rows("SELECT content FROM answer ORDER BY id")
    ]


def test_the_mail_carries_the_link_and_no_header_of_lists(house: House) -> None:
    from connectors.message import Outgoing

    (message,) = messages(house)
    outgoing = Outgoing.from_json(house.engine.store.get(message["content"]))
    link = f"https://maatpak.example{path(house)}"
    assert f"zonder in te loggen: {link}" in outgoing.text
    assert f'href="{link}"' in (outgoing.html or "")
    assert not any("unsubscribe" in name.lower() for name in outgoing.headers)


def test_without_a_public_address_it_is_a_mail_with_the_reference_that_finds_its_way(engine: Engine) -> None:
    from connectors.inbox.reading import read_mail
    from connectors.message import Outgoing
    from tasks.receive.matching import owner_of_mail

    house = House(engine)
    house.customer()
    house.written()
    (message,) = messages(house)
    outgoing = Outgoing.from_json(house.engine.store.get(message["content"]))
    reference = message["message_ref"][:10]
    found = re.search(r'href="(mailto:[^"]+)"', outgoing.html or "")
    assert found is not None
    assert html.unescape(found[1]) == f"mailto:debiteuren@zuidermeer.example?subject=Ons%20kenmerk%20{reference}"
    assert f"debiteuren@zuidermeer.example (Ons kenmerk {reference})" in outgoing.text
    answer = read_mail(f"From: a@elsewhere.example\r\nSubject: Re: Ons kenmerk {reference}\r\n\r\nBel mij.".encode())
    stranger = read_mail(b"From: a@elsewhere.example\r\nSubject: Ons kenmerk 0123456789\r\n\r\nBel mij.")
    with house.engine.database.reading() as session:
        owner = owner_of_mail(session, None, answer)
        assert owner is not None
        assert owner.message_id == message["id"]
        assert owner_of_mail(session, None, stranger) is None


def test_looking_changes_nothing_and_tells_no_amount_and_no_name(house: House, site: str) -> None:
    before = recorded(house)
    for method in ("GET", "HEAD", "GET"):
        answer = httpx.request(method, f"{site}{path(house)}", timeout=PATIENCE)
    assert answer.status_code == 200
    assert recorded(house) == before
    assert "Zuidermeer Techniek" in answer.text
    for told in ("1.250", "1.730", "Heuvel", "Vries", "klant.example", "12345678", "Keizersgracht", "F-20", "K-1001"):
        assert told not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in answer.text


def test_what_is_said_lies_on_the_case_as_an_answer_of_the_customer(house: House, site: str) -> None:
    before = recorded(house)
    answer = post(house, site, answer="will_pay", date="20-03-2026", words="Per bank.\r\n<b>Groet</b>")
    assert answer.status_code == 200
    assert "Een collega leest uw antwoord." in answer.text
    assert answers(house) == ["Wij betalen op deze datum: 2026-03-20\n\nPer bank.\n<b>Groet</b>"]
    assert house.rows("SELECT kind FROM work_task") == [{"kind": "reply"}]
    (row,) = house.rows("SELECT case_id, channel, message_id FROM answer")
    assert row == {"case_id": house.accounts[0].case_id, "channel": "email", "message_id": messages(house)[0]["id"]}
    kinds = {row["kind"] for row in house.rows("SELECT kind FROM evidence")}
    assert kinds == {"accepted", "link_used", "answered"}
    events = house.rows("SELECT actor, kind FROM event ORDER BY seq")[before["event"] :]
    assert {each["actor"] for each in events} == {"customer"}
    assert "page_sent" in {each["kind"] for each in events}
    assert house.rows("SELECT count(*) AS n FROM promise") == [{"n": 0}], "a person takes promises"


def test_a_form_sent_twice_counts_once(house: House, site: str) -> None:
    mark = form_mark(KEY, token(house), NOW)
    assert post(house, site, mark, answer="paid").status_code == 200
    after = recorded(house)
    assert post(house, site, mark, answer="paid").status_code == 200
    assert recorded(house) == after


def test_what_else_a_form_says_when_it_is_sent_again_counts_too(house: House, site: str) -> None:
    mark = form_mark(KEY, token(house), NOW)
    assert post(house, site, mark, answer="paid").status_code == 200
    assert post(house, site, mark, stop="email").status_code == 200
    assert house.rows("SELECT state FROM address_state WHERE replaced_at IS NULL") == [{"state": "opted_out"}]
    assert len(answers(house)) == 1


def test_wishes_are_obeyed_at_once_and_need_nobody(house: House, site: str) -> None:
    answer = post(house, site, channel="post", write_in="fr", stop="email")
    assert answer.status_code == 200
    assert "geen e-mails meer" in answer.text
    wishes = house.rows("SELECT name, value, source, actor FROM preference ORDER BY name")
    assert wishes == [
        {"name": name, "value": value, "source": "page", "actor": "customer"}
        for name, value in (("channel", "post"), ("language", "fr"))
    ]
    state = "SELECT address, state FROM address_state WHERE replaced_at IS NULL"
    assert house.rows(state) == [{"address": "k-1001@klant.example", "state": "opted_out"}]
    assert house.rows("SELECT 1 AS one FROM work_task") == []
    page = httpx.get(f"{site}{path(house)}", timeout=PATIENCE).text
    assert 'value="email"' not in page, "what is no longer there cannot be chosen"
    assert 'value="sms"' in page


def test_a_channel_to_be_silent_is_not_preferred(house: House, site: str) -> None:
    assert post(house, site, channel="sms", stop="sms").status_code == 200
    assert house.rows("SELECT 1 AS one FROM preference") == []
    state = "SELECT channel, address FROM address_state WHERE state = 'opted_out'"
    assert house.rows(state) == [{"channel": "sms", "address": "+31612345678"}]


def test_who_else_should_read_it_is_for_a_person_to_see(house: House, site: str) -> None:
    post(house, site, wrong_person="yes", others="Mia Bos, mia@klant.example")
    (words,) = answers(house)
    assert "niet de juiste persoon" in words
    assert "Mia Bos, mia@klant.example" in words
    assert house.rows("SELECT 1 AS one FROM contact_person") == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "nog niets gekozen"),
        ({"answer": "bribe"}, "Kies een van de antwoorden"),
        ({"answer": "will_pay"}, "Geef de datum waarop u betaalt."),
        ({"answer": "will_pay", "date": "soon"}, "binnen een jaar"),
        ({"answer": "will_pay", "date": (DAY - timedelta(days=1)).isoformat()}, "binnen een jaar"),
        ({"answer": "will_pay", "date": date(2031, 1, 1).isoformat()}, "binnen een jaar"),
        ({"words": "a" * 2001}, "langer dan 2000 tekens"),
        ({"others": "a" * 201}, "langer dan 200 tekens"),
        ({"channel": "pigeon", "write_in": "xx", "stop": "post"}, "nog niets gekozen"),
    ],
)
def test_what_does_not_hold_is_said_and_kept(house: House, site: str, fields: dict[str, str], told: str) -> None:
    before = recorded(house)
    answer = post(house, site, **fields)
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert recorded(house) == before


def test_only_a_form_that_we_drew_for_this_page_is_taken(house: House, site: str) -> None:
    before = recorded(house)
    marks = (
        "1-2",
        form_mark("another key", token(house), NOW),
        form_mark(KEY, "another page", NOW),
        form_mark(KEY, token(house), NOW - timedelta(days=2)),
        form_mark(KEY, token(house), NOW + timedelta(days=2)),
    )
    for mark in marks:
        answer = post(house, site, mark, answer="paid", words="Vorige week")
        assert answer.status_code == 422
        assert "stond lang open" in answer.text
        assert "Vorige week" in answer.text, "nothing has to be written twice"
    assert recorded(house) == before


@pytest.mark.parametrize("bad", ["x", "0" * 32 + "-" + "0" * 24, "%00", "..%2F..", "a" * 5000, "é", "' OR 1=1 --"])
def test_a_token_that_is_none_gives_a_plain_page(house: House, site: str, bad: str) -> None:
    for method in ("GET", "POST"):
        answer = httpx.request(
            method, f"{site}{PREFERENCES_PATH}/{bad}", content=b"form=1&answer=paid", timeout=PATIENCE
        )
        assert answer.status_code == 404
        assert "Traceback" not in answer.text


def test_a_token_is_of_one_message_and_ends(house: House) -> None:
    other = preferences_token("another key", token(house).partition("-")[0])
    assert reference_in(KEY, other) is None
    assert reference_in(KEY, token(house)) == token(house).partition("-")[0]
    assert read_page(house.engine, token(house), NOW) is not None
    assert read_page(house.engine, token(house), NOW + VALID + timedelta(days=1)) is None


def test_too_much_is_refused(house: House, site: str) -> None:
    assert post(house, site, words="a" * LONGEST).status_code == 413
    for seconds in range(MOST_A_DAY):
        mark = form_mark(KEY, token(house), NOW - timedelta(seconds=seconds))
        assert post(house, site, mark, answer="paid").status_code == 200
    after = recorded(house)
    refused = post(house, site, form_mark(KEY, token(house), NOW - timedelta(seconds=99)), answer="paid")
    assert refused.status_code == 429
    assert recorded(house) == after
    run_sql(house, "UPDATE incoming SET received_at = received_at - interval '25 hours'")
    assert (
        post(house, site, form_mark(KEY, token(house), NOW - timedelta(seconds=99)), answer="paid").status_code == 200
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_all_there_and_friendly(language: str) -> None:
    words = words_of(language)
    assert words.keys() == words_of("en").keys()
    text = "\n".join(words.values())
    assert [found for lists in (FORBIDDEN, THREATS, PROMOTION) for found in words_found(lists, language, text)] == []
    for name in ("date", "creditor", "most"):
        assert text.count(f"{{{name}}}") == "\n".join(words_of("en").values()).count(f"{{{name}}}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_finds_nothing_to_object(house: House, site: str, language: str, chromium: Chromium) -> None:
    bad = httpx.post(f"{site}{path(house)}?language={language}", data={"answer": "will_pay"}, timeout=PATIENCE).text
    assert chromium.do(lambda browser: _looked_at(browser, f"{site}{path(house)}?language={language}", bad)) == []


def _looked_at(browser: Any, address: str, bad: str) -> list[str]:
    found = []
    with page_of(browser, bypass_csp=False) as page:
        page.goto(address)
        for number, (size, scheme) in enumerate(LOOKS):
            look(page, size, scheme)
            found += objections(page, rules=("color-contrast", "target-size") if number else ())
        page.set_content(bad)
        found += objections(page)
        page.goto(f"{address.partition(PREFERENCES_PATH)[0]}{PREFERENCES_PATH}/nothing")
        found += objections(page)
    return found


def test_a_customer_with_a_phone_and_no_script_answers(house: House, site: str, chromium: Chromium) -> None:
    def visit(browser: Any) -> str:
        with page_of(browser, scripts=False, viewport={"width": PHONE[0], "height": PHONE[1]}) as page:
            page.goto(f"{site}{path(house)}")
            page.get_by_role("link", name="English").click()
            page.get_by_role("button", name="Send").click()
            assert "You have not chosen or written anything yet." in page.get_by_role("alert").inner_text()
            _fill(page)
            page.get_by_role("button", name="Send").click()
            return page.get_by_role("main").inner_text()

    said = chromium.do(visit)
    assert "Thank you, that is noted" in said
    assert "You get no more text messages from us." in said
    assert answers(house) == ["We never got the invoice\n\nPlease send it again."]
    assert house.rows("SELECT name, value FROM preference") == [{"name": "language", "value": "en"}]


def _fill(page: Sheet) -> None:
    page.get_by_label("We never got the invoice").check()
    page.get_by_label("In your own words").fill("Please send it again.")
    page.get_by_label("Language", exact=True).select_option(label="English")
    page.get_by_label("No more text messages").check()
