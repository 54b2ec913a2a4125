"""`maatpak claim`."""

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
)
from maatpak.kernel.money import format_money

app = typer.Typer(no_args_is_help=True, help="Payments that customers say they made.")

COLUMNS = (
    Column("claim_no", "claim"),
    Column("amount", "amount", money=True),
    Column("documents", "documents"),
    Column("claimed_on", "claimed"),
    Column("until_on", "silent until"),
    Column("state", "state"),
    Column("actor", "recorded by"),
)
ClaimArgument = Annotated[str, typer.Argument(metavar="CLAIM", help="Number of the claim, such as C12.")]


@app.command()
def add(
    debtor: DebtorArgument,
    amount: AmountOption = None,
    document: DocumentsOption = None,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record that the customer says documents or an amount are paid; cash looks for it, and notices rest."""
    from tasks.claims import claim_payment
    from tasks.finding import find_case

    with opened() as engine:
        account = find_case(engine, debtor, creditor, currency)
        claimed = amount_in(account, amount)
        with at_desk(engine, account, actor) as desk:
            claim = claim_payment(desk, desk.case(account.the_case), documents=document, amount=claimed)
    said = format_money(claim.amount, account.currency)
    tell(
        f"Claim {claim.claim_no}: {debtor} says {said} is paid; silent until {claim.until_on}.",
        fields_of(claim, account),
        as_json=as_json,
    )


@app.command()
def found(claim: ClaimArgument, actor: ActorOption = None, *, as_json: JsonOption = False) -> None:
    """Cash found the money."""
    _resolve(claim, actor, is_found=True, as_json=as_json)


@app.command("not-found")
def not_found(claim: ClaimArgument, actor: ActorOption = None, *, as_json: JsonOption = False) -> None:
    """Cash did not find the money: the customer is kindly asked for a proof."""
    _resolve(claim, actor, is_found=False, as_json=as_json)


def _resolve(claim: str, actor: str | None, *, is_found: bool, as_json: bool) -> None:
    from tasks.claims import resolve_claim
    from tasks.finding import find_record

    with opened() as engine:
        account = find_record(engine, "claim", claim)
        with at_desk(engine, account, actor) as desk:
            resolved = resolve_claim(desk, claim, found=is_found)
    booked = f"found; it is not asked until {resolved.until_on}, by when the ledger has to show it"
    said = booked if is_found else "not found; somebody asks for a proof"
    tell(f"The money of claim {claim} is {said}.", fields_of(resolved, account), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The open claims, by the day on which their silence ends."""
    show_records("claim", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)
