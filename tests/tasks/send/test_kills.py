"""Workers that are killed, services that hang up and databases that restart, at random moments of many deliveries.

Whatever happens when: no mail reaches the server twice, none that it has is taken for unsent, and each kill leaves in
doubt at most what its worker was handing over. Each test tells its line of the table; the seed makes the same draws.
"""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from connectors.faults import Fault
from maatpak.kernel.settings import Settings
from maatpak.ledger.embedded import EmbeddedPostgres
from maatpak.ledger.postgres import run_program
from tasks.engine import Engine, initialise, open_engine
from tests.conftest import own_cluster
from tests.tasks.outbox_world import House
from tests.tasks.send.killing import LANES, Left, Shop
from tests.tasks.send.sending import in_sink, messages, spooled, states

pytestmark = pytest.mark.chaos

KILLS = 67
"""Of each of the three kinds of weather: 201 in all."""
CUTS = 200
RESTARTS = 8
LOTS = 60
FEW = 200
"""Messages of two batches of two workers; with fewer, more are written."""
WEATHER = {
    "all is quick": (0.05, []),
    "slow to take": (0.3, [Fault(at="content", delay=0.1)]),
    "slow to answer": (0.3, [Fault(at="after", delay=0.1)]),
}
"""How long a worker is left alone at most before it is killed, in seconds, and what the mail server does."""


def account(shop: Shop, what: str, left: Sequence[Left], cuts: int = 0) -> str:
    """Prove what was delivered, and the line of the table."""
    house = shop.house
    rows = messages(house)
    mails = Counter(row["state"] for row in rows if row["channel"] == "email")
    arrived = in_sink(house)
    assert len(arrived) == len(set(arrived)), "no Message-ID stands twice"
    assert set(mails) <= {"sent", "unknown"}
    known = {state: {row["message_ref"] for row in rows if row["state"] == state} for state in ("sent", "unknown")}
    mailed = {row["message_ref"] for row in rows if row["channel"] == "email"}
    assert known["sent"] & mailed <= set(arrived) <= mailed
    assert mails["sent"] <= len(arrived) <= mails["sent"] + mails["unknown"]
    assert mails["unknown"] <= sum(each.mails for each in left) + cuts
    assert all(each.mails <= LANES["email"] and each.letters <= LANES["post"] for each in left)
    letters = [row for row in rows if row["channel"] == "post"]
    assert {row["state"] for row in letters} == {"sent"}, "a letter is never unknown"
    assert spooled(house) == sorted(row["message_ref"].partition("@")[0] for row in letters)
    assert all(row["reported_at"] for row in rows)
    actions = states(house, "action")
    assert (actions["executed"], actions["unknown"]) == (mails["sent"] + len(letters), mails["unknown"])
    assert len(house.rows("SELECT id FROM touch")) == actions["executed"]
    most = max((each.mails for each in left), default=0)
    return (
        f"{what:<24} {len(left):>5} kills  {mails['sent']:>5} sent  {len(arrived):>5} in the sink"
        f"  {mails['unknown']:>4} unknown  at most {most} a kill"
    )


def keep_killing(shop: Shop, seed: str, span: float, enough: Callable[[], bool], left: list[Left]) -> None:
    """One worker after the other, each killed a while after it began, after its claim or after its first message."""
    draw = random.Random(seed)
    pause = threading.Event()
    while not enough():
        worker = shop.worker()
        worker.wait_for_begin()
        worker.wait_for(*draw.choice([(), ("queued", "sending"), ("sending",), ("sending",)]))
        pause.wait(draw.random() * span)
        worker.kill()
        in_doubt = worker.end()
        assert worker.exit_code in (0, -signal.SIGKILL), "it was faster, or was killed"
        if worker.exit_code:
            left.append(in_doubt)


@pytest.mark.parametrize("weather", WEATHER)
def test_kills_of_two_workers(engine: Engine, weather: str, record_property: Callable[[str, object], None]) -> None:
    shop = Shop(House(engine))
    span, faults = WEATHER[weather]
    shop.sink.plan_faults(faults)
    shop.queue(LOTS)
    left: list[Left] = []

    def enough() -> bool:
        return len(left) >= KILLS

    with ThreadPoolExecutor(2) as pool:
        killing = [pool.submit(keep_killing, shop, f"{weather} {slot}", span, enough, left) for slot in range(2)]
        while wait(killing, timeout=0.2).not_done:
            if shop.waiting() < FEW:
                shop.queue(LOTS)
        for each in killing:
            each.result()
    shop.sink.plan_faults([])
    shop.finish()
    record_property("told", account(shop, weather, left))


def test_a_server_that_hangs_up_right_after_it_took_a_mail(
    engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    shop = Shop(House(engine))
    shop.queue(100)
    mails = {row["recipient"]: row["message_ref"] for row in messages(shop.house) if row["channel"] == "email"}
    cut = random.Random("cuts").sample(sorted(mails), CUTS)
    shop.sink.plan_faults([Fault(match=recipient, at="after", drop=True) for recipient in cut])
    for worker in [shop.worker(), shop.worker()]:
        assert worker.end() == Left(0, 0)
    shop.finish()
    unknown = {row["message_ref"] for row in messages(shop.house) if row["state"] == "unknown"}
    assert unknown == {mails[recipient] for recipient in cut}
    assert set(in_sink(shop.house)) == set(mails.values())
    record_property("told", account(shop, f"{CUTS} times hung up", [], cuts=CUTS))


def test_two_workers_and_no_kill(engine: Engine, record_property: Callable[[str, object], None]) -> None:
    shop = Shop(House(engine))
    shop.queue(LOTS)
    both = [shop.worker(), shop.worker()]
    assert [each.end() for each in both] == [Left(0, 0), Left(0, 0)]
    assert [each.exit_code for each in both] == [0, 0]
    assert states(shop.house) == {"sent": len(messages(shop.house))}
    record_property("told", account(shop, "two workers in peace", []))


@pytest.fixture
def restarting(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a server of its own, which a test may restart."""
    with own_cluster(tmp_path) as folder:
        settings = Settings(workspace=folder)
        initialise(settings)
        engine = open_engine(settings)
        yield engine
        engine.close()


def test_a_database_that_restarts_under_two_workers(
    restarting: Engine, record_property: Callable[[str, object], None]
) -> None:
    shop = Shop(House(restarting))
    shop.sink.plan_faults([Fault(at="content", delay=0.05), Fault(at="after", delay=0.05)])
    home = EmbeddedPostgres.of_workspace(restarting.settings.workspace).home
    draw = random.Random("restarts")
    pause = threading.Event()
    left: list[Left] = []
    while len(left) < 2 * RESTARTS:
        if shop.waiting() < FEW:
            shop.queue(LOTS)
        both = [shop.worker(), shop.worker()]
        for worker in both:
            worker.wait_for("sending")
        pause.wait(draw.random() * 0.3)
        how = draw.choice(["immediate", "fast"])
        log, data = str(home / "data" / "server.log"), str(home / "data")
        run_program("pg_ctl", "-w", "-t", "60", "-m", how, "-l", log, "-D", data, "restart", cwd=home)
        left += [worker.end() for worker in both]
    shop.finish()
    record_property("told", account(shop, "database restarted", left))
