"""Composed messages become rows of the outbox, in the transaction of whoever executes their actions."""

from maatpak.ledger.database import Frames
from tasks.compose.composed import Composed

INSERT_MESSAGES = """
INSERT INTO message (creditor_id, debtor_id, case_id, channel, recipient, instead_of, switch_reason, switch_cause,
  switch_on, language, template, content_key, attempt, message_ref, subject, content, written, reply_by, state,
  business_date, queued_at, send_after, tries)
SELECT creditor_id, debtor_id, case_id, channel, recipient, instead_of, switch_reason, switch_cause,
  switch_on, language, template, content_key, attempt, message_ref, subject, content, written, reply_by, 'queued',
  business_date, queued_at, send_after, 0
FROM composed_message ORDER BY message_ref
ON CONFLICT DO NOTHING
"""

INSERT_PAIRS = """
INSERT INTO message_action (message_id, action_id)
SELECT m.id, p.action_id FROM composed_pair p JOIN message m ON m.message_ref = p.message_ref
ON CONFLICT DO NOTHING
"""


def queue_messages(frames: Frames, composed: Composed) -> int:
    """Put the messages into the outbox; how many are new. A message that is there already stays as it is (law 3)."""
    if composed.messages.is_empty():
        return 0
    frames.stage("composed_message", composed.messages)
    frames.stage("composed_pair", composed.pairs)
    before = _count(frames)
    frames.execute(INSERT_MESSAGES)
    added = _count(frames) - before
    frames.execute(INSERT_PAIRS)
    return added


def _count(frames: Frames) -> int:
    rows = frames.read(
        "SELECT count(*) AS rows FROM message m JOIN composed_message c ON c.message_ref = m.message_ref"
    )
    return int(rows.item())
