"""Lanes: each hands over one message after the other, on a database connection and a service connection of its own.

Between two messages a lane makes one commit: what came of the last one, and that the next one is being sent now. So a
worker that is killed leaves one message a lane in doubt and no other. The next one is only marked while its party is
locked and nothing that concerns it was recorded since it was last asked about; otherwise the rest is asked again first.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from connectors.message import Enclosure, MessagePort, Outgoing
from connectors.outcome import Failed, Outcome, Sent, Unknown
from maatpak.kernel.words import Channel
from tasks.send.claiming import LEASE, Claimed, Claims
from tasks.send.summary import DeliverySummary

if TYPE_CHECKING:
    from tasks.engine import Engine

MOST_TRIES = 6
FIRST_PAUSE = timedelta(minutes=5)
"""A message that the service could not take waits, twice as long each time."""
GIVE_UP_AFTER = 10
"""Failures of a service in a row after which its channel rests until the next delivery."""

OWN_EVENTS = ("tick_decided", "step_executed", "messages_delivered", "report_made", "message_resolved")
"""Kinds of events after which a message is still as wanted as it was."""

LOCK = "SELECT id FROM party WHERE id = {party} FOR NO KEY UPDATE"

MARK = """
UPDATE message SET state = 'sending', tries = tries + 1, leased_until = clock_timestamp() + {lease}
WHERE id = {message} AND state = 'queued' AND leased_by = '{worker}'
  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.seq > {seen} AND e.kind <> ALL ({own})
    AND ((e.creditor_id = {creditor} AND e.debtor_id IS NULL)
      OR e.debtor_id IN (SELECT d.id FROM debtor d WHERE d.party_id = {party})))
RETURNING id
"""

STATE = "SELECT state = 'queued' AND leased_by = '{worker}' FROM message WHERE id = {message}"

SENT = """
WITH done AS (
  UPDATE message SET state = 'sent', sent_on = %(on)s, sent_at = %(now)s, ended_at = %(now)s, service_ref = %(ref)s,
    failure = NULL, leased_by = NULL, leased_until = NULL WHERE id = %(id)s AND state = 'sending' RETURNING id, channel)
INSERT INTO evidence (message_id, kind, source, observed_on, recorded_at)
SELECT id, 'accepted', channel, %(on)s, %(now)s FROM done ON CONFLICT DO NOTHING
"""

FAILED = """
UPDATE message SET state = 'failed', failure = %(why)s, ended_at = %(now)s, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending'
"""

AGAIN = """
UPDATE message SET state = 'queued', failure = %(why)s, send_after = %(later)s, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending'
"""

UNKNOWN = """
UPDATE message SET state = 'unknown', failure = %(why)s, ended_at = %(now)s, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending'
"""

OLD_ADDRESS = """
UPDATE address_state SET replaced_from = %(on)s, replaced_at = %(now)s
WHERE debtor_id = %(debtor)s AND channel = %(channel)s AND address = %(address)s AND replaced_at IS NULL
  AND state <> %(state)s
