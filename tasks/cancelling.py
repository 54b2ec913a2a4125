"""Taking actions back, many at once, wherever the reason was found: settling, ticking, executing."""

from datetime import date, datetime

import polars as pl

from maatpak.kernel.words import ActionState
from maatpak.ledger.database import Frames


def cancel_actions(frames: Frames, cancelled: pl.DataFrame, now: datetime, on: date | None = None) -> int:
    """Take open actions back, with the work and the queued messages that came of them; give their days back.

    `cancelled` is (action_id, reason); `on` is the business date on which they had been taken up to be done.
    """
    return _end_actions(frames, cancelled, ActionState.CANCELLED, now, on)


def fail_actions(frames: Frames, failed: pl.DataFrame, now: datetime, on: date) -> int:
    """End actions that were taken up and could not be done, (action_id, reason). They count as tried, unlike cancelled
    ones, so the journey tries another way or comes to a person's decision."""
    if failed.is_empty():
        return 0
    frames.stage("tried", failed.select("action_id"))
    frames.execute(
        "UPDATE action a SET state = 'in_progress',"  # noqa: S608 - typed literals
        f" started_on = DATE '{on.isoformat()}', started_at = TIMESTAMPTZ '{now.isoformat()}'"
        " FROM pg_temp.tried t WHERE a.id = t.action_id AND a.state = 'approved'"
    )
    return _end_actions(frames, failed, ActionState.FAILED, now, on)


def _end_actions(frames: Frames, ended: pl.DataFrame, state: ActionState, now: datetime, on: date | None) -> int:
    if ended.is_empty():
        return 0
    at = f"TIMESTAMPTZ '{now.isoformat()}'"
    taken_up = f", started_on = COALESCE(a.started_on, DATE '{on.isoformat()}')" if on else ""
    frames.stage("cancelled", ended)
    count = frames.execute(
        f"UPDATE action a SET state = '{state}', reason = c.reason, ended_at = "  # noqa: S608 - typed literals
        f"{at}{taken_up} FROM pg_temp.cancelled c WHERE a.id = c.action_id"
        " AND a.state IN ('proposed', 'awaiting_approval', 'approved', 'in_progress')"
    )
    frames.execute(
        "UPDATE work_task t SET state = 'cancelled', outcome = c.reason, done_at = "  # noqa: S608 - typed literals
        f"{at} FROM pg_temp.cancelled c WHERE t.action_id = c.action_id AND t.state = 'open'"
    )
    frames.execute(
        f"UPDATE message m SET state = 'cancelled', ended_at = {at} FROM message_action j"  # noqa: S608
        " JOIN pg_temp.cancelled c ON c.action_id = j.action_id WHERE j.message_id = m.id AND m.state = 'queued'"
        " AND NOT EXISTS (SELECT 1 FROM message_action o JOIN action a ON a.id = o.action_id"
        " WHERE o.message_id = m.id AND a.state = 'in_progress')"
    )
    give_days_back(frames)
    return count


def give_days_back(frames: Frames) -> None:
    """The day of an action that came to nothing goes to another action of the same letter, else it is free."""
    frames.execute(
        """
        UPDATE contact_slot s SET action_id = o.id
        FROM pg_temp.cancelled c JOIN action a ON a.id = c.action_id JOIN "case" k ON k.id = a.case_id
        JOIN "case" x ON x.debtor_id = k.debtor_id
        JOIN action o ON o.case_id = x.id AND o.business_date = a.business_date AND o.written
         AND o.payer_party_id IS NOT DISTINCT FROM a.payer_party_id
         AND o.state NOT IN ('cancelled', 'rejected', 'skipped', 'failed')
        WHERE s.action_id = c.action_id
        """
    )
    frames.execute(
        "DELETE FROM contact_slot s USING pg_temp.cancelled c, action a"
        " WHERE s.action_id = c.action_id AND a.id = c.action_id AND a.state IN ('cancelled', 'failed')"
    )
