"""`maatpak ingest`: exit status 0 taken in, 3 taken in with quarantined rows, 4 refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.session import ActorOption, AsOfOption, JsonOption, acting, now, opened, settings
from maatpak.kernel.errors import InputRejectedError, UsageError
from maatpak.ledger.workspace import Workspace

if TYPE_CHECKING:
    from tasks.intake import IntakeReport

app = typer.Typer()

ACCEPTED_WITH_QUARANTINE = 3
SHOWN = 40
"""Findings on the screen; all of them are in the report that the evidence keeps."""

COLUMNS = (
    Column("severity", "severity"),
    Column("file", "file"),
    Column("row_no", "row", number=True),
    Column("column_name", "column"),
    Column("value", "value"),
    Column("message", "what"),
    Column("advice", "what to do"),
)


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of one export.")],
    source: Annotated[str, typer.Option("--source", help="Name in the workspace's `sources`, or a path.")],
    as_of: AsOfOption = None,
    accept_bound: Annotated[
        list[str] | None, typer.Option("--accept-bound", help="Accept this bound once for these files.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why the bound is accepted.")] = "",
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take the files of a ledger in for a day, through the source's mapping and the quality gate."""
    if as_of is None:
        raise UsageError("An import needs the date that its files speak for.", advice="Give --as-of YYYY-MM-DD.")
    from connectors.ledgers.source import load_source
    from tasks.intake import ingest_ledger

    ledger_source = load_source(_source_path(source))
    bounds = dict.fromkeys(accept_bound or (), reason)
    with opened() as engine:
        try:
            report = ingest_ledger(
                engine, ledger_source, files, as_of, now(), acting(actor), accept_bounds=bounds or None
            )
        except InputRejectedError as refusal:
            if not as_json:
                _show_findings(refusal.context.get("findings", []))
            raise
    if as_json:
        show_json(report.as_json())
    else:
        _tell(report)
    if report.quarantined:
        raise typer.Exit(ACCEPTED_WITH_QUARANTINE)


def _source_path(source: str) -> Path:
    given = Path(source)
    if given.suffix in {".yaml", ".yml"}:
        return given
    folder = Workspace(settings().workspace).sources
    named = folder / f"{source}.yaml"
    if not named.exists():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none yet"
        raise UsageError(
            f"There is no source {source!r} in {folder} (there are: {known}).",
            advice="Put its YAML file there, or give the path of one.",
        )
    return named


def _tell(report: "IntakeReport") -> None:
    if report.unchanged:
        say(f"Nothing new: this content was taken in for {report.as_of} before.")
        return
    _show_findings(report.findings.to_dicts())
    told = f"{report.rows} rows, {report.quarantined} quarantined, {report.warnings} warnings"
    say(f"Taken in for {report.as_of}: {told}.")
    if report.quarantined:
        say("The debtors of quarantined rows are not contacted until `maatpak quarantine` has seen to them.")


def _show_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    if not findings:
        return
    show(findings[:SHOWN], COLUMNS, as_json=False, title="What the quality gate found")
    if len(findings) > SHOWN:
        say(f"… and {len(findings) - SHOWN} more; --json lists up to a thousand.")
