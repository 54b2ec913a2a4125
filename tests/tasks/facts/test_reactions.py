"""What a round answers: a debit that came back before it was opened, and agreements of either kind."""

from datetime import date, timedelta
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.ledger.database import Database
from maatpak.ledger.tables import Payment, Plan, Promise, Touch
from tasks.facts import build_facts
from tests.tasks.facts.world import World, morning

DAY = date(2026, 3, 11)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def a_world() -> World:
    world = World(DAY, morning(DAY))
    world.snapshot(DAY)
    return world


def row_of(database: Database, world: World) -> dict[str, Any]:
    world.save(database)
    with database.frames(read_only=True) as frames:
        return build_facts(frames, world.creditor_id, DAY, world.known_at).cases.row(0, named=True)


def returned(world: World, code: str, on: date, *, opened_on: date | None, closed_on: date | None = None) -> None:
    """A customer whose debit came back, with the round that names the item, and one that was closed before."""
    debtor = world.debtor()
    debit: dict[str, Any] = {"collect_on": ago(9), "returned_on": on, "return_code": code, "payment_method": "sepa"}
    version = world.item(debtor, ago(9), **debit)
    case = world.case(debtor)
    if closed_on:
        world.round(case, closed_on - timedelta(days=20), closed_on=closed_on, closed_at=morning(closed_on))
    if opened_on:
        world.round(case, opened_on, [version.item_id])


def test_a_debit_that_came_back_before_the_round_is_answered_in_it(database: Database) -> None:
    world = a_world()
    returned(world, "MD01", ago(3), opened_on=ago(2))
    row = row_of(database, world)
    assert (row["debit_returned_on"], row["debit_return_cause"]) == (ago(3), "mandate")
    assert row["paused_until"] is None


def test_and_before_one_is_opened(database: Database) -> None:
    world = a_world()
    returned(world, "MD06", ago(1), opened_on=None)
    row = row_of(database, world)
    assert (row["debit_returned_on"], row["debit_return_cause"]) == (ago(1), "refused")


def test_what_came_back_before_the_last_round_closed_is_over(database: Database) -> None:
    world = a_world()
    returned(world, "AM04", ago(6), opened_on=ago(2), closed_on=ago(4))
    row = row_of(database, world)
    assert (row["debit_returned_on"], row["debit_return_cause"], row["paused_until"]) == (None, "none", None)


def test_a_new_debit_comes_before_any_notice_where_money_was_short(database: Database) -> None:
    world = a_world()
    returned(world, "AM04", ago(1), opened_on=DAY)
    row = row_of(database, world)
    assert (row["debit_return_cause"], row["paused_until"]) == ("funds", date(2026, 3, 17))


def test_promises_and_accepted_plans_are_agreements(database: Database) -> None:
    world = a_world()
    debtor = world.debtor()
    version = world.item(debtor, ago(30))
    case = world.case(debtor)
    world.round(case, ago(20), [version.item_id])
    world.record(
        Promise, ago(10), case_id=case.id, amount=100, made_on=ago(10), promised_on=DAY, source="call", state="open"
    )
    plan = {
        "total": 100,
        "items": {str(version.item_id): 100},
        "instalments": [{"due_on": "2026-04-01", "amount": 100}],
    }
    world.record(
        Plan,
        ago(9),
        case_id=case.id,
        offered_on=ago(9),
        valid_until=ago(1),
        accepted_on=ago(2),
        state="active",
        source="call",
        **plan,
    )
    assert row_of(database, world)["agreed_on"] == ago(2)


def test_letters_of_the_manager_are_counted_over_a_year_whatever_the_rounds(database: Database) -> None:
    world = a_world()
    debtor = world.debtor()
    world.item(debtor, ago(30))
    for days, kind in ((400, "manager_letter"), (300, "manager_letter"), (40, "manager_letter"), (3, "reminder")):
        world.add(
            Touch(
                id=world.id(),
                creditor_id=debtor.creditor_id,
                party_id=debtor.party_id,
                kind=kind,
                rating=-3,
                touched_on=ago(days),
                recorded_at=morning(ago(days)),
            )
        )
    assert row_of(database, world)["manager_letters_12m"] == 2


