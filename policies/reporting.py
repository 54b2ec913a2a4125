"""Decisions as frames: what each case gets and why not, and the steps to propose or pass over."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.datatypes import DataTypeClass

from maatpak.kernel.words import ActionState, NoActionReason, Stage, StepKind
from policies.changes import details
from policies.history import CODE, NONE, REASONS, Codes
from policies.journey import Step
from policies.reckoning import Reckoning
from policies.rules import outcomes
from policies.schema import ChannelRule
from policies.walk import SKIPS
from policies.workdays import MISSING, Days, dates

CASE_COLUMNS: dict[str, DataTypeClass] = {
    "case_id": pl.Int64,
    "debtor_id": pl.Int64,
    "party_id": pl.Int64,
    "round_id": pl.Int64,
    "opens_round": pl.Boolean,
    "closes_round": pl.Boolean,
    "segment": pl.String,
    "pack_id": pl.Int64,
    "reroute": pl.String,
    "entry_stage": pl.String,
    "outcome": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "step": pl.String,
    "stage": pl.String,
    "kind": pl.String,
    "due_on": pl.Date,
    "next_step": pl.String,
    "next_on": pl.Date,
    "asked_amount": pl.Int64,
    "overdue_open": pl.Int64,
    "currency": pl.String,
}
"""Columns of `Decisions.cases`."""

ACTION_COLUMNS: dict[str, DataTypeClass] = {
    "case_id": pl.Int64,
    "party_id": pl.Int64,
    "round_id": pl.Int64,
    "opens_round": pl.Boolean,
    "segment": pl.String,
    "pack_id": pl.Int64,
    "stage": pl.String,
    "step": pl.String,
    "kind": pl.String,
    "attempt": pl.Int64,
    "occurrence": pl.Date,
    "state": pl.String,
    "reason": pl.String,
    "channel": pl.String,
    "template": pl.String,
    "written": pl.Boolean,
    "escalating": pl.Boolean,
    "approval_role": pl.String,
    "approvals_needed": pl.Int64,
    "due_on": pl.Date,
    "asked_amount": pl.Int64,
    "overdue_open": pl.Int64,
}
"""Columns of `Decisions.actions`."""

Index = npt.NDArray[np.int64]


class StepTable:
    """Every step that a decision can name, numbered, so that columns of its attributes are looked up at once."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._number: dict[int, int] = {}

    def number(self, step: Step) -> int:
        """The number of a step."""
        if id(step) not in self._number:
            self._number[id(step)] = len(self.steps)
            self.steps.append(step)
        return self._number[id(step)]

    def numbers(self, steps: Sequence[Step]) -> Index:
        """The numbers of a journey's steps; one more at the end, for no step."""
        return np.array([*(self.number(step) for step in steps), -1], dtype=np.int64)

    def column(self, attribute: Callable[[Step], Any], numbers: Index, dtype: DataTypeClass) -> pl.Series:
        """An attribute of each step; null for −1."""
        values = pl.Series([*(attribute(step) for step in self.steps), None], dtype=dtype)
        return values.gather(np.where(numbers < 0, len(self.steps), numbers))


