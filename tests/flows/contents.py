"""What an installation holds, ids and times aside: to compare one that was run one way with one run another way."""

import json
import mailbox
from collections import Counter
from collections.abc import Collection
from typing import Any

import polars as pl
from sqlmodel import SQLModel

from maatpak.ledger.database import Frames
from tasks.engine import Engine

LEFT_OUT = {"event", "event_head"}
"""How the work was cut into transactions shows in the events; what came of it does not."""

DERIVED = frozenset({"case_standing", "figure", "journey_figure"})
"""Copies of what the newest look saw: of two at once either may be the last to write them."""

NOT_COMPARED = {"id", "flow_run", "leased_by", "leased_until", "service_ref", "known_at", "salt"}
BY_CONTENT = {"facts_evidence", "steps_evidence", "decisions_evidence"}
"""Frames that hold ids."""

NAMES = {
    "action_id": "SELECT a.id AS key, concat_ws('/', a.case_id, r.number, a.stage, a.step, a.attempt, a.occurrence)"
    " AS name FROM action a LEFT JOIN round r ON r.id = a.round_id",
    "message_id": "SELECT id AS key, message_ref AS name FROM message",
    "round_id": "SELECT id AS key, case_id || '#' || number AS name FROM round",
    "tick_id": "SELECT id AS key, business_date || '/' || shard AS name FROM tick",
    "task_id": "SELECT id AS key, case_id || ' ' || subject || ' ' || opened_on AS name FROM work_task",
}
"""What an id stands for."""

Contents = dict[str, Counter[str]]


def tables(engine: Engine, but: Collection[str] = ()) -> Contents:
    """The rows of every table, `but` some, as text, counted."""
    with engine.database.frames(read_only=True) as frames:
        names = {column: _names(frames, query) for column, query in NAMES.items()}
        found = {}
        for table in SQLModel.metadata.sorted_tables:
            if table.name in LEFT_OUT or table.name in but:
                continue
            kept = [
                column.name
                for column in table.columns
                if column.name not in NOT_COMPARED | BY_CONTENT and not column.name.endswith("_at")
            ]
            listed = ", ".join(f'"{column}"::text' for column in kept)
            rows = frames.read(f'SELECT {listed} FROM "{table.name}"')
            found[table.name] = Counter(_text(row, names) for row in rows.iter_rows(named=True))
    return found


def sinks(engine: Engine) -> Contents:
    """What the outside received: references of mails, texts and letters, and how often."""
    folder = engine.workspace.sinks
    texts = folder / "sms" / "messages.jsonl"
    return {
        "mail": Counter(message_ids(engine)),
        "post": Counter(path.stem for path in folder.rglob("*.pdf")),
        "sms": Counter(json.loads(line)["to"] for line in (texts.read_text().splitlines() if texts.exists() else ())),
    }


def message_ids(engine: Engine) -> list[str]:
    """Message-IDs in the mail sink, without brackets."""
    found = [path for path in engine.workspace.sinks.rglob("maildir") if path.is_dir()]
    return [str(mail["Message-ID"]).strip("<> ") for path in found for mail in mailbox.Maildir(path, create=False)]


def _names(frames: Frames, query: str) -> dict[str, str]:
    return {str(key): name for key, name in frames.read(query).iter_rows()}


def _text(row: dict[str, Any], names: dict[str, dict[str, str]]) -> str:
    shown = {column: names[column].get(value, value) if column in names else value for column, value in row.items()}
    return json.dumps(shown, sort_keys=True)


def differences(one: Contents, other: Contents) -> list[str]:
    """What only one of two has, as lines."""
    return [
        f"{table}: {'only the first' if row in one[table] else 'only the second'}: {row}"
        for table in one
        for row in (one[table] - other[table]) | (other[table] - one[table])
    ]


def count(engine: Engine, query: str) -> int:
    """The number that a query gives."""
    with engine.database.frames(read_only=True) as frames:
        value: pl.DataFrame = frames.read(query)
    return int(value.item())
