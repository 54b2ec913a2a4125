"""`maatpak letters`: what a print room does with the spool folder."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maatpak.cli.output import Column, say, show, tell
from maatpak.cli.session import JsonOption, chosen, now, opened, parse_date
from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from tasks.engine import Engine

app = typer.Typer(no_args_is_help=True, help="Letters in the spool folder.")

COLUMNS = (
    Column("name", "name", whole=True),
    Column("day", "dated"),
    Column("letters", "letters", number=True),
    Column("pages", "pages", number=True),
    Column("known", "what became of it"),
)
DayOption = Annotated[
    date | None, typer.Option("--on", parser=parse_date, metavar="YYYY-MM-DD", help="The day (default: today).")
]


@app.callback()
def _group() -> None:
    """Letters in the spool folder: print runs, and what became of them."""


@app.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """Print runs, and the letters that are in none yet."""
    from connectors.post.print_room import overview

    with opened() as engine:
        rows = overview(_spool(engine))
    told = [{**row, "known": ", ".join(f"{state} {on}" for state, on in row["known"].items())} for row in rows]
    show(rows if as_json else told, COLUMNS, as_json=as_json, empty="No letter is there.")


@app.command("print")
def print_(on: DayOption = None, *, as_json: JsonOption = False) -> None:
    """Merge the letters up to that day that are in no run yet into one PDF for the printer."""
    from connectors.post.print_room import merge_run

    with opened() as engine:
        path = merge_run(_spool(engine), on or now().date())
    row = {"run": path and path.stem, "file": path and str(path.with_suffix(".pdf"))}
    tell(
        f"Print {row['file']}, then `maatpak letters note {row['run']} handed_over`." if path else "No letter waits.",
        row,
        as_json=as_json,
    )


@app.command()
def note(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A run or a letter, as `letters list` shows it.")],
    state: Annotated[str, typer.Argument(help="printed, handed_over, delivered, undeliverable, returned or failed.")],
    on: DayOption = None,
) -> None:
    """Say what became of a letter, or of all letters of a run, and when; it goes on their cases."""
    from connectors.post.port import LetterState
    from connectors.post.print_room import acknowledge
    from tasks.receive import read_letter_reports

    became = chosen(LetterState, state, "state of a letter")
    with opened() as engine:
        acknowledge(_spool(engine), name, became, on or now().date())
        noted = read_letter_reports(engine, now())
    say(f"{name}: {became}. News of letters on their cases: {noted.counts.total()}.")
    noted.require_whole()


def _spool(engine: "Engine") -> Path:
    from connectors.post.spool import PostSpool

    if not isinstance(engine.post, PostSpool):
        raise UsageError(
            "Letters go to Pingen, which prints them and tells what became of them.",
            advice="`maatpak receive` asks it.",
        )
    return engine.post.folder
