"""The chain of events (law 10): every event holds the hash of the one before it, and the head row numbers them.

`append_events` must be the last thing a transaction does: it locks the head row, so everybody who adds events after it
waits for the commit. In exchange there are no gaps, no double numbers, and the order is the order of the commits.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.ids import canonical_json, content_hash
from maatpak.ledger.database import Frames

GENESIS = "0" * 64
"""What the first event follows."""

HASHED = (
    "seq",
    "kind",
    "creditor_id",
    "debtor_id",
    "case_id",
    "action_id",
    "business_date",
    "actor",
    "flow_run",
    "policy_hash",
    "snapshot_hash",
    "body",
    "recorded_at",
    "previous_hash",
)
"""The columns that an event's hash covers: all but the hash itself."""

LOCK_HEAD = "SELECT seq, hash FROM event_head WHERE id = 1 FOR UPDATE"
INSERT = """
INSERT INTO event (seq, kind, creditor_id, debtor_id, case_id, action_id, business_date, actor, flow_run, policy_hash,
                   snapshot_hash, body, recorded_at, previous_hash, hash)
SELECT seq, kind, creditor_id, debtor_id, case_id, action_id, business_date, actor, flow_run, policy_hash,
       snapshot_hash, body, recorded_at, previous_hash, hash
FROM jsonb_populate_recordset(CAST(NULL AS event), CAST(CAST({rows} AS text) AS jsonb))
"""
MOVE_HEAD = "UPDATE event_head SET seq = {seq}, hash = '{hash}' WHERE id = 1"


@dataclass(frozen=True)
class EventDraft:
    """An event before it has its number: what happened, to what, by whom, on which grounds.

    `body` is plain data of ids, codes, counts and hashes; personal content belongs into evidence, floats nowhere.
    """

    kind: str
    actor: str
    business_date: date | None = None
    creditor_id: int | None = None
    debtor_id: int | None = None
    case_id: int | None = None
    action_id: int | None = None
    flow_run: str | None = None
    policy_hash: str | None = None
    snapshot_hash: str | None = None
    body: dict[str, Any] = field(default_factory=dict)


def append_events(tx: Session | Frames, drafts: Sequence[EventDraft], now: datetime) -> tuple[int, str]:
    """Add events to the chain; the number and hash of the last one. Must end the transaction: it locks the head row."""
    if now.tzinfo is None:
        raise ValueError(f"now {now!r} has no time zone")
    seq, hash_ = _lock_head(tx)
    if not drafts:
        return seq, hash_
    rows = []
    for draft in drafts:
        row = _row(draft, seq + 1, hash_, now)
        seq, hash_ = row["seq"], row["hash"]
        rows.append(row)
    _insert(tx, canonical_json(rows))
    _execute(tx, MOVE_HEAD.format(seq=seq, hash=hash_))
    return seq, hash_


def last_event(frames: Frames) -> int:
    """Number of the last event: whatever is recorded later raises it."""
    return int(frames.read("SELECT seq FROM event_head").item())


def event_hash(row: dict[str, Any]) -> str:
    """The hash of an event as stored: of every column but the hash."""
    plain = {name: row[name] for name in HASHED}
    return content_hash({**plain, "recorded_at": _instant(row["recorded_at"])})


def _row(draft: EventDraft, seq: int, previous_hash: str, now: datetime) -> dict[str, Any]:
    body = json.loads(canonical_json(draft.body), parse_float=_refuse_float)
    row = {**vars(draft), "seq": seq, "body": body, "recorded_at": now, "previous_hash": previous_hash}
    row["hash"] = event_hash(row)
    row["recorded_at"] = _instant(now)
    return row


def _refuse_float(number: str) -> None:
    raise ValueError(f"an event's body holds the float {number}; money is minor units, shares belong into evidence")


def _instant(at: datetime) -> str:
    """One spelling for one instant, whatever zone the driver gives it in."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _lock_head(tx: Session | Frames) -> tuple[int, str]:
    if isinstance(tx, Session):
        tx.flush()
        seq, hash_ = tx.connection().execute(text(LOCK_HEAD)).one()
    else:
        seq, hash_ = tx.read(LOCK_HEAD).row(0)
    return int(seq), str(hash_)


def _insert(tx: Session | Frames, rows: str) -> None:
    if isinstance(tx, Session):
        tx.connection().execute(text(INSERT.format(rows=":rows")), {"rows": rows})
    else:
        with tx.connection.cursor() as cursor:
            cursor.execute(INSERT.format(rows="$1"), (rows,))


def _execute(tx: Session | Frames, statement: str) -> None:
    if isinstance(tx, Session):
        tx.connection().execute(text(statement))
    else:
        tx.execute(statement)
