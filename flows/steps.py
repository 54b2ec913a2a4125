"""The units of work as Prefect tasks: thin, so that everything else works without Prefect (decision 3).

Parameters are codes, ids and dates. Results stay in the process; what Prefect keeps of a task run are its state, a
message without names, and an artifact of counts and ids.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from prefect import State, Task, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName, FlowFilter, FlowFilterName
from prefect.client.schemas.objects import TaskRun
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import Completed, Failed

from flows.limits import GlobalLimits
from flows.report import artifact_key, as_report
from flows.workplace import discreet, engine, keep_for_ourselves, keep_look, look_of
from maatpak.kernel.clock import Elapsed
from maatpak.kernel.errors import TransientError
from maatpak.ledger.failures import DETAILS
from tasks import cohorts, dates, day, execute, finding, intake, journey_figures, send, standing, tick
from tasks import figures as reckoning
from tasks import receive as receiving
from tasks import settle as settling
from tasks.audit import proving

ENGINE = "engine"


def worth_another_try(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a task run that failed is retried: not what our laws refuse, and not a cohort that is done."""
    del task, run
    return isinstance(state.data, TransientError)


RETRIED: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [2, 15],
    "retry_condition_fn": worth_another_try,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}


def _called(name: str) -> dict[str, Any]:
    """One try and two more; its runs have the name, too, without the letters that Prefect puts behind it."""
    return {"name": name, "task_run_name": name, **RETRIED}


@task(**_called("date"))
def date_for(creditor: str, now: datetime) -> date:
    """The date of a day that is run now."""
    return discreet("The date", dates.date_at, engine(), creditor, now)


@task(**_called("business date"))
def business_date(creditor: str) -> date:
    """The date that the creditor is at."""
    return discreet("The business date", dates.business_date_of, engine(), creditor)


@task(**_called("begin"))
def begin(creditor: str, as_of: date, now: datetime) -> bool:
    """Move the creditor to its business date."""
    return discreet("Beginning the day", day.begin_day, engine(), _id(creditor), as_of, now, ENGINE, _run_id())


@task(**_called("settle"))
def settle(creditor: str, as_of: date, now: datetime) -> None:
    """Bring the records up to the date."""
    done = discreet("Settling", settling.settle_records, engine(), _id(creditor), as_of, now, ENGINE, _run_id())
    _report(f"Settled as of {as_of}", artifact_key(creditor, "settle"), done.counts)


@task(name="tick", task_run_name="tick {shard}", **RETRIED)
def decide(creditor: str, as_of: date, now: datetime, shard: int) -> None:
    """Decide every case of a shard and propose what is due."""
    shards = engine().settings.shards
    done, seen = discreet(
        "The tick", tick.tick_and_see, engine(), _id(creditor), as_of, now, shard, shards, ENGINE, _run_id()
    )
    keep_look(shard, seen)
    counts = {
        "cases": done.cases,
        "proposed": done.proposed,
        "of these awaiting approval": done.awaiting_approval,
        "skipped": done.skipped,
        "withdrawn": done.withdrawn,
        "rounds opened": done.rounds_opened,
        "rerouted": done.rerouted,
        **{f"nothing today: {reason}": count for reason, count in done.reasons.items()},
    }
    _report(f"Decided as of {as_of}", artifact_key(creditor, "tick", shard), counts)


@task(name="standing", task_run_name="standing {shard}", **RETRIED)
def stand(creditor: str, as_of: date, shard: int) -> State[Any]:
    """Bring lists of cases up to what the shard's tick saw; a tick that failed leaves them as they are."""
    seen = look_of(shard)
    if seen is None:
        return Completed(message="its tick did not end")
    shards = engine().settings.shards
    changed = discreet("The lists", standing.refresh_standing, engine(), _id(creditor), as_of, seen, shard, shards)
    return Completed(message=_listed({"cases changed": changed}))


