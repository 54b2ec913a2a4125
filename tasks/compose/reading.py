"""What composing reads, for a whole cohort of actions at once: one query a kind of row, as of the date and instant."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from maatpak.kernel.words import SPOKEN_RESULTS
from maatpak.ledger.database import Frames
from maatpak.ledger.freshness import data_on
from maatpak.ledger.literals import numbers
from maatpak.ledger.tables import visible

Row = dict[str, Any]

LOOK_BACK = timedelta(days=400)
"""Earlier messages and payments older than this are not spoken of."""

ACTIONS = """
SELECT a.id AS action_id, a.case_id, a.creditor_id, a.round_id, a.stage, a.step, a.attempt, a.occurrence, a.kind,
  a.segment, a.pack_id, a.channel, a.template, a.written, a.escalating, a.amount, k.debtor_id, k.party_id, k.currency,
  r.number AS round_no, d.debtor_no
FROM action a JOIN "case" k ON k.id = a.case_id JOIN debtor d ON d.id = k.debtor_id
LEFT JOIN round r ON r.id = a.round_id
WHERE a.id = ANY({actions}) ORDER BY a.id
"""

CREDITORS = """
SELECT cr.*,
  {known_on} AS known_on,
  (SELECT p.name FROM person p WHERE p.role = 'credit_manager' AND p.active ORDER BY p.id LIMIT 1) AS credit_manager
FROM creditor cr WHERE cr.id = ANY({creditors})
"""

ITEM = """v.item_id, v.item_type, v.document_no, v.currency, v.issued_on, v.due_on,
  v.amount, v.open_amount, v.returned_on, v.return_code, v.document_path"""
ITEMS = """
SELECT ai.action_id, ai.amount AS asked, {item}
FROM action_item ai JOIN item_version v ON v.item_id = ai.item_id AND {visible}
WHERE ai.action_id = ANY({actions}) ORDER BY v.due_on, v.document_no, v.item_id
"""
SUPPOSED_ITEMS = """
SELECT {item} FROM item_version v WHERE v.item_id = ANY({items}) AND {visible}
ORDER BY v.due_on, v.document_no, v.item_id
"""

LEDGER = """
SELECT v.debtor_id, v.currency, v.item_id, v.item_type, v.document_no, v.issued_on, v.due_on, v.amount,
  CASE WHEN v.settled_on > {day} THEN v.amount ELSE v.open_amount END AS open_amount,
  CASE WHEN v.disputed_on > {day} OR v.dispute_outcome IN ('rejected', 'withdrawn') THEN 0
    ELSE v.disputed_amount END AS disputed
FROM item_version v
WHERE v.debtor_id = ANY({debtors}) AND v.issued_on <= {day} AND (v.open_amount > 0 OR v.settled_on > {day})
  AND {visible}
ORDER BY v.due_on, v.document_no, v.item_id
"""

PAYERS = """
SELECT v.debtor_id, p.id AS payer_id FROM debtor_profile v
JOIN debtor p ON p.creditor_id = v.creditor_id AND p.debtor_no = v.payer_no AND p.id <> v.debtor_id
WHERE v.debtor_id = ANY({debtors}) AND {visible}
"""

PROFILES = """
SELECT v.*, m.name AS manager_name, m.login AS manager_login FROM debtor_profile v
LEFT JOIN person m ON m.login = v.account_manager OR m.name = v.account_manager
WHERE v.debtor_id = ANY({people}) AND {visible}
"""

CONTACTS = """
SELECT v.debtor_id, v.name, v.role, v.email, v.phone, v.language FROM contact_person v
WHERE v.debtor_id = ANY({people}) AND {visible} ORDER BY v.id
"""

ADDRESSES = """
SELECT v.debtor_id, v.channel, v.address, v.state, v.cause, v.valid_from FROM address_state v
WHERE v.debtor_id = ANY({people}) AND {visible}
"""

PREFERENCES = """
SELECT v.debtor_id, v.name, v.value FROM preference v WHERE v.debtor_id = ANY({people}) AND {visible}
"""

CONSENTS = """
SELECT v.debtor_id, v.number FROM text_consent v WHERE v.debtor_id = ANY({people}) AND v.given AND {visible}
"""

EARLIER = """
SELECT m.id AS message_id, m.case_id, m.channel, m.message_ref, m.sent_on, m.template, a.kind, a.written,
  array_agg(DISTINCT ai.item_id) FILTER (WHERE ai.item_id IS NOT NULL) AS item_ids,
  COALESCE((SELECT string_agg(DISTINCT e.kind, ',') FROM evidence e
    WHERE e.message_id = m.id AND e.observed_on <= {day} AND e.recorded_at <= {instant}), '') AS observed
