"""`maatpak doctor`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from maatpak.cli.faults import of_the_database
from maatpak.cli.output import Column, show
from maatpak.cli.session import JsonOption, now, opened, settings
from maatpak.kernel.errors import MaatpakError, WorkspaceError
from maatpak.kernel.settings import FORGEABLE, MEND_FORGEABLE, Settings

if TYPE_CHECKING:
    from tasks.engine import Engine

app = typer.Typer()


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    well: bool
    detail: str


@app.command()
def doctor(
    *,
    list_settings: Annotated[
        bool, typer.Option("--settings", help="List the settings, their values and meaning instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look whether all is well, and change nothing. Ends with 5 when something is not."""
    given = settings()
    if list_settings:
        _show_settings(given, as_json=as_json)
        return
    findings = list(_examine(given))
    rows = [{**finding._asdict(), "state": "well" if finding.well else "NOT WELL"} for finding in findings]
    show(rows, (Column("what", ""), Column("state", ""), Column("detail", "")), as_json=as_json)
    sick = [finding.what for finding in findings if not finding.well]
    if sick:
        raise WorkspaceError(f"Not well: {', '.join(sick)}.", advice="The details above say what to do.")


def _examine(given: Settings) -> Iterator[Finding]:
    from maatpak.ledger.workspace import Workspace

    listed = "`maatpak doctor --settings` lists them"
    yield Finding("settings", not given.forgeable, f"{FORGEABLE} {MEND_FORGEABLE}" if given.forgeable else listed)
    try:
        Workspace(given.workspace).require()
        yield Finding("workspace", well=True, detail=str(given.workspace))
        with opened() as engine:
            yield from _examine_database(engine)
    except MaatpakError as error:
        yield Finding("database" if given.workspace.exists() else "workspace", well=False, detail=str(error))
    except Exception as error:
        found = of_the_database(error)
        if found is None:
            raise
        yield Finding("database", well=False, detail=found.message)


def _examine_database(engine: "Engine") -> Iterator[Finding]:
    from sqlalchemy import text

    from maatpak.ledger.invariants import INVARIANTS, breaches
    from maatpak.ledger.schema import differences, newest
    from maatpak.ledger.verify import verify

    with engine.database.reading() as session:
        version = session.connection().execute(text("SHOW server_version")).scalar_one()
        where = "embedded" if engine.settings.database_url is None else "by URL"
        yield Finding("database", well=True, detail=f"PostgreSQL {version}, {where}")
        found = breaches(session, now())
    drift = differences(engine.database)
    yield Finding("schema", well=not drift, detail="; ".join(drift) or newest())
    chain = verify(engine.database, engine.anchors.read(), None)
    tail = f", {chain.unanchored} of them not anchored yet" if chain.unanchored else ""
    detail = " ".join(fault.message for fault in chain.faults[:3]) or f"{chain.events} events{tail}"
    yield Finding("event chain", well=chain.whole, detail=detail)
    yield from _examine_services(engine)
    for breach in found:
        ids = ", ".join(map(str, breach.first_ids))
        yield Finding(breach.invariant, well=False, detail=f"{breach.meaning} {breach.count}, the first: {ids}.")
    if not found:
        yield Finding("invariants", well=True, detail=f"all {len(INVARIANTS)} hold")


def _examine_services(engine: "Engine") -> Iterator[Finding]:
    from tasks.send.breaker import services, standings

    with engine.database.frames(read_only=True) as frames:
        standing = standings(frames, services(engine))
    opened = {channel: each for channel, each in standing.items() if each.opened}
    for channel, each in opened.items():
        yield Finding(f"service for {channel}", well=False, detail=f"{each}. {each.mend}")
    if not opened:
        yield Finding("services", well=True, detail="none is left alone")


def _show_settings(given: Settings, *, as_json: bool) -> None:
    rows = [
        {
            "setting": f"MAATPAK_{name.upper()}",
            "value": None if getattr(given, name) is None else str(getattr(given, name)),
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
    columns = (Column("setting", "setting"), Column("value", "value"), Column("meaning", "meaning"))
    show(rows, columns, as_json=as_json)
