"""Claiming: which messages go out now, taken so that no other worker takes them, and asked again (law 4).

Locks in the order of the house: creditor shared, parties ascending, then the messages. A lease is technical time, so
the database's clock counts it; everything else counts by the business date and instant that were given.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.clock import Elapsed
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.audit import last_event
from maatpak.ledger.database import Frames
from maatpak.ledger.locks import lock_creditor, lock_parties
from policies.guardrails import Texts
from tasks.compose.recipients import UNUSABLE, known_ways, marks_for, way_of
from tasks.compose.windows import closing, is_open, next_opening, zones_of
from tasks.current_pack import current_pack
from tasks.payers import PAYING_NOW
from tasks.seen import Seen
from tasks.send.volume import room
from tasks.send.wanted import no_longer_wanted
from tasks.spacing import crowded_messages
from tasks.today import looked_at_today

if TYPE_CHECKING:
    from tasks.engine import Engine

LEASE = "interval '5 minutes'"
ASKED_FOR = "interval '3 days'"
"""So long a service is asked about a message whose outcome is unknown; after that only people are."""
NOT_TODAY = "Effects are only for the business date; run that day first."
UNTIL_TOMORROW = timedelta(hours=12)
HANDING_OVER = timedelta(seconds=30)
"""So long a service may take to take a message: one begun later might arrive after the customer's hours."""
LOCAL_CHANNELS = frozenset({Channel.EMAIL, Channel.SMS})
"""Channels that reach a person at once, and so have hours."""

CANDIDATES = """
SELECT m.id, k.party_id, {payer} AS payer_party_id FROM message m JOIN "case" k ON k.id = m.case_id
WHERE m.creditor_id = {creditor} AND m.channel = ANY({channels}) AND m.state = 'queued'
  AND (m.send_after IS NULL OR m.send_after <= {now})
  AND (m.leased_until IS NULL OR m.leased_until < clock_timestamp())
ORDER BY m.id LIMIT {limit}
"""

LEASED = """
WITH taken AS (
  SELECT id FROM message WHERE id = ANY({ids}) AND state = 'queued'
    AND (leased_until IS NULL OR leased_until < clock_timestamp())
  ORDER BY id FOR UPDATE SKIP LOCKED)
UPDATE message m SET leased_by = '{worker}', leased_until = clock_timestamp() + {lease} FROM taken
WHERE m.id = taken.id RETURNING m.id
"""

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

RELEASE = """
UPDATE message SET leased_by = NULL, leased_until = NULL
WHERE id = ANY({ids}) AND state = 'queued' AND leased_by = '{worker}'
"""

OURS = """
SELECT 1 FROM message WHERE id = {id} AND state = 'queued' AND leased_by = '{worker}'
  AND leased_until > clock_timestamp()
"""

PAYER = """(SELECT max(a.payer_party_id) FROM message_action x JOIN action a ON a.id = x.action_id
  WHERE x.message_id = m.id)"""
"""The party that pays, and so reads it, where that is another."""

DOUBTFUL = """
WITH taken AS (
  SELECT id FROM message WHERE creditor_id = {creditor} AND channel = ANY({channels}) AND (
      state = 'sending' AND (leased_until < clock_timestamp() OR leased_by = ANY({ended}))
      OR state = 'unknown' AND ended_at > {now} - {asked_for}
         AND (leased_until IS NULL OR leased_until < clock_timestamp()))
    ORDER BY id FOR UPDATE SKIP LOCKED)
UPDATE message m SET leased_until = clock_timestamp() + {lease} FROM taken
WHERE m.id = taken.id
RETURNING m.id, m.debtor_id, m.channel, m.recipient, m.content, m.tries, m.first_tried_at, m.state, m.leased_by
"""
"""Whose they were is still told by `leased_by`: were we killed over them, its journal is asked once more."""

GIVE_BACK_OF = """
UPDATE message SET leased_by = NULL, leased_until = NULL
WHERE creditor_id = {creditor} AND state = 'queued' AND leased_by = ANY({ended})
"""

STILL_OF = "SELECT DISTINCT leased_by FROM message WHERE state = 'sending' AND leased_by = ANY({ended})"


@dataclass(frozen=True)
class Claimed:
    """A message that is ours to send for a while."""

    message_id: int
    debtor_id: int
    parties: tuple[int, ...]
    """Whose account it is, and who pays for it: what is said of either may speak against it."""
    channel: Channel
    recipient: str
    content: str
    tries: int
    first_tried_at: datetime | None
    state: str
    closes: datetime | None = None
    """When the customer's hours end; None of a letter, which has none, and of a message that is only asked about."""
    leased_by: str | None = None
    """Who was sending it, of a message that is only asked about."""

    def left(self, present: datetime) -> timedelta | None:
        """How long the customer's hours still last; None where there are none."""
        return None if self.closes is None else self.closes - present


