"""Lanes: each hands over one message after the other, on a database connection and a service connection of its own.

Between two messages a lane makes one commit: what came of the last one, and that the next one is being sent now. So a
worker that is killed leaves one message a lane in doubt and no other. The next one is only marked while its parties are
locked and nothing that concerns it was recorded since it was last asked about; otherwise the rest is asked again first.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from connectors.message import Enclosure, MessagePort, Outgoing
from connectors.outcome import Failed, NoService, Outcome, Sent, Unknown
from maatpak.kernel.errors import TransientError
from maatpak.kernel.words import Channel
from maatpak.ledger.failures import keep_failure
from maatpak.ledger.locks import creditor_lock
from tasks.seen import OWN_EVENTS
from tasks.send.claiming import LEASE, Claimed, Claims
from tasks.send.summary import DeliverySummary
from tasks.today import RECORDED_AFTER

if TYPE_CHECKING:
    from tasks.engine import Engine

MOST_TRIES = 6
FIRST_PAUSE = timedelta(minutes=5)
"""A message that the service could not take waits, twice as long each time."""
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

AT = RECORDED_AFTER.format(now="%(now)s", creditor="%(creditor)s")
"""An outcome is not recorded before a look that could not see it. The creditor is locked: none begins meanwhile."""

SENT = f"""
WITH done AS (
  UPDATE message SET state = 'sent', sent_on = %(on)s, sent_at = {AT}, ended_at = {AT}, service_ref = %(ref)s,
    failure = NULL, leased_by = NULL, leased_until = NULL WHERE id = %(id)s AND state = 'sending' RETURNING id, channel)
INSERT INTO evidence (message_id, kind, source, observed_on, recorded_at)
SELECT id, 'accepted', channel, %(on)s, {AT} FROM done ON CONFLICT DO NOTHING;
"""  # noqa: S608 - our own words

FAILED = f"""
UPDATE message SET state = 'failed', failure = %(why)s, ended_at = {AT}, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""  # noqa: S608 - our own words

AGAIN = """
UPDATE message SET state = 'queued', failure = %(why)s, send_after = %(later)s, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""

GIVEN_BACK = """
UPDATE message SET state = 'queued', tries = tries - 1, failure = %(why)s, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""
"""That there was no service, or that we were killed, is no try of this message."""

UNKNOWN = f"""
UPDATE message SET state = 'unknown', failure = %(why)s, ended_at = {AT}, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""  # noqa: S608 - our own words

OLD_ADDRESS = f"""
UPDATE address_state SET replaced_from = %(on)s, replaced_at = {AT}
WHERE debtor_id = %(debtor)s AND channel = %(channel)s AND address = %(address)s AND replaced_at IS NULL
  AND state <> %(state)s;
"""  # noqa: S608 - our own words

NEW_ADDRESS = f"""
INSERT INTO address_state (debtor_id, channel, address, state, cause, actor, valid_from, recorded_at)
VALUES (%(debtor)s, %(channel)s, %(address)s, %(state)s, %(why)s, 'engine', %(on)s, {AT}) ON CONFLICT DO NOTHING;
"""  # noqa: S608 - our own words


class Lanes:
    """Sends one batch of claimed messages."""

    def __init__(self, engine: "Engine", claims: Claims, summary: DeliverySummary) -> None:
        self._engine = engine
        self._claims = claims
        self._summary = summary
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
        """What became of messages that a killed worker was sending: asked of the service, else unknown.

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
                        await self._run(connection, GIVEN_BACK, {"id": each.message_id, "why": outcome.detail})
                        continue
                await self._run(connection, *self._recorded(each, outcome))

    async def _lane(self, channel: Channel, port: MessagePort) -> None:
        waiting = self._waiting[channel]
        last: tuple[str, dict[str, Any]] = ("", {})
        async with await self._connect() as connection:
            while waiting and channel not in self._summary.stopped:
                each = waiting.popleft()
                if each.message_id in self._dropped:
                    continue
                begun = await self._begin(connection, each, *last)
                last = self._recorded(each, await self._hand_over(port, each)) if begun else ("", {})
            if last[0]:
                await self._run(connection, *last)

    async def _begin(
        self, connection: psycopg.AsyncConnection, each: Claimed, record: str, values: Mapping[str, Any]
    ) -> bool:
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
            statement = record + MARK.format(lease=LEASE)
            if await self._run(connection, statement, {**values, **marked, "seen": seen}):
                return True
            record, values = "", {}
            if not await self._run(connection, OURS, marked):
                return False
            await self._ask_again(seen, each)
            if each.message_id in self._dropped:
                return False

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
            if self._seen != seen:
                return
            left = [each, *(other for waiting in self._waiting.values() for other in waiting)]
            dropped, self._seen = await asyncio.to_thread(self._claims.ask_again, left)
            self._dropped |= dropped.keys()
            for other in left:
                if other.message_id in dropped:
                    self._summary.add(other.channel, dropped[other.message_id])

    async def _hand_over(self, port: MessagePort, each: Claimed) -> Outcome:
        """What comes of it. What cannot be made fails alone: the others' letters are none the worse for it."""
        outgoing = self._letters.pop(each.message_id)
        if isinstance(outgoing, Failed):
            return outgoing
        try:
            enclosures = await asyncio.to_thread(self._enclosures, outgoing) if outgoing.attachments else ()
            return await port.send(outgoing, enclosures)
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

    def _recorded(self, each: Claimed, outcome: Outcome) -> tuple[str, dict[str, Any]]:
        """The statements that record an outcome, and their values."""
        creditor_id = self._claims.creditor_id
        values = {"id": each.message_id, "creditor": creditor_id, "on": self._claims.as_of, "now": self._claims.now}
        statements, values = self._outcome(each, outcome, values)
        return f"{creditor_lock(creditor_id, shared=True)};{statements}", values

    def _outcome(self, each: Claimed, outcome: Outcome, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        match outcome:
            case Sent(service_ref):
                self._note(each.channel, "sent", None)
                return SENT, {**values, "ref": service_ref}
            case Unknown(detail):
                self._note(each.channel, "unknown", None)
                return UNKNOWN, {**values, "why": detail or "unknown"}
            case NoService(code, mend):
                self._summary.stopped[each.channel], self._summary.mend[each.channel] = code, mend
                return GIVEN_BACK, {**values, "why": code}
            case Failed(code, permanent, address):
                statements, values = self._failed(each, values, code, permanent=permanent)
                if address is None:
                    return statements, values
                named = {"debtor": each.debtor_id, "channel": str(each.channel), "address": each.recipient}
                return statements + OLD_ADDRESS + NEW_ADDRESS, {**values, **named, "state": str(address)}

    def _failed(
        self, each: Claimed, values: dict[str, Any], code: str, *, permanent: bool
    ) -> tuple[str, dict[str, Any]]:
        tries = each.tries + 1
        if permanent or tries >= MOST_TRIES:
            self._note(each.channel, "failed", None)
            return FAILED, {**values, "why": code if permanent else f"given up after {tries} tries: {code}"}
        self._note(each.channel, "postponed", code)
        return AGAIN, {**values, "why": code, "later": self._claims.now + FIRST_PAUSE * 2 ** (tries - 1)}

    def _note(self, channel: Channel, outcome: str, trouble: str | None) -> None:
        self._summary.add(channel, outcome)
        self._failures[channel] = self._failures.get(channel, 0) + 1 if trouble else 0
        if trouble and self._failures[channel] >= GIVE_UP_AFTER:
            self._summary.stopped[channel] = trouble

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
