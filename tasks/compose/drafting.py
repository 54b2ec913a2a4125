"""Composing: messages written for actions and kept as evidence, hashed for an approval, or shown only."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from connectors.message import Outgoing
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import StepKind
from maatpak.ledger.database import Frames
from tasks.compose.composed import MESSAGES, Composed, Draft, Drafts
from tasks.compose.drafter import Drafter
from tasks.compose.reading import Row, action_ids_of, read_material
from tasks.current_pack import current_pack

if TYPE_CHECKING:
    from tasks.engine import Engine

WRITERS = 8
"""Evidence files written at once: each waits for its disk."""


def compose(engine: "Engine", frames: Frames, actions: pl.DataFrame, as_of: date, now: datetime) -> Composed:
    """Write the messages of these actions (a column `action_id`) and keep their words as evidence."""
    made = _draft(engine, frames, action_ids_of(actions), as_of, now, keep=True)
    with ThreadPoolExecutor(WRITERS) as pool:
        keys = list(pool.map(lambda draft: engine.store.put("message", draft.outgoing.to_json(), "json"), made.drafts))
    rows = [_row(draft, key, as_of, now) for draft, key in zip(made.drafts, keys, strict=True)]
    pairs = [(draft.outgoing.message_ref, row["action_id"]) for draft in made.drafts for row in draft.actions]
    return Composed(
        messages=pl.DataFrame(rows, schema=MESSAGES),
        pairs=pl.DataFrame(pairs, schema={"message_ref": pl.String, "action_id": pl.Int64}, orient="row"),
        unreachable=pl.DataFrame(
            made.unreachable, schema={"action_id": pl.Int64, "reason": pl.String, "detail": pl.String}, orient="row"
        ),
        hashes=pl.DataFrame(
            list(action_hashes(made).items()), schema={"action_id": pl.Int64, "content_hash": pl.String}, orient="row"
        ),
    )


def content_hashes(
    engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime
) -> dict[int, str]:
    """What an approval of each action binds to; writes nothing."""
    return action_hashes(drafts_of(engine, frames, action_ids, as_of, now))


def drafts_of(engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime) -> Drafts:
    """What these actions would say as things stand; writes nothing."""
    return _draft(engine, frames, action_ids, as_of, now, keep=False)


def preview(
    engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime
) -> list[tuple[int, Outgoing]]:
    """The messages as they would go out: (action, message); writes nothing."""
    made = drafts_of(engine, frames, action_ids, as_of, now)
    return [(row["action_id"], draft.outgoing) for draft in made.drafts for row in draft.actions]


def _draft(
    engine: "Engine", frames: Frames, action_ids: Sequence[int], as_of: date, now: datetime, *, keep: bool
) -> Drafts:
    made = Drafts()
    if not action_ids:
        return made
    material = read_material(frames, action_ids, as_of, now, lambda row: lists_all(engine, row))
    for creditor_id, creditor in material.creditors.items():
        limits = engine.pack(current_pack(frames, creditor_id)).guardrails
        drafter = Drafter(engine, material, creditor, limits, as_of, now, keep=keep)
        for (pack_id, segment, step), rows in _cohorts(material.actions, creditor_id).items():
            drafter.draft(engine.pack(pack_id), segment, step, rows, made)
    return made


def lists_all(engine: "Engine", row: Row) -> bool:
    """Whether the step of an action lists everything open: a statement, or a question what money is for."""
    if not row["template"]:
        return False
    step = engine.pack(row["pack_id"]).step(row["segment"], row["step"])
    return step.kind is StepKind.STATEMENT or step.asks_of_cash


def _cohorts(actions: Sequence[Row], creditor_id: int) -> dict[tuple[int, str, str], list[Row]]:
    cohorts: dict[tuple[int, str, str], list[Row]] = {}
    for row in actions:
        if row["creditor_id"] == creditor_id and row["template"]:
            cohorts.setdefault((row["pack_id"], row["segment"], row["step"]), []).append(row)
    return cohorts


def action_hashes(made: Drafts) -> dict[int, str]:
    """Action → what its approval binds to."""
    return {action_id: content_hash(sorted(hashes)) for action_id, hashes in made.hashes.items()}


def _row(draft: Draft, content: str, as_of: date, now: datetime) -> dict[str, Any]:
    outgoing, lead = draft.outgoing, draft.actions[0]
    return {
        "message_ref": outgoing.message_ref,
        "creditor_id": lead["creditor_id"],
        "debtor_id": lead["debtor_id"],
        "case_id": lead["case_id"],
        "channel": str(outgoing.channel),
        "recipient": draft.recipient,
        "instead_of": draft.switch and str(draft.switch.instead_of),
        "switch_reason": draft.switch and str(draft.switch.why.reason),
        "switch_cause": draft.switch and draft.switch.why.cause,
        "switch_on": draft.switch and draft.switch.why.since,
        "language": outgoing.language,
        "template": draft.template,
        "content_key": draft.content_key,
        "attempt": 1,
        "subject": outgoing.subject,
        "content": content,
        "written": any(row["written"] for row in draft.actions),
        "reply_by": draft.reply_by,
        "business_date": as_of,
        "queued_at": now,
        "send_after": draft.send_after,
    }
