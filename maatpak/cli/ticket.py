"""`maatpak ticket`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, fields_of, tell
from maatpak.cli.records import show_records
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    DebtorArgument,
    DebtorOption,
    EndedOption,
    JsonOption,
    MostOption,
    at_desk,
    opened,
)

app = typer.Typer(no_args_is_help=True, help="Complaints and undelivered orders: they stop notices.")

COLUMNS = (
    Column("ticket_no", "ticket"),
    Column("kind", "kind"),
    Column("opened_on", "opened"),
    Column("closed_on", "closed"),
    Column("actor", "recorded by"),
)


@app.command()
def add(
    debtor: DebtorArgument,
    kind: Annotated[str, typer.Argument(help="complaint, undelivered_order or query.")],
    number: Annotated[str | None, typer.Option(help="Its number elsewhere (default: one of ours).")] = None,
    creditor: CreditorOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Open a ticket; a known number changes nothing."""
    from tasks.finding import find_debtor
    from tasks.tickets import open_ticket

    with opened() as engine:
        found = find_debtor(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            ticket = open_ticket(desk, desk.debtor(found.debtor_id), kind, ticket_no=number)
    tell(f"Ticket {ticket.ticket_no}: {kind} of {debtor}.", fields_of(ticket, found), as_json=as_json)


@app.command()
def close(
    debtor: DebtorArgument,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="Number of the ticket.")],
    creditor: CreditorOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """The matter is dealt with; notices may go on."""
    from tasks.finding import find_debtor
    from tasks.tickets import close_ticket

    with opened() as engine:
        found = find_debtor(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            closed = close_ticket(desk, desk.debtor(found.debtor_id), ticket)
    tell(f"Ticket {ticket} of {debtor} is closed.", fields_of(closed, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The open tickets, oldest first."""
    show_records("ticket", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)
