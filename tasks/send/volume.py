"""How much goes out: a cap a day and channel, and an alarm when it is far more than usual.

A wrong ledger or a wrong rule shows first as a flood of mail. The cap ends it; the alarm tells people while it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from maatpak.kernel.settings import Settings
from maatpak.kernel.words import Channel
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor
from tasks.today import recording_instant

if TYPE_CHECKING:
    from tasks.engine import Engine

DAYS = 20
"""Earlier days with messages that say what is usual."""
BACK = 60
"""Calendar days in which they lie."""
KNOWN_AFTER = 5
"""Fewer of them say nothing yet."""
FAR_MORE = 3
"""Times the busiest of them."""
FEW = 100
"""So many messages a day are nothing to be alarmed about."""
UNUSUAL = "unusual_volume"

SENT_TODAY = """
SELECT channel, count(*) AS sent FROM message
WHERE sent_on = DATE '{day}' OR (state IN ('sending', 'unknown') AND COALESCE(ended_at >= DATE '{day}', TRUE))
  OR (state = 'queued' AND leased_until > clock_timestamp())
GROUP BY channel
"""
"""What a worker has claimed counts as sent until it gives it back or its lease ends: two at once must not fill the same
room. Of what may have left today, nobody knows that it did not."""

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('maatpak: the cap of a day'))"
"""Whoever claims looks and takes alone, where there is a cap; it is taken before any other lock."""

WRITTEN = """
WITH days AS (
  SELECT channel, business_date, count(*) AS written FROM message
  WHERE creditor_id = {creditor} AND business_date BETWEEN DATE '{day}' - {back} AND DATE '{day}'
  GROUP BY channel, business_date),
earlier AS (
  SELECT channel, written, row_number() OVER (PARTITION BY channel ORDER BY business_date DESC) AS nth
  FROM days WHERE business_date < DATE '{day}')
SELECT d.channel, d.written, max(e.written) AS busiest FROM days d
JOIN earlier e ON e.channel = d.channel AND e.nth <= {most}
WHERE d.business_date = DATE '{day}' GROUP BY d.channel, d.written HAVING count(*) >= {known} ORDER BY d.channel
"""

TOLD = """
SELECT body->>'channel' AS channel FROM event WHERE creditor_id = {creditor} AND kind = '{kind}'
  AND business_date = DATE '{day}'
"""


@dataclass(frozen=True)
class Unusual:
    """Far more messages of a channel than on any of the days before."""

    channel: Channel
    written: int
    busiest: int

    def __str__(self) -> str:
        return f"{self.written} messages by {self.channel} today; on the busiest of the days before {self.busiest}"


def room(frames: Frames, settings: Settings, as_of: date, *, to_take: bool = False) -> dict[Channel, int]:
    """Channel → how many more may leave today, over all creditors; channels without a cap are left out.

    `to_take`: whether the transaction will take what there is room for; others wait until it has.
    """
    caps = {
        Channel.EMAIL: settings.mails_per_day,
        Channel.SMS: settings.texts_per_day,
        Channel.POST: settings.letters_per_day,
    }
    if all(cap is None for cap in caps.values()):
        return {}
    if to_take:
        frames.read(ONE_AT_A_TIME)
    sent = dict(frames.read(SENT_TODAY.format(day=as_of.isoformat())).iter_rows())
    return {channel: max(cap - sent.get(str(channel), 0), 0) for channel, cap in caps.items() if cap is not None}


def alarms(engine: "Engine", creditor_id: int, as_of: date, now: datetime) -> Sequence[Unusual]:
    """What is unusual about the day's messages of a creditor; each is an event, once a day and channel."""
    marks = {"creditor": int(creditor_id), "day": as_of.isoformat(), "kind": UNUSUAL}
    with engine.database.frames() as frames:
        counted = frames.read(WRITTEN.format(**marks, most=DAYS, back=BACK, known=KNOWN_AFTER))
        unusual = [
            Unusual(Channel(channel), written, busiest)
            for channel, written, busiest in counted.iter_rows()
            if written > max(FEW, FAR_MORE * busiest)
        ]
        if not unusual:
            return ()
        lock_creditor(frames, creditor_id, shared=True)
        told = set(frames.read(TOLD.format(**marks))["channel"].to_list())
        drafts = [
            EventDraft(
                UNUSUAL,
                "engine",
                business_date=as_of,
                creditor_id=creditor_id,
                body={"channel": str(each.channel), "written": each.written, "busiest": each.busiest},
            )
            for each in unusual
            if str(each.channel) not in told
        ]
        if drafts:
            append_events(frames, drafts, recording_instant(frames, creditor_id, now))
    return unusual
