"""What must hold of every message that leaves, whatever the clock, the place, the calendar and what comes back."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
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
from policies.reach import Learned
from tasks.compose.windows import zones_of
from tasks.preferences import mark_address, opt_out_of
from tasks.receive import read_mailbox
from tasks.receive.letters import record_letter_report
from tasks.receive.texts import record_text, record_text_report
from tests.connectors.inbox.mails import report
from tests.tasks.send.guards.world import Founded, Handed, Person, World

PLACES = (
    ("NL", None),
    ("NL", "Europe/Amsterdam"),
    ("DE", None),
    ("US", None),
    ("US", "America/Los_Angeles"),
    ("PT", None),
)
STEPS = (("reminder", "forgetful"), ("second_text", "forgetful"), ("manager_letter", "habitual"))
"""By the preferred way, by text, and by post and mail."""
PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.sampled_from(["consumer", "business"]),
        st.sampled_from(PLACES),
        st.sampled_from(list(Channel)),
        st.sampled_from([(0,), (1,), (0, 1)]),
    ),
    min_size=3,
    max_size=8,
)
"""What is sent, to whom, where, how they like it best, and by which creditors."""
CAPS = st.dictionaries(st.sampled_from(list(Channel)), st.integers(0, 6), max_size=2)
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
STATES = {"delivered": None, "undelivered": 30005, "sent": None, "failed": 30036, "queued": None}


def _act(name: str, *given: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*given))


DELIVERY = _act("deliver", st.sampled_from(WAITS), st.sampled_from([0, 0, 1, 9, 70]), st.integers(1, 2))
ACTS = st.one_of(
    *[DELIVERY] * 4,
    _act("join", PEOPLE),
    _act("join_and_shut", PEOPLE, st.sampled_from([Learned.GONE, Learned.OPTED_OUT, None])),
    _act("trouble", st.none() | st.sampled_from(sorted(MAILS)), st.none() | st.sampled_from(sorted(TEXTS))),
    *[_act("is_told", st.integers(0), st.sampled_from(sorted(STATES)), st.integers(1, 2))] * 2,
    _act("texts_us", st.integers(0), st.sampled_from(["STOP", "START", "Afmelden", "On Friday"]), st.booleans()),
    _act("opts_out", st.integers(0), st.sampled_from(["email", "sms"])),
    _act("a_worker_is_killed"),
)


class Life:
    """What happens in a world; after each act all that was handed over is looked at."""

    def __init__(self, founded: Founded, world: World, happened: Counter[str]) -> None:
        self.founded = founded
        self.world = world
        self.happened = happened
        self.texts = 0

    def join(self, people: list[Any]) -> None:
        """More is written, to others."""
        for step, kind, (country, zone), way, houses in people[: 90 - len(self.world.people)]:
            self.world.joins(Person(len(self.world.people), step, kind, country, zone, way), houses)
        self.world.write()

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


def all_is_well(world: World, caps: dict[Channel, int]) -> None:
    """Of everything that was ever handed over."""
    in_their_hours(world)
    assert not [each for each in world.handed if each.closed], "to an address that was opted out or dead"
    numbers = {each.phone for each in world.people if each.country == "US" and not each.agrees}
    assert not [each for each in world.handed if each.channel is Channel.SMS and each.address in numbers], "unasked"
    # A letter that is spooled twice lies there once.
    left = Counter(each.ref for each in world.handed if each.may_have_left and each.channel is not Channel.POST)
    assert not [ref for ref, count in left.items() if count > 1], "a second time"
    within_caps(world, caps)


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


def within_caps(world: World, caps: dict[Channel, int]) -> None:
    """All of it leaves on one business date."""
    left = Counter(each.channel for each in world.handed if each.may_have_left)
    for channel, cap in caps.items():
        assert left[channel] <= cap, f"{left[channel]} by {channel}, of {cap}"


@pytest.fixture(scope="module")
def founded(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    made = Founded(server_url, template, tmp_path_factory.mktemp("services"))
    with made.once():
        yield made


def played(founded: Founded, happened: Counter[str], caps: dict[Channel, int], people: Any, acts: list[Any]) -> None:
    """One example, from the first letters on."""
    founded.plan_faults([], [])
    with founded.world(caps) as world:
        life = Life(founded, world, happened)
        begun = [("trouble", ("hangs up after",) * 2), ("join", (people,)), ("deliver", (0, 0, 1))]
        for name, given in [*begun, *acts]:
            getattr(life, name)(*given)
            all_is_well(world, caps)
        happened.update(f"{each.channel} {type(each.outcome).__name__}" for each in world.handed)


def lives(founded: Founded, examples: int, acts: int) -> Counter[str]:
    """So many examples of so many acts; what happened in them."""
    happened: Counter[str] = Counter()
    tried = settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=[Phase.generate])

    @tried
    @given(CAPS, PEOPLE, st.lists(ACTS, min_size=acts, max_size=2 * acts))
    def live(caps: dict[Channel, int], people: Any, acts: list[Any]) -> None:
        played(founded, happened, caps, people, acts)

    live()
    return happened


def test_the_guards_hold(founded: Founded) -> None:
    happened = lives(founded, examples=10, acts=10)
    for channel in Channel:
        assert happened[f"{channel} Sent"] > 4, happened
    assert happened["shut"] > 3, happened


@pytest.mark.soak
def test_the_guards_hold_for_long(founded: Founded) -> None:
    lives(founded, examples=300, acts=30)
