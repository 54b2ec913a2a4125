"""One order of locks: a run that takes work back waits for whoever is busy with that party, and finds it done."""

import threading
import time

import psycopg
import pytest
from sqlalchemy import event

from maatpak.kernel.words import CallResult, HoldReason
from maatpak.ledger.tables import Action, Case, WorkTask
from tasks.approvals import approve
from tasks.calls import Call, record_call
from tasks.holds import set_hold
from tasks.tick import TickSummary, tick
from tests.tasks.act.house import House, at

PATIENCE = 30.0


def wait_for_a_lock(house: House, run: threading.Thread) -> None:
    """Until the run waits for somebody, or has ended."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(house.engine.database.url, autocommit=True) as connection:
        while run.is_alive() and not connection.execute(waiting).fetchall():
            assert time.monotonic() < deadline, "neither waiting nor done"
            time.sleep(0.01)


@pytest.mark.stage("calling")
def test_a_run_does_not_take_a_call_away_from_who_is_recording_it(
    house: House, case_id: int, call_task: WorkTask
) -> None:
    with house.desk("mo", 7) as desk:
        set_hold(desk, desk.case(case_id), HoldReason.DATA, house.day, "asked")
    summaries: list[TickSummary] = []
    run = threading.Thread(
        target=lambda: summaries.append(tick(house.engine, house.creditor_id, house.day, at(house.day, 9)))
    )
    with house.desk("carla", 8) as desk:
        desk.case(case_id)
        run.start()
        wait_for_a_lock(house, run)
        record_call(desk, int(call_task.id or 0), Call(CallResult.SPOKE_NO_COMMITMENT, "morning"))
    run.join(PATIENCE)
    assert not run.is_alive()
    assert house.row(Action, step="call").state == "executed"
    assert summaries[0].withdrawn == 0


@pytest.mark.stage("three demanding")
def test_a_batch_of_approvals_locks_all_its_parties_at_once(house: House) -> None:
    ids = [int(action.id) for action in house.rows(Action, step="final_demand", state="awaiting_approval")]
    parties = sorted(case.party_id for case in house.rows(Case))
    locks: list[str] = []
    with house.desk("mo", 15) as desk:
        bind = desk.session.get_bind()
        event.listen(
            bind, "before_cursor_execute", lambda *seen: locks.append(seen[2]) if "NO KEY" in seen[2] else None
        )
        approve(desk, list(reversed(ids)), "looked at it")
    assert len(ids) == 3
    assert f"[{','.join(map(str, parties))}]" in locks[0]
