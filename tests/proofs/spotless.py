"""A case that was brought to a final demand by the book, as rows; the tests break one law of it at a time."""

from datetime import date
from pathlib import Path

import polars as pl
import psycopg

from maatpak.ledger.database import Database
from maatpak.ledger.store import EvidenceStore
from tests.lives.ledger import Ledger, person

STARTS = date(2026, 3, 2)
DEMAND = date(2026, 4, 14)

STEPS: tuple[tuple[int, str, str, str, str | None, bool, bool, date], ...] = (
    (101, "remind", "reminder", "message", None, True, False, date(2026, 3, 16)),
    (102, "remind", "second_notice", "message", None, True, False, date(2026, 3, 24)),
    (103, "listen", "call", "call", "tried", False, False, date(2026, 4, 2)),
    (104, "solve", "consult", "consult", "agree", False, False, date(2026, 4, 10)),
    (105, "demand", "final_demand", "message", None, True, True, DEMAND),
)
"""Id, stage, step, kind, result, written, escalating, day."""

MESSAGES = (
    (201, 101, "email", date(2026, 3, 16)),
    (202, 102, "post", date(2026, 3, 24)),
    (203, 105, "post", DEMAND),
    (204, 105, "email", DEMAND),
)

AMOUNT = 50_000


def lay_down(database: Database, evidence: Path) -> int:
    """Write the case; the id of its one overdue item."""
    ledger = Ledger(database)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO policy_pack (id, name, version, content_hash, files, note, published_by, recorded_at)"
            " VALUES (1, 'p', 1, 'h', '{}', '', 'admin', '2026-01-01Z')"
        )
    ledger.found(STARTS, 1, [person("collector", "collector"), person("manager", "credit_manager", 10_000_00)])
    account = ledger.open_account("C1", STARTS)
    item_id = ledger.book(account, AMOUNT, date(2026, 2, 2), date(2026, 3, 4), on=STARTS)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        _rows(connection, item_id, EvidenceStore(str(evidence)))
    return item_id


def _rows(connection: psycopg.Connection, item_id: int, store: EvidenceStore) -> None:
    connection.execute(
        "INSERT INTO round (id, case_id, number, opened_on, opened_at)"
        " VALUES (1, 1, 1, '2026-03-09', '2026-03-09 06:00Z')"
    )
    connection.execute("INSERT INTO round_item VALUES (1, %s, '2026-03-09', '2026-03-09 06:00Z')", [item_id])
    for number, stage, step, kind, result, written, escalating, day in STEPS:
        connection.execute(
            "INSERT INTO action (id, creditor_id, case_id, round_id, stage, step, attempt, kind, segment, pack_id,"
            " state, template, written, escalating, approval_role, approvals_needed, amount, overdue_amount,"
            " content_hash,"
            " due_on, business_date, proposed_at, started_on, started_at, executed_on, ended_at, result, tick_id)"
            " VALUES (%(n)s, 1, 1, 1, %(stage)s, %(step)s, 1, %(kind)s, 'forgetful', 1, 'executed', %(step)s,"
            " %(written)s, %(esc)s, CASE WHEN %(esc)s THEN 'credit_manager' END, %(esc)s::int, %(amount)s,"
            " %(amount)s, 'c',"
            " %(day)s, %(day)s, %(day)s + time '06:00', %(day)s, %(day)s + time '06:10', %(day)s, %(day)s + time"
            " '06:20',"
            " %(result)s, %(n)s)",
            {"n": number, "stage": stage, "step": step, "kind": kind, "written": written, "esc": escalating,
             "amount": AMOUNT, "day": day, "result": result},
        )  # fmt: skip
        connection.execute("INSERT INTO action_item VALUES (%s, %s, %s)", [number, item_id, AMOUNT])
        _tick(connection, number, day, store)
    for number, action, channel, day in MESSAGES:
        connection.execute(
            "INSERT INTO message (id, creditor_id, debtor_id, case_id, channel, recipient, language, template,"
            " content_key, attempt, message_ref, content, written, state, business_date, queued_at, tries,"
            " sent_on, sent_at) VALUES"
            " (%(n)s, 1, 1, 1, %(channel)s, %(channel)s, 'en', 't' || %(action)s, %(n)s::text, 1, %(n)s::text, '',"
            " TRUE, 'sent', %(day)s, %(day)s + time '06:10', 1, %(day)s, %(day)s + time '06:15')",
            {"n": number, "action": action, "channel": channel, "day": day},
        )
        connection.execute("INSERT INTO message_action VALUES (%s, %s)", [number, action])
    for day, part in ((date(2026, 3, 31), "morning"), (date(2026, 4, 1), "afternoon"), (date(2026, 4, 2), "morning")):
        connection.execute(
            "INSERT INTO contact_result (creditor_id, case_id, debtor_id, code, day_part, called_on, actor,"
            " recorded_at) VALUES (1, 1, 1, 'no_answer', %s, %s, 'collector', %s)",
            [part, day, day],
        )
    connection.execute(
        "INSERT INTO approval (action_id, content_hash, verdict, actor, role, reason, decided_on, recorded_at)"
        " VALUES (105, 'c', 'approved', 'manager', 'credit_manager', 'yes', %s, %s)",
        [DEMAND, DEMAND],
    )


def _tick(connection: psycopg.Connection, number: int, day: date, store: EvidenceStore) -> None:
    key = store.put_frame("decisions", pl.DataFrame({"case_id": [1], "outcome": ["act"], "reason": [None]},
                          schema_overrides={"reason": pl.String}).with_columns(day=pl.lit(day)))  # fmt: skip
    connection.execute(
        "INSERT INTO tick (id, creditor_id, shard, shards, business_date, known_at, engine_version, case_count,"
        " action_count, facts_evidence, steps_evidence, decisions_evidence, packs, snapshots, recorded_at) VALUES"
        " (%(n)s, 1, 0, 1, %(day)s, %(day)s + time '06:00', '0', 1, 1, '', '', %(key)s, '{}', '{}', %(day)s)",
        {"n": number, "day": day, "key": key},
    )
