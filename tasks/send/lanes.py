"""Lanes: each hands over one message after the other, on a database connection and a service connection of its own.

Between two messages a lane makes one commit: what came of the last one, and that the next one is being sent now. So a
worker that is killed leaves one message a lane in doubt and no other. The next one is only marked while its parties are
locked and nothing that concerns it was recorded since it was last asked about; otherwise the rest is asked again first.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg

from connectors.message import Enclosure, MessagePort, Outgoing
from connectors.outcome import Failed, NoService, Outcome, Unknown
from maatpak.kernel.errors import TransientError
from maatpak.kernel.words import Channel
from maatpak.ledger.failures import keep_failure
from tasks.seen import OWN_EVENTS
from tasks.send.claiming import HANDING_OVER, LEASE, Claimed, Claims
from tasks.send.pace import Throttle, Unthrottled, paces
from tasks.send.recording import Record, Recorder
from tasks.send.summary import DeliverySummary

if TYPE_CHECKING:
    from tasks.engine import Engine

READERS = 8
GIVE_UP_AFTER = 10
"""Failures of a service in a row after which its channel rests until the next delivery."""

MARK = """
SELECT id FROM party WHERE id = ANY (%(parties)s) ORDER BY id FOR NO KEY UPDATE;
UPDATE message SET state = 'sending', tries = tries + 1, leased_until = clock_timestamp() + {lease}
WHERE id = %(message)s AND state = 'queued' AND leased_by = %(worker)s
  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.seq > %(seen)s AND e.kind <> ALL (%(own)s)
    AND ((e.creditor_id = %(creditor)s AND e.debtor_id IS NULL)
      OR e.debtor_id IN (SELECT d.id FROM debtor d WHERE d.party_id = ANY (%(parties)s))))
