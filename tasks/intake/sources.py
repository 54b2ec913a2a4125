"""The sources of a workspace, by their names."""

from typing import TYPE_CHECKING

from connectors.ledgers.source import LedgerSource
from connectors.ledgers.source_file import load_source
from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from tasks.engine import Engine


def find_source(engine: "Engine", name: str) -> LedgerSource:
    """The source of that name in the workspace.

    Raises:
        UsageError: there is none.
    """
    folder = engine.workspace.sources
    path = folder / f"{name}.yaml"
    if not path.exists():
        there = ", ".join(sorted(each.stem for each in folder.glob("*.yaml"))) or "none"
        raise UsageError(f"There is no source {name!r} in {folder}.", advice=f"There is: {there}. Or give a path.")
    return load_source(path)
