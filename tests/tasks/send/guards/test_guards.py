"""What must hold of every message that leaves, whatever the clock, the place, the calendar and what comes back."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from maatpak.kernel.words import Channel
from policies.reach import Learned
from tests.tasks.send.guards.holding import all_is_well, contacts_of
from tests.tasks.send.guards.life import MAILS, STATES, TEXTS, Life
from tests.tasks.send.guards.world import Founded

PLACES = (
    ("NL", None),
    ("NL", "Europe/Amsterdam"),
    ("DE", None),
    ("US", None),
    ("US", "America/Los_Angeles"),
    ("PT", None),
)


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
    happened = lives(founded, examples=6, acts=7)
    for channel in Channel:
        assert happened[f"{channel} Sent"] + happened[f"{channel} Unknown"] > 2, happened
    assert happened["shut"] > 3, happened


def test_the_guards_hold_over_weeks(founded: Founded) -> None:
    happened = lives(founded, examples=3, acts=16, weeks=True)
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
