"""The circuit breaker: a service that takes nothing is left alone by all workers for a while.

Each channel has one row, which whoever sends keeps. So many failures of the service in a row, or one that says that it
takes nothing of ours, open it: no worker begins another message. When the rest is over one worker tries one message;
taken, it closes the breaker, and if not, the next rest is twice as long. What waits meanwhile is not tried. What is
only about one message, such as greylisting or a full mailbox, says nothing of the service, nor does our own trouble.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row
from pydantic import SecretStr

from connectors.outcome import Blame, Failed, NoService, Outcome, Unknown
from maatpak.kernel.ids import salted_hash
from maatpak.kernel.words import Channel
from maatpak.ledger.database import Frames
from tasks.send.reporting import CODE

if TYPE_CHECKING:
    from tasks.engine import Engine

OPENS_AFTER = 10
"""Failures in a row, whichever workers saw them."""
FIRST_REST = "interval '1 minute'"
LONGEST_REST = "interval '10 minutes'"
"""Shorter than the time between two deliveries of the schedule."""
TRIAL = "interval '2 minutes'"
"""Enough for a service that answers slowly; a worker that was killed over it leaves the trial to another."""
MEND = "A service that takes nothing rests for 1 to 10 minutes; then one message is tried, and the others follow."
SETTINGS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("smtp_", "oauth_", "return_path", "dkim_"),
    Channel.SMS: ("sms_",),
    Channel.POST: ("pingen_",),
}
"""How the settings of a channel's service begin."""

LOOK = """
SELECT channel, service, word, mend, closed_at, open_until IS NOT NULL AS opened,
  COALESCE(GREATEST(extract(epoch FROM open_until - clock_timestamp()), 0), 0)::float8 AS rests,
  COALESCE(trying_until > clock_timestamp(), false) AS tried
FROM breaker
"""

ANOTHER_SERVICE = """
UPDATE breaker SET service = '{service}', failures = 0, openings = 0, open_until = NULL, trying_until = NULL
WHERE channel = '{channel}' AND service <> '{service}'
"""

TRY = f"""
UPDATE breaker SET trying_until = clock_timestamp() + {TRIAL}
WHERE channel = '{{channel}}' AND open_until <= clock_timestamp()
  AND (trying_until IS NULL OR trying_until <= clock_timestamp()) RETURNING channel
"""  # noqa: S608 - our own words

OPENS = f"(open_until <= clock_timestamp() OR open_until IS NULL AND (%(certain)s OR failures + 1 >= {OPENS_AFTER}))"

TROUBLE = f"""
INSERT INTO breaker (channel, service, failures, openings, word, mend)
VALUES (%(channel)s, %(service)s, 0, 0, '', '') ON CONFLICT DO NOTHING;
UPDATE breaker SET failures = failures + 1, word = %(word)s, mend = %(mend)s, trying_until = NULL,
  openings = CASE WHEN {OPENS} THEN openings + 1 ELSE openings END,
  open_until = CASE WHEN {OPENS} THEN clock_timestamp() + LEAST({FIRST_REST} * 2 ^ LEAST(openings, 9), {LONGEST_REST})
    ELSE open_until END
WHERE channel = %(channel)s
"""  # noqa: S608 - our own words

TAKEN = """
UPDATE breaker SET failures = 0, openings = 0, open_until = NULL, trying_until = NULL,
  closed_at = CASE WHEN open_until IS NULL THEN closed_at ELSE %(now)s END
WHERE channel = ANY (%(channels)s) AND failures > 0;
"""
"""The service took a message."""

Trouble = Failed | NoService | Unknown


@dataclass(frozen=True)
class Standing:
    """How the service of a channel stands."""

    opened: bool = False
    rests: float = 0.0
    """Seconds for which it is still left alone."""
    tried: bool = False
    """Whether a worker tries it."""
    word: str = ""
    mend: str = ""
    closed_at: datetime | None = None
    """When it last took a message again."""

    @property
    def left_alone(self) -> bool:
        """Whether nobody else is to send."""
        return self.rests > 0 or (self.opened and self.tried)

    def __str__(self) -> str:
        rest = f"for {ceil(self.rests / 60)} more min" if self.rests else "until one message is taken"
        return f"left alone {rest}, after {self.word}"


class Breakers:
    """The breakers of all channels, as one delivery sees and keeps them."""

    def __init__(self, engine: "Engine") -> None:
        self.standing: dict[Channel, Standing] = {}
        """How the services stood at the last look."""
        self._database = engine.database
        self._services = services(engine)

    def look(self, frames: Frames) -> None:
        """See how the services stand. What was found of former ones, before the settings changed, is forgotten."""
        for channel, service in self._services.items():
            frames.execute(ANOTHER_SERVICE.format(channel=channel, service=service))
        self.standing = standings(frames, self._services)

    def back(self, now: datetime) -> dict[Channel, datetime]:
        """Since when services take messages that were left alone; now, for those that are about to be tried."""
        since = {channel: now if each.opened else each.closed_at for channel, each in self.standing.items()}
        return {channel: instant for channel, instant in since.items() if instant is not None}

    def try_out(self, channel: Channel) -> bool:
        """Take it on us to try a service whose rest is over; False: another worker was faster."""
        with self._database.frames() as frames:
            return not frames.read(TRY.format(channel=channel)).is_empty()

    async def note(self, connection: psycopg.AsyncConnection, channel: Channel, trouble: Trouble) -> Standing | None:
        """Note that the service failed, which may open its breaker; how it stands, if it is open."""
        told = {
            "channel": str(channel),
            "service": self._services[channel],
            "word": _code(trouble.detail if isinstance(trouble, Unknown) else trouble.code),
            "mend": trouble.mend if isinstance(trouble, NoService) else MEND,
            "certain": isinstance(trouble, NoService),
        }
        await psycopg.AsyncClientCursor(connection).execute(TROUBLE, told)
        return await self.open(connection, channel)

    async def open(self, connection: psycopg.AsyncConnection, channel: Channel) -> Standing | None:
        """How the service stands, if its breaker is open."""
        cursor = psycopg.AsyncClientCursor(connection, row_factory=dict_row)
        await cursor.execute(f"{LOOK} WHERE channel = %(channel)s", {"channel": str(channel)})
        row = await cursor.fetchone()
        return _standing(row) if row is not None and row["rests"] else None


def standings(frames: Frames, of: Mapping[Channel, str]) -> dict[Channel, Standing]:
    """How services stand, by what `services` says of them; those that never failed are left out."""
    rows = {Channel(row["channel"]): row for row in frames.read(LOOK).to_dicts()}
    return {channel: _standing(row) for channel, row in rows.items() if row["service"] == of[channel]}


def services(engine: "Engine") -> dict[Channel, str]:
    """Which service each channel has: a digest of its settings, and a keyed one, for a password is among them."""
    made = {}
    for channel, beginnings in SETTINGS.items():
        settings = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in engine.settings
            if name.startswith(beginnings)
        }
        made[channel] = salted_hash(settings, engine.link_key)
    return made


def trouble_of_service(outcome: Outcome) -> Trouble | None:
    """What an outcome of sending says against the service; that nobody knows what became of a message does, too."""
    match outcome:
        case NoService() | Unknown() | Failed(blame=Blame.SERVICE):
            return outcome
        case _:
            return None


def _standing(row: dict[str, Any]) -> Standing:
    return Standing(**{name: value for name, value in row.items() if name not in ("channel", "service")})


def _code(words: str) -> str:
    """The code with which a service's words begin; words without one are a driver's or ours."""
    found = re.match(CODE, words)
    return found.group(1) if found else words
