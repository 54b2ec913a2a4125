"""What Prefect itself takes of a daily run: its runs, states, logs and artifacts, beside the work they are about.

Run as `python -m benchmarks.flows DEBTORS`: prints one line of JSON. The work is what passes through
`flows.workplace.discreet`; all the rest of the run's time is Prefect's.
"""

import json
import socket
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import RUNS, peak_memory
from benchmarks.scratch import Scratch, scratch
from benchmarks.tick import DAY, INSTANT, PREPARED, fill
from deployments.environment import speaking_with
from deployments.stack import prefect_server
from maatpak.kernel.settings import Settings


def measure(place: Scratch, debtors: int) -> dict[str, float]:
    """Median seconds of a daily run, of the work in it, and of Prefect."""
    place.prepare(PREPARED, lambda database: fill(database, debtors))
    settings = Settings(workspace=place.folder / "prefect", prefect_port=_free_port())
    with prefect_server(settings) as (url, _), speaking_with(settings, url):
        runs = [_one_day(place) for _ in range(RUNS)]
    return {
        "debtors": debtors,
        "daily": statistics.median(daily for daily, _, _ in runs),
        "work": statistics.median(work for _, work, _ in runs),
        "prefect": statistics.median(daily - work for daily, work, _ in runs),
        "task_runs": runs[0][2],
        "peak_memory": peak_memory(),
    }


def _one_day(place: Scratch) -> tuple[float, float, int]:
    """Seconds of the whole run, seconds of work in it, and how many pieces the work had."""
    from flows import steps
    from flows.daily import daily
    from flows.workplace import discreet, lent

    pieces: list[float] = []

    def timed(title: str, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return discreet(title, work, *args, **kwargs)
        finally:
            pieces.append(time.perf_counter() - started)

    with place.engine(PREPARED) as engine, lent(engine):
        code = _creditor(engine)
        vars(steps)["discreet"] = timed
        try:
            started = time.perf_counter()
            state = daily(creditor=code, as_of=DAY, at=INSTANT, return_state=True)
            taken = time.perf_counter() - started
        finally:
            vars(steps)["discreet"] = discreet
    if not state.is_completed():
        raise SystemExit(f"The daily run ended as {state.type}: {state.message}")
    return taken, sum(pieces), len(pieces)


def _creditor(engine: Any) -> str:
    with engine.database.frames(read_only=True) as frames:
        return str(frames.read("SELECT code FROM creditor").item())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Measure one size."""
    with scratch() as place:
        print(json.dumps(measure(place, int(sys.argv[1]))))


if __name__ == "__main__":
    main()
