import json
import mailbox
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connectors.faults import Fault
from connectors.mail.smtp import SmtpMail
from connectors.message import Outgoing
from connectors.post.letters import letter_pdf
from connectors.sms.twilio_client import TwilioSms
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import CallResult, Channel, HoldReason
from maatpak.ledger.tables import AddressState, Case, ContactResult
from tasks.desk import Desk, desk
from tasks.engine import Engine
from tasks.holds import set_hold
from tasks.plans import cancel_plan, decline_plan, offer_plan
from tasks.preferences import opt_out_of
from tasks.send import DeliverySummary, deliver, report_outcomes, resolve_message, sending_instant
from tasks.send.resolving import Resolution
from tests.tasks.outbox_world import DAY, EARLIER, NOW, Account, House

PATIENCE = 30.0


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


def send(house: House, now: Any = NOW, **options: Any) -> DeliverySummary:
    return deliver(house.engine, house.creditor_id, DAY, now, "worker-1", **options)


def faulty(house: House, *faults: Fault) -> None:
    mail = house.engine.mail
    assert isinstance(mail, SmtpMail)
    assert mail.sink is not None
    mail.sink.plan_faults(faults)


def in_sink(house: House) -> list[str]:
    """Message-IDs of the mails that arrived."""
    folder = house.engine.workspace.sinks / "mail" / "maildir"
    if not (folder / "cur").exists():  # the last of it that is made
        return []
    box = mailbox.Maildir(folder)
    return [str(box.get_message(key)["Message-ID"]).strip("<>") for key in box.iterkeys()]


def spooled(house: House) -> list[str]:
    return sorted(path.stem for path in (house.engine.workspace.sinks / "post").glob("*.json"))


def messages(house: House) -> list[dict[str, Any]]:
    return house.rows("SELECT * FROM message ORDER BY id")


def states(house: House, table: str = "message") -> Counter[str]:
    return Counter(row["state"] for row in house.rows(f"SELECT state FROM {table}"))


def run_sql(house: House, statement: str) -> None:
    with house.engine.database.session() as session:
        session.execute(text(statement))


def let_leases_expire(house: House) -> None:
    past = "clock_timestamp() - interval '1 minute'"
    run_sql(house, f"UPDATE message SET leased_until = {past} WHERE leased_until IS NOT NULL")


def lease(house: House, state: str) -> None:
    """Another worker has all messages, and nobody hears of it any more."""
    until = "clock_timestamp() + interval '5 minutes'"
    run_sql(house, f"UPDATE message SET state = '{state}', leased_by = 'dead', leased_until = {until}")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def hold(house: House, account: Account) -> None:
    """A person sets a hold on a case."""
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        case = at.session.get(Case, account.case_id)
        assert case is not None
        set_hold(at, case, HoldReason.COMPLAINT, DAY + timedelta(days=5), "wrong goods", source="person")


