"""What runs when: deployments and runs as Prefect knows them, and what waits for people beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from maatpak.console.frame.asking import Asking
from maatpak.console.orchestration.asking import own_page
from maatpak.console.orchestration.deployments import Deployment, DeploymentDetail, read_deployment
from maatpak.console.orchestration.overview import Overview, read_overview
from maatpak.console.orchestration.runs import STATES, Run, RunDetail, RunFilter, read_run, read_runs
from maatpak.kernel.clock import SystemClock
from maatpak.kernel.errors import OutsideError, UsageError
from maatpak.kernel.words import Role

PATH = "/operations"
PAGE = 50
LATELY = timedelta(days=7)
"""In which refused imports are counted."""
FLOWS = ("daily", "segment", "onward", "deliver", "receive", "ingest", "audit")
WAITING = """
SELECT
  (SELECT count(*) FROM quarantined_row WHERE state = 'open' AND creditor_id = ANY(:creditors)) AS quarantined,
  (SELECT count(*) FROM message WHERE state = 'unknown' AND creditor_id = ANY(:creditors)) AS unknown,
  (SELECT count(*) FROM incoming WHERE state = 'unassigned') AS incoming,
  (SELECT count(*) FROM answer
   WHERE read_on IS NULL AND replaced_at IS NULL AND creditor_id = ANY(:creditors)) AS answers,
  (SELECT count(*) FROM work_task
   WHERE state = 'open' AND kind = 'repair' AND creditor_id = ANY(:creditors)) AS repairs,
  (SELECT count(*) FROM event
   WHERE kind = 'ledger_rejected' AND creditor_id = ANY(:creditors) AND recorded_at > :since) AS rejected,
  (SELECT count(*) FROM breaker WHERE open_until IS NOT NULL) AS resting
"""
PLACES = {
    "quarantined": ("Quarantined rows", "/quarantine", False),
    "unknown": ("Unknown messages", "/messages/unknown", False),
    "incoming": ("Unassigned mail", "/incoming", False),
    "answers": ("Unread answers", "/answers", False),
    "repairs": ("Addresses to find", "/work?kind=repair", False),
    "rejected": ("Refused imports, 7 days", "/imports/rejected", True),
    "resting": ("Channels at rest", PATH + "/channels", True),
}
"""What waits → its title, where it is, and whether administrators see it, too."""
OWN_CASES = 'SELECT id FROM "case" WHERE id = ANY(:cases) AND creditor_id = ANY(:creditors)'


@dataclass(frozen=True)
class Waiting:
    """Something that waits for people."""

    title: str
    count: int
    path: str


@dataclass(frozen=True)
class Group:
    """The deployments of one creditor, or of all together."""

    code: str | None
    name: str
    time_zone: str
    deployments: list[Deployment]


@dataclass(frozen=True)
class OperationsSheet:
    """What runs, what ran, and what waits for people."""

    trouble: str | None
    """Why nothing is told of what runs; None: all is."""
    advice: str
    waiting: list[Waiting]
    groups: list[Group]
    failed: list[Run]
    """Of the last three days, not tried again yet."""
    runs: list[Run]
    """The newest that began."""
    prefect: str | None
    """Address of Prefect's own page."""


@dataclass(frozen=True)
class DeploymentSheet:
    """One deployment."""

    deployment: Deployment
    next_at: list[datetime]
    time_zone: str
    """Of its creditor."""


@dataclass(frozen=True)
class RunsSheet:
    """A page of runs, the youngest first."""

    trouble: str | None
    advice: str
    runs: list[Run]
    total: int
    next_offset: int | None
    """Where the next page begins."""
    flows: list[str]
    states: list[str]


@dataclass(frozen=True)
class RunSheet:
    """One run with its steps, its inner runs and what it reported."""

    detail: RunDetail
    cases: list[int]
    """Those of the reported cases that the visitor may see."""
    time_zone: str


