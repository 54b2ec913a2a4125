"""`maatpak init`."""

import typer

from maatpak.cli.output import say
from maatpak.cli.session import settings

app = typer.Typer()


@app.command()
def init() -> None:
    """Make the workspace's folders and its database, or bring them up to this version. What is there stays."""
    from tasks.engine import initialise

    given = settings()
    initialise(given)
    say(f"Workspace {given.workspace} is ready.")
    say("Next: `maatpak user add`, `maatpak creditor add`, then `maatpak ingest`; settings are in maatpak.env there.")