def test_mails_texts_and_letters_leave_once_and_everything_is_said_of_it(house: House) -> None:
    house.customer()
    house.customer(preferred_channel="post")
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.customer("manager_letter", "habitual")
    house.written()
    summary = send(house)
    assert summary.plain() == {"email": {"sent": 2}, "post": {"sent": 2}, "sms": {"sent": 1}}
    rows = messages(house)
    assert {row["state"] for row in rows} == {"sent"}
    assert all((row["sent_on"], row["sent_at"], row["ended_at"]) == (DAY, NOW, NOW) for row in rows)
    assert all(row["service_ref"] and row["leased_by"] is None and row["reported_at"] == NOW for row in rows)
    by_channel = {channel: [row["message_ref"] for row in rows if row["channel"] == channel] for channel in Channel}
    assert sorted(in_sink(house)) == sorted(by_channel[Channel.EMAIL])
    assert spooled(house) == sorted(ref.partition("@")[0] for ref in by_channel[Channel.POST])
    sms = house.engine.sms
    assert isinstance(sms, TwilioSms)
    assert sms.simulator is not None
    (texted,) = [json.loads(line) for line in sms.simulator.messages.read_text().splitlines()]
    assert texted["to"] == "+31612345678"
    assert states(house, "action") == {"executed": 4}
    assert {row["executed_on"] for row in house.rows("SELECT executed_on FROM action")} == {DAY}
    assert Counter(row["kind"] for row in house.rows("SELECT kind FROM evidence")) == {"accepted": 5}
    touches = house.rows("SELECT kind, rating FROM touch ORDER BY kind")
    assert [(row["kind"], row["rating"]) for row in touches] == [
        ("manager_letter", -3),
        ("reminder", 0),
        ("reminder", 0),
        ("second_text", -1),
    ]
    (event,) = house.rows("SELECT body::text AS body FROM event WHERE kind = 'messages_delivered'")
    body = json.loads(event["body"])
    assert body["outcomes"] == {"email_sent": 2, "post_sent": 2, "sms_sent": 1}
    assert body["actions_executed"] == 4
    assert house.engine.store.get_frame(body["evidence"]).height == 5
    assert not any("klant.example" in json.dumps(row["body"]) for row in house.rows("SELECT body::text FROM event"))


def test_delivering_again_sends_nothing(house: House) -> None:
    house.customers(3)
    house.written()
    send(house)
    again = send(house)
    assert again.counts == {}
    assert len(in_sink(house)) == 3
    assert len(house.rows("SELECT 1 AS one FROM event WHERE kind = 'messages_delivered'")) == 1


def test_only_on_the_business_date(house: House) -> None:
    house.customer()
    house.written()
    with pytest.raises(RefusedError, match="NL1 is at 2026-03-11"):
        deliver(house.engine, house.creditor_id, DAY - timedelta(days=1), NOW, "w")
    assert states(house) == {"queued": 1}


def test_a_channel_and_a_limit_narrow_it(house: House) -> None:
    house.customers(4)
    house.customer(preferred_channel="post")
    house.written()
    assert send(house, channel=Channel.POST).plain() == {"post": {"sent": 1}}
    assert send(house, limit=3).plain() == {"email": {"sent": 3}}
    assert states(house) == {"sent": 4, "queued": 1}


def paid(house: House, account: Account) -> None:
    for item_id in account.item_ids:
        run_sql(
            house,
            "UPDATE item_version SET replaced_from = DATE '2026-03-11', replaced_at = now()"
            f" WHERE item_id = {item_id};"
            " INSERT INTO item_version (item_id, creditor_id, debtor_id, item_type, document_no, currency, issued_on,"
            " due_on, amount, open_amount, disputed_amount, settled_on, settled_by, settled_estimated, valid_from,"
            " recorded_at) SELECT item_id, creditor_id, debtor_id, item_type, document_no, currency, issued_on, due_on,"
            " amount, 0, 0, DATE '2026-03-11', 'payment', false, DATE '2026-03-11', now()"
            f" FROM item_version WHERE item_id = {item_id}",
        )


@pytest.mark.parametrize(("act", "reason"), [(hold, "on_hold"), (paid, "paid")])
def test_what_is_recorded_after_queueing_stops_the_message(
    house: House, act: Callable[[House, Account], None], reason: str
) -> None:
    stopped = house.customer()
    house.customer()
    house.written()
    act(house, stopped)
    summary = send(house)
    assert summary.plain() == {"email": {"cancelled": 1, "sent": 1}}
    assert len(in_sink(house)) == 1
    first, second = house.rows("SELECT state, reason FROM action ORDER BY id")
    assert first == {"state": "cancelled", "reason": reason}
    assert second == {"state": "executed", "reason": None}
    assert states(house) == {"cancelled": 1, "sent": 1}


