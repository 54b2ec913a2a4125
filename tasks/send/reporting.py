"""Reporting: what came of messages goes onto their actions, into the customer's experience and into one event.

It works on whatever has ended and was not reported, so a delivery that was killed is made whole by the next one, and a
message that a person resolved goes the same way. Actions and events hold codes: a service's words may name the
recipient, so they stay with the message, which can be erased.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import numbers
from maatpak.ledger.locks import lock_creditor, lock_parties
from tasks.cancelling import cancel_actions
from tasks.groups import tell_groups
from tasks.today import recording_instant

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

SECOND = 2
"""Notices of a round after which another one is too much."""

ENDED = """
SELECT m.id AS message_id, k.party_id FROM message m JOIN "case" k ON k.id = m.case_id
WHERE m.creditor_id = {creditor} AND m.ended_at IS NOT NULL AND m.reported_at IS NULL
"""

NOBODY_SENDS = """
AND NOT EXISTS (SELECT 1 FROM message o WHERE o.creditor_id = m.creditor_id AND o.leased_until > clock_timestamp())
"""

TAKE = """
CREATE TEMP TABLE reported ON COMMIT DROP AS
SELECT id AS message_id, message_ref, channel, state, sent_on, failure, content FROM message
WHERE id = ANY({ids}) AND ended_at IS NOT NULL AND reported_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
"""

CODE = r"(?:^|tries: )(\d{3}(?: \d\.\d{1,3}\.\d{1,3}| \d{5})?)(?: |$)"
"""The status code with which a service's words begin, and its own code behind it."""

ACTIONS = """
SELECT a.id AS action_id, a.case_id, k.party_id, k.debtor_id, a.kind, a.escalating, a.step, a.segment, a.pack_id,
  min(m.id) AS message_id,
  max(m.sent_on) FILTER (WHERE m.state = 'sent') AS sent_on,
  bool_or(m.state = 'sent') AS any_sent, bool_or(m.state = 'unknown') AS any_unknown,
  bool_or(m.state = 'failed') AS any_failed,
  min(COALESCE(substring(m.failure FROM '{code}'), m.state)) FILTER (WHERE m.state IN ('failed', 'unknown')) AS failure,
  min(m.failure) FILTER (WHERE m.state = 'cancelled') AS reason
FROM action a JOIN "case" k ON k.id = a.case_id JOIN message_action ma ON ma.action_id = a.id
JOIN message m ON m.id = ma.message_id
WHERE a.state IN ('in_progress', 'unknown') AND a.id = ANY (ARRAY(
  SELECT x.action_id FROM pg_temp.reported r JOIN message_action x ON x.message_id = r.message_id))
GROUP BY a.id, k.party_id, k.debtor_id
HAVING bool_and(m.state IN ('sent', 'failed', 'unknown', 'cancelled'))
ORDER BY a.id
"""
"""An array, since a join was planned as a loop in a loop where few actions had been in progress before."""

MOVE = """
UPDATE action a SET state = e.state, ended_at = {now}, executed_on = e.executed_on,
  result = CASE WHEN a.state = 'unknown' THEN e.result ELSE COALESCE(a.result, e.result) END
FROM pg_temp.ended_action e WHERE a.id = e.action_id AND a.state IN ('in_progress', 'unknown') AND a.state <> e.state
  AND a.id = ANY (ARRAY(SELECT action_id FROM pg_temp.ended_action))
"""
"""The array for the same reason."""

TOUCHES = """
INSERT INTO touch (creditor_id, party_id, case_id, action_id, kind, rating, wrongful, touched_on, recorded_at)
SELECT {creditor}, t.party_id, t.case_id, t.action_id, t.kind,
  CASE WHEN t.rating > 0 AND EXISTS (SELECT 1 FROM touch o WHERE o.party_id = t.party_id AND o.touched_on = t.touched_on
    AND o.rating > 0) THEN 0 ELSE t.rating END, false, t.touched_on, {now}
FROM pg_temp.touched t
"""

BEFORE = """
SELECT a.id AS action_id, (SELECT count(DISTINCT e.executed_on) FROM action e WHERE e.case_id = a.case_id
  AND e.round_id = a.round_id AND e.written AND e.state = 'executed' AND e.executed_on < a.executed_on) AS notices
FROM action a JOIN pg_temp.ended_action n ON n.action_id = a.id WHERE a.written
"""
"""How many notices of its round went before each written one."""

OUTCOMES = """
SELECT r.message_id, r.message_ref, r.channel, r.state, r.sent_on, r.content,
  (SELECT array_agg(ma.action_id ORDER BY ma.action_id) FROM message_action ma
   WHERE ma.message_id = r.message_id) AS action_ids
FROM pg_temp.reported r ORDER BY r.message_id
"""


