"""The bare input and output of a tick: what it reads, read with ADBC, and what it writes, ingested with ADBC.

No joins, no conditions but "of this creditor", no arithmetic: what nobody could do a tick without.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from maatpak.ledger.database import Database

READS: Mapping[str, str] = {
    "case": 'SELECT id, debtor_id, party_id, currency FROM "case" WHERE creditor_id = 1',
    "debtor": "SELECT id, debtor_no FROM debtor WHERE creditor_id = 1",
    "profile": (
        "SELECT debtor_id, kind, country, language, email IS NOT NULL AS email, phone IS NOT NULL AS phone,"
        " street IS NOT NULL AS street, preferred_channel, customer_since, key_account, revenue_12m, risk_class,"
        " credit_limit, hardship_until,"
        " legal_stop, parent_no FROM debtor_profile WHERE creditor_id = 1"
    ),
    "open": (
        "SELECT debtor_id, currency, item_id, item_type, document_no, issued_on, due_on, amount, open_amount,"
        " disputed_amount, reference, collect_on, returned_on, payment_method, return_code"
        " FROM item_version WHERE creditor_id = 1 AND open_amount > 0"
    ),
    "settled": (
        "SELECT debtor_id, currency, item_id, item_type, issued_on, due_on, amount, settled_on, settled_by, left_after,"
        " disputed_amount, disputed_on, returned_on, return_code"
        " FROM item_version WHERE creditor_id = 1 AND open_amount = 0"
    ),
    "round": "SELECT id, case_id, number, opened_on, closed_on FROM round",
    "course": "SELECT round_id, segment, pack_id, entry_stage, valid_from, cause FROM round_course",
    "round_item": "SELECT round_id, item_id, joined_on FROM round_item",
    "action": (
        "SELECT id, case_id, round_id, stage, step, kind, attempt, occurrence, state, reason, template, due_on,"
        " business_date, executed_on, result, retry_on, retry_step, written FROM action WHERE creditor_id = 1"
    ),
    "action_item": "SELECT action_id, item_id FROM action_item",
    "message": "SELECT id, channel, sent_on FROM message WHERE creditor_id = 1",
    "message_action": "SELECT message_id, action_id FROM message_action",
    "evidence": "SELECT message_id, kind, observed_on FROM evidence",
    "call": "SELECT id, case_id, code, day_part, callback_on, called_on FROM contact_result WHERE creditor_id = 1",
    "hold": "SELECT scope, party_id, debtor_id, case_id, item_id, reason, until_on FROM hold",
    "promise": "SELECT id, case_id, state, promised_on, amount, received FROM promise",
    "dispute": "SELECT case_id, item_id, state, amount, opened_on FROM dispute",
    "reason": "SELECT case_id, reason, stated_on FROM stated_reason",
    "payment": "SELECT debtor_id, item_id, paid_on, applied FROM payment WHERE creditor_id = 1",
    "touch": "SELECT party_id, touched_on, rating FROM touch",
}
"""What a tick looks at, as plain columns of plain tables."""

WRITTEN: Mapping[str, str] = {
    "action": "SELECT * FROM action WHERE tick_id IS NOT NULL",
    "action_item": ("SELECT i.* FROM action_item i JOIN action a ON a.id = i.action_id WHERE a.tick_id IS NOT NULL"),
    "contact_slot": "SELECT * FROM contact_slot",
    "round": "SELECT * FROM round WHERE opened_on = DATE '{day}'",
    "round_course": "SELECT c.* FROM round_course c WHERE c.valid_from = DATE '{day}'",
    "round_item": "SELECT i.* FROM round_item i WHERE i.joined_on = DATE '{day}'",
}
"""The rows that a tick leaves in the tables; a population has none of them before."""

FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS owner, pg_get_constraintdef(oid) AS key FROM pg_constraint
WHERE contype = 'f' AND conrelid::regclass::text IN ({written}) AND confrelid::regclass::text NOT IN ({absent})
"""
"""Those that point at rows which are there without the tick, too."""


def rows_written(database: Database, day: date) -> dict[str, pl.DataFrame]:
    """What a tick of that day wrote, table by table."""
    with database.frames(read_only=True) as frames:
        return {table: frames.read(query.format(day=day)) for table, query in WRITTEN.items()}


def make_targets(database: Database) -> None:
    """Empty tables with the same columns and keys as those that a tick writes to, foreign keys among them."""
    written = ", ".join(f"'{table}'" for table in WRITTEN)
    with database.frames() as frames:
        for table in WRITTEN:
            frames.execute(f'CREATE TABLE raw_{table} (LIKE "{table}" INCLUDING ALL)')
        for owner, key in frames.read(FOREIGN_KEYS.format(written=written, absent=f"{written}, 'tick'")).iter_rows():
            frames.execute(f"ALTER TABLE raw_{owner} ADD {key}")


def read_and_write(database: Database, rows: Mapping[str, pl.DataFrame]) -> int:
    """Read everything, ingest the rows; how many were read."""
    count = 0
    with database.frames() as frames:
        for query in READS.values():
            count += frames.read(query).height
        for table, frame in rows.items():
            with frames.connection.cursor() as cursor:
                cursor.adbc_ingest(f"raw_{table}", frame.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="append")
    return count
