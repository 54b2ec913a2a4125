"""Approvals through the pages and the API: what an approver sees, what a word leaves, and what is refused."""

from datetime import date, timedelta

from sqlmodel import col, select

from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import ItemVersion
from maatpak.ledger.versions import succeed
from tasks.desk import desk
from tasks.reasons import state_reason
from tests.console.conftest import At
from tests.console.house import Console, links_of, words_of

MOST_QUERIES = 15


def waiting(console: Console) -> list[dict[str, object]]:
    return console.rows(
        "SELECT id, content_hash, amount, step, case_id FROM action WHERE state = 'awaiting_approval'"
        " ORDER BY amount DESC, id DESC"
    )


def today(console: Console) -> date:
    found: date = console.rows("SELECT business_date FROM creditor")[0]["business_date"]
    return found


def test_the_inbox_says_what_each_visitor_may_decide_and_why_not(at: At) -> None:
    console = at("demanding")
    (row,) = waiting(console)
    mo, max_, colin = (console.browser(login) for login in ("mo", "max", "colin"))
    seen = words_of(mo.get("/approvals"))
    assert "1 waiting · €1,500.00 · 1 of this page for you" in seen
    assert "Approve a" in seen
    assert "max may approve up to €1,000.00, this is €1,500.00." in words_of(max_.get("/approvals"))
    refused = words_of(colin.get("/approvals"))
    assert "colin is collector: that role may not approve this." in refused
    assert "Approve a" not in refused
    assert 'aria-label="1 waiting"' in mo.get("/account").text
    assert 'aria-label="1 waiting"' not in colin.get("/account").text
    assert "Nothing waits for a verdict." in words_of(mo.get("/approvals", step="handoff"))
    told = console.program("mo").get("/api/v1/approvals", segment="forgetful").json()
    assert [(each["action_id"], each["objection"]) for each in told["rows"]] == [(row["id"], None)]
    objection = console.program("max").get("/api/v1/approvals").json()["rows"][0]["objection"]
    assert objection["code"] == "limit"
    assert mo.get("/approvals/list.csv").text.count("C1 B.V.") == 1


def test_an_approval_shows_the_whole_case_and_what_the_customer_would_get(at: At) -> None:
    console = at("demanding")
    (row,) = waiting(console)
    mo, path = console.browser("mo"), f"/approvals/{row['id']}"
    with console.counting() as sent:
        page = mo.get(path)
    assert len(sent) <= MOST_QUERIES
    seen = words_of(page)
    for words in ("F1 30 Jan 2026", "2 × weak, enough", "Second notice post weak", "anna: agree", "1 from somebody"):
        assert words in seen, words
    assert f"/cases/{row['case_id']}/why" in links_of(page)
    told = console.program("mo").get(f"/api/v1{path}").json()
    assert told["content_hash"] == row["content_hash"]
    assert (told["waits"], told["changed"], told["objection"]) == (True, False, None)
    assert [each["channel"] for each in told["messages"]] == ["email", "post"]
    numbers = {each["channel"]: each["number"] for each in told["messages"]}
    mail = mo.get(f"{path}/messages/{numbers['email']}/mail")
    assert "sandbox" in mail.headers["content-security-policy"]
    assert mail.headers["x-frame-options"] == "SAMEORIGIN"
    assert mo.get(f"{path}/messages/{numbers['post']}/letter.pdf").content.startswith(b"%PDF")
    assert [mo.get(f"{path}/messages/{each}/mail").status_code for each in ("0", "9", "x", numbers["post"])] == [
        404
    ] * 4
    assert console.browser("mo").get("/approvals/999").status_code == 404


def test_a_yes_is_to_what_was_shown_and_nothing_else(at: At) -> None:
    console = at("demanding")
    (row,) = waiting(console)
    mo, path = console.browser("mo"), f"/approvals/{row['id']}"
    page = mo.get(path)
    assert mo.press(page, f"{path}/approve", reason=" ").status_code == 422
    other = mo.press(page, f"{path}/approve", reason="looked at it", shown="0" * 64)
    assert other.status_code == 409
    assert "no longer what was shown" in words_of(other)
    told = mo.press(mo.get(path), f"{path}/approve", reason="looked at it")
    assert (told.status_code, told.headers["location"]) == (303, "/approvals")
    assert console.rows("SELECT state FROM action WHERE id = :id", id=row["id"]) == [{"state": "approved"}]
    late = words_of(console.browser("mia").get(path))
    assert "It waits no longer" in late
    assert "mo approved on" in late
    api = console.program("mia").post(f"/api/v1{path}/approve", {"reason": "me too", "shown": row["content_hash"]})
    assert (api.status_code, api.json()["code"]) == (409, "refused")


def test_changed_meanwhile_it_says_so_and_offers_no_yes(at: At) -> None:
    console = at("demanding")
    (row,) = waiting(console)
    with console.engine.database.session() as session:
        version = session.exec(select(ItemVersion).where(col(ItemVersion.replaced_at).is_(None))).first()
        assert version is not None
        succeed(session, version, today(console), console.clock.now(), open_amount=version.open_amount - 1)
    mo = console.browser("mo")
    page = mo.get(f"/approvals/{row['id']}")
    assert "It has changed" in words_of(page)
    assert f'action="/approvals/{row["id"]}/approve"' not in page.text
    late = console.program("mo").post(
        f"/api/v1/approvals/{row['id']}/approve", {"reason": "yes", "shown": row["content_hash"]}
    )
    assert "have changed since it was proposed" in late.json()["detail"]
    batch = console.program("mo").get("/api/v1/approvals/batch", action=row["id"]).json()
    assert (batch["rows"], [each["why"][:16] for each in batch["excluded"]]) == ([], ["Less is open by "])


