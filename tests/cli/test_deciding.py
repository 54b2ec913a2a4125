"""Approvals, and a hand on a case's course."""

import json
from datetime import date

from sqlmodel import select

from maatpak.kernel.clock import FixedClock
from maatpak.ledger.tables import (
    Action,
    Approval,
    Placement,
    Round,
    RoundCourse,
    WorkTask,
)
from tests.cli.acting import (
    MONDAY,
    TUESDAY,
    Command,
    action_of,
    open_call,
    propose_demand,
    propose_placement,
    run_on,
    told,
)
from tests.tasks.act.house import House, at
from tests.tasks.act.script import check_all


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


def test_a_case_is_taken_back_from_the_agency(opened: House, command: Command, clock: FixedClock) -> None:
    with opened.engine.database.session() as session:
        round_ = session.exec(select(Round)).one()
        action = action_of(opened, round_, "handoff", "handoff", "in_progress")
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
