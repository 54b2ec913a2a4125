"""The cap of a day, and the alarm when far more goes out than usual."""

import json
from datetime import date, timedelta

import pytest

from maatpak.kernel.words import Channel
from tasks.send import volume
from tasks.send.claiming import Claims
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import in_sink, run_sql, send, states


def capped(house: House, **caps: int) -> None:
    house.engine.settings = house.engine.settings.model_copy(update=caps)


def test_over_the_cap_of_a_day_nothing_leaves(house: House) -> None:
    house.customers(5)
    house.customer(preferred_channel="post")
    house.written()
    capped(house, mails_per_day=3)
    summary = send(house)
    assert summary.plain() == {"email": {"sent": 3}, "post": {"sent": 1}}
    assert summary.stopped == {"email": "the cap of a day is reached"}
    assert "MAATPAK_MAILS_PER_DAY" in summary.mend["email"]
    assert not summary.whole
    assert send(house).counts == {}
    assert len(in_sink(house)) == 3
    assert states(house) == {"sent": 4, "queued": 2}
    capped(house, mails_per_day=4)
    assert send(house).plain() == {"email": {"sent": 1}}


def test_a_cap_that_is_just_enough_is_no_trouble(house: House) -> None:
    house.customers(2)
    house.written()
    capped(house, mails_per_day=2, texts_per_day=0, letters_per_day=0)
    assert send(house).whole
    assert send(house).whole


def test_two_workers_do_not_fill_the_same_room(house: House) -> None:
    house.customers(6)
    house.written()
    capped(house, mails_per_day=4)
    given = (house.engine, house.creditor_id, DAY, NOW)
    one, other = (Claims(*given, f"worker-{name}", [Channel.EMAIL], (), timedelta) for name in "ab")
    claimed = one.take(3).claimed
    assert len(claimed) == 3
    assert len(other.take(500).claimed) == 1
    assert other.take(500).looked_at == 0
    one.release(claimed)
    assert len(other.take(500).claimed) == 3


def earlier(house: House, counts: dict[date, int]) -> None:
    """Mails of earlier days, copied from the one that there is."""
    names = "creditor_id, debtor_id, case_id, channel, recipient, language, template, content_key, content, written"
    before = 0
    for day, count in counts.items():
        before += 10_000
        run_sql(
            house,
            f"INSERT INTO message ({names}, attempt, message_ref, state, business_date, queued_at, tries)"
            f" SELECT {names}, n + {before}, n || '-{day}', 'cancelled', DATE '{day}', now(), 0"
            f" FROM message, generate_series(1, {count}) n WHERE message.id = (SELECT min(id) FROM message)",
        )


@pytest.mark.parametrize(
    ("days", "busiest", "today", "alarmed"),
    [(5, 30, 101, True), (5, 40, 101, False), (4, 30, 101, False), (5, 30, 90, False), (25, 30, 101, True)],
    ids=["three times the busiest", "not three times", "too few days to know", "few anyway", "what is long ago"],
)
def test_far_more_than_usual_is_an_alarm(house: House, days: int, busiest: int, today: int, alarmed: bool) -> None:
    house.customer()
    house.written()
    counts = {DAY - timedelta(days=each): 5 for each in range(1, days + 1)}
    counts[DAY - timedelta(days=2)] = busiest
    if days > volume.DAYS:
        counts[DAY - timedelta(days=days)] = 1000
    earlier(house, counts | {DAY: today - 1})
    found = [str(each) for each in send(house).alarms]
    told = f"{today} messages by email today; on the busiest of the days before {busiest}"
    assert found == ([told] if alarmed else [])
    send(house)
    events = house.rows("SELECT body::text AS body FROM event WHERE kind = 'unusual_volume'")
    expected = {"channel": str(Channel.EMAIL), "written": today, "busiest": busiest}
    assert [json.loads(row["body"]) for row in events] == ([expected] if alarmed else [])
