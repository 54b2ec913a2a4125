"""Events told to people: their sentences, with ids resolved to documents, messages, work, packs and people."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from string import Formatter
from typing import Any

from sqlalchemy import Connection, text

from maatpak.kernel.money import format_money
from tasks.audit.words import EVENT_WORDS

COLUMNS = """
e.seq, e.kind, e.recorded_at, e.business_date, e.actor, e.creditor_id, c.code AS creditor, e.debtor_id, d.debtor_no,
p.name AS debtor_name, e.case_id, k.currency, e.action_id, a.step AS action_step, e.flow_run, e.policy_hash,
e.snapshot_hash, e.body, e.previous_hash, e.hash
"""
NAMES = """
LEFT JOIN creditor c ON c.id = e.creditor_id
LEFT JOIN debtor d ON d.id = e.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = e.debtor_id AND p.replaced_at IS NULL
LEFT JOIN "case" k ON k.id = e.case_id
LEFT JOIN action a ON a.id = e.action_id
"""
"""What `told` reads of events `e`."""

AMOUNTS = frozenset({"amount", "total", "accepted", "limit"})
"""Keys of bodies that hold minor units."""
IDS: Mapping[str, str] = {
    "item": "item",
    "message": "message",
    "task": "work",
    "pack_id": "pack",
    "before": "pack",
    "person_id": "person",
}
"""Key of a body → what its number is the id of."""
BY_NAME = """
SELECT 'item', id::text, document_no, NULL FROM item WHERE id = ANY(:item)
UNION ALL SELECT 'message', id::text, channel, business_date FROM message WHERE id = ANY(:message)
UNION ALL SELECT 'work', id::text, subject, NULL FROM work_task WHERE id = ANY(:work)
UNION ALL SELECT 'pack', id::text, name || ' version ' || version, NULL FROM policy_pack WHERE id = ANY(:pack)
UNION ALL SELECT 'person', id::text, login, NULL FROM person WHERE id = ANY(:person)
"""
MESSAGES = {"email": "the e-mail", "sms": "the text", "post": "the letter"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
UNTOLD = "(not said)"
"""Stands for what an older event does not say."""


@dataclass(frozen=True)
class EventTold:
    """One event: its sentence, whom and what it is about, its grounds, and its place in the chain."""

    seq: int
    kind: str
    words: str
    recorded_at: datetime
    business_date: date | None
    actor: str
    creditor: str | None
    debtor_id: int | None
    debtor_no: str | None
    debtor_name: str | None
    case_id: int | None
    action_id: int | None
    flow_run: str | None
    policy_hash: str | None
    snapshot_hash: str | None
    body: dict[str, Any]
    previous_hash: str
    hash: str


def told(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[EventTold]:
    """Events of `COLUMNS` with their sentences; what all of them name is looked up by one query."""
    names = _names(connection, rows)
    kept = [name for name in EventTold.__dataclass_fields__ if name != "words"]
    return [EventTold(words=_sentence(row, names), **{name: row[name] for name in kept}) for row in rows]


def plain(code: object) -> str:
    """A code as words: `lost_invoice` is `lost invoice`."""
    return str(code).replace("_", " ")


def told_day(day: date) -> str:
    """`3 March 2026`."""
    return f"{day.day} {day:%B %Y}"


def _names(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    wanted: dict[str, set[int]] = {what: set() for what in IDS.values()}
    for row in rows:
        for key, what in IDS.items():
            number = row["body"].get(key)
            if isinstance(number, int):
                wanted[what].add(number)
    if not any(wanted.values()):
        return {}
    found = connection.execute(text(BY_NAME), {what: sorted(ids) for what, ids in wanted.items()})
    return {
        (what, number): f"{MESSAGES[name]} of {told_day(day)}" if day else name for what, number, name, day in found
    }


def _sentence(row: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> str:
    words = EVENT_WORDS.get(row["kind"])
    if words is None:
        return f"{plain(row['kind']).capitalize()}."
    marks = {mark for _, mark, _, _ in Formatter().parse(words) if mark}
    sentence = words.format_map({mark: _shown(mark, row, names) for mark in marks})
    if words.startswith("{person_id}"):  # a login is written as it is
        return sentence
    return sentence[0].upper() + sentence[1:]


def _shown(key: str, row: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> str:
    body = row["body"]
    value = body.get(key, row["action_step"] if key == "step" else None)
    currency = body.get("currency") or row["currency"]
    if value is None:
        return {"before": "none", "message": "a message"}.get(key, UNTOLD)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key in AMOUNTS and currency:
        return format_money(value, currency)
    if key in IDS and isinstance(value, int):
        return names.get((IDS[key], str(value)), f"{IDS[key]} {value}")
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(what)} {count}" for what, count in value.items() if count) or "nothing to do"
    if isinstance(value, list):
        return ", ".join(map(plain, value)) or "nothing"
    if isinstance(value, str) and DAY.fullmatch(value):
        return told_day(date.fromisoformat(value))
    return plain(value)
