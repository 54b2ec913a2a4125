"""What came of handing a message to a service: three answers, never two (law 3), or no service to ask.

Only a service's own yes is `Sent`, and only its own no, or a failure before it could have taken the message, is
`Failed`. Everything between, such as a connection lost after the last byte, is `Unknown`, and an unknown message is
never sent again by itself.
"""

from dataclasses import dataclass
from enum import StrEnum

from maatpak.kernel.words import ReachState


class Blame(StrEnum):
    """What a failure is put down to; of others than the message's, the next message would find out the same."""

    MESSAGE = "message"
    """The recipient or the content."""
    OURS = "ours"
    """Our sender, or a store of ours."""
    SERVICE = "service"
    """The service, or the way to it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took it; `service_ref` is the number it gave."""

    service_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The service did not take it. A permanent failure would come again."""

    code: str
    permanent: bool
    address: ReachState | None = None
    """What the answer says of the address: dead, doubtful or opted out; nothing, if the address is not why."""
    blame: Blame = Blame.MESSAGE


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been taken."""

    detail: str


@dataclass(frozen=True, slots=True)
class NoService:
    """The service takes nothing of ours now: it cannot be reached, or refuses our login. No message is why."""

    code: str
    mend: str
    """What to mend, in words that may be shown to anybody."""


@dataclass(frozen=True, slots=True)
class Held:
    """It was not to go after all: nothing was handed over, and there is nothing to record."""


Outcome = Sent | Failed | Unknown | NoService | Held
