"""One segment's journey for one pack version and shard: a run whose graph is the journey's."""

from datetime import date, datetime
from typing import Any

from prefect import State, allow_failure, flow
from prefect.futures import PrefectFuture, wait

from flows.steps import cohort
from flows.workplace import engine, instant


@flow(name="journey", flow_run_name="{creditor} {segment} pack {pack_id} shard {shard} {as_of}", persist_result=False)
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
    for step in engine().pack(pack_id).journeys[segment].steps.values():
        named = cohort.with_options(name=step.name, task_run_name=step.name, tags=[step.kind, step.stage])
        runs[step.name] = named.submit(
            *(creditor, segment, pack_id, step.name, as_of, now, shard),
            wait_for=[allow_failure(runs[before]) for before in step.after],
        )
    wait(list(runs.values()))
    return [run.state for run in runs.values()]
