"""Who speaks with a party is silent with it everywhere, and no creditor learns of another's items (law 6)."""

from datetime import date, timedelta
from typing import Any

import pytest

from maatpak.ledger.database import Database
from maatpak.ledger.tables import Answer, Case, Debtor, Hold, StatedReason, WorkTask
from tasks.facts import build_facts
from tests.tasks.facts.world import World, morning

DAY = date(2026, 3, 11)
YESTERDAY = DAY - timedelta(days=1)


@pytest.fixture
def world() -> World:
    world = World(DAY, morning(DAY))
    world.snapshot(DAY)
    return world


def rows_of(database: Database, world: World) -> dict[tuple[int, str], dict[str, Any]]:
    """By debtor and currency."""
    world.save(database)
    with database.frames(read_only=True) as frames:
        cases = build_facts(frames, world.creditor_id, DAY, world.known_at).cases
    return {(row["debtor_id"], row["currency"]): row for row in cases.iter_rows(named=True)}


def owing(world: World, **given: Any) -> Debtor:
    debtor = world.debtor(**given)
    for case in [each for each in world.of(Case) if each.debtor_id == debtor.id]:
        world.item(debtor, DAY - timedelta(days=20), currency=case.currency)
    return debtor


def test_a_talk_about_one_currency_keeps_the_other_silent(database: Database, world: World) -> None:
    debtor = owing(world, currencies=("EUR", "GBP"))
    world.call(world.case(debtor, "GBP"), YESTERDAY, "callback_agreed", callback_on=DAY + timedelta(days=2))
    rows = rows_of(database, world)
    for currency in ("EUR", "GBP"):
        row = rows[debtor.id or 0, currency]
        assert (row["last_spoken_on"], row["last_call_on"], row["calls_5wd"]) == (YESTERDAY, YESTERDAY, 1)
        assert row["callback_on"] == DAY + timedelta(days=2)
        assert row["paused_until"] == date(2026, 3, 16)
    assert [rows[debtor.id or 0, currency]["call_attempts"] for currency in ("EUR", "GBP")] == [0, 0]


def test_what_another_creditor_says_and_hears_counts_and_no_more(database: Database, world: World) -> None:
    ours, stranger = owing(world), owing(world)
    neighbour = world.creditor()
    theirs = owing(world, creditor_id=neighbour, party_id=ours.party_id)
    world.call(world.case(theirs), YESTERDAY, "spoke_no_commitment")
    world.record(Answer, YESTERDAY, creditor_id=neighbour, debtor_id=theirs.id, channel="email", received_on=YESTERDAY)
    rows = rows_of(database, world)
    row, other = rows[ours.id or 0, "EUR"], rows[stranger.id or 0, "EUR"]
    assert (row["last_spoken_on"], row["calls_5wd"], row["unread_reply"]) == (YESTERDAY, 1, True)
    assert (row["overdue_open"], row["spoken"], row["tried_call"], row["answered_on"]) == (10_000, False, False, None)
    assert (other["last_spoken_on"], other["calls_5wd"], other["unread_reply"]) == (None, 0, False)


def test_a_callback_stands_until_its_own_case_is_called(database: Database, world: World) -> None:
    debtor = owing(world, currencies=("EUR", "GBP"))
    agreed = DAY + timedelta(days=5)
    world.call(world.case(debtor, "EUR"), YESTERDAY, "callback_agreed", callback_on=agreed)
    world.call(world.case(debtor, "GBP"), DAY, "no_answer")
    assert rows_of(database, world)[debtor.id or 0, "EUR"]["callback_on"] == agreed
    later = World(DAY, morning(DAY))
    debtor = owing(later)
    later.call(later.case(debtor), YESTERDAY, "callback_agreed", callback_on=agreed)
    later.call(later.case(debtor), DAY, "no_answer")
    assert rows_of(database, later)[debtor.id or 0, "EUR"]["callback_on"] is None


def test_a_legal_stop_stands_past_its_date(database: Database, world: World) -> None:
    """Only two persons lift it (rule 10); any other hold ends with its last day."""
    stopped, held = owing(world), owing(world)
    for debtor, reason in ((stopped, "legal_stop"), (held, "complaint")):
        world.record(
            Hold,
            DAY - timedelta(days=30),
            scope="party",
            party_id=debtor.party_id,
            debtor_id=debtor.id,
            reason=reason,
            source="insolvent",
            from_on=DAY - timedelta(days=30),
            until_on=YESTERDAY,
            note="",
        )
    rows = rows_of(database, world)
    row = rows[stopped.id or 0, "EUR"]
    assert (row["legal_stop"], row["hold_reason"], row["wake_on"]) == ("insolvent", "legal_stop", None)
    assert rows[held.id or 0, "EUR"]["hold_reason"] == "none"


def test_when_a_reason_was_given_and_when_we_did_our_part(database: Database, world: World) -> None:
    debtor = owing(world)
    case = world.case(debtor)
    stated = DAY - timedelta(days=9)
    world.record(StatedReason, stated, case_id=case.id, reason="lost_invoice", stated_on=stated, source="debtor")
    for done, blocks in ((stated - timedelta(days=1), True), (DAY - timedelta(days=5), True), (YESTERDAY, False)):
        world.add(
            WorkTask(
                id=world.id(),
                creditor_id=case.creditor_id,
                debtor_id=case.debtor_id,
                case_id=case.id,
                kind="department",
                subject="Send the invoice again.",
                role="operator",
                opened_on=done,
                due_on=done,
                blocks=blocks,
                state="done",
                outcome="done",
                done_on=done,
                done_at=morning(done),
                recorded_at=morning(done),
            )
        )
    row = rows_of(database, world)[debtor.id or 0, "EUR"]
    assert (row["reason"], row["reason_on"], row["reason_answered_on"]) == (
        "lost_invoice",
        stated,
        DAY - timedelta(days=5),
    )
