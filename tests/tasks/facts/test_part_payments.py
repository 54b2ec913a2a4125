"""Part payments where no file tells of payments: a fall of the open amount that nothing else explains (rule 19)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from maatpak.ledger.database import Database
from maatpak.ledger.tables import Debtor, Dispute, ItemVersion, Payment
from tasks.facts import build_facts
from tests.tasks.facts.world import World, morning

DAY = date(2026, 3, 11)
PAID_ON = DAY - timedelta(days=1)


def credited(world: World, debtor: Debtor, version: ItemVersion) -> None:
    note = world.item(debtor, PAID_ON - timedelta(days=5), 6_000, item_type="credit_note")
    world.succeed(note, PAID_ON, open_amount=0, settled_on=PAID_ON, settled_by="transfer")


def credited_in_part(world: World, debtor: Debtor, version: ItemVersion) -> None:
    note = world.item(debtor, PAID_ON - timedelta(days=5), 1_000, item_type="credit_note")
    world.succeed(note, PAID_ON, open_amount=0, settled_on=PAID_ON, settled_by="transfer")


def granted(world: World, debtor: Debtor, version: ItemVersion) -> None:
    world.record(
        Dispute,
        PAID_ON,
        case_id=world.case(debtor).id,
        item_id=version.item_id,
        amount=6_000,
        accepted_amount=6_000,
        reason="price",
        owner="sales",
        opened_on=PAID_ON - timedelta(days=9),
        answer_by=PAID_ON,
        decided_on=PAID_ON,
        state="part_accepted",
        source="call",
    )


def told(world: World, debtor: Debtor, version: ItemVersion) -> None:
    world.add(
        Payment(
            id=world.id(),
            creditor_id=debtor.creditor_id,
            debtor_id=debtor.id,
            item_id=version.item_id,
            payment_no="P1",
            paid_on=PAID_ON,
            currency="EUR",
            amount=6_000,
            applied=6_000,
            valid_from=PAID_ON,
            recorded_at=morning(PAID_ON),
        )
    )


def nothing(world: World, debtor: Debtor, version: ItemVersion) -> None:
    pass


def row_of(database: Database, world: World) -> dict[str, Any]:
    world.save(database)
    with database.frames(read_only=True) as frames:
        return build_facts(frames, world.creditor_id, DAY, world.known_at).cases.row(0, named=True)


@pytest.mark.parametrize(
    ("explained", "count"),
    [(nothing, 1), (told, 1), (credited_in_part, 1), (credited, 0), (granted, 0)],
    ids=["by nothing", "by a payment that was told", "by a credit note in part", "by a credit note", "by a dispute"],
)
def test_a_fall_that_nothing_explains_is_a_part_payment(
    database: Database, explained: Callable[[World, Debtor, ItemVersion], None], count: int
) -> None:
    world = World(DAY, morning(DAY))
    world.snapshot(DAY)
    debtor = world.debtor()
    version = world.item(debtor, DAY - timedelta(days=30))
    case = world.case(debtor)
    world.round(case, DAY - timedelta(days=20), [version.item_id])
    world.succeed(version, PAID_ON, open_amount=4_000)
    explained(world, debtor, version)
    row = row_of(database, world)
    paid = count == 1
    assert (row["part_payments_6m"], row["asked_amount"]) == (count, 0 if explained is granted else 4_000)
    assert row["part_paid_on"] == (PAID_ON if paid else None)
    assert row["paused_until"] == (date(2026, 3, 17) if paid else date(2026, 3, 19) if explained is granted else None)
    assert row["days_since_payment"] == (1 if paid else None)


def test_an_amount_that_was_corrected_is_no_payment(database: Database) -> None:
    world = World(DAY, morning(DAY))
    world.snapshot(DAY)
    version = world.item(world.debtor(), DAY - timedelta(days=30))
    world.succeed(version, PAID_ON, amount=8_000, open_amount=8_000)
    assert row_of(database, world)["part_payments_6m"] == 0


def test_what_was_paid_in_part_and_then_whole_was_paid_in_part(database: Database) -> None:
    world = World(DAY, morning(DAY))
    world.snapshot(DAY)
    version = world.item(world.debtor(), DAY - timedelta(days=30))
    part = world.succeed(version, DAY - timedelta(days=9), open_amount=4_000)
    world.paid(part, PAID_ON)
    assert row_of(database, world)["part_payments_6m"] == 1