def case_rows(reckoning: Reckoning) -> pl.DataFrame:
    """A row a case, in the order of the facts."""
    cases, assignment, count = reckoning.cases, reckoning.assignment, reckoning.cases.count
    table = StepTable()
    taken = np.full(count, -1, dtype=np.int64)
    coming = np.full(count, -1, dtype=np.int64)
    due_on, until = _blank(count), _blank(count)
    code = np.full(count, NONE, dtype=np.int8)
    lacks = np.zeros(count, dtype=np.int16)
    acts = np.zeros(count, dtype=bool)
    closes = np.zeros(count, dtype=bool)
    for outside in reckoning.outside.values():
        rows, numbers = outside.rows, table.numbers(outside.journey.outside)
        front = outside.frontier
        taken[rows] = numbers[outside.taken]
        acts[rows] = outside.taken >= 0
        due_on[rows] = _picked(outside.due_on, outside.taken)
        alone = assignment.plan[rows] < 0
        coming[rows[alone]] = numbers[front.step[alone]]
        until[rows[alone]] = front.until[alone]
    for at, walk in reckoning.walks.items():
        rows, numbers = walk.rows, table.numbers(walk.standing.steps)
        front = walk.frontier
        mine = (walk.taken >= 0) & (walk.outward | ~acts[rows])
        taken[rows[mine]] = numbers[walk.taken[mine]]
        due_on[rows[mine]] = _picked(walk.due_on, walk.taken)[mine]
        acts[rows] |= walk.taken >= 0
        coming[rows] = numbers[front.step]
        ended = front.code == NONE
        code[rows] = np.where(ended, CODE[NoActionReason.JOURNEY_ENDED], front.code)
        until[rows] = np.where(ended, walk.again_on(), front.until)
        lacks[rows] = front.lacks
        due_on[rows[~acts[rows]]] = front.due_on[~acts[rows]]
        closes[rows] = _reached_goal(reckoning, at, rows) & assignment.has_round[rows]
    code, until = _first_reason(reckoning, code, until)
    none = ~acts
    reasons = pl.Series([*REASONS, None], dtype=pl.String).gather(np.where(none, code, len(REASONS)).astype(np.int64))
    changes = np.full(count, None, dtype=object)
    changes[none] = details(code[none], lacks[none])
    plan = np.where(assignment.plan >= 0, assignment.plan, assignment.fresh)
    frame = cases.frame
    shown = np.where(none, coming, -1)
    return pl.DataFrame(
        {
            "case_id": frame["case_id"],
            "debtor_id": frame["debtor_id"],
            "party_id": frame["party_id"],
            "round_id": frame["round_id"],
            "opens_round": assignment.opens,
            "closes_round": closes,
            "segment": pl.Series([each.segment for each in assignment.plans]).gather(plan),
            "pack_id": pl.Series([each.pack_id for each in assignment.plans]).gather(plan),
            "reroute": pl.Series([*assignment.causes, None], dtype=pl.String).gather(
                np.where(assignment.cause < 0, len(assignment.causes), assignment.cause)
            ),
            "entry_stage": pl.Series([str(stage) for stage in Stage]).gather(assignment.entry.astype(np.int64)),
            "outcome": pl.Series(["none", "act"]).gather(acts.astype(np.int64)),
            "reason": reasons,
            "detail": pl.Series(changes.tolist(), dtype=pl.String),
            "step": table.column(lambda step: step.name, taken, pl.String),
            "stage": table.column(lambda step: str(step.stage), taken, pl.String),
            "kind": table.column(lambda step: str(step.kind), taken, pl.String),
            "due_on": dates(due_on),
            "next_step": table.column(lambda step: step.name, shown, pl.String),
            "next_on": dates(np.where(none, until, MISSING)),
            "asked_amount": frame["asked_amount"],
            "overdue_open": frame["overdue_open"],
            "currency": frame["currency"],
        },
        schema=CASE_COLUMNS,
    )


def _first_reason(reckoning: Reckoning, code: Codes, until: Days) -> tuple[Codes, Days]:
    """The reasons of the case and of its steps together: the first in the order is named (practice, section 2)."""
    cases, assignment = reckoning.cases, reckoning.assignment
    verdict = reckoning.gates.of_case(np.arange(cases.count))
    rested = reckoning.gates.guardrails.silence_after_round
    silence = cases.workdays.shift(cases.days("last_round_closed_on"), rested)
    silent = assignment.silent & (verdict.code > CODE[NoActionReason.SILENCE_AFTER_ROUND])
    verdict.code[silent], verdict.until[silent] = CODE[NoActionReason.SILENCE_AFTER_ROUND], silence[silent]
    of_case = verdict.code < code
    outside = of_case & (assignment.plan < 0) & (verdict.until == MISSING)
    return np.where(of_case, verdict.code, code), np.where(of_case & ~outside, verdict.until, until)


def _reached_goal(reckoning: Reckoning, at: int, rows: Index) -> npt.NDArray[np.bool_]:
    goal = reckoning.assignment.plans[at].journey.goal
    part = reckoning.cases.frame.select(goal.facts or ("case_id",))[rows]
    return outcomes([goal], part)[0].fill_null(value=False).to_numpy()


def _picked(table: npt.NDArray[np.int32], column: npt.NDArray[np.int16]) -> Days:
    """For each case the value of one step; MISSING for −1."""
    if not len(table):
        return _blank(len(column))
    return np.where(column < 0, MISSING, table[column, np.arange(len(column))])


def _blank(count: int) -> Days:
    return np.full(count, MISSING, dtype=np.int32)


