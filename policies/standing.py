"""Where the cases of one journey stand: what of it is done, open or ended, read from their history.

Position is the driver's (rule 2): a step counts as done when it was done for the present driver. Names carry
a position from one version or segment to another. Kept as arrays with a row a step and a column a case.
"""

import numpy as np
import numpy.typing as npt

from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import ActionState, StepKind
from policies.history import (
    CODE,
    IS_DONE,
    IS_OPEN,
    IS_TERMINAL,
    KIND,
    NAMES_ITEMS,
    NONE,
    OPEN_CODES,
    STATE,
    Codes,
    History,
)
from policies.journey import Journey, Step
from policies.workdays import MISSING, NEVER, Days, Flags, Rows

_EXECUTED = STATE[ActionState.EXECUTED]
_ENDED = {
    STATE[ActionState.FAILED]: NoActionReason.STEP_FAILED,
    STATE[ActionState.UNKNOWN]: NoActionReason.STEP_UNKNOWN,
    STATE[ActionState.REJECTED]: NoActionReason.STEP_REJECTED,
}
_FINAL_RESULTS = ["write_off", "legal", "statement_only"]
"""Decisions after which the case is not put to a person again."""

_NAMES_DRIVER = frozenset({StepKind.MESSAGE, StepKind.PLAN_OFFER})


