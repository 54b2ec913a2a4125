"""Decisions as frames: what each case gets and why not, and the steps to propose or pass over."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.datatypes import DataTypeClass

from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import ActionState, Stage, StepKind
from policies.changes import details
from policies.frontier import SKIPS
from policies.gates import Bits
from policies.history import CODE, NONE, REASONS, Codes
from policies.journey import Step
from policies.outside import OutsideWalk
from policies.reckoning import Reckoning
from policies.rules import held
from policies.schema import ChannelRule
from policies.walk import Walk
from policies.workdays import MISSING, Days, Flags, dates

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
    "written_to": pl.Int64,
    "escalating": pl.Boolean,
    "approval_role": pl.String,
    "approvals_needed": pl.Int64,
    "due_on": pl.Date,
    "asked_amount": pl.Int64,
    "overdue_open": pl.Int64,
}
"""Columns of `Decisions.actions`."""

Index = npt.NDArray[np.int64]

_STEP_COLUMNS: dict[str, DataTypeClass] = {
    "step": pl.String,
    "stage": pl.String,
    "kind": pl.String,
    "template": pl.String,
    "channel": pl.String,
    "written": pl.Boolean,
    "escalating": pl.Boolean,
    "approval_role": pl.String,
    "approvals_needed": pl.Int64,
    "approval_above": pl.Int64,
}


class StepTable:
    """Every step that a decision names, numbered, so that the columns of its attributes are looked up at once."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self._number: dict[int, int] = {}

    def number(self, step: Step) -> int:
        """The number of a step."""
        if id(step) not in self._number:
            self._number[id(step)] = len(self.rows)
            words = (step.name, str(step.stage), str(step.kind), step.template, step.channel and str(step.channel))
            approval = (step.approval_role and str(step.approval_role), step.approvals_needed, step.approval_above)
            self.rows.append((*words, step.written, step.escalating, *approval))
        return self._number[id(step)]

    def numbers(self, steps: Sequence[Step]) -> Index:
        """The numbers of a journey's steps; one more at the end, for no step."""
        return np.array([*(self.number(step) for step in steps), -1], dtype=np.int64)

    def looked_up(self, numbers: Index) -> pl.DataFrame:
        """The attributes of each step; nulls for −1."""
        blank = (None,) * len(_STEP_COLUMNS)
        table = pl.DataFrame([*self.rows, blank], schema=_STEP_COLUMNS, orient="row")
        return table[np.where(numbers < 0, len(self.rows), numbers)]


class _CaseColumns:
    """The columns of the case rows while they are gathered from the walks."""

    def __init__(self, count: int, table: StepTable) -> None:
        self.table = table
        self.taken: Index = np.full(count, -1, dtype=np.int64)
        self.coming: Index = np.full(count, -1, dtype=np.int64)
        self.due_on: Days = np.full(count, MISSING, dtype=np.int32)
        self.until: Days = np.full(count, MISSING, dtype=np.int32)
        self.code: Codes = np.full(count, NONE, dtype=np.int8)
        self.lacks: Bits = np.zeros(count, dtype=np.int16)
        self.acts: Flags = np.zeros(count, dtype=bool)

    def read_outside(self, walk: OutsideWalk, no_round: Flags) -> None:
        """Steps outside rounds: taken, or to come where there is no round."""
        rows, numbers, front = walk.rows, self.table.numbers(walk.journey.outside), walk.frontier
        self.taken[rows] = numbers[walk.taken]
        self.acts[rows] = walk.taken >= 0
        self.due_on[rows] = _picked(walk.due_on, walk.taken)
        alone = no_round[rows]
        self.coming[rows[alone]] = numbers[front.step[alone]]
        self.until[rows[alone]] = front.until[alone]

    def read(self, walk: Walk) -> None:
        """Steps of the round: an outward one taken goes before what is taken outside."""
        rows, numbers, front = walk.rows, self.table.numbers(walk.standing.steps), walk.frontier
        mine = (walk.taken >= 0) & (walk.outward | ~self.acts[rows])
        self.taken[rows[mine]] = numbers[walk.taken[mine]]
        self.due_on[rows[mine]] = _picked(walk.due_on, walk.taken)[mine]
        self.acts[rows] |= walk.taken >= 0
        self.coming[rows] = numbers[front.step]
        ended = front.code == NONE
        self.code[rows] = np.where(ended, CODE[NoActionReason.JOURNEY_ENDED], front.code)
        self.until[rows] = np.where(ended, walk.again_on(), front.until)
        self.lacks[rows] = front.lacks
        idle = rows[~self.acts[rows]]
        self.due_on[idle] = front.due_on[~self.acts[rows]]

    def name_first_reason(self, reckoning: Reckoning) -> None:
        """The reasons of the case and of its steps together: the first in the order."""
        cases, assignment = reckoning.cases, reckoning.assignment
        verdict = reckoning.gates.of_case(np.arange(cases.count))
        rested = reckoning.gates.guardrails.silence_after_round
        silence = cases.workdays.shift(cases.days("last_round_closed_on"), rested)
        verdict.put(assignment.silent, NoActionReason.SILENCE_AFTER_ROUND, silence)
        of_case = verdict.code < self.code
        dated = of_case & ((assignment.plan >= 0) | (verdict.until != MISSING))
        self.code = np.where(of_case, verdict.code, self.code)
        self.until = np.where(dated, verdict.until, self.until)


