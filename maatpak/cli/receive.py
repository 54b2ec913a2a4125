"""`maatpak receive`."""

import typer

from maatpak.cli.output import Column, say, show
from maatpak.cli.session import JsonOption, now, opened

app = typer.Typer()

COLUMNS = (Column("kind", "what"), Column("count", "mails", number=True))
UNASSIGNED = "Of {count} nobody knows whose they are: `maatpak messages incoming` shows them."
LEFT = "{count} could not be recorded now, and come again."


@app.command()
def receive(*, as_json: JsonOption = False) -> None:
    """Take in what lies in the mailbox: reports become evidence, replies wait on their cases to be read."""
    from tasks.receive import read_mailbox

    with opened() as engine:
        summary = read_mailbox(engine, now())
    rows = [{"kind": kind, "count": count} for kind, count in sorted(summary.counts.items())]
    show(rows, COLUMNS, as_json=as_json, title="Came in", empty="Nothing came in.")
    if not as_json:
        for words, count in ((UNASSIGNED, summary.unassigned), (LEFT, summary.left)):
            if count:
                say(words.format(count=count))
