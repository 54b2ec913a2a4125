"""Letters that waited meet what was written since: the contact budget holds when they leave."""

from datetime import date, timedelta
from typing import Any

from maatpak.kernel.words import Channel
from tasks.send import deliver
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import messages, open_day, send


def on(house: House, day: date) -> dict[str, Any]:
    """A delivery of another business date."""
    open_day(house, day)
    now = NOW + (day - DAY)
    return deliver(house.engine, house.creditor_id, day, now, "w", elapsed=timedelta).plain()


def test_two_letters_that_waited_do_not_leave_on_one_day(house: House) -> None:
    first = house.customer()
    house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    house.written()
    send(house)
    left = [row["sent_on"] for row in messages(house) if row["sent_on"] is not None]
    assert left == [DAY]
    assert on(house, DAY + timedelta(days=2)).get("email", {}).get("sent", 0) == 0, "two working days are too few"
    on(house, DAY + timedelta(days=5))
    assert sorted(row["sent_on"] for row in messages(house)) == [DAY, DAY + timedelta(days=5)]


def test_a_letter_that_goes_two_ways_is_one_contact(house: House) -> None:
    house.customer("manager_letter", "habitual")
    house.written()
    send(house, channel=Channel.POST)
    assert on(house, DAY + timedelta(days=1)) == {"email": {"sent": 1}}


def test_one_letter_about_several_currencies_goes_whole(house: House) -> None:
    first = house.customer("second_notice")
    house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    house.written()
    assert on(house, DAY + timedelta(days=1)).popitem()[1] == {"sent": 1}
