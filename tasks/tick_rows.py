"""The rows of a proposal: staged as frames, inserted by one statement a table, keyed so that nothing comes twice."""

from datetime import date, datetime
from typing import Any

import polars as pl

from maatpak.kernel.ids import canonical_json
from maatpak.kernel.words import ActionState, NoActionReason, Stage
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_parties
from tasks.proposal import Proposal

SHARED_PARTIES = """
SELECT DISTINCT k.party_id FROM pg_temp.to_write w JOIN "case" k ON k.party_id = w.party_id
WHERE k.creditor_id <> {creditor}
"""
"""Parties in the frame that owe other creditors too: only these can be claimed by somebody else."""

DAYS_TAKEN = """
SELECT DISTINCT s.party_id FROM contact_slot s JOIN action a ON a.id = s.action_id
JOIN pg_temp.to_write w ON w.party_id = s.party_id
WHERE s.day = DATE '{day}' AND a.creditor_id <> {creditor}
UNION
SELECT w.party_id FROM contact_wait w JOIN pg_temp.to_write t ON t.party_id = w.party_id
WHERE w.creditor_id <> {creditor} AND w.since <= DATE '{day}' - {longest} AND w.last_on >= DATE '{day}' - {stale}
  AND NOT EXISTS (SELECT 1 FROM contact_wait o WHERE o.party_id = w.party_id AND o.creditor_id = {creditor}
                  AND (o.since, o.creditor_id) < (w.since, w.creditor_id))
"""
"""Whose day another creditor has claimed, or must have now: it waited longer than may be, and longer than we did."""

LONGEST_WAIT, STALE = 7, 7
"""Days that a creditor waits at most for its turn (five working days), and after which one is passed over that did not
ask for it again."""

LAST_WAS_ANOTHER = """
SELECT w.party_id FROM pg_temp.wanting w CROSS JOIN LATERAL (
  SELECT a.creditor_id FROM contact_slot s JOIN action a ON a.id = s.action_id
  WHERE s.party_id = w.party_id AND s.day > DATE '{day}' - {stale} AND s.day <= DATE '{day}'
  ORDER BY s.day DESC LIMIT 1) last
WHERE last.creditor_id <> {creditor}
"""

WAITING = """
INSERT INTO contact_wait (party_id, creditor_id, since, last_on, recorded_at)
SELECT party_id, {creditor}, DATE '{day}', DATE '{day}', {at} FROM pg_temp.kept_waiting ORDER BY party_id
ON CONFLICT (party_id, creditor_id) DO UPDATE SET last_on = EXCLUDED.last_on,
  since = CASE WHEN contact_wait.last_on < DATE '{day}' - {stale} THEN EXCLUDED.since ELSE contact_wait.since END
"""

ACTION_COLUMNS = (
    *("id", "case_id", "round_id", "stage", "step", "attempt", "occurrence", "kind", "segment", "pack_id", "state"),
    *("reason", "channel", "template", "written", "escalating", "approval_role", "approvals_needed", "amount"),
    *("overdue_amount", "due_on", "approved_on", "approved_at", "ended_at"),
)
"""What an action has of its own; the rest is the tick's."""


def days_taken(
    frames: Frames, creditor_id: int, as_of: date, actions: pl.DataFrame, touched: pl.Series
) -> pl.DataFrame:
    """Parties whose day another creditor claimed, or whose turn it is (law 6, practice rule 21).

    Those that could be are locked until the end of the tick, together with the parties that it touches otherwise: locks
    are taken once, in one order.
    """
    parties = actions.filter(pl.col("written") & (pl.col("state") != ActionState.SKIPPED)).select("party_id").unique()
    none = parties.clear()
    shared = none["party_id"]
    if not parties.is_empty():
        frames.stage("to_write", parties)
        shared = frames.read(SHARED_PARTIES.format(creditor=int(creditor_id)))["party_id"]
    lock_parties(frames, pl.concat([shared, touched]))
    if shared.is_empty():
        return none
    return frames.read(DAYS_TAKEN.format(creditor=int(creditor_id), day=as_of, longest=LONGEST_WAIT, stale=STALE))


