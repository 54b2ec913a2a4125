"""`maatpak dispute`."""

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
    EndedOption,
    JsonOption,
    MostOption,
    at_desk,
    chosen,
    opened,
)
from maatpak.kernel.money import format_money
from maatpak.kernel.words import DisputeState, NonPaymentReason

app = typer.Typer(no_args_is_help=True, help="Disputes: objections to an item, ours to answer.")

COLUMNS = (
    Column("dispute_no", "dispute"),
    Column("documents", "document"),
    Column("amount", "disputed", money=True),
    Column("accepted_amount", "accepted", money=True),
    Column("reason", "reason"),
    Column("owner", "owner"),
    Column("opened_on", "opened"),
    Column("answer_by", "answer by"),
    Column("state", "state"),
)


@app.command()
def add(
    debtor: DebtorArgument,
    document: Annotated[str, typer.Option(help="Document number of the item objected to.")],
    reason: Annotated[str, typer.Option(help="wrong_invoice, price, quantity, not_delivered, our_failure, …")],
    amount: AmountOption = None,
    owner: Annotated[str | None, typer.Option(help="Who answers it (default: the account manager).")] = None,
    source: Annotated[str, typer.Option(help="Where it was said: debtor, call, answer …")] = "debtor",
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record an objection to an open item; without an amount, to all of it."""
    from tasks.disputes import DECIDERS, DISPUTE_REASONS, open_dispute
    from tasks.finding import find_case

    wanted = chosen(NonPaymentReason, reason, "objection", DISPUTE_REASONS)
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        disputed = amount_in(found, amount)
        with at_desk(engine, found, actor) as desk:
            case = desk.case(found.the_case)
            if owner is not None:
                desk.require_person(owner, "decide a dispute", *DECIDERS)
            dispute = open_dispute(desk, case, document, wanted, amount=disputed, owner=owner, source=source)
    said = format_money(dispute.amount, found.currency)
    tell(
        f"Dispute {dispute.dispute_no}: {said} of {document}; {dispute.owner} answers by {dispute.answer_by}.",
        fields_of(dispute, found),
        as_json=as_json,
    )


@app.command()
def decide(
    dispute: Annotated[str, typer.Argument(metavar="DISPUTE", help="Number of the dispute, such as D12.")],
    state: Annotated[str, typer.Argument(help="accepted, part_accepted, rejected or withdrawn.")],
    note: Annotated[str, typer.Option(help="Why, in words.")],
    accepted: Annotated[str | None, typer.Option(help="For part_accepted: what we credit, such as 125.00.")] = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Our answer to a dispute, or the customer's withdrawal."""
    from tasks.disputes import DECISIONS, decide_dispute
    from tasks.finding import find_record

    answer = chosen(DisputeState, state, "answer to a dispute", DECISIONS)
    with opened() as engine:
        found = find_record(engine, "dispute", dispute)
        credited = amount_in(found, accepted)
        with at_desk(engine, found, actor) as desk:
            decided = decide_dispute(desk, dispute, answer, note, accepted_amount=credited)
    tell(f"Dispute {dispute} is {decided.state}.", fields_of(decided, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The open disputes, by the date of their answer."""
    show_records("dispute", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)
