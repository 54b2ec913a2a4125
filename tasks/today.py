"""The creditor's day, as every effect asks for it first: it must be the business date, and nothing looks older than it.

What is recorded is never older than what a run has already looked at, or an audit would read back what the run could
not see. `recorded_after` is that rule for one instant, `RECORDED_AFTER` the same in SQL, read when it is written.
"""

from datetime import date, datetime, timedelta

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.ledger.database import Frames

TICK = timedelta(microseconds=1)
"""The least that recording lies after the look that could not see it."""

RECORDED_AFTER = "(SELECT GREATEST({now}, looked_at + interval '1 microsecond') FROM creditor WHERE id = {creditor})"
"""When something that happens at `now` is recorded. The same transaction has locked the creditor, shared at least."""


def recorded_after(looked_at: datetime | None, now: datetime) -> datetime:
    """`now`, or just after the last look if that is later: what a run could not see must not look as if it could."""
    return now if looked_at is None else max(now, looked_at + TICK)


def latest_event(creditor_id: int, day: date) -> str:
    """The query of when a creditor's latest event of a business date was recorded."""
    return (
        f"SELECT max(recorded_at) FROM event WHERE creditor_id = {int(creditor_id)}"  # noqa: S608 - typed literals
        f" AND business_date = DATE '{day.isoformat()}'"
    )


def looked_at_today(
    frames: Frames, creditor_id: int, as_of: date, advice: str = "Begin that day first."
) -> datetime | None:
    """When a run last looked at the creditor, which the caller has locked, and whose business date must be `as_of`.

    Raises:
        RefusedError: the business date is another.
        UsageError: there is no such creditor.
    """
    rows = frames.read(f"SELECT code, business_date, looked_at FROM creditor WHERE id = {int(creditor_id)}")  # noqa: S608
    if rows.is_empty():
        raise UsageError(f"There is no creditor {creditor_id}.", advice="`maatpak creditor list` shows them.")
    code, business_date, looked_at = rows.row(0)
    if business_date != as_of:
        raise RefusedError(
            f"{code} is at {business_date}, not at {as_of}: effects need the business date.", advice=advice
        )
    found: datetime | None = looked_at
    return found


def last_look(frames: Frames, creditor_id: int) -> datetime | None:
    """When a run last looked at the creditor, which the caller has locked; None before the first."""
    found: datetime | None = frames.read(f"SELECT looked_at FROM creditor WHERE id = {int(creditor_id)}").item()  # noqa: S608
    return found


def recording_instant(frames: Frames, creditor_id: int, now: datetime) -> datetime:
    """When something is recorded for a creditor that the caller has locked."""
    return recorded_after(last_look(frames, creditor_id), now)
