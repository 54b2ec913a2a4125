"""Doubt, killed workers, messages that cannot be made and several workers at once."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.faults import Fault
from connectors.message import Outgoing
from maatpak.kernel.errors import RefusedError, UsageError
from tasks.desk import desk
from tasks.send import deliver, report_outcomes, resolve_message
from tasks.send.resolving import Resolution
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import (
    PATIENCE,
    faulty,
    hold,
    in_sink,
    lease,
    let_leases_expire,
    messages,
    run_sql,
    send,
    spooled,
    states,
)


@pytest.mark.parametrize("resolution", list(Resolution))
def test_an_unknown_message_waits_for_a_person(house: House, resolution: Resolution) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(at="after", drop=True))
    assert send(house).plain() == {"email": {"unknown": 1}}
    assert states(house, "action") == {"unknown": 1}
    faulty(house)
    assert send(house).counts == {}
    assert len(in_sink(house)) == 1
    (message,) = messages(house)
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        with pytest.raises(UsageError, match="How do you know"):
            resolve_message(at, message["message_ref"], resolution, " ")
        with pytest.raises(UsageError, match="no message"):
            resolve_message(at, "nobody@nowhere", resolution, "asked them")
        resolve_message(at, message["message_ref"], resolution, "asked them")
    with (
        desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at,
        pytest.raises(RefusedError, match="its outcome is known"),
    ):
        resolve_message(at, message["message_ref"], resolution, "asked them")
    assert states(house) == {str(resolution): 1}
    assert send(house).counts == {}
    assert len(in_sink(house)) == 1
    assert states(house, "action") == {"executed" if resolution is Resolution.SENT else "failed": 1}
    assert messages(house)[0]["resolved_by"] == "maritNL1"
    assert len(house.rows("SELECT 1 AS one FROM evidence")) == (1 if resolution is Resolution.SENT else 0)


def test_what_was_sent_after_all_counts_from_the_day_that_it_left(house: House) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(at="after", drop=True))
    send(house)
    left, found_out = DAY + timedelta(days=1), DAY + timedelta(days=3)
    run_sql(
        house,
        f"UPDATE message SET ended_at = '{DAY} 23:30+00' WHERE state = 'unknown';"
        f" UPDATE creditor SET business_date = '{found_out}'",
    )
    (unknown,) = messages(house)
    assert unknown["state"] == "unknown"
    now = NOW + timedelta(days=3)
    with desk(house.engine, house.creditor_id, "maritNL1", found_out, now) as at:
        resolve_message(at, unknown["message_ref"], Resolution.SENT, "they answered it")
    report_outcomes(house.engine, house.creditor_id, found_out, now, "maritNL1")
    (message,) = messages(house)
    assert (message["sent_on"], message["sent_at"]) == (left, now), "known from now, at a date in the past"
    assert message["failure"] is None
    assert message["reported_at"] == now
    action = {"state": "executed", "executed_on": left, "ended_at": now}
    assert house.rows("SELECT state, executed_on, ended_at FROM action") == [action]
    assert house.rows("SELECT kind, touched_on, recorded_at FROM touch") == [
        {"kind": "reminder", "touched_on": left, "recorded_at": now}
    ]


def test_what_a_killed_worker_was_sending_is_found_out(house: House) -> None:
    house.customer()
    house.customer(preferred_channel="post")
    texted = house.customer("second_text", kind="consumer", amounts=(9900,))
    house.customer("second_text", kind="consumer", amounts=(8800,))
    house.written()
    lease(house, "sending")
    assert send(house).counts == {}
    (content,) = [row["content"] for row in messages(house) if row["case_id"] == texted.case_id]
    outgoing = Outgoing.from_json(house.engine.store.get(content))

    async def taken() -> None:
        await house.engine.sms.send(outgoing, [])
        await house.engine.sms.close()

    asyncio.run(taken())
    let_leases_expire(house)
    assert send(house).plain() == {"email": {"unknown": 1}, "post": {"sent": 1}, "sms": {"sent": 1, "unknown": 1}}
    assert len(spooled(house)) == 1
    assert in_sink(house) == []


def test_a_letter_that_a_killed_worker_did_not_spool_is_asked_about_again(house: House) -> None:
    account = house.customer(preferred_channel="post")
    house.written()
    lease(house, "sending")
    hold(house, account)
    let_leases_expire(house)
    assert send(house).plain() == {"post": {"cancelled": 1}}
    assert house.rows("SELECT state, reason FROM action") == [{"state": "cancelled", "reason": "on_hold"}]
    assert spooled(house) == []


def with_bad_logo(house: House, row: dict[str, Any]) -> None:
    """The letter holds a drawing that no sheet can be set with."""
    outgoing = Outgoing.from_json(house.engine.store.get(row["content"]))
    spoilt = replace(outgoing, letter={**(outgoing.letter or {}), "logo": "<svg"})
    key = house.engine.store.put("messages", spoilt.to_json(), "json")
    run_sql(
        house,
        "ALTER TABLE message DISABLE TRIGGER ALL;"
        f" UPDATE message SET content = '{key}' WHERE id = {row['id']};"
        " ALTER TABLE message ENABLE TRIGGER ALL",
    )


def without_evidence(house: House, row: dict[str, Any]) -> None:
    """The file of the message's content is gone."""
    path = house.engine.store.path(row["content"])
    assert path is not None
    path.unlink()


