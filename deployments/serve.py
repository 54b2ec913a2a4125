"""Registers the table of deployments with Prefect and serves them: takes up due runs, each in a process of its own.

A deployment that Prefect already knows keeps what people changed there: its pause, its schedules, its parameters, its
concurrency limit and their tags. Run as a module, as a child of `maatpak up` (deployments/stack.py).
"""

import asyncio
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import State, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from deployments.children import end_with_parent
from deployments.table import Planned, table
from maatpak.kernel.settings import load_settings
from tasks.engine import open_engine

RUNS_AT_ONCE = 4
POLL_SECONDS = 5.0
FIRST_SCHEDULE = "table"
THEIRS = frozenset({"schedules", "paused", "parameters", "tags", "concurrency_limit", "concurrency_options"})
"""What people may change on Prefect's page, and we say only once."""

DEAD = "Its process was killed. What it had done stands, and the next run goes on from there."


async def as_deployment(planned: Planned, *, known: bool) -> RunnerDeployment:
    """What to tell Prefect of a deployment: all of it when it is new, else only what is ours to say."""
    first = Cron(planned.cron, timezone=planned.time_zone, slug=FIRST_SCHEDULE) if planned.cron else None
    told = await flow_at(planned.flow).ato_deployment(
        name=planned.name,
        description=planned.description,
        parameters=dict(planned.parameters),
        tags=list(planned.tags),
        schedule=None if known else first,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    if known:
        # Only fields that count as set are sent. Sent empty, they would wipe out what people set.
        told.model_fields_set.difference_update(THEIRS)
    return told


def flow_at(path: str) -> Flow[..., Any]:
    """The flow at a module path."""
    module, _, name = path.rpartition(".")
    flow = getattr(importlib.import_module(module), name)
    assert isinstance(flow, Flow)
    return flow


async def register(runner: Runner, planned: Sequence[Planned]) -> list[str]:
    """Make Prefect know the deployments, and the runner serve them; their full names."""
    names = []
    async with get_client() as client:
        for each in planned:
            name = f"{flow_at(each.flow).name}/{each.name}"
            await runner.aadd_deployment(await as_deployment(each, known=await _knows(client, name)))
            names.append(name)
    return names


async def _knows(client: PrefectClient, name: str) -> bool:
    try:
        await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return False
    return True


async def close_dead_runs() -> None:
    """Mark what an earlier `up` was running when it was killed: no process of it is left."""
    alive = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    async with get_client() as client:
        while runs := await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=alive)), limit=200
        ):
            for run in runs:
                dead: State[Any] = Crashed(message=DEAD)
                await client.set_flow_run_state(run.id, dead, force=True)


async def serve(planned: Sequence[Planned], ready: Path, *, server_is_ours: bool) -> None:
    """Register and serve until we are asked to end; `ready` appears when runs are taken up."""
    stop = asyncio.Event()
    runner = Runner(name="maatpak", pause_on_shutdown=False, limit=RUNS_AT_ONCE, query_seconds=POLL_SECONDS)
    if server_is_ours:
        await close_dead_runs()
    names = await register(runner, planned)
    serving = asyncio.create_task(runner.start())
    while not (runner.started or serving.done()):
        await asyncio.sleep(0.05)
    # The runner has set its own handler for the signal by now; ours lets running flows end before it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ready.write_text("\n".join(names))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, asked], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if runner.started:
        await runner.astop()
    await serving


def main() -> None:
    """Serve the workspace's deployments until the parent ends us or is gone."""
    end_with_parent()
    ready, server_is_ours = Path(sys.argv[1]), sys.argv[2] == "own"
    engine = open_engine(load_settings())
    try:
        planned = table(engine)
    finally:
        engine.close()
    asyncio.run(serve(planned, ready, server_is_ours=server_is_ours))


if __name__ == "__main__":
    main()
