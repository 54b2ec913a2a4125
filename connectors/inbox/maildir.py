"""A Maildir folder as mailbox: what lies in `new`, or unread in `cur`, has arrived; a filed mail is in `cur`, read.

Renaming is the only thing that happens to a mail, and is atomic, so readers and mail programs may work side by side.
"""

from collections.abc import Iterator
from pathlib import Path

from connectors.inbox.port import Arrived
from maatpak.kernel.errors import WorkspaceError

INFO = ":2,"
"""Stands between a mail's name and its flags."""
SEEN = "S"


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
                raise _unusable(path, error) from error
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
                    raise _unusable(path, error) from error
                return

    def close(self) -> None:
        """Nothing is open."""

    def _unread(self, *parts: str) -> Iterator[Path]:
        for part in parts:
            try:
                for each in ("tmp", "new", "cur"):
                    (self.folder / each).mkdir(parents=True, exist_ok=True)
                lying = list((self.folder / part).iterdir())
            except OSError as error:
                raise _unusable(self.folder, error) from error
            for path in lying:
                if not path.name.startswith(".") and SEEN not in path.name.partition(INFO)[2]:
                    yield path


def _unusable(path: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The mailbox {path} cannot be used: {error.strerror}.",
        advice="Give the user of this program read and write rights.",
    )
