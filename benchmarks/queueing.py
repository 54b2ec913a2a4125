"""100,000 composed messages become rows of the outbox; and how much memory a sender has after few and after many.

Run as `python -m benchmarks.queueing MESSAGES FEW MANY`: prints one line of JSON. Composing, which writes each message
and keeps its words as evidence, is measured a message by `benchmarks.sending`.
"""

import json
import multiprocessing
import sys

import polars as pl

from benchmarks.measure import alternate, peak_memory, timed
from benchmarks.outbox import CREDITOR, EVIDENCE, NOON, fill
from benchmarks.population import AS_OF
from benchmarks.scratch import Scratch, scratch
from connectors.mail.sink import HOST, MailSink
from maatpak.kernel.settings import MailSecurity, Settings
from maatpak.kernel.words import Channel
from maatpak.ledger.database import Database, Frames
from tasks.compose.composed import MESSAGES, Composed
from tasks.compose.queueing import queue_messages
from tasks.engine import Engine
from tasks.send import deliver

PREPARED = "outbox"
MEASURED = "measured"


def many_of(frames: Frames, count: int) -> Composed:
    """So many messages beside those of the outbox, like these in all but what tells them apart."""
    columns = [name for name in MESSAGES if name != "message_ref"]
    rows = frames.read(f"SELECT a.action_id, {', '.join(columns)} FROM message m"
                       " JOIN message_action a ON a.message_id = m.id")  # fmt: skip
    times = count // rows.height + 1
    number = pl.int_range(pl.len()).cast(pl.String)
    made = pl.concat([rows] * times).head(count)
    made = made.with_columns(message_ref="bench" + number + "@example.test", content_key="bench" + number)
    return Composed(
        messages=made.select(pl.col(name).cast(kind) for name, kind in MESSAGES.items()),
        pairs=made.select("message_ref", "action_id"),
        unreachable=pl.DataFrame(),
        hashes=pl.DataFrame(),
    )


def queueing(place: Scratch, count: int) -> float:
    """Median seconds for so many messages."""

    def queue(seconds: list[float]) -> None:
        with place.copy(PREPARED) as database:
            with database.frames() as frames:
                composed = many_of(frames, count)
            with timed(seconds), database.frames() as frames:
                if queue_messages(frames, composed) != count:
                    raise SystemExit("Not all were queued.")

    return alternate({"queue": queue})["queue"]


def memory(place: Scratch, many: int, few: int) -> dict[str, int]:
    """The most bytes that a sender held, after few mails and after many; each in a process of its own."""
    sink = MailSink(place.folder / "server")
    place.prepare(MEASURED, lambda database: fill(database, place.folder, Channel.EMAIL, many))
    held = {}
    for name, limit in (("few", few), ("many", many)):
        with place.copy(MEASURED) as database, multiprocessing.get_context("spawn").Pool(1) as pool:
            held[name] = pool.apply(_sent, (database.url, str(place.folder), sink.port(), limit))
    return held


def _sent(url: str, folder: str, port: int, limit: int) -> int:
    """Bytes: the most that a process held which sent so many mails."""
    settings = Settings.model_validate(
        {
            "workspace": f"{folder}/writing",
            "database_url": url,
            "evidence_url": f"{folder}/{EVIDENCE}",
            "smtp_host": HOST,
            "smtp_port": port,
            "smtp_security": MailSecurity.NONE,
        }
    )
    engine = Engine(settings, Database(url))
    deliver(engine, CREDITOR, AS_OF, NOON, "bench", limit=limit)
    engine.close()
    return peak_memory()


def main() -> None:
    """Measure both."""
    count, few, many = map(int, sys.argv[1:4])
    with scratch() as place:
        place.prepare(PREPARED, lambda database: fill(database, place.folder, Channel.EMAIL, 1_000))
        seconds = queueing(place, count)
        held = memory(place, many, few)
    print(json.dumps({"messages": count, "queueing": seconds, **held}))


if __name__ == "__main__":
    main()
