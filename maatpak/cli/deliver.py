"""`maatpak deliver`."""

import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, show
from maatpak.cli.session import CreditorOption, JsonOption, chosen, now, opened
from maatpak.kernel.errors import OutsideError
from maatpak.kernel.words import Channel

if TYPE_CHECKING:
    from tasks.engine import Engine
    from tasks.send import DeliverySummary

app = typer.Typer()

OUTCOMES = ("sent", "failed", "unknown", "postponed", "cancelled")
COLUMNS = (
    Column("creditor", "creditor"),
    Column("channel", "channel"),
    *(Column(outcome, outcome, number=True) for outcome in OUTCOMES),
)


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

    only = None if channel is None else chosen(Channel, channel, "channel")
    rows: list[dict[str, Any]] = []
    stopped: dict[str, str] = {}
    with opened() as engine:
        for code in live_creditors(engine, creditor):
            summary = _deliver(engine, code, only, limit)
            if summary is not None:
                counts = summary.plain()
                rows += [{"creditor": code, "channel": each, **_whole(counts[each])} for each in counts]
                stopped |= summary.stopped
    show(rows, COLUMNS, as_json=as_json, title="Delivered", empty="Nothing waits that may go out now.")
    if stopped:
        told = "; ".join(f"{each}: {word}" for each, word in sorted(stopped.items()))
        raise OutsideError(
            f"A service could not be reached ({told}).", advice="Its messages wait; `maatpak deliver` tries again."
        )


def _deliver(engine: "Engine", code: str, channel: Channel | None, limit: int | None) -> "DeliverySummary | None":
    """One creditor's outbox; None for a creditor that has not begun a business day."""
    from tasks.dates import creditor_id_of
    from tasks.send import deliver as send

    creditor_id = creditor_id_of(engine, code)
    with engine.database.frames(read_only=True) as frames:
        as_of = frames.read(f"SELECT business_date FROM creditor WHERE id = {creditor_id}").item()  # noqa: S608
    return as_of and send(engine, creditor_id, as_of, now(), socket.gethostname(), channel, limit)


def _whole(counts: dict[str, int]) -> dict[str, int]:
    return {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}
