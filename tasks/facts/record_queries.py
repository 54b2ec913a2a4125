"""The queries of what people recorded and customers said: small tables, often empty."""

from tasks.facts.query import PLAIN, Query, schema

CALLED_ELSEWHERE = """
t.id AS call_id, t.case_id, t.code, t.callback_on, t.called_on
FROM contact_result t JOIN "case" c ON c.id = t.case_id
WHERE (t.creditor_id <> :creditor OR NOT :in_shard(c)) AND t.recorded_at <= :instant AND t.called_on <= :day
  AND t.called_on > :steps_since
"""
"""Calls outside the scope."""

RECORDS: dict[str, Query] = {
    "calls": Query(
        """
        SELECT t.id AS call_id, t.case_id, t.payer_party_id, t.code, t.day_part, t.callback_on, t.called_on
        FROM contact_result t
        WHERE t.creditor_id = :creditor AND :cases(t.case_id) AND t.recorded_at <= :instant AND t.called_on <= :day
          AND t.called_on > :steps_since
        """,
        schema(
            "call_id int, case_id int, payer_party_id int, code text, day_part text, callback_on day, called_on day"
        ),
        ("contact_result",),
    ),
    "calls_elsewhere": Query(
        f"""
        SELECT c.party_id, {CALLED_ELSEWHERE} AND t.payer_party_id IS NULL AND :readers(c.party_id)
        UNION ALL
        SELECT t.payer_party_id, {CALLED_ELSEWHERE} AND :readers(t.payer_party_id)
        """,
        schema("party_id int, call_id int, case_id int, code text, callback_on day, called_on day"),
        ("contact_result",),
    ),
    "work_done": Query(
        """
        SELECT w.case_id, w.done_on FROM work_task w
        WHERE w.creditor_id = :creditor AND w.blocks AND w.case_id IS NOT NULL AND w.state = 'done'
          AND w.done_at <= :instant AND w.done_on <= :day AND w.done_on >= :day - 90 AND :cases(w.case_id)
        """,
        schema("case_id int, done_on day"),
        ("work_task",),
    ),
    "calls_waived": Query(
        """
        SELECT w.case_id, a.round_id FROM work_task w JOIN action a ON a.id = w.action_id
        WHERE w.creditor_id = :creditor AND w.kind = 'review' AND w.state = 'done' AND w.outcome = 'waived'
          AND w.done_at <= :instant AND w.done_on <= :day AND :cases(w.case_id)
        """,
        schema("case_id int, round_id int"),
        ("work_task",),
    ),
    "blocking_work": Query(
        """
        SELECT w.case_id, w.debtor_id, w.opened_on FROM work_task w
        WHERE w.creditor_id = :creditor AND w.blocks AND w.recorded_at <= :instant AND w.opened_on <= :day
          AND (w.state = 'open' OR w.done_at > :instant OR w.done_on > :day) AND :debtors(w.debtor_id)
        """,
        schema("case_id int, debtor_id int, opened_on day"),
        ("work_task",),
    ),
    "replies": Query(
        """
        SELECT w.case_id, w.done_on AS told_on,
          EXISTS (SELECT 1 FROM dispute d WHERE d.dispute_no = w.record_no) AS of_dispute
        FROM work_task w
        WHERE w.creditor_id = :creditor AND w.kind = 'reply' AND w.blocks AND w.state = 'done'
          AND w.done_at <= :instant AND w.done_on <= :day AND w.done_on > :steps_since AND w.case_id IS NOT NULL
          AND :debtors(w.debtor_id)
        """,
        schema("case_id int, told_on day, of_dispute flag"),
        ("work_task",),
    ),
    "holds": Query(
        """
        SELECT h.scope, h.party_id, h.debtor_id, h.case_id, h.item_id, h.reason, h.source, h.until_on
        FROM hold h WHERE :visible(h) AND h.state = 'active' AND h.from_on <= :day
          AND (h.until_on >= :day OR h.reason = 'legal_stop')
          AND (CASE h.scope WHEN 'party' THEN :parties(h.party_id)
            ELSE h.debtor_id IN (SELECT debtor_id FROM "case" c WHERE c.creditor_id = :creditor AND :in_shard(c)) END)
        """,
        schema(
            "scope text, party_id int, debtor_id int, case_id int, item_id int, reason text, source text, until_on day"
        ),
        ("hold",),
    ),
    "disputes": Query(
        """
        SELECT q.case_id, q.item_id, q.state, q.opened_on, q.decided_on,
          CASE q.state WHEN 'part_accepted' THEN q.accepted_amount ELSE q.amount END AS amount
        FROM dispute q JOIN "case" c ON c.id = q.case_id AND c.creditor_id = :creditor AND :in_shard(c)
        WHERE :visible(q) AND q.opened_on <= :day
        """,
        schema("case_id int, item_id int, state text, opened_on day, decided_on day, amount int"),
        ("dispute",),
    ),
    "promises": Query(
        """
        SELECT q.id AS record_id, q.case_id, q.state, q.made_on, q.promised_on, q.valid_from AS state_on,
          q.amount - q.received AS amount, e.key::bigint AS item_id, e.value::bigint AS item_amount
        FROM promise q JOIN "case" c ON c.id = q.case_id AND c.creditor_id = :creditor AND :in_shard(c)
        LEFT JOIN LATERAL jsonb_each_text(CASE jsonb_typeof(q.items) WHEN 'object' THEN q.items END) e ON TRUE
        WHERE :visible(q) AND (q.state = 'open' OR (q.state = 'broken' AND q.valid_from > :steps_since))
        """,
        schema(
            "record_id int, case_id int, state text, made_on day, promised_on day, state_on day, amount int,"
            "item_id int, item_amount int"
        ),
        ("promise",),
    ),
    "claims": Query(
        """
        SELECT q.id AS record_id, q.case_id, q.until_on, q.amount,
          e.key::bigint AS item_id, e.value::bigint AS item_amount
        FROM claimed_payment q JOIN "case" c ON c.id = q.case_id AND c.creditor_id = :creditor AND :in_shard(c)
        LEFT JOIN LATERAL jsonb_each_text(CASE jsonb_typeof(q.items) WHEN 'object' THEN q.items END) e ON TRUE
        WHERE :visible(q) AND q.claimed_on <= :day
          AND (q.state = 'open' OR (q.state = 'found' AND q.until_on >= :day))
        """,
        schema("record_id int, case_id int, until_on day, amount int, item_id int, item_amount int"),
        ("claimed_payment",),
    ),
    "plans": Query(
        """
        SELECT q.id AS record_id, q.case_id, q.state, q.offered_on, q.valid_until, q.accepted_on, q.breached_on,
          (SELECT max((i ->> 'due_on')::date) FROM jsonb_array_elements(q.instalments) i) AS last_on,
          e.key::bigint AS item_id, e.value::bigint AS item_amount
        FROM plan q JOIN "case" c ON c.id = q.case_id AND c.creditor_id = :creditor AND :in_shard(c)
        LEFT JOIN LATERAL jsonb_each_text(q.items) e ON q.state IN ('offered', 'active')
        WHERE :visible(q) AND q.offered_on <= :day
        """,
        schema(
            "record_id int, case_id int, state text, offered_on day, valid_until day, accepted_on day,"
            "breached_on day, last_on day, item_id int, item_amount int"
        ),
        ("plan",),
    ),
    "placements": Query(
        """
        SELECT q.id AS record_id, q.case_id, e.key::bigint AS item_id, e.value::bigint AS item_amount
        FROM placement q CROSS JOIN LATERAL jsonb_each_text(q.items) e
        WHERE q.creditor_id = :creditor AND :cases(q.case_id) AND :visible(q) AND q.state = 'placed'
        """,
        schema("record_id int, case_id int, item_id int, item_amount int"),
        ("placement",),
    ),
    "reasons": Query(
        """
        SELECT q.id AS record_id, q.case_id, q.reason, q.stated_on
        FROM stated_reason q JOIN "case" c ON c.id = q.case_id AND c.creditor_id = :creditor AND :in_shard(c)
        WHERE :visible(q) AND q.stated_on <= :day AND q.stated_on >= :day - 90
        """,
        schema("record_id int, case_id int, reason text, stated_on day"),
        ("stated_reason",),
    ),
    "preferences": Query(
        """
        SELECT q.debtor_id, q.name, q.value FROM preference q JOIN debtor d ON d.id = q.debtor_id
        WHERE d.creditor_id = :creditor AND :visible(q) AND :people(q.debtor_id)
        """,
        schema("debtor_id int, name text, value text"),
        ("preference",),
    ),
    "tickets": Query(
        """
        SELECT t.debtor_id, t.opened_on FROM ticket t JOIN debtor d ON d.id = t.debtor_id
        WHERE d.creditor_id = :creditor AND :visible(t) AND t.opened_on <= :day
          AND (t.closed_on IS NULL OR t.closed_on > :day) AND :debtors(t.debtor_id)
        """,
        schema("debtor_id int, opened_on day"),
        ("ticket",),
    ),
    "answers": Query(
        """
        SELECT q.debtor_id, q.case_id, q.received_on, q.read_on IS NULL OR q.read_on > :day AS unread
        FROM answer q WHERE q.creditor_id = :creditor AND :visible(q) AND q.received_on <= :day
          AND (q.received_on > :steps_since OR q.read_on IS NULL) AND :debtors(q.debtor_id)
        """,
        schema("debtor_id int, case_id int, received_on day, unread flag"),
        ("answer",),
    ),
    "unread_elsewhere": Query(
        """
        SELECT d.party_id FROM answer q JOIN debtor d ON d.id = q.debtor_id
        WHERE :visible(q) AND q.received_on <= :day AND (q.read_on IS NULL OR q.read_on > :day)
          AND :readers(d.party_id)
        """,
        schema("party_id int"),
        ("answer",),
    ),
    "contact_people": Query(
        """
        SELECT q.debtor_id, q.role, q.name, q.language,
          q.email IS NOT NULL AS has_email, q.phone IS NOT NULL AS has_phone
        FROM contact_person q JOIN debtor d ON d.id = q.debtor_id
        WHERE d.creditor_id = :creditor AND :visible(q) AND :people(q.debtor_id)
        """,
        schema("debtor_id int, role text, name text, language text, has_email flag, has_phone flag"),
        ("contact_person",),
    ),
    "addresses": Query(
        f"""
        WITH marked AS (
          SELECT a.debtor_id, a.channel, a.state, CASE a.channel WHEN 'email' THEN lower(a.address)
            WHEN 'phone' THEN regexp_replace(a.address, '[^0-9+]', '', 'g') ELSE a.address END AS address
          FROM address_state a JOIN debtor d ON d.id = a.debtor_id
          WHERE d.creditor_id = :creditor AND :visible(a) AND :people(a.debtor_id)),
        paid AS (
          SELECT x.debtor_id, y.id AS payer_id FROM debtor_profile x
          JOIN debtor y ON y.creditor_id = x.creditor_id AND y.debtor_no = x.payer_no AND y.id <> x.debtor_id
          WHERE x.creditor_id = :creditor AND x.payer_no IS NOT NULL AND :visible(x) AND :debtors(x.debtor_id)),
        told AS (
          SELECT debtor_id, debtor_id AS payer_id, channel, address, state, TRUE AS own FROM marked
          UNION ALL SELECT p.debtor_id, p.payer_id, m.channel, m.address, m.state, TRUE
            FROM paid p JOIN marked m ON m.debtor_id = p.debtor_id
          UNION ALL SELECT p.debtor_id, p.payer_id, m.channel, m.address, m.state, FALSE
            FROM paid p JOIN marked m ON m.debtor_id = p.payer_id),
        last AS (
          SELECT * FROM (SELECT *, bool_or(own) OVER (PARTITION BY debtor_id, payer_id, channel, address) AS by_own
            FROM told) t WHERE own OR NOT by_own),
        given AS (
          SELECT p.debtor_id AS payer_id, 'email' AS channel, lower(p.email) AS address FROM debtor_profile p
            WHERE p.email IS NOT NULL AND :visible(p) AND p.debtor_id IN (SELECT payer_id FROM told)
          UNION SELECT p.debtor_id, 'phone', regexp_replace(p.phone, '[^0-9+]', '', 'g') FROM debtor_profile p
            WHERE p.phone IS NOT NULL AND :visible(p) AND p.debtor_id IN (SELECT payer_id FROM told)
          UNION SELECT q.debtor_id, 'email', lower(q.email) FROM contact_person q
            WHERE q.email IS NOT NULL AND :visible(q) AND q.debtor_id IN (SELECT payer_id FROM told)
          UNION SELECT q.debtor_id, 'phone', regexp_replace(q.phone, '[^0-9+]', '', 'g') FROM contact_person q
            WHERE q.phone IS NOT NULL AND :visible(q) AND q.debtor_id IN (SELECT payer_id FROM told))
        SELECT x.debtor_id, g.payer_id, g.channel, COALESCE(m.state, 'unproven') AS state
        FROM (SELECT DISTINCT debtor_id, payer_id FROM told) x JOIN given g ON g.payer_id = x.payer_id
        LEFT JOIN last m ON m.debtor_id = x.debtor_id AND m.payer_id = x.payer_id AND m.channel = g.channel
          AND m.address = g.address
        UNION ALL SELECT m.debtor_id, m.payer_id, m.channel, m.state
        FROM last m JOIN debtor_profile p ON p.debtor_id = m.payer_id AND :visible(p)
        WHERE m.channel = 'post' AND position({PLAIN.format(text="p.street")} IN {PLAIN.format(text="m.address")}) > 0
          AND position({PLAIN.format(text="COALESCE(p.postal_code, '')")} IN {PLAIN.format(text="m.address")}) > 0
        """,  # noqa: S608 - our own words
        schema("debtor_id int, payer_id int, channel text, state text"),
        ("address_state",),
    ),
    "quarantine": Query(
        """
        SELECT q.debtor_no, count(*) AS quarantined_rows FROM quarantined_row q
        WHERE q.creditor_id = :creditor AND q.debtor_no IS NOT NULL
          AND q.recorded_at <= :instant AND q.business_date <= :day
          AND (q.state = 'open' OR q.resolved_at > :instant OR q.resolved_on > :day)
        GROUP BY q.debtor_no
        """,
        schema("debtor_no text, quarantined_rows int"),
        ("quarantined_row",),
    ),
    "touches": Query(
        """
        SELECT t.party_id, t.touched_on, t.rating::bigint AS rating, t.wrongful, t.kind = 'manager_letter' AS letter
        FROM touch t WHERE (t.rating <> 0 OR t.kind = 'manager_letter')
          AND (t.touched_on > :since_12m OR t.wrongful OR t.rating > 0)
          AND t.touched_on <= :day AND t.recorded_at <= :instant AND :parties(t.party_id)
        """,
        schema("party_id int, touched_on day, rating int, wrongful flag, letter flag"),
        ("touch",),
    ),
}
"""Name → query."""
