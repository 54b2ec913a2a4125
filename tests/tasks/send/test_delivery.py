"""What leaves, what services answer, and what is recorded of it."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from connectors.faults import Fault
from connectors.message import Outgoing
from connectors.post.letters import letter_pdf
from connectors.sms.twilio_client import TwilioSms
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import Channel
from tasks.send import deliver
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import (
    faulty,
    in_sink,
    let_rests_end,
    messages,
    run_sql,
    send,
    spooled,
    states,
)


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


def test_a_recipient_who_is_not_ready_is_tried_again_later_and_given_up_in_the_end(house: House) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(reply="451 4.7.1 later"))
    at, pauses = NOW, list[timedelta]()
    while states(house) == {"queued": 1}:
        send(house, now=at)
        (message,) = messages(house)
        if message["tries"] > len(pauses):
            pauses.append(message["send_after"] - at)
            assert send(house, now=at).counts == {}, "not before its time"
        at = message["send_after"]
    minutes = [each / timedelta(minutes=1) for each in pauses]
    assert minutes[:8] == [5, 10, 20, 40, 80, 160, 240, 240]
    (message,) = messages(house)
    assert message["failure"].startswith(f"given up after {message['tries']} tries: 451")
    assert timedelta(hours=44) < message["ended_at"] - message["queued_at"] <= timedelta(hours=48)
    assert house.rows("SELECT state, result FROM action") == [{"state": "failed", "result": "451 4.7.1"}]


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
    let_rests_end(house)
    later = send(house, now=NOW + timedelta(minutes=6))
    assert later.plain() == {"email": {"sent": 40}}


def test_a_store_that_cannot_be_read_now_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.customer()
    house.written()

    def unreachable(key: str) -> bytes:
        raise TimeoutError(key)

    with monkeypatch.context() as broken:
        broken.setattr(house.engine.store, "get", unreachable)
        assert send(house).plain() == {"email": {"postponed": 1}}
    assert send(house, now=NOW + timedelta(minutes=6)).plain() == {"email": {"sent": 1}}


def test_one_letter_about_two_cases_is_one_touch(house: House) -> None:
    first = house.customer("second_notice")
    house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    house.written()
    send(house)
    assert states(house, "action") == {"executed": 2}
    assert [row["rating"] for row in house.rows("SELECT rating FROM touch")] == [-1]


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


def test_words_that_no_database_takes_stop_nobody_else(house: House) -> None:
    house.customers(3)
    house.written()
    faulty(house, Fault(reply="550 5.7.1 Empf\x00nger gesperrt", times=1))
    assert send(house).total("sent") == 2
    (failed,) = [row for row in messages(house) if row["state"] == "failed"]
    assert failed["failure"] == "550 5.7.1 Empfnger gesperrt"
