"""One segment of a creditor: a journey run for each pack version and shard that has something to act on."""

from datetime import datetime
from typing import Any

from prefect import State, flow

from flows import steps
from flows.journey import journey
from flows.workplace import instant, one_heart


@flow(name="segment", flow_run_name="{creditor} {segment}", persist_result=False)
def segment(creditor: str, segment: str, at: datetime | None = None) -> list[State[Any]]:
    """Act on what was approved since the creditor's day began.

    Args:
        creditor: Code of the creditor.
        segment: Which of its segments.
        at: Instant that the run speaks for; empty: now.
    """
    day = steps.business_date(creditor)
    with one_heart():
        return [
            journey(creditor, due.segment, due.pack_id, day, due.shard, instant(at), return_state=True)
            for due in steps.journeys(creditor, [segment])
        ]
