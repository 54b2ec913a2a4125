"""`maatpak deliver`."""

import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, say, show
from maatpak.cli.session import CreditorOption, JsonOption, chosen, now, opened
from maatpak.kernel.errors import IncompleteError, RefusedError
from maatpak.kernel.words import Channel

if TYPE_CHECKING:
    from tasks.engine import Engine
    from tasks.outbox import Waiting
    from tasks.send import DeliverySummary

app = typer.Typer()

OUTCOMES = ("sent", "failed", "unknown", "postponed", "cancelled")
COLUMNS = (
    Column("creditor", "creditor"),
    Column("channel", "channel"),
    *(Column(outcome, outcome, number=True) for outcome in OUTCOMES),
    Column("waiting", "still queued", number=True),
    Column("first_at", "from"),
)
LOOK = "Is that right? A wrong ledger or rule shows first as a flood; `maatpak messages list` shows them."
WAITING = "What is still queued is sent by `maatpak deliver`, within the hours of the customer."


@app.command()
def deliver(
    creditor: CreditorOption = None,
    channel: Annotated[str | None, typer.Option(help="Only email, sms or post.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many messages of each creditor.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Send what waits in the outbox now, as of each creditor's business date; several may run at once."""
    from tasks.finding import live_creditors
    from tasks.outbox import waiting

    only = None if channel is None else chosen(Channel, channel, "channel")
    rows: list[dict[str, Any]] = []
    troubles: list[IncompleteError] = []
    unusual: list[str] = []
    with opened() as engine:
        for code in live_creditors(engine, creditor):
            summary = _deliver(engine, code, only, limit)
            if summary is not None:
                queued = waiting(engine, code, only)
                counts = summary.plain()
                rows += [
                    {"creditor": code, "channel": each, **_whole(counts.get(each, {})), **told_waiting(queued, each)}
                    for each in sorted({*counts, *queued})
                ]
                troubles += [] if summary.whole else [undelivered(code, summary)]
                unusual += [f"{code}: {each}. {LOOK}" for each in summary.alarms]
    show(rows, COLUMNS, as_json=as_json, title="Delivered", empty="Nothing waits.")
    if not as_json:
        for line in [*unusual, *([WAITING] if any(row["waiting"] for row in rows) else [])]:
            say(line)
    if troubles:
        raise together(troubles)


def told_waiting(queued: Mapping[str, "Waiting"], channel: str | None = None) -> dict[str, Any]:
    """How many messages are still queued, by one channel or all, and from when the first may go (None: now)."""
    counted = [each for name, each in queued.items() if channel in (None, name)]
    starts = [each.first_at for each in counted if each.first_at is not None]
    first = min(starts) if starts and len(starts) == len(counted) else None
    return {"waiting": sum(each.count for each in counted), "first_at": first}


def together(troubles: Sequence[IncompleteError]) -> IncompleteError:
    """Several of them as one."""
    return IncompleteError(
        " ".join(trouble.message for trouble in troubles),
        advice=" ".join(dict.fromkeys(trouble.advice for trouble in troubles)),
    )


def undelivered(code: str, summary: "DeliverySummary") -> IncompleteError:
    """What to say of a creditor's delivery that is not whole."""
    told, advice = [], []
    if summary.stopped:
        words = "; ".join(f"{channel}: {word}" for channel, word in sorted(summary.stopped.items()))
        told.append(f"Of {code}'s messages some could not be handed over ({words}).")
        advice += [*summary.mend.values(), "They wait; `maatpak deliver` tries again."]
    if unknown := summary.total("unknown"):
        told.append(f"Of {unknown} of {code}'s messages it is not known whether they left.")
        advice.append(
            "Find out, and tell with `maatpak messages resolve`; `maatpak messages list --unknown` shows them."
        )
    return IncompleteError(" ".join(told), advice=" ".join(advice))


def _deliver(engine: "Engine", code: str, channel: Channel | None, limit: int | None) -> "DeliverySummary | None":
    """One creditor's outbox; None for a creditor that has not begun a business day."""
    from tasks.dates import business_date_of
    from tasks.send import deliver as send

    try:
        as_of = business_date_of(engine, code)
    except RefusedError:
        return None
    return send(engine, engine.creditor_id(code), as_of, now(), socket.gethostname(), channel, limit)


def _whole(counts: dict[str, int]) -> dict[str, int]:
    return {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}
