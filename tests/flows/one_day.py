"""Runs the town's Tuesday in a process of its own, once it is told to: `python -m tests.flows.one_day`."""

import sys

from flows.daily import daily
from tests.flows.town import CODE, NOW, TUESDAY

if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    state = daily(creditor=CODE, as_of=TUESDAY, at=NOW, return_state=True)
    sys.exit(0 if state.is_completed() else 1)