@task(**_called("journeys"))
def journeys(creditor: str, segments: Sequence[str] | None = None) -> list[cohorts.DueJourney]:
    """Which journeys have something to act on."""
    return discreet("Looking for work", cohorts.due_journeys, engine(), _id(creditor), segments)


@task(name="step", **RETRIED)
def step(creditor: str, segment: str, pack_id: int, name: str, as_of: date, now: datetime, shard: int) -> State[Any]:
    """One step of a journey for its whole cohort; failed, when it is done, if it failed for a customer.

    An artifact tells what was done; a step with nothing to do just says so.
    """
    shards = engine().settings.shards
    done = discreet(
        f"Step {name}",
        execute.execute_step,
        *(engine(), _id(creditor), segment, pack_id, name, as_of, now, shard, shards),
        flow_run=_run_id(),
        seen=look_of(shard),
    )
    kept = [keep_for_ourselves(each.error) for each in done.failures]
    counts = {**done.counts, **_counted(kept)}
    if not counts:
        return Completed(message="nothing to do")
    title = f"{segment}: {name} as of {as_of}"
    _report(title, artifact_key(creditor, segment, name, shard), counts, done.case_ids)
    if not kept:
        return Completed(message=_listed(counts))
    return Failed(message=f"It failed for {len(kept)} customers and was done for all others: {_listed(_counted(kept))}")


@task(**_called("deliver"))
def deliver(creditor: str, as_of: date, now: datetime, elapsed: Elapsed | None = None) -> State[Any]:
    """Send what waits in the outbox; failed if a service did not answer or an outcome is not known.

    `elapsed`: what has passed since `now`, where that was read before.
    """
    seen = [look for shard in range(engine().settings.shards) if (look := look_of(shard)) is not None]
    limits = GlobalLimits()
    done = discreet(
        "Delivery",
        send.deliver,
        *(engine(), _id(creditor), as_of, now, _run_id() or "flow"),
        seen=seen,
        throttle=limits,
        elapsed=elapsed,
    )
    counts = {f"{channel} {outcome}": count for (channel, outcome), count in sorted(done.counts.items())}
    counts |= {f"{channel} given up": 1 for channel in done.stopped}
    counts |= {f"far more {each.channel} than usual": each.written for each in done.alarms}
    _report(f"Delivered as of {as_of}", artifact_key(creditor, "deliver"), counts)
    if not done.whole:
        told = [f"Some messages did not leave: {_listed(counts)}. `maatpak messages list` shows them."]
        return Failed(message=" ".join([*told, *done.mend.values()]))
    return Completed(message=_listed(counts) or "nothing waited")


@task(**_called("figures"))
def figures(creditor: str, as_of: date, now: datetime) -> State[Any]:
    """Reckon the figures of the date, and those of the journeys."""
    rows = discreet("The figures", reckoning.compute_figures, engine(), _id(creditor), as_of, now)
    discreet("The journeys' figures", journey_figures.keep_journey_figures, engine(), _id(creditor), as_of)
    return Completed(message=f"{rows} figures")


@task(**_called("receive"))
def receive(now: datetime) -> State[Any]:
    """Take in what lies in the mailbox, and what the post tells of letters; failed if something could not be."""
    done = discreet("Reading the mailbox", receiving.read_mailbox, engine(), now, _run_id())
    done.add(discreet("Asking about letters", receiving.read_letter_reports, engine(), now, _run_id()))
    apart = {"whose nobody knows": done.unassigned, "left for the next time": done.left}
    counts = {what: count for what, count in {**done.counts, **apart}.items() if count}
    _report("Came in", artifact_key("receive"), counts)
    if done.failures:
        errors = _listed(_counted(list(done.failures.elements())))
        return Failed(message=f"Something could not be taken in, all the rest was: {errors}. {DETAILS}")
    return Completed(message=_listed(counts) or "nothing came in")


