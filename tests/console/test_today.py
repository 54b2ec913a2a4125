"""Today: what waits for whom, what is wrong, how the money stands, and every figure down to its list."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

from sqlmodel import select

from maatpak.console.charts.drawing import INKS, Scheme
from maatpak.kernel.words import WorkKind
from maatpak.ledger.failures import keep_failure
from maatpak.ledger.tables import Answer, ChangeRequest, Person, WorkTask
from tasks.access.sight import give_sight
from tasks.audit.proving import prove_chain
from tasks.figures import FIGURES
from tests.console.conftest import At
from tests.console.house import Console, words_of
from tests.tasks.outbox_world import House

KEYS = {"bucket": "31-60", "segment_bucket": "forgetful:31-60", "month": "2026-02", "week": "2026-03-02"}
MOST_QUERIES = 15


def test_the_first_page_says_how_the_money_stands_and_draws_it(at: At) -> None:
    console = at("demanding")
    browser = console.browser("max")
    with console.counting() as sent:
        page = browser.get("/")
    assert len(sent) <= MOST_QUERIES, "\n\n".join(sent)
    words = words_of(page)
    assert "business date Monday 30 Mar 2026, its data are of the same day" in words
    assert "1 Steps that need your approval" in words
    assert "Overdue €1,500 unchanged since Fri 27 Mar" in words
    assert "DSO 90.0 days" in words
    assert "Collection effectiveness – not known yet" in words
    assert "Segment current 1-30 31-60 61-90 90+ Forgetful – – €1,500.00 – –" in words
    pictures = [unescape(each) for each in re.findall(r'(?:src|srcset)="(/charts/[^"]+)"', page.text)]
    assert len(pictures) == 4 * len(re.findall("<picture>", page.text)) >= 12
    drawn = {each: console.browser("max").get(each) for each in pictures[:4]}
    assert {each.status_code for each in drawn.values()} == {200}
    assert {each.headers["cache-control"] for each in drawn.values()} == {"private, max-age=86400, immutable"}
    dark = next(each for path, each in drawn.items() if "scheme=dark" in path)
    assert INKS[Scheme.DARK].text in dark.text
    assert console.stranger().get(pictures[0]).status_code == 401
    assert console.browser("ada").get(pictures[0]).status_code == 403, "who sees no figures sees no charts"
    House(console.engine, code="NL2")
    _see_only(console, "max", "ACME")
    foreign = pictures[0].replace("creditor=ACME", "creditor=NL2")
    assert [console.browser("max").get(path).status_code for path in (foreign, "/charts/nothing.svg")] == [404, 404]
    refused = console.browser("max").get("/", creditor="NL2")
    assert "You see no creditor 'NL2'. You see: ACME." in words_of(refused)


def _see_only(console: Console, login: str, code: str) -> None:
    with console.engine.database.session() as session:
        person = session.exec(select(Person).where(Person.login == login)).one()
        creditor_id = console.rows("SELECT id FROM creditor WHERE code = :code", code=code)[0]["id"]
        give_sight(session, int(person.id or 0), [creditor_id])


def test_each_role_sees_what_waits_for_it_and_what_is_wrong(at: At) -> None:
    console = at("demanding")
    assert "never been verified" in words_of(console.browser("audrey").get("/"))
    prove_chain(console.engine, console.clock.now())
    calm = words_of(console.browser("audrey").get("/"))
    assert "Nothing waits for you." in calm
    assert "All is as it should be." in calm
    for login in ("ada", "colin"):
        assert "approval" not in words_of(console.browser(login).get("/"))
    _trouble(console)
    said = words_of(console.browser("colin").get("/"))
    assert "1 Answers nobody has read 1 late" in said
    assert "An answer at ACME lies unread for more than two working days" in said
    assert "An address at ACME is dead" in said
    assert "A failure was written down" in said
    ada = console.browser("ada").get("/")
    assert "1 Changes of rights" in words_of(ada)
    assert "Overdue" not in words_of(ada)
    told = console.program("max").get("/api/v1/").json()
    assert [each["name"] for each in told["alarms"]] == ["unanswered", "dead", "failures"]
    leads = {each["link"]: console.browser("max").get(each["link"]).status_code for each in told["alarms"]}
    assert set(leads.values()) == {200}, leads
    assert {each["name"]: each["count"] for each in told["waiting"]} == {"approvals": 1, "answers": 1, "work": 1}
    assert [(each["name"], each["value"]) for each in told["tiles"][:1]] == [("overdue", "150000")]


def _trouble(console: Console) -> None:
    """An answer that lies unread, a dead address, a failure, and a change of rights that is asked for."""
    case = console.rows('SELECT id AS case_id, creditor_id, debtor_id FROM "case"')[0]
    day: date = console.rows("SELECT business_date FROM creditor")[0]["business_date"]
    old, now = day - timedelta(days=7), console.clock.now()
    common: dict[str, Any] = {**case, "channel": "email", "recorded_at": now}
    with console.engine.database.session() as session:
        person = session.exec(select(Person).where(Person.login == "colin")).one()
        session.add_all(
            [
                Answer(**common, answer_no="A9", received_on=old, valid_from=old),
                WorkTask(**common, kind=WorkKind.REPAIR, subject="Find", role="collector", opened_on=old, due_on=day),
                ChangeRequest(person_id=person.id, changes={"role": "operator"}, asked_by="max", asked_at=now),
            ]
        )
    keep_failure(console.engine.workspace, ValueError("Somebody's name"))


def test_every_figure_leads_to_a_list_that_is_there(at: At) -> None:
    console = at("reminded")
    browser = console.browser("max")
    links = {
        figure.link(dimension, KEYS.get(dimension, "forgetful"), "EUR")
        for figure in FIGURES.values()
        for dimension in figure.made_of
    }
    answers = {link: browser.get(link).status_code for link in links}
    assert {link for link, status in answers.items() if status != 200} == set()
    program = console.program("max")
    overdue = program.get("/api/v1/items?overdue=yes&currency=EUR&segment=forgetful&sort=-open_amount").json()
    assert [row["open_amount"] for row in overdue["items"]] == [100_000, 50_000]
    assert (program.get("/api/v1/items?bucket=90%2B").json()["items"], answers["/rounds?closed=yes"]) == ([], 200)
    page = words_of(browser.get("/figures/overdue"))
    assert "Open amount past its contractual due date" in page
    assert "Part Value Items As of Forgetful €1,500 2 3 Mar 2026" in page
    assert browser.get("/figures/luck").status_code == 404
    with console.counting() as sent:
        browser.get("/figures/ageing")
    assert len(sent) <= MOST_QUERIES