def test_no_not_yet_and_a_question_lead_to_the_next_that_waits(at: At) -> None:
    console = at("three demanding")
    first, second, third = (int(str(row["id"])) for row in waiting(console))
    mo, later = console.browser("mo"), (today(console) + timedelta(days=14)).isoformat()
    nowhere = mo.send(f"/approvals/{first}/reject", reason="they rang", next_step="nowhere", next_on=later)
    assert nowhere.status_code == 422
    asked = mo.send(f"/approvals/{first}/ask", question="Did you speak with them?")
    assert asked.headers["location"] == f"/approvals/{second}"
    assert "anna was asked" in words_of(mo.get(f"/approvals/{first}"))
    waits = console.program("mia").post(
        f"/api/v1/approvals/{first}/approve", {"reason": "yes", "shown": waiting(console)[0]["content_hash"]}
    )
    assert "anna was asked" in waits.json()["detail"]
    rejected = mo.send(f"/approvals/{second}/reject", reason="they rang", next_step="call", next_on=later)
    assert rejected.headers["location"] == f"/approvals/{third}"
    postponed = mo.send(f"/approvals/{third}/postpone", reason="their bank is closed", until=later)
    assert postponed.headers["location"] == "/approvals"
    assert console.rows("SELECT verdict, next_step FROM approval ORDER BY id") == [
        {"verdict": "rejected", "next_step": "call"},
        {"verdict": "postponed", "next_step": "final_demand"},
    ]
    said = words_of(mo.get("/approvals/verdicts"))
    assert "their bank is closed" in said
    assert "It was postponed" in words_of(mo.get(f"/approvals/{third}"))
    (task,) = console.rows("SELECT id FROM work_task WHERE kind = 'consult' AND state = 'open'")
    anna = console.browser("anna")
    page = anna.get(f"/work/{task['id']}")
    assert "Did you speak with them?" in words_of(page)
    assert anna.press(page, f"/work/{task['id']}/done", outcome="no", note="they pay on Friday").status_code == 303
    assert "they pay on Friday" in words_of(mo.get(f"/approvals/{first}"))


def test_a_batch_approves_exactly_what_it_showed(at: At) -> None:
    console = at("three demanding")
    mo, rows = console.browser("mo"), waiting(console)
    creditor = console.rows("SELECT id FROM creditor")[0]["id"]
    with desk(console.engine, creditor, "mo", today(console), console.clock.now()) as own:
        state_reason(own, own.case(int(str(rows[2]["case_id"]))), NonPaymentReason.FORGOT)
    with console.counting() as sent:
        page = mo.get("/approvals/batch", action=[row["id"] for row in rows] + [77])
    assert len(sent) <= MOST_QUERIES
    seen = words_of(page)
    assert "2 steps in EUR" in seen
    assert "mo recorded a reason in this round" in seen
    assert "It waits no longer" in seen
    program, path = console.program("mo"), "/api/v1/approvals/batch"
    batch = program.get(path, action=",".join(str(row["id"]) for row in rows)).json()
    assert batch["sums"] == [{"currency": "EUR", "amount": 200_000, "count": 2}]
    forged = program.post(f"{path}/approve", {"reason": "all", "shown": batch["shown"][:-1] + "0"})
    assert forged.status_code == 409
    assert console.rows("SELECT count(*) AS n FROM approval") == [{"n": 0}]
    beyond = program.post(
        f"{path}/approve", {"reason": "all", "shown": f"{batch['shown']} {rows[2]['id']}:{rows[2]['content_hash']}"}
    )
    assert beyond.status_code == 409
    assert console.rows("SELECT count(*) AS n FROM approval") == [{"n": 0}]
    assert mo.press(page, "/approvals/batch/approve", reason="looked at all").headers["location"] == "/approvals"
    assert console.rows("SELECT count(*) AS n FROM action WHERE state = 'approved' AND step = 'final_demand'") == [
        {"n": 2}
    ]


def test_a_placement_is_looked_up_and_takes_two_alone(at: At) -> None:
    console = at("placing")
    (row,) = waiting(console)
    path, api = f"/approvals/{row['id']}", console.program("olga")
    mo, mia = console.browser("mo"), console.browser("mia")
    assert mo.press(mo.get(path), f"{path}/approve", reason="one").status_code == 303
    assert "mo has already approved" in words_of(mo.get(path))
    page = mia.get(path)
    assert "Yours would be the last yes, and 5 checks are not fine yet" in words_of(page)
    early = console.program("mia").post(f"/api/v1{path}/approve", {"reason": "two", "shown": row["content_hash"]})
    assert "nobody has checked" in early.json()["detail"]
    until = (today(console) + timedelta(days=500)).isoformat()
    for kind in ("identity", "address", "insolvency_register", "limitation"):
        more = {"until": until} if kind == "limitation" else {}
        done = api.post(f"/api/v1{path}/check", {"kind": kind, "source": "extract 12", **more})
        assert done.status_code == 200, done.text
    assert api.post(f"/api/v1{path}/licence", {"source": "register", "until": until}).status_code == 403
    assert mia.send(f"{path}/licence", result="clear", source="register 7", until=until).status_code == 303
    assert mia.press(mia.get(path), f"{path}/approve", reason="two").status_code == 303
    assert console.rows("SELECT state FROM action WHERE id = :id", id=row["id"]) == [{"state": "approved"}]
