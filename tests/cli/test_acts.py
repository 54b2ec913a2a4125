"""A day and the work that it gives people: run, tasks, approvals, and a hand on a case's course."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from connectors.faults import Fault, plan_faults
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    Approval,
    ContactResult,
    Creditor,
    Debtor,
    Message,
    Placement,
    Promise,
    Round,
    RoundCourse,
    WorkTask,
)
from tasks.content import hashes_of
from tasks.send.lanes import GIVE_UP_AFTER
from tasks.worklist import open_work
from tests.cli.conftest import MONDAY, Command
from tests.tasks.act.house import House, at, build_house
from tests.tasks.act.script import check_all

TUESDAY = MONDAY + timedelta(days=1)


def told(command: Command, *arguments: str) -> Any:
    """What a command prints as JSON."""
    answer = command(*arguments, "--json")
    assert answer.status == 0, answer
    return json.loads(answer.out)


def run_on(house: House, command: Command, clock: FixedClock, day: date) -> dict[str, Any]:
    """The business day of a date, by the command."""
    clock.at = at(day, 10)
    if day != house.day:
        house.snapshot(day)
        house.day = day
    (row,) = told(command, "run", "--as-of", day.isoformat())
    return dict(row)


def open_call(house: House, due_on: date = MONDAY) -> int:
    """A call under way in the round that is open; its task."""
    return _work(house, "call", "call", due_on)


def open_consult(house: House) -> int:
    """A question to the account manager; its task."""
    return _work(house, "consult", "consult", MONDAY)


def propose_demand(house: House) -> int:
    """A final demand of both items that waits for a yes; its id."""
    with house.engine.database.session() as session:
        round_ = session.exec(select(Round)).one()
        action = _action(house, round_, "final_demand", "message", "awaiting_approval")
        action.stage, action.template, action.channel = "demand", "final_demand", "post_and_email"
        action.escalating, action.written = True, True
        action.approval_role, action.approvals_needed = "credit_manager", 1
        session.add(action)
        session.flush()
        action_id = int(action.id or 0)
        for number, amount in (("F1", 100_000), ("F2", 50_000)):
            session.add(ActionItem(action_id=action_id, item_id=house.items[number], amount=amount))
    with house.engine.database.frames(read_only=True) as frames:
        hashes = hashes_of(house.engine, frames, [action_id], house.day, at(house.day, 11))
    with house.engine.database.session() as session:
        session.get_one(Action, action_id).content_hash = hashes[action_id]
    return action_id


def _work(house: House, step: str, kind: str, due_on: date) -> int:
    role = {"call": "collector", "consult": "account_manager"}[kind]
    with house.engine.database.session() as session:
        round_ = session.exec(select(Round)).one()
        action = _action(house, round_, step, kind, "in_progress")
        session.add(action)
        session.flush()
        task = WorkTask(
            creditor_id=house.creditor_id,
            debtor_id=1,
            case_id=round_.case_id,
            action_id=action.id,
            kind=kind,
            subject=step,
            role=role,
            assignee="anna" if kind == "consult" else None,
            opened_on=MONDAY,
            due_on=due_on,
            recorded_at=at(MONDAY, 9),
        )
        session.add(task)
        session.flush()
        return int(task.id or 0)


def _action(house: House, round_: Round, step: str, kind: str, state: str) -> Action:
    return Action(
        creditor_id=house.creditor_id,
        case_id=round_.case_id,
        round_id=round_.id,
        stage="listen",
        step=step,
        kind=kind,
        segment="prompt",
        pack_id=house.pack_id,
        state=state,
        amount=150_000,
        overdue_amount=150_000,
        due_on=house.day,
        business_date=house.day,
        proposed_at=at(house.day, 9),
        started_on=house.day if state == "in_progress" else None,
        started_at=at(house.day, 9) if state == "in_progress" else None,
    )


@pytest.fixture
def opened(house: House, command: Command, clock: FixedClock) -> House:
    """The house after its first day: a round is open."""
    run_on(house, command, clock, MONDAY)
    return house


def test_a_day_is_run_and_summed_up(house: House, command: Command, clock: FixedClock) -> None:
    row = run_on(house, command, clock, MONDAY)
    assert (row["creditor"], row["as_of"], row["cases"], row["rounds_opened"]) == ("ACME", MONDAY.isoformat(), 1, 1)
    assert (row["proposed"], row["done"], row["sent"], row["unknown"]) == (1, 1, 1, 0)
    assert house.row(Message).state == "sent"
    again = run_on(house, command, clock, MONDAY)
    assert (again["proposed"], again["sent"], again["began"]) == (0, 0, False)
    clock.at = at(TUESDAY, 10)
    answer = command("run")
    assert answer.status == 0
    assert answer.out.startswith(f"ACME, {TUESDAY}\n  cases: 1")
    assert ": 0" not in answer.out
    assert answer.err == "Running 1/1 ACME\n"
    assert house.rows(Creditor)[0].business_date == TUESDAY


def test_without_a_date_it_is_today_where_the_creditor_is(house: House, command: Command, clock: FixedClock) -> None:
    clock.at = at(MONDAY, 23)  # past midnight in Amsterdam
    assert told(command, "run")[0]["as_of"] == TUESDAY.isoformat()


def test_a_day_to_come_is_not_run(house: House, command: Command) -> None:
    answer = command("run", "--as-of", TUESDAY.isoformat())
    assert answer.status == 2
    assert f"{TUESDAY} is still to come for ACME" in answer.err
    assert f"up to {MONDAY}" in answer.err
    assert house.rows(Creditor)[0].business_date == MONDAY


def test_no_file_speaks_for_a_day_after_tomorrow(house: House, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("x")
    late = command("ingest", str(file), "--source", "none", "--as-of", (TUESDAY + timedelta(days=1)).isoformat())
    assert (late.status, f"up to {TUESDAY}" in late.err) == (2, True)
    assert "to come" not in command("ingest", str(file), "--source", "none", "--as-of", TUESDAY.isoformat()).err


def test_a_run_in_the_evening_says_what_waits(house: House, command: Command, clock: FixedClock) -> None:
    clock.at = at(MONDAY, 20)
    (row,) = told(command, "run")
    assert (row["sent"], row["waiting"]) == (0, 1)
    assert row["first_at"].startswith(f"{TUESDAY}T0")
    assert f"Messages still queued: 1; the first may go from {TUESDAY} 0" in command("run").out
    (waits,) = told(command, "deliver")
    assert (waits["channel"], waits["sent"], waits["waiting"], waits["first_at"]) == ("email", 0, 1, row["first_at"])
    assert "`maatpak deliver`" in command("deliver").out


def test_what_a_killed_worker_left_is_told_with_the_time_when_it_is_looked_into(
    house: House, command: Command, clock: FixedClock
) -> None:
    clock.at = at(MONDAY, 20)
    told(command, "run")
    until = datetime.now(UTC) + timedelta(minutes=10)
    left = "UPDATE message SET state = 'sending', leased_by = 'gone', leased_until = :until, send_after = NULL"
    with house.engine.database.session() as session:
        session.connection().execute(text(left), {"until": until})
    (waits,) = told(command, "deliver")
    assert (waits["sent"], waits["waiting"]) == (0, 1)
    assert datetime.fromisoformat(waits["first_at"]) == until


def test_a_past_day_is_not_run_again_but_the_other_creditors_are(
    house: House, command: Command, clock: FixedClock
) -> None:
    other = build_house(house.engine, MONDAY - timedelta(days=3), "BETA")
    answer = command("run", "--as-of", (MONDAY - timedelta(days=3)).isoformat(), "--json")
    acme, beta = json.loads(answer.out)
    assert answer.status == 2
    assert "ACME is at 2026-03-02" in acme["error"]
    assert (beta["creditor"], beta["cases"]) == ("BETA", 0)
    assert "`maatpak audit replay --as-of DATE`" in answer.err
    assert "--dry" not in answer.err
    assert other.rows(Creditor, code="BETA")[0].business_date == MONDAY - timedelta(days=3)


def test_a_creditor_whose_day_fails_does_not_stop_the_others(house: House, command: Command, clock: FixedClock) -> None:
    build_house(house.engine, MONDAY, "BETA")
    refuse = (
        "CREATE FUNCTION refuse_acme() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.creditor_id ="
        f" {house.creditor_id} THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER refuse_acme BEFORE INSERT ON tick FOR EACH ROW EXECUTE FUNCTION refuse_acme()"
    )
    with house.engine.database.session() as session:
        session.connection().execute(text(refuse))
    answer = command("run", "--as-of", MONDAY.isoformat(), "--json")
    acme, beta = json.loads(answer.out)
    assert answer.status == 1
    assert "the disk is full" in acme["error"]
    assert (beta["creditor"], beta["as_of"], "error" in beta) == ("BETA", MONDAY.isoformat(), False)
    assert "the disk is full" in answer.err
    assert "Traceback" not in answer.err


def test_a_mail_server_that_is_away_ends_with_five(
    house: House, command: Command, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(GIVE_UP_AFTER):
        house.item(house.debtor(f"M{number}"), f"M{number}", 100_000, date(2026, 1, 30))
    monkeypatch.setenv("MAATPAK_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MAATPAK_SMTP_PORT", "1")
    answer = command("run", "--as-of", MONDAY.isoformat())
    assert answer.status == 5
    assert "maatpak deliver" in answer.err
    assert {message.state for message in house.rows(Message)} == {"queued"}


def test_who_did_not_get_a_step_is_told_and_ends_with_five(house: House, command: Command, clock: FixedClock) -> None:
    house.item(house.debtor("Unlucky"), "U1", 100_000, date(2026, 1, 30))
    refuse = (
        "CREATE FUNCTION refuse_unlucky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.recipient LIKE 'Unlucky%'"
        " THEN RAISE EXCEPTION 'no letter for %', NEW.recipient; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER refuse_unlucky BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refuse_unlucky()"
    )
    with house.engine.database.session() as session:
        session.connection().execute(text(refuse))
    debtor = house.row(Debtor, debtor_no="Unlucky").id
    answer = command("run", "--as-of", MONDAY.isoformat(), "--json")
    (row,) = json.loads(answer.out)
    assert (answer.status, row["sent"], row["failing"]) == (5, 1, 1)
    (failure,) = row["failures"]
    assert (failure["debtor_id"], failure["steps"]) == (debtor, ["reminder"])
    assert f"debtor id {debtor}: reminder: {failure['error']}" in answer.err
    assert "example.test" not in answer.out + answer.err
    (kept,) = (house.engine.workspace.root / "logs" / "failures").iterdir()
    assert "no letter for Unlucky" in kept.read_text()
    with house.engine.database.session() as session:
        session.connection().execute(text("DROP TRIGGER refuse_unlucky ON message"))
    assert run_on(house, command, clock, MONDAY)["sent"] == 1


def test_messages_in_doubt_end_with_five(house: House, command: Command, clock: FixedClock) -> None:
    plan_faults(house.engine.workspace.sinks / "mail", [Fault(at="after", drop=True)])
    answer = command("run", "--as-of", MONDAY.isoformat())
    assert answer.status == 5
    assert "1 of ACME's messages it is not known" in answer.err
    assert (command("deliver").status, command("messages", "list", "--unknown").status) == (0, 0)


def test_nobody_to_run_for(command: Command, clock: FixedClock) -> None:
    answer = command("run", "--as-of", MONDAY.isoformat())
    assert (answer.status, "policy publish" in answer.err) == (2, True)


def test_a_call_is_tried_again_and_then_spoken(opened: House, command: Command, clock: FixedClock) -> None:
    task = open_call(opened)
    (row,) = told(command, "tasks", "list", "--kind", "call")
    assert (row["task_id"], row["debtor_no"], row["step"], row["phone"]) == (task, "C1", "call", "+31201234567")
    assert row["call_hours"] is None
    assert command("preference", "add", "C1", "call_hours", "09:00-11:30", "--actor", "carla").status == 0
    assert told(command, "tasks", "list", "--kind", "call")[0]["call_hours"] == "09:00-11:30"
    answer = command("tasks", "done", str(task), "no_answer", "--actor", "carla")
    assert answer.out == f"Work {task} (call: call) stays open; the next try is on {TUESDAY}.\n"
    refused = command("tasks", "done", str(task), "voicemail", "--actor", "carla")
    assert (refused.status, "One attempt a day" in refused.err) == (2, True)
    promised = ("--promised-on", "2026-03-06", "--promised", "500.00", "--reason", "forgot", "--day-part", "afternoon")
    answer = command("tasks", "done", str(task), "promised", *promised, "--actor", "carla")
    assert answer.out == f"Work {task} (call: call) is done: promised.\n"
    assert (opened.row(Promise).amount, opened.row(Action, step="call").state) == (50_000, "executed")
    assert told(command, "tasks", "list", "--kind", "call") == []
    assert [each["outcome"] for each in told(command, "tasks", "list", "--kind", "call", "--all")] == ["promised"]


def test_calls_about_two_currencies_are_told_apart(opened: House, command: Command, clock: FixedClock) -> None:
    euros = open_call(opened)
    other = opened.another_currency(1, "GBP")
    with opened.desk("carla") as desk:
        task = open_work(desk, desk.case(other), WorkKind.CALL, "call", Role.COLLECTOR, working_days=0)
        pounds = int(task.id or 0)
    rows = {row["task_id"]: (row["currency"], row["amount"]) for row in told(command, "tasks", "list")}
    assert rows == {euros: ("EUR", 150_000), pounds: ("GBP", None)}
    table = {int(line.split()[0]): line for line in command("tasks", "list").out.splitlines()[1:]}
    assert "EUR  €1,500.00" in table[euros]
    assert "GBP" in table[pounds]


def test_the_part_of_the_day_is_that_where_the_creditor_is(opened: House, command: Command, clock: FixedClock) -> None:
    clock.at = at(MONDAY, 11)  # noon in Amsterdam
    assert command("tasks", "done", str(open_call(opened)), "voicemail", "--actor", "carla").status == 0
    assert opened.row(ContactResult).day_part == "afternoon"


def test_a_call_outside_the_hours_is_refused(opened: House, command: Command, clock: FixedClock) -> None:
    task = str(open_call(opened))
    command("preference", "add", "C1", "call_hours", "09:00-10:30", "--actor", "carla")
    (row,) = told(command, "tasks", "list", "--kind", "call")
    assert (row["may_ring"], row["ring_from"]) == (False, f"{TUESDAY}T09:00:00+01:00")  # it is eleven in Amsterdam
    assert "Tue 03 Mar 09:00" in command("tasks", "list", "--kind", "call").out
    answer = command("tasks", "done", task, "spoke_no_commitment", "--actor", "carla")
    assert (answer.status, opened.rows(ContactResult)) == (2, [])
    assert "rung between 09:00 and 10:30" in answer.err
    assert "next from Tue 03 Mar 09:00 there" in answer.err
    assert command("tasks", "done", task, "no_answer", "--inbound", "--actor", "carla").status == 2
    assert command("tasks", "done", task, "no_answer", "--inbound", "--asked", "--actor", "carla").status == 2
    assert command("tasks", "done", task, "no_answer", "--at", "half ten", "--actor", "carla").status == 2
    assert command("tasks", "done", task, "no_answer", "--at", "10:15", "--actor", "carla").status == 0
    assert command("tasks", "done", task, "spoke_no_commitment", "--inbound", "--actor", "carla").status == 0
    results = [(each.code, each.day_part) for each in opened.rows(ContactResult)]
    assert results == [("no_answer", "morning"), ("spoke_no_commitment", "morning")]


def test_a_call_is_waived_by_a_manager_with_a_reason(opened: House, command: Command, clock: FixedClock) -> None:
    task = str(open_call(opened))
    assert command("tasks", "done", task, "waived", "--note", "x", "--actor", "carla").status == 2
    assert "needs its reason" in command("tasks", "done", task, "waived", "--actor", "mo").err
    assert command("tasks", "done", task, "waived", "--note", "abroad", "--actor", "mo").status == 0
    assert opened.row(WorkTask, kind="call").note == "abroad"


def test_the_account_manager_answers_or_talks(opened: House, command: Command, clock: FixedClock) -> None:
    task = str(open_consult(opened))
    assert [row["task_id"] for row in told(command, "tasks", "list", "--assignee", "anna")] == [int(task)]
    refused = command("tasks", "done", task, "agree", "--actor", "dirk")
    assert (refused.status, "anna's to answer" in refused.err) == (2, True)
    answer = command("tasks", "done", task, "i_talk", "--note", "on Wednesday", "--actor", "anna", "--json")
    assert json.loads(answer.out)["outcome"] == "i_talk"
    (hold,) = told(command, "hold", "list")
    assert (hold["reason"], hold["note"]) == ("account_manager_talks", "on Wednesday")


def test_wrong_words_for_work_are_listed(opened: House, command: Command, clock: FixedClock) -> None:
    task = str(open_call(opened))
    for arguments, said in (
        ((task, "shouted"), "One of: no_answer, voicemail,"),
        ((task, "shouted"), "do_not_call, waived."),
        ((task, "waived", "--promised-on", "2026-03-06"), "no result of a call"),
        (("99", "done"), "no work 99"),
        ((task, "promised"), "needs its date"),
        ((task, "spoke_no_commitment", "--day-part", "night"), "no part of a day"),
    ):
        answer = command("tasks", "done", *arguments, "--actor", "carla")
        assert (answer.status, said in answer.err) == (2, True), answer
    assert command("tasks", "list", "--role", "boss").status == 2
    assert opened.row(WorkTask, kind="call").state == "open"


def test_what_waits_is_shown_word_for_word_and_approved(opened: House, command: Command, clock: FixedClock) -> None:
    action_id = propose_demand(opened)
    (row,) = told(command, "approvals", "list", "--show")
    assert (row["action_id"], row["amount"], row["yeses"], row["role"]) == (action_id, 150_000, "0/1", "credit_manager")
    assert [item["document_no"] for item in row["items"]] == ["F1", "F2"]
    assert {message["channel"] for message in row["messages"]} == {"email", "post"}
    shown = command("approvals", "list", "--show").out
    assert row["messages"][0]["text"].splitlines()[0] in shown
    assert row["content_hash"] in shown
    for actor, said in (("carla", "may not approve"), ("max", "may approve up to €1,000.00, this is €1,500.00")):
        refused = command("approvals", "approve", str(action_id), "--reason", "seen", "--actor", actor)
        assert (refused.status, said in refused.err) == (2, True), refused
    shown_other = ("--shown", "0" * 64)
    refused = command("approvals", "approve", str(action_id), "--reason", "seen", *shown_other, "--actor", "mo")
    assert (refused.status, "no longer what was shown" in refused.err) == (2, True)
    assert opened.rows(Approval) == []
    same = ("--shown", row["content_hash"])
    answer = command("approvals", "approve", str(action_id), "--reason", "seen", *same, "--actor", "mo")
    assert answer.out == "1 of 1 approved.\n"
    assert (opened.row(Approval).reason, opened.row(Action, id=action_id).state) == ("seen", "approved")
    assert command("approvals", "list").out == "Nothing waits for a verdict.\n"


def test_a_batch_is_approved_by_its_step(opened: House, command: Command, clock: FixedClock) -> None:
    action_id = propose_demand(opened)
    for arguments, said in (
        ((), "No action is named"),
        (("--step", "reminder"), "Nothing of step"),
        (("77",), "no action 77"),
        ((str(action_id), "--creditor", "ACME", "78"), "no action 78"),
    ):
        answer = command("approvals", "approve", *arguments, "--reason", "seen", "--actor", "mo")
        assert (answer.status, said in answer.err) == (2, True), answer
    answer = command(
        "approvals", "approve", "--step", "final_demand", "--reason", "all seen", "--actor", "mo", "--json"
    )
    assert json.loads(answer.out) == [{"action_id": action_id, "step": "final_demand", "state": "approved"}]


def propose_placement(house: House) -> int:
    """A placement of both items that waits for two yeses; its id."""
    with house.engine.database.session() as session:
        action = _action(house, session.exec(select(Round)).one(), "handoff", "handoff", "awaiting_approval")
        action.stage, action.escalating = "handoff", True
        action.approval_role, action.approvals_needed = "credit_manager", 2
        session.add(action)
        session.flush()
        action_id = int(action.id or 0)
        for number, amount in (("F1", 100_000), ("F2", 50_000)):
            session.add(ActionItem(action_id=action_id, item_id=house.items[number], amount=amount))
    with house.engine.database.frames(read_only=True) as frames:
        hashes = hashes_of(house.engine, frames, [action_id], house.day, at(house.day, 11))
    with house.engine.database.session() as session:
        session.get_one(Action, action_id).content_hash = hashes[action_id]
    return action_id


def test_a_placement_lists_what_is_unchecked_with_its_commands(
    opened: House, command: Command, clock: FixedClock
) -> None:
    action_id = str(propose_placement(opened))
    (row,) = told(command, "approvals", "list")
    assert (row["unchecked"], {check["kind"]: check["state"] for check in row["checks"]}["credit"]) == (5, "fine")
    shown = command("approvals", "list", "--show").out
    assert "[x] Credit: nothing of the customer's lies unapplied" in shown
    assert "[ ] Insolvency register: nobody has looked the customer up: `maatpak check record C1" in shown
    yes = ("approvals", "approve", action_id, "--reason", "seen", "--actor")
    assert command(*yes, "mo").status == 0
    refused = command(*yes, "mia")
    assert (refused.status, "Identity: nobody has checked" in refused.err) == (2, True)
    assert "`maatpak creditor licence ACME --country NL" in refused.err
    explained = told(command, "explain", "C1")
    assert [check["kind"] for check in explained["checks"] if check["state"] != "fine"] == [
        "identity", "address", "limitation", "insolvency_register", "agency_licence",
    ]  # fmt: skip
    assert "Checks before the placement" in command("explain", "C1").out
    check_all(opened, int(action_id))
    assert told(command, "approvals", "list")[0]["unchecked"] == 0
    assert command(*yes, "mia").out == "1 of 1 approved.\n"


def test_a_no_says_what_comes_next(opened: House, command: Command, clock: FixedClock) -> None:
    action_id = str(propose_demand(opened))
    no = ("approvals", "reject", action_id, "--reason", "a good customer", "--actor", "mo")
    assert "no step 'nothing'" in command(*no, "--next", "nothing", "--on", "2026-03-20").err
    assert "is not after today" in command(*no, "--next", "call", "--on", MONDAY.isoformat()).err
    answer = command(*no, "--next", "call", "--on", "2026-03-20")
    assert answer.out == f"Action {action_id} is rejected; call may come from 2026-03-20.\n"
    action = opened.row(Action, step="final_demand")
    assert (action.state, action.retry_step, action.retry_on) == ("rejected", "call", date(2026, 3, 20))


def test_a_case_is_moved_by_hand(opened: House, command: Command, clock: FixedClock) -> None:
    waiting = propose_demand(opened)
    before = opened.row(RoundCourse).segment
    target = "strained" if before != "strained" else "habitual"
    assert command("case", "move", "C1", target, "--reason", "told us", "--actor", "olga").status == 2
    assert "no segment 'rich'" in command("case", "move", "C1", "rich", "--reason", "x", "--actor", "mo").err
    assert "no stage" in command("case", "move", "C1", target, "--reason", "x", "--stage", "far", "--actor", "mo").err
    harsher = command("case", "move", "C1", target, "--reason", "x", "--stage", "demand", "--actor", "mo")
    assert (harsher.status, harsher.err.count("as far as remind; the stage demand is harsher")) == (2, 1), harsher
    assert "one of: prepare, remind." in harsher.err
    answer = command("case", "move", "C1", target, "--reason", "told us", "--actor", "mo", "--json")
    assert json.loads(answer.out)["segment"] == target
    course = opened.row(RoundCourse)
    assert (course.segment, course.cause, course.actor, course.entry_stage) == (target, "told us", "mo", "remind")
    assert (opened.row(Action, id=waiting).state, opened.row(Action, id=waiting).reason) == ("cancelled", "rerouted")
    again = command("case", "move", "C1", target, "--reason", "told us", "--actor", "mo")
    assert (again.status, "already" in again.err) == (2, True)
    assert [event.body["segment"] for event in opened.rows_of_events("case_moved")] == [target]
    run_on(opened, command, clock, TUESDAY)
    (case,) = told(command, "cases")
    assert case["segment"] == target


def test_a_step_is_passed_over_by_hand(opened: House, command: Command, clock: FixedClock) -> None:
    task = open_call(opened)
    assert "no step 'dance'" in command("case", "skip", "C1", "dance", "--reason", "x", "--actor", "mo").err
    assert command("case", "skip", "C1", "call", "--reason", " ", "--actor", "mo").status == 2
    answer = command("case", "skip", "C1", "call", "--reason", "met them at a fair", "--actor", "mo")
    assert answer.out == "C1: call is passed over; the next run goes on after it.\n"
    first, second = opened.rows(Action, step="call")
    assert (first.state, first.reason, second.state, second.reason, second.attempt) == (
        "cancelled", "by_hand", "skipped", "by_hand", 2,
    )  # fmt: skip
    assert opened.row(WorkTask, id=task).state == "cancelled"
    assert opened.row(WorkTask, action_id=second.id).note == "met them at a fair"
    (event,) = opened.rows_of_events("step_skipped")
    assert (event.actor, "fair" in json.dumps(event.body)) == ("mo", False)


def test_without_a_round_there_is_no_course_to_change(house: House, command: Command) -> None:
    for arguments in (("move", "C1", "strained"), ("skip", "C1", "call")):
        answer = command("case", *arguments, "--reason", "x", "--actor", "mo")
        assert (answer.status, "no open round" in answer.err) == (2, True)


def test_figures_and_silence(opened: House, command: Command, clock: FixedClock) -> None:
    (row,) = told(command, "report")
    assert (row["creditor"], row["cases"], row["overdue_open"], row["cause"]) == ("ACME", 1, 150_000, "reminder")
    assert "€1,500.00" in command("report").out
    assert told(command, "report", "--silent") == {"items": [], "quarantined": []}
    late = told(command, "report", "--silent", "--as-of", "2026-04-30")["items"]
    assert [(each["document_no"], each["last_on"], each["cause"]) for each in late] == [
        ("F1", MONDAY.isoformat(), "reminder is due"),
        ("F2", MONDAY.isoformat(), "reminder is due"),
    ]
    assert "reminder is due" in command("report", "--silent", "--as-of", "2026-04-30").out
    refused = command("report", "--as-of", "2026-04-30")
    assert (refused.status, "goes with --silent" in refused.err) == (2, True)


def test_programs_get_every_row_and_people_what_they_can_look_through(
    house: House, command: Command, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maatpak.cli.session.MOST_SHOWN", 2)
    for number in range(2, 5):
        house.item(house.debtor(f"C{number}"), f"F{number}", 100_000, date(2026, 1, 30))
    run_on(house, command, clock, MONDAY)
    for words in (("cases",), ("messages", "list"), ("tasks", "list", "--all")):
        if words[0] == "tasks":
            for number in range(1, 5):
                arguments = ("--channel", "email", "--actor", "carla")
                assert command("messages", "answer", f"C{number}", *arguments).status == 0
        assert len(told(command, *words)) == 4, words
        assert len(told(command, *words, "--most", "3")) == 3, words
        shown = command(*words).out
        assert sum(f" C{number} " in shown for number in range(1, 5)) == 2, shown
    assert command("cases", "--most", "0").status == 2
    assert [row["debtor_no"] for row in told(command, "cases", "--at-least", "1250.00")] == ["C1"]
    assert "is no segment" in command("cases", "--segment", "rich").err


def test_mine_is_not_somebody_elses(house: House, command: Command) -> None:
    answer = command("tasks", "list", "--mine", "--assignee", "anna")
    assert (answer.status, "--mine and --assignee" in answer.err) == (2, True)


def test_a_past_day_is_replayed(opened: House, command: Command, clock: FixedClock) -> None:
    run_on(opened, command, clock, TUESDAY)
    (row,) = told(command, "audit", "replay", "--as-of", MONDAY.isoformat())
    assert (row["creditor"], row["same"], row["ticks"], row["cases"], row["unproven"]) == ("ACME", True, 1, 1, 2)
    assert "come out as they were" in command("audit", "replay", "--as-of", MONDAY.isoformat()).out
    missing = command("audit", "replay", "--as-of", "2026-02-27")
    assert (missing.status, "No run of 2026-02-27" in missing.err) == (2, True)
    with opened.engine.database.session() as session:
        session.connection().execute(text("ALTER TABLE item_version DISABLE TRIGGER ALL"))
        session.connection().execute(text("UPDATE item_version SET open_amount = 1 WHERE document_no = 'F2'"))
    answer = command("audit", "replay", "--as-of", MONDAY.isoformat())
    assert answer.status == 1
    assert "overdue_open" in answer.out
    assert "150000" in answer.out
    assert "come out otherwise than on 2026-03-02" in answer.err


def test_a_case_is_taken_back_from_the_agency(opened: House, command: Command, clock: FixedClock) -> None:
    with opened.engine.database.session() as session:
        round_ = session.exec(select(Round)).one()
        action = _action(opened, round_, "handoff", "handoff", "in_progress")
        session.add(action)
        session.flush()
        session.add(
            Placement(
                items={str(opened.items["F1"]): 100_000},
                amount=100_000,
                dossier="dossiers/x",
                agency="agency",
                placement_no="G-7",
                creditor_id=opened.creditor_id,
                case_id=round_.case_id,
                action_id=int(action.id or 0),
                state="placed",
                cause="journey",
                actor="engine",
                valid_from=MONDAY,
                recorded_at=at(MONDAY, 9),
            )
        )
    (row,) = told(command, "case", "placements")
    assert (row["placement_no"], row["debtor_no"], row["documents"], row["amount"]) == ("G-7", "C1", ["F1"], 100_000)
    refused = command("case", "recall", "G-7", "regret", "--actor", "mo")
    assert (refused.status, "account_manager" in refused.err) == (2, True)
    assert "`maatpak case placements`" in command("case", "recall", "G-8", "error", "--actor", "mo").err
    answer = command("case", "recall", "G-7", "error", "--actor", "mo")
    assert answer.out == "Placement G-7 of C1 is recalled: error.\n", answer
    assert told(command, "case", "placements") == []
    assert [each["state"] for each in told(command, "case", "placements", "--all")] == ["recalled"]
    assert [each["record_no"] for each in told(command, "tasks", "list", "--kind", "notice")] == ["G-7"]