def test_the_run_that_could_have_paid_the_driver(database: Database) -> None:
    """Due on a Monday, paid on Fridays; the run of this week is another one."""
    world = a_world()
    debtor = world.debtor()
    for week in range(3, 9):
        friday = date(2026, 3, 6) - timedelta(days=7 * week)
        world.paid(world.item(debtor, friday - timedelta(days=5)), friday)
    world.item(debtor, date(2026, 3, 2))
    row = row_of(database, world)
    assert (row["driver_pay_run_on"], row["next_pay_run_on"]) == (date(2026, 3, 6), date(2026, 3, 13))


def paid_in_part(
    amounts: dict[int, int], *, in_plan: bool = False, credited: bool = False, disputed: bool = False
) -> World:
    """A customer who owes 2,400.00 in two items of a round, and paid these amounts of the first, so many days ago."""
    world = a_world()
    debtor = world.debtor()
    versions = [world.item(debtor, ago(40), 140_000), world.item(debtor, ago(39), 100_000)]
    case = world.case(debtor)
    world.round(case, ago(20), [each.item_id for each in versions])
    first = versions[0]
    for days, amount in sorted(amounts.items(), reverse=True):
        first = world.succeed(first, ago(days), open_amount=first.open_amount - amount)
        world.add(
            Payment(
                id=world.id(),
                creditor_id=debtor.creditor_id,
                debtor_id=debtor.id,
                item_id=first.item_id,
                payment_no=f"P{days}",
                paid_on=ago(days),
                currency="EUR",
                amount=amount,
                applied=amount,
                valid_from=ago(days),
                recorded_at=morning(ago(days)),
            )
        )
    if disputed:
        world.succeed(versions[1], ago(9), disputed_amount=100_000, disputed_on=ago(9), dispute_outcome="open")
    if credited:
        world.succeed(versions[1], DAY, open_amount=0, settled_on=DAY, settled_by="credit_note")
    if in_plan:
        items = {str(each.item_id): each.open_amount for each in (first, versions[1])}
        terms: dict[str, Any] = {"total": sum(items.values()), "items": items, "instalments": []}
        terms["instalments"] = [{"due_on": "2026-04-01", "amount": terms["total"]}]
        given = {"case_id": case.id, "offered_on": ago(9), "valid_until": ago(1), "source": "call"}
        world.record(Plan, ago(9), accepted_on=ago(8), state="active", **given, **terms)
    return world


@pytest.mark.parametrize(
    ("amounts", "beside", "half"),
    [
        ({1: 10_000}, {}, False),
        ({1: 10_000}, {"in_plan": True}, False),
        ({1: 10_000}, {"credited": True}, False),
        ({1: 120_000}, {}, True),
        ({1: 120_000}, {"in_plan": True}, True),
        ({1: 70_000}, {"disputed": True}, True),
        ({3: 90_000, 1: 40_000}, {}, False),
        ({6: 120_000, 5: 1_000}, {}, False),
    ],
    ids=[
        "little",
        "little of a plan",
        "little, the rest credited",
        "half",
        "half in a plan",
        "half, the rest disputed",
        "less of the rest",
        "last",
    ],
)
def test_half_is_of_what_was_open_before_the_payment(
    database: Database, amounts: dict[int, int], beside: dict[str, bool], half: bool
) -> None:
    row = row_of(database, paid_in_part(amounts, **beside))
    assert (row["part_paid_on"], row["part_paid_half"]) == (ago(min(amounts)), half)
    rests = max(amounts) == 6 or half
    assert row["paused_until"] == (add_working_days(ago(max(amounts)), 5, "NL") if rests else None)
