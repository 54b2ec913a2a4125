"""Runs that are killed and started again, and runs that meet: nothing goes out twice, nothing is forgotten."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from deployments.environment import prefect_environment
from tasks.day import run_day
from tasks.engine import Engine
from tests.flows.conftest import Prefect
from tests.flows.contents import DERIVED, count, differences, message_ids, sinks, tables
from tests.flows.town import CODE, NOW, TUESDAY, Twins, people_town

pytestmark = pytest.mark.chaos

PATIENCE = 300.0
LOOK_EVERY = 0.005
MESSAGES = "SELECT count(*) FROM message WHERE "
GONE = f"{MESSAGES} state <> 'queued'"
LATEST_KILL = 8.0
"""Seconds after the start of a run."""

Process = subprocess.Popen[str]


@contextmanager
def a_day(prefect: Prefect, engine: Engine) -> Iterator[Process]:
    """A process that is about to run the day, and ends with the block."""
    environment = {
        **prefect_environment(prefect.settings, prefect.url),
        "MAATPAK_WORKSPACE": str(engine.settings.workspace),
        "MAATPAK_DATABASE_URL": engine.database.url,
    }
    command = [sys.executable, "-m", "tests.flows.one_day"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def start(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_two_runs_at_once_do_the_work_once(prefect: Prefect, engine: Engine, twins: Twins) -> None:
    people_town(engine, 32)
    with twins.of(engine) as twin:
        with a_day(prefect, engine) as first, a_day(prefect, engine) as second:
            start(first)
            start(second)
            assert [first.wait(PATIENCE), second.wait(PATIENCE)] == [0, 0]
        # That a run by Prefect leaves what direct calls leave is proven in test_daily.
        run_day(twin, CODE, TUESDAY, NOW)
        assert differences(tables(engine, DERIVED), tables(twin, DERIVED)) == []
        assert differences(sinks(engine), sinks(twin)) == []
        assert count(engine, f"{MESSAGES} state = 'sent'") >= 10


def test_killed_and_run_again(prefect: Prefect, engine: Engine, twins: Twins) -> None:
    people_town(engine, 48)
    with twins.of(engine) as twin:
        kill_and_run_again(prefect, twin, random.Random(), kills=3)


@pytest.mark.parametrize("seed", range(10))
def test_killed_thirty_times(prefect: Prefect, engine: Engine, twins: Twins, seed: int) -> None:
    people_town(engine, 96)
    with twins.of(engine) as twin:
        kill_and_run_again(prefect, twin, random.Random(seed), kills=3)


def kill_and_run_again(prefect: Prefect, engine: Engine, chance: random.Random, kills: int) -> None:
    in_flight: Counter[str] = Counter()
    for _ in range(kills):
        kill_at_a_moment(prefect, engine, chance)
        _let_connections_go(engine)
        in_flight += _by_channel(engine, "sending")
        _nothing_twice(engine)
        _leases_run_out(engine)
    with a_day(prefect, engine) as process:
        start(process)
        process.wait(PATIENCE)
    unknown, sent = _by_channel(engine, "unknown"), _by_channel(engine, "sent")
    received = {channel: sum(counts.values()) for channel, counts in sinks(engine).items()}
    _nothing_twice(engine)
    assert sent["email"] <= received["mail"] <= sent["email"] + unknown["email"]
    assert sent["sms"] <= received["sms"] <= sent["sms"] + unknown["sms"]
    assert sent["post"] == received["post"]
    assert unknown["post"] == 0
    assert unknown["email"] <= in_flight["email"]
    assert unknown["sms"] <= in_flight["sms"]
    assert count(engine, f"{MESSAGES} state IN ('queued', 'sending')") == 0
    assert count(engine, "SELECT count(*) FROM action WHERE state = 'approved'") == 0


def kill_at_a_moment(prefect: Prefect, engine: Engine, chance: random.Random) -> None:
    """Kill a run once so many messages left, or so much time passed; one that ended before is no kill, so try again."""
    wanted = count(engine, GONE) + chance.randrange(1, 12)
    by_time, latest = chance.random() < 0.3, LATEST_KILL
    while True:
        with a_day(prefect, engine) as process:
            start(process)
            deadline = time.monotonic() + (latest * chance.random() if by_time else PATIENCE)
            while process.poll() is None and time.monotonic() < deadline:
                if not by_time and count(engine, GONE) >= wanted:
                    break
                time.sleep(LOOK_EVERY)
            process.kill()
            if process.wait(PATIENCE) == -signal.SIGKILL:
                return
        by_time, latest = True, latest / 2


def _by_channel(engine: Engine, state: str) -> Counter[str]:
    with engine.database.frames(read_only=True) as frames:
        found = frames.read(f"SELECT channel, count(*)::int FROM message WHERE state = '{state}' GROUP BY 1")
    return Counter(dict(found.iter_rows()))


def _nothing_twice(engine: Engine) -> None:
    assert [each for each, times in Counter(message_ids(engine)).items() if times > 1] == []


def _let_connections_go(engine: Engine) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
        " AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + PATIENCE
    while count(engine, others) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)


def _leases_run_out(engine: Engine) -> None:
    """As if five minutes passed: leases are technical time, counted by the database's clock."""
    with engine.database.session() as session:
        session.execute(text("UPDATE message SET leased_until = clock_timestamp() WHERE leased_until IS NOT NULL"))
