"""The message as it leaves: everything a service needs, and nothing that it must look up.

An `Outgoing` is written once, when its action is executed, and kept as evidence word for word; what is sent is read
back from there. So what an auditor reads a year later is what the customer got.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from pydantic_core import from_json

from connectors.outcome import Outcome
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.words import Channel

ADDRESS_LINES = 6
"""The window of an envelope of DIN 5008 form B holds six lines."""


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Who writes or is written to: a name and the addresses of the channel."""

    name: str
    email: str | None = None
    phone: str | None = None
    lines: tuple[str, ...] = ()
    """The postal address, the name included, as it stands on the envelope: at most `ADDRESS_LINES`."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along, by its evidence key."""

    name: str
    media_type: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attachment with its content, as read back for sending."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One e-mail, text or letter, ready to go."""

    message_ref: str
    """Deterministic and unguessable: the Message-ID without brackets, the letter's or text's reference."""
    channel: Channel
    language: str
    sender: Correspondent
    recipient: Correspondent
    subject: str
    text: str
    written_at: datetime
    """When it was composed: the date that it bears."""
    html: str | None = None
    letter: dict[str, Any] | None = None
    """What the letter's typst sheet needs, as plain data."""
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    items: tuple[dict[str, Any], ...] = ()
    """What it asks for: item, document, amount in minor units, currency."""

    @property
    def dated(self) -> str:
        """The date that it bears, in ISO form: of a letter the creditor's, which may be another than in UTC."""
        return str((self.letter or {}).get("dated") or self.written_at.date().isoformat())

    def to_json(self) -> bytes:
        """Its canonical JSON: the same message always gives the same bytes."""
        return canonical_json(asdict(self)).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """The message that `to_json` wrote."""
        data = from_json(content)
        data["channel"] = Channel(data["channel"])
        data["sender"] = _correspondent(data["sender"])
        data["recipient"] = _correspondent(data["recipient"])
        data["written_at"] = datetime.fromisoformat(data["written_at"])
        data["references"] = tuple(data["references"])
        data["attachments"] = tuple(Attachment(**each) for each in data["attachments"])
        data["items"] = tuple(data["items"])
        return cls(**{each.name: data[each.name] for each in fields(cls) if each.name in data})


def _correspondent(data: dict[str, Any]) -> Correspondent:
    return Correspondent(**{**data, "lines": tuple(data["lines"])})


Begun = Callable[[], Awaitable[bool]]
"""Waits until a message is noted as being sent; whether it may go."""


async def at_once() -> bool:
    """There is nobody to wait for."""
    return True


class MessagePort(Protocol):
    """A way out for messages. Its connections belong to the event loop that sends; `close` gives them back."""

    @property
    def lanes(self) -> int:
        """How many messages may be under way at once."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether sending the same message twice leaves one: then a broken-off attempt is simply made again."""
        ...

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        """Hand one message over. Never raises for what the service or the network does: that is an outcome.

        `valid_for`: how long a service that keeps it waiting may still bring it to the customer; None: as long as it
        likes. A letter has no hour, and a mail waits for its reader.

        `begun` is waited for before a service can take anything; what comes before, such as making the message, may be
        done meanwhile. `Held`: it was not to go.

        What it raises, it raises while it makes the message, before a service can have taken anything.
        """
        ...

    async def ask(self, outgoing: Outgoing) -> Outcome:
        """What became of a message whose outcome is unknown; `Unknown` where the service cannot tell."""
        ...

    async def close(self) -> None:
        """Give connections back; the next `send` opens new ones."""
        ...

    def shut(self) -> None:
        """End what was started for it on this machine, such as a local simulator."""
        ...
