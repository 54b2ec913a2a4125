"""`maatpak preference`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, fields_of, say, tell
from maatpak.cli.records import show_records
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    DebtorArgument,
    DebtorOption,
    JsonOption,
    MostOption,
    at_desk,
    opened,
)
from maatpak.kernel.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="What customers asked for, and where they can be reached.")

COLUMNS = (
    Column("preference", "preference"),
    Column("value", "value"),
    Column("since", "since"),
    Column("source", "source"),
    Column("actor", "recorded by"),
)


@app.command()
def add(
    debtor: DebtorArgument,
    name: Annotated[
        str, typer.Argument(help="channel, language, pay_run, cut_off, statement_day, call_hours, po_needed, …")
    ],
    value: Annotated[str, typer.Argument(help="Such as post, nl, friday, 15,30, 09:00-12:00 or yes.")],
    source: Annotated[str, typer.Option(help="Where it was said: debtor, call, answer …")] = "debtor",
    creditor: CreditorOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record what a customer asked for; it replaces what they asked for before."""
    from tasks.finding import find_debtor
    from tasks.preferences import set_preference

    with opened() as engine:
        found = find_debtor(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            chosen = set_preference(desk, desk.debtor(found.debtor_id), name, value, source=source)
    tell(f"{debtor}: {name} is {chosen.value}.", fields_of(chosen, found), as_json=as_json)


@app.command()
def contact(
    debtor: DebtorArgument,
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    role: Annotated[str, typer.Option(help="payables, decision_maker, invoice or escalation.")],
    email: Annotated[str | None, typer.Option(help="Their e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Their number.")] = None,
    language: Annotated[str | None, typer.Option(help="Their language, such as nl.")] = None,
    creditor: CreditorOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record whom to write to or call at a customer."""
    from tasks.finding import find_debtor
    from tasks.preferences import set_contact

    if role not in ROLES:
        raise UsageError(f"{role!r} is no role of a contact.", advice=f"One of: {', '.join(ROLES)}.")
    with opened() as engine:
        found = find_debtor(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            kept = set_contact(
                desk, desk.debtor(found.debtor_id), name, role, email=email, phone=phone, language=language
            )
    tell(f"{debtor}: {name} is the contact for {role}.", fields_of(kept, found), as_json=as_json)


ROLES = ("payables", "decision_maker", "invoice", "escalation")


@app.command("opt-out")
def opt_out(
    debtor: DebtorArgument,
    channel: Annotated[str, typer.Argument(help="email, sms or phone.")],
    creditor: CreditorOption = None,
    actor: ActorOption = None,
) -> None:
    """The customer wants nothing more on a channel."""
    from tasks.finding import find_case
    from tasks.preferences import REACHED_BY, opt_out_of

    if channel not in REACHED_BY:
        raise UsageError(f"{channel!r} is no channel to opt out of.", advice=f"One of: {', '.join(REACHED_BY)}.")
    with opened() as engine:
        found = find_case(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            opt_out_of(desk, desk.case(found.the_case), channel)
    say(f"{debtor} gets nothing more by {channel}.")


@app.command("texts")
def texts(
    debtor: DebtorArgument,
    number: Annotated[str, typer.Argument(help="The mobile number.")],
    agreed: Annotated[str, typer.Argument(help="yes, or no where they take it back.")],
    source: Annotated[str, typer.Option(help="How it was said: call, contract, answer …")],
    creditor: CreditorOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record that a customer agreed to texts at a number, or takes it back."""
    from tasks.finding import find_debtor
    from tasks.preferences import consent_to_texts

    if agreed not in ("yes", "no"):
        raise UsageError(
            f"{agreed!r} is neither yes nor no.", advice="Say yes where they agreed, no where they did not."
        )
    with opened() as engine:
        found = find_debtor(engine, debtor, creditor)
        with at_desk(engine, found, actor) as desk:
            told = consent_to_texts(desk, desk.debtor(found.debtor_id), number, given=agreed == "yes", source=source)
    words = "agreed to texts" if told.given else "does not agree to texts"
    tell(f"{debtor} {words} at {told.number}.", fields_of(told, found), as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """What customers asked for, with their consents to texts and what they want no more."""
    show_records("preference", COLUMNS, creditor, debtor, most, ended=True, as_json=as_json)
