"""How fast messages go: so many a minute, in all and to one mail domain; and what operations say on Prefect's page.

The settings' rates hold for all workers together: a turn is a row of the database, taken when it is due. Turns are
spread evenly, so that nothing goes in bursts. They are technical time, which the database's clock counts.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

import psycopg

from maatpak.kernel.settings import Settings
from maatpak.kernel.words import Channel

MINUTE = 60.0

TURNS = """
INSERT INTO send_turn (name, next_at) SELECT unnest(%(names)s::text[]), clock_timestamp() ON CONFLICT DO NOTHING;
SELECT GREATEST(extract(epoch FROM max(next_at) - clock_timestamp()), 0)::float8
FROM (SELECT next_at FROM send_turn WHERE name = ANY(%(names)s) ORDER BY name FOR UPDATE) t
"""
TAKE = """
UPDATE send_turn t SET next_at = clock_timestamp() + make_interval(secs => n.every)
FROM unnest(%(names)s::text[], %(every)s::float8[]) AS n(name, every) WHERE t.name = n.name
"""


class Throttle(Protocol):
    """A limit of operations' own, such as Prefect's global concurrency limits."""

    def lane(self, channel: Channel) -> AbstractAsyncContextManager[None]:
        """Held by a lane while it sends."""
        ...

    async def turn(self, channel: Channel) -> None:
        """Waited for before each message."""
        ...


class Unthrottled:
    """Outside of Prefect nobody else has a word in it."""

    def lane(self, channel: Channel) -> AbstractAsyncContextManager[None]:
        """No limit."""
        del channel
        return nullcontext()

    async def turn(self, channel: Channel) -> None:
        """No limit."""


class Pace:
    """The rates of a channel."""

    def __init__(self, channel: Channel, per_minute: int | None = None, per_domain: int | None = None) -> None:
        self._channel = channel
        self._per_minute = per_minute
        self._per_domain = per_domain

    @property
    def limited(self) -> bool:
        """Whether there is any rate."""
        return self._per_minute is not None or self._per_domain is not None

    def lane_of(self, recipient: str) -> str:
        """What shares a rate with this recipient: its mail domain, or all."""
        return recipient.rpartition("@")[2].lower() if self._per_domain is not None else ""

    async def take(self, connection: psycopg.AsyncConnection, recipient: str) -> float:
        """Take a turn, if it is due: 0. Else the seconds until it may be."""
        rates = {str(self._channel): self._per_minute, f"{self._channel} {self.lane_of(recipient)}": self._per_domain}
        every = {name: MINUTE / rate for name, rate in rates.items() if rate is not None}
        named = {"names": list(every), "every": list(every.values())}
        async with connection.transaction():
            cursor = psycopg.AsyncClientCursor(connection)
            await cursor.execute(TURNS, named)
            cursor.nextset()
            found = await cursor.fetchone()
            wait = float(found[0]) if found is not None else 0.0
            if not wait:
                await cursor.execute(TAKE, named)
        return wait


def paces(settings: Settings) -> dict[Channel, Pace]:
    """The rates that the settings give each channel."""
    return {
        Channel.EMAIL: Pace(Channel.EMAIL, settings.smtp_per_minute, settings.smtp_domain_per_minute),
        Channel.SMS: Pace(Channel.SMS, settings.sms_per_minute),
        Channel.POST: Pace(Channel.POST),
    }
