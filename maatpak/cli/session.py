"""What every command needs of its call: the settings, the engine, who acts, and what time it is."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maatpak.kernel.clock import SystemClock
from maatpak.kernel.settings import Settings, load_settings

if TYPE_CHECKING:
    from tasks.engine import Engine


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


def acting(login: str | None) -> str:
    """The login of the person who acts: as given, by the setting, or the name at the operating system."""
    return login or settings().actor or getpass.getuser()


def now() -> datetime:
    """The present instant; the command line is an edge, so it may read the clock."""
    return SystemClock().now()


def parse_date(text: str) -> date:
    """A date as `2026-01-31`."""
    return date.fromisoformat(text)


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Login of the person who acts (default: MAATPAK_ACTOR, or yours here).")
]
AsOfOption = Annotated[date | None, typer.Option("--as-of", parser=parse_date, metavar="YYYY-MM-DD")]
CreditorOption = Annotated[str | None, typer.Option("--creditor", help="Code of the creditor.")]
