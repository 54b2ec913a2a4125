"""`maatpak messages`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, show, tell
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    DebtorOption,
    JsonOption,
    MostOption,
    at_desk,
    chosen,
    opened,
)
from maatpak.kernel.words import MessageState

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


UNKNOWN = (
    Column("message_ref", "reference"),
    *(column for column in COLUMNS if column.key not in ("state", "sent_on")),
)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    state: Annotated[str | None, typer.Option(help="queued, sending, sent, failed, unknown or cancelled.")] = None,
    channel: Annotated[str | None, typer.Option(help="email, sms or post.")] = None,
    most: MostOption = 200,
    *,
    unknown: Annotated[bool, typer.Option("--unknown", help="Only those that a person has to resolve.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The messages, newest first."""
    from tasks.outbox import MessageFilter, list_messages

    wanted = MessageState.UNKNOWN if unknown else state
    with opened() as engine:
        rows = list_messages(engine, MessageFilter(creditor, debtor, wanted, channel, most))
    show(rows, UNKNOWN if unknown else COLUMNS, as_json=as_json, empty="No message fits.")


@app.command()
def resolve(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the message, or its beginning.")],
    outcome: Annotated[str, typer.Option("--as", metavar="sent|failed", help="What you found out.")],
    reason: Annotated[str, typer.Option(help="How you know.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Settle a message of which nobody knows whether it left: what you found out at the service or the customer."""
    from tasks.send import report_outcomes
    from tasks.send.resolving import Resolution, find_message, resolve_message

    found = chosen(Resolution, outcome, "outcome")
    with opened() as engine:
        account, message_ref = find_message(engine, reference)
        with at_desk(engine, account, actor) as desk:
            message = resolve_message(desk, message_ref, found, reason)
        report_outcomes(engine, account.creditor_id, desk.as_of, desk.now, desk.person.login)
    row = {"message_ref": message_ref, "state": message.state, "resolved_by": message.resolved_by}
    tell(f"Message {message_ref} to {message.recipient} counts as {message.state}.", row, as_json=as_json)
