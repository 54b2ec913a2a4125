"""What every command needs of its call: the settings, the engine, who acts, and what time it is."""

import getpass
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from maatpak.kernel.errors import UsageError
from maatpak.kernel.settings import Settings, load_settings

if TYPE_CHECKING:
    from tasks.desk import Desk
    from tasks.engine import Engine
    from tasks.finding import Found

Words = TypeVar("Words", bound=StrEnum)


@dataclass(frozen=True)
class Invocation:
    """The options that stand before the command."""

    workspace: Path | None = None
    debug: bool = False


_invocations = [Invocation()]


def invoked_with(invocation: Invocation) -> None:
    """Remember the options of this call."""
    _invocations[:] = [invocation]


def settings() -> Settings:
    """The settings of the workspace that this call is about."""
    return load_settings(_invocations[0].workspace)


@contextmanager
def opened() -> Iterator["Engine"]:
    """The engine of the workspace, closed at the end of the command."""
    from tasks.engine import open_engine

    engine = open_engine(settings())
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def at_desk(engine: "Engine", found: "Found", actor: str | None) -> Iterator["Desk"]:
    """The desk of the person who acts, on the creditor's business date; what is done at it is kept at the end."""
    from tasks.desk import desk
    from tasks.finding import acting_date

    at = now()
    as_of = acting_date(engine, found.creditor, at)
    with desk(engine, found.creditor_id, acting(actor), as_of, at) as made:
        yield made


def acting(login: str | None) -> str:
    """The login of the person who acts: as given, by the setting, or the name at the operating system."""
    return login or settings().actor or getpass.getuser()


def now() -> datetime:
    """The present instant; the command line is an edge, so it may read the clock."""
    return settings().clock.now()


def chosen(words: type[Words], given: str, what: str, among: Collection[Words] | None = None) -> Words:
    """The word that was given; of all words, or only of those among which it must be.

    Raises:
        UsageError: it is none of them; the advice lists them.
    """
    fitting = [word for word in words if among is None or word in among]
    if given not in fitting:
        known = ", ".join(word for word in fitting if word != "none")
        raise UsageError(f"{given!r} is no {what}.", advice=f"One of: {known}.")
    return words(given)


def parse_date(text: str) -> date:
    """A date as `2026-01-31`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date.", advice="Write it as 2026-01-31.") from None


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Login of the person who acts (default: MAATPAK_ACTOR, or yours here).")
]
AsOfOption = Annotated[date | None, typer.Option("--as-of", parser=parse_date, metavar="YYYY-MM-DD")]
CreditorOption = Annotated[str | None, typer.Option("--creditor", help="Code of the creditor.")]
CurrencyOption = Annotated[str | None, typer.Option("--currency", help="Which case, if the debtor has several.")]
DebtorArgument = Annotated[str, typer.Argument(metavar="DEBTOR", help="Number of the debtor.")]
DebtorOption = Annotated[str | None, typer.Option("--debtor", help="Number of the debtor.")]
DocumentsOption = Annotated[
    list[str] | None, typer.Option("--document", help="Document number; may be given again (default: all overdue).")
]
AmountOption = Annotated[str | None, typer.Option("--amount", help="In the case's currency, such as 1250.00.")]
EndedOption = Annotated[bool, typer.Option("--all", help="Also those that no longer count.")]
MostOption = Annotated[
    int | None, typer.Option("--most", min=1, help="How many at most (default: 200 in a table, all with --json).")
]
MOST_SHOWN = 200
"""Rows of a table, where nobody says how many."""


def at_most(most: int | None, *, as_json: bool) -> int | None:
    """How many rows a list has: programs get all of them, people what they can look through."""
    return most if most is not None or as_json else MOST_SHOWN
