"""`maatpak creditor`."""

from datetime import date
from typing import Annotated

import typer

from maatpak.cli.output import Column, say, show, tell
from maatpak.cli.session import ActorOption, JsonOption, acting, chosen, now, opened, parse_date
from maatpak.kernel.checks import CheckResult

app = typer.Typer(no_args_is_help=True, help="Who is owed.")


@app.command()
def add(
    code: Annotated[str, typer.Argument(help="Short code, as ledgers and commands name it.")],
    name: Annotated[str, typer.Option(help="Name of the legal entity.")],
    country: Annotated[str, typer.Option(help="ISO 3166 code, such as NL.")],
    language: Annotated[str, typer.Option(help="ISO 639 code, such as nl.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "EUR",
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Amsterdam.")] = "Europe/Amsterdam",
    iban: Annotated[str | None, typer.Option(help="Account to which customers pay.")] = None,
    bic: Annotated[str | None, typer.Option(help="Bank code of the account.")] = None,
    email: Annotated[str | None, typer.Option(help="Address that mails come from.")] = None,
    phone: Annotated[str | None, typer.Option(help="Number that customers may call.")] = None,
    street: Annotated[str | None, typer.Option(help="Street and number.")] = None,
    postal_code: Annotated[str | None, typer.Option(help="Postal code.")] = None,
    city: Annotated[str | None, typer.Option(help="Town.")] = None,
    registration_no: Annotated[str | None, typer.Option(help="Number in the trade register.")] = None,
    vat_no: Annotated[str | None, typer.Option(help="VAT number.")] = None,
    payment_url: Annotated[str | None, typer.Option(help="Page where customers can pay.")] = None,
    actor: ActorOption = None,
) -> None:
    """Enter a legal entity that is owed."""
    from maatpak.ledger.tables import Creditor
    from tasks.register import add_creditor

    at = now()
    with opened() as engine:
        creditor = Creditor(
            code=code,
            name=name,
            country=country,
            language=language,
            currency=currency,
            time_zone=time_zone,
            iban=iban,
            bic=bic,
            email=email,
            phone=phone,
            street=street,
            postal_code=postal_code,
            city=city,
            registration_no=registration_no,
            vat_no=vat_no,
            payment_url=payment_url,
            recorded_at=at,
        )
        add_creditor(engine, creditor, acting(actor), at)
    say(f"Creditor {code} is entered. Next: `maatpak policy publish` gives it journeys, `maatpak ingest` its ledger.")


@app.command()
def change(
    code: Annotated[str, typer.Argument(metavar="CREDITOR", help="Code of the creditor.")],
    *,
    to: Annotated[
        list[str], typer.Option("--set", help="What it says of itself, such as iban=NL91…; may be given again.")
    ],
    actor: ActorOption = None,
) -> None:
    """Change what a creditor says of itself to customers, its account too, once another administrator confirms it."""
    from tasks.register import change_creditor

    said = dict(each.partition("=")[::2] for each in to)
    with opened() as engine:
        request = change_creditor(engine, code, acting(actor), now(), said)
    if request is None:
        say(f"Creditor {code} is changed.")
    else:
        say(f"Change {request.id} of {code} waits for another administrator: `maatpak user confirm {request.id}`.")


@app.command()
def licence(
    code: Annotated[str, typer.Argument(metavar="CREDITOR", help="Code of the creditor whose agency it is.")],
    country: Annotated[str, typer.Option(help="Country in which it lets the agency collect, such as NL.")],
    source: Annotated[str, typer.Option(help="What was looked at: the register and the number in it.")],
    until: Annotated[date | None, typer.Option(parser=parse_date, metavar="YYYY-MM-DD", help="Its last day.")] = None,
    result: Annotated[str, typer.Option(help="clear, or failed if there is none.")] = "clear",
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record that you saw the agency's licence; no case of a country goes to an agency without."""
    from tasks.checking import record_licence
    from tasks.desk import desk
    from tasks.finding import acting_date
    from tasks.register import creditor_by_code

    seen, at = chosen(CheckResult, result, "result"), now()
    with opened() as engine:
        with engine.database.reading() as session:
            creditor_id = int(creditor_by_code(session, code).id or 0)
        with desk(engine, creditor_id, acting(actor), acting_date(engine, code, at), at) as made:
            check = record_licence(made, country, seen, source, until)
    row = {"creditor": code, **check.model_dump(include={name for name in LICENCE if name != "creditor"})}
    may = f"may collect in {country} until {check.until_on}"
    said = may if seen == CheckResult.CLEAR else f"has no licence for {country}"
    tell(f"The agency of {code} {said}.", row, as_json=as_json)


LICENCE = {
    "creditor": "creditor",
    "agency": "agency",
    "country": "country",
    "result": "result",
    "until_on": "until",
    "source": "source",
    "checked_on": "seen",
    "actor": "by",
}
"""Columns of the list of licences → their headings."""


@app.command()
def licences(*, as_json: JsonOption = False) -> None:
    """The licences of the creditors' agencies, the newest record of a country first."""
    from tasks.checking import licences as on_record

    with opened() as engine:
        rows = on_record(engine)
    columns = [Column(name, heading) for name, heading in LICENCE.items()]
    show(rows, columns, as_json=as_json, empty="No licence is on record; `maatpak creditor licence` records one.")


@app.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """Every creditor."""
    from tasks.register import creditors

    with opened() as engine:
        rows = creditors(engine)
    columns = (
        Column("code", "code"),
        Column("name", "name"),
        Column("country", "country"),
        Column("currency", "currency"),
        Column("business_date", "business date"),
        Column("iban", "IBAN"),
    )
    show(rows, columns, as_json=as_json, empty="No creditor yet; `maatpak creditor add` makes one.")
