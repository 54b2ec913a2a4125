"""`maatpak user`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, say, show
from maatpak.cli.session import ActorOption, JsonOption, acting, now, opened

app = typer.Typer(no_args_is_help=True, help="Who acts, with which role and limit.")


@app.command()
def add(
    login: str,
    role: Annotated[str, typer.Option(help="operator, collector, account_manager, credit_manager, …")],
    name: Annotated[str | None, typer.Option(help="Full name (default: the login).")] = None,
    limit: Annotated[str, typer.Option(help="Amount up to which they may approve, such as 25000.00.")] = "0",
    currency: Annotated[str, typer.Option(help="Currency of the limit.")] = "EUR",
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    deputy: Annotated[str | None, typer.Option(help="Login of who stands in for them.")] = None,
    actor: ActorOption = None,
) -> None:
    """Enter somebody who may act. The first one enters themselves, as administrator."""
    from maatpak.kernel.money import parse_amount
    from maatpak.ledger.tables import Person
    from tasks.register import add_person

    at = now()
    with opened() as engine:
        person = Person(
            login=login,
            name=name or login,
            role=role,
            approval_limit=parse_amount(limit, currency),
            limit_currency=currency,
            email=email,
            deputy=deputy,
            recorded_at=at,
        )
        add_person(engine, person, acting(actor), at)
    say(f"{login} is {role} now.")


@app.command()
def change(
    login: Annotated[str, typer.Argument(help="Whose rights change.")],
    *,
    role: Annotated[str | None, typer.Option(help="Their role from now on.")] = None,
    limit: Annotated[str | None, typer.Option(help="Amount up to which they may approve, such as 25000.00.")] = None,
    currency: Annotated[str, typer.Option(help="Currency of the limit.")] = "EUR",
    deputy: Annotated[str | None, typer.Option(help="Login of who stands in for them.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether they may act at all.")] = None,
    actor: ActorOption = None,
) -> None:
    """Another role, limit or deputy; or, for who leaves, no right to act any more."""
    from maatpak.kernel.money import parse_amount
    from tasks.register import change_person

    limited = None if limit is None else (parse_amount(limit, currency), currency)
    with opened() as engine:
        changed = change_person(
            engine, login, acting(actor), now(), role=role, limit=limited, deputy=deputy, active=active
        )
    say(f"{login} is {changed.role} now{'' if changed.active else ', and may not act'}.")


@app.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """Everybody who may act."""
    from tasks.register import people

    with opened() as engine:
        rows = people(engine)
    columns = (
        Column("login", "login"),
        Column("name", "name"),
        Column("role", "role"),
        Column("approval_limit", "limit", money=True),
        Column("deputy", "deputy"),
        Column("active", "active"),
    )
    show(rows, columns, as_json=as_json, empty="Nobody yet; `maatpak user add` makes the first.")
