"""The queries behind *why did this customer get this letter*: each by an index, all by ids."""

from tasks.audit.telling import COLUMNS, NAMES

MESSAGE = """
SELECT m.id AS message_id, m.message_ref, m.channel, m.recipient, m.language, m.template, m.subject, m.state, m.failure,
  m.business_date, m.queued_at, m.send_after, m.sent_on, m.sent_at, m.reply_by, m.content, m.instead_of,
  m.switch_reason, m.switch_cause, m.switch_on, m.reported_at, m.creditor_id, m.debtor_id, m.case_id,
  c.code AS creditor, c.name AS creditor_name, d.debtor_no, d.party_id, k.currency, p.name, p.kind AS party_kind,
  p.country, p.account_manager, p.customer_since, (SELECT seq FROM event_head) AS head_seq
FROM message m JOIN creditor c ON c.id = m.creditor_id JOIN debtor d ON d.id = m.debtor_id
JOIN "case" k ON k.id = m.case_id LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
WHERE m.id = :id AND m.creditor_id = ANY(:creditors)
"""
ACTIONS = """
SELECT a.id AS action_id, a.case_id, a.step, a.stage, a.kind, a.segment, r.number AS round_no, q.name AS pack,
  q.version AS pack_version, q.content_hash AS pack_hash, q.published_by, a.escalating, a.state, a.amount, k.currency,
  a.content_hash, a.due_on, a.business_date, a.executed_on, a.tick_id, t.business_date AS tick_day, t.known_at,
  t.engine_version, t.flow_run, t.packs, t.snapshots, t.facts_evidence, t.steps_evidence, t.decisions_evidence
FROM message_action s JOIN action a ON a.id = s.action_id JOIN "case" k ON k.id = a.case_id
JOIN policy_pack q ON q.id = a.pack_id LEFT JOIN round r ON r.id = a.round_id LEFT JOIN tick t ON t.id = a.tick_id
WHERE s.message_id = :id ORDER BY a.id
"""
APPROVALS = """
SELECT v.action_id, v.verdict, v.actor, p.name AS actor_name, v.role, v.reason, v.decided_on, v.lapses_on,
  v.recorded_at, v.content_hash, v.content_hash IS NOT DISTINCT FROM a.content_hash AS same
FROM approval v JOIN action a ON a.id = v.action_id LEFT JOIN person p ON p.login = v.actor
WHERE v.action_id = ANY(:actions) ORDER BY v.id
"""
ITEMS = """
SELECT i.item_id, v.document_no, v.issued_on, v.due_on, sum(i.amount)::bigint AS asked, v.open_amount AS open_now,
  v.disputed_amount AS disputed_now, v.settled_on, v.settled_by, v.currency
FROM action_item i JOIN item_version v ON v.item_id = i.item_id AND v.replaced_at IS NULL
WHERE i.action_id = ANY(:actions) GROUP BY i.item_id, v.id ORDER BY v.due_on, v.document_no
"""
EARLIER = """
SELECT m.id AS message_id, m.sent_on, m.channel, m.template, m.subject, m.state,
  COALESCE((SELECT array_agg(DISTINCT e.kind ORDER BY e.kind) FROM evidence e
    WHERE e.message_id = m.id AND e.recorded_at <= :queued_at), '{}') AS evidence
FROM message m WHERE m.case_id = ANY(:cases) AND m.queued_at < :queued_at AND m.written
ORDER BY m.queued_at DESC, m.id DESC LIMIT 20
"""
EVIDENCE = "SELECT kind, source, said, observed_on, recorded_at FROM evidence WHERE message_id = :id ORDER BY id"
ANSWERS = """
SELECT answer_no, channel, received_on, read_on, read_by, content, message_id IS NOT DISTINCT FROM :id AS to_this
FROM answer WHERE debtor_id = :debtor_id AND replaced_at IS NULL
  AND (message_id = :id OR (message_id IS NULL AND case_id = ANY(:cases) AND received_on >= CAST(:sent_on AS date)))
ORDER BY received_on, id
"""
TOUCHES = """
SELECT kind, rating, wrongful, cause, touched_on FROM touch
WHERE party_id = :party_id AND record_no = :contact ORDER BY id
"""
EVENTS = f"""
SELECT {COLUMNS} FROM (
  SELECT * FROM event WHERE case_id = ANY(:cases)
    AND (action_id = ANY(:actions) OR body ->> 'message' IN (:id_text, :ref) OR body ->> 'contact' = :contact)
  UNION SELECT * FROM event WHERE creditor_id = :creditor_id AND business_date = ANY(:tick_days)
    AND kind = 'tick_decided' AND CAST(body ->> 'tick' AS bigint) = ANY(:ticks)
  UNION SELECT * FROM event WHERE creditor_id = :creditor_id AND business_date = :business_date
    AND kind = 'step_executed' AND recorded_at = :queued_at
  UNION SELECT * FROM event WHERE creditor_id = :creditor_id AND business_date >= :business_date
    AND kind = 'messages_delivered' AND recorded_at = CAST(:reported_at AS timestamptz)
  UNION SELECT * FROM event WHERE policy_hash = ANY(:packs) AND kind = 'policy_published'
  UNION SELECT * FROM event WHERE creditor_id = :creditor_id AND kind = 'ledger_imported'
    AND snapshot_hash = ANY(:snapshots)) e {NAMES} ORDER BY e.seq
"""  # noqa: S608 - our own words
