"""How fast the console's pages are while twenty people look at them, on a creditor of a size.

Run as `python -m benchmarks.pages DEBTORS SECONDS`: prints a table by page and, as its last line, JSON. The application
is a process of its own, as `up` starts it; the load comes from this one, over loopback, and ends by itself.
"""

import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, text

from benchmarks.scratch import Scratch, scratch
from benchmarks.tick import CREDITOR, DAY, INSTANT, PREPARED, fill
from deployments.environment import prefect_environment, speaking_with
from deployments.stack import NO_RETRIES, prefect_server
from maatpak.console.app import create_app
from maatpak.console.frame.asking import OWNERS
from maatpak.console.frame.declared import Listing
from maatpak.console.frame.visiting import COOKIE
from maatpak.console.rooms import ROOMS
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.words import Role
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import Person
from tasks.access.login import let_in
from tasks.engine import Engine
from tasks.execute import execute_all
from tasks.figures import compute_figures
from tasks.journey_figures import keep_journey_figures
from tasks.standing import refresh_standing
from tasks.tick import tick_and_see

USERS, PAUSE = 20, 1.0
PORT, PREFECT_PORT = 4399, 4398
WHO = "bench"
EXAMPLES = 40
"""Things of each kind that pages are opened for."""
MEDIAN, HIGH, MOST_QUERIES, MOST_BYTES = 0.150, 0.400, 15, 200_000
FREE = {"login": WHO, "name": "overdue", "segment": "forgetful", "pack_id": "1"}


def furnish(engine: Engine) -> str:
    """A day of the creditor without sending; the token of a session of somebody who sees all."""
    _, seen = tick_and_see(engine, CREDITOR, DAY, INSTANT)
    refresh_standing(engine, CREDITOR, DAY, seen)
    execute_all(engine, CREDITOR, DAY, INSTANT + timedelta(milliseconds=1))
    compute_figures(engine, CREDITOR, DAY, INSTANT)
    keep_journey_figures(engine, CREDITOR, DAY)
    with engine.database.session() as session:
        session.add(
            Person(login=WHO, name="Bench", role=Role.CREDIT_MANAGER, approval_limit=10**12, recorded_at=INSTANT)
        )
    with engine.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return let_in(engine, WHO, engine.clock.now(), "bench")[0]


def pages(engine: Engine) -> dict[str, list[str]]:
    """Pattern of a page → paths of it to open, for a credit manager."""
    things: dict[str, list[str]] = {}
    with engine.database.reading() as session:
        for name, query in OWNERS.items():
            table, named = query.split("FROM ")[1].split()[0], re.search(r"(\w+) = :id", query)
            assert named is not None
            column = named[1]
            rows = session.connection().execute(
                text(f"SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT {EXAMPLES}")
            )
            things[name] = [str(row[0]) for row in rows]
    found: dict[str, list[str]] = {}
    for room in ROOMS:
        for each in room.pages:
            if Role.CREDIT_MANAGER not in each.roles:
                continue
            names = [part[1:-1] for part in each.path.split("/") if part.startswith("{")]
            choices = [things.get(name) or ([FREE[name]] if name in FREE else []) for name in names]
            if all(choices):
                most = max(map(len, choices), default=1)
                found[each.path] = [
                    each.path.format(**{name: some[at % len(some)] for name, some in zip(names, choices, strict=True)})
                    for at in range(most)
                ]
            if isinstance(each, Listing):
                sorts = [column.key for column in each.columns if column.sorts]
                found[each.path] += [f"{each.path}?sort=-{key}" for key in sorts]
    return found


def counted(engine: Engine, paths: Mapping[str, Sequence[str]], token: str) -> dict[str, tuple[int, int]]:
    """Pattern → the most statements that one of its pages sends, and the most bytes it weighs; of what there is."""
    app = create_app(engine, FixedClock(engine.clock.now()))
    sent = [0]

    def note(*_: Any) -> None:
        sent[0] += 1

    read = Frames.read

    def noted(self: Frames, query: str) -> Any:
        note()
        return read(self, query)

    event.listen(engine.database.engine, "before_cursor_execute", note)
    Frames.read = noted  # type: ignore[method-assign]

    async def look(path: str) -> tuple[int, int] | None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            sent[0] = 0
            answer = await client.get(path, headers={"Cookie": f"{COOKIE}={token}"})
            if answer.status_code != 200:
                print(f"not measured, {answer.status_code}: {path}", file=sys.stderr)
                return None
            return sent[0], len(answer.content)

    try:
        seen = {
            pattern: [found for path in some[:4] if (found := asyncio.run(look(path))) is not None]
            for pattern, some in paths.items()
        }
    finally:
        Frames.read = read  # type: ignore[method-assign]
    return {pattern: (max(q for q, _ in looks), max(b for _, b in looks)) for pattern, looks in seen.items() if looks}