def wait_for_turns(
    frames: Frames, creditor_id: int, as_of: date, kept: pl.DataFrame, decided: pl.DataFrame, at: datetime
) -> None:
    """Note which parties another creditor kept us from, and since when; whom we no longer want to write to is let go.

    It has their day (`kept`, as `days_taken` gave them), or was the last to write to them and so used up the budget.
    `decided`: (party_id, reason) of the shard's cases.
    """
    ours = f"SELECT party_id FROM contact_wait WHERE creditor_id = {int(creditor_id)}"  # noqa: S608 - an integer
    here = frames.read(ours).join(decided, on="party_id", how="semi")
    wanting = decided.filter(pl.col("reason") == NoActionReason.BUDGET).select("party_id").unique()
    gone = here.join(wanting, on="party_id", how="anti")
    if not gone.is_empty():
        frames.stage("waits_no_more", gone)
        frames.execute(
            "DELETE FROM contact_wait w USING pg_temp.waits_no_more n"  # noqa: S608 - an integer
            f" WHERE w.party_id = n.party_id AND w.creditor_id = {int(creditor_id)}"
        )
    if wanting.is_empty():
        return
    frames.stage("wanting", wanting)
    other = frames.read(LAST_WAS_ANOTHER.format(creditor=int(creditor_id), day=as_of, stale=STALE))
    waiting = pl.concat([here, kept, other]).unique().join(wanting, on="party_id", how="semi")
    if not waiting.is_empty():
        frames.stage("kept_waiting", waiting)
        moment = f"TIMESTAMPTZ '{at.isoformat()}'"
        frames.execute(WAITING.format(creditor=int(creditor_id), day=as_of, at=moment, stale=STALE))


def write_proposal(frames: Frames, tick: dict[str, Any], proposal: Proposal) -> list[int]:
    """Insert the tick's row and everything that it proposes; the actions that wait for an approval."""
    at, day = f"TIMESTAMPTZ '{tick['recorded_at'].isoformat()}'", f"DATE '{tick['business_date'].isoformat()}'"
    _insert_tick(frames, tick)
    opened = _open_rounds(frames, proposal, day, at)
    _reroute(frames, proposal, day, at)
    actions = _with_ids(frames, proposal.actions, opened, tick)
    if actions.is_empty():
        return []
    frames.stage("new_action", actions.select(ACTION_COLUMNS))
    listed = ", ".join(ACTION_COLUMNS)
    frames.execute(
        f"INSERT INTO action ({listed}, creditor_id, business_date, tick_id, proposed_at)"  # noqa: S608 - our names
        f" SELECT {listed}, {int(tick['creditor_id'])}, {day}, {int(tick['id'])}, {at} FROM pg_temp.new_action"
        " ORDER BY id ON CONFLICT DO NOTHING"
    )
    keys = actions.select("case_id", "step", action_id="id")
    named = proposal.items.join(keys, on=["case_id", "step"], how="inner").select("action_id", "item_id", "amount")
    _insert_joined(frames, "action_item", named)
    slots = proposal.slots.join(keys, on=["case_id", "step"], how="inner").select("action_id", "party_id")
    if not slots.is_empty():
        frames.stage("new_slot", slots)
        frames.execute(
            "INSERT INTO contact_slot (party_id, day, slot, action_id, recorded_at)"  # noqa: S608 - typed literals
            f" SELECT s.party_id, {day}, 1, a.id, {at} FROM pg_temp.new_slot s JOIN action a ON a.id = s.action_id"
            " ORDER BY s.party_id ON CONFLICT DO NOTHING"
        )
    return actions.filter(pl.col("state") == ActionState.AWAITING_APPROVAL)["id"].to_list()


def _insert_tick(frames: Frames, tick: dict[str, Any]) -> None:
    listed = ", ".join(tick)
    statement = (
        f"INSERT INTO tick ({listed}) SELECT {listed}"  # noqa: S608 - names of our own columns
        " FROM jsonb_populate_record(CAST(NULL AS tick), CAST(CAST($1 AS text) AS jsonb))"
    )
    with frames.connection.cursor() as cursor:
        cursor.execute(statement, (canonical_json(tick),))


