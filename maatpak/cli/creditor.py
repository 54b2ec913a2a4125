"""`maatpak creditor`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, say, show
from maatpak.cli.session import ActorOption, JsonOption, acting, now, opened

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
