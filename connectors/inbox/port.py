"""The mailbox port."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from maatpak.kernel.errors import IncompleteError


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail that lies in the mailbox and was not filed."""

    uid: str
    """Names it in this mailbox for good."""
    content: bytes
    error: IncompleteError | None = None
    """Why this one could not be read; it has no content then, and the others are not touched by it."""


class Mailbox(Protocol):
    """Where mails arrive. Record a mail, then file it: killed in between, it comes again; filed, it never does."""

    def arrived(self) -> Iterator[Arrived]:
        """The mails that are there now and were not filed, the oldest first. Two readers at once may get the same ones.

        Raises:
            OutsideError, WorkspaceError: the mailbox cannot be read.
        """
        ...

    def file(self, arrived: Arrived) -> None:
        """Be done with a mail. Doing it twice does no harm.

        Raises:
            IncompleteError: this one could not be filed, and comes again.
            OutsideError: the mailbox cannot be reached.
        """
        ...

    def close(self) -> None:
        """End the connection, if there is one."""
        ...