def _open_rounds(frames: Frames, proposal: Proposal, day: str, at: str) -> pl.DataFrame:
    """(case_id, opened_id) of the rounds that open, with their course and first items."""
    rounds = proposal.rounds.select("case_id", "segment", "pack_id")
    if rounds.is_empty():
        return pl.DataFrame(schema={"case_id": pl.Int64, "opened_id": pl.Int64})
    frames.stage("new_round", rounds)
    opened = frames.read(
        f"""
        INSERT INTO round (case_id, number, opened_on, opened_at)
        SELECT n.case_id, COALESCE((SELECT max(r.number) FROM round r WHERE r.case_id = n.case_id), 0) + 1, {day}, {at}
        FROM pg_temp.new_round n ORDER BY n.case_id
        ON CONFLICT DO NOTHING RETURNING case_id, id AS opened_id
        """  # noqa: S608 - typed literals
    )
    frames.stage("opened_round", opened.join(rounds, on="case_id"))
    frames.execute(
        "INSERT INTO round_course (round_id, segment, pack_id, entry_stage, cause, actor, valid_from, recorded_at)"  # noqa: S608
        f" SELECT opened_id, segment, pack_id, '{Stage.PREPARE}', 'opened', 'engine', {day}, {at}"
        " FROM pg_temp.opened_round"
    )
    asked = proposal.asked.join(opened, on="case_id").select("opened_id", "item_id")
    frames.stage("opened_item", asked)
    frames.execute(
        "INSERT INTO round_item (round_id, item_id, joined_on, recorded_at)"  # noqa: S608 - typed literals
        f" SELECT opened_id, item_id, {day}, {at} FROM pg_temp.opened_item ON CONFLICT DO NOTHING"
    )
    return opened


def _reroute(frames: Frames, proposal: Proposal, day: str, at: str) -> None:
    rerouted = proposal.reroutes.select("round_id", "segment", "pack_id", "entry_stage", cause="reroute")
    if rerouted.is_empty():
        return
    frames.stage("rerouted", rerouted)
    frames.execute(
        f"UPDATE round_course c SET replaced_from = {day}, replaced_at = {at}"  # noqa: S608 - typed literals
        " FROM pg_temp.rerouted n WHERE c.round_id = n.round_id AND c.replaced_at IS NULL"
    )
    frames.execute(
        "INSERT INTO round_course (round_id, segment, pack_id, entry_stage, cause, actor, valid_from, recorded_at)"  # noqa: S608
        f" SELECT round_id, segment, pack_id, entry_stage, cause, 'engine', {day}, {at} FROM pg_temp.rerouted"
    )


def _with_ids(frames: Frames, actions: pl.DataFrame, opened: pl.DataFrame, tick: dict[str, Any]) -> pl.DataFrame:
    """The actions with their ids and the rounds that opened with them, in the state in which they begin."""
    if actions.is_empty():
        return actions
    ids = frames.read(f"SELECT nextval('action_id_seq') AS id FROM generate_series(1, {actions.height})")  # noqa: S608
    skipped = pl.col("state") == ActionState.SKIPPED
    waits = ~skipped & (pl.col("approvals_needed") > 0)
    at_once = ~skipped & ~waits
    day, at = pl.lit(tick["business_date"]), pl.lit(tick["recorded_at"])
    return (
        actions.join(opened, on="case_id", how="left", maintain_order="left")
        .with_columns(
            ids["id"],
            round_id=pl.when("opens_round").then("opened_id").otherwise("round_id"),
            state=pl.when(skipped)
            .then("state")
            .when(waits)
            .then(pl.lit(str(ActionState.AWAITING_APPROVAL)))
            .otherwise(pl.lit(str(ActionState.APPROVED))),
            amount="asked_amount",
            overdue_amount="overdue_open",
            approved_on=pl.when(at_once).then(day),
            approved_at=pl.when(at_once).then(at),
            ended_at=pl.when(skipped).then(at),
        )
        .with_columns(pl.col("attempt", "approvals_needed").cast(pl.Int32))
    )


def _insert_joined(frames: Frames, table: str, rows: pl.DataFrame) -> None:
    """Rows of a table that hangs on actions: those whose action was inserted."""
    if rows.is_empty():
        return
    listed = ", ".join(rows.columns)
    frames.stage("new_joined", rows)
    frames.execute(
        f"INSERT INTO {table} ({listed}) SELECT n.{', n.'.join(rows.columns)}"  # noqa: S608 - names of our own
        " FROM pg_temp.new_joined n JOIN action a ON a.id = n.action_id ON CONFLICT DO NOTHING"
    )
