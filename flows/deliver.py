"""What waits in the outbox of a creditor, sent."""

from datetime import datetime

from prefect import flow

from flows import steps
from flows.workplace import instant


@flow(name="deliver", flow_run_name="{creditor}", persist_result=False)
def deliver(creditor: str, at: datetime | None = None) -> None:
    """Send what waits, within each message's window, as of the creditor's business date.

    Args:
        creditor: Code of the creditor.
        at: Instant that the run speaks for; empty: now.
    """
    steps.deliver(creditor, steps.business_date(creditor), instant(at))