FROM message m JOIN message_action ma ON ma.message_id = m.id JOIN action a ON a.id = ma.action_id
LEFT JOIN action_item ai ON ai.action_id = a.id
WHERE m.debtor_id = ANY({debtors}) AND m.state = 'sent' AND m.sent_on <= {day} AND m.sent_on > {since}
  AND (m.sent_at IS NULL OR m.sent_at <= {instant})
GROUP BY m.id, a.kind, a.written ORDER BY m.sent_on, m.id
"""

PROMISES = """
SELECT DISTINCT ON (v.case_id) v.case_id, v.amount, v.promised_on, v.state FROM promise v
WHERE v.case_id = ANY({cases}) AND v.state IN ('open', 'broken', 'partly_kept', 'kept') AND {visible}
ORDER BY v.case_id, v.made_on DESC, v.id DESC
"""

PLANS = """
SELECT DISTINCT ON (v.case_id) v.case_id, v.total, v.instalments, v.valid_until, v.state FROM plan v
WHERE v.case_id = ANY({cases}) AND v.state IN ('offered', 'active') AND {visible}
ORDER BY v.case_id, v.offered_on DESC, v.id DESC
"""

PAYMENTS = """
SELECT DISTINCT ON (p.debtor_id, p.currency) p.debtor_id, p.currency, p.amount, p.paid_on FROM payment p
WHERE p.debtor_id = ANY({debtors}) AND p.paid_on <= {day} AND p.valid_from <= {day} AND p.recorded_at <= {instant}
  AND p.paid_on > {since}
ORDER BY p.debtor_id, p.currency, p.paid_on DESC, p.id DESC
"""

CONSULTS = """
SELECT DISTINCT ON (c.round_id) c.round_id, c.result,
  (SELECT t.done_by FROM work_task t WHERE t.action_id = c.id AND t.outcome = c.result
    ORDER BY t.id DESC LIMIT 1) AS answered_by
FROM action c
WHERE c.round_id = ANY({rounds})
  AND c.kind = 'consult' AND c.state = 'executed' AND c.ended_at <= {instant}
