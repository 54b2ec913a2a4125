"""`make bench`: everything that is measured, with the bar that it must hold.

Every measurement is a process of its own, so that none profits from another's warmth and each has its own peak of
memory. Figures are medians of five alternating runs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from deployments.environment import LEAN

SMALL, LARGE = 10_000, 200_000
GIGABYTE = 10**9
MAILS, TEXTS, LETTERS = 6_000, 6_000, 600
NEAR = 0.02
"""Seconds: what a request to a service takes at least."""
QUEUED = 100_000
LOOKING = 120
"""Seconds of load on the console."""
FEW, MANY = 10_000, 20_000


@dataclass(frozen=True)
class Line:
    """One figure."""

    what: str
    figure: str
    bar: str = ""
    holds: bool | None = None


def measured(module: str, *arguments: object) -> dict[str, Any]:
    """What a benchmark module prints as its last line; it has the memory settings of a served flow."""
    command, environment = [sys.executable, "-m", module, *map(str, arguments)], {**LEAN, **os.environ}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{module} failed:\n{run.stdout}\n{run.stderr}")
    result: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return result


def ticks() -> list[Line]:
    """The tick against bare input and output, its growth, its memory, and the obvious loop."""
    small, large = measured("benchmarks.tick", SMALL), measured("benchmarks.tick", LARGE)
    objects = measured("benchmarks.objects", SMALL)
    growth = large["us_a_debtor"] / small["us_a_debtor"]
    return [
        Line(
            f"tick, {LARGE:,} debtors, {large['open_items']:,} open items",
            f"{large['tick']:.2f} s; raw {large['raw']:.2f} s; {large['acting']:.0%} acting; {large['written']:,} rows",
        ),
        Line("tick_over_raw_io", f"{large['ratio']:.2f}", "≤ 2.0", large["ratio"] <= 2.0),
        Line(f"µs a debtor at {SMALL:,}", f"{small['us_a_debtor']:.1f}"),
        Line(f"µs a debtor at {LARGE:,}", f"{large['us_a_debtor']:.1f}"),
        Line("growth of µs a debtor", f"{growth:.2f} ×", "≤ 1.2 ×", growth <= 1.2),
        _memory("peak memory, tick", large),
        Line(
            "obvious loop with ORM objects",
            f"{objects['us_a_debtor']:.0f} µs a debtor, {objects['us_a_debtor'] / small['us_a_debtor']:.0f} × the tick",
        ),
    ]


def intake() -> list[Line]:
    """A million rows through the gate, good ones and bad ones; memory of a worker that imports again and again."""
    result = measured("benchmarks.intake")
    return [
        Line("intake, 1,000,000 rows", f"{result['good']:.1f} s", "≤ 60 s", result["good"] <= 60),
        Line("intake, every row fails three rules", f"{result['bad']:.1f} s", "≤ 60 s", result["bad"] <= 60),
        Line(
            "memory after 30 imports over after 3", f"{result['growth_mb']:.0f} MB", "≤ 50", result["growth_mb"] <= 50
        ),
        _memory("peak memory, intake", result),
    ]


def flows() -> list[Line]:
    """What Prefect itself takes of a daily run."""
    result = measured("benchmarks.flows", SMALL)
    share = result["prefect"] / result["daily"]
    return [Line(f"Prefect's share of a daily run, {SMALL:,} debtors", f"{share:.0%} of {result['daily']:.1f} s")]


def sending() -> list[Line]:
    """Mails, texts and letters beside the bare clients; queueing; and the sender's memory."""
    lines = []
    for connections in (1, 4, 16):
        mails = measured("benchmarks.sending", "email", MAILS, connections)
        lines.append(_ratio(f"mails over {connections} connections over the bare client", mails, 0.8))
        lines.append(Line("a mail written and queued by the act step", f"{mails['written_ms']:.1f} ms"))
    for what, *away in (("a simulator that answers at once",), ("one that takes as long as a near service", NEAR)):
        texts = measured("benchmarks.sending", "sms", TEXTS, 4, *away)
        lines.append(_ratio(f"texts over the bare client, to {what}", texts, 0.8))
    for cores, least in ((1, 0.8), (2, 1.7)):
        letters = measured("benchmarks.sending", "post", LETTERS, cores)
        lines.append(_ratio(f"letters on {cores} cores over the bare compiler", letters, least))
    queue = measured("benchmarks.queueing", QUEUED, FEW, MANY)
    growth = (queue["many"] - queue["few"]) / 10**6
    return [
        *lines,
        Line(f"queueing {QUEUED:,} messages", f"{queue['queueing']:.1f} s", "≤ 30 s", queue["queueing"] <= 30),
        Line(f"memory after {MANY:,} mails over after {FEW:,}", f"{growth:.0f} MB", "≤ 20", growth <= 20),
    ]


def _ratio(what: str, result: dict[str, Any], least: float) -> Line:
    figure = f"{result['ratio']:.2f} × ({result['ours']:.0f} and {result['bare']:.0f} a second)"
    return Line(what, figure, f"≥ {least} ×", result["ratio"] >= least)


def _memory(what: str, result: dict[str, Any]) -> Line:
    peak = result["peak_memory"] / GIGABYTE
    return Line(what, f"{peak:.2f} GB", "≤ 2 GB", peak <= 2)


def console_pages() -> list[Line]:
    """The console's pages while twenty people look at them."""
    result = measured("benchmarks.pages", LARGE, LOOKING)
    pages = result["pages"]
    median, high = max(page["median"] for page in pages), max(page["high"] for page in pages)
    queries, weight = max(page["queries"] for page in pages), max(page["bytes"] for page in pages)
    return [
        Line("the slowest page at the median, 20 users", f"{median * 1000:.0f} ms", "≤ 150 ms", median <= 0.15),
        Line("the slowest page of 95 in 100", f"{high * 1000:.0f} ms", "≤ 400 ms", high <= 0.4),
        Line("queries of a page", str(queries), "≤ 15", queries <= 15),
        Line("weight of a page", f"{weight / 1000:.0f} kB", "≤ 200 kB", weight <= 200_000),
        Line(f"pages of {len(pages)} that miss one of these", str(result["missed"])),
    ]


GROUPS = {"pages": console_pages, "tick": ticks, "intake": intake, "flows": flows, "sending": sending}


def main(chosen: Sequence[str]) -> int:
    """Measure and print; the number of bars that do not hold."""
    table = Table("what", "figure", "bar", "", title="Medians of 5 alternating runs", title_justify="left")
    console, missed = Console(), 0
    for name in chosen or list(GROUPS):
        console.print(f"measuring {name} …")
        for line in GROUPS[name]():
            missed += line.holds is False
            verdict = {True: "holds", False: "[red]does not hold[/red]", None: ""}[line.holds]
            table.add_row(line.what, line.figure, line.bar, verdict)
    console.print(table)
    return missed


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
