"""`maatpak promise`."""

from datetime import date
from typing import Annotated

import typer

from maatpak.cli.output import Column, fields_of, tell
from maatpak.cli.records import amount_in, show_records
from maatpak.cli.session import (
    ActorOption,
    AmountOption,
    CreditorOption,
    CurrencyOption,
    DebtorArgument,
    DebtorOption,
    DocumentsOption,
    EndedOption,
    JsonOption,
    MostOption,
    at_desk,
    opened,
    parse_date,
)
from maatpak.kernel.money import format_money

app = typer.Typer(no_args_is_help=True, help="Promises to pay.")

COLUMNS = (
    Column("promise_no", "promise"),
    Column("amount", "amount", money=True),
    Column("documents", "documents"),
    Column("made_on", "made"),
    Column("promised_on", "by"),
    Column("received", "received", money=True),
    Column("state", "state"),
    Column("source", "source"),
    Column("actor", "recorded by"),
)


@app.command()
def add(
    debtor: DebtorArgument,
    on: Annotated[date, typer.Option(parser=parse_date, metavar="YYYY-MM-DD", help="By when it is promised.")],
    amount: AmountOption = None,
    document: DocumentsOption = None,
    source: Annotated[str, typer.Option(help="Where it was said: debtor, call, answer …")] = "debtor",
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a promise for documents or an amount; without either, for everything overdue."""
    from tasks.finding import find_case
    from tasks.promises import make_promise

    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        asked = amount_in(found, amount)
        with at_desk(engine, found, actor) as desk:
            case = desk.case(found.the_case)
            promise = make_promise(desk, case, on, amount=asked, documents=document, source=source)
    said = format_money(promise.amount, found.currency)
    tell(f"Promise {promise.promise_no}: {debtor} pays {said} by {on}.", fields_of(promise, found), as_json=as_json)


@app.command()
def cancel(
    promise: Annotated[str, typer.Argument(metavar="PROMISE", help="Number of the promise, such as P12.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a promise back: recorded wrongly, or withdrawn."""
    from tasks.finding import find_record
    from tasks.promises import cancel_promise

    with opened() as engine:
        found = find_record(engine, "promise", promise)
        with at_desk(engine, found, actor) as desk:
            cancelled = cancel_promise(desk, promise)
    tell(f"Promise {promise} is cancelled.", fields_of(cancelled, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The open promises, by their date."""
    show_records("promise", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)
