"""What is looked up before a customer goes to the agency (rule 20): shown, awaited, and looked at again."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from maatpak.demo.checking import look_up
from maatpak.demo.worklist import Paper
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import (
    Action,
    Approval,
    Placement,
    PlacementCheck,
    WorkTask,
)
from tasks.approvals import reject
from tasks.facts import build_facts
from tasks.pending import pending
from tasks.placement_checks import LABELS, checks_of
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.work import Outcome, finish_work
from tasks.worklist import CHECK_FIRST
from tests.tasks.act.checking import age, execute, record, returned, say_yes, states
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script, check_all

pytestmark = pytest.mark.stage("placing")


EVERY = list(CheckKind)


def test_a_proposed_placement_shows_every_check_and_how_to_record_it(house: House, handoff: Action) -> None:
    assert states(house) == {
        "identity": "missing",
        "address": "expired",
        "credit": "fine",
        "limitation": "missing",
        "insolvency_register": "missing",
        "agency_licence": "missing",
    }
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    assert row.unchecked == 5
    told = {check.kind: (check.told, check.mend) for check in row.checks}
    for kind in CUSTOMER_CHECKS:
        assert f"`maatpak check record C1 --creditor ACME --kind {kind} --result clear" in told[kind][1]
    assert "--document F1 --until" in told["limitation"][1]
    assert "`maatpak creditor licence ACME --country NL" in told["agency_licence"][1]
    assert told["limitation"][0] == "Limitation: until when F1 (due 2026-01-30) can be claimed is not on record"
    assert "last heard to be good on 2020-01-01, more than 12 months ago" in told["address"][0]
    check_all(house, int(handoff.id or 0))
    assert set(states(house).values()) == {"fine"}


def test_other_proposals_have_no_checks(house: House, handoff: Action) -> None:
    with house.desk("mo") as desk:
        reject(desk, int(handoff.id or 0), "too hard", "call", house.day + timedelta(days=7))
        assert pending(desk) == []
        assert checks_of(lambda _: pytest.fail("read"), [], desk.pack.guardrails.placement, desk.as_of, desk.now) == []


@pytest.mark.parametrize("lacking", [kind for kind in EVERY if kind is not CheckKind.CREDIT])
@pytest.mark.parametrize("how", ["missing", "failed", "expired"])
def test_the_last_yes_waits_for_every_check(house: House, handoff: Action, lacking: CheckKind, how: str) -> None:
    check_all(house, int(handoff.id or 0), *([lacking] if how == "missing" else []))
    if how == "failed":
        record(house, lacking, CheckResult.FAILED, "mia" if lacking is CheckKind.AGENCY_LICENCE else "olga")
    elif how == "expired" and lacking is not CheckKind.ADDRESS:
        age(house, lacking, house.day - timedelta(days=1))
    elif how == "expired":
        with house.engine.database.session() as session:
            session.connection().exec_driver_sql("ALTER TABLE placement_check DISABLE TRIGGER keep_update")
            session.connection().exec_driver_sql(
                "UPDATE placement_check SET checked_on = DATE '2025-01-01' WHERE kind = 'address'"
            )
    assert say_yes(house, handoff, "mo").state == "awaiting_approval"
    with pytest.raises(RefusedError, match="cannot go to the agency yet") as refused:
        say_yes(house, handoff, "mia")
    assert f"{LABELS[lacking]}: " in refused.value.message
    assert sum(label in refused.value.message for label in LABELS.values()) == 1
    assert f"{lacking}: " in str(refused.value.advice)
    assert house.row(Action, id=handoff.id).state == "awaiting_approval"
    assert len(house.rows(Approval, action_id=handoff.id)) == 1
    record(house, lacking, CheckResult.CLEAR, "mia" if lacking is CheckKind.AGENCY_LICENCE else "olga")
    assert say_yes(house, handoff, "mia").state == "approved"


@pytest.mark.parametrize("kind", ["credit_note", "payment"])
def test_what_lies_unapplied_of_the_customers_forbids_it(house: House, handoff: Action, kind: str) -> None:
    check_all(house, int(handoff.id or 0))
    house.item(handoff.case_id, "K1", 1_000, house.day, item_type=kind, issued_on=house.day, reference="F1")
    assert states(house)["credit"] == "failed"
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    (credit,) = (check for check in row.checks if check.kind == "credit")
    assert "€10.00 of credit notes or payments" in credit.told
    with house.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, house.creditor_id, house.day, EVERYTHING_RECORDED).cases
    assert facts["credit_notes_open"].item() + facts["cash_unallocated"].item() == 1_000


SINCE: dict[str, Callable[[House], None]] = {
    "identity": lambda house: record(house, CheckKind.IDENTITY, CheckResult.FAILED),
    "address": lambda house: record(house, CheckKind.ADDRESS, CheckResult.FAILED),
    "letter": returned,
    "limitation": lambda house: age(house, CheckKind.LIMITATION, house.day + timedelta(days=89)),
    "insolvency_register": lambda house: age(house, CheckKind.INSOLVENCY_REGISTER, house.day - timedelta(days=1)),
    "agency_licence": lambda house: record(house, CheckKind.AGENCY_LICENCE, CheckResult.FAILED, "mo"),
}
"""What may come up between the last yes and the effect."""


@pytest.mark.parametrize("what", SINCE)
def test_what_came_up_since_the_last_yes_stops_it_with_a_reason(house: House, handoff: Action, what: str) -> None:
    Script(house).approve(int(handoff.id or 0))
    SINCE[what](house)
    execute(house)
    found = house.row(Action, id=handoff.id)
    assert (found.state, found.reason, house.rows(Placement)) == ("cancelled", "check_missing", [])
    assert not (house.engine.workspace.sinks / "agency").exists()
    (event,) = [each for each in house.rows_of_events("step_executed") if each.business_date == house.day][-1:]
    assert event.body["counts"] == {"cancelled check_missing": 1}
    execute(house)
    assert house.row(Action, id=handoff.id).reason == "check_missing"


def test_it_is_proposed_afresh_and_somebody_is_asked_to_look(house: House, handoff: Action) -> None:
    Script(house).approve(int(handoff.id or 0))
    age(house, CheckKind.INSOLVENCY_REGISTER, house.day)
    script = Script(house, approving=False)
    script.day()
    again = script.until("handoff", "awaiting_approval", most=3)
    assert (house.row(Action, id=handoff.id).reason, again.attempt) == ("check_missing", 2)
    task = house.row(WorkTask, subject=CHECK_FIRST, state="open")
    assert (task.kind, task.role, task.record_no, task.blocks) == ("review", "operator", f"G-{again.id}", False)
    record(house, CheckKind.INSOLVENCY_REGISTER, CheckResult.CLEAR)
    assert house.row(WorkTask, id=task.id).outcome == "done"
    script.approving = True
    script.people()
    script.day()
    assert house.row(Placement).placement_no == f"G-{again.id}"


def test_the_work_of_checking_ends_with_the_last_record_only(house: House, handoff: Action) -> None:
    task = house.row(WorkTask, subject=CHECK_FIRST, state="open")
    assert task.record_no == f"G-{handoff.id}"
    check_all(house, int(handoff.id or 0), CheckKind.IDENTITY)
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="Identity: nobody has checked that C1"):
        finish_work(desk, task.id, Outcome("done"))
    record(house, CheckKind.IDENTITY, CheckResult.FAILED)
    found = house.row(WorkTask, id=task.id)
    assert (found.state, found.outcome, found.done_by) == ("done", "done", "olga")
    assert states(house)["identity"] == "failed"


def test_the_work_of_checking_goes_with_the_proposal(house: House, handoff: Action) -> None:
    with house.desk("mo") as desk:
        reject(desk, int(handoff.id or 0), "not now", "handoff", house.day + timedelta(days=30))
    Script(house, approving=False).day()
    assert [task.outcome for task in house.rows(WorkTask, subject=CHECK_FIRST)] == ["ended"]


def test_the_staff_of_the_demo_look_up_what_is_missing_once(house: House, handoff: Action) -> None:
    work: Any = house.row(WorkTask, subject=CHECK_FIRST)
    customer: Any = SimpleNamespace(country="NL")
    for _ in range(2):
        for act, who in zip(look_up(Paper(work, customer), Random(1)), ("olga", "mo"), strict=True):
            with house.desk(who) as desk:
                act.do(desk)
    assert set(states(house).values()) == {"fine"}
    assert house.count(PlacementCheck) == len(CUSTOMER_CHECKS) + 1


@pytest.mark.parametrize("looked_up", [False, True])
def test_a_placement_that_nobody_let_go_in_time_says_why(house: House, handoff: Action, looked_up: bool) -> None:
    say_yes(house, handoff, "mo")
    if looked_up:
        check_all(house, int(handoff.id or 0))
    script = Script(house, approving=False)
    for _ in range(6):
        summary = script.day()
    reason = "approval_lapsed" if looked_up else "check_missing"
    assert summary.settled.counts[f"action {reason}"] == 1
    assert house.row(Action, id=handoff.id).reason == reason
    script.day()  # Nothing is placed on the eve of Ascension Day.
    (again,) = house.rows(Action, step="handoff", state="awaiting_approval")
    asked = [task.record_no for task in house.rows(WorkTask, subject=CHECK_FIRST, state="open")]
    assert asked == ([] if looked_up else [f"G-{again.id}"])


def test_a_second_run_of_the_day_asks_nothing_twice(house: House, handoff: Action) -> None:
    from tasks.tick import tick

    before = house.count(WorkTask)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 9))
    assert house.count(WorkTask) == before
