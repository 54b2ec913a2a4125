"""Deployments as Prefect knows them: what runs when, whether it rests, what it did last and does next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from maatpak.console.orchestration.asking import answer, as_id, page_of, require_of
from maatpak.console.orchestration.cron import cron_in_words
from maatpak.console.orchestration.runs import Run, as_run, flow_of, newest_of

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import DeploymentSchedule, FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

SHOWN_NEXT = 5
"""Runs to come that one deployment shows."""
TITLES = {
    "daily": "The whole day",
    "deliver": "Delivery",
    "onward": "What people decided",
    "receive": "What comes in",
    "ingest": "Ledger import",
    "audit": "Proof of history",
}
"""Flow → what its deployment does."""


@dataclass(frozen=True)
class Schedule:
    """When a deployment runs by itself."""

    schedule_id: str
    words: str
    """`06:00 on weekdays`, without the zone."""
    cron: str | None
    """None where it is an interval or a rule; those are changed on Prefect's page."""
    time_zone: str
    active: bool


@dataclass(frozen=True)
class Deployment:
    """One deployment."""

    deployment_id: str
    name: str
    """In full, such as `segment/ACME-forgetful`."""
    title: str
    """What it does, in words."""
    flow: str
    creditor: str | None
    """Code; None: for all creditors."""
    segment: str | None
    description: str
    paused: bool
    schedules: tuple[Schedule, ...]
    """None: started by hand or by an event."""
    last: Run | None
    """The last that began."""
    next_at: datetime | None
    """When the first of those to come is to start."""
    link: str | None


@dataclass(frozen=True)
class DeploymentDetail:
    """One deployment, and when its next runs are to start."""

    deployment: Deployment
    next_at: tuple[datetime, ...]


def read_deployment(codes: Sequence[str], deployment_id: str) -> DeploymentDetail:
    """One of them.

    Raises:
        OutsideError: Prefect does not answer within 3 s.
        MissingError: there is no such deployment.
    """
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort

    def ask(client: "SyncPrefectClient") -> DeploymentDetail:
        found = visible_deployment(client, codes, deployment_id)
        scheduled = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[found.id]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        )
        first = FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC
        coming = client.read_flow_runs(flow_run_filter=scheduled, sort=first, limit=SHOWN_NEXT)
        at = tuple(each.next_scheduled_start_time for each in coming if each.next_scheduled_start_time is not None)
        last = newest_of(client, [str(found.id)]).get(str(found.id))
        return DeploymentDetail(told(found, last, coming[0] if coming else None), at)

    return answer(ask)


def visible_deployment(client: "SyncPrefectClient", codes: Sequence[str], deployment_id: str) -> "DeploymentResponse":
    """The deployment, if it works for one of the creditors or for all.

    Raises:
        MissingError: there is no such deployment.
    """
    found = client.read_deployment(as_id(deployment_id, "deployment"))
    require_of(codes, found.parameters, f"deployment {deployment_id}")
    return found


def full_name(deployment: "DeploymentResponse") -> str:
    """Its name with its flow's."""
    return f"{flow_of(deployment.entrypoint)}/{deployment.name}"


def told(deployment: "DeploymentResponse", last: "FlowRun | None", coming: "FlowRun | None") -> Deployment:
    """A deployment of Prefect's as ours."""
    flow = flow_of(deployment.entrypoint)
    segment = deployment.parameters.get("segment")
    return Deployment(
        deployment_id=str(deployment.id),
        name=full_name(deployment),
        title=TITLES.get(flow, deployment.name) if segment is None else f"Journeys of {segment}",
        flow=flow,
        creditor=deployment.parameters.get("creditor"),
        segment=segment,
        description=deployment.description or "",
        paused=deployment.paused,
        schedules=tuple(_as_schedule(each) for each in deployment.schedules),
        last=as_run(last, flow) if last is not None else None,
        next_at=coming.next_scheduled_start_time if coming is not None else None,
        link=page_of("deployment", deployment.id),
    )


def _as_schedule(each: "DeploymentSchedule") -> Schedule:
    schedule = each.schedule
    cron = getattr(schedule, "cron", None)
    interval = getattr(schedule, "interval", None)
    words = cron_in_words(cron) if cron else f"every {interval}" if interval else "by a rule"
    return Schedule(str(each.id), words, cron, getattr(schedule, "timezone", None) or "UTC", each.active)
