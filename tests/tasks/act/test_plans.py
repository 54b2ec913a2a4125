from datetime import date, timedelta

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, Plan, Promise, WorkTask
from tasks.disputes import open_dispute
from tasks.plans import (
    CONFIRM,
    Instalment,
    accept_plan,
    cancel_plan,
    decline_plan,
    offer_plan,
    standard_instalments,
)
from tasks.promises import make_promise
from tasks.settle import settle_records
from tasks.settle_notes import MISSED, SOON
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


def offer(house: House, case_id: int, who: str = "carla", **what: object) -> str:
    with house.desk(who) as desk:
        plan = offer_plan(desk, desk.case(case_id), **what)  # type: ignore[arg-type]
        assert plan is not None
        return plan.plan_no


def dispute(house: House, case_id: int, document: str, amount: int | None = None) -> None:
    with house.desk("colin") as desk:
        open_dispute(desk, desk.case(case_id), document, NonPaymentReason.PRICE, amount=amount)


def test_what_is_disputed_is_no_part_of_a_plan(house: House, case_id: int) -> None:
    dispute(house, case_id, "F1", 30_000)
    house.item(case_id, "F3", 20_000, date(2026, 2, 9), disputed_amount=20_000)
    house.item(case_id, "F4", 10_000, date(2026, 2, 9), disputed_amount=10_000, dispute_outcome="rejected")
    offer(house, case_id)
    plan = house.row(Plan)
    left = {"F1": 70_000, "F2": 50_000, "F4": 10_000}
    assert plan.items == {str(house.items[document]): amount for document, amount in left.items()}
    assert plan.total == 130_000


@pytest.mark.parametrize("documents", [None, ["F1", "F2", "F3"]])
def test_what_credits_and_money_cover_is_no_part_of_a_plan(
    house: House, case_id: int, documents: list[str] | None
) -> None:
    """Law 7: what refers to a document lessens that one, the rest the oldest; what is not due yet stays as it is."""
    house.item(case_id, "F3", 20_000, add_working_days(house.day, 9, "NL"))
    house.item(case_id, "C1", 10_000, house.day, item_type="credit_note", issued_on=house.day, reference="F2")
    house.item(case_id, "U1", 45_000, house.day, item_type="payment", issued_on=house.day)
    offer(house, case_id, documents=documents)
    plan = house.row(Plan)
    left = {"F1": 55_000, "F2": 40_000} | ({"F3": 20_000} if documents else {})
    assert plan.items == {str(house.items[document]): amount for document, amount in left.items()}
    assert plan.total == sum(left.values())


