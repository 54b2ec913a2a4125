"""`maatpak ingest`."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.session import ActorOption, JsonOption, acting, now, opened, parse_date
from maatpak.kernel.errors import InputRejectedError, UsageError

if TYPE_CHECKING:
    from tasks.intake import IntakeReport

ACCEPTED_WITH_QUARANTINE = 3
"""Exit status: the file is in, but some rows wait for a person."""

app = typer.Typer()

FINDINGS = (
    Column("severity", "severity"),
    Column("rule", "rule"),
    Column("file", "file"),
    Column("row_no", "row", number=True),
    Column("column_name", "column"),
    Column("value", "value"),
    Column("message", "what is wrong"),
    Column("advice", "what to do"),
)


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The files of one ledger.")],
    source: Annotated[str, typer.Option(help="Name of a source in the workspace's `sources`, or path of one.")],
    as_of: Annotated[
        date, typer.Option("--as-of", parser=parse_date, metavar="YYYY-MM-DD", help="The day the files speak for.")
    ],
    accept_bound: Annotated[
        list[str] | None, typer.Option("--accept-bound", help="A bound to accept for these files; may be repeated.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why the bound is accepted.")] = "",
    actor: ActorOption = None,
    most: Annotated[int, typer.Option("--most", help="How many findings to show.")] = 50,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a ledger in. Status 0: all rows are in; 3: some are set apart; 4: refused whole, nothing changed."""
    from connectors.ledgers.source_file import load_source
    from tasks.intake import find_source, ingest_ledger

    _refuse_far(as_of)
    with opened() as engine:
        is_path = source.endswith((".yaml", ".yml"))
        chosen = load_source(Path(source)) if is_path else find_source(engine, source)
        bounds = dict.fromkeys(accept_bound or [], reason)
        try:
            report = ingest_ledger(engine, chosen, files, as_of, now(), acting(actor), accept_bounds=bounds)
        except InputRejectedError as error:
            if as_json:
                show_json({"rejected": True, "message": error.message, **error.context})
            else:
                _show(error.context["findings"], most)
            raise
    if as_json:
        show_json(report.as_json())
    else:
        _tell(report, most)
    raise typer.Exit(ACCEPTED_WITH_QUARANTINE if report.quarantined else 0)


def _refuse_far(as_of: date) -> None:
    """A file may speak for the next morning, and nowhere on earth is it later than that.

    Raises:
        UsageError: it does.
    """
    latest = (now() + timedelta(hours=24)).date()
    if as_of > latest:
        raise UsageError(
            f"No file speaks for {as_of}: that day is still to come.", advice=f"Give a day up to {latest} (--as-of)."
        )


def _tell(report: "IntakeReport", most: int) -> None:
    _show(report.findings.head(most).to_dicts(), most)
    if report.findings.height > most:
        say(f"… and {report.findings.height - most} findings more; all of them are in the evidence.")
    for snapshot in report.snapshots:
        if snapshot.unchanged:
            say(f"{snapshot.creditor}: this content was imported for {snapshot.as_of} before; nothing changed.")
            continue
        written = ", ".join(f"{count} {kind}" for kind, count in snapshot.written.items() if count) or "nothing new"
        say(
            f"{snapshot.creditor}: snapshot {snapshot.snapshot_id} as of {snapshot.as_of}: {snapshot.rows} rows,"
            f" {snapshot.quarantined} set apart, {snapshot.warnings} warnings; {written}."
        )
    if report.quarantined:
        say("Debtors with a row set apart are not contacted: see `maatpak quarantine list`.")
    if of_nobody := sum(snapshot.of_nobody for snapshot in report.snapshots):
        say(f"Rows among them that do not say whose they are, and hold nobody back: {of_nobody}. Look at them first.")


def _show(findings: list[dict[str, Any]], most: int) -> None:
    show(findings[:most], FINDINGS, as_json=False, title="Findings", empty="No findings.")