ORDER BY c.round_id, c.executed_on DESC, c.id DESC
"""

HEARD = """
SELECT h.debtor_id, max(h.heard_on) AS heard_on FROM (
  SELECT v.debtor_id, v.received_on AS heard_on FROM answer v WHERE v.debtor_id = ANY({people}) AND {visible}
  UNION ALL SELECT c.debtor_id, c.called_on FROM contact_result c JOIN "case" k ON k.id = c.case_id
    WHERE k.debtor_id = ANY({people}) AND c.code IN ({spoken}) AND c.called_on <= {day} AND c.recorded_at <= {instant}
  UNION ALL SELECT k.debtor_id, v.stated_on FROM stated_reason v JOIN "case" k ON k.id = v.case_id
    WHERE k.debtor_id = ANY({people}) AND {visible}
  UNION ALL SELECT k.debtor_id, v.claimed_on FROM claimed_payment v JOIN "case" k ON k.id = v.case_id
    WHERE k.debtor_id = ANY({people}) AND {visible}
  UNION ALL SELECT k.debtor_id, v.made_on FROM promise v JOIN "case" k ON k.id = v.case_id
    WHERE k.debtor_id = ANY({people}) AND {visible}
  UNION ALL SELECT k.debtor_id, v.opened_on FROM dispute v JOIN "case" k ON k.id = v.case_id
    WHERE k.debtor_id = ANY({people}) AND {visible}
  UNION ALL SELECT k.debtor_id, COALESCE(v.accepted_on, v.valid_from) FROM plan v JOIN "case" k ON k.id = v.case_id
    WHERE k.debtor_id = ANY({people}) AND (v.accepted_on IS NOT NULL OR v.state = 'declined') AND {visible}
  UNION ALL SELECT p.debtor_id, p.paid_on FROM payment p
    WHERE p.debtor_id = ANY({people}) AND p.paid_on <= {day} AND p.valid_from <= {day} AND p.recorded_at <= {instant}
  UNION ALL SELECT v.debtor_id, v.settled_on FROM item_version v
    WHERE v.debtor_id = ANY({people}) AND v.settled_by IN ('payment', 'debit') AND v.settled_on <= {day} AND {visible}
) h WHERE h.heard_on > {since} GROUP BY h.debtor_id
"""


@dataclass(frozen=True)
class Material:
    """Everything that composing a cohort may speak of."""

    actions: list[Row]
    creditors: Mapping[int, Row]
    items: Mapping[int, list[Row]]
    """By action: what it asks for."""
    ledger: Mapping[tuple[int, str], list[Row]]
    """By debtor and currency: everything open; read where a step lists it only."""
    payers: Mapping[int, int]
    """By debtor: the account that pays for it, and so is written to (rule 22)."""
    profiles: Mapping[int, Row]
    contacts: Mapping[int, list[Row]]
    addresses: Mapping[int, list[Row]]
    preferences: Mapping[int, dict[str, str]]
    consents: Mapping[int, list[Row]]
    """By debtor: numbers at which it agreed to be texted."""
    earlier: Mapping[int, list[Row]]
    """By case: messages sent before, oldest first."""
    promises: Mapping[int, Row]
    plans: Mapping[int, Row]
    payments: Mapping[tuple[int, str], Row]
    consults: Mapping[int, Row]
    """By round: how its last consultation ended, and who answered it."""
    heard: Mapping[int, date]
    """By debtor: when it last spoke, wrote, agreed, objected or paid."""


class _Reading:
    def __init__(self, frames: Frames, as_of: date, now: datetime) -> None:
        self._frames = frames
        self._marks = {
            "item": ITEM,
            "day": f"DATE '{as_of.isoformat()}'",
            "since": f"DATE '{(as_of - LOOK_BACK).isoformat()}'",
            "instant": f"TIMESTAMPTZ '{now.isoformat()}'",
            "spoken": ", ".join(f"'{code}'" for code in sorted(SPOKEN_RESULTS)),
            "visible": f"({visible('v', as_of, now)})",
        }
        self._marks["known_on"] = data_on("cr.id", self._marks["day"], self._marks["instant"])

    def know(self, **ids: Iterable[int]) -> None:
        for name, values in ids.items():
            self._marks[name] = numbers(sorted(set(values)))

    def rows(self, query: str) -> list[Row]:
        return self._frames.read(query.format(**self._marks)).to_dicts()


def read_material(
    frames: Frames, action_ids: Iterable[int], as_of: date, now: datetime, lists_all: Callable[[Row], bool]
) -> Material:
    """Read what the messages of these actions may speak of; `lists_all`: whether one lists everything open."""
    reading = _Reading(frames, as_of, now)
    reading.know(actions=action_ids)
    return _material(reading, reading.rows(ACTIONS), reading.rows(ITEMS), lists_all)


def suppose_material(
    frames: Frames,
    action: Row,
    named: Mapping[int, int],
    as_of: date,
    now: datetime,
    lists_all: Callable[[Row], bool],
) -> Material:
    """What a message of an action would speak of that is no row; `named`: item → the amount asked of it."""
    reading = _Reading(frames, as_of, now)
    reading.know(items=named)
    items = [
        {**row, "action_id": action["action_id"], "asked": named[row["item_id"]]}
        for row in reading.rows(SUPPOSED_ITEMS)
    ]
    return _material(reading, [action], items, lists_all)


def _material(
    reading: _Reading, actions: list[Row], items: Iterable[Row], lists_all: Callable[[Row], bool]
) -> Material:
    reading.know(
        creditors=(row["creditor_id"] for row in actions),
        debtors=(row["debtor_id"] for row in actions),
        cases=(row["case_id"] for row in actions),
        rounds=(row["round_id"] for row in actions if row["round_id"] is not None),
    )
    payers = {row["debtor_id"]: row["payer_id"] for row in reading.rows(PAYERS)}
    reading.know(people=(*(row["debtor_id"] for row in actions), *payers.values()))
    listing = any(lists_all(row) for row in actions)
    return Material(
        actions=actions,
        creditors={row["id"]: row for row in reading.rows(CREDITORS)},
        items=_grouped(items, "action_id"),
        ledger=_grouped_by_account(reading.rows(LEDGER)) if listing else {},
        payers=payers,
        profiles={row["debtor_id"]: row for row in reading.rows(PROFILES)},
        contacts=_grouped(reading.rows(CONTACTS), "debtor_id"),
        addresses=_grouped(reading.rows(ADDRESSES), "debtor_id"),
        preferences=_preferences(reading.rows(PREFERENCES)),
        consents=_grouped(reading.rows(CONSENTS), "debtor_id"),
        earlier=_grouped(reading.rows(EARLIER), "case_id"),
        promises={row["case_id"]: row for row in reading.rows(PROMISES)},
        plans={row["case_id"]: {**row, "instalments": json.loads(row["instalments"])} for row in reading.rows(PLANS)},
        payments={(row["debtor_id"], row["currency"]): row for row in reading.rows(PAYMENTS)},
        consults={row["round_id"]: row for row in reading.rows(CONSULTS)},
        heard={row["debtor_id"]: row["heard_on"] for row in reading.rows(HEARD)},
    )


def action_ids_of(actions: pl.DataFrame) -> list[int]:
    """The ids in a frame of actions."""
    ids: list[int] = actions.get_column("action_id").to_list()
    return ids


def _grouped(rows: Iterable[Row], key: str) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[key], []).append(row)
    return grouped


def _grouped_by_account(rows: Iterable[Row]) -> dict[tuple[int, str], list[Row]]:
    grouped: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((row["debtor_id"], row["currency"]), []).append(row)
    return grouped


def _preferences(rows: Iterable[Row]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["debtor_id"], {})[row["name"]] = row["value"]
    return found
