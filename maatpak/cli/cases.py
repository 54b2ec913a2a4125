"""`maatpak cases`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, show
from maatpak.cli.session import CreditorOption, JsonOption, MostOption, at_most, opened

app = typer.Typer()

COLUMNS = (
    Column("case_id", "case", number=True),
    Column("creditor", "creditor"),
    Column("debtor_no", "debtor"),
    Column("name", "name"),
    Column("segment", "segment"),
    Column("asked_amount", "asked", money=True),
    Column("overdue_open", "overdue", money=True),
    Column("step", "step"),
    Column("reason", "no step, because"),
    Column("next_step", "next"),
    Column("next_on", "on"),
)


@app.command()
def cases(
    creditor: CreditorOption = None,
    debtor: Annotated[str | None, typer.Option(help="Part of the debtor's number or name.")] = None,
    segment: Annotated[str | None, typer.Option(help="Only this segment.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only cases without a step for this reason.")] = None,
    at_least: Annotated[
        str | None, typer.Option(help="Only cases that ask this much in their currency, such as 1250.00.")
    ] = None,
    most: MostOption = None,
    *,
    acting: Annotated[bool, typer.Option("--acting", help="Only cases that get a step.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The cases as the last run saw them, largest amount first."""
    from tasks.cases import CaseFilter, list_cases

    wanted = CaseFilter(creditor, debtor, segment, reason, at_least, acting)
    with opened() as engine:
        rows = list_cases(engine, wanted)
    shown = rows[: at_most(most, as_json=as_json)]
    title = f"{len(shown)} of {len(rows)} cases"
    show(shown, COLUMNS, as_json=as_json, title=title, empty="No case fits; `maatpak ingest` brings cases in.")