def case_rows(reckoning: Reckoning) -> pl.DataFrame:
    """A row a case, in the order of the facts."""
    assignment, frame = reckoning.assignment, reckoning.cases.frame
    columns = _CaseColumns(frame.height, StepTable())
    closes = np.zeros(frame.height, dtype=bool)
    for outside in reckoning.outside.values():
        columns.read_outside(outside, assignment.plan < 0)
    for at, walk in reckoning.walks.items():
        columns.read(walk)
        closes[walk.rows] = _reached_goal(reckoning, at, walk.rows) & assignment.has_round[walk.rows]
    columns.name_first_reason(reckoning)
    none = ~columns.acts
    plan = np.where(assignment.plan >= 0, assignment.plan, assignment.fresh)
    gathered = pl.DataFrame(
        {
            "opens_round": assignment.opens,
            "closes_round": closes,
            "segment": _words([each.segment for each in assignment.plans], plan),
            "pack_id": pl.Series([each.pack_id for each in assignment.plans]).gather(plan),
            "reroute": _words(assignment.causes, assignment.cause),
            "entry_stage": _words([str(stage) for stage in Stage], assignment.entry),
            "outcome": _words(["none", "act"], columns.acts.astype(np.int64)),
            "reason": _words([str(reason) for reason in REASONS], np.where(none, columns.code, -1)),
            "detail": details(np.where(none, columns.code, NONE), columns.lacks),
            "due_on": columns.due_on,
            "next_step": columns.table.looked_up(np.where(none, columns.coming, -1))["step"],
            "next_on": np.where(none, columns.until, MISSING),
        }
    ).with_columns(dates("due_on"), dates("next_on"))
    own = frame.select("case_id", "debtor_id", "party_id", "round_id", "asked_amount", "overdue_open", "currency")
    shown = columns.table.looked_up(columns.taken).select("step", "stage", "kind")
    return pl.concat([own, gathered, shown], how="horizontal").select(*CASE_COLUMNS)


def _reached_goal(reckoning: Reckoning, at: int, rows: Index) -> Flags:
    goal = reckoning.assignment.plans[at].journey.goal
    return held([goal], reckoning.cases.frame.select(goal.facts or ("case_id",))[rows])[0]


def _picked(table: npt.NDArray[np.int32], column: npt.NDArray[np.int16]) -> Days:
    """For each case the value of one step; MISSING for −1."""
    if not len(table):
        return np.full(len(column), MISSING, dtype=np.int32)
    return np.where(column < 0, MISSING, table[column, np.arange(len(column))])


def _words(known: Sequence[str], places: npt.NDArray[Any]) -> pl.Series:
    """The word at each place; null for −1."""
    return pl.Series([*known, None], dtype=pl.String).gather(np.where(places < 0, len(known), places).astype(np.int64))


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
    skip = joined([chunk.skip for _, chunk in chunks])
    proposed = skip == NONE
    cases, plans = reckoning.cases, reckoning.assignment.plans
    gathered = pl.DataFrame(
        {
            "opens_round": reckoning.assignment.opens[rows],
            "segment": _words([each.segment for each in plans], plan),
            "pack_id": pl.Series([each.pack_id for each in plans]).gather(plan),
            "attempt": joined([chunk.attempt for _, chunk in chunks]),
            "occurrence": joined([chunk.occurrence for _, chunk in chunks]),
            "state": _words([str(ActionState.SKIPPED), str(ActionState.PROPOSED)], proposed.astype(np.int64)),
            "reason": _words([str(reason) for reason in SKIPS], np.where(proposed, -1, skip)),
            "due_on": joined([chunk.due_on for _, chunk in chunks]),
            "in_round": spread([True] * len(inside) + [False] * len(around)),
            "turned": joined([chunk.other_channel for _, chunk in chunks]),
            "unheard": ~cases.flags("phone_known")[rows],
        }
    ).with_columns(dates("occurrence"), dates("due_on"))
    own = cases.frame.select(
        *("case_id", "party_id", "payer_party_id", "round_id"), *("asked_amount", "overdue_open", "demandable_amount")
    )[rows]
    frame = pl.concat([own, gathered, table.looked_up(numbers)], how="horizontal")
    return _completed(frame).select(*ACTION_COLUMNS)


def _completed(frame: pl.DataFrame) -> pl.DataFrame:
    """What follows from step and case together: amounts, approval, and the letter in place of a call."""
    larger = pl.max_horizontal("asked_amount", "overdue_open")
    free = (larger <= pl.col("approval_above")).fill_null(value=False)
    letter = (pl.col("kind") == str(StepKind.CALL)) & pl.col("unheard")
    preferred, other = pl.lit(str(ChannelRule.PREFERRED)), pl.lit(str(ChannelRule.OTHER))
    opposite = pl.when(pl.col("channel") == other).then(preferred).otherwise(other)
    turned = pl.when(pl.col("turned") & pl.col("channel").is_not_null()).then(opposite).otherwise(pl.col("channel"))
    return frame.with_columns(
        pl.when(pl.col("escalating")).then("demandable_amount").otherwise("asked_amount").alias("asked_amount")
    ).with_columns(
        pl.when(pl.col("in_round")).then("round_id").alias("round_id"),
        (pl.col("in_round") & pl.col("opens_round")).alias("opens_round"),
        (pl.col("written") | letter).alias("written"),
        # The payer hears of it, but a demand is for the legal entity itself (rule 22).
        pl.when(pl.col("written") | letter)
        .then(pl.when("escalating").then("party_id").otherwise("payer_party_id"))
        .alias("written_to"),
        pl.when(letter).then(preferred).otherwise(turned).alias("channel"),
        pl.when(~free).then("approval_role").alias("approval_role"),
        pl.when(~free).then("approvals_needed").otherwise(0).alias("approvals_needed"),
    )
