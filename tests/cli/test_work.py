"""The work that a day gives people: calls and consultations."""

import json

from maatpak.kernel.clock import FixedClock
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import (
    Action,
    ContactResult,
    Promise,
    WorkTask,
)
from tasks.worklist import open_work
from tests.cli.acting import MONDAY, TUESDAY, Command, open_call, open_consult, told
from tests.tasks.act.house import House, at


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


def test_mine_is_not_somebody_elses(house: House, command: Command) -> None:
    answer = command("tasks", "list", "--mine", "--assignee", "anna")
    assert (answer.status, "--mine and --assignee" in answer.err) == (2, True)
