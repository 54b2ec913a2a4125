"""For which day a creditor's data speak: the older of its ledger and its cash.

A file of contacts or tickets makes neither newer. Where payments come in files of their own, cash is as new as the last
of these; a ledger that never had one speaks for cash by its open amounts. A history is one import for many days: it
speaks for every day up to its own, and does not say how payments come in later.
"""

DATA_ON = """(
  SELECT LEAST(max(q.speaks_on) FILTER (WHERE q.tables ? 'items'),
    CASE WHEN bool_or(q.kind <> 'history' AND q.tables ? 'payments')
      THEN max(q.speaks_on) FILTER (WHERE q.tables ? 'payments') END)
  FROM (SELECT s.kind, s.tables, CASE s.kind WHEN 'history' THEN LEAST(s.as_of, {day}) ELSE s.as_of END AS speaks_on
    FROM snapshot s WHERE s.creditor_id = {creditor}
      AND (s.kind = 'history' OR (s.as_of <= {day} AND s.recorded_at <= {instant}))) q
  HAVING bool_or(q.tables ? 'items'))"""


def data_on(creditor: str, day: str, instant: str) -> str:
    """SQL of that day as of a date, with what was recorded by an instant; NULL while there is no ledger at all.

    All three are SQL: an id or a column, a date, a timestamp.
    """
    return DATA_ON.format(creditor=creditor, day=day, instant=instant)
