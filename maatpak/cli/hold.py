"""`maatpak hold`."""

from datetime import date
from typing import Annotated

import typer

from maatpak.cli.output import Column, fields_of, tell
from maatpak.cli.records import show_records
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    CurrencyOption,
    DebtorArgument,
    DebtorOption,
    EndedOption,
    JsonOption,
    MostOption,
    at_desk,
    chosen,
    opened,
    parse_date,
)
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import HoldReason

app = typer.Typer(no_args_is_help=True, help="Holds: why and until when nobody is written to.")

SCOPES = ("party", "debtor", "case", "item")
COLUMNS = (
    Column("hold_no", "hold"),
    Column("scope", "of"),
    Column("documents", "document"),
    Column("reason", "reason"),
    Column("source", "source"),
    Column("from_on", "from"),
    Column("until_on", "until"),
    Column("state", "state"),
    Column("actor", "by"),
    Column("note", "note"),
)


@app.command()
def add(
    debtor: DebtorArgument,
    reason: Annotated[str, typer.Option(help="legal_stop, hardship, dispute, claimed_paid, complaint, …")],
    until: Annotated[date, typer.Option(parser=parse_date, metavar="YYYY-MM-DD", help="Last day of silence.")],
    note: Annotated[str, typer.Option(help="Why, in words.")],
    scope: Annotated[str, typer.Option(help="What rests: party, debtor, case or item.")] = "case",
    document: Annotated[str | None, typer.Option(help="For scope item: its document number.")] = None,
    source: Annotated[
        str, typer.Option(help="Who or what asks for it; for legal_stop: insolvent, deceased, breathing_space, …")
    ] = "person",
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let contact rest, from today until a date."""
    from tasks.finding import find_case
    from tasks.holds import set_hold

    wanted = chosen(HoldReason, reason, "reason for a hold")
    if scope not in SCOPES:
        raise UsageError(f"{scope!r} is no scope.", advice=f"One of: {', '.join(SCOPES)}.")
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        with at_desk(engine, found, actor) as desk:
            case = desk.case(found.the_case)
            item_id = desk.items_named(case, [document])[0].item_id if document is not None else None
            hold = set_hold(desk, case, wanted, until, note, scope=scope, item_id=item_id, source=source)
    message = f"Hold {hold.hold_no}: the {scope} of {debtor} rests for {reason} until {until}."
    tell(message, fields_of(hold, found), as_json=as_json)


@app.command()
def lift(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Number of the hold, such as H12.")],
    note: Annotated[str, typer.Option(help="Why, in words.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """End a hold today; a legal stop ends when a second person confirms it."""
    from tasks.finding import find_record
    from tasks.holds import lift_hold

    with opened() as engine:
        found = find_record(engine, "hold", hold)
        with at_desk(engine, found, actor) as desk:
            lifted = lift_hold(desk, hold, note)
    if lifted is None:
        message = f"Hold {hold} stays until a second person confirms: `maatpak tasks list --kind review`."
        tell(message, {"hold_no": hold, "state": "active", "asked": True}, as_json=as_json)
    else:
        tell(f"Hold {hold} is lifted.", fields_of(lifted, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The live holds, by their last day."""
    show_records("hold", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)
