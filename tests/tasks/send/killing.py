"""Deliveries in processes of their own that are killed, and the account of what that left.

Workers are forked from a parent that has everything imported, so that most of their time is a delivery's. The mail
server is a process of its own on a port that they all know; it survives them, and has a mail on disk before it says so.
"""

import json
import multiprocessing
import os
import threading
from collections import Counter
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import polars as pl

from connectors.mail.sink import HOST, MailSink
from connectors.post.typesetting import fitting
from maatpak.kernel.settings import Settings
from maatpak.ledger.database import Database
from tasks.compose import compose, queue_messages
from tasks.engine import Engine
from tasks.send import deliver
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import let_rests_end, wait_until

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        __name__,
        *("adbc_driver_postgresql.dbapi", "connectors.mail.smtp", "connectors.post.spool", "connectors.sms.simulated"),
        *("connectors.sms.simulator", "connectors.sms.twilio_client", "holidays.countries", "policies.pack", "typst"),
    ]
)
"""What a delivery imports when it first needs it."""
PATIENCE = 180.0
"""Two cores that others use, too, start many workers slowly."""
ONE_ASKS = threading.Lock()
"""The start of a process asks all others whether they ended; whoever asks at that moment, too, is told 255."""
LANES = {"email": 4, "post": fitting() + 1}
MAILS, LETTERS = 5, 1
"""Customers of a lot."""
APART = 1000
"""Between the ids of one lot and of the next."""
LOT = ("party", "debtor", "debtor_profile", "case", "round", "round_course", "item", "item_version", "action")
LOT_IN_PAIRS = ("action_item", "round_item")
NUMBERED = {"id", "party_id", "debtor_id", "case_id", "round_id", "action_id", "item_id"}
NAMED = {"party_ref", "debtor_no", "document_no"}


def work(given: dict[str, Any], creditor_id: int, name: str, begun: Connection) -> None:
    """One delivery of one worker; says when it begins."""
    os.environ["PGAPPNAME"] = name  # so that the database knows whose connections are whose
    settings = Settings(**given)
    engine = Engine(settings, Database(given["database_url"]))  # whose schema is the house's, and not looked at again
    begun.send_bytes(b"begun")
    deliver(engine, creditor_id, DAY, NOW, name)
    engine.close()


class Left(NamedTuple):
    """What a worker was handing over when it ended: its journal has no outcome of it."""

    mails: int
    letters: int


class Worker:
    """A delivery under way in a process of its own."""

    def __init__(self, house: House, given: dict[str, Any], name: str) -> None:
        self.name = name
        self._house = house
        self._kept = house.engine.workspace.root / f"{name}.kept"
        self._begun, theirs = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=work, args=(given, house.creditor_id, name, theirs))
        with ONE_ASKS:
            self._process.start()
        theirs.close()

    @property
    def exit_code(self) -> int | None:
        with ONE_ASKS:
            return self._process.exitcode

    def wait_for_begin(self) -> None:
        assert self._begun.poll(PATIENCE)
        with suppress(EOFError):  # it ended before
            self._begun.recv_bytes()

    def wait_for(self, *states: str) -> None:
        """Until it has messages in one of these states, or has ended; at once for none."""
        if not states:
            return
        listed = ", ".join(f"'{each}'" for each in states)
        its = f"SELECT id FROM message WHERE leased_by LIKE '{self.name}.%' AND state IN ({listed}) LIMIT 1"
        wait_until(lambda: bool(self._house.rows(its)) or self.exit_code is not None, PATIENCE)
        self.keep_journal()

    def keep_journal(self) -> None:
        """Another name for its file: the next delivery may read and remove it before we do."""
        for path in self._house.engine.workspace.deliveries.glob(f"{self.name}.*.journal"):
            with suppress(FileNotFoundError, FileExistsError):
                self._kept.hardlink_to(path)

    def kill(self) -> None:
        self.keep_journal()
        self._process.kill()

    def end(self) -> Left:
        """Wait until it is gone, and nothing that it had sent to the database is at work there."""
        wait_until(lambda: self.exit_code is not None, PATIENCE)
        connected = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{self.name}'"
        wait_until(lambda: not self._house.rows(connected), PATIENCE)
        if not self._kept.exists():
            return Left(0, 0)
        lines = [json.loads(line) for line in self._kept.read_text().splitlines()[1:]]
        doubtful = {line["begun"] for line in lines if "begun" in line} - {line.get("ended") for line in lines}
        rows = self._house.rows(f"SELECT channel FROM message WHERE id = ANY ('{{{','.join(map(str, doubtful))}}}')")
        counts = Counter(row["channel"] for row in rows)
        return Left(counts["email"], counts["post"])


class Shop:
    """A house whose outbox does not run dry, a mail server that survives, and workers."""

    def __init__(self, house: House) -> None:
        self.house = house
        engine = house.engine
        self.sink = MailSink(engine.workspace.sinks / "mail")
        self._given = {
            "workspace": engine.settings.workspace,
            "database_url": engine.database.url,
            "smtp_host": HOST,
            "smtp_port": self.sink.port(),
            "smtp_connections": LANES["email"],
        }
        self._names = 0
        self._lots = 0
        for number in range(MAILS):
            house.customer(email=f"ap@k{number}.example")
        for _ in range(LETTERS):
            house.customer(preferred_channel="post")
        self._columns = {
            table: house.rows(
                f"SELECT column_name AS name FROM information_schema.columns WHERE table_name = '{table}'"
            )
            for table in (*LOT, *LOT_IN_PAIRS)
        }

    def worker(self) -> Worker:
        self._names += 1
        return Worker(self.house, self._given, f"worker-{self._names}")

    def queue(self, lots: int) -> None:
        """So many more lots of messages: the first customers again, under other numbers and names."""
        first, self._lots = self._lots + 1, self._lots + lots
        with self.house.engine.database.frames() as frames:
            for table, columns in self._columns.items():
                listed = ", ".join(f'"{each["name"]}"' for each in columns)
                copied = ", ".join(_copied(each["name"]) for each in columns)
                some_id = "action_id" if table == "action_item" else "round_id" if table == "round_item" else "id"
                frames.execute(
                    f'INSERT INTO "{table}" ({listed}) SELECT {copied} FROM "{table}" t,'
                    f" generate_series({first}, {self._lots}) AS n WHERE {some_id} < {APART}"
                )
            ids = [
                each.action_id + number * APART
                for number in range(first, self._lots + 1)
                for each in self.house.accounts
            ]
            queue_messages(frames, compose(self.house.engine, frames, pl.DataFrame({"action_id": ids}), DAY, NOW))

    def waiting(self) -> int:
        (row,) = self.house.rows("SELECT count(*) AS n FROM message WHERE state IN ('queued', 'sending')")
        return int(row["n"])

    def finish(self) -> None:
        """Deliver to the end, with no kills any more."""
        while self.waiting():
            let_rests_end(self.house)
            last = self.worker()
            assert last.end() == Left(0, 0)
            assert last.exit_code == 0


def _copied(column: str) -> str:
    if column in NUMBERED:
        return f"t.{column} + n * {APART}"
    if column in NAMED:
        return f"t.{column} || '-' || n"
    return "replace(t.email, '@', n || '@')" if column == "email" else f't."{column}"'
