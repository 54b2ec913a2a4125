"""`maatpak plan`."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from maatpak.cli.output import Column, fields_of, tell
from maatpak.cli.records import show_records
from maatpak.cli.session import (
    ActorOption,
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
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import format_money, parse_amount

if TYPE_CHECKING:
    from tasks.plans import Instalment

app = typer.Typer(no_args_is_help=True, help="Payment plans.")

COLUMNS = (
    Column("plan_no", "plan"),
    Column("total", "total", money=True),
    Column("parts", "instalments", number=True),
    Column("documents", "documents"),
    Column("offered_on", "offered"),
    Column("valid_until", "stands until"),
    Column("accepted_on", "accepted"),
    Column("state", "state"),
    Column("actor", "by"),
)
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="Number of the plan, such as L12.")]


@app.command()
def add(
    debtor: DebtorArgument,
    document: DocumentsOption = None,
    instalment: Annotated[
        list[str] | None,
        typer.Option(metavar="DATE=AMOUNT", help="2026-03-16=500.00; again for each (default: three, a month apart)."),
    ] = None,
    source: Annotated[str, typer.Option(help="Who asked for it: person, debtor, call …")] = "person",
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Offer a plan over documents, or over everything overdue; above your limit a second person confirms it first."""
    from tasks.disputes import disputed_parts
    from tasks.finding import find_case
    from tasks.plans import offer_plan

    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        parts = [_instalment(each, found.currency) for each in instalment or ()]
        with at_desk(engine, found, actor) as desk:
            case = desk.case(found.the_case)
            disputed = sum(disputed_parts(desk, desk.items_named(case, document)).values())
            plan = offer_plan(desk, case, documents=document, instalments=parts or None, source=source)
    left_out = f" Left out, as disputed: {format_money(disputed, found.currency)}." if disputed else ""
    if plan is None:
        message = "The plan is above what you may offer: a second person confirms it, `maatpak tasks list`."
        tell(message + left_out, {"plan_no": None, "asked": True}, as_json=as_json)
        return
    said = format_money(plan.total, found.currency)
    tell(
        f"Plan {plan.plan_no}: {said} in {len(plan.instalments)} instalments; it stands until {plan.valid_until}."
        + left_out,
        fields_of(plan, found),
        as_json=as_json,
    )


@app.command()
def accept(plan: PlanArgument, actor: ActorOption = None, *, as_json: JsonOption = False) -> None:
    """The customer said yes: the plan runs from today."""
    _become("accept_plan", "runs", plan, actor, as_json=as_json)


@app.command()
def decline(plan: PlanArgument, actor: ActorOption = None, *, as_json: JsonOption = False) -> None:
    """The customer said no to the offer."""
    _become("decline_plan", "is declined", plan, actor, as_json=as_json)


@app.command()
def cancel(plan: PlanArgument, actor: ActorOption = None, *, as_json: JsonOption = False) -> None:
    """Take an offer or a running plan back."""
    _become("cancel_plan", "is cancelled", plan, actor, as_json=as_json)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The plans offered and running, oldest first."""
    show_records("plan", COLUMNS, creditor, debtor, most, ended=ended, as_json=as_json)


def _become(act: str, said: str, plan: str, actor: str | None, *, as_json: bool) -> None:
    from tasks import plans
    from tasks.finding import find_record

    with opened() as engine:
        found = find_record(engine, "plan", plan)
        with at_desk(engine, found, actor) as desk:
            changed = getattr(plans, act)(desk, plan)
    tell(f"Plan {plan} {said}.", fields_of(changed, found), as_json=as_json)


def _instalment(text: str, currency: str) -> "Instalment":
    from tasks.plans import Instalment

    day, _, amount = text.partition("=")
    try:
        return Instalment(date.fromisoformat(day), parse_amount(amount, currency))
    except ValueError:
        raise UsageError(f"{text!r} is no instalment.", advice="Write it as 2026-03-16=500.00.") from None
