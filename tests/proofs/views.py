"""What the proofs read: the tables as they stand, indexed for questions about the past, and a calendar of their own.

Written without the engine: no import from `tasks` or `policies`, and working days are counted here anew.
"""

from datetime import date, timedelta

import holidays
import psycopg

CALENDAR = """
CREATE TEMP TABLE proof_calendar (country text, day date, ordinal int, working bool, PRIMARY KEY (country, day));
CREATE TEMP TABLE proof_span AS SELECT
  (SELECT min(business_date) FROM tick) - 800 AS first, (SELECT max(business_date) FROM tick) + 60 AS last;
"""

VIEWS = """
CREATE TEMP TABLE proof_item AS SELECT * FROM item_version;
CREATE INDEX ON proof_item (item_id);
CREATE INDEX ON proof_item (debtor_id, currency);

CREATE TEMP TABLE proof_debtor AS
  SELECT d.id AS debtor_id, d.party_id, d.creditor_id, d.debtor_no, p.kind, p.country, c.country AS creditor_country
  FROM debtor d JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
  JOIN creditor c ON c.id = d.creditor_id;
CREATE UNIQUE INDEX ON proof_debtor (debtor_id);

-- What was put to a customer: every effect of an action that names items, with the instant at which it was begun.
CREATE TEMP TABLE proof_effect AS
  SELECT a.id AS action_id, a.case_id, a.round_id, a.creditor_id, a.stage, a.step, a.kind, a.attempt, a.occurrence,
         a.escalating, a.written, a.template, a.amount, a.approvals_needed, a.state, a.content_hash, a.proposed_at,
         COALESCE(a.started_on, a.executed_on) AS day, COALESCE(a.started_at, a.ended_at) AS instant,
         k.debtor_id, k.currency, d.party_id, d.kind AS party_kind, d.country, d.creditor_country
  FROM action a JOIN "case" k ON k.id = a.case_id JOIN proof_debtor d ON d.debtor_id = k.debtor_id
  WHERE a.kind IN ('message', 'call', 'plan_offer', 'handoff')
    AND (a.started_at IS NOT NULL OR a.state = 'executed');
CREATE INDEX ON proof_effect (case_id);
CREATE INDEX ON proof_effect (round_id);
CREATE UNIQUE INDEX ON proof_effect (action_id);

-- Every message that left or may have left, with each action it served and the party that it went to: of the account
-- that paid for the customer's when it was written, if it was known, but a demand goes to who owes.
CREATE TEMP TABLE proof_sent AS
  SELECT m.id AS message_id, m.case_id, m.debtor_id, COALESCE(payer.party_id, d.party_id) AS addressee, m.channel,
         m.recipient, m.template, m.written, m.state,
         COALESCE(m.sent_on, m.business_date) AS day, COALESCE(m.sent_at, m.queued_at) AS instant, ma.action_id,
         d.country
  FROM message m JOIN message_action ma ON ma.message_id = m.id JOIN proof_debtor d ON d.debtor_id = m.debtor_id
  LEFT JOIN LATERAL (
    SELECT y.party_id FROM debtor_profile x
    JOIN debtor y ON y.creditor_id = x.creditor_id AND y.debtor_no = x.payer_no AND y.id <> x.debtor_id
    WHERE x.debtor_id = m.debtor_id AND x.valid_from <= m.business_date AND x.recorded_at <= m.queued_at
      AND (x.replaced_at IS NULL OR x.replaced_at > m.queued_at OR x.replaced_from > m.business_date)
      AND EXISTS (SELECT 1 FROM debtor_profile z WHERE z.debtor_id = y.id AND z.valid_from <= m.business_date
                  AND z.recorded_at <= m.queued_at)
      AND NOT EXISTS (SELECT 1 FROM message_action b JOIN action e ON e.id = b.action_id
                      WHERE b.message_id = m.id AND e.escalating)) payer ON TRUE
  WHERE m.state IN ('sent', 'unknown');
CREATE INDEX ON proof_sent (case_id);
CREATE INDEX ON proof_sent (action_id);

-- The items an effect named, and what the ledger said of each when the effect was begun.
CREATE TEMP TABLE proof_named AS
  SELECT e.*, ai.item_id, ai.amount AS asked, v.item_type, v.open_amount, v.due_on, v.debtor_id AS owner,
         v.disputed_amount, v.disputed_on, v.dispute_outcome, v.document_no
  FROM proof_effect e JOIN action_item ai ON ai.action_id = e.action_id
  LEFT JOIN LATERAL (
    SELECT * FROM proof_item v WHERE v.item_id = ai.item_id AND v.valid_from <= e.day AND v.recorded_at <= e.instant
      AND (v.replaced_at IS NULL OR v.replaced_at > e.instant OR v.replaced_from > e.day)
    ORDER BY v.valid_from DESC, v.id DESC LIMIT 1) v ON TRUE;
CREATE INDEX ON proof_named (item_id);
CREATE INDEX ON proof_named (action_id);

-- When each earlier notice that names an item became evidence: weak after silence, strong by an answer (rule 7).
CREATE TEMP TABLE proof_evidence AS
  SELECT s.message_id, s.action_id, s.case_id, s.channel, s.day AS sent_on, s.country,
    CASE WHEN bad.on_day IS NOT NULL THEN NULL ELSE
      LEAST(quiet.day, good.weak_on) END AS weak_on,
    CASE WHEN bad.on_day IS NOT NULL THEN NULL ELSE good.strong_on END AS strong_on, bad.on_day AS lost_on
  FROM proof_sent s
  JOIN action a ON a.id = s.action_id AND a.kind IN ('message', 'plan_offer') AND s.state = 'sent'
  LEFT JOIN LATERAL (
    SELECT min(later.day) AS day FROM proof_calendar here JOIN proof_calendar later
      ON later.country = here.country AND later.day > here.day
     AND later.ordinal = here.ordinal + CASE WHEN s.channel = 'post' THEN 7 ELSE 3 END
    WHERE here.country = s.country AND here.day = s.day) quiet ON TRUE
  LEFT JOIN LATERAL (
    SELECT min(observed_on) FILTER (WHERE kind = 'delivered') AS weak_on,
           min(observed_on) FILTER (WHERE kind IN ('answered', 'spoken', 'link_used', 'receipt')) AS strong_on
    FROM evidence WHERE message_id = s.message_id) good ON TRUE
  LEFT JOIN LATERAL (
    SELECT min(observed_on) AS on_day FROM evidence WHERE message_id = s.message_id AND kind IN ('bounced', 'returned')
  ) bad ON TRUE;
CREATE INDEX ON proof_evidence (action_id);
"""


