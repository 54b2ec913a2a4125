"""One segment's journey for one pack version and shard: a run whose graph is the journey's."""

from datetime import date, datetime
from typing import Any, cast

from prefect import State, allow_failure, flow
from prefect.futures import PrefectFuture, wait
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.steps import step
from flows.workplace import engine, instant

ONE_AT_A_TIME = cast(TaskRunner[PrefectFuture[Any]], ThreadPoolTaskRunner(max_workers=1))
"""Steps run in the journey's order: what a customer may still get today depends on what just went."""


@flow(
    name="journey",
    flow_run_name="{creditor} {segment} pack {pack_id} shard {shard} {as_of}",
    task_runner=ONE_AT_A_TIME,
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
    runs: dict[str, PrefectFuture[Any]] = {}
    for each in engine().pack(pack_id).journeys[segment].steps.values():
        named = step.with_options(name=each.name, task_run_name=each.name, tags=[each.kind, each.stage])
        cohort = (creditor, segment, pack_id, each.name, as_of, now, shard)
        before = [allow_failure(runs[name]) for name in each.after]
        runs[each.name] = named.submit(*cohort, wait_for=before, return_state=False)
    wait(list(runs.values()))
    return [run.state for run in runs.values()]
