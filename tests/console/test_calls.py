"""The rooms of those who ring customers, and of the account manager who is asked before a customer is written to."""

from datetime import UTC, datetime

from maatpak.console.rooms.calls.sheets import KEYS
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.words import CallResult
from tests.console.conftest import At
from tests.console.house import Console, console_of, words_of

MORNING = datetime(2026, 3, 18, 9, tzinfo=UTC)
"""Ten where the creditor and the customer are, on the business date of the stage."""


def call_of(console: Console) -> int:
    (row,) = console.rows("SELECT id FROM work_task WHERE kind = 'call' AND state = 'open'")
    return int(row["id"])


def at_time(console: Console, hour: int, minute: int = 0) -> Console:
    return console_of(console.engine, FixedClock(MORNING.replace(hour=hour, minute=minute)))


def test_a_promise_is_recorded_in_two_clicks_and_the_screen_goes_on(at: At) -> None:
    console = at_time(at("calling"), 9)
    task, colin = call_of(console), console.browser("colin")
    with console.counting() as sent:
        page = colin.get("/calls")
    assert len(sent) <= 15
    words = words_of(page)
    assert "May be rung now 1" in words
    assert colin.press(page, "/calls/next").headers["location"] == f"/calls/{task}"
    assert "colin is on it" in words_of(console.browser("carla").get("/calls"))
    assert '<a href="tel:+31201234567"><bdi>+31201234567</bdi></a>' in page.text
    assert '<b aria-label="1 waiting">1</b>' in page.text
    with console.counting() as sent:
        screen = colin.get(f"/calls/{task}")
    assert len(sent) <= 15
    for key in KEYS.values():
        assert f'data-key="{key}"' in screen.text
    assert "Open and due: €1,500.00 in 2 documents" in words_of(screen)
    refused = colin.press(screen, f"/calls/{task}/result", code="promised")
    assert refused.status_code == 422
    assert "A promise needs its date." in words_of(refused)
    done = colin.press(
        screen,
        f"/calls/{task}/result",
        code="promised",
        promised_on="2026-03-25",
        promised_amount="900.00",
        reason="price",
        objected="F2",
        disputed="120.50",
        note="Pays F1 first",
    )
    assert done.headers["location"] == f"/calls/{task}"
    after = colin.get(f"/calls/{task}")
    words = words_of(after)
    assert "The call is done: promised" in words
    assert "Nobody else may be rung now." in words
    assert "Call: promised colin Pays F1 first" in words
    assert "What we owe them The dispute of F2 (price)" in words
    assert console.rows("SELECT amount, promised_on::text, source, actor FROM promise") == [
        {"amount": 90_000, "promised_on": "2026-03-25", "source": "call", "actor": "colin"}
    ]
    assert console.rows("SELECT d.amount, i.document_no FROM dispute d JOIN item i ON i.id = d.item_id") == [
        {"amount": 12_050, "document_no": "F2"}
    ]
    events = console.rows("SELECT kind FROM event WHERE actor = 'colin' ORDER BY seq")
    assert {"call_recorded", "promise_made", "reason_stated", "dispute_opened"} <= {row["kind"] for row in events}


def test_a_result_that_is_half_wrong_records_nothing(at: At) -> None:
    console = at_time(at("calling"), 9)
    task, program = call_of(console), console.program("colin")
    path = f"/api/v1/calls/{task}/result"
    for body, told in (
        ({"code": "voicemail", "promised_on": "2026-03-25"}, "Voicemail promises nothing."),
        ({"code": "promised", "callback_on": "2026-03-25"}, "Promised agrees no callback."),
        ({"code": "refuses"}, "A refusal needs its reason in words."),
        ({"code": "promised", "promised_on": "2026-03-25", "documents": ["X"]}, "Not open on case 1: X."),
        ({"code": "spoke_no_commitment", "reason": "price", "disputed": "5"}, "A part is objected to of one document."),
        (
            {"code": "spoke_no_commitment", "reason": "forgot", "objected": ["F2"], "disputed": "5"},
            "A part is objected",
        ),
        ({"code": "promised", "promised_on": "2026-03-25", "promised_amount": "0.001"}, "more decimals"),
    ):
        answer = program.post(path, body)
        assert answer.status_code == 422, body
        assert told in answer.json()["detail"]
    later = program.post(path, {"code": "callback_agreed", "callback_on": "2026-05-01"})
    assert "a callback is agreed for 10 at most" in later.json()["detail"]
    none = [{"count": 0}]
    for table in ("contact_result", "promise", "dispute", "stated_reason"):
        assert console.rows(f"SELECT count(*) FROM {table}") == none
    ended = program.post(path, {"code": "callback_agreed", "callback_on": "2026-03-20", "reason": "approval_pending"})
    assert ended.json()["data"] == {
        "task_id": task,
        "state": "done",
        "due_on": "2026-03-18",
        "outcome": "callback_agreed",
    }
    assert console.rows("SELECT due_on::text, assignee FROM work_task WHERE kind = 'call' AND state = 'open'") == [
        {"due_on": "2026-03-20", "assignee": "colin"}
    ]
    listed = console.browser("colin").get("/calls/all", when="agreed", whose="me")
    assert "C1 B.V." in words_of(listed)
    assert "No call is due." in words_of(console.browser("colin").get("/calls"))


