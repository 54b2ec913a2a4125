"""The circuit breaker of a service: when it opens, who tries when it is over, and what that costs messages."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from connectors.faults import Fault
from connectors.mail.smtp import MailServer, SmtpMail
from tasks.send.breaker import MEND, OPENS_AFTER
from tests.tasks.outbox_world import NOW, House
from tests.tasks.send.sending import (
    PATIENCE,
    faulty,
    in_sink,
    let_rests_end,
    messages,
    run_sql,
    send,
    states,
    wait_until,
)

LANES = 5
"""Four connections, and one more mail that is made meanwhile."""
MANY = OPENS_AFTER + 2 * LANES + 10
"""More messages than two workers can begin before the breaker is open."""
DOWN = Fault(reply="421 4.3.2 try later")


def breaker(house: House, channel: str = "email") -> dict[str, Any]:
    rest = "round(extract(epoch FROM open_until - clock_timestamp()) / 60)::int"
    (row,) = house.rows(f"SELECT *, {rest} AS minutes FROM breaker WHERE channel = '{channel}'")
    return row


def tries(house: House) -> Counter[int]:
    return Counter(row["tries"] for row in messages(house))


def two_workers(house: House) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: send(house), range(2)))


def opened(house: House, count: int = MANY) -> None:
    """So many messages wait, and the mail server takes none."""
    house.customers(count)
    house.written()
    faulty(house, DOWN)
    send(house)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (DOWN, "421 4.3.2"),
        (Fault(reply="451 4.3.0 queue file write error"), "451 4.3.0"),
        (Fault(reply="452 4.3.1 no room", at="content"), "452 4.3.1"),
        (Fault(drop=True), "no connection"),
        (Fault(drop=True, at="content"), "the connection ended"),
        (Fault(drop=True, at="after"), "the connection ended"),
    ],
    ids=str,
)
def test_trouble_of_the_service_opens_it(house: House, fault: Fault, word: str) -> None:
    house.customers(MANY)
    house.customer(preferred_channel="post")
    house.written()
    faulty(house, fault)
    summary = send(house)
    assert summary.stopped["email"].startswith(f"left alone for 1 more min, after {word}")
    assert summary.mend == {"email": MEND}
    assert not summary.whole
    row = breaker(house)
    assert row["word"].startswith(word)
    assert (row["openings"], row["minutes"]) == (1, 1)
    begun = sum(number for tried, number in tries(house).items() if tried) - 1
    assert OPENS_AFTER <= begun < OPENS_AFTER + LANES
    waiting = [row for row in messages(house) if row["state"] == "queued" and not row["tries"]]
    assert len(waiting) == MANY - begun
    assert {(row["leased_by"], row["failure"]) for row in waiting} == {(None, None)}
    assert summary.plain()["post"] == {"sent": 1}


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (Fault(reply="450 4.7.1 greylisted, come again"), "postponed"),
        (Fault(reply="452 4.2.2 mailbox full"), "postponed"),
        (Fault(reply="451 4.7.1 greylisted", at="content"), "postponed"),
        (Fault(reply="550 5.1.1 no such user"), "failed"),
        (Fault(reply="554 5.3.0 not for us"), "failed"),
        (Fault(reply="554 5.6.0 too odd", at="content"), "failed"),
    ],
    ids=str,
)
def test_trouble_of_a_recipient_or_a_content_does_not(house: House, fault: Fault, counted: str) -> None:
    house.customers(MANY)
    house.written()
    faulty(house, fault)
    summary = send(house)
    assert summary.plain() == {"email": {counted: MANY}}
    assert summary.stopped == {}
    assert house.rows("SELECT channel FROM breaker") == []


def test_a_mail_that_is_taken_in_between_begins_the_count_anew(house: House) -> None:
    for number in range(30):
        house.customer(email=f"{'good' if number % 5 == 4 else 'bad'}{number}@klant.example")
    house.written()
    faulty(house, Fault(match="bad", reply=DOWN.reply))
    assert send(house).plain() == {"email": {"postponed": 24, "sent": 6}}
    assert breaker(house)["open_until"] is None


def test_one_worker_opens_it_for_all(house: House) -> None:
    house.customers(MANY)
    house.written()
    faulty(house, Fault(reply=DOWN.reply, delay=0.05))
    two_workers(house)
    begun = tries(house)[1]
    assert OPENS_AFTER <= begun < OPENS_AFTER + 2 * LANES
    assert tries(house)[0] == MANY - begun
    faulty(house)
    later = send(house)
    assert later.plain() == {}
    assert later.stopped == {"email": "left alone for 1 more min, after 421 4.3.2"}
    assert in_sink(house) == []


def test_a_worker_in_the_middle_of_its_batch_begins_no_more(house: House) -> None:
    house.customers(24)
    house.written()
    faulty(house, Fault(reply="450 4.7.1 greylisted", delay=0.3))
    sending = threading.Thread(target=send, args=(house,))
    sending.start()
    wait_until(lambda: states(house)["sending"] > 0)
    run_sql(
        house,
        "INSERT INTO breaker (channel, service, failures, openings, open_until, word, mend)"
        " VALUES ('email', 'known to another', 10, 1, clock_timestamp() + interval '1 hour', '421', '')",
    )
    sending.join(PATIENCE)
    assert tries(house)[0] >= 24 - 3 * LANES
    assert {(row["state"], row["leased_by"]) for row in messages(house)} == {("queued", None)}


def test_after_a_rest_one_worker_tries_one_message(house: House) -> None:
    opened(house)
    before = tries(house)
    let_rests_end(house)
    two_workers(house)
    assert tries(house)[0] == before[0] - 1, "one message of all that wait"
    row = breaker(house)
    assert (row["openings"], row["minutes"]) == (2, 2)
    assert row["trying_until"] is None
    faulty(house)
    let_rests_end(house)
    send(house)
    assert states(house) == {"sent": before[0] - 1, "queued": MANY - before[0] + 1}
    row = breaker(house)
    assert (row["failures"], row["openings"], row["open_until"], row["closed_at"]) == (0, 0, None, NOW)
    assert send(house, now=NOW + timedelta(hours=1)).plain() == {"email": {"sent": MANY - before[0] + 1}}
    assert len(set(in_sink(house))) == len(in_sink(house)) == MANY


def test_nobody_else_sends_while_one_tries_and_a_killed_one_holds_it_for_a_while(house: House) -> None:
    opened(house)
    faulty(house)
    let_rests_end(house)
    run_sql(house, "UPDATE breaker SET trying_until = clock_timestamp() + interval '1 minute'")
    summary = send(house)
    assert summary.stopped == {"email": "left alone until one message is taken, after 421 4.3.2"}
    assert summary.plain() == {}
    run_sql(house, "UPDATE breaker SET trying_until = clock_timestamp() - interval '1 second'")
    assert send(house).total("sent") > 0


def test_rests_double_up_to_ten_minutes(house: House) -> None:
    opened(house)
    rests = []
    for _ in range(6):
        rests.append(breaker(house)["minutes"])
        let_rests_end(house)
        send(house)
    assert rests == [1, 2, 4, 8, 10, 10]
    run_sql(house, "UPDATE breaker SET openings = 5000")
    let_rests_end(house)
    send(house)
    assert breaker(house)["minutes"] == 10


def test_an_outage_of_four_days_ends_no_message(house: House) -> None:
    opened(house)
    for hours in range(6, 4 * 24, 6):
        let_rests_end(house)
        send(house, now=NOW + timedelta(hours=hours))
    assert set(states(house)) == {"queued"}
    back = NOW + timedelta(days=5)
    faulty(house, Fault(reply="450 4.7.1 greylisted"))
    let_rests_end(house)
    assert send(house, now=back).plain() == {"email": {"postponed": MANY}}
    faulty(house)
    let_rests_end(house)
    assert send(house, now=back + timedelta(days=1)).plain() == {"email": {"sent": MANY}}


def test_days_count_from_the_first_try_and_not_from_the_writing(house: House) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(reply="450 4.7.1 greylisted"))
    monday = NOW + timedelta(days=5)
    assert send(house, now=monday).plain() == {"email": {"postponed": 1}}
    assert messages(house)[0]["first_tried_at"] == monday
    assert send(house, now=monday + timedelta(hours=47)).plain() == {"email": {"postponed": 1}}
    assert send(house, now=monday + timedelta(hours=48)).plain() == {"email": {"failed": 1}}


def test_another_service_begins_anew(house: House) -> None:
    house.customers(3)
    house.written()
    sink, house.engine.mail = house.engine.mail, SmtpMail(MailServer(port=9))
    assert "no connection" in send(house).stopped["email"]
    house.engine.mail = sink
    assert "left alone" in send(house).stopped["email"]
    house.engine.settings = house.engine.settings.model_copy(update={"smtp_port": 26})
    assert send(house).plain() == {"email": {"sent": 3}}
    assert breaker(house)["open_until"] is None
