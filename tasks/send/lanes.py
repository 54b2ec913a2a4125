"""Lanes: each hands over one message after the other, on a service connection of its own.

A message is marked in the database before it is handed over: while its parties are locked, and nothing that concerns it
was recorded since it was last asked about; otherwise it is asked again first. Marks are made a moment ahead
(tasks.send.ahead) and committed with the outcomes (tasks.send.committing). What is handed over, and what came of it, is
written to the journal at once, so a worker that is killed leaves one message a lane in doubt and no other.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import psycopg

from connectors.message import Enclosure, MessagePort, Outgoing
from connectors.outcome import Blame, Failed, Held, NoService, Outcome, Unknown
from maatpak.kernel.errors import TransientError
from maatpak.kernel.words import Channel
from maatpak.ledger.failures import keep_failure
from tasks.send.ahead import MarksAhead
from tasks.send.breaker import Breakers, trouble_of_service
from tasks.send.claiming import Claimed, Claims
from tasks.send.committing import Commits, Mark
from tasks.send.journal import Journal, LeftBehind
from tasks.send.last_look import HANDING_OVER
from tasks.send.pace import Throttle, Unthrottled, paces
from tasks.send.recording import Record, Recorder
from tasks.send.refusing import record_refusal
from tasks.send.summary import DeliverySummary

if TYPE_CHECKING:
    from tasks.engine import Engine

GIVE_UP_AFTER = 10
"""Failures of ours in a row, such as a store that cannot be read, after which a channel waits for the next delivery."""


class Lanes:
    """Sends one batch of claimed messages."""

    def __init__(
        self,
        engine: "Engine",
        claims: Claims,
        journal: Journal,
        summary: DeliverySummary,
        throttle: Throttle,
        breakers: Breakers,
    ) -> None:
        self._engine = engine
        self._claims = claims
        self._journal = journal
        self._summary = summary
        self._throttle = throttle
        self._breakers = breakers
        self._paces = paces(engine.settings)
        self._recorder = Recorder(claims.creditor_id, claims.as_of, claims.now, breakers.back(claims.now))
        self._claimed: Sequence[Claimed] = ()
        self._seen: dict[int, int] = {}
        """Message → the last event when it was asked about."""
        self._beginning: dict[int, Claimed] = {}
        self._dropped: set[int] = set()
        self._doubted: set[int] = set()
        """Messages to customers of whom a refusal has just told something: also those that are marked ahead."""
        self._asking = asyncio.Lock()
        self._failures: dict[Channel, int] = {}
        self._waiting: dict[Channel, deque[Claimed]] = {}
        self._errors: list[Exception] = []
        """What stopped a lane, and so stops all."""

    async def send(self, claimed: Sequence[Claimed], seen_seq: int, ports: Mapping[Channel, MessagePort]) -> None:
        """Send them all, as many at once as each port has lanes; what is not begun is given back."""
        self._claimed = claimed
        self._seen = {each.message_id: seen_seq for each in claimed}
        for channel in ports:
            self._waiting[channel] = deque(each for each in claimed if each.channel is channel)
        try:
            async with Commits(self._engine, self._claims, self._recorder) as commits:
                async with asyncio.TaskGroup() as group:
                    for channel, port in ports.items():
                        if self._waiting[channel]:
                            group.create_task(self._channel(commits, channel, port))
                await commits.settle()
            if self._errors:
                raise self._errors[0]
        finally:
            left = [each for waiting in self._waiting.values() for each in waiting]
            await asyncio.to_thread(self._claims.release, left)

    async def find_out(
        self, doubtful: Sequence[Claimed], ports: Mapping[Channel, MessagePort], left_behind: Sequence[LeftBehind]
    ) -> None:
        """What became of messages that a killed worker had marked, or of which nobody knows.

        Its journal tells, else the service is asked. What was certainly not handed over waits again; so does, where
        sending twice leaves one, what the service does not have, and is asked about before it goes.
        """
        journals = {each.writer: each for each in left_behind}
        async with Commits(self._engine, self._claims, self._recorder) as commits:
            for each in doubtful:
                journal = journals.get(each.leased_by or "") if each.state == "sending" else None
                outcome = None if journal is None else journal.tells(each.message_id)
                if journal is not None and outcome is not None:
                    record = self._counted(each, self._recorder.found(each, outcome, journal.as_of))
                    await self._record(commits, each, record)
                    continue
                port = ports[each.channel]
                read = await self._read(each)
                if isinstance(read, Failed):
                    if not read.permanent:
                        continue  # The lease runs out, and the next delivery asks.
                    outcome = Unknown(read.code)
                else:
                    outcome = await self._ask(port, read)
                    if isinstance(outcome, Unknown) and port.repeatable:
                        commits.post(self._recorder.given_back(each, outcome.detail))
                        continue
                await self._record(commits, each, self._recorded(each, outcome))
                await commits.settle()
            await commits.settle()

    async def _channel(self, commits: Commits, channel: Channel, port: MessagePort) -> None:
        """Send what waits for a channel."""
        waiting = self._waiting[channel]
        lanes = min(await self._lanes_of(channel, port), len(waiting))
        ahead = MarksAhead(commits, waiting, lanes, self._markable)
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(self._whole_lane(commits, ahead, channel, port))
        await ahead.end()

    async def _whole_lane(self, commits: Commits, ahead: MarksAhead, channel: Channel, port: MessagePort) -> None:
        """A lane whose error breaks no other one off: these still learn what comes of what they are handing over."""
        try:
            await self._lane(commits, ahead, channel, port)
        except Exception as error:  # noqa: BLE001 - it is raised when all have ended
            self._errors.append(error)

    async def _lanes_of(self, channel: Channel, port: MessagePort) -> int:
        """As many as the port has; one for a service that rested, and none where another worker tries it."""
        standing = self._breakers.standing.get(channel)
        if standing is None or not standing.opened:
            return port.lanes
        if await asyncio.to_thread(self._breakers.try_out, channel):
            return 1
        self._stop(channel, str(standing), standing.mend)
        return 0

    async def _lane(self, commits: Commits, ahead: MarksAhead, channel: Channel, port: MessagePort) -> None:
        limited = self._paces[channel].limited
        paced = limited or not isinstance(self._throttle, Unthrottled)
        async with self._throttle.lane(channel), await self._connect() if limited else nullcontext() as connection:
            while self._waiting[channel] and not self._is_stopped(channel):
                if paced:
                    await commits.settle()  # Its turn may be a while off.
                else:
                    ahead.look()
                each = await self._next(connection, channel)
                if each is None or each.message_id in self._dropped:
                    continue
                outcome = await self._hand_over(commits, ahead, port, each)
                await self._record(commits, each, self._recorded(each, outcome))
                if trouble := trouble_of_service(outcome):
                    await commits.settle()
                    async with await self._connect() as beside:
                        rest = await self._breakers.note(beside, channel, trouble)
                    if rest is not None:
                        self._stop(channel, str(rest), rest.mend)
            await commits.settle()

    async def _next(self, connection: psycopg.AsyncConnection | None, channel: Channel) -> Claimed | None:
        """The next message whose turn it is; None when another lane was faster."""
        waiting, pace = self._waiting[channel], self._paces[channel]
        await self._throttle.turn(channel)
        if connection is None:
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

    async def _begin(self, commits: Commits, ahead: MarksAhead, each: Claimed) -> bool:
        """See that a message is marked as being sent; whether it is, and may go."""
        if self._is_stopped(each.channel):
            self._waiting[each.channel].appendleft(each)
            return False
        if await ahead.take(each):
            return True
        self._beginning[each.message_id] = each
        try:
            while each.message_id not in self._dropped:
                seen = self._seen[each.message_id]
                mark = self._markable(each)
                if mark is None:
                    await self._ask_again(seen, each)
                    if self._markable(each) is None:
                        break
                    continue
                if each.message_id in await commits.mark([mark]):
                    return True
                if not await asyncio.to_thread(self._claims.holds, each):
                    return False
                async with await self._connect() as beside:
                    rest = await self._breakers.open(beside, each.channel)
                if rest is not None:
                    self._waiting[each.channel].appendleft(each)
                    self._stop(each.channel, str(rest), rest.mend)
                    return False
                await self._ask_again(seen, each)
            return False
        finally:
            del self._beginning[each.message_id]

    def _markable(self, each: Claimed) -> Mark | None:
        """What a message is marked with; None: it was dropped, or has to be asked about: its customer's hours end, or
        another message to them was refused."""
        if each.message_id in self._dropped or each.message_id in self._doubted or self._late(each):
            return None
        return Mark(each, self._seen[each.message_id])

    async def _ask_again(self, seen: int, each: Claimed) -> None:
        """Something was recorded since this message was asked about: ask again for all that are not begun."""
        async with self._asking:
            if each.message_id in self._dropped or (self._seen[each.message_id] != seen and not self._late(each)):
                return  # Another lane did.
            waiting = (other for lane in self._waiting.values() for other in lane)
            left = [other for other in (*self._beginning.values(), *waiting) if other.message_id not in self._dropped]
            doubted = self._doubted.copy()
            asked, dropped, now = await asyncio.to_thread(self._claims.ask_again, left)
            self._seen |= dict.fromkeys(asked, now)
            self._dropped |= dropped.keys()
            self._doubted -= doubted & asked
            for other in left:
                if other.message_id in dropped:
                    self._summary.add(other.channel, dropped[other.message_id])

    def _late(self, each: Claimed) -> bool:
        """Whether the customer's hours have ended, or almost, while others were sent or waited for."""
        left = each.left(self._claims.present)
        return left is not None and left <= HANDING_OVER

    async def _hand_over(self, commits: Commits, ahead: MarksAhead, port: MessagePort, each: Claimed) -> Outcome:
        """What comes of it. What cannot be made fails alone: the others' letters are none the worse for it."""
        going: bool | None = None
        trouble: Exception | None = None

        async def begun() -> bool:
            nonlocal going, trouble
            try:
                going = await self._begin(commits, ahead, each)
                if going:
                    self._journal.begin(each.message_id)
            except Exception as error:  # noqa: BLE001 - our own, not to be taken for the service's
                going, trouble = False, error
            return going

        outgoing = await self._read(each)
        outcome: Outcome
        if isinstance(outgoing, Failed):
            outcome = outgoing
        else:
            try:
                enclosures = await asyncio.to_thread(self._enclosures, outgoing) if outgoing.attachments else ()
                outcome = await port.send(outgoing, enclosures, each.left(self._claims.present), begun)
            except Exception as error:  # noqa: BLE001 - a port raises only while it makes the message
                outcome = self._not_made(error)
        if trouble is not None:
            raise trouble
        if going is None:  # It failed before it was to be handed over, which is recorded of a marked message.
            going = await self._begin(commits, ahead, each)
        if not going:
            return Held()
        self._journal.end(each.message_id, outcome)
        return outcome

    async def _ask(self, port: MessagePort, outgoing: Outgoing) -> Outcome:
        try:
            return await port.ask(outgoing)
        except Exception as error:  # noqa: BLE001 - no answer is no knowledge (law 3)
            return Unknown(f"cannot be asked about: {keep_failure(self._engine.workspace, error)}")

    def _not_made(self, error: Exception) -> Failed:
        """It would fail again, unless a disk or store failed. Only the workspace has the words: they name names."""
        name = keep_failure(self._engine.workspace, error)
        passing = isinstance(error, OSError | TransientError)
        return Failed(f"cannot be made: {name}", not passing, blame=Blame.OURS if passing else Blame.MESSAGE)

    async def _record(self, commits: Commits, each: Claimed, record: Record) -> None:
        """Have an outcome recorded: with what is committed next, or at once where it says something of the address."""
        if record.learned is None:
            commits.post(record)
            return
        theirs = (other for other in self._claimed if not set(each.parties).isdisjoint(other.parties))
        self._doubted |= {other.message_id for other in theirs}
        async with self._asking:  # Who asks about them asks after it.
            creditor_id, now = self._claims.creditor_id, self._claims.now
            await asyncio.to_thread(record_refusal, self._engine, creditor_id, each.message_id, record, now)

    def _recorded(self, each: Claimed, outcome: Outcome) -> Record:
        """What to record of an outcome; it is counted, and where we fail too often ourselves, we give up."""
        record = self._counted(each, self._recorder.of(each, outcome))
        if isinstance(outcome, NoService):
            self._stop(each.channel, outcome.code, outcome.mend)
        ours = isinstance(outcome, Failed) and outcome.blame is Blame.OURS
        self._failures[each.channel] = self._failures.get(each.channel, 0) + 1 if ours else 0
        if isinstance(outcome, Failed) and self._failures[each.channel] >= GIVE_UP_AFTER:
            self._summary.stopped[each.channel] = outcome.code
        return record

    def _counted(self, each: Claimed, record: Record) -> Record:
        if record.counted is not None:
            self._summary.add(each.channel, record.counted)
        return record

    def _is_stopped(self, channel: Channel) -> bool:
        return bool(self._errors) or channel in self._summary.stopped

    def _stop(self, channel: Channel, word: str, mend: str) -> None:
        """Begin no more messages of a channel; the first word stands."""
        self._summary.stopped.setdefault(channel, word)
        self._summary.mend.setdefault(channel, mend)

    async def _read(self, each: Claimed) -> Outgoing | Failed:
        store = self._engine.store
        try:
            # A file of our own disk is read sooner than a thread is asked to.
            content = store.get(each.content) if store.is_local else await asyncio.to_thread(store.get, each.content)
            return Outgoing.from_json(content)
        except Exception as error:  # noqa: BLE001 - a message that cannot be read is one message's trouble
            return self._not_made(error)

    def _enclosures(self, outgoing: Outgoing) -> list[Enclosure]:
        return [
            Enclosure(each.name, each.media_type, self._engine.store.get(each.evidence))
            for each in outgoing.attachments
        ]

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(self._engine.database.url, autocommit=True)
