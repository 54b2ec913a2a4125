"""Customers and messages: what their pages say, what acts leave behind, and that texts stay texts."""

import csv
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from maatpak.console.frame import exporting
from maatpak.console.frame.asking import Asking
from maatpak.console.frame.exporting import one_at_a_time
from maatpak.console.frame.listing import read_all, read_wanted
from maatpak.console.rooms.customers.listing import CASES
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import UsageError
from maatpak.ledger.tables import Debtor
from tasks.access.login import let_in
from tests.console.conftest import At
from tests.console.house import Console, console_of, words_of
from tests.tasks.act.house import House
from tests.tasks.act.script import Script
from tests.tasks.act.stages import MONDAY, Stages
from tests.tasks.outbox_world import House as OtherHouse

MOST_QUERIES, MOST_BYTES = 15, 200_000
HOSTILE = {
    "X1": "<script>alert(1)</script>",
    "X2": '=HYPERLINK("http://x.test","pay")',
    "X3": "\u202egnp.exe \u2066Evil B.V.",
    "X4": "𝕏𝖊𝖓𝖎𝖆 😀 B.V.",
    "X5": "Long " + "W" * 10_000,
    "X7": "a;=1+1|'/C calc'!A0;\" @b",
    "X6": "{{ 7 * 7 }} {% raw %} ${7*7} ' OR 1=1 --",
}


def case_of(console: Console, number: str = "C1") -> dict[str, Any]:
    query = 'SELECT k.id, k.debtor_id FROM "case" k JOIN debtor d ON d.id = k.debtor_id WHERE d.debtor_no = :number'
    return console.rows(query, number=number)[0]


def test_a_case_says_where_it_stands_and_why(at: At) -> None:
    console = at("demanding")
    case = case_of(console)
    colin, page = console.browser("colin"), f"/cases/{case['id']}"
    for path in ("/cases?q=c1", page, f"{page}/why", f"{page}/why?days_past_due=3", f"/debtors/{case['debtor_id']}"):
        with console.counting() as sent:
            answer = colin.get(path)
        assert answer.status_code == 200, path
        assert len(sent) <= MOST_QUERIES, (path, len(sent), sent)
        assert len(answer.content) <= MOST_BYTES
    told = words_of(colin.get(page))
    assert "Today: Final demand" in told
    assert "Awaiting approval Final demand" in told
    assert "€1,500.00: waits for a credit manager" in told
    assert "Invoiced 31 Dec 2025 Due 30 Jan 2026 Asked 3 Mar 2026" in told
    steps = {each["name"]: each for each in console.program("colin").get(f"/api/v1{page}").json()["course"]}
    assert {name: steps[name]["mark"] for name in ("reminder", "invoice_copy", "final_demand", "handoff")} == {
        "reminder": "done",
        "invoice_copy": "skipped",
        "final_demand": "now",
        "handoff": "ahead",
    }
    why = words_of(colin.get(f"{page}/why"))
    assert "Final demand. €1,500.00 overdue, €1,500.00 to ask." in why
    assert "share_paid_late_12m > 0.10 OR settled_items_24m < 3" in why
    read = console.program("colin")
    held = read.get(f"/api/v1{page}/why", hold_reason="complaint").json()
    assert (held["supposed"]["outcome"], held["supposed"]["reason"]) == ("none", "hold")
    assert {each["what"] for each in held["differences"]} >= {"Decision", "Held back by"}
    past = read.get(f"/api/v1{page}/why", as_of="2026-03-05").json()
    assert (past["real"]["outcome"], past["as_of"], past["after"]) == ("none", "2026-03-05", "2026-03-06")
    for query, said in (
        ({"fact": "days_past_du", "value": "3"}, "days_past_due"),
        ({"set": "spoken=perhaps"}, "true or false"),
        ({"as_of": "yesterday"}, "is no date"),
        ({"as_of": "2020-01-01"}, "No run of ACME"),
    ):
        refused = read.get(f"/api/v1{page}/why", **query)
        assert refused.status_code == 422
        assert said in refused.text


def test_the_list_finds_sorts_filters_and_goes_on(at: At) -> None:
    console = at("three demanding")
    read = console.program("colin")
    listed = read.get("/api/v1/cases", size="2").json()
    assert [each["debtor_no"] for each in listed["items"]] == ["C1", "C3"]
    assert listed["count"] == 3
    following = read.get("/api/v1/cases", size="2", after=listed["next"]).json()
    assert [each["debtor_no"] for each in following["items"]] == ["C2"]
    longest = read.get("/api/v1/cases", sort="-days", size="1").json()
    assert longest["items"][0]["days"] == read.get("/api/v1/cases", sort="-days").json()["items"][-1]["days"] == 59
    assert "overdue €2,500.00" in words_of(console.browser("colin").get("/cases"))
    for query, count in (
        ({"segment": "forgetful", "overdue": "yes", "age": "60"}, 3),
        ({"age": "90"}, 0),
        ({"at_least": "1000.00"}, 1),
        ({"step": "final_demand", "account_manager": "anna", "key": "no", "experience": "worn"}, 3),
        ({"reason": "hold"}, 0),
        ({"q": "c2 b"}, 1),
        ({"q": "!!"}, 0),
    ):
        assert read.get("/api/v1/cases", **query).json()["count"] == count, query