def read_operations(asking: Asking) -> OperationsSheet:
    """The room's first page. Where Prefect does not answer it says so and shows the rest."""
    seen, trouble = Overview(), None
    try:
        seen = read_overview([each.code for each in asking.seen], asking.now)
    except OutsideError as error:
        trouble = error
    return OperationsSheet(
        trouble=trouble.message if trouble else None,
        advice=trouble.advice if trouble else "",
        waiting=_waiting(asking),
        groups=_groups(asking, seen.deployments),
        failed=list(seen.failed),
        runs=list(seen.runs),
        prefect=None if trouble else own_page(),
    )


def _waiting(asking: Asking) -> list[Waiting]:
    found = asking.rows(WAITING, creditors=asking.creditors, since=asking.now - LATELY)[0]
    is_administrator = asking.visitor.role is Role.ADMINISTRATOR
    return [
        Waiting(title, found[key], path)
        for key, (title, path, all_see) in PLACES.items()
        if all_see or not is_administrator
    ]


def _groups(asking: Asking, deployments: Sequence[Deployment]) -> list[Group]:
    shared = [each for each in deployments if each.creditor is None]
    groups = [
        Group(one.code, one.name, one.time_zone, [each for each in deployments if each.creditor == one.code])
        for one in asking.visitor.creditors
    ]
    return [
        each for each in (*groups, Group(None, "For all creditors", asking.zone_of(None), shared)) if each.deployments
    ]


def read_deployment_sheet(asking: Asking, deployment_id: str) -> DeploymentSheet:
    """One deployment."""
    found: DeploymentDetail = read_deployment([each.code for each in asking.visitor.creditors], deployment_id)
    return DeploymentSheet(found.deployment, list(found.next_at), asking.zone_of(found.deployment.creditor))


RUNS_QUERY = {
    "creditor": "Code of a creditor.",
    "flow": f"One of {', '.join(FLOWS)}.",
    "state": f"One of {', '.join(STATES)}.",
    "deployment": "Id of a deployment.",
    "since": "A date: runs that were to start on it or later.",
    "until": "A date: runs that were to start on it or before.",
    "offset": "How many to pass over: `next_offset` of the page before.",
}


def read_runs_sheet(asking: Asking) -> RunsSheet:
    """A page of runs. Where Prefect does not answer it says so."""
    query = {key: value for key, value in asking.query.items() if value and key in RUNS_QUERY}
    wanted = RunFilter(
        creditor=query.get("creditor"),
        flow=query.get("flow"),
        deployment_id=query.get("deployment"),
        state=query.get("state"),
        since=_at(query.get("since"), time.min),
        until=_at(query.get("until"), time.max),
    )
    begin = query.get("offset", "0")
    if not begin.isascii() or not begin.isdigit() or len(begin) > 6:
        raise UsageError(f"{begin!r} is no place in this list.", advice="Begin at the first page.")
    try:
        seen = read_overview([each.code for each in asking.seen], asking.now).deployments
        # Prefect goes by the machine's clock, whatever time an installation lives in.
        page = read_runs(seen, wanted, SystemClock().now(), offset=int(begin), limit=PAGE)
    except OutsideError as error:
        return RunsSheet(error.message, error.advice, [], 0, None, list(FLOWS), list(STATES))
    return RunsSheet(None, "", list(page.runs), page.total, page.next_offset, list(FLOWS), list(STATES))


def _at(text: str | None, part: time) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), part, UTC)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a date.", advice="Write it as YYYY-MM-DD.") from error


def read_run_sheet(asking: Asking, run_id: str) -> RunSheet:
    """One run."""
    detail = read_run([each.code for each in asking.visitor.creditors], run_id)
    told = sorted({each for report in detail.reports for each in report.case_ids})
    own = asking.rows(OWN_CASES, cases=told, creditors=list(asking.visitor.creditor_ids)) if told else []
    return RunSheet(detail, [row["id"] for row in own], asking.zone_of(detail.run.creditor))
