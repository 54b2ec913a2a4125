"""What must hold of everything that was handed over and that arrived, worked out apart from the engine."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from maatpak.kernel.calendars import holiday_dates
from maatpak.kernel.words import Channel
from policies.guardrails import ContactLimits
from tasks.compose.windows import zones_of
from tests.tasks.send.guards.world import CAPS_OF, World

CLOCKS_APART = 0.005
"""Seconds by which the database's clock and ours may differ."""


def all_is_well(world: World, limits: dict[str, int]) -> None:
    """Of everything that was ever handed over."""
    in_their_hours(world)
    assert not [each for each in world.handed if each.closed], "to an address that was opted out or dead"
    numbers = {each.phone for each in world.people if each.country == "US" and not each.agrees}
    assert not [each for each in world.handed if each.channel is Channel.SMS and each.address in numbers], "unasked"
    # A letter that is spooled twice lies there once.
    left = Counter(each.ref for each in world.handed if each.may_have_left and each.channel is not Channel.POST)
    assert not [ref for ref, count in left.items() if count > 1], "a second time"
    within_caps(world, limits)
    within_budget(world)
    within_rates(world, limits)


def in_their_hours(world: World) -> None:
    """By the calendars and clocks of whoever is written to, worked out apart from the engine."""
    rows = world.houses[0].rows(
        "SELECT m.message_ref, p.kind, p.country, p.time_zone FROM message m JOIN debtor_profile p"
        " ON p.debtor_id = m.debtor_id AND p.replaced_at IS NULL"
    )
    whose = {row["message_ref"]: row for row in rows}
    for each in world.handed:
        reader = whose[each.ref]
        first = 9 if reader["kind"] == "consumer" else 8
        for zone in zones_of(reader["time_zone"], reader["country"]) if each.channel is not Channel.POST else ():
            for instant in (each.at, each.at + (each.valid_for or timedelta()) - timedelta(seconds=1)):
                local = instant.astimezone(ZoneInfo(zone))
                told = f"{each} is {local} for {reader}"
                assert local.weekday() < 5, told
                assert local.date() not in holiday_dates(reader["country"]), told
                assert first <= local.hour < 19, told


def within_caps(world: World, limits: dict[str, int]) -> None:
    left = Counter((each.day, CAPS_OF[each.channel]) for each in world.handed if each.may_have_left)
    for (day, cap), count in left.items():
        assert count <= limits.get(cap, count), f"{count} on {day}, of {limits[cap]} {cap}"


def contacts_of(world: World) -> dict[int, dict[frozenset[int], date]]:
    """Person → the actions of each letter → the day on which it arrived, by the first of its ways.

    Our tables only say which letter it is that a reference names.
    """
    rows = world.houses[0].rows(
        "SELECT m.message_ref, array_agg(x.action_id) AS actions FROM message m JOIN message_action x"
        " ON x.message_id = m.id GROUP BY m.message_ref"
    )
    letters = {row["message_ref"]: frozenset(row["actions"]) for row in rows}
    contacts: dict[int, dict[frozenset[int], date]] = defaultdict(dict)
    for day, ref in world.arrived:
        contacts[world.people_of[min(letters[ref])].number].setdefault(letters[ref], day)
    return contacts


def within_budget(world: World) -> None:
    """What arrived, whoever of the creditors wrote it, and however long it waited; and what was taken up late."""
    limits = world.engine.pack(world.houses[0].pack_id).guardrails.contacts
    contacts = contacts_of(world)
    for number, letters in contacts.items():
        days = sorted(letters.values())
        for at, day in enumerate(days):
            told = f"on {day} after {days[:at]}, {world.people[number]}"
            assert has_room(limits, days[:at], day, world.people[number].country), told
    late = world.houses[0].rows(
        "SELECT id, started_on FROM action WHERE started_on > business_date AND state NOT IN ('cancelled', 'failed')"
    )
    for row in late:
        person, day = world.people_of[row["id"]], row["started_on"]
        before = [came for letter, came in contacts[person.number].items() if row["id"] not in letter and came < day]
        assert has_room(limits, before, day, person.country), f"{row} was taken up after {before}, of {person}"


def has_room(limits: ContactLimits, before: Sequence[date], day: date, country: str) -> bool:
    """Whether a party may be written to on a day, after what it got; counted apart from the engine."""
    ages = [len(working_days(earlier, day, country)) for earlier in before]
    return all(age >= limits.apart for age in ages) and sum(age < limits.within for age in ages) < limits.most


def working_days(after: date, until: date, country: str) -> list[date]:
    days = [after + timedelta(days=each) for each in range(1, (until - after).days + 1)]
    return [each for each in days if each.weekday() < 5 and each not in holiday_dates(country)]


def within_rates(world: World, limits: dict[str, int]) -> None:
    """Of each rate, no stretch of time holds more than its turns, of all workers together.

    A turn lies between the instant at which a lane asks for one and that at which it begins. So whatever takes its time
    can only make a stretch longer.
    """
    begun = [each for each in world.handed if each.begun_at is not None]
    mails = [each for each in begun if each.channel is Channel.EMAIL]
    rated = [("smtp_per_minute", mails), ("sms_per_minute", [each for each in begun if each.channel is Channel.SMS])]
    for domain in {each.address.partition("@")[2] for each in mails}:
        of_domain = [each for each in mails if each.address.endswith(f"@{domain}")]
        rated += [("smtp_domain_per_minute", of_domain)]
    for rate, turns in rated:
        if rate not in limits:
            continue
        for asked_at in (each.asked_at for each in turns):
            ends = sorted(each.begun_at or 0 for each in turns if each.asked_at >= asked_at)
            for count, end in enumerate(ends):
                told = f"{count + 1} in {end - asked_at:.3f} s, of {limits[rate]} {rate}"
                assert end - asked_at > count * 60 / limits[rate] - CLOCKS_APART, told
