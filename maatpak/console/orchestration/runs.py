"""Flow runs as Prefect knows them: a page of them, and one with its tasks, its inner runs and what it reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.report import Report, read_report
from maatpak.console.orchestration.asking import answer, as_id, page_of, require_of
from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import FlowRun, TaskRun
    from prefect.client.schemas.responses import DeploymentResponse

    from maatpak.console.orchestration.deployments import Deployment

STATES = ("SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLING", "CANCELLED", "PAUSED")
"""What a run may be, in Prefect's words."""
MOST = 200
"""Rows that Prefect gives at a time."""
AGAIN = ("FAILED", "CRASHED", "CANCELLED")
"""From which a run may be tried again."""


@dataclass(frozen=True)
class Run:
    """One flow run."""

    run_id: str
    name: str
    flow: str
    """Name of the flow, such as `daily`."""
    creditor: str | None
    """Code; None for what is done for all creditors at once."""
    deployment_id: str | None
    """None for a run inside another."""
    state: str
    """One of `STATES`."""
    state_name: str
    """The same more exactly, such as `Late` or `AwaitingRetry`."""
    message: str
    """Counts and codes; empty where nothing was said."""
    expected_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float
    """How long it ran, or has run so far."""
    retryable: bool
    link: str | None
    """Its page at Prefect's own."""


@dataclass(frozen=True)
class RunPage:
    """Some of the runs, the youngest first."""

    runs: tuple[Run, ...]
    total: int
    next_offset: int | None
    """Where the next page begins; None on the last."""


@dataclass(frozen=True)
class TaskOfRun:
    """One task run: a step of a journey for its whole cohort, or a part of a day."""

    name: str
    state: str
    message: str
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float


@dataclass(frozen=True)
class RunDetail:
    """One run and all that is inside."""

    run: Run
    parameters: Mapping[str, str]
    """As text: codes, ids and dates."""
    tasks: tuple[TaskOfRun, ...]
    """In the order in which they began; those inside inner runs are told there."""
    inner: tuple[Run, ...]
    reports: tuple[Report, ...]
    """What its tasks reported, in order."""


@dataclass(frozen=True)
class RunFilter:
    """Which runs; empty fields: all."""

    creditor: str | None = None
    flow: str | None = None
    deployment_id: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Both by the time at which it was to start; runs still to come are left out unless asked for by state."""


def read_runs(
    deployments: "Sequence[Deployment]", wanted: RunFilter, now: datetime, *, offset: int = 0, limit: int = 50
) -> RunPage:
    """Runs of some of these deployments, the youngest first.

    Raises:
        OutsideError: Prefect does not answer within 3 s.
        UsageError: there is no such state.
    """
    from prefect.client.schemas.sorting import FlowRunSort

    if wanted.state is not None and wanted.state not in STATES:
        raise UsageError(f"There is no state {wanted.state!r}.", advice=f"There are: {', '.join(STATES)}.")
    flows = {each.deployment_id: each.flow for each in deployments if _is_wanted(wanted, each)}

    def ask(client: "SyncPrefectClient") -> RunPage:
        which = _as_filter(list(flows), wanted, now)
        latest = FlowRunSort.EXPECTED_START_TIME_DESC
        found = client.read_flow_runs(flow_run_filter=which, sort=latest, limit=min(limit, MOST), offset=offset)
        total = client.count_flow_runs(flow_run_filter=which)
        reached = offset + len(found)
        runs = tuple(as_run(each, flows[str(each.deployment_id)]) for each in found)
        return RunPage(runs, total, reached if found and reached < total else None)

    return answer(ask) if flows else RunPage((), 0, None)


def read_run(codes: Sequence[str], run_id: str) -> RunDetail:
    """One run of these creditors, or of all together.

    Raises:
        OutsideError: Prefect does not answer within 3 s.
        MissingError: there is no such run.
    """
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterParentFlowRunId
    from prefect.client.schemas.sorting import FlowRunSort

    id_ = as_id(run_id, "run")

    def ask(client: "SyncPrefectClient") -> RunDetail:
        run = visible_run(client, codes, run_id)
        of_it = FlowRunFilter(id=FlowRunFilterId(any_=[id_]))
        inside = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[id_]))
        inner = client.read_flow_runs(flow_run_filter=inside, sort=FlowRunSort.START_TIME_ASC, limit=MOST)
        names = {each.id: each.name for each in client.read_flows(limit=MOST)}
        tasks = sorted(client.read_task_runs(flow_run_filter=of_it, limit=MOST), key=_began)
        reported = client.read_artifacts(flow_run_filter=of_it, limit=MOST)
        return RunDetail(
            run=as_run(run, names.get(run.flow_id, "")),
            parameters={name: str(value) for name, value in run.parameters.items() if value is not None},
            tasks=tuple(_as_task(each) for each in tasks if each.state_type is not None and not _is_run(each)),
            inner=tuple(as_run(each, names.get(each.flow_id, "")) for each in inner),
            reports=tuple(read_report(str(each.data)) for each in sorted(reported, key=lambda one: str(one.created))),
        )

    return answer(ask)


def visible_run(client: "SyncPrefectClient", codes: Sequence[str], run_id: str) -> "FlowRun":
    """The run, if it is of one of the creditors or of all together.

    Raises:
        MissingError: there is no such run.
    """
    run = client.read_flow_run(as_id(run_id, "run"))
    require_of(codes, run.parameters, f"run {run_id}")
    return run


def all_deployments(client: "SyncPrefectClient") -> "list[DeploymentResponse]":
    """Every deployment that Prefect knows."""
    found = part = client.read_deployments(limit=MOST)
    while len(part) == MOST:
        part = client.read_deployments(limit=MOST, offset=len(found))
        found = [*found, *part]
    return found


def flow_of(entrypoint: str | None) -> str:
    """The name of the flow at a module path: ours are called like their functions."""
    return (entrypoint or "").rpartition(".")[2]


def as_run(run: "FlowRun", flow: str) -> Run:
    """A run of Prefect's as ours."""
    state = run.state_type.value if run.state_type is not None else "PENDING"
    return Run(
        run_id=str(run.id),
        name=run.name,
        flow=flow,
        creditor=run.parameters.get("creditor"),
        deployment_id=str(run.deployment_id) if run.deployment_id is not None else None,
        state=state,
        state_name=run.state_name or state.title(),
        message=(run.state.message if run.state is not None else None) or "",
        expected_at=run.expected_start_time,
        started_at=run.start_time,
        ended_at=run.end_time,
        seconds=run.estimated_run_time.total_seconds(),
        retryable=state in AGAIN and run.deployment_id is not None,
        link=page_of("flow-run", run.id),
    )


