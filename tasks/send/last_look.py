"""Asked again, right before they go (law 4): which claimed messages are not wanted any more, and which have to wait."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import numbers
from policies.guardrails import Texts
from tasks.compose.recipients import UNUSABLE, known_ways, marks_for, way_of
from tasks.compose.windows import closing, is_open, next_opening, zones_of
from tasks.current_pack import current_pack
from tasks.payers import PAYING_NOW
from tasks.seen import Seen
from tasks.send.wanted import no_longer_wanted
from tasks.spacing import crowded_messages

if TYPE_CHECKING:
    from tasks.engine import Engine

UNTIL_TOMORROW = timedelta(hours=12)
HANDING_OVER = timedelta(seconds=30)
"""So long a service may take to take a message: one begun later might arrive after the customer's hours."""
LOCAL_CHANNELS = frozenset({Channel.EMAIL, Channel.SMS})
"""Channels that reach a person at once, and so have hours."""

PAYER = """(SELECT max(a.payer_party_id) FROM message_action x JOIN action a ON a.id = x.action_id
  WHERE x.message_id = m.id)"""
"""The party that pays, and so reads it, where that is another."""

LOOKED_AT = """
SELECT m.id, m.debtor_id, m.channel, m.recipient, m.content, m.tries, m.first_tried_at, m.state, m.written,
  k.party_id, {payer} AS payer_party_id, payer.id AS payer_id, p.kind, p.country, p.time_zone,
  m.channel = 'sms' AND (
    EXISTS (SELECT 1 FROM address_state s WHERE s.channel = 'sms' AND s.address = m.recipient
      AND s.state = 'opted_out' AND s.replaced_at IS NULL)
    OR 'stop' = (SELECT w.kind FROM incoming w WHERE w.sender = m.recipient AND w.kind IN ('stop', 'start')
      ORDER BY w.id DESC LIMIT 1)) AS texts_stopped,
  EXISTS (SELECT 1 FROM text_consent c WHERE c.debtor_id IN (m.debtor_id, payer.id) AND c.number = m.recipient
    AND c.given AND c.replaced_at IS NULL) AS agreed,
  (SELECT array_agg(ma.action_id) FROM message_action ma WHERE ma.message_id = m.id) AS action_ids
FROM message m JOIN "case" k ON k.id = m.case_id
LEFT JOIN LATERAL (
  SELECT y.id {paying} AND x.debtor_id = m.debtor_id AND NOT EXISTS (
    SELECT 1 FROM message_action b JOIN action e ON e.id = b.action_id WHERE b.message_id = m.id AND e.escalating)
) payer ON TRUE
LEFT JOIN debtor_profile p ON p.debtor_id = COALESCE(payer.id, m.debtor_id) AND p.replaced_at IS NULL
WHERE m.id = ANY({ids}) ORDER BY m.id
"""
"""The hours are those of who is written to. A number that opted out of texts is one person's, whatever account it was
said of, and if it was nobody's then."""

MARKED = """
SELECT debtor_id, channel, address, state FROM address_state
WHERE debtor_id = ANY({debtors}) AND replaced_at IS NULL ORDER BY id
"""
"""What is known of the addresses of the accounts that messages are about, and of who pays for these."""

CANCEL = """
UPDATE message m SET state = 'cancelled', failure = c.reason, ended_at = {now}, leased_by = NULL, leased_until = NULL
FROM pg_temp.unwanted c WHERE m.id = c.message_id AND m.state = 'queued'
"""

POSTPONE = """
UPDATE message m SET send_after = p.send_after, leased_by = NULL, leased_until = NULL
FROM pg_temp.postponed p WHERE m.id = p.message_id AND m.state = 'queued'
"""