def test_nobody_is_rung_at_night_unless_they_ring_us(at: At) -> None:
    console = at_time(at("calling"), 6, 30)
    task, colin = call_of(console), console.browser("colin")
    listed = colin.get("/calls")
    assert "Not now" in words_of(listed)
    assert "tel:" not in listed.text
    night = colin.get(f"/calls/{task}")
    words = words_of(night)
    assert "Not now. They are rung between 08:00 and 19:00, on a working day of both sides; it is 07:30 there." in words
    assert "Next from Wed 18 Mar, 08:00 our time." in words
    assert "tel:" not in night.text
    assert "What came of it" not in words
    refused = console.program("colin").post(f"/api/v1/calls/{task}/result", {"code": "voicemail"})
    assert refused.status_code == 409
    assert "it is Wed 18 Mar 07:30 there" in refused.json()["detail"]
    theirs = colin.get(f"/calls/{task}", side="inbound")
    assert "No answer" not in words_of(theirs)
    told = colin.press(theirs, f"/calls/{task}/result", code="complaint", note="Nobody answers <b>us</b>")
    assert told.status_code == 303
    assert [
        row["side"] for row in console.rows("SELECT body->>'side' AS side FROM event WHERE kind = 'call_recorded'")
    ] == ["inbound"]
    after = colin.get(f"/calls/{task}")
    assert "No contact for 10 working days (complaint)." in words_of(after)
    assert "&lt;b&gt;us&lt;/b&gt;" in after.text


def test_who_was_tried_today_is_tried_tomorrow(at: At) -> None:
    console = at_time(at("calling"), 9)
    task, colin = call_of(console), console.browser("colin")
    page = colin.get(f"/calls/{task}")
    told = colin.press(page, f"/calls/{task}/result")
    assert told.status_code == 303, "the first button asks for nothing"
    after = colin.get(f"/calls/{task}")
    assert "They were rung today." in words_of(after)
    assert "Next from Thu 19 Mar, 08:00 our time." in words_of(after)
    assert console.rows("SELECT code, day_part FROM contact_result") == [
        {"code": CallResult.NO_ANSWER, "day_part": "morning"}
    ]
    earlier = words_of(colin.get(f"/calls/{task}", at="08:30"))
    assert "made at 08:30" in earlier
    assert "No answer" not in earlier
    assert colin.press(after, f"/calls/{task}/take").status_code == 303
    assert console.rows(f"SELECT assignee FROM work_task WHERE id = {task}") == [{"assignee": "colin"}]
    for query in ({"at": "late"}, {"side": "theirs"}):
        assert colin.get(f"/calls/{task}", **query).status_code == 422
    assert colin.get("/calls", skip="-1").status_code == 422
    assert colin.get("/calls", whose="theirs").status_code == 422
    assert console.browser("olga").get(f"/calls/{task}").status_code == 200
    assert console.program("olga").post(f"/api/v1/calls/{task}/result", {"code": "voicemail"}).status_code == 403
    assert console.browser("max").send(f"/calls/{task}/waive", note="They never pick up").status_code == 303
    assert "The call is done: waived" in words_of(colin.get(f"/calls/{task}"))


def test_the_account_manager_talks_first(at: At) -> None:
    console = at("consulting")
    anna = console.browser("anna")
    (task,) = console.rows("SELECT id FROM work_task WHERE kind = 'consult' AND state = 'open'")
    with console.counting() as sent:
        page = anna.get("/mine")
    assert len(sent) <= 15
    assert "My customers" in words_of(page)
    assert "your word" in words_of(page)
    assert "€1,500.00 overdue since 30 Jan 2026" in words_of(page)
    assert "What waits for it: final demand" in words_of(page)
    path = f"/mine/{task['id']}"
    for act in ("stop", "no"):
        assert anna.send(f"{path}/{act}").status_code == 422, "it needs its reason"
    seen = anna.send(f"{path}/seen")
    assert seen.status_code == 422
    looked = console.browser("max").get("/mine", manager="anna")
    assert "Customers of Anna" in words_of(looked)
    assert f"{path}/agree" not in looked.text, "a question is answered by whom it was put to"
    assert console.program("max").post(f"/api/v1{path}/agree", {}).status_code == 409
    assert console.browser("max").get("/mine", manager="nobody").status_code == 422
    stopped = anna.send(f"{path}/stop", note="I see them on Friday")
    assert stopped.status_code == 303
    assert console.rows("SELECT reason, note, source FROM hold WHERE state = 'active'") == [
        {"reason": "account_manager_talks", "note": "I see them on Friday", "source": "consult"}
    ]
    assert "Nothing waits." in words_of(anna.get("/mine"))
    assert "C1 B.V." in anna.get("/mine/customers.csv").text
    assert "C1" not in words_of(console.browser("dirk").get("/mine/customers"))


def test_the_account_manager_lets_contact_rest(at: At) -> None:
    console = at("calling")
    anna, case = console.browser("anna"), console.rows("SELECT case_id FROM case_standing")[0]["case_id"]
    assert anna.send(f"/mine/{case}/rest", note="We meet", until="2026-05-01").status_code == 409, "too long"
    assert anna.send(f"/mine/{case}/rest", note="We meet").status_code == 303
    assert console.rows("SELECT reason, until_on::text, actor FROM hold WHERE state = 'active'") == [
        {"reason": "account_manager_talks", "until_on": "2026-03-25", "actor": "anna"}
    ]
    assert console.program("colin").post(f"/api/v1/mine/{case}/rest", {"note": "x"}).status_code == 403
