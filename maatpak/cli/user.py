"""`maatpak user`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, say, show, tell
from maatpak.cli.session import ActorOption, JsonOption, acting, now, opened

app = typer.Typer(no_args_is_help=True, help="Who acts, with which role and limit.")

ALL = "all"
CreditorsOption = Annotated[
    str | None, typer.Option(help="Codes of the creditors that they may see, such as NL01,DE01; or: all.")
]
NumberArgument = Annotated[int, typer.Argument(help="Of `maatpak user requests`.")]


@app.command()
def add(
    login: str,
    role: Annotated[str, typer.Option(help="operator, collector, account_manager, credit_manager, …")],
    name: Annotated[str | None, typer.Option(help="Full name (default: the login).")] = None,
    limit: Annotated[str, typer.Option(help="Amount up to which they may approve, such as 25000.00.")] = "0",
    currency: Annotated[str, typer.Option(help="Currency of the limit.")] = "EUR",
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    deputy: Annotated[str | None, typer.Option(help="Login of who stands in for them.")] = None,
    creditors: CreditorsOption = None,
    actor: ActorOption = None,
) -> None:
    """Enter somebody who may act, once another administrator confirms it. The first one enters themselves."""
    from maatpak.kernel.money import parse_amount
    from maatpak.ledger.tables import Person
    from tasks.access.people import add_person

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
        added = add_person(engine, person, acting(actor), at, _codes(creditors) or ())
    say(f"{login} is {role} now." if added.request is None else _waits(login, added.request.id))


@app.command()
def change(
    login: Annotated[str, typer.Argument(help="Whose rights change.")],
    *,
    role: Annotated[str | None, typer.Option(help="Their role from now on.")] = None,
    limit: Annotated[str | None, typer.Option(help="Amount up to which they may approve, such as 25000.00.")] = None,
    currency: Annotated[str, typer.Option(help="Currency of the limit.")] = "EUR",
    deputy: Annotated[str | None, typer.Option(help="Login of who stands in for them.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether they may act at all.")] = None,
    creditors: CreditorsOption = None,
    actor: ActorOption = None,
) -> None:
    """Another role, limit, sight or deputy; or, for who leaves, no right to act any more."""
    from maatpak.kernel.money import parse_amount
    from tasks.access.people import change_person

    limited = None if limit is None else (parse_amount(limit, currency), currency)
    with opened() as engine:
        changed = change_person(
            engine,
            login,
            acting(actor),
            now(),
            role=role,
            limit=limited,
            deputy=deputy,
            active=active,
            creditors=_codes(creditors),
        )
    if changed.request is not None:
        say(_waits(login, changed.request.id))
    else:
        say(f"{login} is {changed.person.role} now{'' if changed.person.active else ', and may not act'}.")


@app.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """Everybody who may act."""
    from tasks.access.people import people

    with opened() as engine:
        rows = [{**row, "sees": ", ".join(row["creditors"]) or ALL} for row in people(engine)]
    columns = (
        Column("login", "login"),
        Column("name", "name"),
        Column("role", "role"),
        Column("approval_limit", "limit", money=True),
        Column("sees", "sees"),
        Column("deputy", "deputy"),
        Column("active", "active"),
    )
    show(rows, columns, as_json=as_json, empty="Nobody yet; `maatpak user add` makes the first.")


@app.command()
def requests(*, as_json: JsonOption = False) -> None:
    """Changes of people and creditors that wait for a second administrator."""
    from tasks.access.deciding import change_requests

    with opened() as engine:
        rows = change_requests(engine)
    for row in rows:
        row["about"] = row["person"] or row["creditor"]
        row["to"] = ", ".join(f"{name}: {_word(value)}" for name, value in sorted(row["changes"].items()))
    columns = (
        Column("request_id", "number", number=True),
        Column("about", "about"),
        Column("to", "to be"),
        Column("asked_by", "asked by"),
        Column("asked_at", "on"),
    )
    show(rows, columns, as_json=as_json, empty="No change waits.")


@app.command()
def confirm(number: NumberArgument, actor: ActorOption = None) -> None:
    """Confirm a change that another administrator asked for."""
    from tasks.access.deciding import confirm_change

    with opened() as engine:
        confirm_change(engine, number, acting(actor), now())
    say(f"Change {number} is made.")


@app.command()
def refuse(number: NumberArgument, actor: ActorOption = None) -> None:
    """Refuse a change that was asked for, or take it back."""
    from tasks.access.deciding import refuse_change

    with opened() as engine:
        refuse_change(engine, number, acting(actor), now())
    say(f"Change {number} is not made.")


@app.command()
def password(
    login: Annotated[str, typer.Argument(help="Who gets it.")],
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password instead of making one.")] = False,
    actor: ActorOption = None,
) -> None:
    """Give somebody a password for the console, which they change when they first log in. It also ends a lock."""
    from tasks.access.credentials import give_password

    chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else None
    with opened() as engine:
        given = give_password(engine, login, acting(actor), now(), chosen)
    say(f"{login} has a new password, to be changed at the first login." + (f" It is: {given}" if not ask else ""))


@app.command()
def logout(login: Annotated[str, typer.Argument(help="Who is logged out.")], actor: ActorOption = None) -> None:
    """Log somebody out of the console, wherever they are logged in."""
    from tasks.access.sessions import end_sessions_of

    with opened() as engine:
        ended = end_sessions_of(engine, login, acting(actor), now())
    say(f"{login} is logged out of {ended} sessions.")


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    write: Annotated[bool, typer.Option("--write", help="For acts too, not only for reading.")] = False,
    days: Annotated[int, typer.Option(help="How long it is good.")] = 90,
    actor: ActorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token with which a program may do at the API what you may. It is shown once."""
    from tasks.access.tokens import make_token

    with opened() as engine:
        made, row = make_token(engine, acting(actor), name, "write" if write else "read", now(), days)
    told = {"token_id": row.id, "name": row.name, "scope": row.scope, "expires_at": row.expires_at, "token": made}
    tell(
        f"Token {row.id}, good until {row.expires_at:%Y-%m-%d}; nobody can show it again: {made}", told, as_json=as_json
    )


@app.command()
def tokens(
    login: Annotated[str | None, typer.Argument(help="Whose (default: everybody's).")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """The tokens there are, without their secrets."""
    from tasks.access.tokens import tokens as known

    with opened() as engine:
        rows = known(engine, login)
    columns = (
        Column("token_id", "number", number=True),
        Column("login", "login"),
        Column("name", "name"),
        Column("scope", "scope"),
        Column("expires_on", "until"),
        Column("last_used_on", "last used"),
        Column("revoked_at", "revoked"),
    )
    show(rows, columns, as_json=as_json, empty="There are no tokens.")


@app.command()
def revoke(number: Annotated[int, typer.Argument(help="Of `maatpak user tokens`.")], actor: ActorOption = None) -> None:
    """Revoke a token: nobody gets in with it any more."""
    from tasks.access.tokens import revoke_token

    with opened() as engine:
        revoke_token(engine, number, acting(actor), now())
    say(f"Token {number} is revoked.")


def _codes(given: str | None) -> list[str] | None:
    """The codes that were listed: none for all of them; None where nothing was said."""
    if given is None or given.strip() == ALL:
        return None if given is None else []
    return [code.strip() for code in given.split(",") if code.strip()]


def _waits(login: str, number: int | None) -> str:
    return f"{login}: change {number} waits for another administrator, who says `maatpak user confirm {number}`."


def _word(value: object) -> str:
    return (", ".join(map(str, value)) or ALL) if isinstance(value, list) else str(value)
