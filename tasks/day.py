"""A creditor's business day by direct calls: the same functions, in the same order, as the flows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, ParamSpec

from sqlalchemy import func, select, text
from sqlmodel import col

from maatpak.kernel.calendars import is_working_day
from maatpak.kernel.clock import stopwatch
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.locks import lock_creditor
from maatpak.ledger.tables import Creditor
from tasks.apart import Failure
from tasks.execute import StepSummary, execute_all
from tasks.figures import compute_figures
from tasks.journey_figures import keep_journey_figures
from tasks.send import DeliverySummary, deliver, sending_instant
from tasks.settle import SettleSummary, settle_records
from tasks.standing import refresh_standing
from tasks.tick import TickSummary, tick_and_see
from tasks.today import latest_event
from tasks.waking import forget

if TYPE_CHECKING:
    from tasks.engine import Engine

P = ParamSpec("P")

LATER = timedelta(milliseconds=1)
"""Between the parts of a day by direct calls: what follows from a look lies after it."""


@dataclass(frozen=True)
class DaySummary:
    """What a business day of a creditor came to."""

    as_of: date
    began: bool
    """Whether the creditor moved to this date; false when the day is run again."""
    settled: SettleSummary
    ticks: tuple[TickSummary, ...]
    executed: tuple[StepSummary, ...]
    delivered: DeliverySummary
    unlisted: tuple[Exception, ...] = ()
    """Why lists or figures are as they were before; nothing else rests on them, and the next run mends it."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Customers whose step could not be taken; everybody else's was."""
        return tuple(failure for step in self.executed for failure in step.failures)

    def require_whole(self) -> None:
        """For plays and proofs, in which nobody may fail.

        Raises:
            ExceptionGroup: of what went wrong, if a step could not be taken.
        """
        errors = [*(failure.error for failure in self.failures), *self.unlisted]
        if errors:
            raise ExceptionGroup(f"Not all of {self.as_of} was done", errors)


def run_day(
    engine: "Engine",
    creditor: int | str,
    as_of: date,
    now: datetime,
    actor: str = "engine",
    flow_run: str | None = None,
) -> DaySummary:
    """All of a creditor's business day, one transaction a part. Run twice, it adds nothing.

    Raises:
        RefusedError: the date lies before the creditor's.
    """
    creditor_id = creditor if isinstance(creditor, int) else engine.creditor_id(creditor)
    shards = engine.settings.shards
    elapsed = stopwatch()
    began = begin_day(engine, creditor_id, as_of, now, actor, flow_run)
    settled = settle_records(engine, creditor_id, as_of, now, actor, flow_run)
    looked = [tick_and_see(engine, creditor_id, as_of, now, shard, shards, actor, flow_run) for shard in range(shards)]
    ticks, looks = zip(*looked, strict=True)
    unlisted = [
        error
        for shard, seen in enumerate(looks)
        for error in _tried(refresh_standing, engine, creditor_id, as_of, seen, shard, shards)
    ]
    done = [
        execute_all(engine, creditor_id, as_of, acting_instant(now), shard, shards, flow_run, seen)
        for shard, seen in enumerate(looks)
    ]
    leaving = leaving_instant(as_of, now)
    delivered = deliver(engine, creditor_id, as_of, leaving, flow_run or "run", seen=looks, elapsed=elapsed)
    unlisted += _tried(compute_figures, engine, creditor_id, as_of, leaving)
    unlisted += _tried(keep_journey_figures, engine, creditor_id, as_of)
    return DaySummary(as_of, began, settled, ticks, tuple(done), delivered, tuple(unlisted))


def _tried(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Iterator[Exception]:
    """What kept something from being brought up to date that no work of the day hangs on."""
    try:
        work(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - lists and figures are made again by the next run
        yield error


def catch_up_instant(as_of: date) -> datetime:
    """When a caught-up day is taken to have run: at six in the morning, UTC."""
    return datetime.combine(as_of, time(6), UTC)


def acting_instant(now: datetime) -> datetime:
    """When a run that looked at `now` acts."""
    return now + LATER


def leaving_instant(as_of: date, now: datetime) -> datetime:
    """When the messages of a run that looked at `now` leave."""
    return sending_instant(as_of, now) if now == catch_up_instant(as_of) else now + 2 * LATER


def begin_day(
    engine: "Engine", creditor_id: int, as_of: date, now: datetime, actor: str = "engine", flow_run: str | None = None
) -> bool:
    """Move the creditor to a business date; whether it moved. From here on nothing is recorded as known before `now`.

    Raises:
        RefusedError: the date lies before the creditor's; time does not go back (law 1).
    """
    with engine.database.session() as session:
        lock_creditor(session, creditor_id)
        creditor = session.get(Creditor, creditor_id)
        if creditor is None:
            raise UsageError(f"There is no creditor {creditor_id}.", advice="`maatpak creditor list` shows them.")
        before = creditor.business_date
        if before is not None and as_of < before:
            raise RefusedError(
                f"{creditor.code} is at {before}; {as_of} is past and is not run again.",
                advice="`maatpak audit replay --as-of DATE` looks at a past day.",
            )
        # What follows from this day must lie after the looks of others on it, who could not see it: parties are shared.
        others = select(func.max(Creditor.looked_at)).where(
            col(Creditor.business_date) == as_of, col(Creditor.id) != creditor_id
        )
        is_working_day(as_of, creditor.country)  # a day that no calendar has is refused before it is kept
        instants = [now, creditor.looked_at, session.execute(others).scalar_one()]
        moved = before != as_of
        if moved and before is not None:
            # Whatever was recorded on the day that ends, however late by its clock, is seen on this one.
            instants.append(session.execute(text(latest_event(creditor_id, before))).scalar_one())
        creditor.looked_at = max(each for each in instants if each is not None)
        if moved:
            creditor.business_date = as_of
            forget(session, creditor_id)
            session.flush()
            draft = EventDraft(
                kind="day_begun", actor=actor, business_date=as_of, creditor_id=creditor_id, flow_run=flow_run
            )
            append_events(session, [draft], now)
    if moved:
        engine.anchor()
    return moved
