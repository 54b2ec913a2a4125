"""Group commit: what lanes want recorded at the same moment is one transaction, with one wait for the disk.

A lane asks for one thing at a time: that the outcome of its last message is recorded, and that its next one is marked
as being sent. While one group is committed the next one gathers; a lane goes on when its own group is on the disk. So
the promise of a lane of its own holds: killed at any moment, at most as many messages are in doubt as there are lanes.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import psycopg

from maatpak.ledger.locks import creditor_lock
from tasks.seen import OWN_EVENTS
from tasks.send.claiming import LEASE, Claimed, Claims, numbers
from tasks.send.recording import Record, Recorder

if TYPE_CHECKING:
    from tasks.engine import Engine

PARTIES = """
SELECT count(*) FROM (SELECT id FROM party WHERE id = ANY ({parties}) ORDER BY id FOR NO KEY UPDATE) locked;
"""

MARK = """
UPDATE message m SET state = 'sending', tries = tries + 1, leased_until = clock_timestamp() + {lease}
WHERE m.id = ANY ({messages}) AND m.state = 'queued' AND m.leased_by = '{worker}'
  AND NOT EXISTS (SELECT 1 FROM breaker b WHERE b.channel = m.channel AND b.open_until > clock_timestamp())
  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.seq > {seen} AND e.kind <> ALL ('{{{own}}}')
    AND ((e.creditor_id = {creditor} AND e.debtor_id IS NULL)
      OR e.debtor_id IN (SELECT d.id FROM debtor d WHERE d.party_id = ANY ({parties}))))
RETURNING m.id
"""
"""A statement of its own after the lock: it must see what was committed while that waited for a party.

What was recorded of one of the group's parties holds the whole group up: each of them is asked about again.
"""


class Mark(NamedTuple):
    """A message that is to be marked as being sent."""

    claimed: Claimed
    seen: int
    """The last event when it was asked about."""


class _Wish(NamedTuple):
    record: Record
    mark: Mark | None
    done: asyncio.Future[bool]


class Commits:
    """The commits of one delivery's lanes, on one connection."""

    def __init__(self, engine: "Engine", claims: Claims, recorder: Recorder) -> None:
        self._url = engine.database.url
        self._claims = claims
        self._recorder = recorder
        self._wishes: list[_Wish] = []
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._work is not None:
            await self._work
        await self._connection.close()

    async def keep(self, record: Record) -> None:
        """Record an outcome."""
        if record.statements:
            await self._wish(record, None)

    async def begin(self, record: Record, mark: Mark) -> bool:
        """Record an outcome, and mark the next message; whether that is marked. False: it is not ours, or ask again."""
        return await self._wish(record, mark)

    async def _wish(self, record: Record, mark: Mark | None) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wishes.append(_Wish(record, mark, done))
        if self._work is None:
            self._work = asyncio.create_task(self._grant())
        return await done

    async def _grant(self) -> None:
        """Commit group after group, as long as there are wishes."""
        while self._wishes:
            wishes, self._wishes = self._wishes, []
            try:
                marked = await self._commit(wishes)
            except Exception as error:  # noqa: BLE001 - it is raised where it was waited for
                for wish in wishes:
                    if not wish.done.done():
                        wish.done.set_exception(error)
            else:
                for wish in wishes:
                    if not wish.done.done():
                        wish.done.set_result(wish.mark is not None and wish.mark.claimed.message_id in marked)
        self._work = None

    async def _commit(self, wishes: Sequence[_Wish]) -> set[int]:
        """One transaction in one round trip, with the locks in the order of the house; the messages that are marked."""
        cursor = psycopg.AsyncClientCursor(self._connection)
        marks = [wish.mark for wish in wishes if wish.mark is not None]
        marked = {
            "parties": numbers({party for mark in marks for party in mark.claimed.parties}),
            "messages": numbers(mark.claimed.message_id for mark in marks),
            "seen": min((mark.seen for mark in marks), default=0),
            "worker": self._claims.worker,
            "lease": LEASE,
            "creditor": int(self._claims.creditor_id),
            "own": ",".join(OWN_EVENTS),
        }
        statements = [creditor_lock(self._claims.creditor_id, shared=True), ";"]
        if marks:
            statements.append(PARTIES.format(**marked))
        records = [wish.record for wish in wishes if wish.record.statements]
        statements += [cursor.mogrify(each.statements, each.values) for each in self._recorder.together(records)]
        if marks:
            statements.append(MARK.format(**marked))
        await cursor.execute("".join(statements))
        while cursor.nextset():
            continue
        return {row[0] for row in await cursor.fetchall()} if marks else set()