"""

NEW_ADDRESS = """
INSERT INTO address_state (debtor_id, channel, address, state, cause, actor, valid_from, recorded_at)
VALUES (%(debtor)s, %(channel)s, %(address)s, %(state)s, %(why)s, 'engine', %(on)s, %(now)s) ON CONFLICT DO NOTHING
"""


class Lanes:
    """Sends one batch of claimed messages."""

    def __init__(self, engine: "Engine", claims: Claims, summary: DeliverySummary) -> None:
        self._engine = engine
        self._claims = claims
        self._summary = summary
        self._on: date = claims.as_of
        self._now: datetime = claims.now
        self._seen = 0
        self._dropped: set[int] = set()
        self._asking = asyncio.Lock()
        self._failures: dict[Channel, int] = {}
        self._waiting: dict[Channel, deque[Claimed]] = {}

    async def send(self, claimed: Sequence[Claimed], seen_seq: int, ports: Mapping[Channel, MessagePort]) -> None:
        """Send them all, as many at once as each port has lanes; what is not begun is given back."""
        self._seen = seen_seq
        for channel in ports:
            self._waiting[channel] = deque(each for each in claimed if each.channel is channel)
        try:
            async with asyncio.TaskGroup() as group:
                for channel, port in ports.items():
                    for _ in range(min(port.lanes, len(self._waiting[channel]))):
                        group.create_task(self._lane(channel, port))
        finally:
            left = [each for waiting in self._waiting.values() for each in waiting]
            await asyncio.to_thread(self._claims.release, left)

    async def find_out(self, doubtful: Sequence[Claimed], ports: Mapping[Channel, MessagePort]) -> None:
        """What became of messages that a killed worker was sending: asked of the service, else unknown.

        Where sending twice leaves one, the attempt is made again instead.
        """
        async with await self._connect() as connection:
            for each in doubtful:
                port = ports[each.channel]
                outgoing = await asyncio.to_thread(self._read, each)
                outcome: Outcome
                if port.repeatable:
                    outcome = await port.send(outgoing, await asyncio.to_thread(self._enclosures, outgoing))
                else:
                    outcome = await port.ask(outgoing)
                async with connection.transaction():
                    await self._record(connection, each, outcome)

    async def _lane(self, channel: Channel, port: MessagePort) -> None:
        waiting = self._waiting[channel]
        last: tuple[Claimed, Outcome] | None = None
        async with await self._connect() as connection:
            while waiting and self._failures.get(channel, 0) < GIVE_UP_AFTER:
                each = waiting.popleft()
                if each.message_id in self._dropped:
                    continue
                begun, last = await self._begin(connection, each, last)
                if begun:
                    last = (each, await self._hand_over(port, each))
            if last is not None:
                async with connection.transaction():
                    await self._record(connection, *last)

    async def _begin(
        self, connection: psycopg.AsyncConnection, each: Claimed, last: tuple[Claimed, Outcome] | None
    ) -> tuple[bool, tuple[Claimed, Outcome] | None]:
        """Record what came of the last message and mark the next in one commit: (is it marked, what is left)."""
        while True:
            seen = self._seen
            async with connection.transaction():
                if last is not None:
                    await self._record(connection, *last)
                    last = None
                if await self._mark(connection, each, seen):
                    return True, None
                cursor = await connection.execute(_filled(STATE, each, self._claims))
                row = await cursor.fetchone()
                if row is None or not row[0]:
                    return False, None
            await self._ask_again(seen, each)
            if each.message_id in self._dropped:
                return False, None

    async def _mark(self, connection: psycopg.AsyncConnection, each: Claimed, seen: int) -> bool:
        await connection.execute(_filled(LOCK, each, self._claims))
        cursor = await connection.execute(_filled(MARK, each, self._claims, seen))
        return await cursor.fetchone() is not None

    async def _ask_again(self, seen: int, each: Claimed) -> None:
        """Something was recorded since the batch was asked about: ask again for all that wait; one lane does it."""
        async with self._asking:
            if self._seen != seen:
                return
            left = [each, *(other for waiting in self._waiting.values() for other in waiting)]
            dropped, self._seen = await asyncio.to_thread(self._claims.ask_again, left)
            self._dropped |= dropped
            for other in left:
                if other.message_id in dropped:
                    self._summary.add(other.channel, "cancelled")

    async def _hand_over(self, port: MessagePort, each: Claimed) -> Outcome:
        outgoing = await asyncio.to_thread(self._read, each)
        enclosures = await asyncio.to_thread(self._enclosures, outgoing) if outgoing.attachments else ()
        return await port.send(outgoing, enclosures)

    async def _record(self, connection: psycopg.AsyncConnection, each: Claimed, outcome: Outcome) -> None:
        values = {"id": each.message_id, "on": self._on, "now": self._now}
        match outcome:
            case Sent(service_ref):
                await connection.execute(SENT, {**values, "ref": service_ref})
                self._note(each.channel, "sent", None)
            case Unknown(detail):
                await connection.execute(UNKNOWN, {**values, "why": detail or "unknown"})
                self._note(each.channel, "unknown", None)
            case Failed(code, permanent, address):
                await self._fail(connection, each, values, code, permanent=permanent)
                if address is not None:
                    named = {"debtor": each.debtor_id, "channel": each.channel, "address": each.recipient}
                    known = {**values, **named, "state": address, "why": code}
                    await connection.execute(OLD_ADDRESS, known)
                    await connection.execute(NEW_ADDRESS, known)

    async def _fail(
        self,
        connection: psycopg.AsyncConnection,
        each: Claimed,
        values: Mapping[str, object],
        code: str,
        *,
        permanent: bool,
    ) -> None:
        tries = each.tries + 1
        if permanent or tries >= MOST_TRIES:
            why = code if permanent else f"given up after {tries} tries: {code}"
            await connection.execute(FAILED, {**values, "why": why})
            self._note(each.channel, "failed", None)
        else:
            later = self._now + FIRST_PAUSE * 2 ** (tries - 1)
            await connection.execute(AGAIN, {**values, "why": code, "later": later})
            self._note(each.channel, "postponed", code)

    def _note(self, channel: Channel, outcome: str, trouble: str | None) -> None:
        self._summary.add(channel, outcome)
        self._failures[channel] = self._failures.get(channel, 0) + 1 if trouble else 0
        if trouble and self._failures[channel] >= GIVE_UP_AFTER:
            self._summary.stopped[channel] = trouble

    def _read(self, each: Claimed) -> Outgoing:
        return Outgoing.from_json(self._engine.store.get(each.content))

    def _enclosures(self, outgoing: Outgoing) -> list[Enclosure]:
        return [
            Enclosure(each.name, each.media_type, self._engine.store.get(each.evidence))
            for each in outgoing.attachments
        ]

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._engine.database.url, autocommit=True)


def _filled(statement: str, each: Claimed, claims: Claims, seen: int = 0) -> bytes:
    """Numbers and the worker's name only; the name holds nothing but letters, digits and a few marks."""
    own = ", ".join(f"'{kind}'" for kind in OWN_EVENTS)
    return statement.format(
        lease=LEASE,
        party=int(each.party_id),
        message=int(each.message_id),
        worker=claims.worker,
        creditor=int(claims.creditor_id),
        seen=int(seen),
        own=f"ARRAY[{own}]",
    ).encode()
