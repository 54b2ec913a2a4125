"""The rows of a proposal: staged as frames, inserted by one statement a table, keyed so that nothing comes twice."""

from typing import Any

import polars as pl

from maatpak.kernel.ids import canonical_json
from maatpak.kernel.words import ActionState, Stage
from maatpak.ledger.database import Frames
from tasks.proposal import Proposal

ACTION_COLUMNS = (
    *("id", "case_id", "round_id", "stage", "step", "attempt", "occurrence", "kind", "segment", "pack_id", "state"),
    *("reason", "channel", "template", "written", "payer_party_id"),
    *("escalating", "approval_role", "approvals_needed", "amount"),
    *("overdue_amount", "due_on", "approved_on", "approved_at", "ended_at"),
)
"""What an action has of its own; the rest is the tick's."""


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
    slots = proposal.slots.join(keys, on=["case_id", "step"], how="inner").select("action_id", "written_to")
    if not slots.is_empty():
        frames.stage("new_slot", slots)
        frames.execute(
            "INSERT INTO contact_slot (party_id, day, slot, action_id, recorded_at)"  # noqa: S608 - typed literals
            f" SELECT s.written_to, {day}, 1, a.id, {at} FROM pg_temp.new_slot s JOIN action a ON a.id = s.action_id"
            " ORDER BY s.written_to ON CONFLICT DO NOTHING"
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
        "INSERT INTO round_course"  # noqa: S608 - typed literals
        " (round_id, segment, pack_id, entry_stage, cause, actor, by_hand, valid_from, recorded_at)"
        f" SELECT opened_id, segment, pack_id, '{Stage.PREPARE}', 'opened', 'engine', false, {day}, {at}"
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
        "INSERT INTO round_course"  # noqa: S608 - typed literals
        " (round_id, segment, pack_id, entry_stage, cause, actor, by_hand, entered_on, valid_from, recorded_at)"
        f" SELECT round_id, segment, pack_id, entry_stage, cause, 'engine', false, {day}, {day}, {at}"
        " FROM pg_temp.rerouted"
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
            payer_party_id=pl.when(pl.col("written_to") != pl.col("party_id")).then("written_to"),
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
