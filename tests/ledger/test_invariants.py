"""Every invariant holds in a sound database and tells of a breach with count and ids."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, SQLModel

from maatpak.ledger.database import Database
from maatpak.ledger.invariants import INVARIANTS, breaches
from maatpak.ledger.tables import Approval, ContactSlot, DebtorProfile, Hold, QuarantinedRow, Snapshot
from tests.ledger.world import DAY, NOW, World, add, reminder, small_world

LATER = NOW + timedelta(hours=1)


def escalated(session: Session, world: World) -> None:
    add(session, demand(world))


def demand(world: World) -> SQLModel:
    return reminder(
        world.creditor,
        world.case,
        world.round,
        world.pack,
        step="final_demand",
        stage="demand",
        state="in_progress",
        escalating=True,
        approval_role="credit_manager",
        approvals_needed=1,
        content_hash="shown",
        written=False,
    )


def approved_by_the_mover(session: Session, world: World) -> None:
    action = add(session, demand(world))
    approval = Approval(
        action_id=action,
        content_hash="shown",
        verdict="approved",
        actor="engine",
        role="credit_manager",
        reason="x",
        decided_on=DAY,
        recorded_at=LATER,
    )
    add(session, approval)


def closed_round(session: Session, world: World) -> None:
    del world
    session.connection().exec_driver_sql("UPDATE round SET closed_on = opened_on, closed_at = opened_at")


def executed_without_message(session: Session, world: World) -> None:
    changes = {"step": "second_notice", "state": "executed", "executed_on": DAY}
    add(session, reminder(world.creditor, world.case, world.round, world.pack, **changes))


def quarantined(session: Session, world: World) -> None:
    snapshot = Snapshot(
        creditor_id=world.creditor,
        source="s",
        kind="full",
        as_of=DAY,
        tables=["debtors", "items"],
        content_hash="h",
        evidence="[]",
        row_count=1,
        quarantined_count=1,
        warning_count=0,
        balances={},
        actor="a",
        recorded_at=NOW,
    )
    row = QuarantinedRow(
        snapshot_id=add(session, snapshot),
        creditor_id=world.creditor,
        debtor_no="D1",
        file="f",
        row_no=1,
        table_name="items",
        raw={},
        rules="no_due_date",
        business_date=DAY,
        recorded_at=NOW - timedelta(hours=1),
    )
    add(session, row)


def legal_stop(session: Session, world: World) -> None:
    session.connection().exec_driver_sql(
        "UPDATE debtor_profile SET replaced_from = valid_from, replaced_at = recorded_at"
    )
    profile = DebtorProfile(
        debtor_id=world.debtor,
        creditor_id=world.creditor,
        name="A",
        kind="business",
        country="NL",
        language="nl",
        legal_stop="insolvent",
        valid_from=DAY,
        recorded_at=NOW - timedelta(hours=1),
    )
    add(session, profile)


def second_slot(session: Session, world: World) -> None:
    session.add(ContactSlot(party_id=world.party, day=DAY, slot=2, action_id=world.action, recorded_at=NOW))
    session.flush()


def stuck(session: Session, world: World) -> None:
    del world
    session.connection().exec_driver_sql("UPDATE message SET state = 'sending', leased_until = '2024-02-20'")


def head_moved(session: Session, world: World) -> None:
    del world
    session.connection().exec_driver_sql("UPDATE event_head SET seq = 7")


def item_moved(session: Session, world: World) -> None:
    del world
    session.connection().exec_driver_sql("ALTER TABLE item DISABLE TRIGGER ALL")
    session.connection().exec_driver_sql("UPDATE item SET document_no = 'other'")


def case_in_another_shard(session: Session, world: World) -> None:
    del world
    session.connection().exec_driver_sql('UPDATE "case" SET shard_key = shard_key + 1')


BREACHES: dict[str, Callable[[Session, World], None]] = {
    "escalations_approved": escalated,
    "approver_moved_case": approved_by_the_mover,
    "closed_rounds_rest": closed_round,
    "executed_left_message": executed_without_message,
    "quarantined_not_contacted": quarantined,
    "legal_stop_obeyed": legal_stop,
    "one_contact_a_day": second_slot,
    "leases_end": stuck,
    "head_is_last_event": head_moved,
    "item_identity": item_moved,
    "case_party": case_in_another_shard,
}


def test_every_invariant_has_a_breach_to_prove_it() -> None:
    assert [invariant.name for invariant in INVARIANTS] == list(BREACHES)
    assert all(invariant.__doc__ and invariant.meaning.endswith(".") for invariant in INVARIANTS)


def test_a_sound_database_has_no_breach(database: Database) -> None:
    with database.session() as session:
        small_world(session)
        assert breaches(session, NOW) == []


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found(database: Database, name: str) -> None:
    with database.session() as session:
        BREACHES[name](session, small_world(session))
        found = breaches(session, NOW)
    assert [(breach.invariant, breach.count) for breach in found] == [(name, 1)]
    assert len(found[0].first_ids) == 1


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"scope": "party"}, True),
        ({"scope": "debtor"}, True),
        ({"scope": "case"}, True),
        ({"scope": "case", "until_on": DAY - timedelta(days=1), "from_on": DAY - timedelta(days=9)}, True),
        ({"scope": "debtor", "reason": "dispute"}, False),
        ({"scope": "debtor", "state": "lifted"}, False),
        ({"scope": "debtor", "recorded_at": LATER}, False),
    ],
    ids=str,
)
def test_a_hold_for_a_legal_stop_is_one(database: Database, changes: dict[str, Any], found: bool) -> None:
    with database.session() as session:
        world = small_world(session)
        values = {
            "hold_no": "H1",
            "party_id": world.party,
            "debtor_id": world.debtor,
            "case_id": world.case,
            "reason": "legal_stop",
            "source": "insolvent",
            "from_on": DAY,
            "until_on": DAY + timedelta(days=9),
            "note": "x",
            "actor": "anna",
            "valid_from": DAY,
            "recorded_at": NOW - timedelta(hours=1),
            **changes,
        }
        add(session, Hold(**values))
        names = [breach.invariant for breach in breaches(session, NOW)]
    assert names == (["legal_stop_obeyed"] if found else [])
