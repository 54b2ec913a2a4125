"""The queries of what is owed and of what the engine did about it: the large tables, each read once."""

from maatpak.kernel.words import LegalStop
from maatpak.ledger.freshness import data_on
from tasks.facts.query import Query, schema
from tasks.facts.scope import PAYERS
from tasks.facts.sending import CAME_BACK, WENT_ELSEWHERE

STOPS = ", ".join(f"'{stop}'" for stop in LegalStop if stop is not LegalStop.NONE)

CREDITOR = f"""
SELECT cr.country, cr.language, cr.currency, {data_on("cr.id", ":day", ":instant")} AS data_on,
  (SELECT count(*) FROM "case" k WHERE k.creditor_id = cr.id) AS cases,
  EXISTS (SELECT 1 FROM debtor_profile p WHERE p.creditor_id = cr.id AND p.parent_no IS NOT NULL) AS has_groups,
  EXISTS (SELECT 1 FROM debtor_profile p WHERE p.creditor_id = cr.id AND p.payer_no IS NOT NULL) AS has_payers,
  (SELECT count(*) FROM creditor) > 1 AND EXISTS (
    SELECT 1 FROM debtor a JOIN debtor b ON b.party_id = a.party_id AND b.creditor_id <> a.creditor_id
    WHERE a.creditor_id = cr.id) AS shares_parties,
  EXISTS (SELECT 1 FROM item_version s WHERE s.creditor_id = cr.id AND s.valid_from <= :day
    AND s.recorded_at <= :instant AND (s.invoice_sent_on IS NOT NULL OR s.invoice_channel IS NOT NULL)) AS tells_sending
FROM creditor cr WHERE cr.id = :creditor
"""  # noqa: S608 - our own words

WRITTEN_ELSEWHERE = """
a.id AS action_id, a.creditor_id, :state(a) AS state, a.business_date AS proposed_on,
  CASE WHEN :known(a) THEN a.executed_on END AS executed_on
FROM action a JOIN "case" c ON c.id = a.case_id
WHERE (a.creditor_id <> :creditor OR NOT :in_shard(c)) AND a.written AND a.business_date > :contacts_since
  AND a.business_date <= :day AND a.proposed_at <= :instant
"""
"""Letters outside the scope: of other creditors, and of accounts that it does not hold."""

