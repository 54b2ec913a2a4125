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
    say("Settings are in maatpak.env there, and sources, each with its creditor, go into its folder sources.")
    say("Next: `maatpak user add`, `maatpak ingest`, `maatpak policy publish`, then `maatpak run`.")
