"""The whole day of a creditor: the work of `tasks.day.run_day`, in the same order, with retries and in sight of all."""

from datetime import date, datetime
from typing import Any

from prefect import State, flow
from prefect.futures import wait

from flows import steps
from flows.journey import journey
from flows.workplace import engine, instant, looking, one_heart
from maatpak.kernel.clock import stopwatch
from tasks.day import acting_instant, leaving_instant


@flow(name="daily", flow_run_name="{creditor}", persist_result=False)
def daily(creditor: str, as_of: date | None = None, at: datetime | None = None) -> list[State[Any]]:
    """Settle, decide, act, send and reckon. A shard, a segment, a list or a service that fails holds up no other.

    Args:
        creditor: Code of the creditor.
        as_of: Business date; empty: today where the creditor is, or its own date if that is later.
        at: Instant that the run speaks for; empty: now.
    """
    now = instant(at)  # one for the whole day: what is recorded meanwhile must not look as if a tick had seen it
    elapsed = stopwatch()
    day = as_of or steps.date_for(creditor, now)
    steps.begin(creditor, day, now)
    steps.settle(creditor, day, now)
    with looking(), one_heart():
        ticks = [steps.decide.submit(creditor, day, now, shard) for shard in range(engine().settings.shards)]
        wait(ticks)
        lists = [steps.stand.submit(creditor, day, shard) for shard in range(len(ticks))]
        due = steps.journeys(creditor)
        resting = steps.resting(creditor, [each.segment for each in due])
        acts = [
            journey(creditor, each.segment, each.pack_id, day, each.shard, acting_instant(now), return_state=True)
            for each in due
            if each.segment not in resting
        ]
        sent = steps.deliver(creditor, day, leaving_instant(day, now), elapsed, return_state=True)
        wait(lists)
        told = steps.figures(creditor, day, leaving_instant(day, now), return_state=True)
    return [*(tick.state for tick in ticks), *(standing.state for standing in lists), *acts, sent, told]
