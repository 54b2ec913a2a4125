"""Triggers that keep history what it was (law 10) and states within their transitions, whoever writes.

A guard is a condition on the old and the new row that PostgreSQL evaluates itself; the function behind it only raises,
so a permitted bulk update costs next to nothing. The SQL is frozen beside the migrations; a test compares the two.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Table

from maatpak.kernel.words import ACTION_TRANSITIONS, MESSAGE_TRANSITIONS
from maatpak.ledger.tables import Versioned, metadata

APPEND_ONLY = (
    "action_item",
    "approval",
    "case_note",
    "contact_result",
    "event",
    "evidence",
    "finding",
    "message_action",
    "payment",
    "placement_check",
    "policy_pack",
    "round_item",
    "snapshot",
    "tick",
    "touch",
)
"""Rows that are written once."""

REMOVABLE = (
    *("call_reservation", "call_once", "case_standing", "console_session", "contact_slot", "contact_wait", "figure"),
    *("journey_figure", "person_creditor", "wake"),
)
"""Rows that may go again: a claimed day is given back when its action is cancelled, a wait ends with the letter, and
who was looked at need not be looked at; where a case stands is only a copy, and figures are reckoned anew; what a
person may see is told by events, and sessions, reservations and answers to calls are of use for minutes or hours."""

PARTY_ONLY: Mapping[str, str] = {"contact_result": "payer_party_id", "touch": "party_id"}
"""Of rows that are written once: the one column that changes, where two parties turned out to be one."""

IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "action": (
        *("creditor_id", "case_id", "round_id", "stage", "step", "attempt", "occurrence", "kind", "segment", "pack_id"),
        *("template", "written", "escalating", "approval_role", "approvals_needed", "business_date", "proposed_at"),
    ),
    "message": (
        *("creditor_id", "debtor_id", "case_id", "channel", "recipient", "language", "template", "content_key"),
        *("attempt", "message_ref", "subject", "content", "written", "reply_by", "business_date", "queued_at"),
    ),
    "work_task": ("creditor_id", "debtor_id", "case_id", "action_id", "kind", "opened_on", "recorded_at"),
    "change_request": ("person_id", "creditor_id", "changes", "asked_by", "asked_at"),
    "api_token": ("person_id", "name", "token_hash", "scope", "created_at", "expires_at"),
    "quarantined_row": (
        "snapshot_id",
        "creditor_id",
        "file",
        "row_no",
        "table_name",
        "raw",
        "rules",
        "salt",
        "recorded_at",
    ),
    "pack_draft": (
        *("name", "content_hash", "files", "note", "bases", "move_running"),
        *("submitted_by", "submitted_on", "submitted_at"),
    ),
    "round": ("case_id", "number", "opened_on", "opened_at"),
    "case": ("creditor_id", "debtor_id", "currency", "recorded_at"),
    "item": ("creditor_id", "item_type", "document_no", "issued_on", "currency", "recorded_at"),
}
"""Columns that say what a row is; only its state may change."""

TRANSITIONS: Mapping[str, Mapping[Any, Iterable[str]]] = {
    "action": ACTION_TRANSITIONS,
    "message": MESSAGE_TRANSITIONS,
    "work_task": {"open": ("done", "cancelled"), "done": (), "cancelled": ()},
    "quarantined_row": {"open": ("released", "discarded", "superseded")},
    "change_request": {"asked": ("confirmed", "refused")},
    "pack_draft": {"submitted": ("published", "withdrawn", "refused"), "published": (), "withdrawn": (), "refused": ()},
}
"""By table: which state may follow which."""

REFUSE = """
CREATE FUNCTION maatpak_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Maatpak keeps its history: % on % refused, %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
    USING ERRCODE = 'restrict_violation';
END
$$
"""

REFUSE_STATE = """
CREATE FUNCTION maatpak_refuse_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Maatpak refused a change of %: % may not become %', TG_TABLE_NAME, OLD.state, NEW.state
    USING ERRCODE = 'restrict_violation';
