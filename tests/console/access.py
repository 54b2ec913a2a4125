"""The table of access as the declarations have it: written to docs/access.md by `python -m tests.console.access`."""

from collections.abc import Iterator
from pathlib import Path

from maatpak.console.frame.declared import Act, Listing, Paper, Room, Sheet
from maatpak.console.rooms import ROOMS
from maatpak.kernel.words import Role

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
HEAD = """# Who may see and do what

Written from the declarations in `maatpak/console/rooms` by `python -m tests.console.access`. A test tries every line of
it for every role, at a creditor that the visitor may see (✓, else refused with 403) and at another one (404, or no row
of it). The API has the same paths under `/api/v1`. Beyond this table the engine's own rules hold for whoever may:
limits, four eyes, and who recorded what.

"""
SHORT = {
    Role.OPERATOR: "operator",
    Role.COLLECTOR: "collector",
    Role.ACCOUNT_MANAGER: "account manager",
    Role.CREDIT_MANAGER: "credit manager",
    Role.FINANCE_DIRECTOR: "finance director",
    Role.AUDITOR: "auditor",
    Role.ADMINISTRATOR: "administrator",
}


def declared() -> Iterator[tuple[Room, str, Listing | Sheet | Paper | Act]]:
    """Everything that is served, with what it is."""
    for room in ROOMS:
        for listing in room.listings:
            yield room, "list", listing
        for sheet in room.sheets:
            yield room, "page", sheet
        for paper in room.papers:
            yield room, "file", paper
        for act in room.acts:
            yield room, "act", act


def written() -> str:
    """The page."""
    lines = [HEAD]
    for room in ROOMS:
        lines.append(
            f"## {room.title}\n\n| what | path | {' | '.join(SHORT.values())} |\n|---|---|{'---|' * len(SHORT)}\n"
        )
        for of, kind, each in declared():
            if of is room:
                marks = " | ".join("✓" if role in each.roles else "" for role in SHORT)
                lines.append(f"| {each.title} ({kind}) | `{each.path}` | {marks} |\n")
        lines.append("\n")
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(written())
