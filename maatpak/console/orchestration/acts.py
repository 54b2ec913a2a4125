"""What people change of deployments and runs. Prefect says yes first, then the event is kept, with who did it.

What is changed stays changed: a restart registers only what is ours to say (decision 4).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import available_timezones

from maatpak.console.orchestration.asking import answer, as_id
from maatpak.console.orchestration.cron import next_times
from maatpak.console.orchestration.deployments import full_name, visible_deployment
from maatpak.console.orchestration.overview import look_again
from maatpak.console.orchestration.runs import AGAIN, visible_run
from maatpak.kernel.clock import SystemClock
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from tasks.dates import business_date_of, date_at
from tasks.desk import acting_person
from tasks.finding import require_run
from tasks.rights import AUDITORS, OPERATIONS

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.client.schemas.schedules import CronSchedule

    from tasks.engine import Engine


PROVING = "audit/chain"
"""The deployment of `flows.audit`."""


@dataclass(frozen=True)
class Operator:
    """Who acts, on whose deployments, and when."""

    engine: "Engine"
    login: str
    codes: Sequence[str]
    """Creditors that they may see."""
    now: datetime


def pause(by: Operator, deployment_id: str) -> None:
    """Let a deployment rest: nothing of it starts by itself, and a segment that rests is left out of the day, too.

    Raises:
        OutsideError: Prefect does not answer within 3 s, or refuses.
        RefusedError: the person may not.
        MissingError: there is no such deployment.
    """
    _set_paused(by, deployment_id, paused=True)


def resume(by: Operator, deployment_id: str) -> None:
    """Let it run again; raises what `pause` does."""
    _set_paused(by, deployment_id, paused=False)


def reschedule(
    by: Operator, deployment_id: str, cron: str, time_zone: str, schedule_id: str | None = None
) -> Sequence[datetime]:
    """Change when a deployment runs by itself; when it will next. Without a schedule it gets its first or another one.

    Raises:
        OutsideError: Prefect does not answer within 3 s, or refuses.
        RefusedError: the person may not.
        MissingError: there is no such deployment.
        UsageError: there is no such schedule, or `cron` or the zone is none.
    """
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    schedule = _cron_schedule(cron, time_zone)
    # Prefect goes by the machine's clock, whatever time an installation lives in.
    coming = next_times(schedule.cron, time_zone, SystemClock().now())
    with _recorded(by, "reschedule work") as kept:

        def ask(client: "SyncPrefectClient") -> "DeploymentResponse":
            found = visible_deployment(client, by.codes, deployment_id)
            if schedule_id is None:
                client.create_deployment_schedules(found.id, [DeploymentScheduleCreate(schedule=schedule)])
                return found
            id_ = as_id(schedule_id, "schedule")
            if id_ not in {each.id for each in found.schedules}:
                raise UsageError(f"{full_name(found)} has no schedule {schedule_id}.", advice="Look at it again.")
            client.update_deployment_schedule(found.id, id_, schedule=schedule)
            return found

        kept.of(answer(ask), "deployment_rescheduled", cron=schedule.cron, time_zone=time_zone, schedule=schedule_id)
    return coming


def run_now(by: Operator, deployment_id: str) -> str:
    """Start a run beside the schedule; its id.

    Raises:
        OutsideError: Prefect does not answer within 3 s, or refuses.
        RefusedError: the person may not.
        MissingError: there is no such deployment.
    """
    with _recorded(by, "start a run") as kept:
        found = answer(lambda client: visible_deployment(client, by.codes, deployment_id))
        run_id = _start(found.id, {})
        kept.of(found, "run_started", run=run_id)
    return run_id


def days_to_catch_up(engine: "Engine", code: str, now: datetime) -> tuple[date, date]:
    """The first and the last date for which a creditor's day may be run now: its own, and today where it is.

    Raises:
        RefusedError: no day of it was ever begun.
    """
    return business_date_of(engine, code), date_at(engine, code, now)


def catch_up(by: Operator, code: str, as_of: date) -> str:
    """Start the day of a creditor for a date; the run's id.

    Raises:
        OutsideError: Prefect does not answer within 3 s, or refuses.
        RefusedError: the person may not, or the date lies before the creditor's: time does not go back (law 1).
        UsageError: the date is still to come, or there is no such creditor.
    """
    if code not in by.codes:
        raise UsageError(f"There is no creditor {code!r}.", advice="See `maatpak creditor list`.")
    with _recorded(by, "catch up a day") as kept:
        first, last = days_to_catch_up(by.engine, code, by.now)
        if as_of < first:
            raise RefusedError(
                f"{code} is at {first}; {as_of} is past and is not run again.",
                advice=f"Choose a date from {first} to {last}.",
            )
        if as_of > last:
            raise UsageError(
                f"{as_of} is still to come for {code}, and a day that was begun is not taken back.",
                advice=f"Choose a date from {first} to {last}.",
            )
        found = answer(lambda client: client.read_deployment_by_name(f"daily/{code}"))
        run_id = _start(found.id, {"creditor": code, "as_of": as_of.isoformat()})
        kept.of(found, "day_caught_up", run=run_id, as_of=as_of)
    return run_id


def prove(by: Operator, code: str | None = None, as_of: date | None = None) -> str:
    """Start the proof that history is whole: the chain verified, or a creditor's past day recomputed; the run's id.

    Raises:
        OutsideError: Prefect does not answer within 3 s, or refuses.
        RefusedError: the person may not.
        UsageError: there is no such creditor, or no run of that day.
    """
    if code is not None and code not in by.codes:
        raise UsageError(f"There is no creditor {code!r}.", advice="See `maatpak creditor list`.")
    with _recorded(by, "have history proven", AUDITORS) as kept:
        told: dict[str, Any] = {"kind": "verify"}
        if code is not None and as_of is not None:
            require_run(by.engine, code, as_of)
            told = {"kind": "replay", "creditor": code, "as_of": as_of.isoformat()}
        found = answer(lambda client: client.read_deployment_by_name(PROVING))
        run_id = _start(found.id, told)
        kept.of(found, "run_started", run=run_id)
    return run_id


def retry(by: Operator, run_id: str) -> None:
    """Try a run again that failed: it goes on as itself, and what was done is not done twice.

    Raises:
        OutsideError: Prefect does not answer within 3 s, or refuses.
        RefusedError: the person may not, or it did not fail, or is part of another.
        MissingError: there is no such run.
    """
    from prefect.states import AwaitingRetry

    with _recorded(by, "try a run again") as kept:

        def ask(client: "SyncPrefectClient") -> "DeploymentResponse":
            run = visible_run(client, by.codes, run_id)
            state = run.state_type.value if run.state_type is not None else "PENDING"
            if state not in AGAIN:
                raise RefusedError(f"The run is {state.lower()}: it did not fail.", advice="Start another one.")
            if run.deployment_id is None:
                raise RefusedError("It is part of another run.", advice="Try the run around it again.")
            deployment = visible_deployment(client, by.codes, str(run.deployment_id))
            again: State[Any] = AwaitingRetry(message=f"Tried again by {by.login}")
            done = client.set_flow_run_state(run.id, again)
            if done.state is None or done.state.type.value != "SCHEDULED":
                raise RefusedError("Prefect did not take it up again.", advice="Start another run.")
            return deployment

        kept.of(answer(ask), "run_retried", run=run_id)


@dataclass
class _Kept:
    """Events of one act."""

    engine: "Engine"
    login: str
    drafts: list[EventDraft] = field(default_factory=list)

    def of(self, deployment: "DeploymentResponse", kind: str, **body: Any) -> None:
        """What was done to a deployment."""
        code = deployment.parameters.get("creditor")
        told = {"deployment": full_name(deployment), **body}
        self.drafts.append(
            EventDraft(kind, self.login, creditor_id=self.engine.creditor_id(code) if code else None, body=told)
        )


@contextmanager
def _recorded(by: Operator, act: str, roles: Sequence[Role] = OPERATIONS) -> Iterator[_Kept]:
    """One act of a person who may; the head of the events is locked when Prefect has answered, and not before."""
    with by.engine.database.session() as session:
        acting_person(session, by.login, act, *roles)
        kept = _Kept(by.engine, by.login)
        yield kept
        append_events(session, kept.drafts, by.now)
    look_again()
    by.engine.anchor()


def _set_paused(by: Operator, deployment_id: str, *, paused: bool) -> None:
    with _recorded(by, "pause work" if paused else "resume work") as kept:

        def ask(client: "SyncPrefectClient") -> "DeploymentResponse":
            found = visible_deployment(client, by.codes, deployment_id)
            change = client.pause_deployment if paused else client.resume_deployment
            change(found.id)
            return found

        kept.of(answer(ask), "deployment_paused" if paused else "deployment_resumed")


def _start(deployment_id: UUID, parameters: dict[str, Any]) -> str:
    # The key makes that asking again, as the server was busy, starts no second one.
    from uuid import uuid4

    key = str(uuid4())
    run = answer(
        lambda client: client.create_flow_run_from_deployment(deployment_id, parameters=parameters, idempotency_key=key)
    )
    return str(run.id)


def _cron_schedule(cron: str, time_zone: str) -> "CronSchedule":
    from prefect.client.schemas.schedules import CronSchedule
    from pydantic import ValidationError

    if time_zone not in available_timezones():
        raise UsageError(f"{time_zone!r} is not a time zone.", advice="Give one such as Europe/Amsterdam.")
    try:
        return CronSchedule(cron=" ".join(cron.split()), timezone=time_zone)
    except ValidationError as error:
        raise UsageError(
            f"{cron!r} is not a schedule.", advice="Give minute, hour, day, month and weekday: 0 6 * * 1-5."
        ) from error