def test_acts_leave_records_and_say_what_does_not_fit(at: At) -> None:
    console = at("reminded")
    case = case_of(console)
    page, account = f"/cases/{case['id']}", f"/debtors/{case['debtor_id']}"
    today = console.rows("SELECT business_date FROM creditor")[0]["business_date"]
    colin, max_ = console.browser("colin"), console.browser("max")
    soon, far = add_working_days(today, 5, "NL"), add_working_days(today, 60, "NL")

    def did(browser: Any, path: str, **fields: Any) -> str:
        answer = browser.send(path, **fields)
        assert answer.status_code == 303, words_of(answer)
        return str(answer.headers["location"])

    assert did(colin, f"{page}/promise", promised_on=str(soon), documents=["F2"]) == page
    too_far = colin.send(f"{page}/promise", promised_on=str(far))
    assert (too_far.status_code, "working days ahead" in words_of(too_far)) == (409, True)
    did(colin, f"{page}/dispute", document="F1", reason="price", amount="250.00")
    did(colin, f"{page}/note", body="Ring in the morning.\n<b>Not</b> on Mondays.")
    did(colin, f"{page}/hold", reason="complaint", until=str(soon), note="They wait for us.")
    too_long = colin.send(f"{page}/hold", reason="claimed_paid", until=str(far), note="Said so.")
    assert "lasts at most 5 working days" in words_of(too_long)
    did(colin, f"{account}/preference", name="pay_run", value="friday")
    did(colin, f"{account}/contact", name="Ria", role="payables", email="ria@c1.example")
    did(colin, f"{account}/ticket", kind="complaint", ticket_no="Z-9")
    told = words_of(colin.get(page))
    for said in ("Hold: complaint", "Disputed", "Promised", "Open ticket", "<b>Not</b> on Mondays.", "Ria Payables"):
        assert said in told, said
    assert "Promise P1 Open €500.00" in told
    number = console.rows("SELECT dispute_no FROM dispute")[0]["dispute_no"]
    did(max_, f"/disputes/{number}/decide", state="part_accepted", accepted="100.00", note="Half of it was ours.")
    hold = console.rows("SELECT hold_no FROM hold WHERE reason = 'complaint'")[0]["hold_no"]
    assert "may not lift a hold" in words_of(colin.send(f"/holds/{hold}/lift", note="Answered."))
    did(max_, f"/holds/{hold}/lift", note="Answered.")
    shown = colin.get(page)
    assert colin.press(shown, "/promises/P1/cancel").status_code == 303
    assert colin.press(shown, f"{account}/tickets/Z-9/close").status_code == 303
    refused = colin.send(f"{page}/plan", instalments="soon 100")
    assert "'soon 100' is no instalment" in words_of(refused)
    did(
        colin,
        f"{page}/plan",
        documents=["F2"],
        instalments=f"{soon} 200.00\n{add_working_days(today, 20, 'NL')} 300.00",
    )
    did(colin, "/plans/L1/accept")
    did(colin, f"{page}/claim", documents=["F1"])
    did(console.browser("olga"), "/claims/C1/found")
    did(colin, f"{page}/reason", reason="cash_flow", documents=["F1"])
    did(max_, f"{page}/skip", step="call", reason="They rang us.")
    did(max_, f"{page}/move", segment="strained", reason="Cash is short.")
    did(colin, f"{page}/opt-out", channel="email")
    kept = {
        "promise": "cancelled", "dispute": "part_accepted", "plan": "active", "claimed_payment": "found",
    }  # fmt: skip
    for table, state in kept.items():
        assert console.rows(f"SELECT state FROM {table} WHERE replaced_at IS NULL") == [{"state": state}], table
    events = {row["kind"] for row in console.rows("SELECT kind FROM event WHERE actor IN ('colin', 'max', 'olga')")}
    assert events >= {"note_written", "hold_set", "hold_lifted", "plan_active", "case_moved", "step_skipped"}
    told = words_of(colin.get(page))
    for said in ("They rang us.", "Note: Ring in the morning.", "Complaint Z-9 was closed."):
        assert said in told, said
    course = console.program("colin").get(f"/api/v1{page}").json()
    assert (course["segment"], course["moved"], course["moved_by"]) == ("strained", "Cash is short.", "max")
    for act in ("promise", "note"):
        assert console.browser("audrey").get(f"{page}/{act}").status_code == 403
    assert "More" not in words_of(console.browser("audrey").get(page))


