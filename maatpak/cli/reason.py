"""`maatpak reason`."""

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
    JsonOption,
    MostOption,
    at_desk,
    chosen,
    opened,
)
from maatpak.kernel.words import NonPaymentReason

app = typer.Typer(no_args_is_help=True, help="Why a customer does not pay.")

COLUMNS = (
    Column("reason", "reason"),
    Column("stated_on", "on"),
    Column("source", "source"),
    Column("actor", "recorded by"),
)


@app.command()
def add(
    debtor: DebtorArgument,
    reason: Annotated[str, typer.Argument(help="lost_invoice, forgot, po_missing, cash_flow, our_failure, …")],
    document: DocumentsOption = None,
    amount: AmountOption = None,
    pay_run: Annotated[str | None, typer.Option(help="Their pay run: a weekday, or days such as 15,30.")] = None,
    source: Annotated[str, typer.Option(help="Where it was said: debtor, call, answer …")] = "debtor",
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record why the customer does not pay, and start what that reason starts: a dispute, a claim, work, a hold."""
    from tasks.finding import find_case
    from tasks.reasons import state_reason

    wanted = chosen(NonPaymentReason, reason, "reason for not paying")
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        narrowed = amount_in(found, amount)
        with at_desk(engine, found, actor) as desk:
            case = desk.case(found.the_case)
            stated = state_reason(
                desk, case, wanted, documents=document, amount=narrowed, pay_run=pay_run, source=source
            )
    tell(f"{debtor}: {reason} is recorded.", fields_of(stated, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """The reasons that were stated, newest first."""
    show_records("reason", COLUMNS, creditor, debtor, most, ended=True, as_json=as_json)