def report_outcomes(
    engine: "Engine", creditor_id: int, as_of: date, now: datetime, worker: str, *, left_behind: bool = False
) -> int:
    """Report every message of the creditor that has ended; how many.

    `left_behind`: only if nobody is sending, who would report his own, so that two runs at once tell what one would.
    """
    query = ENDED.format(creditor=int(creditor_id)) + (NOBODY_SENDS if left_behind else "")
    with engine.database.frames() as frames:
        if frames.read(f"{query} LIMIT 1").is_empty():
            return 0
        lock_creditor(frames, creditor_id, shared=True)
        at = recording_instant(frames, creditor_id, now)
        marks = {"creditor": int(creditor_id), "now": f"TIMESTAMPTZ '{at.isoformat()}'"}
        ended = frames.read(query)
        lock_parties(frames, ended["party_id"].to_list())
        frames.execute(TAKE.format(ids=numbers(ended["message_id"].to_list())))
        outcomes = frames.read(OUTCOMES)
        if outcomes.is_empty():
            return 0
        executed = _move_actions(engine, frames, marks, as_of, at)
        frames.execute(
            f"UPDATE message m SET reported_at = {marks['now']} FROM pg_temp.reported r WHERE m.id = r.message_id"  # noqa: S608
        )
        counts = outcomes.group_by("channel", "state").len().sort("channel", "state")
        body = {
            "worker": worker,
            "outcomes": {f"{channel}_{state}": count for channel, state, count in counts.iter_rows()},
            "actions_executed": executed,
            "evidence": engine.store.put_frame("delivery", outcomes),
        }
        draft = EventDraft("messages_delivered", "engine", business_date=as_of, creditor_id=creditor_id, body=body)
        append_events(frames, [draft], at)
    engine.anchor()
    return outcomes.height


def _move_actions(engine: "Engine", frames: Frames, marks: dict[str, object], as_of: date, at: datetime) -> int:
    actions = frames.read(ACTIONS.format(code=CODE))
    if actions.is_empty():
        return 0
    state = (
        pl.when("any_sent")
        .then(pl.lit("executed"))
        .when("any_unknown")
        .then(pl.lit("unknown"))
        .when("any_failed")
        .then(pl.lit("failed"))
        .otherwise(pl.lit("cancelled"))
    )
    actions = actions.with_columns(state=state)
    cancelled = actions.filter(pl.col("state") == "cancelled").select(
        "action_id", reason=pl.col("reason").fill_null(str(SkipReason.STOPPED))
    )
    cancel_actions(frames, cancelled, at, as_of)
    moved = actions.filter(pl.col("state") != "cancelled").select(
        "action_id",
        "state",
        executed_on=pl.when(pl.col("state") == "executed").then("sent_on"),
        result=pl.when(pl.col("state") != "executed").then(pl.col("failure")),
    )
    if moved.is_empty():
        return 0
    frames.stage("ended_action", moved)
    # Or it is read whole for each action, where few had been in progress when the tables were last analysed.
    frames.execute("ALTER TABLE pg_temp.ended_action ADD PRIMARY KEY (action_id)")
    frames.execute(MOVE.format(**marks))
    executed = actions.filter(pl.col("state") == "executed")
    _touch(engine, frames, marks, executed)
    tell_groups(frames, executed.filter("escalating"), str(marks["now"]))
    return executed.height


def _touch(engine: "Engine", frames: Frames, marks: dict[str, object], executed: pl.DataFrame) -> None:
    """One touch a letter, however many cases it was about."""
    letters = executed.unique("message_id", keep="first", maintain_order=True)
    if letters.is_empty():
        return
    letters = letters.join(frames.read(BEFORE), on="action_id", how="left", maintain_order="left")
    ratings = [
        _rating(engine.pack(pack_id), segment, step, notices or 0)
        for pack_id, segment, step, notices in letters.select("pack_id", "segment", "step", "notices").iter_rows()
    ]
    touched = letters.select(
        "party_id",
        "case_id",
        "action_id",
        kind="step",
        rating=pl.Series(ratings, dtype=pl.Int32),
        touched_on="sent_on",
    )
    frames.stage("touched", touched)
    frames.execute(TOUCHES.format(**marks))


def _rating(pack: "CompiledPack", segment: str, step: str, notices: int) -> int:
    """The step's own; a third notice of a round, or a later one, is worth no more than that."""
    own = pack.step(segment, step).rating
    return own if notices < SECOND else min(own, pack.ratings.get("third_notice", own))
