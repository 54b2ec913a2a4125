"""How the ways out do: what waits and went, how each service stands, what may go; and letters for the printer."""

from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import EVERYBODY, READERS, Sheet
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.settings import Settings
from maatpak.kernel.words import Channel
from tasks.send.breaker import Standing, services, standings

PATH = "/operations/channels"
LETTERS = "/operations/letters"
TITLES = {Channel.EMAIL: "Mail", Channel.SMS: "Texts", Channel.POST: "Letters"}
WAITING = """
SELECT channel, count(*) FILTER (WHERE state = 'queued') AS queued,
  count(*) FILTER (WHERE state = 'sending') AS sending, min(queued_at) AS oldest_at
FROM message WHERE state IN ('queued', 'sending') AND creditor_id = ANY(:creditors) GROUP BY channel
"""
TODAY = """
SELECT m.channel, count(*) AS written, count(*) FILTER (WHERE m.state = 'sent') AS sent,
  count(*) FILTER (WHERE m.state = 'failed') AS failed, count(*) FILTER (WHERE m.state = 'cancelled') AS cancelled
FROM creditor c JOIN message m ON m.creditor_id = c.id AND m.business_date = c.business_date
WHERE c.id = ANY(:creditors) GROUP BY m.channel
"""
UNKNOWN = """
SELECT channel, count(*) AS unknown FROM message WHERE state = 'unknown' AND creditor_id = ANY(:creditors) GROUP BY 1
"""


@dataclass(frozen=True)
class ChannelHealth:
    """One way out. Counts are of the creditors that the visitor may see; the service is everybody's."""

    channel: str
    title: str
    service: str
    """Which service, without its secrets."""
    queued: int
    sending: int
    oldest_at: datetime | None
    """Since when the oldest waits."""
    written: int
    """On the creditors' business date; of these sent, failed and cancelled."""
    sent: int
    failed: int
    cancelled: int
    unknown: int
    """Of any day: nobody knows whether they left."""
    breaker: str
    """`closed`: it takes messages; `resting`: it is left alone; `trying`: one message is tried."""
    rests_minutes: int
    word: str
    """What the service said last, as its code."""
    mend: str
    """What to do about it."""
    back_at: datetime | None
    """When it last took a message again."""
    per_day: int | None
    """Cap of all creditors; None: none."""
    per_minute: int | None
    per_domain_minute: int | None


@dataclass(frozen=True)
class ChannelsSheet:
    """All ways out."""

    channels: list[ChannelHealth]
    prints_here: bool
    """Whether letters go to a spool folder, for a printer of one's own."""


@dataclass(frozen=True)
class PrintRun:
    """Letters that are printed together, or one that is in no run yet."""

    name: str
    day: date
    letters: int
    pages: int
    known: dict[str, date]
    """What became of it → on which day."""


@dataclass(frozen=True)
class LettersSheet:
    """Letters in the spool folder."""

    trouble: str | None
    runs: list[PrintRun]


def read_channels(asking: Asking) -> ChannelsSheet:
    """How every way out does."""
    engine, whose = asking.engine, {"creditors": asking.creditors}
    counted: dict[str, dict[str, Any]] = {}
    for query in (WAITING, TODAY, UNKNOWN):
        for row in asking.rows(query, **whose):
            counted.setdefault(row["channel"], {}).update(row)
    with engine.database.frames(read_only=True) as frames:
        standing = standings(frames, services(engine))
    return ChannelsSheet(
        [_health(each, engine.settings, counted.get(each, {}), standing.get(each, Standing())) for each in Channel],
        engine.settings.pingen_url is None,
    )


def _health(channel: Channel, settings: Settings, row: dict[str, Any], standing: Standing) -> ChannelHealth:
    counts = ("queued", "sending", "written", "sent", "failed", "cancelled", "unknown")
    state = "closed" if not standing.opened else "resting" if standing.rests > 0 else "trying"
    per_day, per_minute, per_domain = {
        Channel.EMAIL: (settings.mails_per_day, settings.smtp_per_minute, settings.smtp_domain_per_minute),
        Channel.SMS: (settings.texts_per_day, settings.sms_per_minute, None),
        Channel.POST: (settings.letters_per_day, None, None),
    }[channel]
    return ChannelHealth(
        channel=str(channel),
        title=TITLES[channel],
        service=_service(channel, settings),
        **{name: row.get(name, 0) for name in counts},
        oldest_at=row.get("oldest_at"),
        breaker=state,
        rests_minutes=ceil(standing.rests / 60),
        word=standing.word if standing.opened else "",
        mend=standing.mend if standing.opened else "",
        back_at=standing.closed_at,
        per_day=per_day,
        per_minute=per_minute,
        per_domain_minute=per_domain,
    )


def _service(channel: Channel, settings: Settings) -> str:
    match channel:
        case Channel.EMAIL:
            return f"{settings.smtp_host}:{settings.smtp_port}" if settings.smtp_host else "the workspace's own sink"
        case Channel.SMS:
            return settings.sms_url or "the local simulator"
        case Channel.POST:
            return settings.pingen_url or "the spool folder"


def read_letters(asking: Asking) -> LettersSheet:
    """Print runs and the letters that are in none yet, the youngest first."""
    from connectors.post.print_room import overview
    from connectors.post.spool import PostSpool

    if asking.engine.settings.pingen_url is not None or not isinstance(asking.engine.post, PostSpool):
        return LettersSheet("Letters go to a service that prints them; nothing is printed here.", [])
    try:
        rows = overview(asking.engine.post.folder)
    except (UsageError, WorkspaceError) as error:
        return LettersSheet(f"{error.message} {error.advice}".strip(), [])
    runs = [
        PrintRun(
            row["name"],
            date.fromisoformat(row["day"]),
            row["letters"],
            row["pages"],
            {str(state): on for state, on in row["known"].items()},
        )
        for row in rows
    ]
    return LettersSheet(None, sorted(runs, key=lambda each: (each.day, each.name), reverse=True))


SHEETS = (
    Sheet(PATH, "Channels", "What waits and went by each way out, how its service stands, and what may go.",
          ChannelsSheet, read_channels, "channels.html", EVERYBODY),
    Sheet(LETTERS, "Letters to print", "Print runs, and letters that are in none yet.", LettersSheet, read_letters,
          "letters.html", READERS),
)  # fmt: skip
