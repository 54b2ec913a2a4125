"""What comes in by mail."""

from datetime import datetime

from prefect import flow

from flows import steps
from flows.workplace import instant


@flow(name="receive", persist_result=False)
def receive(at: datetime | None = None) -> None:
    """Take in what lies in the mailbox: reports, replies, complaints.

    Args:
        at: Instant that the run speaks for; empty: now.
    """
    steps.receive(instant(at))
