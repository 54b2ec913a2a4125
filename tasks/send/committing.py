"""Group commit: what lanes want recorded at the same moment is one transaction, with one wait for the disk.

Outcomes are posted, and committed with the next marks; marks are waited for. While one group is committed the next one
gathers. What is not committed yet stands in the delivery's journal (tasks.send.journal).
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import psycopg

from maatpak.ledger.literals import numbers
from maatpak.ledger.locks import creditor_lock
from tasks.seen import OWN_EVENTS
from tasks.send.claiming import LEASE, Claimed, Claims
from tasks.send.recording import Record, Recorder

if TYPE_CHECKING:
    from tasks.engine import Engine

PARTIES = """
SELECT count(*) FROM (SELECT id FROM party WHERE id = ANY ({parties}) ORDER BY id FOR NO KEY UPDATE) locked;
"""

MARK = """
UPDATE message m SET state = 'sending', tries = tries + 1, leased_until = clock_timestamp() + {lease}
WHERE m.id = ANY ({messages}) AND m.state = 'queued' AND m.leased_by = '{worker}' AND m.leased_until > clock_timestamp()
  AND NOT EXISTS (SELECT 1 FROM breaker b WHERE b.channel = m.channel AND b.open_until > clock_timestamp())
  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.seq > {seen} AND e.kind <> ALL ('{{{own}}}')
    AND ((e.creditor_id = {creditor} AND e.debtor_id IS NULL)
      OR e.debtor_id IN (SELECT d.id FROM debtor d WHERE d.party_id = ANY ({parties}))))
RETURNING m.id
"""
"""A statement of its own after the lock: it must see what was committed while that waited for a party.

What was recorded of one of the group's parties holds the whole group up: each of them is asked about again.
"""


TAKE_BACK = """
UPDATE message SET state = 'queued', tries = tries - 1
WHERE id = ANY ({taken_back}) AND state = 'sending' AND leased_by = '{worker}';
"""


class Mark(NamedTuple):
    """A message that is to be marked as being sent."""

    claimed: Claimed
    seen: int
    """The last event when it was asked about."""


class _Request(NamedTuple):
    marks: Sequence[Mark]
    taken_back: Sequence[Claimed]
    done: asyncio.Future[set[int]]


class Commits:
    """The commits of one delivery's lanes, on one connection."""

    def __init__(self, engine: "Engine", claims: Claims, recorder: Recorder) -> None:
        self._url = engine.database.url
        self._claims = claims
        self._recorder = recorder
        self._posted: list[Record] = []
        self._requests: list[_Request] = []
        self._work: asyncio.Task[None] | None = None
        self._broken: Exception | None = None
        """Why a commit failed: outcomes were lost with it, of which only the journal knows. There is no other one."""

    async def __aenter__(self) -> Self:
        self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._work is not None:
            await self._work
        await self._connection.close()

    def post(self, record: Record) -> None:
        """Let an outcome be recorded with what is committed next."""
        if record.statements:
            self._posted.append(record)

    async def settle(self) -> None:
        """Wait until every outcome that was posted is recorded."""
        if self._posted or self._work is not None or self._broken is not None:
            await self._request()

    async def mark(self, marks: Sequence[Mark]) -> set[int]:
        """Mark messages as being sent; those that are. The others are not ours, or one has to be asked about again."""
        return await self._request(marks=marks)

    async def take_back(self, marked: Sequence[Claimed]) -> None:
        """Marks that were made too early, of messages that were not handed over; they are still claimed."""
        await self._request(taken_back=marked)

    async def _request(self, marks: Sequence[Mark] = (), taken_back: Sequence[Claimed] = ()) -> set[int]:
        done: asyncio.Future[set[int]] = asyncio.get_running_loop().create_future()
        self._requests.append(_Request(marks, taken_back, done))
        if self._work is None:
            self._work = asyncio.create_task(self._serve())
        return await done

    async def _serve(self) -> None:
        """Commit group after group, as long as there are requests."""
        while self._requests:
            requests, self._requests = self._requests, []
            records, self._posted = self._posted, []
            try:
                marked = await self._commit(requests, records)
            except Exception as error:  # noqa: BLE001 - it is raised where it was waited for, and from now on
                self._broken = error
                for request in requests:
                    if not request.done.done():
                        request.done.set_exception(error)
            else:
                for request in requests:
                    if not request.done.done():
                        request.done.set_result(marked)
        self._work = None

    async def _commit(self, requests: Sequence[_Request], records: Sequence[Record]) -> set[int]:
        """One transaction in one round trip, with the locks in the order of the house; the messages that are marked."""
        if self._broken is not None:
            raise self._broken
        cursor = psycopg.AsyncClientCursor(self._connection)
        marks = [mark for request in requests for mark in request.marks]
        taken_back = [each.message_id for request in requests for each in request.taken_back]
        marked = {
            "parties": numbers({party for mark in marks for party in mark.claimed.parties}),
            "messages": numbers(mark.claimed.message_id for mark in marks),
            "taken_back": numbers(taken_back),
            "seen": min((mark.seen for mark in marks), default=0),
            "worker": self._claims.worker,
            "lease": LEASE,
            "creditor": int(self._claims.creditor_id),
            "own": ",".join(OWN_EVENTS),
        }
        statements = [creditor_lock(self._claims.creditor_id, shared=True), ";"]
        if marks:
            statements.append(PARTIES.format(**marked))
        statements += [cursor.mogrify(each.statements, each.values) for each in self._recorder.together(records)]
        if taken_back:
            statements.append(TAKE_BACK.format(**marked))
        if marks:
            statements.append(MARK.format(**marked))
        await cursor.execute("".join(statements))
        while cursor.nextset():
            continue
        return {row[0] for row in await cursor.fetchall()} if marks else set()
