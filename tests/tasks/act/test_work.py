"""How work may end: a word that would do nothing is refused, with the words that do something."""

from datetime import date

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import Action, Hold, Person, Plan, Touch, WorkTask
from tasks.case_move import MOVE_CONFIRM
from tasks.holds import LIFT_CONFIRM
from tasks.my_customers import my_customers
from tasks.plans import CONFIRM, Instalment, offer_plan
from tasks.work import CONFIRM_WRITE_OFF, Outcome, finish_work, take_work
from tasks.worklist import WAIVE_CALL, open_work
from tests.tasks.act.house import House
from tests.tasks.act.script import Script


def review(house: House, case_id: int, subject: str, record_no: str | None = None) -> int:
    with house.desk("mo") as desk:
        task = open_work(
            desk,
            desk.case(case_id),
            WorkKind.REVIEW,
            subject,
            Role.CREDIT_MANAGER,
            working_days=2,
            record_no=record_no,
            asked_by="mo" if record_no else None,
        )
        return int(task.id or 0)


def end(house: House, task_id: int, code: str, who: str = "mia") -> None:
    with house.desk(who) as desk:
        finish_work(desk, task_id, Outcome(code, "seen"))


@pytest.mark.parametrize("code", ["done", "supply_stopped", "waived"])
@pytest.mark.parametrize("subject", [CONFIRM, CONFIRM_WRITE_OFF, LIFT_CONFIRM, MOVE_CONFIRM])
def test_a_confirmation_takes_yes_or_no(house: House, case_id: int, subject: str, code: str) -> None:
    task = review(house, case_id, subject, "W1")
    with pytest.raises(UsageError, match="does not end") as refused:
        end(house, task, code)
    assert refused.value.advice == "One of: agreed, refused."
    assert house.row(WorkTask).state == "open"
    end(house, task, "refused")
    assert house.row(WorkTask).outcome == "refused"


def test_a_second_persons_word_takes_their_role_when_they_give_it(house: House, case_id: int) -> None:
    task = review(house, case_id, LIFT_CONFIRM, "H1")
    with house.desk("mia") as desk:
        take_work(desk, task)
    with house.engine.database.session() as session:
        session.get_one(Person, house.row(Person, login="mia").id).role = Role.COLLECTOR
    with pytest.raises(RefusedError, match="mia is collector"):
        end(house, task, "refused")


def test_the_draft_of_a_plan_outlives_a_wrong_word(house: House, case_id: int) -> None:
    long = [Instalment(date(2026, 3, 9), 75_000), Instalment(date(2026, 7, 1), 75_000)]
    with house.desk("carla") as desk:
        assert offer_plan(desk, desk.case(case_id), instalments=long) is None
    task = house.row(WorkTask, subject=CONFIRM)
    with pytest.raises(UsageError, match="does not end"):
        end(house, task.id, "done")
    end(house, task.id, "agreed")
    assert house.row(Plan).state == "offered"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Debit, terms, limit?", "done, agreed, refused"),
        ("Limit, new supply, security, insurer.", "done, agreed, refused, supply_stopped"),
        (WAIVE_CALL, "waived, refused"),
    ],
)
def test_a_review_lists_what_it_takes(house: House, case_id: int, subject: str, words: str) -> None:
    task = review(house, case_id, subject)
    with pytest.raises(UsageError, match="does not end") as refused:
        end(house, task, "shrugged")
    assert refused.value.advice == f"One of: {words}."


def test_supply_is_stopped_where_that_is_asked(house: House, case_id: int) -> None:
    with pytest.raises(UsageError, match="does not end"):
        end(house, review(house, case_id, "Debit, terms, supply?"), "supply_stopped")
    assert house.rows(Touch) == []
    end(house, review(house, case_id, "Limit, new supply, security, insurer."), "supply_stopped")
    assert [touch.kind for touch in house.rows(Touch)] == ["supply_stopped"]


@pytest.mark.stage("demanding")
@pytest.mark.parametrize(("step", "may"), [("supply_stop", True), ("last_call", False)])
def test_a_review_stops_supply_by_its_step_in_whatever_language(
    house: House, case_id: int, demand: Action, step: str, *, may: bool
) -> None:
    said = "Leveren wij nog?" if may else "Do we supply on?"
    asked = demand.model_dump(exclude={"id", "content_hash", "tick_id"})
    changes = {"step": step, "attempt": 9, "kind": "review", "state": "in_progress", "escalating": False}
    with house.engine.database.session() as session:
        action = Action(**{**asked, **changes})
        session.add(action)
    with house.desk("mo") as desk:
        case = desk.case(case_id)
        role = Role.CREDIT_MANAGER
        task = open_work(desk, case, WorkKind.REVIEW, said, role, working_days=2, action_id=action.id)
    if may:
        end(house, int(task.id or 0), "supply_stopped")
    else:
        with pytest.raises(UsageError, match="does not end"):
            end(house, int(task.id or 0), "supply_stopped")
    assert len(house.rows(Touch, kind="supply_stopped")) == may


@pytest.mark.stage("reminded")
def test_the_account_manager_stops_the_second_notice(house: House) -> None:
    script = Script(house, calling=False)
    script.until("tell_manager")
    task = house.rows(WorkTask, kind="notice")[-1]
    assert (task.assignee, task.state) == ("anna", "done"), "the script has seen it"
    with house.desk("mo") as desk:
        again = open_work(
            desk,
            desk.case(int(task.case_id)),
            WorkKind.NOTICE,
            "once more",
            Role.ACCOUNT_MANAGER,
            working_days=1,
            assignee="anna",
        )
    with house.engine.database.reading() as session:
        (mine,) = my_customers(session, "anna", [house.creditor_id])
        assert my_customers(session, "dirk", [house.creditor_id]) == []
    assert (mine.standing.debtor_no, mine.told, mine.asked) == ("C1", 1, 0)
    with pytest.raises(UsageError, match="needs its reason in words"), house.desk("anna") as desk:
        finish_work(desk, int(again.id or 0), Outcome("i_talk"))
    with house.desk("anna") as desk:
        finish_work(desk, int(again.id or 0), Outcome("i_talk", "I see them on Friday", until=date(2026, 12, 24)))
    hold = house.row(Hold)
    assert (hold.reason, hold.note) == ("account_manager_talks", "I see them on Friday")
    assert hold.until_on == add_working_days(house.day, 5, "NL"), "no longer than a talk may take"
    script.until("second_notice")
    assert house.day > hold.until_on
