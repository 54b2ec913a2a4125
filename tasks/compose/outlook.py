"""What a journey does next if nothing happens, so that a message can say it and not more.

Steps that the customer does not see are passed through with their waits. A step whose condition cannot hold is passed
over; an escalating one is named only if its condition surely holds, for a consequence that will not come is a threat.
A call is named only to those who have a number: the others get the letter that goes in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from maatpak.kernel.words import StepKind
from policies.facts import FACTS
from policies.journey import Journey, Step
from policies.rules import outcomes

KNOWN = {
    "party_kind": pl.String,
    "asked_amount": pl.Int64,
    "consult_answer": pl.String,
    "phone_known": pl.Boolean,
}
"""The facts that are known when a message is written; the others are open."""
_UNSEEN = frozenset({StepKind.NOTIFY, StepKind.WAIT})


@dataclass(frozen=True)
class Next:
    """The step that comes next, and how many working days on at the earliest."""

    kind: StepKind
    working_days: int
    escalating: bool


def what_next(journey: Journey, step: Step, known: pl.DataFrame) -> list[Next | None]:
    """What follows a step that did not work, a row of known facts each; None where nothing does, as after a reaction.

    Of a demand it is the consequence that counts: the handoff, if it will come, whatever is tried before it.
    """
    later = {name: each.when for name, each in journey.steps.items() if each.when is not None}
    asked = sorted({name for rule in later.values() for name in rule.facts} - set(known.columns))
    frame = known.with_columns(pl.lit(None, dtype=FACTS[name].dtype).alias(name) for name in asked)
    names = list(later)
    verdicts = zip(*(each.to_list() for each in outcomes(list(later.values()), frame)), strict=True)
    seen: dict[tuple[bool | None, ...], Next | None] = {}
    found: list[Next | None] = []
    rows = verdicts if names else ((),) * known.height
    for verdict, phone in zip(rows, known["phone_known"].to_list(), strict=True):
        if verdict not in seen:
            seen[verdict] = _nearest(journey, step, dict(zip(names, verdict, strict=True)))
        following = seen[verdict]
        if following is not None and following.kind is StepKind.CALL and not phone:
            following = replace(following, kind=StepKind.MESSAGE)
        found.append(following)
    return found


def _nearest(journey: Journey, step: Step, holds: Mapping[str, bool | None]) -> Next | None:
    found = sorted(_following(journey, step, holds), key=lambda each: each.working_days)
    if step.escalating:
        return next((each for each in found if each.kind is StepKind.HANDOFF), None)
    return next((each for each in found if not each.escalating), None)


def _following(journey: Journey, step: Step, holds: Mapping[str, bool | None]) -> list[Next]:
    """Every step that comes after and that the customer may see, with its working days from now.

    A step waits for all that it comes after. What does not come after this step is taken as done; what is passed over
    adds no wait of its own.
    """
    reached = {step.name: 0}
    passed_over: set[str] = set()
    found = []
    for later in journey.steps.values():
        ups = [up for up in later.after if up in reached]
        if not ups:
            continue
        verdict = holds.get(later.name, True)
        skipped = verdict is False or (later.escalating and verdict is not True)
        reached[later.name] = max(
            reached[up] + (0 if skipped or up in passed_over else later.waits.get(up, later.wait)) for up in ups
        )
        if skipped:
            passed_over.add(later.name)
        elif later.kind not in _UNSEEN:
            found.append(Next(later.kind, reached[later.name], later.escalating))
    return found
