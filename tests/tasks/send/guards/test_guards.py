"""What must hold of every message that leaves, whatever the clock, the place, the calendar and what comes back."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.faults import Fault
from connectors.mail import return_path
from connectors.outcome import Sent
from connectors.post.port import LetterReport, LetterState
from connectors.sms.hooks import Word, read_incoming, read_status, read_word
from maatpak.kernel.calendars import holiday_dates
from maatpak.kernel.words import Channel
from policies.guardrails import ContactLimits
from policies.reach import Learned
from tasks.compose.windows import zones_of
from tasks.preferences import mark_address, opt_out_of
from tasks.receive import read_mailbox
from tasks.receive.letters import record_letter_report
from tasks.receive.texts import record_text, record_text_report
from tests.connectors.inbox.mails import report
from tests.tasks.send.guards.world import CAPS_OF, Founded, Handed, Person, World

PLACES = (
    ("NL", None),
    ("NL", "Europe/Amsterdam"),
    ("DE", None),
    ("US", None),
    ("US", "America/Los_Angeles"),
    ("PT", None),
)
STEPS = {
    "consumer": (("reminder", "forgetful"), ("second_text", "forgetful")),
    "business": (("reminder", "forgetful"), ("manager_letter", "habitual"), ("second_notice", "forgetful")),
}
"""By the preferred way, and by text; by post and mail, and by another way."""


def _people(most: int, *written_by: tuple[int, ...]) -> st.SearchStrategy[list[Any]]:
    """What is sent first, to whom, where, how they like it best, and who writes, each time with another step."""
    step, kind = st.integers(0, 2), st.sampled_from(["consumer", "business"])
    way = st.sampled_from([Channel.EMAIL, Channel.EMAIL, Channel.SMS, Channel.POST])
    person = st.tuples(step, kind, st.sampled_from(PLACES), way, st.sampled_from(written_by))
    return st.lists(person, min_size=2, max_size=most)


PEOPLE = _people(5, (0,), (1,), (0, 1))
BUSY = _people(3, (0, 1), (0, 0, 1, 1), (1, 1, 1, 0))
CROWD = st.lists(
    st.tuples(
        st.just(0),
        st.just("business"),
        st.just(PLACES[0]),
        st.sampled_from([Channel.EMAIL, Channel.EMAIL, Channel.SMS]),
        st.sampled_from([(0,), (1,)]),
    ),
    min_size=12,
    max_size=16,
)
"""Who may all be written to at once."""
RATES = st.fixed_dictionaries(
    {},
    optional={
        "smtp_per_minute": st.integers(1_000, 2_000),
        "smtp_domain_per_minute": st.integers(300, 900),
        "sms_per_minute": st.integers(600, 900),
    },
)
"""As fast as services never are, so that a test can wait for it; and far slower than a delivery would be without."""
CAPS = st.dictionaries(
    st.sampled_from(["mails_per_day", "texts_per_day", "letters_per_day"]), st.integers(0, 6), max_size=2
)
WAITS = (0, 1, 6, 50, 300, 660, 1_500, 5_000)
"""Minutes before a delivery: retries come due, hours end, days and weekends pass, summer time and Easter begin."""
MAILS = {
    "550": Fault(reply="550 5.1.1 no such user"),
    "451": Fault(reply="451 4.3.0 later", times=2),
    "hangs up before": Fault(drop=True, times=2),
    "hangs up after": Fault(at="after", drop=True, times=1),
}
TEXTS = {
    "400 21614": Fault(reply="400 21614", times=1),
    "429 20429": Fault(reply="429 20429", times=2),
    "500": Fault(reply="500", at="after", times=1),
    "hangs up after": Fault(at="after", drop=True, times=1),
}
CLOCKS_APART = 0.005
"""Seconds by which the database's clock and ours may differ."""
STATES = {"delivered": None, "undelivered": 30005, "sent": None, "failed": 30036, "queued": None}


def _act(name: str, *given: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*given))


DELIVERY = _act("deliver", st.sampled_from(WAITS), st.sampled_from([0, 0, 1, 9, 70]), st.integers(1, 2))
JOIN = _act("join", PEOPLE)
AGAIN = _act("write_again", st.integers(0), st.integers(0, 1), st.integers(0, 2), st.integers(0, 1))
SHUT = _act("join_and_shut", PEOPLE, st.sampled_from([Learned.GONE, Learned.OPTED_OUT, None]))
TROUBLE = _act("trouble", st.none() | st.sampled_from(sorted(MAILS)), st.none() | st.sampled_from(sorted(TEXTS)))
TOLD = _act("is_told", st.integers(0), st.sampled_from(sorted(STATES)), st.integers(1, 2))
TEXT = _act("texts_us", st.integers(0), st.sampled_from(["STOP", "START", "Afmelden", "On Friday"]), st.booleans())
OPT_OUT = _act("opts_out", st.integers(0), st.sampled_from(["email", "sms"]))
KILLED = _act("a_worker_is_killed")
ACTS = st.one_of(*[DELIVERY] * 4, JOIN, AGAIN, SHUT, TROUBLE, *[TOLD] * 2, TEXT, OPT_OUT, KILLED)
DAYS = _act("deliver", st.sampled_from([1_440, 2_880, 4_320]), st.sampled_from([0, 9]), st.integers(1, 2))
WEEKS = st.one_of(*[DAYS] * 6, *[AGAIN] * 5, DELIVERY, TROUBLE, TOLD, KILLED)
"""Days and weeks pass, and the same people are written to again and again."""


