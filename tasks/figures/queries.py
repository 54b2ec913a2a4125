"""What the figures are reckoned from, beside the frames of the day's ticks: few queries, each table scanned once.

Marks are those of `tasks.facts.scope.Scope`, and `:since`, the last day before the period.
"""

from maatpak.kernel.words import Stage
from maatpak.ledger.literals import words

PERIOD = 90
"""Calendar days up to the date: sales of DSO and CEI, promises due, contacts and answers are those of so many days."""
YEAR = 365
"""Calendar days of rounds that are looked back upon."""
AGAIN_WITHIN = 90
"""Calendar days after a round in which a new invoice says that the customer came back."""
SALES_MONTHS = 24
"""Months that receivables are counted back over."""
WRITE_OFF_MONTHS = 12

TICKS = """
SELECT DISTINCT ON (t.shard) t.facts_evidence, t.decisions_evidence
FROM tick t JOIN (SELECT business_date, shards FROM tick WHERE creditor_id = :creditor
                  AND business_date <= :day ORDER BY id DESC LIMIT 1) last USING (business_date, shards)
WHERE t.creditor_id = :creditor ORDER BY t.shard, t.id DESC
"""

OPEN_DEBTS = """
SELECT v.debtor_id, v.currency, v.due_on, CASE WHEN v.settled_on > :day THEN v.amount ELSE v.open_amount END AS open
FROM item_version v
WHERE v.creditor_id = :creditor AND :visible(v) AND (v.open_amount > 0 OR v.settled_on > :day)
  AND v.item_type IN ('invoice', 'debit_note')
"""
"""Invoices and debit notes with anything open."""

_OPEN = "CASE WHEN v.settled_on > {day} THEN v.amount ELSE v.open_amount END"

TOTALS = f"""
SELECT 'creditor' AS part, NULL AS key, c.currency, NULL::bigint AS count,
  (SELECT count(*) FROM snapshot s WHERE s.creditor_id = c.id AND s.kind <> 'history' AND s.as_of <= :since) AS a,
  (SELECT v.pack_id FROM creditor_pack v WHERE v.creditor_id = c.id AND :visible(v)) AS b
FROM creditor c WHERE c.id = :creditor
UNION ALL
SELECT 'ledger', issued_on::text, currency, count(*), sum(amount) FILTER (WHERE is_now)::bigint,
  sum(open_then) FILTER (WHERE was_then)::bigint
FROM (SELECT GREATEST(v.issued_on, :since_{SALES_MONTHS}m) AS issued_on, v.currency, v.amount,
        {_OPEN.format(day=":since")} AS open_then,
        :visible(v) AND v.issued_on > :since_{SALES_MONTHS}m AND v.issued_on <= :day AS is_now,
        :visible_then(v) AND v.issued_on <= :since AS was_then
      FROM item_version v WHERE v.creditor_id = :creditor AND v.item_type IN ('invoice', 'debit_note')) x
WHERE is_now OR was_then GROUP BY issued_on, currency
UNION ALL
SELECT v.item_type, NULL, v.currency, count(*), sum({_OPEN.format(day=":day")})::bigint, NULL
FROM item_version v
WHERE v.creditor_id = :creditor AND :visible(v) AND (v.open_amount > 0 OR v.settled_on > :day)
  AND v.item_type IN ('credit_note', 'payment')
GROUP BY 1, 3
UNION ALL
SELECT 'write_off', to_char(v.settled_on, 'YYYY-MM'), v.currency, count(*), sum(COALESCE(
  (SELECT p.open_amount FROM item_version p WHERE p.debtor_id = v.debtor_id AND p.item_id = v.item_id
   AND p.id < v.id AND p.open_amount > 0 ORDER BY p.id DESC LIMIT 1),
  v.amount))::bigint, NULL
FROM item_version v
WHERE v.creditor_id = :creditor AND :visible(v) AND v.settled_by = 'write_off' AND v.settled_on <= :day
  AND v.settled_on > :since_{WRITE_OFF_MONTHS}m AND v.item_type IN ('invoice', 'debit_note')
GROUP BY 2, 3
UNION ALL
SELECT 'promise', q.state, k.currency, count(*), sum(q.amount)::bigint, NULL
FROM promise q JOIN "case" k ON k.id = q.case_id AND k.creditor_id = :creditor
WHERE :visible(q) AND q.promised_on > :since AND q.promised_on <= :day AND q.state IN ('kept', 'partly_kept', 'broken')
GROUP BY 2, 3
UNION ALL
SELECT 'contact', NULL, '', (SELECT count(*) FROM message m WHERE m.creditor_id = :creditor AND m.written
    AND m.business_date > :since - 30 AND m.state = 'sent' AND m.sent_on > :since AND m.sent_on <= :day)
  + (SELECT count(*) FROM placement p WHERE p.creditor_id = :creditor AND p.state = 'placed'
    AND p.valid_from > :since AND p.valid_from <= :day),
  (SELECT count(*) FROM touch t WHERE t.creditor_id = :creditor AND t.wrongful
    AND t.touched_on > :since AND t.touched_on <= :day), NULL
"""  # noqa: S608 - our own words
"""Sums of a kind: part, key, currency, count, and up to two amounts."""

ANSWERS = """
SELECT q.received_on, COALESCE(CASE WHEN q.read_on <= :day THEN q.read_on END, :day) AS until,
  COALESCE(p.country, c.country) AS country, count(*) AS answers
FROM answer q JOIN creditor c ON c.id = q.creditor_id
LEFT JOIN debtor_profile p ON p.debtor_id = q.debtor_id AND :visible(p)
WHERE q.creditor_id = :creditor AND :visible(q) AND q.received_on > :since AND q.received_on <= :day
GROUP BY 1, 2, 3
"""
"""What customers wrote in the period, and until when it waited to be read: the date itself where nobody has."""

ROUNDS = f"""
WITH closed AS (
  SELECT r.id, r.case_id, r.closed_on, k.debtor_id, COALESCE(rc.segment, 'none') AS segment
  FROM round r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = :creditor
  LEFT JOIN round_course rc ON rc.round_id = r.id AND :visible(rc)
  WHERE r.closed_on > :day - {YEAR} AND r.closed_on <= :day - {AGAIN_WITHIN} AND r.closed_at <= :instant),
hardest AS (
  SELECT DISTINCT ON (a.round_id) a.round_id, a.stage, a.step
  FROM closed r JOIN action a ON a.case_id = r.case_id AND a.round_id = r.id
  WHERE a.state = 'executed' AND a.executed_on <= :day
  ORDER BY a.round_id, array_position({words(Stage)}, a.stage) DESC, a.executed_on DESC, a.id DESC)
SELECT r.segment, COALESCE(h.stage, 'none') AS stage, COALESCE(h.step, 'none') AS step, count(*) AS rounds,
  count(*) FILTER (WHERE EXISTS (SELECT 1 FROM item i WHERE i.creditor_id = :creditor AND i.debtor_id = r.debtor_id
    AND i.item_type = 'invoice' AND i.issued_on > r.closed_on AND i.issued_on <= r.closed_on + {AGAIN_WITHIN}
    AND i.recorded_at <= :instant)) AS again
FROM closed r LEFT JOIN hardest h ON h.round_id = r.id
GROUP BY 1, 2, 3
"""  # noqa: S608 - our own words
"""Rounds that closed long enough ago to tell, by segment and the harshest that was done, and how many bought again."""