END
$$
"""


def create_script() -> str:
    """The SQL that sets every guard."""
    statements = [REFUSE.strip(), REFUSE_STATE.strip()]
    for table in sorted(metadata.tables.values(), key=lambda each: each.name):
        statements += _guards_of(table)
    return ";\n\n".join(statements) + ";\n"


DROP_SCRIPT = "DROP FUNCTION maatpak_refuse_state() CASCADE; DROP FUNCTION maatpak_refuse() CASCADE;"
"""The SQL that takes the functions away, and with them every trigger."""


def _guards_of(table: Table) -> list[str]:
    name = table.name
    statements = [_statement_guard(name, "TRUNCATE", "it is never emptied")]
    if name not in REMOVABLE:
        statements.append(_row_guard(name, "DELETE", "nothing is ever removed", None))
    if name in APPEND_ONLY:
        kept = [column.name for column in table.columns if column.name != PARTY_ONLY.get(name)]
        condition = f"NOT ({_same(kept)})" if name in PARTY_ONLY else None
        statements.append(_row_guard(name, "UPDATE", "its rows are written once", condition))
    elif _is_versioned(table):
        content = [column.name for column in table.columns if not column.name.startswith("replaced_")]
        stamped = "OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.replaced_from IS NOT NULL"
        condition = f"NOT ({stamped} AND {_same(content)})"
        statements.append(_row_guard(name, "UPDATE", "a version is only stamped as replaced, once", condition))
    if name in IDENTITIES:
        condition = f"NOT ({_same(('id', *IDENTITIES[name]))})"
        statements.append(_row_guard(name, "UPDATE", "only the state of a row changes", condition))
    if name == "round":
        statements.append(_row_guard(name, "UPDATE", "a round closes once", "OLD.closed_at IS NOT NULL", "closed"))
    if name == "event_head":
        statements.append(_row_guard(name, "UPDATE", "the chain only grows", "NEW.seq <= OLD.seq"))
    if name in TRANSITIONS:
        statements.append(_transition_guard(name, TRANSITIONS[name]))
    return statements


def _is_versioned(table: Table) -> bool:
    return set(Versioned.model_fields) <= set(table.columns.keys())


def _same(columns: Iterable[str]) -> str:
    listed = list(columns)
    old, new = (", ".join(f'{row}."{column}"' for column in listed) for row in ("OLD", "NEW"))
    return f"ROW({new})\n      IS NOT DISTINCT FROM\n    ROW({old})"


def _statement_guard(table: str, operation: str, why: str) -> str:
    return (
        f'CREATE TRIGGER keep_{operation.lower()} BEFORE {operation} ON "{table}"'
        f"\n  FOR EACH STATEMENT EXECUTE FUNCTION maatpak_refuse('{why}')"
    )


def _row_guard(table: str, operation: str, why: str, condition: str | None, name: str = "") -> str:
    when = f"\n  WHEN ({condition})\n " if condition else ""
    return (
        f'CREATE TRIGGER keep_{name or operation.lower()} BEFORE {operation} ON "{table}"'
        f"\n  FOR EACH ROW{when} EXECUTE FUNCTION maatpak_refuse('{why}')"
    )


def _transition_guard(table: str, transitions: Mapping[str, Iterable[str]]) -> str:
    allowed = [f"{_word(old)}>{_word(new)}" for old, following in transitions.items() for new in sorted(following)]
    listed = ", ".join(f"'{pair}'" for pair in allowed)
    return (
        f'CREATE TRIGGER keep_state BEFORE UPDATE ON "{table}"\n  FOR EACH ROW'
        f"\n  WHEN (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({listed}))"
        "\n  EXECUTE FUNCTION maatpak_refuse_state()"
    )


def _word(word: str) -> str:
    return word.value if isinstance(word, StrEnum) else word