def test_what_is_promised_is_part_of_a_plan(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        make_promise(desk, desk.case(case_id), add_working_days(house.day, 3, "NL"), amount=50_000)
    offer(house, case_id)
    assert house.row(Plan).total == 150_000


def test_who_names_a_disputed_document_is_told(house: House, case_id: int) -> None:
    dispute(house, case_id, "F1", 30_000)
    with pytest.raises(
        RefusedError, match=r"Disputed is F1 for €300.00: until that is answered we do not offer a plan"
    ):
        offer(house, case_id, documents=["F1", "F2"])
    offer(house, case_id, documents=["F2"])


def test_where_all_is_disputed_there_is_nothing_to_plan(house: House, case_id: int) -> None:
    dispute(house, case_id, "F1")
    dispute(house, case_id, "F2")
    with pytest.raises(RefusedError, match=r"Disputed is F1 for €1,000.00, F2 for €500.00"):
        offer(house, case_id)
    assert house.rows(Plan) == []


def settle(house: House, day: date) -> dict[str, int]:
    house.go_to(day)
    return settle_records(house.engine, house.creditor_id, day, at(day, 6)).counts


def test_three_parts_the_first_within_ten_working_days(house: House, case_id: int) -> None:
    offer(house, case_id)
    plan = house.row(Plan)
    assert (plan.state, plan.total, plan.valid_until) == ("offered", 150_000, date(2026, 3, 16))
    assert plan.items == {str(house.items["F1"]): 100_000, str(house.items["F2"]): 50_000}
    assert plan.instalments == [
        {"due_on": "2026-03-16", "amount": 50_000},
        {"due_on": "2026-04-15", "amount": 50_000},
        {"due_on": "2026-05-15", "amount": 50_000},
    ]


@pytest.mark.parametrize("total", [1, 2, 3, 100, 150_001, 99_999_999])
def test_the_parts_add_up_to_the_cent(total: int) -> None:
    parts = standard_instalments(total, date(2026, 3, 2), "NL")
    assert sum(part.amount for part in parts) == total
    assert all(part.amount > 0 for part in parts)


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([Instalment(date(2026, 3, 9), 150_001)], "add up to €1,500.01"),
        ([Instalment(date(2026, 3, 9), 150_000), Instalment(date(2026, 3, 16), 0)], "not above zero"),
        ([Instalment(date(2026, 3, 9), 75_000), Instalment(date(2026, 3, 5), 75_000)], "not in order"),
        ([Instalment(date(2026, 3, 1), 150_000)], "not in order from today"),
    ],
)
def test_parts_that_do_not_hold(house: House, case_id: int, parts: list[Instalment], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        offer(house, case_id, instalments=parts)


@pytest.mark.parametrize(
    ("who", "amount", "alone"),
    [
        ("carla", 249_999, True),
        ("carla", 250_001, False),
        ("mo", 250_001, True),
        ("max", 250_001, False),
        ("mo", 10_000_001, False),
        ("frans", 10_000_001, True),
    ],
    ids=["small", "above 2,500", "a manager", "above his limit", "above the manager's limit", "the director"],
)
def test_above_the_limit_it_takes_two(house: House, who: str, amount: int, alone: bool) -> None:
    case_id = house.debtor("C9")
    house.item(case_id, "F9", amount, date(2026, 1, 30))
    with house.desk(who) as desk:
        assert (offer_plan(desk, desk.case(case_id)) is not None) == alone
    assert (len(house.rows(Plan)), len(house.rows(WorkTask, subject=CONFIRM))) == ((1, 0) if alone else (0, 1))


def test_longer_than_three_months_is_not_small(house: House, case_id: int) -> None:
    parts = [Instalment(date(2026, 3, 9), 75_000), Instalment(date(2026, 7, 1), 75_000)]
    with house.desk("carla") as desk:
        assert offer_plan(desk, desk.case(case_id), instalments=parts) is None


def test_the_second_person_is_another_with_a_limit(house: House) -> None:
    case_id = house.debtor("C9")
    house.item(case_id, "F9", 300_000, date(2026, 1, 30))
    with house.desk("mo") as desk:
        desk.person.approval_limit = 0
        assert offer_plan(desk, desk.case(case_id)) is None
    task = house.row(WorkTask, subject=CONFIRM)
    for who, error in (("mo", "second person"), ("max", "does not cover"), ("carla", "may not end")):
        with house.desk(who) as desk, pytest.raises(RefusedError, match=error):
            finish_work(desk, task.id, Outcome("agreed"))
    with house.desk("mia") as desk:
        finish_work(desk, task.id, Outcome("agreed"))
    assert (house.row(Plan).state, house.row(Plan).total) == ("offered", 300_000)


CHANGED = {"paid": "has changed", "disputed": "has changed", "another plan": "is offered", "later": "from today on"}


@pytest.mark.parametrize("meanwhile", CHANGED)
def test_what_the_second_person_agrees_to_is_looked_at_again(house: House, meanwhile: str) -> None:
    case_id = house.debtor("C9")
    house.item(case_id, "F8", 100_000, date(2026, 1, 30))
    house.item(case_id, "F9", 300_000, date(2026, 1, 30))
    with house.desk("carla") as desk:
        assert offer_plan(desk, desk.case(case_id)) is None
    if meanwhile == "paid":
        house.pay("F8", house.day)
    elif meanwhile == "disputed":
        with house.desk("carla", 11) as desk:
            open_dispute(desk, desk.case(case_id), "F8", NonPaymentReason.PRICE)
    elif meanwhile == "another plan":
        with house.desk("mo", 11) as desk:
            offer_plan(desk, desk.case(case_id), documents=["F8"])
    else:
        house.go_to(date(2026, 6, 2))
    task = house.row(WorkTask, subject=CONFIRM)
    with house.desk("mia", 12) as desk, pytest.raises((RefusedError, UsageError), match=CHANGED[meanwhile]):
        finish_work(desk, task.id, Outcome("agreed"))
    assert [plan.total for plan in house.rows(Plan)] == ([100_000] if meanwhile == "another plan" else [])
    with house.desk("mia", 13) as desk:
        finish_work(desk, task.id, Outcome("refused"))


def test_one_at_a_time(house: House, case_id: int) -> None:
    offer(house, case_id)
    with pytest.raises(RefusedError, match="is offered"):
        offer(house, case_id)


def test_yes_replaces_what_was_promised(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        make_promise(desk, desk.case(case_id), date(2026, 3, 6))
    number = offer(house, case_id)
    with house.desk("carla") as desk:
        accept_plan(desk, number)
    assert (house.row(Plan).state, house.row(Plan).accepted_on) == ("active", house.day)
    assert house.row(Promise).state == "superseded"


def test_an_old_offer_is_not_accepted(house: House, case_id: int) -> None:
    number = offer(house, case_id)
    house.go_to(date(2026, 3, 17))
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="stood until"):
        accept_plan(desk, number)
    assert settle(house, date(2026, 3, 17)) == {"plan lapsed": 1}


def test_no_and_taken_back(house: House, case_id: int) -> None:
    number = offer(house, case_id)
    with house.desk("carla") as desk:
        decline_plan(desk, number)
    number = offer(house, case_id)
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="may not cancel"):
        cancel_plan(desk, number)
    with house.desk("mo") as desk:
        cancel_plan(desk, number)
    assert [plan.state for plan in house.rows(Plan)] == ["declined", "cancelled"]


