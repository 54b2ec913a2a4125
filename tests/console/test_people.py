"""People and their access, through the pages and the API."""

from tests.console.conftest import At
from tests.console.house import words_of


def test_an_administrator_enters_somebody_and_another_confirms_their_rights(at: At) -> None:
    console = at("start")
    ada = console.browser("ada")
    told = ada.send("/people/add", login="nora", name="Nora", role="collector")
    assert told.status_code == 303
    assert told.headers["location"] == "/people/nora"
    assert "Nora" in words_of(ada.get("/people"))
    wrong = ada.send("/people/add", login="nora 2", name="Nora", role="king")
    assert wrong.status_code == 422
    assert "Choose one of the list" in words_of(wrong)
    given = console.program("ada").post("/api/v1/people/nora/password")
    assert given.status_code == 200
    assert len(given.json()["data"]["password"]) > 12
    nora = console.browser("nora")
    assert nora.get("/cases").headers["location"] == "/account/password"
    assert [nora.get(path).status_code for path in ("/api/v1/cases", "/charts/ageing.svg")] == [403, 403]
    assert console.rows("SELECT count(*) AS kept FROM call_once") == [{"kept": 1}]


def test_a_form_sent_twice_acts_once(at: At) -> None:
    console = at("start")
    ada = console.browser("ada")
    page = ada.get("/people/colin")
    first, second = (ada.press(page, "/people/colin/log-out") for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    program = console.program("ada")
    body = {"login": "nora", "name": "Nora", "role": "collector"}
    again = [program.post("/api/v1/people/add", body, **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert [each.json()["repeated"] for each in again] == [False, True]
    other = program.post("/api/v1/people/add", {**body, "login": "nina"}, **{"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (409, "repeated")


def test_nobody_enters_without_a_login_and_nobody_sends_others_forms(at: At) -> None:
    console = at("start")
    stranger, ada = console.stranger(), console.browser("ada")
    assert stranger.get("/people").headers["location"] == "/login?next=%2Fpeople"
    assert stranger.get("/api/v1/people").status_code == 401
    assert console.browser("colin").get("/people").status_code == 403
    page = ada.get("/people/colin")
    refused = ada.press(page, "/people/colin/log-out", mark="0" * 64)
    assert refused.status_code == 403
    assert "not sent from a page of this session" in words_of(refused)
