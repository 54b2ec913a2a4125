"""Who takes invoices through a portal gets copies there: work for a person, whose word is their receipt (rule 28)."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import CallResult, NonPaymentReason
from maatpak.ledger.tables import Action, Message, WorkTask
from tasks.calls import Call, record_call
from tasks.preferences import set_preference
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House
from tests.tasks.act.script import Script


def takes_portal(house: House, case_id: int) -> None:
    with house.desk("olga", 7) as desk:
        set_preference(desk, desk.debtor(desk.case(case_id).debtor_id), "portal", "Ariba")


def end(house: House, task: WorkTask, outcome: str = "done") -> None:
    with house.desk("olga", 15) as desk:
        finish_work(desk, int(task.id or 0), Outcome(outcome))


@pytest.fixture
def upload(house: House) -> WorkTask:
    """The upload of two invoices that nothing says have arrived, ten working days before they are due."""
    other = house.debtor("O1")
    known: dict[str, Any] = {"invoice_sent_on": date(2026, 1, 5)}
    house.item(other, "O-1", 1_000, add_working_days(house.day, 18, "NL"), invoice_channel="email", **known)
    case_id = house.debtor("R1", email=None, street=None)
    takes_portal(house, case_id)
    for document in ("R-1", "R-2"):
        house.item(case_id, document, 90_000, add_working_days(house.day, 11, "NL"))
    Script(house, calling=False).day()
    task: WorkTask = house.row(WorkTask, case_id=case_id)
    return task


def test_a_copy_is_work_for_whoever_uploads(house: House, upload: WorkTask) -> None:
    assert (upload.kind, upload.role, upload.subject) == (
        "department",
        "operator",
        "Upload to the portal Ariba, and confirm: R-1, R-2.",
    )
    assert upload.due_on == add_working_days(house.day, 1, "NL")
    action = house.row(Action, id=upload.action_id)
    assert (action.step, action.state) == ("invoice_again", "in_progress")
    assert house.rows(Message, case_id=upload.case_id) == []
    script = Script(house, calling=False)
    script.day()
    assert len(house.rows(WorkTask, case_id=upload.case_id)) == 1
    end(house, upload)
    action = house.row(Action, id=upload.action_id)
    assert (action.state, action.result, action.executed_on) == ("executed", "done", house.day)
    for _ in range(3):
        script.day()
    assert len(house.rows(Action, case_id=upload.case_id)) == 1, "what was uploaded is not sent again"


def test_a_portal_that_is_none_leaves_the_copy_to_be_sent(house: House, upload: WorkTask) -> None:
    end(house, upload, "not_ours")
    action = house.row(Action, id=upload.action_id)
    assert (action.state, action.reason) == ("failed", "no_address")


def test_what_is_paid_meanwhile_need_not_be_uploaded(house: House, upload: WorkTask) -> None:
    for document in ("R-1", "R-2"):
        house.pay(document, house.day, known_on=add_working_days(house.day, 1, "NL"))
    Script(house, calling=False).day()
    assert house.row(WorkTask, id=upload.id).state == "cancelled"
    assert house.row(Action, id=upload.action_id).state == "cancelled"


@pytest.mark.stage("calling")
@pytest.mark.parametrize("portal", [True, False])
def test_the_copy_that_was_asked_for(house: House, case_id: int, call_task: WorkTask, portal: bool) -> None:
    if portal:
        takes_portal(house, case_id)
    with house.desk("carla") as desk:
        told = Call(CallResult.SPOKE_NO_COMMITMENT, "morning", reason=NonPaymentReason.LOST_INVOICE)
        record_call(desk, int(call_task.id or 0), told)
    script = Script(house)
    action = script.until("invoice_copy", "in_progress" if portal else "executed", most=12)
    copies = house.rows(Message, case_id=case_id, template="invoice_copy")
    assert len(copies) == (0 if portal else 1)
    if portal:
        task = house.row(WorkTask, action_id=action.id)
        assert task.subject == "Upload to the portal Ariba, and confirm: F1, F2."
        end(house, task)
        assert house.row(Action, id=action.id).state == "executed"