def action_rows(reckoning: Reckoning) -> pl.DataFrame:
    """A row for each step proposed or passed over, by case and in the order of the journey."""
    table = StepTable()
    inside = [(at, chunk) for at, walk in reckoning.walks.items() for chunk in walk.chunks]
    around = [(at, chunk) for at, walk in reckoning.outside.items() for chunk in walk.chunks]
    chunks = inside + around
    if not chunks:
        return pl.DataFrame(schema=ACTION_COLUMNS)
    sizes = np.array([len(chunk.rows) for _, chunk in chunks])
    rows = np.concatenate([chunk.rows for _, chunk in chunks])
    order = np.argsort(rows, kind="stable")
    rows = rows[order]

    def joined(values: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate(values)[order]

    def spread(values: Sequence[int | bool]) -> npt.NDArray[Any]:
        return np.repeat(np.array(values), sizes)[order]

    numbers = spread([table.number(chunk.step) for _, chunk in chunks])
    plan = spread([at for at, _ in chunks])
    in_round = spread([True] * len(inside) + [False] * len(around))
    skip = joined([chunk.skip for _, chunk in chunks])
    turned = joined([chunk.other_channel for _, chunk in chunks])
    proposed = skip == NONE
    frame, plans = reckoning.cases.frame, reckoning.assignment.plans
    overdue, demandable = frame["overdue_open"].gather(rows), frame["demandable_amount"].gather(rows)
    escalating = table.column(lambda step: step.escalating, numbers, pl.Boolean)
    asked = pl.select(pl.when(escalating).then(demandable).otherwise(frame["asked_amount"].gather(rows))).to_series()
    free = table.column(lambda step: step.approval_above, numbers, pl.Int64)
    larger = np.maximum(asked.fill_null(0).to_numpy(), overdue.fill_null(0).to_numpy())
    approved = (pl.Series(larger) > free).fill_null(value=True)
    unheard = ~reckoning.cases.flags("phone_known", unknown=False)[rows]
    calls = table.column(lambda step: step.kind is StepKind.CALL, numbers, pl.Boolean)
    letters = calls & pl.Series(unheard)
    roles = table.column(lambda step: step.approval_role, numbers, pl.String)
    needed = table.column(lambda step: step.approvals_needed, numbers, pl.Int64)
    return pl.DataFrame(
        {
            "case_id": frame["case_id"].gather(rows),
            "party_id": frame["party_id"].gather(rows),
            "round_id": pl.select(pl.when(pl.Series(in_round)).then(frame["round_id"].gather(rows))).to_series(),
            "opens_round": in_round & reckoning.assignment.opens[rows],
            "segment": pl.Series([each.segment for each in plans]).gather(plan),
            "pack_id": pl.Series([each.pack_id for each in plans]).gather(plan),
            "stage": table.column(lambda step: step.stage, numbers, pl.String),
            "step": table.column(lambda step: step.name, numbers, pl.String),
            "kind": table.column(lambda step: step.kind, numbers, pl.String),
            "attempt": joined([chunk.attempt for _, chunk in chunks]),
            "occurrence": dates(joined([chunk.occurrence for _, chunk in chunks])),
            "state": pl.Series([str(ActionState.SKIPPED), str(ActionState.PROPOSED)]).gather(proposed.astype(np.int64)),
            "reason": pl.Series([*SKIPS, None], dtype=pl.String).gather(np.where(proposed, len(SKIPS), skip)),
            "channel": _channels(table, numbers, turned, letters),
            "template": table.column(lambda step: step.template, numbers, pl.String),
            "written": table.column(lambda step: step.written, numbers, pl.Boolean) | letters,
            "escalating": escalating,
            "approval_role": pl.select(pl.when(approved).then(roles)).to_series(),
            "approvals_needed": pl.select(pl.when(approved).then(needed).otherwise(0)).to_series(),
            "due_on": dates(joined([chunk.due_on for _, chunk in chunks])),
            "asked_amount": asked,
            "overdue_open": overdue,
        },
        schema=ACTION_COLUMNS,
    )


def _channels(table: StepTable, numbers: Index, turned: npt.NDArray[np.bool_], letters: pl.Series) -> pl.Series:
    """The step's channel rule; the other channel after a failure; a call without a phone is written."""
    rule = table.column(lambda step: step.channel, numbers, pl.String)
    other = table.column(lambda step: step.channel and _other(step.channel), numbers, pl.String)
    return pl.select(
        pl.when(letters).then(pl.lit(str(ChannelRule.PREFERRED))).when(pl.Series(turned)).then(other).otherwise(rule)
    ).to_series()


def _other(rule: ChannelRule) -> ChannelRule:
    return ChannelRule.PREFERRED if rule is ChannelRule.OTHER else ChannelRule.OTHER
