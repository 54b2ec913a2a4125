"""What was done in a case, as arrays with a row an action: the steps frame made ready for walking journeys.

Strings become positions in lists once, here; everything after works on numbers. Rows of cases that are not in the facts
frame are dropped.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import DONE_ACTION_STATES, OPEN_ACTION_STATES, ActionState, CallResult, Stage, StepKind
from policies.cases import Cases, positions
from policies.journey import OUTWARD
from policies.workdays import MISSING, Days, Flags, Rows

Codes = npt.NDArray[np.int8]

NONE = np.int8(127)
"""No reason against it: larger than the position of every reason, so that the smaller code is the first reason."""

CODE = {reason: np.int8(at) for at, reason in enumerate(NoActionReason)}
REASONS = list(NoActionReason)

STATE = {state: at for at, state in enumerate(ActionState)}
KIND = {kind: at for at, kind in enumerate(StepKind)}

TERMINAL = [STATE[state] for state in ActionState if state not in OPEN_ACTION_STATES]
"""States that end an attempt."""

_OPEN_REASON = {
    StepKind.CONSULT: NoActionReason.CONSULT_OPEN,
    StepKind.CALL: NoActionReason.CALL_OPEN,
    StepKind.DECIDE: NoActionReason.WORK_OPEN,
    StepKind.REVIEW: NoActionReason.WORK_OPEN,
}
"""Why a case waits while a step of a kind is open; any other is under way."""


def _membership(members: list[int], size: int) -> Flags:
    flags = np.zeros(size, dtype=bool)
    flags[members] = True
    return flags


IS_TERMINAL = _membership(TERMINAL, len(STATE))
IS_OPEN = _membership([STATE[state] for state in OPEN_ACTION_STATES], len(STATE))
IS_DONE = _membership([STATE[state] for state in DONE_ACTION_STATES], len(STATE))
IS_OUTWARD = _membership([KIND[kind] for kind in OUTWARD], len(KIND))
NAMES_ITEMS = _membership([KIND[kind] for kind in (StepKind.MESSAGE, StepKind.PLAN_OFFER, StepKind.HANDOFF)], len(KIND))
"""Kinds whose actions name items; the others say nothing of a driver."""


def open_code(kind: StepKind, state: ActionState) -> np.int8:
    """Why a case waits while an action of that kind is in that open state."""
    if state is ActionState.AWAITING_APPROVAL:
        return CODE[NoActionReason.APPROVAL_OPEN]
    return CODE[_OPEN_REASON.get(kind, NoActionReason.STEP_UNDER_WAY)]


OPEN_CODES = np.array([[open_code(kind, state) for state in ActionState] for kind in StepKind], dtype=np.int8)


class History:
    """The steps frame of some cases, oldest attempt first."""

    def __init__(self, steps: pl.DataFrame, cases: Cases, names: list[str]) -> None:
        keys = cases.frame.select("case_id").with_row_index("row")
        joined = steps.join(keys, on="case_id", how="inner")
        if joined.get_column("attempt").max() != 1:
            joined = joined.sort("attempt", maintain_order=True)
        self.frame = joined
        self.names = names
        columns = joined.select(
            pl.col("row").cast(pl.Int64),
            pl.col("round_id").is_not_null().alias("in_round"),
            pl.col("for_driver").fill_null(value=False),
            positions("step", names),
            positions("stage", list(Stage)),
            positions("state", list(ActionState)),
            positions("kind", list(StepKind)),
            *(
                pl.col(name).cast(pl.Int32).fill_null(int(MISSING))
                for name in ("occurrence", "executed_on", "evidence_on", "returned_on", "retry_on")
            ),
            pl.coalesce("executed_on", "proposed_on").cast(pl.Int32).fill_null(int(MISSING)).alias("done_on"),
        )
        read = {each.name: each.to_numpy() for each in columns}
        self.row: Rows = read["row"]
        self.name: npt.NDArray[np.int16] = read["step"]
        self.stage: npt.NDArray[np.int16] = read["stage"]
        self.state: npt.NDArray[np.int16] = read["state"]
        self.kind: npt.NDArray[np.int16] = read["kind"]
        self.in_round: Flags = read["in_round"]
        self.for_driver: Flags = read["for_driver"]
        self.occurrence: Days = read["occurrence"]
        self.executed_on: Days = read["executed_on"]
        self.done_on: Days = read["done_on"]
        """When it was executed, or skipped."""
        self.evidence_on: Days = read["evidence_on"]
        self.returned_on: Days = read["returned_on"]
        """When the letter of a demand came back: it was not done, and is to be done again."""
        self.retry_on: Days = read["retry_on"]

    def texts(self, name: str, chosen: Rows) -> list[str | None]:
        """A column's words, for few rows."""
        return self.frame.get_column(name).gather(chosen).to_list()

    def results(self, wanted: list[str]) -> Flags:
        """Which rows came out in one of these ways."""
        return self.frame.get_column("result").is_in(wanted).fill_null(value=False).to_numpy()

    def open_codes(self, count: int) -> Codes:
        """Per case: why it waits for an outward step that is still on its way, or whose outcome nobody knows."""
        codes = np.full(count, NONE, dtype=np.int8)
        known = (self.kind >= 0) & (self.state >= 0)
        pending = np.flatnonzero(known & IS_OPEN[self.state] & IS_OUTWARD[self.kind])
        np.minimum.at(codes, self.row[pending], OPEN_CODES[self.kind[pending], self.state[pending]])
        unknown = np.flatnonzero((self.state == STATE[ActionState.UNKNOWN]) & (self.retry_on == MISSING))
        np.minimum.at(codes, self.row[unknown], CODE[NoActionReason.STEP_UNKNOWN])
        return codes

    def latest(self, count: int, chosen: Rows) -> Days:
        """Per case: when the last of the chosen actions was executed."""
        days = np.full(count, MISSING, dtype=np.int32)
        np.maximum.at(days, self.row[chosen], self.executed_on[chosen])
        return days

    def calls_with(self, results: list[CallResult]) -> Rows:
        """Executed calls of the open round that came out in one of these ways."""
        if not results:
            return np.empty(0, dtype=np.int64)
        executed = (self.kind == KIND[StepKind.CALL]) & (self.state == STATE[ActionState.EXECUTED]) & self.in_round
        return np.flatnonzero(executed & self.results([str(result) for result in results]))