@task(**_called("ingest"))
def take_in(source: str, files: Sequence[str], as_of: date, now: datetime) -> State[Any]:
    """A ledger through the quality gate, in one transaction; a refused file is not tried again."""
    paths = [Path(file) for file in files]
    ledger_source = discreet("The source", intake.find_source, engine(), source)
    done = discreet("Intake", intake.ingest_ledger, engine(), ledger_source, paths, as_of, now, None, _run_id())
    counts = {"rows": done.rows, "quarantined": done.quarantined}
    _report(f"{source} as of {as_of}", artifact_key("ingest", source), counts)
    return Completed(message="unchanged" if done.unchanged else _listed(counts))


@task(**_called("verify"))
def prove_chain(now: datetime) -> State[Any]:
    """The chain, its anchors and every evidence file; failed if anything was changed."""
    found = discreet("Verifying", proving.prove_chain, engine(), now, flow_run=_run_id())
    counts = {"events": found.events, "evidence files": found.evidence_files, "not anchored yet": found.unanchored}
    counts |= {f"fault: {each}": count for each, count in Counter(fault.code for fault in found.faults).items()}
    _report("The chain of events", artifact_key("audit", "verify"), counts)
    if not found.whole:
        return Failed(message=f"History was changed: {len(found.faults)} faults. `maatpak audit verify` names them.")
    return Completed(message=f"whole: {_listed(counts)}")


@task(**_called("replay"))
def prove_days(creditor: str | None, as_of: date | None, now: datetime) -> State[Any]:
    """A past day of a creditor, or of all that ran on it; failed if anything comes out otherwise."""
    day = as_of or discreet("The last day", finding.last_run, engine(), creditor)
    differing = 0
    for code in discreet("Whose day", finding.creditors_with_runs, engine(), creditor, day):
        found = discreet("Recomputing", proving.prove_day, engine(), _id(code), day, now, flow_run=_run_id())
        counts = {"cases": found.cases, "items": found.items, "differences": len(found.differences)}
        counts |= {"cases left out, merged since": found.merged} if found.merged else {}
        _report(f"{code} on {day} again", artifact_key(code, "audit", "replay"), counts)
        differing += len(found.differences)
    if differing:
        return Failed(message=f"{differing} things come out otherwise than on {day}; the page of audits lists them.")
    return Completed(message=f"{day} comes out as it was")


@task(**_called("resting segments"))
def resting(creditor: str, segments: Sequence[str]) -> list[str]:
    """Those of the segments whose deployment people have paused: the daily run leaves them out, too (decision 4).

    By the name, which is ours: tags are the operators' to change.
    """
    names = {f"{creditor}-{each}": each for each in segments}
    flow = FlowFilter(name=FlowFilterName(any_=["segment"]))
    named = DeploymentFilter(name=DeploymentFilterName(any_=list(names)))
    with get_client(sync_client=True) as client:
        found = client.read_deployments(flow_filter=flow, deployment_filter=named)
    rest = sorted(names[each.name] for each in found if each.paused)
    if rest:
        title = "Segments that rest while their deployment is paused: journeys left out"
        _report(title, artifact_key(creditor, "rest"), {each: segments.count(each) for each in rest})
    return rest


def _id(creditor: str) -> int:
    return discreet("Finding the creditor", engine().creditor_id, creditor)


def _run_id() -> str | None:
    found: str | None = flow_run.id
    return found


def _report(title: str, key: str, counts: Mapping[str, int], case_ids: Sequence[int] = ()) -> None:
    page = get_current_settings().ui_url
    link = f"{page}/runs/flow-run/{flow_run.id}" if page and flow_run.id else None
    create_markdown_artifact(as_report(title, counts, case_ids, link), key=key, description=title)


def _counted(names: Sequence[str]) -> dict[str, int]:
    return {f"error {name}": names.count(name) for name in dict.fromkeys(names)}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counts.items())
