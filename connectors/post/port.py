"""The post port, and what becomes of a letter after it left us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from connectors.message import MessagePort
from maatpak.kernel.errors import UsageError


class LetterState(StrEnum):
    """How far a letter came."""

    PRINTED = "printed"
    HANDED_OVER = "handed_over"
    """The post has it: from here the days on the way count."""
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    """The post knows nobody of that name there."""
    RETURNED = "returned"
    """It came back to us."""
    FAILED = "failed"
    """It was not printed and will not be."""


@dataclass(frozen=True, slots=True, order=True)
class LetterReport:
    """One thing that is known of a letter. The same one may be told more than once, and in any order."""

    on: date
    """The day it happened, where it happened: legal terms count from it."""
    service_ref: str
    """The number that `Sent` gave."""
    state: LetterState
    code: str
    """The service's own word for it."""
    by_hand: bool = False
    """Whether somebody wrote the day down, who may have mistyped it."""


class PostPort(MessagePort, Protocol):
    """Prints and posts letters."""

    async def reports(self, since: date) -> Sequence[LetterReport | UsageError]:
        """What became of letters on that day or later, oldest first; then what cannot be understood, and why.

        Raises:
            TransientError: the service cannot be asked now.
        """
        ...

    async def cancel(self, service_ref: str, on: date) -> bool:
        """Have a letter not be printed any more; whether that was still possible.

        `on`: the day that it is said to have happened, where letters have receipts.

        Raises:
            OutsideError: the service refuses us, or cannot be asked now.
        """
        ...

    async def watch(self, url: str, secret: str) -> bool:
        """Have it call back at a URL about all that becomes of letters, signed with a secret; whether it can.

        Asked again, it calls back no more often.

        Raises:
            OutsideError: the service refuses, or cannot be asked now.
        """
        ...
