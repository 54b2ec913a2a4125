"""Where a case stands on its journey, step by step: from what its round has behind it, or from an explanation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import as_words
from maatpak.kernel.words import OPEN_ACTION_STATES, ActionState, Stage
from policies.explain import StepTold
from policies.journey import Journey, Step


class Mark(StrEnum):
    """How a step is drawn."""

    DONE = "done"
    NOW = "now"
    HELD = "held"
    SKIPPED = "skipped"
    AHEAD = "ahead"


@dataclass(frozen=True)
class CourseStep:
    """One step of a journey and how it stands for a case."""

    name: str
    stage: str
    kind: str
    about: str
    mark: str
    """done, now, held, skipped or ahead."""
    told: str
    """In a few words, with its date."""
    on: date | None
    """When it was done, or falls due."""
    after: tuple[str, ...]
    """Steps that come before it."""


WAITS = frozenset({"", "wait", "window", "budget", "silence_after_round"})
"""Reasons that pass by themselves: what waits for one of these is not held."""


def course_of(
    journey: Journey,
    actions: Iterable[Mapping[str, Any]],
    entry: Stage,
    next_step: str,
    next_on: date | None,
    reason: str,
) -> list[CourseStep]:
    """The journey of a case as its round's actions (the newest of each step last) and the newest decision leave it.

    A step of a softer stage than the one it entered at lies behind it.
    """
    newest = {action["step"]: action for action in actions if action["state"] != ActionState.CANCELLED}
    return [_standing(step, newest.get(step.name), entry, next_step, next_on, reason) for step in journey.course]


def _standing(
    step: Step,
    action: Mapping[str, Any] | None,
    entry: Stage,
    next_step: str,
    next_on: date | None,
    reason: str,
) -> CourseStep:
    if action is not None:
        return _step(step, *_acted(action))
    if step.name == next_step:
        held = reason not in WAITS
        told = f"held: {as_words(reason).lower()}" if held else f"from {day(next_on)}" if next_on else "next"
        return _step(step, Mark.HELD if held else Mark.NOW, told, next_on)
    if step.stage.rank < entry.rank:
        return _step(step, Mark.SKIPPED, "behind", None)
    return _step(step, Mark.AHEAD, "ahead", None)


def _acted(action: Mapping[str, Any]) -> tuple[Mark, str, date | None]:
    state = ActionState(action["state"])
    if state is ActionState.EXECUTED:
        result = f", {as_words(action['result']).lower()}" if action["result"] else ""
        return Mark.DONE, f"{day(action['executed_on'])}{result}", action["executed_on"]
    if state is ActionState.SKIPPED:
        return Mark.SKIPPED, as_words(action["reason"]).lower(), action["business_date"]
    told = as_words(state).lower()
    if state in OPEN_ACTION_STATES:
        return Mark.NOW, told, action["due_on"]
    return Mark.HELD, f"{told}{' until ' + day(action['retry_on']) if action['retry_on'] else ''}", action["retry_on"]


def _step(step: Step, mark: Mark, told: str, on: date | None) -> CourseStep:
    return CourseStep(step.name, str(step.stage), str(step.kind), step.about, mark, told, on, step.after)


def course_told(steps: Sequence[StepTold], next_step: str | None) -> list[CourseStep]:
    """The same from an explanation: as the rules see it, with every due date that they give."""
    inside = [step for step in steps if not step.outside_round and not step.reacts]
    return [_explained(step, next_step) for step in inside]


def _explained(step: StepTold, next_step: str | None) -> CourseStep:
    word, on = step.status, step.done_on or step.due_on
    reason = as_words(step.stopped_by[0]).lower() if step.stopped_by else ""
    if word == "done":
        mark, told = Mark.DONE, day(step.done_on) if step.done_on else "done"
    elif word in ("behind", "skipped before") or word.startswith("skipped"):
        mark, told = Mark.SKIPPED, as_words(word.removeprefix("skipped: ")).lower()
    elif word in ("taken", "open"):
        mark, told = Mark.NOW, "today" if word == "taken" else "under way"
    elif word in ("stopped", "ended"):
        mark, told = Mark.HELD, reason or word
    elif word == "waiting":
        told = f"from {day(step.due_on)}" if step.due_on else "waits"
        mark = Mark.NOW if step.name == next_step else Mark.AHEAD
    else:
        mark, told = Mark.AHEAD, f"from {day(step.due_on)}" if step.due_on else "ahead"
    return CourseStep(step.name, step.stage, step.kind, step.about, mark, told, on, step.after)
