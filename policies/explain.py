"""Why a case gets what it gets: the same walk as `decide`, on one row, told in full.

Every segment and reroute rule with its values and outcome, every gate, every step with its status and date, what comes
next and what would change it. Hypothetical facts are put in before, so that "and if it were 40 days late?" is answered
by the same compiled rules.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from maatpak.kernel.calendars import next_bank_day, working_days_between
from maatpak.kernel.errors import UsageError
from maatpak.kernel.reasons import NoActionReason, SkipReason
from policies.changes import detail
from policies.context_facts import CONTEXT
from policies.document import suggestion
from policies.fact_frames import COLUMNS
from policies.facts import FACTS
from policies.frontier import SKIPS, Status
from policies.gates import Verdict, unjudged
from policies.history import CODE, NONE, REASONS, Codes
from policies.journey import Step
from policies.outside import OutsideWalk
from policies.pack import CompiledPack
from policies.reckoning import Reckoning, reckon
from policies.reporting import action_rows, case_rows
from policies.rules import CompiledRule, known_values, outcomes
from policies.walk import Walk
from policies.workdays import Days, day_of

_ONE = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class RuleTried:
    """A rule as written, the values it found, and what came out: true, false or unknown."""

    name: str
    rule: str
    values: dict[str, Any]
    outcome: str
    chosen: bool = False


@dataclass(frozen=True)
class GateTried:
    """A reason not to act, whether it holds, and what would change it."""

    reason: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class StepTold:
    """A step of the journey and how it stands for the case."""

    name: str
    stage: str
    kind: str
    about: str
    status: str
    after: tuple[str, ...]
    due_on: date | None
    done_on: date | None
    rule: RuleTried | None
    stopped_by: tuple[str, ...]
    """Every reason against it, the first in the order first."""
    change: str
    outside_round: bool = False
    reacts: bool = False
    """Whether it answers an event."""


@dataclass(frozen=True)
class Explanation:
    """Everything that made the decision of one case, and the decision."""

    case_id: int
    as_of: date
    pack: str
    policy_hash: str
    segment: str
    segments: tuple[RuleTried, ...]
    reroutes: tuple[RuleTried, ...]
    gates: tuple[GateTried, ...]
    steps: tuple[StepTold, ...]
    decision: dict[str, Any]
    actions: tuple[dict[str, Any], ...]
    next_step: str | None
    next_on: date | None
    change: str | None
    facts: dict[str, Any]
    hypothetical: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


class _Witness(Verdict):
    """A verdict on one row that remembers every reason, not only the first."""

    def __init__(self) -> None:
        blank = unjudged(1)
        super().__init__(blank.code, blank.until, blank.lacks)
        self.reasons: set[int] = set()

    def put_codes(self, codes: Codes, until: Days | None = None) -> None:
        """Remember the reason, then name it if it is the first."""
        if codes[0] != NONE:
            self.reasons.add(int(codes[0]))
        super().put_codes(codes, until)


def explain(
    facts_row: Mapping[str, Any],
    steps_of_case: pl.DataFrame,
    packs: Mapping[int, CompiledPack],
    current_pack_id: int,
    as_of: date,
    hypothetical: Mapping[str, Any] | None = None,
) -> Explanation:
    """Explain the decision of one case.

    Raises:
        UsageError: a hypothetical fact is not there, or its value does not fit.
    """
    row = supposing(facts_row, hypothetical or {}, as_of)
    frame = pl.DataFrame([row], schema=COLUMNS, orient="row")
    reckoning = reckon(frame, steps_of_case, packs, current_pack_id, as_of)
    decision = case_rows(reckoning).row(0, named=True)
    pack = packs[decision["pack_id"]]
    current = packs[current_pack_id]
    fresh = reckoning.assignment.plans[int(reckoning.assignment.fresh[0])].segment
    return Explanation(
        case_id=row["case_id"],
        as_of=as_of,
        pack=pack.name,
        policy_hash=pack.content_hash,
        segment=decision["segment"],
        segments=tuple(_tried(each.name, each.rule, frame, each.name == fresh) for each in current.segments),
        reroutes=tuple(
            _tried(each.cause, each.rule, frame, each.cause == decision["reroute"]) for each in pack.reroutes
        )
        if row["round_id"] is not None
        else (),
        gates=_gates(reckoning),
        steps=tuple(_steps(reckoning)),
        decision=decision,
        actions=tuple(action_rows(reckoning).to_dicts()),
        next_step=decision["next_step"],
        next_on=decision["next_on"],
        change=decision["detail"],
        facts=row,
        hypothetical=dict(hypothetical or {}),
    )


def supposing(row: Mapping[str, Any], hypothetical: Mapping[str, Any], as_of: date) -> dict[str, Any]:
    """The row with other facts put in; days past due also move the driver's due date.

    Raises:
        UsageError: there is no such fact, or the value does not fit.
    """
    supposed: dict[str, Any] = {name: row.get(name) for name in COLUMNS}
    for name, value in hypothetical.items():
        supposed[name] = fitting(name, value)
    days = supposed["days_past_due"] if "days_past_due" in hypothetical else None
    if days is not None and "driver_due_on" not in hypothetical and supposed["driver_due_on"]:
        try:
            due_on = as_of - timedelta(days=days)
        except OverflowError:
            raise UsageError(f"{days} days before {as_of} is no date.", advice="Give fewer days.") from None
        bank_due_on = next_bank_day(due_on)
        beyond = working_days_between(bank_due_on, as_of, supposed["country"])
        supposed |= {"driver_due_on": due_on, "driver_bank_due_on": bank_due_on, "working_days_past_due": beyond}
    return supposed


def fitting(name: str, value: Any) -> Any:
    """A value of a fact, from text or as it is.

    Raises:
        UsageError: there is no such fact, or the value does not fit; the message says what would.
    """
    fact = FACTS.get(name) or CONTEXT.get(name)
    if fact is None:
        raise UsageError(
            f"There is no fact {name!r}{suggestion(name, list(FACTS))}.", advice="docs/facts.md lists them."
        )
    if value is None or value in {"null", ""}:
        return None
    try:
        made = _parsed(str(value), fact.dtype)
    except ValueError:
        made = None
    if made is None or (fact.values and made not in fact.values):
        wanted = f"one of {', '.join(fact.values)}" if fact.values else _WANTED[fact.dtype]
        raise UsageError(f"{name} cannot be {value!r}.", advice=f"Give {wanted}, or null for unknown.")
    return made


_BEYOND = 10**15
"""No fact is as large as this."""
_WANTED: dict[Any, str] = {
    pl.Boolean: "true or false",
    pl.Int64: "a whole number (money in minor units)",
    pl.Float64: "a number",
    pl.Date: "a date such as 2026-01-31",
    pl.String: "a text",
}


def _parsed(text: str, dtype: Any) -> Any:
    if dtype is pl.Boolean:
        return {"true": True, "false": False, "yes": True, "no": False}.get(text.lower())
    if dtype is pl.Int64:
        return int(text) if abs(int(text)) < _BEYOND else None
    if dtype is pl.Float64:
        return float(text) if abs(float(text)) < _BEYOND else None
    return date.fromisoformat(text) if dtype is pl.Date else text


def _tried(name: str, rule: CompiledRule, frame: pl.DataFrame, chosen: bool = False) -> RuleTried:  # noqa: FBT001, FBT002
    outcome = outcomes([rule], frame)[0][0]
    word = "unknown" if outcome is None else str(outcome).lower()
    return RuleTried(name, rule.text, known_values(rule, frame.row(0, named=True)), word, chosen)


def _gates(reckoning: Reckoning) -> tuple[GateTried, ...]:
    """The gates of the case, in their order: those that hold and those that do not."""
    gates = reckoning.gates
    witness = _Witness()
    gates.of_case(_ONE, witness)
    held = witness.reasons | {int(CODE[reason]) for reason, holds in gates.stops() if holds[0]}
    if reckoning.assignment.silent[0]:
        held.add(int(CODE[NoActionReason.SILENCE_AFTER_ROUND]))
    return tuple(
        GateTried(str(reason), int(CODE[reason]) in held, detail(reason)) for reason in REASONS if reason in _OF_CASE
    )


_OF_CASE = frozenset(
    {
        *(NoActionReason.LEGAL_STOP, NoActionReason.DATA_STALE, NoActionReason.QUARANTINED, NoActionReason.PLACED),
        *(NoActionReason.HOLD, NoActionReason.DISPUTE, NoActionReason.PLAN, NoActionReason.PROMISE),
        *(NoActionReason.CLAIMED_PAID, NoActionReason.DEBIT_IN_FLIGHT, NoActionReason.WE_OWE_CUSTOMER),
        *(NoActionReason.COVERED_BY_CASH, NoActionReason.NOTHING_OVERDUE, NoActionReason.BELOW_TOLERANCE),
        *(NoActionReason.UNREAD_ANSWER, NoActionReason.OUR_TURN, NoActionReason.CONSULT_OPEN),
        *(NoActionReason.APPROVAL_OPEN, NoActionReason.CALL_OPEN, NoActionReason.WORK_OPEN),
        *(NoActionReason.STEP_UNDER_WAY, NoActionReason.STEP_UNKNOWN, NoActionReason.SILENCE_AFTER_ROUND),
    }
)
"""Reasons that hold for the case whatever the step."""


def _steps(reckoning: Reckoning) -> list[StepTold]:
    told: list[StepTold] = []
    for outside in reckoning.outside.values():
        told += [_told(reckoning, outside, at, step) for at, step in enumerate(outside.journey.outside)]
    for walk in reckoning.walks.values():
        told += [_told(reckoning, walk, at, step) for at, step in enumerate(walk.standing.steps)]
    return told


def _told(reckoning: Reckoning, walk: Walk | OutsideWalk, at: int, step: Step) -> StepTold:
    status = Status(int(walk.status[at, 0]))
    witness = _Witness()
    done_on = None
    if isinstance(walk, Walk):
        done_on = day_of(int(walk.standing.done_on[at, 0]))
    if status in {Status.WAITING, Status.STOPPED}:
        moved_on = walk.rerouted_on if isinstance(walk, Walk) else None
        reckoning.gates.of_step(step, _ONE, moved_on, witness)
    if walk.codes[at, 0] != NONE:
        witness.reasons.add(int(walk.codes[at, 0]))
    reasons = sorted(witness.reasons)
    change = detail(REASONS[reasons[0]], int(witness.lacks[0])) if reasons else ""
    return StepTold(
        name=step.name,
        stage=str(step.stage),
        kind=str(step.kind),
        about=step.about,
        status=_status_word(walk, at, status),
        after=step.after,
        due_on=day_of(int(walk.due_on[at, 0])),
        done_on=done_on,
        rule=None if step.when is None else _tried(step.name, step.when, reckoning.cases.frame),
        stopped_by=tuple(str(REASONS[code]) for code in reasons),
        change=change,
        outside_round=step.outside_round,
        reacts=step.on is not None,
    )


def _status_word(walk: Walk | OutsideWalk, at: int, status: Status) -> str:
    """The status in a word; a step passed over tells why."""
    if status is Status.DONE and isinstance(walk, Walk) and not walk.standing.executed[at, 0]:
        return "skipped before" if day_of(int(walk.standing.done_on[at, 0])) else "behind"
    if status is not Status.PASSED_OVER:
        return status.name.lower().replace("_", " ")
    step = (walk.standing.steps if isinstance(walk, Walk) else walk.journey.outside)[at]
    reason = next(
        (SKIPS[int(chunk.skip[0])] for chunk in walk.chunks if chunk.step is step and chunk.skip[0] != NONE),
        SkipReason.CONDITION_FALSE,
    )
    return f"skipped: {reason}"