def talk(house: House, account: Account) -> None:
    """A customer rings."""
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        case = at.session.get_one(Case, account.case_id)
        at.session.add(
            ContactResult(
                creditor_id=house.creditor_id,
                case_id=account.case_id,
                debtor_id=account.debtor_id,
                code=CallResult.SPOKE_NO_COMMITMENT,
                day_part="morning",
                called_on=DAY,
                actor="maritNL1",
                recorded_at=at.now,
            )
        )
        at.record("call_recorded", case=case)


def opt_out(house: House, account: Account) -> None:
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        opt_out_of(at, at.session.get_one(Case, account.case_id), "email")


@pytest.mark.parametrize(
    ("happen", "left", "action"),
    [
        (hold, "cancelled", ("cancelled", "on_hold")),
        (talk, "queued", ("in_progress", None)),
        (opt_out, "cancelled", ("cancelled", "opted_out")),
    ],
)
def test_what_is_recorded_while_sending_stops_what_has_not_left(
    house: House, happen: Callable[[House, Account], None], left: str, action: tuple[str, str | None]
) -> None:
    house.customers(16)
    house.written()
    faulty(house, Fault(delay=0.5))
    sending = threading.Thread(target=send, args=(house,))
    sending.start()
    wait_until(lambda: len(in_sink(house)) >= 1)
    happen(house, house.accounts[-1])
    sending.join(PATIENCE)
    (last,) = house.rows(f"SELECT state, reason FROM action WHERE id = {house.accounts[-1].action_id}")
    assert (last["state"], last["reason"]) == action
    assert states(house) == {"sent": 15, left: 1}
    assert len(in_sink(house)) == 15


def test_a_letter_that_left_counts_though_the_mail_beside_it_was_stopped(house: House) -> None:
    account = house.customer("manager_letter", "habitual")
    house.written()
    send(house, channel=Channel.POST)
    assert states(house, "action") == {"in_progress": 1}
    hold(house, account)
    send(house)
    assert states(house) == {"sent": 1, "cancelled": 1}
    assert states(house, "action") == {"executed": 1}


def test_an_address_that_died_meanwhile_is_not_used(house: House) -> None:
    account = house.customer()
    house.written()
    dead: dict[str, Any] = {
        "debtor_id": account.debtor_id,
        "channel": "email",
        "address": "K-1001@klant.example",
        "state": "dead",
    }
    with house.engine.database.session() as session:
        session.add(AddressState(**dead, cause="bounced", actor="engine", valid_from=DAY, recorded_at=EARLIER))
    assert send(house).plain() == {"email": {"cancelled": 1}}
    assert house.rows("SELECT reason FROM action") == [{"reason": "no_address"}]
    assert in_sink(house) == []


def test_outside_the_customers_hours_mails_wait_and_letters_go(house: House) -> None:
    house.customer()
    house.customer(preferred_channel="post")
    house.written()
    night = NOW.replace(hour=20)
    assert send(house, now=night).plain() == {"email": {"postponed": 1}, "post": {"sent": 1}}
    (waiting,) = [row for row in messages(house) if row["state"] == "queued"]
    assert waiting["send_after"] == NOW.replace(day=12, hour=7)
    assert send(house, now=night + timedelta(hours=1)).counts == {}


def test_a_caught_up_day_sends_within_everybodys_hours() -> None:
    assert sending_instant(DAY, NOW.replace(hour=6)) == NOW.replace(hour=11)
    assert sending_instant(DAY, NOW.replace(hour=15)) == NOW.replace(hour=15)


def test_a_refused_address_fails_the_action_and_is_dead_from_then_on(house: House) -> None:
    account = house.customer()
    house.written()
    words = "550 5.1.1 <k-1001@klant.example>: no such user"
    faulty(house, Fault(reply=words))
    assert send(house).plain() == {"email": {"failed": 1}}
    (message,) = messages(house)
    assert message["failure"] == words
    (action,) = house.rows("SELECT state, result FROM action")
    assert action == {"state": "failed", "result": "550 5.1.1"}, (
        "the words name the recipient and stay with the message"
    )
    (known,) = house.rows("SELECT debtor_id, channel, address, state, cause FROM address_state")
    assert known["debtor_id"] == account.debtor_id
    assert (known["channel"], known["address"], known["state"]) == ("email", "k-1001@klant.example", "dead")
    assert house.rows("SELECT 1 AS one FROM touch") == []


