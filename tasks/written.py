"""What was written to a customer about a case, by which channel, and why by that one."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from maatpak.kernel.reasons import SwitchReason
from maatpak.kernel.words import Channel
from maatpak.ledger.database import Frames

MESSAGES = """
SELECT m.id AS message_id, m.business_date, m.sent_on, m.channel, m.template, m.state, m.instead_of, m.switch_reason,
  m.switch_cause, m.switch_on, array_agg(a.id ORDER BY a.id) AS action_ids, min(a.step) AS step,
  COALESCE((SELECT array_agg(DISTINCT e.kind ORDER BY e.kind) FROM evidence e
    WHERE e.message_id = m.id AND e.observed_on <= {day} AND e.recorded_at <= {instant}), '{{}}') AS evidence
FROM message m JOIN message_action ma ON ma.message_id = m.id JOIN action a ON a.id = ma.action_id
WHERE a.case_id = {case} AND m.business_date <= {day} AND m.queued_at <= {instant}
GROUP BY m.id ORDER BY m.business_date DESC, m.id DESC LIMIT {most}
"""
SHOWN = 20

PLACES = {Channel.EMAIL: "e-mail address", Channel.SMS: "mobile number", Channel.POST: "postal address"}
BY = {Channel.EMAIL: "e-mail", Channel.SMS: "text", Channel.POST: "post"}
WHY: dict[SwitchReason, str] = {
    SwitchReason.NO_ADDRESS: "there is no {place}",
    SwitchReason.DEAD: "the {place} is dead",
    SwitchReason.OPTED_OUT: "the customer opted out of {by}",
    SwitchReason.DOUBTFUL: "the {place} is doubtful",
    SwitchReason.NO_CONSENT: "there is no consent to {by}",
    SwitchReason.NO_WORDS: "its template has no words for a text",
    SwitchReason.FAILED: "it could not be sent by {by}",
}


def written(frames: Frames, case_id: int, as_of: date, known_at: datetime) -> list[dict[str, Any]]:
    """The last messages of a case as of a date, newest first; `way` says in words how each went, and why so."""
    query = MESSAGES.format(
        case=int(case_id),
        day=f"DATE '{as_of.isoformat()}'",
        instant=f"TIMESTAMPTZ '{known_at.isoformat()}'",
        most=SHOWN,
    )
    return [{**row, "way": way_of(row)} for row in frames.read(query).to_dicts()]


def way_of(message: Mapping[str, Any]) -> str:
    """`by post, since the e-mail address is dead (550 5.1.1 unknown_user, 12 May 2026)`."""
    by = f"by {BY[Channel(message['channel'])]}"
    if message["switch_reason"] is None:
        return by
    asked = Channel(message["instead_of"])
    why = WHY[SwitchReason(message["switch_reason"])].format(place=PLACES[asked], by=BY[asked])
    since: date | None = message["switch_on"]
    told = [message["switch_cause"], since and f"{since.day} {since:%B %Y}"]
    more = ", ".join(str(each) for each in told if each)
    return f"{by}, since {why}{f' ({more})' if more else ''}"
