"""A decision goes on within seconds: what was approved is done, and what follows from what was recorded is decided."""

from datetime import date, datetime
from typing import Any

from prefect import State, flow
from prefect.futures import wait

from flows import steps
from flows.journey import journey
from flows.workplace import engine, instant, looking, one_heart
from tasks.day import acting_instant, leaving_instant


@flow(name="onward", persist_result=False)
def onward(creditor: str, at: datetime | None = None) -> list[State[Any]]:
    """Act on what was approved and send it, decide every case afresh, and act on that. It never begins a day.

    Args:
        creditor: Code of the creditor.
        at: Instant that the run speaks for; empty: now.
    """
    day = steps.business_date(creditor)
    with one_heart():
        at_once = [*_acts(creditor, day, instant(at)), _sent(creditor, day, instant(at))]
        # An instant of its own: this look sees what has just been done.
        now = instant(at)
        with looking():
            ticks = [steps.decide.submit(creditor, day, now, shard) for shard in range(engine().settings.shards)]
            wait(ticks)
            then = _acts(creditor, day, acting_instant(now))
            sent = [_sent(creditor, day, leaving_instant(day, now))] if then else []
    return [*at_once, *(tick.state for tick in ticks), *then, *sent]


def _acts(creditor: str, day: date, now: datetime) -> list[State[Any]]:
    """The journeys that have something to act on; none of a segment that rests."""
    due = steps.journeys(creditor)
    resting = steps.resting(creditor, [each.segment for each in due]) if due else []
    return [
        journey(creditor, each.segment, each.pack_id, day, each.shard, now, return_state=True)
        for each in due
        if each.segment not in resting
    ]


def _sent(creditor: str, day: date, now: datetime) -> State[Any]:
    return steps.deliver(creditor, day, now, return_state=True)
