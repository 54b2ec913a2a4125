"""All deployments with their newest runs, as one picture that visitors share for some seconds.

Asking Prefect costs several calls, and a page must not wait for them each time; a Prefect that does not answer is not
asked by one visitor after the other, either.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from maatpak.console.orchestration.asking import answer, as_id
from maatpak.console.orchestration.deployments import Deployment, told
from maatpak.console.orchestration.runs import MOST, Run, all_deployments, as_run, flow_of, newest_of
from maatpak.kernel.errors import OutsideError

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

KEPT_FOR = 4.0
"""Seconds for which a picture is shown again. An act of this process ends it at once."""
STILL_SHOWN = 30.0
"""Seconds for which it may be shown to others while one visitor's page asks for the next."""
NEWEST = 8
"""Runs that are shown."""
LATELY = timedelta(days=3)
"""In which failed runs are of interest."""


@dataclass(frozen=True)
class Overview:
    """What runs, as of some seconds ago at most."""

    deployments: tuple[Deployment, ...] = ()
    """By creditor and name; those that all share come first."""
    runs: tuple[Run, ...] = ()
    """That began, the youngest first."""
    failed: tuple[Run, ...] = ()
    """Of the last days, not tried again yet, the youngest first."""


@dataclass
class _Picture:
    """The last answer, or why there is none."""

    lock: Lock = field(default_factory=Lock)
    """Held by who asks."""
    at: float | None = None
    """On the monotonic clock; None: it does not count."""
    seen: Overview | OutsideError = field(default_factory=Overview)


_PICTURE = _Picture()


def read_overview(codes: Sequence[str], now: datetime) -> Overview:
    """The deployments of these creditors and those that all share, with their newest and their failed runs.

    Raises:
        OutsideError: Prefect does not answer within 3 s.
    """
    if not _younger_than(KEPT_FOR) and _PICTURE.lock.acquire(blocking=not _younger_than(STILL_SHOWN)):
        try:
            if not _younger_than(KEPT_FOR):
                _take(now)
        finally:
            _PICTURE.lock.release()
    seen = _PICTURE.seen
    if isinstance(seen, OutsideError):
        raise type(seen)(seen.message, advice=seen.advice)
    visible = {None, *codes}
    return Overview(
        tuple(each for each in seen.deployments if each.creditor in visible),
        tuple(each for each in seen.runs if each.creditor in visible)[:NEWEST],
        tuple(each for each in seen.failed if each.creditor in visible),
    )


def look_again() -> None:
    """Something was changed: the next page asks Prefect afresh."""
    with _PICTURE.lock:
        _PICTURE.at = None


def _younger_than(seconds: float) -> bool:
    at = _PICTURE.at
    return at is not None and time.monotonic() < at + seconds


def _take(now: datetime) -> None:
    try:
        _PICTURE.seen = answer(lambda client: _ask(client, now))
    except OutsideError as error:
        _PICTURE.seen = error
    _PICTURE.at = time.monotonic()


def _ask(client: "SyncPrefectClient", now: datetime) -> Overview:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort

    found = all_deployments(client)
    if not found:
        return Overview()
    flows = {str(each.id): flow_of(each.entrypoint) for each in found}
    ids = FlowRunFilterDeploymentId(any_=[as_id(each, "deployment") for each in flows])
    began = FlowRunFilter(deployment_id=ids, start_time=FlowRunFilterStartTime(is_null_=False))
    newest = client.read_flow_runs(flow_run_filter=began, sort=FlowRunSort.START_TIME_DESC, limit=MOST)
    states = FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
    broken = FlowRunFilter(
        deployment_id=ids,
        state=FlowRunFilterState(type=states),
        expected_start_time=FlowRunFilterExpectedStartTime(after_=now - LATELY),
    )
    failed = client.read_flow_runs(flow_run_filter=broken, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=NEWEST)
    last = {str(each.deployment_id): each for each in reversed(newest)}
    if len(newest) == MOST:
        last |= newest_of(client, flows.keys() - last.keys())
    coming = newest_of(client, [str(each.id) for each in found if each.schedules and not each.paused], coming=True)
    deployments = [told(each, last.get(str(each.id)), coming.get(str(each.id))) for each in found]
    return Overview(
        tuple(sorted(deployments, key=lambda each: (each.creditor or "", each.name))),
        tuple(as_run(each, flows[str(each.deployment_id)]) for each in newest),
        tuple(as_run(each, flows[str(each.deployment_id)]) for each in failed),
    )