def prepare(connection: psycopg.Connection) -> None:
    """Lay out everything the statements of `invariants` read, in temporary tables of this connection."""
    connection.execute(CALENDAR)
    row = connection.execute("SELECT first, last FROM proof_span").fetchone()
    assert row is not None
    assert row[0] is not None, "there is no tick to prove anything of"
    countries = connection.execute("SELECT country FROM debtor_profile UNION SELECT country FROM creditor").fetchall()
    with connection.cursor() as cursor, cursor.copy("COPY proof_calendar FROM STDIN") as copy:
        for (country,) in countries:
            for line in _calendar(country, row[0], row[1]):
                copy.write_row(line)
    connection.execute("ANALYZE proof_calendar")
    connection.execute(VIEWS)
    for table in ("proof_item", "proof_effect", "proof_sent", "proof_named", "proof_evidence"):
        connection.execute(f"ANALYZE {table}")


def _calendar(country: str, first: date, last: date) -> list[tuple[str, date, int, bool]]:
    years = range(first.year, last.year + 1)
    try:
        closed = set(holidays.country_holidays(country, years=years))
    except NotImplementedError:
        closed = set()
    lines, ordinal, day = [], 0, first
    while day <= last:
        working = day.weekday() < 5 and day not in closed
        ordinal += working
        lines.append((country, day, ordinal, working))
        day += timedelta(days=1)
    return lines