def test_a_message_is_shown_as_it_was_sent(at: At) -> None:
    console = at("calling")
    olga = console.browser("olga")
    kinds = {row["channel"]: row["id"] for row in console.rows("SELECT id, channel FROM message ORDER BY id DESC")}
    mail, letter = f"/messages/{kinds['email']}", f"/messages/{kinds['post']}"
    with console.counting() as sent:
        page = olga.get(mail)
    assert len(sent) <= MOST_QUERIES
    assert f'<iframe class="mail" sandbox src="{mail}/mail"' in page.text
    shown = olga.get(f"{mail}/mail")
    assert "A reminder of 2 invoices" in shown.text
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "script-src" not in shown.headers["content-security-policy"]
    assert shown.headers["x-frame-options"] == "SAMEORIGIN"
    assert olga.get(f"{mail}/letter.pdf").status_code == 404
    pdf = console.program("olga").get(f"/api/v1{letter}/letter.pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert olga.get(f"{letter}/enclosures/1").status_code == 404
    answer = olga.send(f"{letter}/evidence", kind="returned", source="the envelope")
    assert answer.headers["location"] == letter
    assert "Returned" in words_of(olga.get(letter))
    lost = console.program("olga").get("/api/v1/messages", lost="yes").json()
    assert [each["message_id"] for each in lost["items"]] == [kinds["post"]]


@pytest.fixture
def guests(stages: Stages, tmp_path: Path) -> Any:
    """A house with customers whose names are attacks, one more day on, and another creditor with the same people."""
    with stages.at("start", tmp_path / "house") as house:
        for number, name in HOSTILE.items():
            house.item(house.debtor(number, name=name, email=None), f"{number}-1", 70_000, MONDAY.replace(day=1))
        Script(house).day()
        yield house


def test_hostile_names_stay_text_everywhere(guests: House, monkeypatch: pytest.MonkeyPatch) -> None:
    console = console_of(guests.engine)
    colin = console.browser("colin")
    listed = colin.get("/cases")
    assert len(listed.content) <= MOST_BYTES
    assert "<script>alert" not in listed.text
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in listed.text
    rows = list(csv.DictReader(StringIO(colin.get("/cases.csv").content.decode("utf-8-sig"))))
    names = {row["Number"]: row["Customer"] for row in rows}
    assert names["X2"] == f"'{HOSTILE['X2']}"
    assert names["X5"] == HOSTILE["X5"]
    assert names["X7"] == "a;'=1+1|'/C calc'!A0;'\" @b"
    with ZipFile(BytesIO(colin.get("/cases.xlsx").content)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    with one_at_a_time():
        monkeypatch.setattr(exporting, "PATIENCE", 0.1)
        refused = colin.get("/cases.csv")
    assert (refused.status_code, "Another file is being made" in refused.text) == (409, True)
    misspelt = console.program("colin").get("/api/v1/cases", segmnt="forgetful")
    assert (misspelt.status_code, misspelt.json()["detail"]) == (422, "'segmnt' is no filter of Customers.")
    _, visitor = let_in(console.engine, "colin", console.clock.now(), "test")
    with console.engine.database.reading() as session, pytest.raises(UsageError, match="More than 2 rows fit"):
        read_all(Asking(console.engine, visitor, session, console.clock.now()), CASES, read_wanted(CASES, {}), most=2)
    for number, name in HOSTILE.items():
        case = case_of(console, number)
        for path in (f"/cases/{case['id']}", f"/cases/{case['id']}/why", f"/debtors/{case['debtor_id']}"):
            page = colin.get(path)
            assert page.status_code == 200
            assert len(page.content) <= MOST_BYTES
            assert name[:40] in words_of(page).replace("\xa0", " ") or number == "X3", path
            assert "<script>alert" not in page.text
        assert "49" not in words_of(colin.get(f"/debtors/{case['debtor_id']}")).split("of Acme")[0]


def test_other_creditors_are_not_there(guests: House) -> None:
    other = OtherHouse(guests.engine, code="NL2")
    foreign = other.customer()
    console = console_of(guests.engine)
    with console.engine.database.session() as session:
        mine = session.get_one(Debtor, case_of(console)["debtor_id"])
        session.get_one(Debtor, foreign.debtor_id).party_id = mine.party_id
    browser = console.browser("ada")
    browser.send("/people/add", login="nora", name="Nora", role="collector", creditors=["ACME"])
    nora = console.browser("nora")
    for path in (f"/cases/{foreign.case_id}", f"/cases/{foreign.case_id}/why", f"/debtors/{foreign.debtor_id}"):
        assert nora.get(path).status_code == 404
    page = nora.get(f"/debtors/{mine.id}")
    assert page.status_code == 200
    assert f"/debtors/{foreign.debtor_id}" not in page.text
    assert "Zuidermeer" not in page.text