@pytest.mark.parametrize(("spoil", "name"), [(with_bad_logo, "TypstError"), (without_evidence, "workspace")])
def test_a_message_that_cannot_be_made_fails_alone(
    house: House, spoil: Callable[[House, dict[str, Any]], None], name: str
) -> None:
    house.customers(12, preferred_channel="post")
    house.customers(12)
    house.written()
    faulty(house, Fault(delay=0.05))
    spoil(house, next(row for row in messages(house) if row["channel"] == "post"))
    assert send(house).plain() == {"email": {"sent": 12}, "post": {"failed": 1, "sent": 11}}
    assert len(in_sink(house)) == 12
    assert len(spooled(house)) == 11
    (failed,) = house.rows(
        "SELECT m.failure, a.state FROM message m JOIN message_action ma ON ma.message_id = m.id"
        " JOIN action a ON a.id = ma.action_id WHERE m.state = 'failed'"
    )
    assert failed["failure"] == f"cannot be made: {name}"
    assert failed["state"] == "failed"
    (kept,) = (house.engine.workspace.root / "logs" / "failures").iterdir()
    assert "Traceback" in kept.read_text()
    assert send(house).counts == {}


@pytest.mark.parametrize(("spoil", "state"), [(with_bad_logo, "failed"), (without_evidence, "unknown")])
def test_a_broken_off_message_that_cannot_be_made_does_not_stop_finding_out(
    house: House, spoil: Callable[[House, dict[str, Any]], None], state: str
) -> None:
    house.customers(2, preferred_channel="post")
    house.written()
    spoil(house, messages(house)[0])
    lease(house, "sending")
    let_leases_expire(house)
    assert send(house).plain() == {"post": {state: 1, "sent": 1}}


def test_a_claim_that_was_left_behind_is_taken_up_again(house: House) -> None:
    house.customer()
    house.written()
    lease(house, "queued")
    assert send(house).counts == {}
    let_leases_expire(house)
    assert send(house).plain() == {"email": {"sent": 1}}


def test_what_was_sent_and_not_yet_reported_is_reported_by_the_next(house: House) -> None:
    house.customers(2)
    house.written()
    run_sql(
        house,
        "UPDATE message SET state = 'sending';"
        " UPDATE message SET state = 'sent', sent_on = DATE '2026-03-11', sent_at = now(), ended_at = now()",
    )
    assert send(house).counts == {}
    assert states(house, "action") == {"executed": 2}
    assert len(house.rows("SELECT 1 AS one FROM touch")) == 2
    assert len(house.rows("SELECT 1 AS one FROM event WHERE kind = 'messages_delivered'")) == 1


def test_several_workers_at_once_send_everything_once(house: House) -> None:
    house.customers(60)
    house.written()
    workers = [
        threading.Thread(target=deliver, args=(house.engine, house.creditor_id, DAY, NOW, f"worker-{number}"))
        for number in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert states(house) == {"sent": 60}
    arrived = in_sink(house)
    assert len(arrived) == len(set(arrived)) == 60
    assert states(house, "action") == {"executed": 60}
    assert len(house.rows("SELECT 1 AS one FROM touch")) == 60