class Standing:
    """The course and the reactions of one journey, for some cases of a frame."""

    def __init__(
        self,
        journey: Journey,
        history: History,
        actions: Rows,
        place: Rows,
        events: dict[str, Days],
        *,
        count: int,
        as_of: int,
    ) -> None:
        """`actions`: rows of the history of these cases; `place`: the column of each one's case; `events`: by step."""
        self.as_of = as_of
        self.steps: tuple[Step, ...] = journey.reactions + journey.course
        self.column = {step.name: at for at, step in enumerate(self.steps)}
        self.journey = journey
        shape = (len(self.steps), count)
        self.done_on: Days = np.full(shape, MISSING, dtype=np.int32)
        self.executed: Flags = np.zeros(shape, dtype=bool)
        self.evidence_on: Days = np.full(shape, MISSING, dtype=np.int32)
        self.returned_on: Days = np.full(shape, MISSING, dtype=np.int32)
        """When the letter of a demand last came back."""
        self.attempts: npt.NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        self.failures: npt.NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        self.open: Codes = np.full(shape, NONE, dtype=np.int8)
        self.ended: Codes = np.full(shape, NONE, dtype=np.int8)
        self.retry_on: Days = np.full(shape, MISSING, dtype=np.int32)
        self.final: Flags = np.zeros(shape, dtype=bool)
        """A decision that is not asked again."""
        self.forced_on: Days = np.full(shape, MISSING, dtype=np.int32)
        """A person said: this step next, from that date."""
        self.waived_on: Days = np.full(shape, MISSING, dtype=np.int32)
        """Passed over by a person's word, of that date."""
        self.behind: Flags = np.zeros(shape, dtype=bool)
        """Behind the case, since a later notice named the driver; its waits have passed."""
        if len(actions):
            self._read(history, actions, place, events)

    def _read(self, history: History, actions: Rows, place: Rows, events: dict[str, Days]) -> None:
        step = self._steps_of(history)[history.name[actions]]
        fits = (step >= 0) & history.in_round[actions]
        fits[fits] = self._same_occurrence(history, actions[fits], place[fits], step[fits], events)
        actions, place, step = actions[fits], place[fits], step[fits]
        state = history.state[actions]
        stage = np.array([each.stage.rank for each in self.steps], dtype=np.int16)
        counted = IS_TERMINAL[state] & (history.stage[actions] == stage[step])
        self.attempts = self._count(step, place, counted)
        self.failures = self._count(step, place, state == STATE[ActionState.FAILED])
        self._read_open(history, actions, place, step)
        self._read_done(history, actions, place, step)
        self._read_ended(history, actions, place, step)
        self._read_final(history, actions, place, step)
        self._pass_over_named()

    def _steps_of(self, history: History) -> npt.NDArray[np.int64]:
        """History's names → steps of this journey; one more at the end, for names that no pack knows (−1)."""
        return np.array([*(self.column.get(name, -1) for name in history.names), -1], dtype=np.int64)

    def _same_occurrence(
        self, history: History, actions: Rows, place: Rows, step: Rows, events: dict[str, Days]
    ) -> Flags:
        """A reaction is done for its event only; a step of the course has no occurrence."""
        occurrence = history.occurrence[actions]
        same: Flags = occurrence == MISSING
        for name, event in events.items():
            mine = step == self.column[name]
            same[mine] = occurrence[mine] == event[place[mine]]
        return same

    def _count(self, step: Rows, place: Rows, chosen: Flags) -> npt.NDArray[np.int64]:
        """How many of the chosen actions each step of each case has."""
        count = self.done_on.shape[1]
        cells = step[chosen] * count + place[chosen]
        return np.bincount(cells, minlength=self.done_on.size).reshape(self.done_on.shape)

    def _read_open(self, history: History, actions: Rows, place: Rows, step: Rows) -> None:
        state = history.state[actions]
        pending = IS_OPEN[state]
        self.open[_both(step, place, pending)] = OPEN_CODES[history.kind[actions][pending], state[pending]]

    def _read_done(self, history: History, actions: Rows, place: Rows, step: Rows) -> None:
        state, kind = history.state[actions], history.kind[actions]
        mine = history.for_driver[actions] | (step < len(self.journey.reactions))
        named = NAMES_ITEMS[kind] & (state == _EXECUTED)
        returned = history.returned_on[actions]
        counts = IS_DONE[state] & mine & (returned == MISSING)
        np.maximum.at(self.returned_on, (step, place), returned)
        others = named & ~mine
        if others.any():
            counts &= self._since_driver(history, actions, place, named & mine, others)
        chosen = _both(step, place, counts)
        self.done_on[chosen] = history.done_on[actions[counts]]
        self.executed[chosen] = state[counts] == _EXECUTED
        self.evidence_on[chosen] = history.evidence_on[actions[counts]]

    def _since_driver(self, history: History, actions: Rows, place: Rows, own: Flags, others: Flags) -> Flags:
        """After a change of driver, calls and talks count from the new driver's own first notice on."""
        count = self.done_on.shape[1]
        since = np.full(count, NEVER, dtype=np.int32)
        np.minimum.at(since, place[own], history.executed_on[actions][own])
        changed = np.zeros(count, dtype=bool)
        changed[place[others]] = True
        executed = history.state[actions] == _EXECUTED
        talk = executed & ~NAMES_ITEMS[history.kind[actions]]
        counts: Flags = ~talk | ~changed[place] | (history.executed_on[actions] >= since[place])
        return counts

    def _read_ended(self, history: History, actions: Rows, place: Rows, step: Rows) -> None:
        state = history.state[actions]
        if not np.isin(state, list(_ENDED)).any():
            return
        last = np.full(self.done_on.shape, -1, dtype=np.int16)
        last[step, place] = state
        for ended, reason in _ENDED.items():
            mine = (state == ended) & (last[step, place] == ended)
            mine &= history.for_driver[actions] | (ended == STATE[ActionState.UNKNOWN])
            chosen = _both(step, place, mine)
            self.ended[chosen] = CODE[reason]
            self.retry_on[chosen] = history.retry_on[actions][mine]
        rejected = np.flatnonzero((state == STATE[ActionState.REJECTED]) & (last[step, place] == state))
        words = history.texts("retry_step", actions[rejected])
        for at, word in zip(rejected, words, strict=True):
            if word is not None and word != self.steps[step[at]].name and word in self.column:
                self._turn_to(int(step[at]), self.column[word], int(place[at]))

    def _turn_to(self, rejected: int, wanted: int, place: int) -> None:
        """A person wants another step next: what lies before it is passed over, what was done is done again."""
        on = self.retry_on[rejected, place]
        if on == MISSING or on > self.as_of:
            return
        done = self.done_on[wanted, place] != MISSING and self.done_on[wanted, place] >= on
        above = self.journey.above[self.steps[wanted].name]
        if self.steps[rejected].name in above:
            for name in above:
                self.waived_on[self.column[name], place] = on
        elif not done:
            self.retry_on[rejected, place] = MISSING
        if not done:
            self.forced_on[wanted, place] = on
            self.done_on[wanted, place] = MISSING

    def _read_final(self, history: History, actions: Rows, place: Rows, step: Rows) -> None:
        decided = (history.kind[actions] == KIND[StepKind.DECIDE]) & (history.state[actions] == _EXECUTED)
        chosen = np.flatnonzero(decided)
        results = history.texts("result", actions[chosen])
        self.final[step[chosen], place[chosen]] = [result in _FINAL_RESULTS for result in results]

    def _pass_over_named(self) -> None:
        """The case stands after the driver's own last evidenced notice: what comes before that one is behind it."""
        for at, each in enumerate(self.steps):
            if each.kind not in _NAMES_DRIVER or not self.journey.above[each.name]:
                continue
            named = self.executed[at] & (self.evidence_on[at] != MISSING)
            for name in self.journey.above[each.name]:
                before = self.column[name]
                self.behind[before] |= named & (self.returned_on[before] == MISSING)


def _both(step: Rows, place: Rows, chosen: Flags) -> tuple[Rows, Rows]:
    return step[chosen], place[chosen]
