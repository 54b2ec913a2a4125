"""One segment of a creditor: a journey run for each pack version and shard that has something to act on."""

from datetime import date, datetime
from typing import Any

from prefect import State, flow

from flows.journey import journey
from flows.steps import business_date, cohorts
from flows.workplace import instant


@flow(name="segment", flow_run_name="{creditor} {segment}", persist_result=False)
def segment(creditor: str, segment: str, at: datetime | None = None) -> list[State[Any]]:
    """Act on what was approved since the creditor's day began.

    Args:
        creditor: Code of the creditor.
        segment: Which of its segments.
        at: Instant that the run speaks for; empty: now.
    """
    now = instant(at)
    day = business_date(creditor)
    return [
        journey(creditor, each.segment, each.pack_id, day, each.shard, now, return_state=True)
        for each in cohorts(creditor, day, [segment])
    ]