def newest_of(
    client: "SyncPrefectClient", deployment_ids: Iterable[str], *, coming: bool = False
) -> dict[str, "FlowRun"]:
    """The last run that began of each deployment, or the first that is to come; none where there is none."""
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort

    sort = FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC if coming else FlowRunSort.START_TIME_DESC
    found: dict[str, FlowRun] = {}
    missing = set(deployment_ids)
    while missing:
        ids = FlowRunFilterDeploymentId(any_=[as_id(each, "deployment") for each in missing])
        which = FlowRunFilter(deployment_id=ids, start_time=FlowRunFilterStartTime(is_null_=False))
        if coming:
            scheduled = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
            which = FlowRunFilter(deployment_id=ids, state=scheduled)
        runs = client.read_flow_runs(flow_run_filter=which, sort=sort, limit=MOST)
        for each in runs:
            found.setdefault(str(each.deployment_id), each)
        missing = missing - found.keys() if len(runs) == MOST else set()
    return found


def _is_wanted(wanted: RunFilter, deployment: "Deployment") -> bool:
    return (
        wanted.creditor in {None, deployment.creditor}
        and wanted.flow in {None, deployment.flow}
        and wanted.deployment_id in {None, deployment.deployment_id}
    )


def _as_filter(deployment_ids: Sequence[str], wanted: RunFilter, now: datetime) -> "FlowRunFilter":
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    until = wanted.until or (None if wanted.state == "SCHEDULED" else now)
    told: dict[str, Any] = {
        "deployment_id": FlowRunFilterDeploymentId(any_=[as_id(each, "deployment") for each in deployment_ids]),
        "expected_start_time": FlowRunFilterExpectedStartTime(after_=wanted.since, before_=until),
    }
    if wanted.state is not None:
        told["state"] = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType(wanted.state)]))
    return FlowRunFilter(**told)


def _began(task: "TaskRun") -> tuple[bool, str]:
    return task.start_time is None, str(task.start_time or task.expected_start_time)


def _is_run(task: "TaskRun") -> bool:
    """Whether it stands for an inner run."""
    return task.state is not None and task.state.state_details.child_flow_run_id is not None


def _as_task(task: "TaskRun") -> TaskOfRun:
    return TaskOfRun(
        name=task.name,
        state=task.state_type.value if task.state_type is not None else "PENDING",
        message=(task.state.message if task.state is not None else None) or "",
        started_at=task.start_time,
        ended_at=task.end_time,
        seconds=task.estimated_run_time.total_seconds(),
    )
