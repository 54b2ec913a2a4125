"""Letters that waited meet what was written since: the contact budget holds when they leave."""

from datetime import date, timedelta
from typing import Any

from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Case
from policies.reach import Learned
from tasks.desk import desk
from tasks.execute import execute_all
from tasks.preferences import mark_address
from tasks.send import deliver
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import messages, open_day, run_sql, send


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


def test_the_second_way_of_a_letter_waits_for_one_that_left_in_between(house: House) -> None:
    first = house.customer("manager_letter", "habitual")
    house.written()
    send(house, channel=Channel.POST)
    run_sql(house, f"UPDATE message SET send_after = '{NOW + timedelta(days=6)}' WHERE channel = 'email'")
    house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    house.written()
    between = on(house, DAY + timedelta(days=5))
    assert sum(counts.get("sent", 0) for counts in between.values()) == 1
    assert on(house, DAY + timedelta(days=6)) == {"email": {"postponed": 1}}
    assert on(house, DAY + timedelta(days=9)) == {"email": {"sent": 1}}


def test_one_letter_about_several_currencies_goes_whole(house: House) -> None:
    first = house.customer("second_notice")
    house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    house.written()
    assert on(house, DAY + timedelta(days=1)).popitem()[1] == {"sent": 1}


def test_an_approved_letter_waits_for_one_in_the_outbox(house: House) -> None:
    first = house.customer()
    house.written()
    house.begun = False
    second = house.customer("second_notice", amounts=(99900,), currency="GBP", account=first)
    leaves, later = DAY + timedelta(days=6), DAY + timedelta(days=9)
    for day, expected in ((DAY + timedelta(days=5), "approved"), (leaves, "approved"), (later, "in_progress")):
        open_day(house, day)
        execute_all(house.engine, house.creditor_id, day, NOW + (day - DAY))
        if day == leaves:
            deliver(house.engine, house.creditor_id, day, NOW + (day - DAY), "w", elapsed=timedelta)
        (found,) = house.rows(f"SELECT state FROM action WHERE id = {second.action_id}")
        assert found["state"] == expected, day
    assert [row["sent_on"] for row in messages(house)] == [leaves, None]


def test_a_letter_that_is_not_wanted_any_more_keeps_no_other_one_waiting(house: House) -> None:
    """Its address died meanwhile, which is found when it is claimed together with the other."""
    accounts = [house.customer()]
    accounts.append(house.customer(party_id=accounts[0].party_id))
    house.written()
    first, second = messages(house)
    (owner,) = [each for each in accounts if each.debtor_id == first["debtor_id"]]
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        case = at.session.get_one(Case, owner.case_id)
        mark_address(at, case, "email", first["recipient"], Learned.GONE, "told")
    assert send(house).plain() == {"email": {"cancelled": 1, "sent": 1}}
    assert [(row["id"], row["state"]) for row in messages(house)] == [
        (first["id"], "cancelled"),
        (second["id"], "sent"),
    ]


def test_an_approved_letter_that_cannot_go_today_keeps_no_other_one_waiting(house: House) -> None:
    labour_day = date(2026, 5, 1)
    house.begun = False
    german = house.customer("second_notice", country="DE")
    dutch = house.customer(party_id=german.party_id, amounts=(9900,))
    open_day(house, labour_day)
    execute_all(house.engine, house.creditor_id, labour_day, NOW + (labour_day - DAY))
    found = house.rows("SELECT id, state FROM action ORDER BY id")
    assert found == [
        {"id": german.action_id, "state": "approved"},
        {"id": dutch.action_id, "state": "in_progress"},
    ]
