"""`maatpak receive`."""

import typer

from maatpak.cli.output import Column, say, show
from maatpak.cli.session import JsonOption, now, opened
from maatpak.kernel.errors import IncompleteError

app = typer.Typer()

COLUMNS = (Column("kind", "what"), Column("count", "count", number=True))
UNASSIGNED = "Of {count} nobody knows whose they are: `maatpak messages incoming` shows them."
LEFT = "{count} could not be recorded now, and come again."
FAILED = "Mails that could not be taken in, and lie in the mailbox until they can: {count} ({errors})."


@app.command()
def receive(*, as_json: JsonOption = False) -> None:
    """Take in what came back: the mailbox's reports and replies, and what the post tells of letters.

    Ends with 5 when a mail could not be taken in.
    """
    from maatpak.ledger.failures import DETAILS
    from tasks.receive import read_letter_reports, read_mailbox

    with opened() as engine:
        summary = read_mailbox(engine, now())
        summary.counts["news of letters"] += read_letter_reports(engine, now())
    rows = [{"kind": kind, "count": count} for kind, count in sorted(summary.counts.items()) if count]
    show(rows, COLUMNS, as_json=as_json, title="Came in", empty="Nothing came in.")
    if not as_json:
        for words, count in ((UNASSIGNED, summary.unassigned), (LEFT, summary.left)):
            if count:
                say(words.format(count=count))
    if summary.failures:
        raise IncompleteError(
            FAILED.format(count=summary.failures.total(), errors=", ".join(sorted(summary.failures))), advice=DETAILS
        )
