"""`maatpak messages`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, show
from maatpak.cli.session import CreditorOption, JsonOption, opened

app = typer.Typer(no_args_is_help=True, help="Mails, texts and letters.")


@app.callback()
def _group() -> None:
    """Mails, texts and letters."""


COLUMNS = (
    Column("business_date", "date"),
    Column("creditor", "creditor"),
    Column("debtor_no", "debtor"),
    Column("channel", "channel"),
    Column("recipient", "to"),
    Column("template", "template"),
    Column("subject", "subject"),
    Column("state", "state"),
    Column("sent_on", "sent"),
    Column("failure", "failure"),
)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: Annotated[str | None, typer.Option(help="Number of the debtor.")] = None,
    state: Annotated[str | None, typer.Option(help="queued, sending, sent, failed, unknown or cancelled.")] = None,
    channel: Annotated[str | None, typer.Option(help="email, sms or post.")] = None,
    most: Annotated[int, typer.Option(help="How many at most.")] = 200,
    *,
    as_json: JsonOption = False,
) -> None:
    """The messages, newest first."""
    from tasks.outbox import MessageFilter, list_messages

    with opened() as engine:
        rows = list_messages(engine, MessageFilter(creditor, debtor, state, channel, most))
    show(rows, COLUMNS, as_json=as_json, empty="No message fits.")
