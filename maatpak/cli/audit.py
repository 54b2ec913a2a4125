"""`maatpak audit`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.session import CreditorOption, JsonOption, now, opened, parse_date
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
    *,
    as_json: JsonOption = False,
) -> None:
    """Everything on one debtor, with checksums, for an auditor: rows, events, decisions, messages as they were sent."""
    from maatpak.ledger.export import export_debtor

    with opened() as engine:
        done = export_debtor(engine.database, engine.store, engine.anchors.last(), creditor, debtor, to, now())
    if as_json:
        show_json({**vars(done), "target": str(done.target)})
        return
    say(f"{done.target}: {done.files} files, {done.rows} rows, {done.evidence_files} evidence files.")
    say("It holds personal data. `sha256sum -c SHA256SUMS` in it proves that it is whole.")


@app.command()
def replay(
    as_of: Annotated[Any, typer.Option("--as-of", parser=parse_date, metavar="YYYY-MM-DD", help="The past day.")],
    creditor: CreditorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Recompute a past day's decisions from its facts, and the facts from history; ends with 1 when they differ."""
    from tasks.dates import creditor_id_of
    from tasks.finding import creditor_codes
    from tasks.replay import replay as recompute

    with opened() as engine:
        codes = creditor_codes(engine, creditor)
        found = {code: recompute(engine, creditor_id_of(engine, code), as_of) for code in codes}
    differences = [{"creditor": code, **vars(each)} for code, day in found.items() for each in day.differences]
    same = all(day.same for day in found.values())
    ticks, cases = (sum(getattr(day, name) for day in found.values()) for name in ("ticks", "cases"))
    if as_json:
        show_json({"same": same, "ticks": ticks, "cases": cases, "differences": differences})
    else:
        say(f"{as_of}: {ticks} passes over {cases} cases.")
        columns = (
            Column("creditor", "creditor"),
            Column("what", "what"),
            Column("case_id", "case", number=True),
            Column("column", "column"),
            Column("then", "then"),
            Column("now", "now"),
        )
        show(differences, columns, as_json=False, empty="Every fact and every decision comes out as it did then.")
    if not same:
        raise MaatpakError(
            f"{len(differences)} things come out otherwise than on {as_of}.",
            advice="`maatpak audit verify` tells whether history was changed.",
        )
