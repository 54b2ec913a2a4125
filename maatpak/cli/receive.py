"""`maatpak receive`."""

import typer

from maatpak.cli.output import Column, say, show
from maatpak.cli.session import JsonOption, now, opened

app = typer.Typer()

COLUMNS = (Column("kind", "what"), Column("count", "count", number=True))
UNASSIGNED = "Of {count} nobody knows whose they are: `maatpak messages incoming` shows them."
LEFT = "{count} could not be recorded now, and come again."


@app.command()
def receive(*, as_json: JsonOption = False) -> None:
    """Take in what came back: the mailbox's reports and replies, and what the post tells of letters.

    Ends with 5 when something could not be taken in.
    """
    from tasks.receive import read_letter_reports, read_mailbox

    with opened() as engine:
        summary = read_mailbox(engine, now())
        summary.add(read_letter_reports(engine, now()))
    rows = [{"kind": kind, "count": count} for kind, count in sorted(summary.counts.items()) if count]
    show(rows, COLUMNS, as_json=as_json, title="Came in", empty="Nothing came in.")
    if not as_json:
        for words, count in ((UNASSIGNED, summary.unassigned), (LEFT, summary.left)):
            if count:
                say(words.format(count=count))
    summary.require_whole()
