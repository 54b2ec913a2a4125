"""A Maildir folder as mailbox: what lies in `new`, or unread in `cur`, has arrived; a filed mail is in `cur`, read.

Renaming is the only thing that happens to a mail, and is atomic, so readers and mail programs may work side by side.
What is no regular file is no mail, and is left alone.
"""

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from connectors.inbox.port import Arrived
from maatpak.kernel.errors import IncompleteError, WorkspaceError

INFO = ":2,"
"""Stands between a mail's name and its flags."""
SEEN = "S"
PARTS = ("tmp", "new", "cur")


class MaildirMailbox:
    """The mailbox of a folder that a mail server, fetchmail or a person puts mails into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def arrived(self) -> Iterator[Arrived]:
        """The mails that were not filed, by name, which begins with the time of delivery."""
        for path in sorted(self._unread("new", "cur"), key=lambda each: each.name):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                # Another reader or a mail program moved it since.
                continue
            except OSError as error:
                yield Arrived(path.name.partition(INFO)[0], b"", _left(path, "read", error))
                continue
            yield Arrived(path.name.partition(INFO)[0], content)

    def file(self, arrived: Arrived) -> None:
        """Move it to `cur`, read."""
        for path in (self.folder / "new" / arrived.uid, *self._unread("cur")):
            name, _, flags = path.name.partition(INFO)
            if name == arrived.uid:
                try:
                    path.rename(self.folder / "cur" / f"{name}{INFO}{''.join(sorted({*flags, SEEN}))}")
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise _left(path, "filed", error) from error
                return

    def close(self) -> None:
        """Nothing is open."""

    def _unread(self, *parts: str) -> Iterator[Path]:
        for part in parts:
            try:
                for each in PARTS:
                    (self.folder / each).mkdir(parents=True, exist_ok=True)
                with os.scandir(self.folder / part) as entries:
                    lying = [self.folder / part / each.name for each in entries if each.is_file(follow_symlinks=False)]
            except OSError as error:
                raise _unusable(self.folder, error) from error
            for path in lying:
                if not path.name.startswith(".") and SEEN not in path.name.partition(INFO)[2]:
                    yield path


def drop_mail(folder: Path, path: str, to: str, content: bytes) -> str:
    """Deliver a mail from an envelope's sender to its recipients, whole or not at all; its name there."""
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns()}.{os.getpid()}_{secrets.token_hex(4)}.localhost"
    draft = folder / "tmp" / name
    draft.write_bytes(f"Return-Path: <{path}>\r\nDelivered-To: {to}\r\n".encode() + content)
    draft.rename(folder / "new" / name)
    return name


def _unusable(path: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The mailbox {path} cannot be used: {error.strerror}.",
        advice="Give the user of this program read and write rights.",
    )


def _left(path: Path, what: str, error: OSError) -> IncompleteError:
    return IncompleteError(
        f"The mail {path} cannot be {what}, and stays where it is: {error.strerror}.",
        advice="Give the user of this program read and write rights, or move the mail away.",
    )
