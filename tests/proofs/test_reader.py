"""A proof is worth what it can see: each law, broken once in an otherwise spotless case, is found."""

from pathlib import Path

import polars as pl
import psycopg
import pytest

from maatpak.ledger.database import Database
from maatpak.ledger.store import EvidenceStore
from tests.proofs.invariants import INVARIANTS
from tests.proofs.reader import prove
from tests.proofs.spotless import lay_down

RECORD = "'2026-04-13', '2026-04-13 06:00Z'"
"""Valid and recorded the day before the demand."""

BROKEN: dict[str, str] = {
    "asked_was_open": "UPDATE action_item SET amount = 50001 WHERE action_id = 105",
    "asked_within_net": (
        "INSERT INTO promise (promise_no, case_id, amount, made_on, promised_on, received, source, state, actor,"
        " valid_from, recorded_at) VALUES ('P', 1, 100, '2026-03-10', '2026-03-20', 0, 'x', 'open', 'x', '2026-03-10',"
        " '2026-03-10 08:00Z')"
    ),
    "disputed_not_asked": (
        "INSERT INTO dispute (dispute_no, case_id, item_id, amount, accepted_amount, reason, owner, opened_on,"
        " answer_by, state, source, actor, valid_from, recorded_at) VALUES ('D', 1, {item}, 500, 500,"
        " 'price', 'x', '2026-03-10',"
        " '2026-03-20', 'accepted', 'x', 'x', '2026-03-10', '2026-03-10 08:00Z')"
    ),
    "budget_spacing": "UPDATE message SET sent_on = '2026-03-26' WHERE id = 201",
    "budget_total": (
        "UPDATE message SET sent_on = '2026-04-08' WHERE id = 203;"
        " UPDATE message SET sent_on = '2026-03-30' WHERE id = 201;"
        " UPDATE message SET sent_on = '2026-04-02' WHERE id = 202"
    ),
    "one_letter_a_day": (
        "UPDATE action SET creditor_id = 2 WHERE id = 101; UPDATE message SET sent_on = '2026-03-24' WHERE id = 201"
    ),
    "working_days_only": "UPDATE message SET sent_on = '2026-03-21' WHERE id = 202",
    "no_demand_at_christmas": "UPDATE action SET started_on = '2026-05-13' WHERE id = 105",
    "businesses_only": "UPDATE debtor_profile SET kind = 'consumer'",
    "threat_was_heard": (
        "INSERT INTO evidence (message_id, kind, source, observed_on, recorded_at)"
        " VALUES (202, 'returned', 'post', '2026-03-30', '2026-03-30Z')"
    ),
    "placed_on_a_letter": (
        "CREATE TEMP TABLE placed AS SELECT * FROM action WHERE id = 105;"
        " UPDATE placed SET id = 106, stage = 'handoff', step = 'handoff', kind = 'handoff',"
        " started_at = '2026-05-12 06:10Z', started_on = '2026-05-12', executed_on = '2026-05-12', tick_id = NULL;"
        " INSERT INTO action SELECT * FROM placed;"
        " INSERT INTO evidence (message_id, kind, source, observed_on, recorded_at)"
        " VALUES (203, 'returned', 'post', '2026-05-04', '2026-05-04Z')"
    ),
    "call_was_tried": "UPDATE contact_result SET day_part = 'morning'",
    "manager_was_heard": "UPDATE action SET result = 'no' WHERE id = 104",
    "people_approved": "UPDATE approval SET content_hash = 'another'",
    "checked_before_placing": "UPDATE action SET kind = 'handoff' WHERE id = 105",
    "four_eyes": "UPDATE contact_result SET actor = 'manager'",
    "skipped_with_reason": "UPDATE action SET state = 'skipped', reason = '' WHERE id = 104",
    "no_contact_while_stopped": (
        "INSERT INTO hold (hold_no, scope, debtor_id, case_id, reason, source, from_on, until_on, state, note, actor,"
        " valid_from, recorded_at) VALUES ('H', 'case', 1, 1, 'complaint', 'x', '2026-04-13', '2026-04-20', 'active',"
        f" '', 'x', {RECORD})"
    ),
    "no_threat_while_open": (
        "INSERT INTO answer (answer_no, creditor_id, debtor_id, case_id, channel, received_on, valid_from, recorded_at)"
        f" VALUES ('A', 1, 1, 1, 'email', '2026-04-13', {RECORD})"
    ),
    "no_duplicate_message": "UPDATE message SET channel = 'post', recipient = 'post' WHERE id = 204",
    "no_duplicate_step": "UPDATE action SET step = 'reminder', attempt = 2 WHERE id = 102",
    "one_step_a_tick": "UPDATE action SET business_date = '2026-03-16', tick_id = 101 WHERE id = 102",
    "term_is_kept": "UPDATE message SET reply_by = '2026-04-02' WHERE id = 202",
    "closed_when_settled": "UPDATE round SET closed_on = '2026-04-15', closed_at = '2026-04-15 06:00Z'",
    "calls_within_bounds": "UPDATE contact_result SET called_on = '2026-03-31' WHERE called_on = '2026-04-01'",
    "wrongful_contacts_are_apologised_for": (
        "INSERT INTO touch (creditor_id, party_id, kind, rating, wrongful, touched_on, recorded_at)"
        " VALUES (1, 1, 'wrongful', -12, TRUE, '2026-04-14', '2026-04-14Z')"
    ),
}
"""Law → how to break it."""


