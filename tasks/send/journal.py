"""The journal of a delivery: a file that says which messages it began to hand over, and what came of each.

Marks and outcomes are committed in groups, so at any moment a worker has marked more messages than it hands over, and
knows of outcomes that are not in the database yet. A line is written to the journal before a message can reach its
service, and another one with its outcome. So when a worker is killed, the next delivery on this machine knows what had
happened: what is not in the journal was certainly not handed over, and only what was under way is in doubt.

The file is not forced to the disk: it outlives its process, not its machine. What it says is true in any case; that it
says nothing of a message means something only if it is the very file that was written since this machine was started,
and its writer has ended, which frees the lock that it holds. In all other cases a marked message is in doubt (law 3).
"""

import errno
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from secrets import token_hex
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from connectors.outcome import Held, Outcome
from maatpak.kernel.errors import WorkspaceError

SUFFIX = ".journal"
NUMBER_OF_START = Path("/proc/sys/kernel/random/boot_id")
"""Where Linux tells one start of the machine from another; elsewhere a missing line means nothing."""
NAMED = re.compile(r"[A-Za-z0-9_.:@-]+")
KINDS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Outcome)}


class Journal:
    """What one delivery writes down while it sends."""

    def __init__(self, folder: Path, creditor_id: int, as_of: date, worker: str) -> None:
        """Begin a file of its own.

        Raises:
            WorkspaceError: it cannot be written.
        """
        plain = "".join(NAMED.findall(worker))[:90]
        self._torn: OSError | None = None
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            while True:
                self.writer = f"{plain}.{token_hex(4)}"
                """The name under which this delivery leases messages."""
                self._path = folder / f"{self.writer}{SUFFIX}"
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)
                if os.fstat(self._file).st_nlink:
                    break
                os.close(self._file)  # Before it was locked, another delivery took it for one that was left behind.
        except OSError as error:
            raise self._unwritten(error) from error
        try:
            self._write({"creditor": creditor_id, "as_of": as_of.isoformat(), "file": _identity(self._file)})
        except OSError as error:
            self.close(settled=True)
            raise self._unwritten(error) from error

    def begin(self, message_id: int) -> None:
        """Write down that a message is about to be handed over; it may only be after this.

        Raises:
            WorkspaceError: it could not be written, so the message must not go.
        """
        try:
            if self._torn is not None:
                raise self._torn
            self._write({"begun": message_id})
        except OSError as error:
            raise self._unwritten(error) from error

    def end(self, message_id: int, outcome: Outcome) -> None:
        """Write down what came of it. Where that is not possible, a kill leaves it in doubt, and no other may begin."""
        with suppress(OSError):
            self._write({"ended": message_id, type(outcome).__name__: asdict(outcome)})

    def close(self, *, settled: bool) -> None:
        """End it; `settled`: all that it says is in the database, so nobody needs it any more."""
        if settled:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _write(self, line: dict[str, Any]) -> None:
        content = json.dumps(line).encode() + b"\n"
        if os.write(self._file, content) < len(content):
            self._torn = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # The next line would be lost in this piece.
            raise self._torn

    def _unwritten(self, error: OSError) -> WorkspaceError:
        return WorkspaceError(
            f"The journal of deliveries cannot be written in {self._folder}: {error.strerror}.",
            advice="Make room there, and give the user of this program read and write rights; nothing is sent before.",
        )


@contextmanager
def journal_of(folder: Path, creditor_id: int, as_of: date, worker: str) -> Iterator[Journal]:
    """The journal of a delivery; it stays where that is broken off."""
    journal = Journal(folder, creditor_id, as_of, worker)
    settled = False
    try:
        yield journal
        settled = True
    finally:
        journal.close(settled=settled)


class LeftBehind:
    """The journal of a delivery that ended before its outcomes were all in the database.

    It may be damaged: what cannot be understood tells nothing, and then silence tells nothing either.
    """

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        with os.fdopen(os.dup(file), "rb") as reader:
            first, *rest = list(reader) or [b""]
        self.writer = path.name.removesuffix(SUFFIX)
        head = _parsed(first)
        whose, day = head.get("creditor"), _day(head.get("as_of"))
        self.creditor_id: int | None = whose if isinstance(whose, int) and day is not None else None
        """None of one that was broken off before it began, or is damaged: nothing in it can be believed."""
        self.as_of = day or date.min
        self._complete = None not in (here := _identity(file)) and head.get("file") == here
        self._ended: dict[int, Outcome] = {}
        self._begun: set[int] = set()
        for line in rest:
            self._read(line)

    def _read(self, line: bytes) -> None:
        told = _parsed(line)
        begun, ended, outcome = told.get("begun"), told.get("ended"), _outcome(told)
        if isinstance(begun, int):
            self._begun.add(begun)
        elif isinstance(ended, int) and outcome is not None:
            self._ended[ended] = outcome
        elif line.endswith(b"\n"):
            # One that was broken off is the last one, and what it was to say had not happened yet or is not known.
            self._complete = False

    def tells(self, message_id: int) -> Outcome | None:
        """What became of a message that its writer had marked; `Held`: nothing was handed over; None: in doubt."""
        if message_id in self._ended:
            return self._ended[message_id]
        return Held() if self._complete and message_id not in self._begun else None

    def forget(self) -> None:
        """All that it says is in the database."""
        self._path.unlink(missing_ok=True)


@contextmanager
def left_behind(folder: Path, creditor_id: int) -> Iterator[list[LeftBehind]]:
    """The journals of a creditor's deliveries that have ended; nobody else reads them while the block lasts.

    One that does not say whose it is is nobody's, and is forgotten. What is no file of ours, or cannot be read, is left
    where it is: as if there were none, its messages are in doubt.
    """
    with ExitStack() as held:
        found = []
        for path in sorted(each for each in folder.glob(f"*{SUFFIX}") if NAMED.fullmatch(each.name)):
            with suppress(OSError), ExitStack() as opened:
                file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                opened.callback(os.close, file)
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    continue
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not to be had while its writer is at work
                journal = LeftBehind(path, file)
                if journal.creditor_id is None:
                    journal.forget()
                elif journal.creditor_id == creditor_id:
                    found.append(journal)
                    held.push(opened.pop_all())
        yield found


def _identity(file: int) -> list[str | None]:
    """Which file it is, on which start of which machine: a copy is another one."""
    status = os.fstat(file)
    try:
        start = NUMBER_OF_START.read_text().strip()
    except OSError:
        start = None
    return [start, f"{status.st_dev}:{status.st_ino}"]


def _parsed(line: bytes) -> dict[str, Any]:
    """What a line says; nothing, where it cannot be understood."""
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None


def _outcome(line: dict[str, Any]) -> Outcome | None:
    name = next((name for name in line if name in KINDS), None)
    try:
        outcome: Outcome | None = None if name is None else KINDS[name].validate_python(line[name])
    except ValidationError:
        return None
    return outcome