def test_a_busy_service_is_tried_again_later_and_given_up_in_the_end(house: House) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(reply="451 4.3.0 later"))
    at = NOW
    for tries in range(1, 6):
        assert send(house, now=at).plain() == {"email": {"postponed": 1}}
        (message,) = messages(house)
        assert (message["state"], message["tries"]) == ("queued", tries)
        assert message["send_after"] == at + timedelta(minutes=5) * 2 ** (tries - 1)
        assert send(house, now=at).counts == {}
        at = message["send_after"]
    assert send(house, now=at).plain() == {"email": {"failed": 1}}
    assert messages(house)[0]["failure"].startswith("given up after 6 tries: 451")
    assert house.rows("SELECT state, result FROM action") == [{"state": "failed", "result": "451 4.3.0"}]


def test_a_service_that_is_down_is_left_alone_and_other_channels_go_on(house: House) -> None:
    house.customers(40)
    house.customer(preferred_channel="post")
    house.written()
    faulty(house, Fault(drop=True))
    summary = send(house)
    assert "no connection" in summary.stopped["email"]
    assert summary.total("postponed") < 20
    assert summary.plain()["post"] == {"sent": 1}
    assert states(house) == {"queued": 40, "sent": 1}
    assert not any(row["leased_by"] for row in messages(house))
    faulty(house)
    later = send(house, now=NOW + timedelta(minutes=6))
    assert later.plain() == {"email": {"sent": 40}}


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
    import asyncio

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


@pytest.mark.parametrize("answer", [decline_plan, cancel_plan])
def test_the_letter_of_an_offer_that_does_not_stand_any_more_does_not_go(
    house: House, answer: Callable[[Desk, str], object]
) -> None:
    account = house.customer("plan_offer", "strained")
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, EARLIER) as at:
        offered = offer_plan(at, at.session.get_one(Case, account.case_id))
    assert offered is not None
    run_sql(
        house,
        f"ALTER TABLE plan DISABLE TRIGGER ALL; UPDATE plan SET action_id = {account.action_id};"
        " ALTER TABLE plan ENABLE TRIGGER ALL",
    )
    house.written()
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        answer(at, offered.plan_no)
    assert send(house).plain() == {"email": {"cancelled": 1}}
    assert house.rows("SELECT state, reason FROM action") == [{"state": "cancelled", "reason": "stopped"}]


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


def test_a_store_that_cannot_be_read_now_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.customer()
    house.written()

    def unreachable(key: str) -> bytes:
        raise TimeoutError(key)

    with monkeypatch.context() as broken:
        broken.setattr(house.engine.store, "get", unreachable)
        assert send(house).plain() == {"email": {"postponed": 1}}
    assert send(house, now=NOW + timedelta(minutes=6)).plain() == {"email": {"sent": 1}}


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


def test_one_letter_about_two_cases_is_one_touch(house: House) -> None:
    first = house.customer("second_notice")
    house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    house.written()
    send(house)
    assert states(house, "action") == {"executed": 2}
    assert [row["rating"] for row in house.rows("SELECT rating FROM touch")] == [-1]


