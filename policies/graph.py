"""A journey as a graph: its steps in order, and whether every branch of it ends.

Ends means: in a person's decision. From each step that reaches the customer or asks a person, a `decide` step without
any condition must follow, so that a case ends there also when a demand may never be made (law 5).
"""

from collections.abc import Mapping, Sequence

from maatpak.kernel.words import StepKind
from policies.journey import INWARD, Step


def in_order(after: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The names so that each comes after what it needs, in the order given where that leaves a choice; and a cycle.

    The second list is empty when there is no cycle; else it names the steps of one, from the first back to itself.
    """
    ordered: dict[str, None] = {}
    while len(ordered) < len(after):
        ready = next((name for name in after if name not in ordered and all(up in ordered for up in after[name])), None)
        if ready is None:
            return list(ordered), _cycle({name: after[name] for name in after if name not in ordered})
        ordered[ready] = None
    return list(ordered), []


def _cycle(after: Mapping[str, Sequence[str]]) -> list[str]:
    """A cycle among names of which each needs another one of them."""
    seen: list[str] = []
    name = next(iter(after))
    while name not in seen:
        seen.append(name)
        name = next(up for up in after[name] if up in after)
    return [*seen[seen.index(name) :], name][::-1]


def descendants(steps: Mapping[str, Step]) -> dict[str, list[str]]:
    """For each step, all that come after it, in order."""
    below: dict[str, set[str]] = {name: set() for name in steps}
    for step in reversed(list(steps.values())):
        for up in step.after:
            below[up] |= {step.name} | below[step.name]
    return {name: [each for each in steps if each in found] for name, found in below.items()}


def ancestors(steps: Mapping[str, Step]) -> dict[str, list[str]]:
    """For each step, all that come before it, in order."""
    above: dict[str, set[str]] = {}
    for step in steps.values():
        above[step.name] = set(step.after).union(*(above[up] for up in step.after))
    return {name: [each for each in steps if each in found] for name, found in above.items()}


def closings(steps: Mapping[str, Step]) -> dict[str, str]:
    """For each step that has one, the first unconditional `decide` after it: where a closed branch ends."""
    below = descendants(steps)
    ends = {step.name for step in steps.values() if is_ending(step)}
    return {name: found[0] for name in steps if (found := [each for each in below[name] if each in ends])}


def is_ending(step: Step) -> bool:
    """Whether a branch that comes here ends in a person's decision, whatever the facts."""
    return step.kind is StepKind.DECIDE and step.when is None and step.only is None and step.until is None


def unended(steps: Mapping[str, Step]) -> list[str]:
    """The last steps of branches behind which no person's decision is sure to come."""
    closing, below = closings(steps), descendants(steps)
    open_ends = {
        step.name
        for step in steps.values()
        if not step.outside_round
        and step.on is None
        and step.kind not in INWARD
        and not is_ending(step)
        and step.name not in closing
    }
    return [name for name in steps if name in open_ends and not open_ends & set(below[name])]
