"""One segment's journey for one pack version and shard: a run whose graph is the journey's.

Steps run one at a time, in the journey's order: what a customer may still get today depends on what just went.
"""

from datetime import date, datetime
from functools import cache
from typing import Any

from prefect import State, allow_failure, flow

from flows.steps import step
from flows.workplace import engine, instant


@flow(
    name="journey",
    flow_run_name="{creditor} {segment} pack {pack_id} shard {shard} {as_of}",
    persist_result=False,
)
def journey(
    creditor: str, segment: str, pack_id: int, as_of: date, shard: int = 0, at: datetime | None = None
) -> list[State[Any]]:
    """Act on what was decided and approved: one task a step, with the step's name, for its whole cohort.

    Args:
        creditor: Code of the creditor.
        segment: Segment whose journey it is.
        pack_id: Version of the policy pack that the cases follow.
        as_of: Business date, the creditor's own.
        shard: Which of the shards.
        at: Instant that the run speaks for; empty: now.
    """
    now = instant(at)
    done: dict[str, State[Any]] = {}
    for each in engine().pack(pack_id).journeys[segment].steps.values():
        before = [allow_failure(done[name]) for name in each.after]
        cohort = (creditor, segment, pack_id, each.name, as_of, now, shard)
        done[each.name] = _named(each.name)(*cohort, wait_for=before, return_state=True)
    return list(done.values())


@cache
def _named(name: str) -> Any:
    """The task of a step; to make one, Prefect reads and parses its source."""
    return step.with_options(name=name, task_run_name=name)
