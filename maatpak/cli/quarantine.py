"""`maatpak quarantine`."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, show, tell
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    DebtorOption,
    EndedOption,
    JsonOption,
    MostOption,
    acting,
    at_most,
    now,
    opened,
)
from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from tasks.engine import Engine
    from tasks.quarantined_rows import QuarantinedLine

app = typer.Typer(no_args_is_help=True, help="Rows that were set apart: list, fix, release, discard.")

RowArgument = Annotated[int, typer.Argument(metavar="ROW", help="Number of the row, as listed.")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]

COLUMNS = (
    Column("row_id", "row", number=True),
    Column("creditor", "creditor"),
    Column("debtor_no", "debtor"),
    Column("table", "table"),
    Column("where", "where"),
    Column("rules", "rules"),
    Column("cells", "as read"),
    Column("correction", "corrected"),
    Column("state", "state"),
    Column("since", "since"),
)


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rows that wait for a person, oldest first."""
    from tasks.quarantine import list_rows

    with opened() as engine:
        found = list_rows(engine, creditor, debtor, ended=ended)[: at_most(most, as_json=as_json)]
    rows = [_row(line, as_json=as_json) for line in found]
    show(rows, COLUMNS, as_json=as_json, empty="No row is set apart.")


@app.command()
def fix(
    row: RowArgument,
    cells: Annotated[
        list[str], typer.Argument(metavar="COLUMN=VALUE…", help="Dates as 2026-01-31, amounts as 1250.00.")
    ],
    reason: ReasonOption,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Note what cells of a row should be; `release` takes it in then."""
    from tasks.quarantine import fix_row

    correction: dict[str, str | None] = {}
    for cell in cells:
        name, equals, value = cell.partition("=")
        if not equals:
            raise UsageError(
                f"{cell!r} is no correction.", advice="Write it as column=value, such as due_on=2026-01-31."
            )
        correction[name.strip()] = value.strip() or None
    with opened() as engine:
        line = fix_row(engine, row, correction, reason, actor=acting(actor), as_of=_date(engine, row), now=now())
    told = f"Row {row} is corrected; `maatpak quarantine release {row}` takes it in."
    tell(told, _row(line, as_json=True), as_json=as_json)


@app.command()
def release(
    row: RowArgument,
    reason: ReasonOption,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a row in, as corrected, through the gate; what waited for it comes along."""
    from tasks.quarantine import release_row

    with opened() as engine:
        done = release_row(engine, row, reason, actor=acting(actor), as_of=_date(engine, row), now=now())
    along = f", and {len(done.came_along)} that waited for it" if done.came_along else ""
    tell(f"Row {row} is in{along}.", {**vars(done), "written": dict(done.written)}, as_json=as_json)


@app.command()
def discard(
    row: RowArgument,
    reason: ReasonOption,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Leave a row out for good, in later files too."""
    from tasks.quarantine import discard_row

    with opened() as engine:
        line = discard_row(engine, row, reason, actor=acting(actor), as_of=_date(engine, row), now=now())
    tell(f"Row {row} is discarded.", _row(line, as_json=True), as_json=as_json)


def _date(engine: "Engine", row: int) -> date:
    from tasks.finding import acting_date
    from tasks.quarantine import find_row

    return acting_date(engine, find_row(engine, row).creditor, now())


def _row(line: "QuarantinedLine", *, as_json: bool) -> dict[str, Any]:
    plain = {**vars(line), "rules": list(line.rules), "raw": dict(line.raw), "correction": dict(line.correction)}
    del plain["evidence"], plain["salt"]
    if as_json:
        return plain
    read = [f"{name}={value}" for name, value in line.raw.items() if value is not None]
    mended = [f"{name}={value or ''}" for name, value in line.correction.items()]
    return {**plain, "where": f"{line.file}:{line.row_no}", "cells": read, "correction": mended}
