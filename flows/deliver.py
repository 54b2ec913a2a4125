"""What waits in the outbox of a creditor, sent."""

from datetime import datetime
from typing import Any

from prefect import State, flow

from flows import steps
from flows.workplace import instant


@flow(name="deliver", flow_run_name="{creditor}", persist_result=False)
def deliver(creditor: str, at: datetime | None = None) -> State[Any]:
    """Send what waits, within each message's window, as of the creditor's business date. It ends as its task does.

    Args:
        creditor: Code of the creditor.
        at: Instant that the run speaks for; empty: now.
    """
    return steps.deliver(creditor, steps.business_date(creditor), instant(at))