RETURNING id;
"""
"""Two statements, not one: the second must see what was committed while the first waited for the party."""

OURS = "SELECT 1 FROM message WHERE id = %(message)s AND state = 'queued' AND leased_by = %(worker)s"


class Lanes:
    """Sends one batch of claimed messages."""

    def __init__(self, engine: "Engine", claims: Claims, summary: DeliverySummary, throttle: Throttle) -> None:
        self._engine = engine
        self._claims = claims
        self._summary = summary
        self._throttle = throttle
        self._paces = paces(engine.settings)
        self._recorder = Recorder(claims.creditor_id, claims.as_of, claims.now)
        self._seen = 0
        self._dropped: set[int] = set()
        self._asking = asyncio.Lock()
        self._failures: dict[Channel, int] = {}
        self._waiting: dict[Channel, deque[Claimed]] = {}
        self._letters: dict[int, Outgoing | Failed] = {}

    async def send(self, claimed: Sequence[Claimed], seen_seq: int, ports: Mapping[Channel, MessagePort]) -> None:
        """Send them all, as many at once as each port has lanes; what is not begun is given back."""
        self._seen = seen_seq
        for channel in ports:
            self._waiting[channel] = deque(each for each in claimed if each.channel is channel)
        self._letters = await asyncio.to_thread(self._read, claimed)
        try:
            async with asyncio.TaskGroup() as group:
                for channel, port in ports.items():
                    for _ in range(min(port.lanes, len(self._waiting[channel]))):
                        group.create_task(self._lane(channel, port))
        finally:
            left = [each for waiting in self._waiting.values() for each in waiting]
            await asyncio.to_thread(self._claims.release, left)

    async def find_out(self, doubtful: Sequence[Claimed], ports: Mapping[Channel, MessagePort]) -> None:
        """What became of messages that a killed worker was sending, or of which nobody knows: asked of the service.

        Where sending twice leaves one, what the service does not have waits again, to be asked about before it goes.
        """
        self._letters = await asyncio.to_thread(self._read, doubtful)
        async with await self._connect() as connection:
            for each in doubtful:
                port = ports[each.channel]
                read = self._letters[each.message_id]
                if isinstance(read, Failed):
                    if not read.permanent:
                        continue  # The lease runs out, and the next delivery asks.
                    outcome: Outcome = Unknown(read.code)
                else:
                    outcome = await self._ask(port, read)
                    if isinstance(outcome, Unknown) and port.repeatable:
                        await self._keep(connection, self._recorder.given_back(each, outcome.detail))
                        continue
                await self._keep(connection, self._recorded(each, outcome))

    async def _lane(self, channel: Channel, port: MessagePort) -> None:
        paced = self._paces[channel].limited or not isinstance(self._throttle, Unthrottled)
        last = Record()
        async with self._throttle.lane(channel), await self._connect() as connection:
            while self._waiting[channel] and channel not in self._summary.stopped:
                if paced:
                    await self._keep(connection, last)  # Its turn may be a while off.
                    last = Record()
                each = await self._next(connection, channel)
                if each is None or each.message_id in self._dropped:
                    continue
                begun = await self._begin(connection, each, last)
                last = self._recorded(each, await self._hand_over(port, each)) if begun else Record()
            await self._keep(connection, last)

    async def _next(self, connection: psycopg.AsyncConnection, channel: Channel) -> Claimed | None:
        """The next message whose turn it is; None when another lane was faster."""
        waiting, pace = self._waiting[channel], self._paces[channel]
        await self._throttle.turn(channel)
        if not pace.limited:
            return waiting.popleft() if waiting else None
        busy: dict[str, float] = {}
        for each in tuple(waiting):
            name = pace.lane_of(each.recipient)
            if name in busy or each not in waiting:
                continue
            waiting.remove(each)
            busy[name] = await pace.take(connection, each.recipient)
            if not busy[name]:
                return each
            waiting.appendleft(each)
        await asyncio.sleep(min(busy.values(), default=0.0))
        return None

    async def _begin(self, connection: psycopg.AsyncConnection, each: Claimed, record: Record) -> bool:
        """In one commit: what came of the last message, and that this one is being sent. Whether it is."""
        marked = {
            "parties": list(each.parties),
            "message": each.message_id,
            "worker": self._claims.worker,
            "creditor": self._claims.creditor_id,
            "own": list(OWN_EVENTS),
        }
        while True:
            seen = self._seen
            if self._late(each):
                await self._keep(connection, record)
                record = Record()
                await self._ask_again(seen, each)
                return False
            statement = record.statements + MARK.format(lease=LEASE)
            if await self._run(connection, statement, {**record.values, **marked, "seen": seen}):
                return True
            record = Record()
            if not await self._run(connection, OURS, marked):
                return False
            await self._ask_again(seen, each)
            if each.message_id in self._dropped:
                return False

    async def _keep(self, connection: psycopg.AsyncConnection, record: Record) -> None:
        if record.statements:
            await self._run(connection, record.statements, record.values)

    async def _run(self, connection: psycopg.AsyncConnection, statements: str, values: Mapping[str, Any]) -> bool:
        """Run statements as one transaction in one round trip; whether the last one gave a row."""
        cursor = psycopg.AsyncClientCursor(connection)
        await cursor.execute(statements, values)
        while cursor.nextset():
            continue
        return cursor.rowcount > 0

    async def _ask_again(self, seen: int, each: Claimed) -> None:
        """Something was recorded since the batch was asked about: ask again for all that wait; one lane does it."""
        async with self._asking:
            if each.message_id in self._dropped or (self._seen != seen and not self._late(each)):
                return
            waiting = (other for lane in self._waiting.values() for other in lane)
            left = [each, *(other for other in waiting if other.message_id not in self._dropped)]
            dropped, self._seen = await asyncio.to_thread(self._claims.ask_again, left)
            self._dropped |= dropped.keys()
            for other in left:
                if other.message_id in dropped:
                    self._summary.add(other.channel, dropped[other.message_id])

    def _late(self, each: Claimed) -> bool:
        """Whether the customer's hours have ended, or almost, while others were sent or waited for."""
        left = each.left(self._claims.present)
        return left is not None and left <= HANDING_OVER

    async def _hand_over(self, port: MessagePort, each: Claimed) -> Outcome:
        """What comes of it. What cannot be made fails alone: the others' letters are none the worse for it."""
        outgoing = self._letters.pop(each.message_id)
        if isinstance(outgoing, Failed):
            return outgoing
        try:
            enclosures = await asyncio.to_thread(self._enclosures, outgoing) if outgoing.attachments else ()
            return await port.send(outgoing, enclosures, each.left(self._claims.present))
        except Exception as error:  # noqa: BLE001 - a port raises only while it makes the message
            return self._not_made(error)

    async def _ask(self, port: MessagePort, outgoing: Outgoing) -> Outcome:
        try:
            return await port.ask(outgoing)
        except Exception as error:  # noqa: BLE001 - no answer is no knowledge (law 3)
            return Unknown(f"cannot be asked about: {keep_failure(self._engine.workspace, error)}")

    def _not_made(self, error: Exception) -> Failed:
        """It would fail again, unless a disk or store failed. Only the workspace has the words: they name names."""
        name = keep_failure(self._engine.workspace, error)
        return Failed(f"cannot be made: {name}", permanent=not isinstance(error, OSError | TransientError))

    def _recorded(self, each: Claimed, outcome: Outcome) -> Record:
        """What to record of an outcome; it is counted, and a service that fails too often is given up."""
        record = self._recorder.of(each, outcome)
        if isinstance(outcome, NoService):
            self._summary.stopped[each.channel], self._summary.mend[each.channel] = outcome.code, outcome.mend
        if record.counted is not None:
            self._summary.add(each.channel, record.counted)
            trouble = record.counted == "postponed"
            self._failures[each.channel] = self._failures.get(each.channel, 0) + 1 if trouble else 0
            if self._failures[each.channel] >= GIVE_UP_AFTER and isinstance(outcome, Failed):
                self._summary.stopped[each.channel] = outcome.code
        return record

    def _read(self, claimed: Sequence[Claimed]) -> dict[int, Outgoing | Failed]:
        with ThreadPoolExecutor(READERS) as pool:
            read = pool.map(self._read_one, claimed)
            return {each.message_id: outgoing for each, outgoing in zip(claimed, read, strict=True)}

    def _read_one(self, each: Claimed) -> Outgoing | Failed:
        try:
            return Outgoing.from_json(self._engine.store.get(each.content))
        except Exception as error:  # noqa: BLE001 - a message that cannot be read is one message's trouble
            return self._not_made(error)

    def _enclosures(self, outgoing: Outgoing) -> list[Enclosure]:
        return [
            Enclosure(each.name, each.media_type, self._engine.store.get(each.evidence))
            for each in outgoing.attachments
        ]

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._engine.database.url, autocommit=True)
