"""Sending beside the bare clients: the same messages to the same local services, in turn.

Run as `python -m benchmarks.sending CHANNEL CUSTOMERS LANES [SECONDS]`: prints one line of JSON; the lanes of letters
are cores, and each text takes the simulator so many seconds more, as a service far away does.
The bare client has its messages ready in memory and forgets them; ours come from the outbox, each asked about again,
marked before it leaves and recorded after it, through PostgreSQL. Mails go to the product's own sink, texts to its
simulator of Twilio, in processes of their own; a letter is a PDF, which ours also puts into the spool.
"""

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import typst
from aiosmtplib import SMTP
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from benchmarks.measure import alternate, peak_memory, timed
from benchmarks.outbox import CREDITOR, EVIDENCE, NOON, fill, waiting
from benchmarks.population import AS_OF
from benchmarks.scratch import Scratch, scratch
from connectors.faults import Fault, plan_faults
from connectors.mail.mime import mail_bytes
from connectors.mail.sink import HOST, MailSink
from connectors.message import Outgoing
from connectors.post.letters import SHEET, compiled_with
from connectors.sms.simulator import SmsSimulator
from maatpak.kernel.words import Channel
from tasks.send import deliver

PREPARED = "outbox"
ACCOUNT, TOKEN = "AC" + "0" * 32, "for-the-benchmark"

Lane = Callable[[deque[Any]], Coroutine[Any, Any, None]]
Subject = Callable[[list[float]], None]


def bare(messages: Sequence[Any], lanes: int, lane: Lane) -> Subject:
    """Lanes that empty one queue."""

    async def all_of_them() -> None:
        queue = deque(messages)
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane(queue))

    def subject(seconds: list[float]) -> None:
        with timed(seconds):
            asyncio.run(all_of_them())

    return subject


def ours(place: Scratch, channel: Channel, expected: int, settings: dict[str, Any]) -> Subject:
    """A delivery of all that waits for a channel."""

    def subject(seconds: list[float]) -> None:
        with place.engine(PREPARED, **settings) as engine:
            engine.pack(1)
            with timed(seconds):
                summary = deliver(engine, CREDITOR, AS_OF, NOON, "bench", channel)
            if summary.total("sent") != expected:
                raise SystemExit(f"Not all were sent: {summary}")

    return subject


def mails(
    place: Scratch, messages: Sequence[Outgoing], lanes: int, settings: dict[str, Any], away: float
) -> tuple[Subject, Subject]:
    """aiosmtplib on connections that stay open, and the delivery; to one sink."""
    del away
    sink = MailSink(place.folder / "server")
    # Reports would be asked for by ours alone, and written by the server that both share.
    plan_faults(place.folder / "server", [Fault(at="delivery", drop=True)])
    ready = [(each.sender.email, each.recipient.email, mail_bytes(each, ())) for each in messages]

    async def lane(queue: deque[Any]) -> None:
        async with SMTP(hostname=HOST, port=sink.port(), local_hostname="localhost") as client:
            while queue:
                sender, recipient, content = queue.popleft()
                await client.mail(sender)
                await client.rcpt(recipient)
                await client.data(content)

    server = {"smtp_host": HOST, "smtp_port": sink.port(), "smtp_security": "none", "smtp_connections": lanes}
    return bare(ready, lanes, lane), ours(place, Channel.EMAIL, len(messages), settings | server)


def texts(
    place: Scratch, messages: Sequence[Outgoing], lanes: int, settings: dict[str, Any], away: float
) -> tuple[Subject, Subject]:
    """Twilio's own asynchronous client, and the delivery; to one simulator."""
    simulator = SmsSimulator(place.folder / "server", ACCOUNT, TOKEN)
    simulator.plan_faults([Fault(at="after", delay=away)] if away else [])
    ready = [(each.recipient.phone, each.text) for each in messages]

    async def lane(queue: deque[Any]) -> None:
        async with AsyncTwilioHttpClient() as http:
            client = Client(ACCOUNT, TOKEN, http_client=http)
            client.api.base_url = simulator.url()
            while queue:
                to, body = queue.popleft()
                await client.messages.create_async(to=to, body=body, from_="+31970000000")

    service = {"sms_url": simulator.url(), "sms_account": ACCOUNT, "sms_token": TOKEN}
    return bare(ready, lanes, lane), ours(place, Channel.SMS, len(messages), settings | service)


def letters(
    place: Scratch, messages: Sequence[Outgoing], lanes: int, settings: dict[str, Any], away: float
) -> tuple[Subject, Subject]:
    """A typst compiler that is used again, and the delivery; both on so many cores, where the system can tell them."""
    del away
    if lanes == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ready = [compiled_with(each) for each in messages]
    compiler = typst.Compiler(SHEET, ignore_system_fonts=True)

    def subject(seconds: list[float]) -> None:
        with timed(seconds):
            for given in ready:
                compiler.compile(**given)

    return subject, ours(place, Channel.POST, len(messages), settings)


CHANNELS = {Channel.EMAIL: mails, Channel.SMS: texts, Channel.POST: letters}


def measure(place: Scratch, channel: Channel, customers: int, lanes: int, away: float) -> dict[str, float]:
    """Messages a second of both, and what the act step took a message to write and queue them."""
    filled: list[tuple[float, int]] = []
    place.prepare(PREPARED, lambda database: filled.append(fill(database, place.folder, channel, customers)))
    ((seconds, written),) = filled
    settings = {"evidence_url": str(place.folder / EVIDENCE)}
    with place.engine(PREPARED, **settings) as engine:
        messages = waiting(engine, channel)
    queued = len(messages)
    one, other = CHANNELS[channel](place, messages, lanes, settings, away)
    taken = alternate({"bare": one, "ours": other})
    return {
        "messages": queued,
        "written_ms": seconds / written * 1e3,
        "bare": queued / taken["bare"],
        "ours": queued / taken["ours"],
        "ratio": taken["bare"] / taken["ours"],
        "peak_memory": peak_memory(),
    }


def main() -> None:
    """Measure one channel with so many lanes."""
    channel, customers, lanes, *more = sys.argv[1:]
    with scratch() as place:
        print(json.dumps(measure(place, Channel(channel), int(customers), int(lanes), float(more[0]) if more else 0.0)))


if __name__ == "__main__":
    main()
