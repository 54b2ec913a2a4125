"""What changes from one pack to another: segments, rules, steps and limits, one line a change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import BaseModel

from policies.journey import Journey, Step
from policies.pack import CompiledPack


@dataclass(frozen=True)
class Change:
    """One thing that differs. `before` is empty for what is new, `after` for what is gone."""

    where: str
    before: str
    after: str


def diff(before: CompiledPack, after: CompiledPack) -> list[Change]:
    """Every difference between two packs, in the order of the files; an empty list when they decide alike."""
    if before.content_hash == after.content_hash:
        return []
    return [
        *_plain("languages", ", ".join(before.languages), ", ".join(after.languages)),
        *_segments(before, after),
        *_mappings("reroutes", _named(before.reroutes, "cause"), _named(after.reroutes, "cause")),
        *_journeys(before, after),
        *_models("guardrails", before.guardrails, after.guardrails),
        *_models("experience.scale", before.scale, after.scale),
        *_mappings("experience.touches", before.ratings, after.ratings),
        *_mappings("reasons", _dumped(before.reasons), _dumped(after.reasons)),
        *_mappings("call_results", _dumped(before.call_results), _dumped(after.call_results)),
        *_templates(before.templates, after.templates),
    ]


def journey_changes(segment: str, before: Journey, after: Journey) -> list[Change]:
    """Every difference between a segment's journey in two packs."""
    return list(_journey(segment, before, after))


def _segments(before: CompiledPack, after: CompiledPack) -> Iterator[Change]:
    old, new = [each.name for each in before.segments], [each.name for each in after.segments]
    if old != new:
        yield Change("segments: order", " > ".join(old), " > ".join(new))
    yield from _mappings("segments", _named(before.segments, "name"), _named(after.segments, "name"))


def _named(parts: Sequence[Any], key: str) -> dict[str, str]:
    return {getattr(each, key): f"{each.rule.text}{f' → {each.to}' if key == 'cause' else ''}" for each in parts}


def _journeys(before: CompiledPack, after: CompiledPack) -> Iterator[Change]:
    for segment in [*before.journeys, *(name for name in after.journeys if name not in before.journeys)]:
        old, new = before.journeys.get(segment), after.journeys.get(segment)
        if old is None or new is None:
            yield Change(f"journeys.{segment}", _outline(old), _outline(new))
        else:
            yield from _journey(segment, old, new)


def _outline(journey: Journey | None) -> str:
    return "" if journey is None else f"{len(journey.steps)} steps: {', '.join(journey.steps)}"


def _journey(segment: str, before: Journey, after: Journey) -> Iterator[Change]:
    yield from _plain(f"journeys.{segment}.goal", before.goal.text, after.goal.text)
    for name in [*before.steps, *(name for name in after.steps if name not in before.steps)]:
        where = f"journeys.{segment}.{name}"
        old, new = before.steps.get(name), after.steps.get(name)
        if old is None or new is None:
            yield Change(where, _described(old), _described(new))
            continue
        for each in fields(Step):
            yield from _plain(f"{where}.{each.name}", *(spelled(getattr(step, each.name)) for step in (old, new)))


def _described(step: Step | None) -> str:
    if step is None:
        return ""
    after = f" after {', '.join(step.after)}" if step.after else ""
    return f"{step.kind} {step.template or ''}".strip() + after


def spelled(value: Any) -> str:
    """A value of a step in a line of text; empty for None."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {wait} working days" for name, wait in value.items())
    if isinstance(value, frozenset):
        return ", ".join(sorted(str(each) for each in value))
    return ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value)


def _models(where: str, before: BaseModel, after: BaseModel) -> Iterator[Change]:
    yield from _mappings(where, _flat(before.model_dump(mode="json")), _flat(after.model_dump(mode="json")))


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _dumped(lines: Mapping[Any, BaseModel]) -> dict[str, Any]:
    return _flat({str(name): line.model_dump(mode="json", exclude_none=True) for name, line in lines.items()})


def _mappings(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        yield from _plain(f"{where}.{key}", spelled(before.get(key)), spelled(after.get(key)))


def _templates(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Change(name, *("" if files.get(name) is None else _lines(files[name]) for files in (before, after)))


def _lines(text: str) -> str:
    return f"{len(text.splitlines())} lines"


def _plain(where: str, before: str, after: str) -> Iterator[Change]:
    if before != after:
        yield Change(where, before, after)