class Life:
    """What happens in a world; after each act all that was handed over is looked at."""

    def __init__(self, founded: Founded, world: World, happened: Counter[str]) -> None:
        self.founded = founded
        self.world = world
        self.happened = happened
        self.texts = 0

    def join(self, people: list[Any]) -> None:
        """More is written, to others."""
        for first, kind, (country, zone), way, houses in people[: 90 - len(self.world.people)]:
            person = Person(len(self.world.people), kind, country, zone, way)
            self.world.people.append(person)
            for more, at in enumerate(houses):
                self.world.owes(person, at, step_of(person, first + more))
        self.world.act()

    def write_again(self, who: int, at: int, step: int, waited: int) -> None:
        """More is written to somebody: proposed today, or approved for a day."""
        person = self.world.people[who % len(self.world.people)]
        self.world.owes(person, at, step_of(person, step), waited)
        self.world.act()

    def join_and_shut(self, people: list[Any], learned: Learned | None) -> None:
        """More is written, and before it leaves every other customer's addresses are closed, or they text STOP."""
        before = set(self.world.accounts)
        self.join(people)
        for at, number in sorted(set(self.world.accounts) - before)[::2]:
            person = self.world.people[number]
            self.happened["shut"] += 1
            if learned is None:
                self.texts_us(number, "STOP", again=False)
                continue
            with self.world.desk(at) as desk:
                case = desk.case(self.world.accounts[at, number].case_id)
                for channel, address in ((Channel.EMAIL, person.email), (Channel.SMS, person.phone)):
                    mark_address(desk, case, channel, address, learned, "told by phone")
                    self.world.dead.add((self.world.domain(at), address))

    def deliver(self, minutes: int, every: int, workers: int) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.world.deliver(timedelta(minutes=every), workers)

    def trouble(self, mail: str | None, text: str | None) -> None:
        self.founded.plan_faults([MAILS[mail]] if mail else [], [TEXTS[text]] if text else [])

    def is_told(self, which: int, state: str, times: int) -> None:
        """Of any message that was ever handed over, late, twice, or the opposite of what was told before."""
        if not self.world.handed:
            return
        each = self.world.handed[which % len(self.world.handed)]
        for _ in range(times):
            getattr(self, f"_{each.channel}_report")(each, state)
        self.happened[f"{each.channel} {state}"] += 1

    def texts_us(self, who: int, body: str, again: bool) -> None:
        person = self.world.people[who % len(self.world.people)]
        self.texts += not again
        form = {
            "MessageSid": f"SM{self.texts}-{person.number}",
            "From": person.phone,
            "To": "+31970000000",
            "Body": body,
        }
        text = read_incoming(form)
        assert text is not None
        news = record_text(self.world.engine, text, self.world.now)
        if news and read_word(body) is Word.STOP:
            self.world.stopped.add(person.phone)
            self.happened["stop"] += 1
        elif news and read_word(body) is Word.START:
            self.world.stopped.discard(person.phone)

    def opts_out(self, which: int, channel: str) -> None:
        """With one of our creditors."""
        accounts = sorted(self.world.accounts)
        at, number = accounts[which % len(accounts)]
        with self.world.desk(at) as desk:
            opt_out_of(desk, desk.case(self.world.accounts[at, number].case_id), channel)
        person = self.world.people[number]
        self.world.dead.add((self.world.domain(at), person.email if channel == "email" else person.phone))
        self.happened["opt-out"] += 1

    def a_worker_is_killed(self) -> None:
        """While it handed over the first that waits; whether the service has it, nobody knows."""
        with self.world.engine.database.frames() as frames:
            frames.execute(
                "UPDATE message SET state = 'sending', leased_by = 'dead', leased_until = now() - interval '1 s'"
                " WHERE id = (SELECT min(id) FROM message WHERE state = 'queued')"
            )

    def _email_report(self, each: Handed, state: str) -> None:
        path = return_path(self.world.engine.settings, self.world.engine.link_key)
        assert path is not None
        hard, arrived = state == "undelivered", state == "delivered"
        fields = f"Final-Recipient: rfc822; {each.address}\nAction: {'delivered' if arrived else 'failed'}\n"
        fields += f"Status: {'2.0.0' if arrived else '5.1.1' if hard else '4.2.2'}\n"
        folder = self.world.engine.workspace.sinks / "incoming"
        for name in ("new", "cur", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        content = f"Delivered-To: {path.of(each.ref)}\n".encode() + report(fields)
        (folder / "new" / f"{len(self.happened)}.{each.ref}.{state}").write_bytes(content)
        read_mailbox(self.world.engine, self.world.now)
        self._learn(each)

    def _sms_report(self, each: Handed, state: str) -> None:
        code = STATES[state]
        sid = (each.outcome.service_ref if isinstance(each.outcome, Sent) else None) or "SM0"
        told = read_status({"MessageSid": sid, "MessageStatus": state, **({"ErrorCode": str(code)} if code else {})})
        assert told is not None
        record_text_report(self.world.engine, told, each.ref, self.world.now)
        self._learn(each)

    def _post_report(self, each: Handed, state: str) -> None:
        if isinstance(each.outcome, Sent) and each.outcome.service_ref:
            happened = LetterState.RETURNED if STATES[state] else LetterState.DELIVERED
            told = LetterReport(
                on=self.world.now.date(), service_ref=each.outcome.service_ref, state=happened, code=str(happened)
            )
            record_letter_report(self.world.engine, told, self.world.now)

    def _learn(self, each: Handed) -> None:
        """The newest that is known of an address holds: dead by this report, or good again by a late one."""
        states = self.world.houses[0].rows(
            "SELECT s.state FROM address_state s JOIN message m ON m.debtor_id = s.debtor_id AND m.channel = s.channel"
            f" AND m.recipient = s.address WHERE m.message_ref = '{each.ref}' AND s.replaced_at IS NULL"
        )
        known = (each.ref.partition("@")[2], each.address)
        shut = {row["state"] for row in states} & {"dead", "opted_out"}
        (self.world.dead.add if shut else self.world.dead.discard)(known)


def step_of(person: Person, which: int) -> tuple[str, str]:
    steps = STEPS[person.kind]
    return steps[which % len(steps)]


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


@pytest.fixture(scope="module")
def founded(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    made = Founded(server_url, template, tmp_path_factory.mktemp("services"))
    with made.once():
        yield made


def played(founded: Founded, happened: Counter[str], limits: dict[str, int], acts: list[Any]) -> None:
    """One example, from the first letters on."""
    founded.plan_faults([], [])
    with founded.world(limits) as world:
        life = Life(founded, world, happened)
        for name, given in acts:
            getattr(life, name)(*given)
            all_is_well(world, limits)
        happened.update(f"{each.channel} {type(each.outcome).__name__}" for each in world.handed)
        for letters in contacts_of(world).values():
            happened[f"{len(letters)} contacts"] += 1


def lives(founded: Founded, examples: int, acts: int, *, weeks: bool = False) -> Counter[str]:
    """So many examples of so many acts; what happened in them."""
    happened: Counter[str] = Counter()
    tried = settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=[Phase.generate])

    @tried
    @given(CAPS, BUSY if weeks else PEOPLE, st.lists(WEEKS if weeks else ACTS, min_size=acts, max_size=2 * acts))
    def live(caps: dict[str, int], people: Any, acts: list[Any]) -> None:
        begun = [("trouble", ("hangs up after",) * 2), ("join", (people,)), ("deliver", (0, 0, 1))]
        played(founded, happened, caps, [*begun, *acts])

    live()
    return happened


def test_the_guards_hold(founded: Founded) -> None:
    happened = lives(founded, examples=8, acts=8)
    for channel in Channel:
        assert happened[f"{channel} Sent"] + happened[f"{channel} Unknown"] > 2, happened
    assert happened["shut"] > 3, happened


def test_the_guards_hold_over_weeks(founded: Founded) -> None:
    happened = lives(founded, examples=4, acts=16, weeks=True)
    assert happened["3 contacts"] > 1, happened


def keep_rates(founded: Founded, examples: int) -> None:
    happened: Counter[str] = Counter()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(RATES, CROWD, CROWD)
    def crowded(rates: dict[str, int], first: list[Any], second: list[Any]) -> None:
        acts = [("join", (first,)), ("deliver", (0, 0, 2)), ("join", (second,)), ("deliver", (0, 0, 2))]
        played(founded, happened, rates, acts)

    crowded()
    assert happened["email Sent"] > 12 * examples, happened


def test_the_rates_hold(founded: Founded) -> None:
    keep_rates(founded, examples=3)


@pytest.mark.soak
def test_the_rates_hold_for_long(founded: Founded) -> None:
    keep_rates(founded, examples=100)


@pytest.mark.soak
@pytest.mark.parametrize("weeks", [False, True])
def test_the_guards_hold_for_long(founded: Founded, weeks: bool) -> None:
    lives(founded, examples=200, acts=30, weeks=weeks)