LEDGER: dict[str, Query] = {
    "cases": Query(
        """
        SELECT c.id AS case_id, c.debtor_id, c.party_id, d.debtor_no, c.currency, p.kind AS party_kind, p.country,
          p.language, p.email IS NOT NULL AS has_email, p.phone IS NOT NULL AS has_phone,
          p.street IS NOT NULL AND p.city IS NOT NULL AS has_post, p.preferred_channel, p.customer_since,
          p.key_account, p.revenue_12m, p.risk_class, p.credit_limit, p.hardship_until, p.legal_stop
        FROM "case" c JOIN debtor d ON d.id = c.debtor_id
        LEFT JOIN debtor_profile p ON p.debtor_id = c.debtor_id AND :visible(p)
        WHERE c.creditor_id = :creditor AND :in_shard(c)
        """,
        schema(
            "case_id int, debtor_id int, party_id int, debtor_no text, currency text, party_kind text, country text,"
            "language text, has_email flag, has_phone flag, has_post flag, preferred_channel text, customer_since day,"
            "key_account flag, revenue_12m int, risk_class text, credit_limit int, hardship_until day, legal_stop text"
        ),
    ),
    "payers": Query(
        f"""
        SELECT x.debtor_id, y.id AS payer_id, y.party_id AS payer_party_id, z.email IS NOT NULL AS has_email,
          z.phone IS NOT NULL AS has_phone, z.street IS NOT NULL AND z.city IS NOT NULL AS has_post, z.language,
          z.preferred_channel, COALESCE(NULLIF(z.legal_stop, 'none'), (
            SELECT min(CASE WHEN h.source IN ({STOPS}) THEN h.source ELSE '{LegalStop.REPRESENTED}' END) FROM hold h
            WHERE h.reason = 'legal_stop' AND h.state = 'active' AND h.from_on <= :day AND :visible(h)
              AND (h.scope = 'party' AND h.party_id = y.party_id OR h.scope = 'debtor' AND h.debtor_id = y.id)
            )) AS payer_stop
        {PAYERS} AND :debtors(x.debtor_id)
        """,  # noqa: S608 - our own words
        schema(
            "debtor_id int, payer_id int, payer_party_id int, has_email flag, has_phone flag, has_post flag,"
            "language text, preferred_channel text, payer_stop text"
        ),
    ),
    "open_items": Query(
        """
        SELECT v.debtor_id, v.currency, v.item_id, v.item_type, v.document_no, v.issued_on, v.due_on, v.amount,
          CASE WHEN v.settled_on > :day THEN v.amount ELSE v.open_amount END AS open_amount,
          CASE WHEN v.disputed_on > :day OR v.dispute_outcome IN ('rejected', 'withdrawn') THEN 0
            ELSE v.disputed_amount END AS flagged,
          v.reference, v.collect_on, CASE WHEN v.returned_on <= :day THEN v.returned_on END AS returned_on,
          v.payment_method, v.return_code
        FROM item_version v
        WHERE v.creditor_id = :creditor AND :visible(v) AND (v.open_amount > 0 OR v.settled_on > :day)
          AND :debtors(v.debtor_id)
        """,
        schema(
            "debtor_id int, currency text, item_id int, item_type text, document_no text, issued_on day, due_on day,"
            "amount int, open_amount int, flagged int, reference text, collect_on day, returned_on day,"
            "payment_method text, return_code text"
        ),
    ),
    "unreceived": Query(
        f"""
        SELECT v.item_id, COALESCE(v.invoice_sent_on > :day, TRUE) AS unsent FROM item_version v
        WHERE v.creditor_id = :creditor AND :visible(v) AND v.item_type = 'invoice' AND v.due_on > :last_bank_day
          AND (v.open_amount > 0 OR v.settled_on > :day) AND :debtors(v.debtor_id)
          AND (v.approved_on IS NULL OR v.approved_on > :day)
          AND (v.invoice_sent_on IS NULL OR v.invoice_sent_on > :day
            OR {CAME_BACK.format(a=":visible(a)")} OR {WENT_ELSEWHERE.format(f=":visible(f)")})
        """,  # noqa: S608 - our own words
        schema("item_id int, unsent flag"),
    ),
    "settled": Query(
        """
        SELECT v.debtor_id, v.currency, v.item_id, v.item_type, v.issued_on, v.due_on, v.amount, v.settled_on,
          COALESCE(v.settled_by, 'payment') IN ('payment', 'debit', 'left_ledger') AS paid, v.left_after,
          v.disputed_amount > 0 AND v.dispute_outcome IS DISTINCT FROM 'rejected'
            AND (v.disputed_on IS NULL OR v.disputed_on <= :day) AS disputed,
          CASE WHEN v.returned_on <= :day THEN v.returned_on END AS returned_on, v.return_code
        FROM item_version v
        WHERE v.creditor_id = :creditor AND :visible(v) AND v.open_amount = 0
          AND (v.settled_on IS NULL OR (v.settled_on > :since_24m AND v.settled_on <= :day)) AND :debtors(v.debtor_id)
        """,
        schema(
            "debtor_id int, currency text, item_id int, item_type text, issued_on day, due_on day, amount int,"
            "settled_on day, paid flag, left_after day, disputed flag, returned_on day, return_code text"
        ),
    ),
    "older_items": Query(
        """
        SELECT v.debtor_id, min(v.issued_on) AS older_on,
          count(*) FILTER (WHERE v.item_type = 'invoice') AS older_invoices
        FROM item_version v
        WHERE v.creditor_id = :creditor AND :visible(v) AND v.settled_on <= :since_24m AND :debtors(v.debtor_id)
        GROUP BY v.debtor_id
        """,
        schema("debtor_id int, older_on day, older_invoices int"),
    ),
    "families": Query(
        """
        WITH here AS (
          SELECT d.id AS debtor_id, d.debtor_no, p.parent_no, p.key_account
          FROM debtor d JOIN debtor_profile p ON p.debtor_id = d.id AND :visible(p) WHERE d.creditor_id = :creditor)
        SELECT * FROM here WHERE parent_no IS NOT NULL
          OR debtor_no IN (SELECT parent_no FROM here WHERE parent_no IS NOT NULL)
        """,
        schema("debtor_id int, debtor_no text, parent_no text, key_account flag"),
    ),
    "family_overdue": Query(
        """
        WITH here AS (
          SELECT d.id AS debtor_id, d.debtor_no, p.parent_no
          FROM debtor d JOIN debtor_profile p ON p.debtor_id = d.id AND :visible(p) WHERE d.creditor_id = :creditor)
        SELECT v.debtor_id, v.currency,
          sum(CASE WHEN v.settled_on > :day THEN v.amount ELSE v.open_amount END)::bigint AS overdue
        FROM item_version v
        WHERE v.creditor_id = :creditor AND :visible(v) AND (v.open_amount > 0 OR v.settled_on > :day)
          AND v.item_type IN ('invoice', 'debit_note') AND v.due_on <= :last_bank_day
          AND v.debtor_id IN (SELECT debtor_id FROM here WHERE parent_no IS NOT NULL
            OR debtor_no IN (SELECT parent_no FROM here WHERE parent_no IS NOT NULL))
        GROUP BY v.debtor_id, v.currency
        """,
        schema("debtor_id int, currency text, overdue int"),
    ),
    "last_payments": Query(
        """
        SELECT q.debtor_id, q.currency, max(q.paid_on) AS paid_on FROM payment q
        WHERE q.creditor_id = :creditor AND q.debtor_id IS NOT NULL AND q.paid_on <= :day AND q.valid_from <= :day
          AND q.recorded_at <= :instant AND :debtors(q.debtor_id)
        GROUP BY q.debtor_id, q.currency
        """,
        schema("debtor_id int, currency text, paid_on day"),
        ("payment",),
    ),
    "payments": Query(
        """
        SELECT q.item_id, q.paid_on, q.applied FROM payment q
        WHERE q.creditor_id = :creditor AND q.item_id IS NOT NULL AND q.paid_on > :since_6m AND q.paid_on <= :day
          AND q.valid_from <= :day AND q.recorded_at <= :instant AND :debtors(q.debtor_id)
        """,
        schema("item_id int, paid_on day, applied int"),
        ("payment",),
    ),
    "falls": Query(
        """
        WITH partly AS (
          SELECT DISTINCT p.item_id, p.debtor_id FROM item_version p
          WHERE p.creditor_id = :creditor AND p.valid_from > :since_6m AND p.valid_from <= :day
            AND p.recorded_at <= :instant AND p.open_amount > 0 AND p.open_amount < p.amount
            AND p.item_type IN ('invoice', 'debit_note') AND :debtors(p.debtor_id)),
        stood AS (
          SELECT v.id, v.item_id, v.debtor_id, v.currency, v.item_type, v.valid_from, v.amount, v.open_amount,
            v.disputed_amount, v.dispute_outcome, lag(v.amount) OVER before AS amount_before,
            lag(v.open_amount) OVER before AS open_before, lag(v.disputed_amount) OVER before AS disputed_before
          FROM item_version v
          WHERE v.creditor_id = :creditor AND v.debtor_id IN (SELECT debtor_id FROM partly)
            AND (v.item_type = 'credit_note' OR v.item_id IN (SELECT item_id FROM partly))
            AND v.valid_from <= :day AND v.recorded_at <= :instant
            AND NOT COALESCE(v.replaced_at <= :instant AND v.replaced_from <= v.valid_from, FALSE)
          WINDOW before AS (PARTITION BY v.item_id ORDER BY v.valid_from, v.id)),
        credited AS (
          SELECT debtor_id, currency, valid_from, sum(COALESCE(open_before, amount) - open_amount) AS used
          FROM stood WHERE item_type = 'credit_note' GROUP BY debtor_id, currency, valid_from)
        SELECT f.item_id, f.valid_from AS paid_on,
          (f.open_before - f.open_amount - GREATEST(COALESCE(k.used, 0), 0))::bigint AS applied
        FROM stood f LEFT JOIN credited k USING (debtor_id, currency, valid_from)
        WHERE f.item_type <> 'credit_note' AND f.open_amount > 0 AND f.amount = f.amount_before
          AND f.valid_from > :since_6m AND f.open_before - f.open_amount > GREATEST(COALESCE(k.used, 0), 0)
          AND f.disputed_amount >= f.disputed_before
          AND COALESCE(f.dispute_outcome, 'open') IN ('open', 'rejected', 'withdrawn')
          AND NOT EXISTS (SELECT 1 FROM dispute d WHERE d.item_id = f.item_id AND :visible(d)
            AND d.state IN ('accepted', 'part_accepted'))
          AND NOT EXISTS (SELECT 1 FROM payment q WHERE q.item_id = f.item_id AND q.valid_from <= :day
            AND q.paid_on <= :day AND q.recorded_at <= :instant)
        """,
        schema("item_id int, paid_on day, applied int"),
    ),
    "rounds": Query(
        """
        SELECT r.case_id, r.id AS round_id, r.number::bigint AS round_no, r.opened_on AS round_opened_on,
          CASE WHEN r.closed_at <= :instant AND r.closed_on <= :day THEN r.closed_on END AS closed_on,
          rc.segment AS round_segment, rc.pack_id AS round_pack_id, rc.entry_stage AS round_entry_stage,
          rc.entered_on AS rerouted_on, COALESCE(rc.by_hand, FALSE) AS moved_by_hand
        FROM round r JOIN "case" c ON c.id = r.case_id AND c.creditor_id = :creditor AND :in_shard(c)
        LEFT JOIN round_course rc ON rc.round_id = r.id AND :of_open_round(r) AND :visible(rc)
        WHERE r.opened_on <= :day AND r.opened_at <= :instant
        """,
        schema(
            "case_id int, round_id int, round_no int, round_opened_on day, closed_on day, round_segment text,"
            "round_pack_id int, round_entry_stage text, rerouted_on day, moved_by_hand flag"
        ),
        ("round",),
    ),
    "actions": Query(
        """
        SELECT a.id AS action_id, a.case_id, a.round_id, a.stage, a.step, a.kind, a.attempt::bigint AS attempt,
          a.occurrence, :state(a) AS state, a.reason, a.template, a.due_on, a.business_date AS proposed_on,
          a.executed_on, a.result, a.retry_on, a.retry_step, a.written, a.escalating, a.payer_party_id,
          :known(a) AS known,
          CASE WHEN a.round_id IS NULL THEN a.business_date > :steps_since ELSE :of_open_round(r) END AS in_scope
        FROM action a LEFT JOIN round r ON r.id = a.round_id
        WHERE a.creditor_id = :creditor AND :cases(a.case_id) AND a.proposed_at <= :instant AND a.business_date <= :day
          AND (CASE WHEN a.round_id IS NULL THEN a.business_date > :steps_since ELSE :of_open_round(r) END
            OR (a.written AND a.business_date > :contacts_since))
        """,
        schema(
            "action_id int, case_id int, round_id int, stage text, step text, kind text, attempt int, occurrence day,"
            "state text, reason text, template text, due_on day, proposed_on day, executed_on day, result text,"
            "retry_on day, retry_step text, written flag, escalating flag, payer_party_id int, known flag,"
            "in_scope flag"
        ),
        ("action",),
    ),
    "written_elsewhere": Query(
        f"""
        SELECT c.party_id, {WRITTEN_ELSEWHERE} AND a.payer_party_id IS NULL AND :readers(c.party_id)
        UNION ALL
        SELECT a.payer_party_id, {WRITTEN_ELSEWHERE} AND :readers(a.payer_party_id)
        """,
        schema("party_id int, action_id int, creditor_id int, state text, proposed_on day, executed_on day"),
        ("action",),
    ),
}
"""Name → query of what is read whole."""

