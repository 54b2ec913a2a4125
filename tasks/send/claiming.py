"""Claiming: which messages go out now, taken so that no other worker takes them, and asked again (law 4).

Locks in the order of the house: creditor shared, parties ascending, then the messages. A lease is technical time, so
the database's clock counts it; everything else counts by the business date and instant that were given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.clock import Elapsed
from maatpak.kernel.words import Channel
from maatpak.ledger.audit import last_event
from maatpak.ledger.literals import numbers, words
from maatpak.ledger.locks import lock_creditor, lock_parties
from tasks.seen import Seen
from tasks.send.last_look import PAYER, LastLook
from tasks.send.volume import room
from tasks.today import looked_at_today

if TYPE_CHECKING:
    from tasks.engine import Engine

LEASE = "interval '5 minutes'"
ASKED_FOR = "interval '3 days'"
"""So long a service is asked about a message whose outcome is unknown; after that only people are."""
NOT_TODAY = "Effects are only for the business date; run that day first."
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

RELEASE = """
UPDATE message SET leased_by = NULL, leased_until = NULL
WHERE id = ANY({ids}) AND state = 'queued' AND leased_by = '{worker}'
"""

OURS = """
SELECT 1 FROM message WHERE id = {id} AND state = 'queued' AND leased_by = '{worker}'
  AND leased_until > clock_timestamp()
"""

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
        self._last_look = LastLook(engine, creditor_id, as_of, now, seen)
        self._marks: dict[str, Any] = {
            "creditor": int(creditor_id),
            "channels": words(channels),
            "now": f"TIMESTAMPTZ '{now.isoformat()}'",
            "worker": self.worker,
            "lease": LEASE,
            "asked_for": ASKED_FOR,
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
            marks = {**self._marks, "channels": words(going)}
            candidates = frames.read(CANDIDATES.format(**marks, limit=limit))
            lock_parties(frames, pl.concat([candidates["party_id"], candidates["payer_party_id"]]).drop_nulls())
            leased = frames.read(LEASED.format(**self._marks, ids=numbers(candidates["id"].to_list())))
            rows = self._last_look.rows(frames, leased["id"].to_list())
            unwanted, postponed, closes = self._last_look.put_aside(frames, rows, self.present)
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
            looked_at = self._last_look.rows(frames, [each.message_id for each in left])
            rows = [row for row in looked_at if row["state"] == "queued"]
            unwanted, postponed, _ = self._last_look.put_aside(frames, rows, self.present)
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
            frames.execute(GIVE_BACK_OF.format(**self._marks, ended=words(ended)))
            rows = frames.read(DOUBTFUL.format(**self._marks, ended=words(ended))).to_dicts()
        return [_claimed({**row, "party_id": None, "payer_party_id": None}, None) for row in rows]

    def still_of(self, ended: Sequence[str]) -> set[str]:
        """Those of ended workers that have marked messages of which the outcome is not recorded."""
        with self.engine.database.frames() as frames:
            return set(frames.read(STILL_OF.format(ended=words(ended)))["leased_by"].to_list())

    def release(self, left: Sequence[Claimed]) -> None:
        """Give claimed messages back that were not begun."""
        if left:
            with self.engine.database.frames() as frames:
                frames.execute(RELEASE.format(**self._marks, ids=numbers([each.message_id for each in left])))


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


def _counted(rows: Any) -> dict[Channel, int]:
    counts: dict[Channel, int] = {}
    for row in rows:
        channel = Channel(row["channel"])
        counts[channel] = counts.get(channel, 0) + 1
    return counts
