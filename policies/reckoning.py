"""A frame being decided: its cases, what was done in them, the journeys they follow, and the walks through these.

`decide` tells of it for all cases, `explain` for one; both read the same walks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.words import CallResult, Reaction, StepKind
from policies.assignment import Assignment, assign
from policies.cases import Cases
from policies.gates import Gates
from policies.history import History
from policies.journey import Journey, Step
from policies.outside import OutsideWalk
from policies.pack import CompiledPack
from policies.rules import CompiledRule, held
from policies.standing import Standing
from policies.walk import Walk
from policies.workdays import MISSING, Days, Flags, Rows


@dataclass
class Group:
    """The cases of one plan: their rows in the frame, and their actions with the place of each one's case."""

    at: int
    rows: Rows
    actions: Rows
    place: Rows


@dataclass
class Reckoning:
    """Everything that was reckoned of a frame."""

    cases: Cases
    history: History
    gates: Gates
    assignment: Assignment
    walks: dict[int, Walk]
    outside: dict[int, OutsideWalk]


def reckon(
    facts: pl.DataFrame,
    steps: pl.DataFrame,
    packs: Mapping[int, CompiledPack],
    current_pack_id: int,
    as_of: date,
) -> Reckoning:
    """Walk every case; `decide` and `explain` tell of it in their own ways."""
    cases = Cases(facts, as_of)
    names = sorted({name for pack in packs.values() for journey in pack.journeys.values() for name in journey.steps})
    history = History(steps, cases, names)
    current = packs[current_pack_id]
    gates = Gates(cases, current, history.open_codes(cases.count))
    assignment = assign(cases, history, packs, current_pack_id, gates)
    asked = _plan_asked(history, packs, assignment, cases.count)
    walks = {
        group.at: _walk(assignment.plans[group.at].journey, group, history, gates, assignment, asked)
        for group in _groups(assignment.plan, history, in_round=True)
    }
    outward = np.zeros(cases.count, dtype=bool)
    for walk in walks.values():
        outward[walk.rows] = walk.outward
    in_round = assignment.has_round | assignment.opens
    outside = {
        group.at: OutsideWalk(
            journey := assignment.plans[group.at].journey,
            history,
            group.actions,
            group.place,
            gates,
            group.rows,
            _holds(journey.outside, cases.frame, group.rows),
            in_round[group.rows],
            outward[group.rows],
        )
        for group in _groups(assignment.fresh, history, in_round=False)
        if assignment.plans[group.at].journey.outside
    }
    return Reckoning(cases, history, gates, assignment, walks, outside)


def _groups(plan: npt.NDArray[np.int16], history: History, *, in_round: bool) -> list[Group]:
    """The plans that have cases, each with its cases and their actions."""
    place = np.zeros(len(plan), dtype=np.int64)
    by_plan = np.argsort(plan, kind="stable")
    present, starts = np.unique(plan[by_plan], return_index=True)
    ends = np.append(starts, len(plan))[1:]
    mine = np.flatnonzero(history.in_round == in_round)
    of_action = plan[history.row[mine]]
    order = np.argsort(of_action, kind="stable")
    actions, of_action = mine[order], of_action[order]
    groups = []
    for at, start, end in zip(present.tolist(), starts, ends, strict=True):
        if at < 0:
            continue
        rows = by_plan[start:end]
        place[rows] = np.arange(len(rows))
        own = actions[slice(*np.searchsorted(of_action, np.array([at, at + 1], dtype=np.int16)))]
        groups.append(Group(at, rows, own, place[history.row[own]]))
    return groups


def _walk(
    journey: Journey,
    group: Group,
    history: History,
    gates: Gates,
    assignment: Assignment,
    plan_asked_on: Days,
) -> Walk:
    rows, cases = group.rows, gates.cases
    in_round = assignment.has_round[rows]
    # A debit comes back before there is a round: the one that opens answers it before its course.
    answers = {step.name: in_round | (step.on is Reaction.DEBIT_RETURNED) for step in journey.reactions}
    events = {
        step.name: np.where(answers[step.name], cases.days(f"{step.on}_on")[rows], MISSING)
        for step in journey.reactions
    }
    standing = Standing(journey, history, group.actions, group.place, events, count=len(rows), as_of=cases.as_of)
    return Walk(
        journey=journey,
        standing=standing,
        gates=gates,
        rows=rows,
        holds=_holds(standing.steps, cases.frame, rows),
        entry=assignment.entry[rows],
        rerouted_on=assignment.rerouted_on[rows],
        plan_asked_on=plan_asked_on[rows],
        events=events,
    )


def _holds(steps: Sequence[Step], frame: pl.DataFrame, rows: Rows) -> dict[str, Flags]:
    """For each step with a rule: where it holds. The same rule is decided once."""
    rules: dict[str, CompiledRule] = {step.when.text: step.when for step in steps if step.when is not None}
    needed = sorted({fact for rule in rules.values() for fact in rule.facts})
    part = frame.select(needed) if needed else frame.select("case_id")
    if len(rows) != frame.height or not np.array_equal(rows, np.arange(len(rows))):
        part = part[rows]
    found = dict(zip(rules, held(list(rules.values()), part), strict=True))
    return {step.name: found[step.when.text] for step in steps if step.when is not None}


def _plan_asked(history: History, packs: Mapping[int, CompiledPack], assignment: Assignment, count: int) -> Days:
    """Per case: when the customer last asked for a plan in a call, by a result that the round's pack answers so."""
    asked = np.full(count, MISSING, dtype=np.int32)
    known: dict[frozenset[CallResult], Days] = {}
    for pack_id, pack in packs.items():
        results = frozenset(name for name, line in pack.call_results.items() if line.next is StepKind.PLAN_OFFER)
        if results not in known:
            known[results] = history.latest(count, history.calls_with(sorted(results)))
        own = np.array([plan.pack_id == pack_id for plan in assignment.plans] + [False])
        asked = np.where(own[assignment.plan], known[results], asked)
    return asked