@dataclass(frozen=True)
class Batch:
    """What one claim took, and what it put aside."""

    looked_at: int
    """Candidates there were; none means that the outbox is empty for now."""
    claimed: tuple[Claimed, ...]
    seen_seq: int
    """The last event when it was asked again; what is recorded later asks once more."""
    cancelled: dict[Channel, int]
    postponed: dict[Channel, int]


class Claims:
    """One worker's claims on one creditor's outbox."""

    def __init__(
        self,
        engine: "Engine",
        creditor_id: int,
        as_of: date,
        now: datetime,
        worker: str,
        channels: Sequence[Channel],
        seen: Sequence[Seen],
        elapsed: Elapsed,
    ) -> None:
        self.engine = engine
        self.creditor_id = creditor_id
        self.as_of = as_of
        self.now = now
        self.channels = tuple(channels)
        self.seen = seen
        self.elapsed = elapsed
        self.worker = worker
        self._marks: dict[str, Any] = {
            "creditor": int(creditor_id),
            "channels": _texts(channels),
            "now": f"TIMESTAMPTZ '{now.isoformat()}'",
            "worker": self.worker,
            "lease": LEASE,
            "asked_for": ASKED_FOR,
            "paying": PAYING_NOW,
            "payer": PAYER,
        }

    def only(self, channels: Sequence[Channel]) -> "Claims":
        """The same claims on fewer channels."""
        return Claims(
            self.engine, self.creditor_id, self.as_of, self.now, self.worker, channels, self.seen, self.elapsed
        )

    @property
    def present(self) -> datetime:
        """The instant by now: sending takes its time, at a limited rate hours."""
        return self.now + self.elapsed()

    def any_due(self) -> bool:
        """Whether a message waits that may go out now."""
        with self.engine.database.frames() as frames:
            return not frames.read(CANDIDATES.format(**self._marks, limit=1)).is_empty()

    def take(self, limit: int) -> Batch:
        """Claim the next messages that may and should go out now.

        Raises:
            RefusedError: the business date is another.
        """
        with self.engine.database.frames() as frames:
            caps = room(frames, self.engine.settings, self.as_of, to_take=True)
            going = [each for each in self.channels if caps.get(each, 1)]
            limit = min([limit, *(caps[each] for each in going if each in caps)])
            lock_creditor(frames, self.creditor_id, shared=True)
            looked_at_today(frames, self.creditor_id, self.as_of, NOT_TODAY)
            marks = {**self._marks, "channels": _texts(going)}
            candidates = frames.read(CANDIDATES.format(**marks, limit=limit))
            lock_parties(frames, pl.concat([candidates["party_id"], candidates["payer_party_id"]]).drop_nulls())
            leased = frames.read(LEASED.format(**self._marks, ids=numbers(candidates["id"].to_list())))
            rows = self._look(frames, leased["id"].to_list())
            unwanted, postponed, closes = self._put_aside(frames, rows)
            seen = last_event(frames)
        apart = unwanted.keys() | postponed.keys()
        return Batch(
            looked_at=candidates.height,
            claimed=tuple(_claimed(row, closes.get(row["id"])) for row in rows if row["id"] not in apart),
            seen_seq=seen,
            cancelled=_counted(row for row in rows if row["id"] in unwanted),
            postponed=_counted(row for row in rows if row["id"] in postponed),
        )

    def ask_again(self, left: Sequence[Claimed]) -> tuple[set[int], dict[int, str], int]:
        """Ask again for claimed messages after something was recorded, but not for those that are marked already.

        Gives those that it asked for; of these those to drop, with whether they are cancelled or postponed; and the
        last event seen.
        """
        with self.engine.database.frames() as frames:
            lock_creditor(frames, self.creditor_id, shared=True)
            looked_at_today(frames, self.creditor_id, self.as_of, NOT_TODAY)
            lock_parties(frames, (party for each in left for party in each.parties))
            looked_at = self._look(frames, [each.message_id for each in left])
            rows = [row for row in looked_at if row["state"] == "queued"]
            unwanted, postponed, _ = self._put_aside(frames, rows)
            dropped = dict.fromkeys(unwanted, "cancelled") | dict.fromkeys(postponed, "postponed")
            return {row["id"] for row in rows}, dropped, last_event(frames)

    def holds(self, each: Claimed) -> bool:
        """Whether a message is still ours to send."""
        with self.engine.database.frames() as frames:
            return not frames.read(OURS.format(**self._marks, id=int(each.message_id))).is_empty()

    def doubtful(self, ended: Sequence[str]) -> list[Claimed]:
        """Messages that a worker had marked when it ended, and unknown ones; they are ours now, to find out about.

        Workers that are known to have `ended` are not waited for; what they had only claimed is free again.
        """
        with self.engine.database.frames() as frames:
            frames.execute(GIVE_BACK_OF.format(**self._marks, ended=_texts(ended)))
            rows = frames.read(DOUBTFUL.format(**self._marks, ended=_texts(ended))).to_dicts()
        return [_claimed({**row, "party_id": None, "payer_party_id": None}, None) for row in rows]

    def still_of(self, ended: Sequence[str]) -> set[str]:
        """Those of ended workers that have marked messages of which the outcome is not recorded."""
        with self.engine.database.frames() as frames:
            return set(frames.read(STILL_OF.format(ended=_texts(ended)))["leased_by"].to_list())

    def release(self, left: Sequence[Claimed]) -> None:
        """Give claimed messages back that were not begun."""
        if left:
            with self.engine.database.frames() as frames:
                frames.execute(RELEASE.format(**self._marks, ids=numbers([each.message_id for each in left])))

    def _look(self, frames: Frames, ids: Sequence[int]) -> list[dict[str, Any]]:
        """What there is to know of claimed messages before they go, with the `address_state` of each."""
        rows = frames.read(LOOKED_AT.format(**self._marks, ids=numbers(ids))).to_dicts()
        debtors = {row["debtor_id"] for row in rows} | {row["payer_id"] for row in rows} - {None}
        marks: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for mark in frames.read(MARKED.format(debtors=numbers(debtors))).to_dicts():
            marks[mark["debtor_id"]].append(mark)
        for row in rows:
            row["address_state"] = _address_state(row, marks)
        return rows

    def _put_aside(
        self, frames: Frames, rows: Sequence[dict[str, Any]]
    ) -> tuple[dict[int, str], dict[int, datetime], dict[int, datetime]]:
        """Cancel what is not wanted any more, and postpone what has not its hour: which, why, and until when.

        Of the others, until when they may go.
        """
        unwanted, postponed, closes = self._aside(frames, rows)
        if unwanted:
            frames.stage("unwanted", pl.DataFrame({"message_id": list(unwanted), "reason": list(unwanted.values())}))
            frames.execute(CANCEL.format(**self._marks))
        if postponed:
            told = {"message_id": list(postponed), "send_after": list(postponed.values())}
            frames.stage("postponed", pl.DataFrame(told))
            frames.execute(POSTPONE.format(**self._marks))
        return unwanted, postponed, closes

    def _aside(
        self, frames: Frames, rows: Sequence[dict[str, Any]]
    ) -> tuple[dict[int, str], dict[int, datetime], dict[int, datetime]]:
        """Claimed messages that are not wanted any more, those whose hour has not come, and when the others' ends."""
        present = self.present
        closes: dict[int, datetime] = {}
        guardrails = self.engine.pack(current_pack(frames, self.creditor_id)).guardrails
        unwanted, later = self._unwanted(frames, {row["id"]: tuple(row["action_ids"] or ()) for row in rows})
        for row in rows:
            reason = _unreachable(row, guardrails.texts)
            if reason is not None:
                unwanted.setdefault(row["id"], reason)
        going = [row for row in rows if row["id"] not in unwanted]
        today = [row for row in going if row["id"] not in later]
        waits = crowded_messages(frames, today, [row["id"] for row in rows], guardrails.contacts, self.as_of)
        postponed = dict.fromkeys(later - unwanted.keys(), self.now + UNTIL_TOMORROW)
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
        against = no_longer_wanted(self.engine, frames, self.creditor_id, ids, self.as_of, self.seen)
        reasons: dict[int, str] = {}
        later: set[int] = set()
        for message_id, served in actions.items():
            reason = next((against.reasons[action] for action in served if action in against.reasons), None)
            if reason is not None:
                reasons[message_id] = reason
            elif not against.later.isdisjoint(served):
                later.add(message_id)
        return reasons, later


def _claimed(row: dict[str, Any], closes: datetime | None) -> Claimed:
    return Claimed(
        message_id=row["id"],
        debtor_id=row["debtor_id"],
        parties=tuple(sorted({row["party_id"], row["payer_party_id"]} - {None})),
        channel=Channel(row["channel"]),
        recipient=row["recipient"],
        content=row["content"],
        tries=row["tries"],
        first_tried_at=row["first_tried_at"],
        state=row["state"],
        closes=closes,
        leased_by=row.get("leased_by"),
    )


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


def _counted(rows: Any) -> dict[Channel, int]:
    counts: dict[Channel, int] = {}
    for row in rows:
        channel = Channel(row["channel"])
        counts[channel] = counts.get(channel, 0) + 1
    return counts


def numbers(ids: Iterable[int]) -> str:
    """Ids as SQL."""
    return f"'{{{','.join(str(int(each)) for each in ids)}}}'::bigint[]"


def _texts(words: Sequence[str]) -> str:
    return f"'{{{','.join(words)}}}'::text[]"
