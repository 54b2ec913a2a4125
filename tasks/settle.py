"""Settling: before anything is decided, the records catch up with time and money, and finished rounds close.

One transaction under the creditor's lock, so that it meets neither a person's act nor another run half-way. It says
what it changed in one event that holds the hash of a frame; a day on which nothing changed leaves none.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor
from tasks.cancelling import cancel_actions
from tasks.repairs import end_repairs
from tasks.settle_money import (
    Settling,
    begin_settling,
    changes,
    settle_claims,
    settle_plans,
    settle_promises,
)
from tasks.settle_notes import ask_for_notes
from tasks.settle_orders import settle_orders
from tasks.settle_placements import settle_placements
from tasks.settle_touches import find_wrongful_contacts, rate_good_turns, rate_late_answers
from tasks.settle_waits import (
    end_callbacks,
    end_claim_work,
    lapse_approvals,
    pass_consultations_on,
    settle_disputes,
    wake_reviews,
)
from tasks.today import latest_event, recording_instant

if TYPE_CHECKING:
    from tasks.engine import Engine

PARTS = (
    settle_placements,
    settle_promises,
    settle_claims,
    settle_plans,
    ask_for_notes,
    settle_orders,
    settle_disputes,
    end_repairs,
    end_claim_work,
    pass_consultations_on,
    find_wrongful_contacts,
    rate_good_turns,
    rate_late_answers,
    wake_reviews,
    lapse_approvals,
)
"""In this order: money first, then what waits for people."""


@dataclass(frozen=True)
class SettleSummary:
    """How many records settling moved, by what they are and what became of them (`promise kept`, `round closed` …)."""

    counts: dict[str, int] = field(default_factory=dict)


def settle_records(
    engine: "Engine", creditor_id: int, as_of: date, now: datetime, actor: str = "engine", flow_run: str | None = None
) -> SettleSummary:
    """Bring a creditor's records up to a date: promises, claims, plans, disputes, deadlines, approvals, rounds."""
    with engine.database.frames() as frames:
        lock_creditor(frames, creditor_id)
        settling = begin_settling(frames, engine, creditor_id, as_of, _instant(frames, creditor_id, as_of, now))
        moved = [part(settling) for part in PARTS]
        moved += [close_rounds(settling), end_callbacks(settling)]
        changed = pl.concat([part for part in moved if not part.is_empty()] or [changes()])
        counts = _counts(changed)
        if not changed.is_empty():
            # What was settled is seen by the ticks of the day: they look from here on.
            moment = f"TIMESTAMPTZ '{settling.at.isoformat()}'"
            frames.execute(f"UPDATE creditor SET looked_at = {moment} WHERE id = {int(creditor_id)}")  # noqa: S608
            evidence = engine.store.put_frame("settled", changed.sort("what", "record"))
            draft = EventDraft(
                kind="records_settled",
                actor=actor,
                business_date=as_of,
                creditor_id=creditor_id,
                flow_run=flow_run,
                body={"counts": counts, "evidence": evidence},
            )
            append_events(frames, [*settling.drafts, draft], settling.at)
    if counts:
        engine.anchor()
    return SettleSummary(counts)


def _instant(frames: Frames, creditor_id: int, as_of: date, now: datetime) -> datetime:
    """After the last look, and after every act of the day: what settling replaces was recorded before it."""
    acted_at = frames.read(latest_event(creditor_id, as_of)).item()
    return max(recording_instant(frames, creditor_id, now), acted_at or now)


def close_rounds(settling: Settling) -> pl.DataFrame:
    """Rounds whose items are all settled close, once; what was still under way for them is taken back."""
    frames, day = settling.frames, f"DATE '{settling.as_of}'"
    closed = frames.read(
        f"""
        UPDATE round r SET closed_on = {day}, closed_at = TIMESTAMPTZ '{settling.at.isoformat()}'
        FROM "case" k
        WHERE k.id = r.case_id AND k.creditor_id = {settling.creditor_id} AND r.closed_at IS NULL
          AND NOT EXISTS (
              SELECT 1 FROM round_item i
              JOIN item_version v ON v.item_id = i.item_id AND v.debtor_id = k.debtor_id
               AND v.valid_from <= {day} AND (v.replaced_from IS NULL OR v.replaced_from > {day})
              WHERE i.round_id = r.id AND v.open_amount > 0)
        RETURNING r.id, r.case_id
        """  # noqa: S608 - typed literals
    )
    if closed.is_empty():
        return changes()
    frames.stage("closed_rounds", closed)
    under_way = frames.read(
        "SELECT a.id AS action_id FROM action a JOIN pg_temp.closed_rounds c ON c.id = a.round_id"
        " WHERE a.state IN ('proposed', 'awaiting_approval', 'approved', 'in_progress')"
        # A message that is on its way is the sender's to end.
        " AND NOT EXISTS (SELECT 1 FROM message_action j JOIN message m ON m.id = j.message_id"
        " WHERE j.action_id = a.id AND m.state IN ('sending', 'sent', 'unknown'))"
    )
    cancel_actions(frames, under_way.with_columns(reason=pl.lit(str(SkipReason.ROUND_CLOSED))), settling.at)
    return changes(
        closed.select(
            "case_id",
            what=pl.lit("round"),
            record=pl.col("id").cast(pl.String),
            state=pl.lit("closed"),
            amount=pl.lit(None),
        )
    )


def _counts(changed: pl.DataFrame) -> dict[str, int]:
    rows = changed.group_by("what", "state").len().sort("what", "state")
    return {f"{what} {state}": count for what, state, count in rows.iter_rows()}
