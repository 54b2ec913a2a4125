"""A delivery: broken-off messages first, then the outbox, batch by batch, each reported when it is done."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from time import monotonic
from typing import TYPE_CHECKING

from connectors.message import MessagePort
from maatpak.kernel.clock import Elapsed, stopwatch
from maatpak.kernel.words import Channel
from tasks.seen import Seen
from tasks.send.breaker import Breakers
from tasks.send.claiming import Batch, Claims
from tasks.send.journal import Journal, journal_of, left_behind
from tasks.send.lanes import Lanes
from tasks.send.pace import Throttle, Unthrottled
from tasks.send.reporting import report_outcomes
from tasks.send.summary import DeliverySummary
from tasks.send.volume import alarms, room

if TYPE_CHECKING:
    from tasks.engine import Engine

FULL = "the cap of a day is reached"
MEND_CAP = "What is over the cap waits for tomorrow; MAATPAK_MAILS_PER_DAY and its like set it."
FIRST = 100
"""Messages of the first claim, and the least of the others: few, so that the first ones leave at once."""
MOST = 3000
"""Messages of one claim: what claiming and reporting cost is shared by many; a worker keeps no more from others."""
GROWTH = 3
"""Times as many messages are claimed each time: these are claimed in less time than the last are sent in."""
SPAN = 30.0
"""Seconds for which messages are claimed, as fast as they went so far: where they go slowly, the claim stays young."""
MIDDAY = time(11, tzinfo=UTC)
"""An hour of the day at which all of Europe is at work."""


def sending_instant(as_of: date, now: datetime) -> datetime:
    """When a caught-up day's messages are taken to have left: within everybody's hours, not before `now`."""
    return max(now, datetime.combine(as_of, MIDDAY))


def deliver(
    engine: "Engine",
    creditor_id: int,
    as_of: date,
    now: datetime,
    worker: str,
    channel: Channel | None = None,
    limit: int | None = None,
    seen: Sequence[Seen] = (),
    throttle: Throttle | None = None,
    elapsed: Elapsed | None = None,
) -> DeliverySummary:
    """Send what waits in the creditor's outbox; several workers may do so at once.

    `seen` is what the ticks just before saw, of every shard; `throttle` is operations' own limit; `elapsed` tells what
    has passed since `now`, where that was read before this was called.

    Raises:
        RefusedError: `as_of` is not the creditor's business date.
    """
    summary = DeliverySummary()
    channels = [channel] if channel is not None else list(Channel)
    summary.alarms = alarms(engine, creditor_id, as_of, now)
    with journal_of(engine.workspace.deliveries, creditor_id, as_of, worker) as journal:
        claims = Claims(engine, creditor_id, as_of, now, journal.writer, channels, seen, elapsed or stopwatch())
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            try:
                runner.run(_deliver(engine, claims, journal, worker, summary, limit, throttle or Unthrottled()))
            except ExceptionGroup as errors:
                raise _first(errors) from errors
    report_outcomes(engine, creditor_id, as_of, now, worker, left_behind=True)
    return summary


async def _deliver(
    engine: "Engine",
    claims: Claims,
    journal: Journal,
    worker: str,
    summary: DeliverySummary,
    limit: int | None,
    throttle: Throttle,
) -> None:
    """While one batch is sent, the next one is claimed and the last one is reported."""
    ports = {channel: _port(engine, channel) for channel in claims.channels}
    used: dict[Channel, MessagePort] = {}
    breakers = Breakers(engine)
    outbox = _Outbox(engine, claims, summary, limit, breakers)
    reports = _Reports(engine, claims, worker)
    try:
        with left_behind(engine.workspace.deliveries, claims.creditor_id) as journals:
            ended = [each.writer for each in journals]
            doubtful = await asyncio.to_thread(claims.doubtful, ended)
            if doubtful:
                used |= {each.channel: ports[each.channel] for each in doubtful}
                lanes = Lanes(engine, claims, journal, summary, throttle, breakers)
                await lanes.find_out(doubtful, ports, journals)
            needed = await asyncio.to_thread(claims.still_of, ended)
            for each in journals:
                if each.writer not in needed:
                    each.forget()
        batch = await outbox.take()
        while batch is not None:
            ahead = asyncio.create_task(outbox.take()) if outbox.can_look_ahead else None
            try:
                if batch.claimed:
                    used |= {each.channel: ports[each.channel] for each in batch.claimed}
                    lanes = Lanes(engine, claims, journal, summary, throttle, breakers)
                    began = monotonic()
                    await lanes.send(batch.claimed, batch.seen_seq, ports)
                    outbox.pace(len(batch.claimed), monotonic() - began)
                    await reports.begin()
            except BaseException:
                if ahead is not None and (lost := await ahead) is not None:
                    await asyncio.to_thread(claims.release, lost.claimed)
                raise
            batch = await (ahead or outbox.take())
    finally:
        try:
            await reports.done()
        finally:
            for port in used.values():
                await port.close()


class _Outbox:
    """Batches of the outbox, one after the other, as many messages as may leave."""

    def __init__(
        self, engine: "Engine", claims: Claims, summary: DeliverySummary, limit: int | None, breakers: Breakers
    ) -> None:
        self._engine = engine
        self._claims = claims
        self._summary = summary
        self._left = limit
        self._breakers = breakers
        self._next = FIRST
        """How many messages are claimed next."""
        self._room = MOST
        """How many are sent in a while."""
        self.can_look_ahead = True
        """Not under a cap of the day, nor while a service is tried: both are looked at again when a batch has left."""

    def pace(self, sent: int, seconds: float) -> None:
        """Learn how fast messages are sent."""
        self._room = min(max(int(sent / seconds * SPAN), FIRST), MOST)
        self._next = min(self._next, self._room)

    async def take(self) -> Batch | None:
        """The next batch, not empty of candidates; None when there is none, or no more may leave."""
        if self._left is not None and self._left <= 0:
            return None
        claims, summary = self._claims, self._summary
        caps = await asyncio.to_thread(_room, self._engine, claims, self._breakers)
        standing = self._breakers.standing
        self.can_look_ahead = not caps and not any(each.opened for each in standing.values())
        shut = {each: (FULL, MEND_CAP) for each, most in caps.items() if not most}
        shut |= {each: (str(rest), rest.mend) for each, rest in standing.items() if rest.left_alone}
        for channel in [each for each in claims.channels if each in shut and each not in summary.stopped]:
            if await asyncio.to_thread(claims.only([channel]).any_due):
                summary.stopped[channel], summary.mend[channel] = shut[channel]
        going = [each for each in claims.channels if each not in shut and each not in summary.stopped]
        if not going:
            return None
        self._claims = claims = claims.only(going)
        batch = await asyncio.to_thread(claims.take, self._next if self._left is None else min(self._next, self._left))
        self._next = min(self._next * GROWTH, self._room)
        _count_aside(summary, batch.cancelled, batch.postponed)
        if not batch.looked_at:
            return None
        if self._left is not None:
            self._left -= len(batch.claimed)
        return batch


class _Reports:
    """Reports of what has ended, one at a time, beside the sending."""

    def __init__(self, engine: "Engine", claims: Claims, worker: str) -> None:
        self._engine = engine
        self._claims = claims
        self._worker = worker
        self._under_way: asyncio.Task[int] | None = None

    async def begin(self) -> None:
        """Begin the next report when the last one is done."""
        await self.done()
        claims = self._claims
        report = asyncio.to_thread(
            report_outcomes, self._engine, claims.creditor_id, claims.as_of, claims.now, self._worker
        )
        self._under_way = asyncio.create_task(report)

    async def done(self) -> None:
        """Wait for the report that is under way."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            await under_way


def _first(error: Exception) -> Exception:
    """What stopped one lane, and so all of them."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def _room(engine: "Engine", claims: Claims, breakers: Breakers) -> dict[Channel, int]:
    """How many more messages may leave by each channel that has a cap; and the breakers are looked at."""
    with engine.database.frames() as frames:
        breakers.look(frames)
        return room(frames, engine.settings, claims.as_of)


def _port(engine: "Engine", channel: Channel) -> MessagePort:
    match channel:
        case Channel.EMAIL:
            return engine.mail
        case Channel.SMS:
            return engine.sms
        case Channel.POST:
            return engine.post


def _count_aside(summary: DeliverySummary, cancelled: Mapping[Channel, int], postponed: Mapping[Channel, int]) -> None:
    for outcome, counts in (("cancelled", cancelled), ("postponed", postponed)):
        for channel, count in counts.items():
            summary.add(channel, outcome, count)
