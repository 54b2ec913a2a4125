"""Work through the pages: whose it is, how it ends, and a second person's word."""

from datetime import timedelta

from tests.console.conftest import At
from tests.console.house import words_of


def test_a_consultation_is_answered_by_whom_it_was_put_to(at: At) -> None:
    console = at("consulting")
    (task,) = console.rows("SELECT id, due_on FROM work_task WHERE kind = 'consult' AND state = 'open'")
    path, anna, colin = f"/work/{task['id']}", console.browser("anna"), console.browser("colin")
    assert 'aria-label="1 waiting"' in anna.get("/account").text
    assert "Agree, I talk, or no and why." in words_of(anna.get("/work", assignee="me"))
    assert "No work fits." in words_of(colin.get("/work", assignee="me"))
    assert "No work fits." in words_of(colin.get("/work", when="overdue", kind="consult"))
    assert f"Consultation {task['id']} is anna's to answer." in words_of(colin.get(path))
    assert colin.send(f"{path}/done", outcome="agree").status_code == 409
    page = anna.get(path)
    assert "I talk with the customer first" in words_of(page)
    assert anna.press(page, f"{path}/done", outcome="no").status_code == 422
    until = (console.rows("SELECT business_date AS day FROM creditor")[0]["day"] + timedelta(days=2)).isoformat()
    told = anna.press(anna.get(path), f"{path}/done", outcome="i_talk", note="I see them tomorrow", until=until)
    assert (told.status_code, told.headers["location"]) == (303, "/work")
    (hold,) = console.rows("SELECT reason, until_on::text AS until_on, actor FROM hold")
    assert hold == {"reason": "account_manager_talks", "until_on": until, "actor": "anna"}
    assert "How it ended I talk" in words_of(anna.get(path))


def test_work_is_taken_over_and_a_write_off_needs_another_person(at: At) -> None:
    console = at("consulting")
    case_id, debtor = console.rows('SELECT id, debtor_id FROM "case"')[0].values()
    with console.engine.database.session() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO work_task (creditor_id, debtor_id, case_id, kind, subject, role, opened_on, due_on, blocks,"
            f" state, recorded_at) SELECT id, {debtor}, {case_id}, 'decide', 'Plan, hold or write-off?',"
            " 'credit_manager', business_date - 3, business_date - 1, false, 'open', now() FROM creditor"
        )
    (task,) = console.rows("SELECT id FROM work_task WHERE kind = 'decide'")
    path, mo, mia, max_ = f"/work/{task['id']}", *(console.browser(login) for login in ("mo", "mia", "max"))
    assert "Plan, hold or write-off?" in words_of(mo.get("/work", when="overdue"))
    assert mo.press(mo.get(path), f"{path}/take").headers["location"] == path
    assert console.rows("SELECT assignee FROM work_task WHERE id = :id", id=task["id"]) == [{"assignee": "mo"}]
    asked = mo.press(mo.get(path), f"{path}/done", outcome="write_off", note="they are gone")
    assert asked.headers["location"] == path
    (second,) = console.rows("SELECT id, asked_by FROM work_task WHERE subject = 'Confirm the write-off.'")
    assert second["asked_by"] == "mo"
    confirm = f"/work/{second['id']}"
    page = mo.get(confirm)
    assert "mo asked for a second person" in words_of(page)
    assert f'action="{confirm}/done"' not in page.text
    assert mo.send(f"{confirm}/done", outcome="agreed").status_code == 409
    seen = words_of(mia.get(confirm))
    assert "What is to be confirmed Decision" in seen
    assert "Yes, it is confirmed" in seen
    assert "does not cover" in words_of(max_.press(max_.get(confirm), f"{confirm}/done", outcome="agreed"))
    assert mia.press(mia.get(confirm), f"{confirm}/done", outcome="agreed").headers["location"] == "/work"
    assert console.rows("SELECT outcome FROM work_task WHERE id = :id", id=task["id"]) == [{"outcome": "write_off"}]
    audrey = console.program("audrey", "read").post(f"/api/v1{path}/take")
    assert audrey.status_code == 403