class LastLook:
    """Looks at one worker's claimed messages, whose parties are locked."""

    def __init__(self, engine: "Engine", creditor_id: int, as_of: date, now: datetime, seen: Sequence[Seen]) -> None:
        self._engine = engine
        self._creditor_id = creditor_id
        self._as_of = as_of
        self._now = now
        self._seen = seen

    def rows(self, frames: Frames, ids: Sequence[int]) -> list[dict[str, Any]]:
        """What there is to know of claimed messages before they go, with the `address_state` of each."""
        rows = frames.read(LOOKED_AT.format(payer=PAYER, paying=PAYING_NOW, ids=numbers(ids))).to_dicts()
        debtors = {row["debtor_id"] for row in rows} | {row["payer_id"] for row in rows} - {None}
        marks: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for mark in frames.read(MARKED.format(debtors=numbers(debtors))).to_dicts():
            marks[mark["debtor_id"]].append(mark)
        for row in rows:
            row["address_state"] = _address_state(row, marks)
        return rows

    def put_aside(
        self, frames: Frames, rows: Sequence[dict[str, Any]], present: datetime
    ) -> tuple[dict[int, str], dict[int, datetime], dict[int, datetime]]:
        """Cancel what is not wanted any more, and postpone what has not its hour: which, why, and until when.

        Of the others, until when they may go.
        """
        unwanted, postponed, closes = self._aside(frames, rows, present)
        if unwanted:
            frames.stage("unwanted", pl.DataFrame({"message_id": list(unwanted), "reason": list(unwanted.values())}))
            frames.execute(CANCEL.format(now=f"TIMESTAMPTZ '{self._now.isoformat()}'"))
        if postponed:
            told = {"message_id": list(postponed), "send_after": list(postponed.values())}
            frames.stage("postponed", pl.DataFrame(told))
            frames.execute(POSTPONE)
        return unwanted, postponed, closes

    def _aside(
        self, frames: Frames, rows: Sequence[dict[str, Any]], present: datetime
    ) -> tuple[dict[int, str], dict[int, datetime], dict[int, datetime]]:
        """Claimed messages that are not wanted any more, those whose hour has not come, and when the others' ends."""
        closes: dict[int, datetime] = {}
        guardrails = self._engine.pack(current_pack(frames, self._creditor_id)).guardrails
        unwanted, later = self._unwanted(frames, {row["id"]: tuple(row["action_ids"] or ()) for row in rows})
        for row in rows:
            reason = _unreachable(row, guardrails.texts)
            if reason is not None:
                unwanted.setdefault(row["id"], reason)
        going = [row for row in rows if row["id"] not in unwanted]
        today = [row for row in going if row["id"] not in later]
        waits = crowded_messages(frames, today, [row["id"] for row in rows], guardrails.contacts, self._as_of)
        postponed = dict.fromkeys(later - unwanted.keys(), self._now + UNTIL_TOMORROW)
        postponed |= dict.fromkeys(waits, present + UNTIL_TOMORROW)
        for row in going:
            if Channel(row["channel"]) in LOCAL_CHANNELS and row["country"]:
                window = (zones_of(row["time_zone"], row["country"]), guardrails.hours, row["kind"], row["country"])
                shut = next((at for at in (present, present + HANDING_OVER) if not is_open(at, *window)), None)
                if shut is None:
                    closes[row["id"]] = closing(present, *window[:3])
                else:
                    postponed[row["id"]] = max(postponed.get(row["id"], shut), next_opening(shut, *window))
        return unwanted, postponed, closes

    def _unwanted(self, frames: Frames, actions: dict[int, tuple[int, ...]]) -> tuple[dict[int, str], set[int]]:
        """Message → reason of those not wanted any more, and those that wait for another day."""
        ids = {action for served in actions.values() for action in served}
        against = no_longer_wanted(self._engine, frames, self._creditor_id, ids, self._as_of, self._seen)
        reasons: dict[int, str] = {}
        later: set[int] = set()
        for message_id, served in actions.items():
            reason = next((against.reasons[action] for action in served if action in against.reasons), None)
            if reason is not None:
                reasons[message_id] = reason
            elif not against.later.isdisjoint(served):
                later.add(message_id)
        return reasons, later


def _unreachable(row: dict[str, Any], texts: Texts) -> SkipReason | None:
    """Why a message does not go to its address any more."""
    if row["address_state"] in UNUSABLE:
        return SkipReason.OPTED_OUT if row["address_state"] == ReachState.OPTED_OUT else SkipReason.NO_ADDRESS
    asks = row["channel"] == Channel.SMS and not row["agreed"] and texts.need_consent(row["kind"], row["country"])
    return SkipReason.NO_CONSENT if asks else None


def _address_state(row: dict[str, Any], marks: Mapping[int, list[dict[str, Any]]]) -> str | None:
    """What is known of the address that a message goes to, by the rule by which it was composed; None if nothing speaks
    against it."""
    if row["texts_stopped"]:
        return ReachState.OPTED_OUT
    own, of_payer = marks.get(row["debtor_id"], ()), marks.get(row["payer_id"], ())
    if not any(each["state"] in UNUSABLE for each in (*own, *of_payer)):
        return None
    country = row["country"] or ""
    mark = known_ways(marks_for(own, of_payer, country), country).get(way_of(row["channel"], row["recipient"], country))
    return None if mark is None else str(mark["state"])
