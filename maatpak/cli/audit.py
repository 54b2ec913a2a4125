"""`maatpak audit`."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from maatpak import __version__
from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.session import ActorOption, CreditorOption, JsonOption, acting, now, opened, parse_date
from maatpak.kernel.errors import MaatpakError

app = typer.Typer(no_args_is_help=True, help="The chain of events: is it whole, and what it says of one debtor.")


@app.command()
def verify(*, as_json: JsonOption = False) -> None:
    """Prove the chain of events, its anchors and the evidence files; ends with 1 when anything was changed."""
    from maatpak.ledger.verify import verify as verify_chain

    with opened() as engine:
        found = verify_chain(engine.database, engine.anchors.read(), engine.store)
    faults = [vars(fault) for fault in found.faults]
    if as_json:
        counts = {name: getattr(found, name) for name in ("whole", "events", "anchored_seq", "unanchored")}
        show_json({**counts, "evidence_files": found.evidence_files, "faults": faults})
    else:
        say(f"{found.events} events, anchored up to {found.anchored_seq}; {found.evidence_files} evidence files.")
        if found.unanchored:
            say(f"The last {found.unanchored} are not anchored yet: nothing outside the database proves them.")
        columns = (Column("seq", "event", number=True), Column("code", "fault"), Column("message", "what"))
        show(faults, columns, as_json=False, empty="Nothing was changed, removed, swapped, inserted or cut off.")
    if not found.whole:
        raise MaatpakError(
            f"The chain of events is not whole: {len(faults)} faults.",
            advice="Keep the database as it is, and compare it with a backup of before.",
        )


@app.command()
def export(
    creditor: Annotated[str, typer.Option(help="Code of the creditor.")],
    debtor: Annotated[str, typer.Option(help="Number of the debtor.")],
    to: Annotated[Path, typer.Option(help="New folder, or new .zip file.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Everything on one debtor, with checksums, for an auditor: rows, events, decisions, messages as they were sent."""
    from tasks.audit.dossier import export_dossier

    with opened() as engine:
        done = export_dossier(engine, creditor, debtor, to, acting(actor), now())
    if as_json:
        show_json({**vars(done), "target": str(to)})
        return
    say(f"{to}: {done.files} files, {done.rows} rows, {done.evidence_files} evidence files.")
    say(f"It holds personal data. `python3 verify.py {done.seal}` in it proves that it is whole.")


@app.command()
def replay(
    as_of: Annotated[date, typer.Option(parser=parse_date, metavar="YYYY-MM-DD", help="The past day.")],
    creditor: CreditorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Recompute a past day: decisions from stored facts, facts from history, items from snapshots; 1 if they differ."""
    from tasks.finding import creditors_with_runs
    from tasks.replay import replay as recompute

    rows: list[dict[str, Any]] = []
    with opened() as engine:
        for code in creditors_with_runs(engine, creditor, as_of):
            found = recompute(engine, engine.creditor_id(code), as_of)
            rows.append({"creditor": code, "same": found.same, **asdict(found)})
    if as_json:
        show_json(rows)
    else:
        for row in rows:
            _tell_replay(row, as_of)
    differences = sum(len(row["differences"]) for row in rows)
    if differences:
        others = sorted({version for row in rows for version in row["engines"]})
        advice = f" The day was decided by engine {', '.join(others)}." if others else ""
        raise MaatpakError(
            f"{differences} things come out otherwise than on {as_of}.",
            advice=f"`maatpak audit verify` tells whether history was changed.{advice}",
        )


def _tell_replay(row: dict[str, Any], as_of: date) -> None:
    say(
        f"{row['creditor']} on {as_of}: {row['ticks']} passes over {row['cases']} cases,"
        f" {row['items']} items compared with snapshots, {row['unproven']} without one."
    )
    if row["merged"]:
        say(f"{row['merged']} cases were left out of the facts: their customer became one with another since.")
    if row["engines"]:
        say(f"Another version of the engine decided then: {', '.join(row['engines'])}; this one is {__version__}.")
    columns = (
        Column("what", "what"),
        Column("case_id", "case", number=True),
        Column("about", "about"),
        Column("column", "column"),
        Column("then", "then"),
        Column("now", "now"),
    )
    show(row["differences"], columns, as_json=False, empty="Facts, decisions and items come out as they were.")
