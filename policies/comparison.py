"""Two packs side by side, as data for whoever shows it: what changes, where, and in templates line by line."""

from dataclasses import dataclass
from difflib import unified_diff

from policies.diff import diff
from policies.pack import CompiledPack

JOURNEYS, TEMPLATES = "journeys", "templates"


@dataclass(frozen=True)
class PackChange:
    """One thing that differs between two packs. `before` is empty for what is new, `after` for what is gone."""

    area: str
    """The file or folder of the pack: segments, reroutes, journeys, guardrails, templates …"""
    segment: str | None
    """Whose journey or rule it is."""
    step: str | None
    field: str | None
    """Of a step or a limit: which; of a template: its path."""
    before: str
    after: str
    lines: tuple[str, ...] = ()
    """Of a template: the lines that go (-) and come (+), with three of their neighbours each."""


def compare(before: CompiledPack, after: CompiledPack) -> list[PackChange]:
    """Every difference, in the order of the files."""
    found = []
    for change in diff(before, after):
        area, _, rest = change.where.partition(".")
        if change.where.startswith(f"{TEMPLATES}/"):
            lines = _lines(before, after, change.where)
            found.append(PackChange(TEMPLATES, None, None, change.where, change.before, change.after, lines))
        elif area == JOURNEYS:
            segment, step, field = [*rest.split(".", 2), None, None][:3]
            if step == "goal" and field is None:
                step, field = None, "goal"
            found.append(PackChange(area, segment, step, field, change.before, change.after))
        elif area == "segments":
            found.append(PackChange(area, rest, None, "when", change.before, change.after))
        else:
            found.append(PackChange(area.partition(":")[0], None, None, rest or None, change.before, change.after))
    return found


def _lines(before: CompiledPack, after: CompiledPack, path: str) -> tuple[str, ...]:
    old, new = (pack.templates.get(path, "").splitlines() for pack in (before, after))
    return tuple(line for line in unified_diff(old, new, lineterm="") if not line.startswith(("---", "+++")))