def running(house: House, case_id: int) -> None:
    number = offer(house, case_id)
    with house.desk("carla") as desk:
        accept_plan(desk, number)


@pytest.mark.parametrize(
    ("paid", "looked_on", "state"),
    [
        ({}, date(2026, 3, 23), "active"),
        ({}, date(2026, 3, 24), "breached"),
        ({"F2": None}, date(2026, 3, 24), "active"),
        ({"F2": 48_900}, date(2026, 3, 24), "breached"),
        ({"F2": 49_000}, date(2026, 3, 24), "active"),
        ({"F1": None, "F2": None}, date(2026, 3, 5), "finished"),
        ({"F2": None}, date(2026, 4, 23), "breached"),
    ],
    ids=[
        "still five working days",
        "first part missing",
        "first part paid",
        "too little of it",
        "98 % of it",
        "paid at once",
        "second part missing",
    ],
)
def test_is_finished_or_breached(
    house: House, case_id: int, paid: dict[str, int | None], looked_on: date, state: str
) -> None:
    running(house, case_id)
    for document, amount in paid.items():
        house.pay(document, date(2026, 3, 4), amount)
    settle(house, looked_on)
    plan = house.row(Plan)
    assert plan.state == state
    assert plan.breached_on == (looked_on if state == "breached" else None)


@pytest.mark.parametrize(
    ("paid_on", "notes"),
    [
        (None, [(SOON, date(2026, 3, 11)), (MISSED, date(2026, 3, 18))]),
        (date(2026, 3, 12), [(SOON, date(2026, 3, 11))]),
    ],
    ids=["not paid", "paid in time"],
)
def test_an_instalment_has_its_notes(
    house: House, case_id: int, paid_on: date | None, notes: list[tuple[str, date]]
) -> None:
    running(house, case_id)
    day = house.day
    while day < date(2026, 3, 20):
        day += timedelta(days=1)
        if day == paid_on:
            house.pay("F2", day)
        settle(house, day)
    tasks = house.rows(WorkTask, kind="reply")
    assert [(task.subject, task.opened_on) for task in tasks] == notes
    assert {task.record_no for task in tasks} == {f"{house.row(Plan).plan_no}/1"}


@pytest.mark.stage("reminded")
@pytest.mark.parametrize("share", [0.4, 1.0])
def test_an_instalment_paid_short_has_its_notes_and_its_breach_and_nothing_beside_them(
    house: House, case_id: int, share: float
) -> None:
    """Less than half of what was open calls for a call (rule 19), but a plan has its own answer (rule 18).

    What is missing of an instalment is asked for two working days after it, and is a breach after five; the call that
    then comes next is the breach's, and it is one. Until then nothing of the plan is asked for.
    """
    running(house, case_id)
    (first, *_) = house.row(Plan).instalments
    due_on = date.fromisoformat(first["due_on"])
    script, happened = Script(house), {}
    while house.day < add_working_days(due_on, 13 if share < 1 else 7, "NL"):
        if add_working_days(house.day, 1, "NL") == due_on:
            house.pay("F2", due_on, round(first["amount"] * share))
        script.day()
        today = [action for action in house.rows(Action) if action.business_date == house.day]
        done = [action.step for action in today if action.state != "skipped"]
        asked = [task.subject for task in house.rows(WorkTask, opened_on=house.day) if task.record_no]
        if done or asked:
            happened[house.day] = done + asked
    before, missed, breached, called, decided = (add_working_days(due_on, each, "NL") for each in (-3, 2, 6, 7, 11))
    short = {missed: [MISSED], called: ["breach_call"], decided: ["breach_decision"]}
    assert happened == {before: [SOON], **(short if share < 1 else {})}
    assert house.row(Plan).breached_on == (breached if share < 1 else None)


def test_a_new_invoice_unpaid_breaches_it(house: House, case_id: int) -> None:
    running(house, case_id)
    house.pay("F2", date(2026, 3, 4))
    house.item(case_id, "F8", 10_000, date(2026, 3, 6), known_from=date(2026, 3, 2))
    settle(house, date(2026, 3, 20))
    assert house.row(Plan).state == "active"
    settle(house, date(2026, 3, 23))
    assert house.row(Plan).state == "breached"


def test_a_stale_ledger_breaches_no_plan(house: House, case_id: int) -> None:
    running(house, case_id)
    settle_records(house.engine, house.creditor_id, date(2026, 4, 1), at(date(2026, 4, 1), 6))
    assert house.row(Plan).state == "active"


def test_the_limit_of_a_plan_counts_what_is_overdue_beside_it(house: House, case_id: int) -> None:
    house.item(case_id, "F9", 900_000, date(2026, 1, 30))
    with house.desk("carla") as desk:
        assert offer_plan(desk, desk.case(case_id), documents=["F1"]) is None
    assert house.rows(Plan) == []
    assert house.row(WorkTask, subject=CONFIRM).role == "credit_manager"