def test_every_law_is_broken_once() -> None:
    assert {invariant.name for invariant in INVARIANTS} == set(BROKEN)


def test_nothing_is_found_in_a_spotless_case(database: Database, tmp_path: Path) -> None:
    lay_down(database, tmp_path)
    proof = prove(database.url, tmp_path)
    assert proof.breaches == []
    assert proof.checked["proof_effect"] == 4
    assert proof.checked["proof_evidence"] == 4


@pytest.mark.parametrize("law", sorted(BROKEN))
def test_a_broken_law_is_found(database: Database, tmp_path: Path, law: str) -> None:
    item_id = lay_down(database, tmp_path)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(BROKEN[law].format(item=item_id))
    found = [breach.law for breach in prove(database.url, tmp_path).breaches]
    assert law in found


@pytest.mark.parametrize(
    ("cases", "reasons"), [([2], ["wait"]), ([1], ["because"]), ([1], [None])], ids=["absent", "unknown", "mute"]
)
def test_silence_without_a_reason_is_found(
    database: Database, tmp_path: Path, cases: list[int], reasons: list[str | None]
) -> None:
    lay_down(database, tmp_path)
    frame = pl.DataFrame(
        {"case_id": cases, "outcome": "none", "reason": reasons}, schema_overrides={"reason": pl.String}
    )
    key = EvidenceStore(str(tmp_path)).put_frame("decisions", frame)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE tick SET decisions_evidence = %s WHERE id = 103", [key])
    assert "silence_has_a_reason" in [breach.law for breach in prove(database.url, tmp_path).breaches]


TWICE_ON_ONE_DAY = """
INSERT INTO party SELECT (jsonb_populate_record(p, '{{"id": 92, "party_ref": "other"}}')).* FROM party p WHERE id = 1;
INSERT INTO debtor SELECT (jsonb_populate_record(d, '{{"id": 92, "party_id": 92, "debtor_no": "C2"}}')).*
  FROM debtor d WHERE id = 1;
INSERT INTO debtor_profile SELECT (jsonb_populate_record(p, '{{"id": 92, "debtor_id": 92, "payer_no": {payer}}}')).*
  FROM debtor_profile p WHERE debtor_id = 1;
INSERT INTO "case" SELECT (jsonb_populate_record(k, '{{"id": 92, "debtor_id": 92, "party_id": 92}}')).*
  FROM "case" k WHERE id = 1;
INSERT INTO action SELECT (jsonb_populate_record(a, '{{"id": 192, "case_id": 92}}')).* FROM action a WHERE id = 101;
INSERT INTO message SELECT (jsonb_populate_record(m, '{{"id": 292, "debtor_id": 92, "case_id": 92, "content_key": "x",
  "message_ref": "x"}}')).* FROM message m WHERE id = 201;
INSERT INTO message_action VALUES (292, 192);
"""
"""A letter about another customer, on the day of one to the first."""


@pytest.mark.parametrize(("payer", "found"), [('"C1"', True), ("null", False)], ids=["who pays", "each for itself"])
def test_who_pays_is_counted_over_all_that_it_pays_for(
    database: Database, tmp_path: Path, payer: str, found: bool
) -> None:
    lay_down(database, tmp_path)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(TWICE_ON_ONE_DAY.format(payer=payer))
    laws = [breach.law for breach in prove(database.url, tmp_path).breaches]
    assert ("one_letter_a_day" in laws) is found
