"""One segment's journey, drawn: what stands at each step, what passed through it, what blocks, what came of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.journeys.overview import PACKS, Blocked, Money, blocked_by
from maatpak.kernel.money import format_money
from policies.diff import spelled
from policies.journey import Journey, Step
from tasks.journey_figures import CASH_WITHIN, FLOW_DAYS, STANDING, StepFigures, journey_figures

VERSIONS = f"""
SELECT p.id AS pack_id, p.name, p.version, COALESCE(sum(f.value), 0)::bigint AS standing
FROM policy_pack p LEFT JOIN journey_figure f ON f.pack_id = p.id AND f.creditor_id = :creditor AND f.segment = :segment
  AND f.as_of = (SELECT max(d.as_of) FROM journey_figure d WHERE d.creditor_id = :creditor) AND f.name = '{STANDING}'
WHERE p.id = :present OR f.pack_id IS NOT NULL GROUP BY p.id ORDER BY p.id DESC
"""  # noqa: S608 - our own words
NOT_IN_A_RULE = ("name", "stage", "kind", "about", "waits", "fragment")
IN_DAYS = frozenset({"wait", "until", "deadline", "deputy", "term"})
QUERY = {"pack": "Number of a version of the pack; without one, the journey in force with the numbers of all versions."}


@dataclass(frozen=True)
class Wait:
    """Median working days from the step executed before in the same round."""

    before: str
    days: int


@dataclass(frozen=True)
class StepShown:
    """One step of a journey with its numbers."""

    name: str
    part: str
    """`course`: rounds pass through it; `reaction`: it answers an event; `outside` of rounds; `earlier`: only versions
    before this one have it."""
    stage: str
    kind: str
    about: str
    after: tuple[str, ...]
    standing: int
    """Cases that have come to it: it is taken today, under way, or the next."""
    blocked: list[Blocked]
    """Of these the ones that get nothing today, the commonest reason first."""
    taken: int
    """How often it was executed in the days that flow looks back upon."""
    waits: list[Wait]
    cash: list[Money]
    """Money that came within the days after it on the items that it named."""
    rule: dict[str, str]
    """When it is taken and what it does, as the pack says it."""


@dataclass(frozen=True)
class VersionShown:
    """A version of the pack that has rounds in this segment, or is in force."""

    pack_id: int
    name: str
    version: int
    standing: int


@dataclass(frozen=True)
class JourneySheet:
    """A segment's journey as a version of the pack has it."""

    creditor: str
    creditor_name: str
    segment: str
    segments: list[str]
    """All of the version."""
    who: str
    when: str
    """The rule that puts a case in the segment."""
    about: str
    goal: str
    pack_id: int
    """Of the version that is drawn."""
    in_force: bool
    chosen: bool
    """Whether the numbers are of this version alone."""
    versions: list[VersionShown]
    as_of: date | None
    """The business date of the numbers; None before the first day."""
    flow_days: int
    cash_days: int
    """Working days."""
    standing: int
    blocked: list[Blocked]
    at_the_end: int
    """Cases that have nothing before them."""
    steps: list[StepShown]


def read_journey(asking: Asking, creditor: str, segment: str) -> JourneySheet:
    """A segment's journey in force, or as another version has it."""
    seen = asking.creditor_of("creditor", creditor)
    given = asking.rows(PACKS, creditors=[seen.id])
    present = given[0]["pack_id"] if given else 0
    rows = asking.rows(VERSIONS, creditor=seen.id, segment=segment, present=present)
    versions = [VersionShown(**row) for row in rows]
    asked = asking.query.get("pack", "")
    chosen = next((each for each in versions if str(each.pack_id) == asked), None)
    if asked and chosen is None:
        raise missing("pack", asked)
    with_it = [
        each for each in ([chosen] if chosen else versions) if segment in asking.engine.pack(each.pack_id).journeys
    ]
    if not with_it:
        raise missing("segment", segment)
    shown = next((each for each in with_it if each.pack_id == present), with_it[0])
    pack = asking.engine.pack(shown.pack_id)
    figures = journey_figures(asking.session, seen.id, segment, chosen.pack_id if chosen else None)
    journey, own = pack.journeys[segment], next(each for each in pack.segments if each.name == segment)
    steps = _steps(journey, figures.steps, seen.currency)
    return JourneySheet(
        creditor=seen.code,
        creditor_name=seen.name,
        segment=segment,
        segments=[each.name for each in pack.segments],
        who=own.who,
        when=own.rule.text,
        about=journey.about,
        goal=journey.goal.text,
        pack_id=shown.pack_id,
        in_force=shown.pack_id == present,
        chosen=chosen is not None,
        versions=versions,
        as_of=figures.as_of,
        flow_days=FLOW_DAYS,
        cash_days=CASH_WITHIN,
        standing=sum(each.standing for each in figures.steps.values()),
        blocked=_summed(figures.steps.values()),
        at_the_end=figures.steps[""].standing if "" in figures.steps else 0,
        steps=steps,
    )


def _steps(journey: Journey, figures: dict[str, StepFigures], currency: str) -> list[StepShown]:
    """The steps in their order: the course first, then what answers events, what is outside, and what is gone."""
    parts = {"course": journey.course, "reaction": journey.reactions, "outside": journey.outside}
    found = [
        _step(step.name, part, figures.get(step.name, StepFigures()), step, currency)
        for part, steps in parts.items()
        for step in steps
    ]
    gone = [name for name in figures if name and name not in journey.steps]
    return found + [_step(name, "earlier", figures[name], None, currency) for name in gone]


def _step(name: str, part: str, numbers: StepFigures, step: Step | None, currency: str) -> StepShown:
    return StepShown(
        name=name,
        part=part,
        stage=str(step.stage) if step else "",
        kind=str(step.kind) if step else "",
        about=step.about if step else "",
        after=step.after if step else (),
        standing=numbers.standing,
        blocked=blocked_by(numbers.blocked),
        taken=numbers.taken,
        waits=[Wait(before, days) for before, days in numbers.median_wait.items()],
        cash=[Money(code, amount) for code, amount in sorted(numbers.cash.items())],
        rule=rule_of(step, currency) if step else {},
    )


def rule_of(step: Step, currency: str) -> dict[str, str]:
    """What the pack says of a step, by key; what it does not say is left out."""
    told: dict[str, Any] = {each.name: getattr(step, each.name) for each in fields(Step)}
    said = {
        name: spelled(value)
        for name, value in told.items()
        if name not in NOT_IN_A_RULE and value not in (None, (), 0, frozenset()) and value is not False
    }
    for name in IN_DAYS & said.keys():
        if isinstance(told[name], int):
            said[name] = _days(told[name])
    if step.after:
        said.pop("wait", None)
        said["after"] = ", ".join(_after(step, name) for name in step.after)
    if step.approval_above is not None:
        said["approval_above"] = format_money(step.approval_above, currency, "en", "GB")
    return {name: "yes" if told[name] is True else value for name, value in said.items()}


def _after(step: Step, before: str) -> str:
    days = step.waits.get(before, step.wait)
    return f"{before}, {_days(days)}" if days else before


def _days(count: int) -> str:
    return f"{count} working day{'' if count == 1 else 's'}"


def _summed(steps: Iterable[StepFigures]) -> list[Blocked]:
    cases: dict[str, int] = defaultdict(int)
    for each in steps:
        for reason, count in each.blocked.items():
            cases[reason] += count
    return blocked_by(cases)