@contextmanager
def served(engine: Engine) -> Iterator[str]:
    """The application in a process of its own, beside a Prefect that knows the creditor's deployments, as `up` does."""
    url, settings = engine.settings.database_url, engine.settings.model_copy(update={"prefect_port": PREFECT_PORT})
    assert url is not None
    with prefect_server(settings) as (api, _):
        environment = {
            **prefect_environment(settings, api),
            **NO_RETRIES,
            "MAATPAK_DATABASE_URL": url.get_secret_value(),
            "POLARS_MAX_THREADS": "1",
        }
        with speaking_with(settings, api):
            deploy(engine)
        command = [sys.executable, "-m", "deployments.web", str(PORT)]
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
            base = f"http://127.0.0.1:{PORT}"
            try:
                for _ in range(300):
                    try:
                        httpx.get(f"{base}/login")
                        break
                    except httpx.TransportError:
                        time.sleep(0.2)
                yield base
            finally:
                process.terminate()


def deploy(engine: Engine) -> None:
    """The deployments of the workspace; nobody takes up what they schedule."""
    from prefect.runner import Runner

    from deployments.serve import register
    from deployments.table import table

    asyncio.run(register(Runner(name="bench"), table(engine)))


async def load(base: str, paths: Mapping[str, Sequence[str]], token: str, seconds: float) -> dict[str, list[float]]:
    """Pattern → the seconds of each time that one of its pages was opened."""
    taken: dict[str, list[float]] = defaultdict(list)
    ends = time.monotonic() + seconds

    async def user(number: int) -> None:
        mine = random.Random(number)
        patterns = list(paths)
        mine.shuffle(patterns)
        async with httpx.AsyncClient(base_url=base, headers={"Cookie": f"{COOKIE}={token}"}, timeout=30) as client:
            await asyncio.sleep(PAUSE * number / USERS)
            while time.monotonic() < ends:
                for pattern in patterns:
                    begun = time.perf_counter()
                    await client.get(mine.choice(paths[pattern]))
                    taken[pattern].append(time.perf_counter() - begun)
                    await asyncio.sleep(PAUSE)
                    if time.monotonic() >= ends:
                        break

    await asyncio.gather(*(user(number) for number in range(USERS)))
    return taken


def measure(place: Scratch, debtors: int, seconds: float) -> dict[str, Any]:
    """The table by page, printed, and as plain data."""
    place.prepare(PREPARED, lambda database: fill(database, debtors))
    with place.engine(PREPARED) as engine:
        token = furnish(engine)
        paths = pages(engine)
        weighed = counted(engine, paths, token)
        paths = {pattern: some for pattern, some in paths.items() if pattern in weighed}
        with served(engine) as base:
            asyncio.run(load(base, paths, token, 10))
            taken = asyncio.run(load(base, paths, token, seconds))
    table = Table(
        "page", "opened", "median ms", "95 % ms", "queries", "kB", title=f"{debtors:,} debtors, {USERS} users"
    )
    rows = []
    for pattern, times in sorted(taken.items(), key=lambda each: -statistics.median(each[1])):
        high = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        queries, weight = weighed[pattern]
        median = statistics.median(times)
        holds = median <= MEDIAN and high <= HIGH and queries <= MOST_QUERIES and weight <= MOST_BYTES
        rows.append(
            {"page": pattern, "median": median, "high": high, "queries": queries, "bytes": weight, "holds": holds}
        )
        marks = f"{median * 1000:.0f}", f"{high * 1000:.0f}", str(queries), f"{weight / 1000:.0f}"
        table.add_row(pattern, str(len(times)), *marks, style="" if holds else "red")
    Console(stderr=True, width=120).print(table)
    return {"debtors": debtors, "pages": rows, "missed": sum(not row["holds"] for row in rows)}


def main() -> None:
    """Measure one size."""
    with scratch() as place:
        print(json.dumps(measure(place, int(sys.argv[1]), float(sys.argv[2]))))


if __name__ == "__main__":
    main()
