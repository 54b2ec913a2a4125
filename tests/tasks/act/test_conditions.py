"""A step's own condition is asked again before its effect, with what is known then (law 4)."""

from typing import Any

import polars as pl
import pytest
from sqlmodel import select

from maatpak.kernel.calendars import add_working_days
from maatpak.ledger.tables import Action, DebtorProfile, Message, WorkTask
from maatpak.ledger.versions import succeed
from policies.pack import load_pack, standard_pack_files
from tasks.conditions import no_longer_so
from tasks.day import run_day
from tasks.execute import execute_all
from tasks.tick import tick
from tests.policies.lives import fact_row, facts_frame
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


@pytest.mark.stage("call approved")
@pytest.mark.parametrize(("credited", "state"), [(145_001, "cancelled"), (145_000, "in_progress")])
def test_a_call_is_not_made_for_what_is_too_little_by_now(
    house: House, case_id: int, credited: int, state: str
) -> None:
    """It was approved over 1,500.00; its step asks for 50.00 at least."""
    house.item(case_id, "CN1", credited, house.day, item_type="credit_note", issued_on=house.day)
    done = execute_all(house.engine, house.creditor_id, house.day, at(house.day, 8))
    action = house.row(Action, step="call")
    assert action.state == state
    assert len(house.rows(WorkTask, kind="call")) == (state == "in_progress")
    if state == "cancelled":
        assert (action.reason, action.started_on) == ("condition_false", house.day)
        assert done.counts == {"cancelled condition_false": 1}


def test_a_message_is_not_sent_for_what_holds_no_longer(house: House, case_id: int) -> None:
    house.item(case_id, "X1", 150_000, house.day, item_type="payment", issued_on=house.day)
    for hour, left in ((20, 400), (9, None)):  # in the evening nothing is sent any more
        house.day = add_working_days(house.day, 1, "NL")
        house.snapshot(house.day)
        run_day(house.engine, house.creditor_id, house.day, at(house.day, hour))
        if left is not None:
            assert [message.state for message in house.rows(Message)] == ["queued"]
            house.pay("X1", house.day, 150_000 - left, known_on=add_working_days(house.day, 1, "NL"))
    question = house.row(Action, step="cash_question")
    assert (question.state, question.reason) == ("cancelled", "condition_false")


def consumer(house: House) -> None:
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, house.day, at(house.day, 5), kind="consumer")


@pytest.mark.stage("demanding")
def test_what_waits_for_an_approval_that_would_do_nothing_is_taken_back(house: House, demand: Action) -> None:
    house.go_to(add_working_days(house.day, 1, "NL"))
    consumer(house)
    tick(house.engine, house.creditor_id, house.day, at(house.day, 7))
    found = house.row(Action, id=demand.id)
    assert (found.state, found.reason) == ("cancelled", "condition_false")


@pytest.mark.stage("demanding")
def test_what_was_approved_is_not_done_if_it_is_not_so_any_more(house: House, demand: Action) -> None:
    Script(house).approve(int(demand.id or 0))
    assert house.row(Action, id=demand.id).state == "approved"
    consumer(house)
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))
    found = house.row(Action, id=demand.id)
    assert (found.state, found.reason) == ("cancelled", "condition_false")


FORGETFUL = "journeys/forgetful.yaml"
REMINDER = "at: due + 4 working days"


@pytest.mark.parametrize(
    ("rule", "facts", "ends"),
    [
        ("asked_amount > 100", {"asked_amount": 100}, True),
        ("asked_amount > 100", {"asked_amount": 101}, False),
        ("credit_limit_used > 0.5", {"credit_limit_used": None}, True),
        ("contacts_20wd < 2", {"contacts_20wd": 2}, False),
        ("contacts_20wd < 2 AND asked_amount > 100", {"contacts_20wd": 2, "asked_amount": 100}, True),
        ("consult_answer = 'none'", {"consult_answer": "open"}, True),
    ],
    ids=str,
)
def test_what_an_action_changes_by_itself_does_not_speak_against_it(
    rule: str, facts: dict[str, Any], *, ends: bool
) -> None:
    files = standard_pack_files()
    assert REMINDER in files[FORGETFUL]
    files[FORGETFUL] = files[FORGETFUL].replace(REMINDER, f'{REMINDER}, when: "{rule}"', 1)
    pack = load_pack(files)
    step = next(each for each in pack.journeys["forgetful"].steps.values() if each.when and each.when.text == rule)
    asked = {"action_id": 5, "case_id": 1, "pack_id": 1, "segment": "forgetful", "step": step.name}
    cases = facts_frame([fact_row(**facts), fact_row(case_id=2)])
    found = no_longer_so({1: pack}.__getitem__, pl.DataFrame([asked]), cases)
    assert found.to_dicts() == ([{"action_id": 5, "reason": "condition_false"}] if ends else [])


def test_an_open_question_is_no_answer_against_itself() -> None:
    files = standard_pack_files()
    tail = "fragments/tail.yaml"
    files[tail] = files[tail].replace(
        "when: party_kind = 'business', about: \"Agree", "when: consult_answer = 'none', about: \"Agree", 1
    )
    assert files[tail] != standard_pack_files()[tail]
    asked = {"action_id": 5, "case_id": 1, "pack_id": 1, "segment": "forgetful", "step": "consult"}
    cases = facts_frame([fact_row(consult_answer="open", asked_amount=50_000)])
    assert no_longer_so({1: load_pack(files)}.__getitem__, pl.DataFrame([asked]), cases).is_empty()
