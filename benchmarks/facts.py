"""All facts against the bare reading of the columns that they are made of.

Run as `python -m benchmarks.facts --debtors 200000`: prints one line of JSON. `over_raw_read` is what the counting
costs beside the reading; `--runs` sets how often both are done in turn.
"""

import argparse
import json

from benchmarks.measure import alternate, peak_memory, timed
from benchmarks.population import AS_OF, KNOWN_AT, populate
from benchmarks.raw import READS
from benchmarks.scratch import scratch
from maatpak.ledger.database import Database
from tasks.facts import build_facts

CREDITOR = 1
PREPARED = "facts"


def facts(database: Database, seconds: list[float]) -> None:
    """Everything that a decision is made from."""
    with database.frames(read_only=True) as frames, timed(seconds):
        build_facts(frames, CREDITOR, AS_OF, KNOWN_AT)


def reading(database: Database, seconds: list[float]) -> None:
    """The same columns, and nothing done with them."""
    with database.frames(read_only=True) as frames, timed(seconds):
        for query in READS.values():
            frames.read(query)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debtors", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with scratch() as server:
        server.prepare(PREPARED, lambda database: populate(database, given.debtors))
        with server.copy(PREPARED) as database:
            facts(database, [])
            taken = alternate(
                {
                    "facts": lambda seconds: facts(database, seconds),
                    "raw_read": lambda seconds: reading(database, seconds),
                },
                given.runs,
            )
    result = {
        "debtors": given.debtors,
        "facts_seconds": round(taken["facts"], 4),
        "raw_read_seconds": round(taken["raw_read"], 4),
        "over_raw_read": round(taken["facts"] / taken["raw_read"], 2),
        "microseconds_a_debtor": round(taken["facts"] / given.debtors * 1e6, 2),
        "peak_memory": peak_memory(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
