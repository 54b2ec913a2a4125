"""What comes in by mail."""

from datetime import datetime
from typing import Any

from prefect import State, flow

from flows import steps
from flows.workplace import instant


@flow(name="receive", persist_result=False)
def receive(at: datetime | None = None) -> State[Any]:
    """Take in what lies in the mailbox: reports, replies, complaints. It ends as its task does.

    Args:
        at: Instant that the run speaks for; empty: now.
    """
    return steps.receive(instant(at))
