"""`maatpak check`."""

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
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult

app = typer.Typer(no_args_is_help=True, help="What people check of a customer before it goes to an agency.")

COLUMNS = (
    Column("kind", "check"),
    Column("result", "result"),
    Column("documents", "document"),
    Column("source", "source"),
    Column("checked_on", "checked"),
    Column("until_on", "until"),
    Column("actor", "by"),
)


@app.command()
def record(
    debtor: DebtorArgument,
    kind: Annotated[str, typer.Option(help="identity, address, limitation or insolvency_register.")],
    result: Annotated[str, typer.Option(help="clear, failed, or of the insolvency register insolvent.")],
    source: Annotated[str, typer.Option(help="What was looked at, such as a register and the number of its extract.")],
    until: Annotated[
        date | None,
        typer.Option(parser=parse_date, metavar="YYYY-MM-DD", help="Of a limitation: last day to claim the item."),
    ] = None,
    document: Annotated[str | None, typer.Option(help="Of a limitation: the item (default: the oldest open).")] = None,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record what you checked today. A placement waits for it; an insolvent customer is not contacted from now on."""
    from tasks.checking import record_check
    from tasks.finding import find_case, find_debtor

    of = chosen(CheckKind, kind, "check of a customer", CUSTOMER_CHECKS)
    what = chosen(CheckResult, result, "result")
    with opened() as engine:
        limited = of is CheckKind.LIMITATION
        found = find_case(engine, debtor, creditor, currency) if limited else find_debtor(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            check = record_check(
                desk,
                desk.debtor(found.debtor_id),
                of,
                what,
                source,
                until=until,
                document=document,
                case=desk.case(found.the_case) if limited else None,
            )
    counts = f", counts until {check.until_on}" if check.result == CheckResult.CLEAR else ""
    tell(f"{debtor}: {kind} is {result}{counts}.", fields_of(check, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """What was checked, the newest of a customer first; the agency's licences are with `maatpak creditor licences`."""
    show_records("check", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)