def kill_at(house: House, threshold: int, worker: str) -> None:
    """Start a delivery in a process of its own, and kill it when so many mails have arrived."""
    arguments = [str(house.engine.settings.workspace), house.engine.database.url, str(house.creditor_id), worker]
    command = [sys.executable, "-m", "tests.tasks.delivering", *arguments]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
    folder = house.engine.workspace.sinks / "mail" / "maildir" / "new"
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if folder.exists() and sum(1 for _ in folder.iterdir()) >= threshold:
            process.kill()
        time.sleep(0.002)
    _, trouble = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, trouble.decode()


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(1, 12))
def test_a_killed_delivery_sends_nothing_twice_and_loses_nothing(house: House, seed: int) -> None:
    draw = random.Random(seed)
    kills = 2
    house.customers(50)
    for _ in range(10):
        house.customer(preferred_channel="post")
    house.written()
    threshold = 0
    for number in range(kills):
        threshold += draw.randint(3, 15)
        kill_at(house, threshold, f"victim-{number}")
        assert states(house)["sending"] <= 4 + 2
        let_leases_expire(house)
    send(house)
    arrived, counts = in_sink(house), Counter(row["state"] for row in messages(house) if row["channel"] == "email")
    assert len(arrived) == len(set(arrived))
    assert counts["sent"] <= len(arrived) <= counts["sent"] + counts["unknown"]
    assert counts["unknown"] <= 4 * kills
    assert set(counts) <= {"sent", "unknown"}
    letters = [row for row in messages(house) if row["channel"] == "post"]
    assert {row["state"] for row in letters} == {"sent"}
    assert len(spooled(house)) == 10
    done = states(house, "action")
    assert done == Counter({"executed": counts["sent"] + 10, "unknown": counts["unknown"]}) - Counter()
    assert len(house.rows("SELECT 1 AS one FROM touch")) == counts["sent"] + 10
    assert all(row["reported_at"] for row in messages(house))


def test_the_letter_in_the_spool_is_the_one_that_was_composed(house: House) -> None:
    house.customer(preferred_channel="post")
    house.written()
    send(house)
    (row,) = messages(house)
    outgoing = Outgoing.from_json(house.engine.store.get(row["content"]))
    (stem,) = spooled(house)
    assert (house.engine.workspace.sinks / "post" / f"{stem}.pdf").read_bytes() == letter_pdf(outgoing)


def test_what_a_lane_records_lies_after_a_look_that_could_not_see_it(house: House) -> None:
    house.customer()
    house.customer(email="k-1002@klant.example")
    house.written()
    faulty(house, Fault("k-1002", reply="550 5.1.1 no such user"))
    run_sql(house, f"UPDATE creditor SET looked_at = TIMESTAMPTZ '{NOW + timedelta(hours=1)}'")
    send(house)
    recorded = {
        "message": "SELECT ended_at AS at FROM message",
        "evidence": "SELECT recorded_at AS at FROM evidence",
        "address": "SELECT recorded_at AS at FROM address_state",
        "action": "SELECT ended_at AS at FROM action",
        "touch": "SELECT recorded_at AS at FROM touch",
        "event": "SELECT recorded_at AS at FROM event WHERE kind = 'messages_delivered'",
    }
    for what, query in recorded.items():
        instants = [row["at"] for row in house.rows(query)]
        assert instants, what
        assert min(instants) > NOW + timedelta(hours=1), what


def test_a_third_notice_of_a_round_is_one_too_many(house: House) -> None:
    account = house.customer()
    earlier = {"reminder_before": 20, "second_notice": 10}
    for step, days in earlier.items():
        on = f"DATE '{DAY - timedelta(days=days)}'"
        run_sql(
            house,
            "INSERT INTO action (creditor_id, case_id, round_id, stage, step, attempt, kind, segment, pack_id, state,"
            " written, escalating, approvals_needed, amount, overdue_amount, due_on, business_date, proposed_at,"
            " executed_on, ended_at)"
            f" SELECT creditor_id, case_id, round_id, stage, '{step}', 1, kind, segment, pack_id, 'executed', TRUE,"
            f" FALSE, 0, amount, 0, {on}, {on}, proposed_at, {on}, {on} FROM action"
            f" WHERE id = {account.action_id}",
        )
    house.written()
    send(house)
    assert [row["rating"] for row in house.rows("SELECT rating FROM touch")] == [-2]