BY_IDS: dict[str, Query] = {
    "round_items": Query(
        "SELECT q.round_id, q.item_id, q.joined_on FROM round_item q"
        " WHERE q.recorded_at <= :instant AND q.joined_on <= :day AND q.round_id",
        schema("round_id int, item_id int, joined_on day"),
    ),
    "action_items": Query(
        "SELECT q.action_id, q.item_id FROM action_item q WHERE q.action_id", schema("action_id int, item_id int")
    ),
    "message_actions": Query(
        "SELECT q.message_id, q.action_id FROM message_action q WHERE q.action_id",
        schema("message_id int, action_id int"),
    ),
    "messages": Query(
        "SELECT q.id AS message_id, q.channel, q.sent_on, q.reply_by FROM message q WHERE q.state = 'sent'"
        " AND q.sent_on <= :day AND (q.sent_at IS NULL OR q.sent_at <= :instant) AND q.id",
        schema("message_id int, channel text, sent_on day, reply_by day"),
    ),
    "evidence": Query(
        "SELECT q.message_id, q.kind, q.observed_on FROM evidence q WHERE q.kind <> 'accepted'"
        " AND q.observed_on <= :day AND q.recorded_at <= :instant AND q.message_id",
        schema("message_id int, kind text, observed_on day"),
    ),
}
"""Queries that end in the column whose ids are asked for; `Reader.of_ids` adds them."""
