"""An invoice without the order number that its customer needs is mended before anybody asks for it (rules 27, 28)."""

import pytest
from sqlmodel import col, select

from maatpak.kernel.calendars import add_working_days
from maatpak.ledger.tables import Action, ActionItem, Hold, ItemVersion, WorkTask
from maatpak.ledger.versions import succeed
from tasks.day import DaySummary
from tasks.preferences import set_preference
from tasks.settle import settle_records
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

SUBJECT = "Get the order number and issue the invoice again (P-1)"


def prefer(house: House, case_id: int, value: str) -> None:
    with house.desk("olga", 7) as desk:
        set_preference(desk, desk.debtor(desk.case(case_id).debtor_id), "po_needed", value)


def needs_numbers(house: House, letter: str) -> int:
    """Somebody who needs an order number on every invoice; two are overdue, the second has it."""
    case_id = house.debtor(f"{letter}1")
    house.item(case_id, f"{letter}-1", 60_000, add_working_days(house.day, -3, "NL"))
    house.item(case_id, f"{letter}-2", 40_000, add_working_days(house.day, -3, "NL"), po_number="4500123")
    prefer(house, case_id, "yes")
    return case_id


@pytest.fixture
def customer(house: House) -> int:
    """A customer of a ledger that shows order numbers."""
    return needs_numbers(house, "P")


def day(house: House) -> DaySummary:
    """A day on which nobody does their work."""
    script = Script(house)
    script.people = lambda: None  # type: ignore[method-assign]
    return script.day()


def asked(house: House, case_id: int) -> set[str]:
    """The documents that a written notice of the case named."""
    names = {item_id: document for document, item_id in house.items.items()}
    actions = {action.id for action in house.rows(Action, case_id=case_id) if action.written}
    return {names[row.item_id] for row in house.rows_of(ActionItem) if row.action_id in actions}


def works(house: House, case_id: int) -> list[WorkTask]:
    return [task for task in house.rows(WorkTask, case_id=case_id) if task.subject.startswith("Get the order number")]


def test_the_item_rests_and_the_department_gets_work_once(house: House, customer: int) -> None:
    for _ in range(4):
        summary = day(house)
    (task,) = works(house, customer)
    assert (task.kind, task.role, task.subject, task.blocks) == ("department", "operator", SUBJECT, False)
    hold = house.row(Hold, case_id=customer)
    assert (hold.scope, hold.item_id, hold.reason, hold.note, hold.source) == (
        "item",
        house.items["P-1"],
        "dispute",
        "po_missing",
        f"W{task.id}",
    )
    assert hold.until_on == add_working_days(hold.from_on, 5, "NL")
    assert asked(house, customer) == {"P-2"}, "the rest is asked for"
    assert "order number asked for" not in summary.settled.counts


def test_it_is_asked_for_when_it_is_mended(house: House) -> None:
    number, person, preference, paid = (needs_numbers(house, letter) for letter in "NPQR")
    day(house)
    following = add_working_days(house.day, 1, "NL")
    with house.engine.database.session() as session:
        version = session.exec(
            select(ItemVersion).where(ItemVersion.item_id == house.items["N-1"], col(ItemVersion.replaced_at).is_(None))
        ).one()
        succeed(session, version, following, at(following, 5), po_number="4500124")
    (task,) = works(house, person)
    with house.desk("olga") as desk:
        finish_work(desk, int(task.id or 0), Outcome("done"))
    prefer(house, preference, "no")
    house.pay("R-1", house.day, known_on=following)
    for _ in range(8):
        day(house)
    for case_id in (number, person, preference, paid):
        (ended,) = works(house, case_id)
        assert (ended.state, ended.done_by) == ("done", "olga" if case_id == person else "engine")
        assert house.row(Hold, case_id=case_id).state == "lifted"
    assert [asked(house, case_id) for case_id in (number, person, preference)] == [
        {f"{letter}-1", f"{letter}-2"} for letter in "NPQ"
    ]
    assert asked(house, paid) == {"R-2"}


def test_what_nobody_mends_is_still_not_asked_for(house: House, customer: int) -> None:
    for _ in range(9):
        day(house)
    assert asked(house, customer) == {"P-2"}
    (review,) = [task for task in house.rows(WorkTask, case_id=customer) if task.subject.startswith("The hold has")]
    assert (review.state, review.blocks) == ("open", True)
    with house.engine.database.session() as session:
        version = session.exec(
            select(ItemVersion).where(ItemVersion.item_id == house.items["P-1"], col(ItemVersion.replaced_at).is_(None))
        ).one()
        following = add_working_days(house.day, 1, "NL")
        succeed(session, version, following, at(following, 5), po_number="4500124")
    day(house)
    assert house.row(WorkTask, id=review.id).state == "cancelled"


@pytest.mark.parametrize(
    ("value", "type_", "number", "work"),
    [
        ("yes", "invoice", None, True),
        ("yes", "invoice", "", True),
        ("yes", "invoice", "4500", False),
        ("yes", "debit_note", None, False),
        ("no", "invoice", None, False),
        (None, "invoice", None, False),
    ],
)
def test_what_lacks_an_order_number(
    house: House, customer: int, value: str | None, type_: str, number: str | None, work: bool
) -> None:
    other = house.debtor("Q1")
    house.item(other, "P-1", 9_000, add_working_days(house.day, 9, "NL"), item_type=type_, po_number=number)
    if value is not None:
        prefer(house, other, value)
    house.go_to(add_working_days(house.day, 1, "NL"))
    counts = settle_records(house.engine, house.creditor_id, house.day, at(house.day, 6)).counts
    assert counts["order number asked for"] == (2 if work else 1)
    assert [task.subject for task in works(house, other)] == ([SUBJECT] if work else [])


def test_a_ledger_without_order_numbers_lacks_none(house: House) -> None:
    case_id = house.debtor("P1")
    house.item(case_id, "P-1", 60_000, add_working_days(house.day, -3, "NL"))
    prefer(house, case_id, "yes")
    day(house)
    day(house)
    assert works(house, case_id) == []
    assert asked(house, case_id) == {"P-1"}
