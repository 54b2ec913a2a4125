"""Steps that live outside rounds: what comes before a due date, what recurs, and what asks of unallocated money.

Such a step is done once an occurrence: the due date it prepares, the first invoice, the date of the recurrence, or that
of the newest payment. While a round is open only statements go on, invoices that did not arrive, and questions about
money. A window that closed more than a few days ago leaves no row: the case was not ours to write to then, and the next
occurrence comes.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from maatpak.kernel.reasons import NoActionReason, SkipReason
from maatpak.kernel.words import ActionState, StepKind
from policies.frontier import SKIP, Chunk, Frontier, Status
from policies.gates import Gates
from policies.history import CODE, IS_DONE, IS_OPEN, IS_TERMINAL, KIND, NONE, OPEN_CODES, STATE, Codes, History
from policies.journey import Journey, Step
from policies.schema import Only
from policies.timing import Anchor, Moment, Recurrence, Rhythm
from policies.workdays import MISSING, Days, Flags, Rows

RECENT = 5
"""Working days during which a window that was missed is still told of."""

MOST_TRIES = 2
"""How often an invoice is sent again that could not be."""

_ANCHORS = {
    Anchor.DUE: "upcoming_bank_due_on",
    Anchor.UNRECEIVED: "unreceived_bank_due_on",
    Anchor.FIRST_INVOICE: "first_invoice_on",
}
"""Outside rounds."""

STATEMENT_REST = 5
"""Working days after a statement without a note on the same items."""


@dataclass
class OutsideWalk:
    """The steps outside rounds of one journey, for some cases of a frame."""

    journey: Journey
    history: History
    actions: Rows
    place: Rows
    gates: Gates
    rows: Rows
    holds: dict[str, Flags]
    in_round: Flags
    outward: Flags
    """Where the round's walk took an outward step already."""
    chunks: list[Chunk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cases = self.gates.cases
        self.as_of = self.cases.as_of
        count = len(self.rows)
        steps = self.journey.outside
        self.frontier = Frontier.blank(count)
        self.taken: npt.NDArray[np.int16] = np.full(count, -1, dtype=np.int16)
        self.status: npt.NDArray[np.int8] = np.zeros((len(steps), count), dtype=np.int8)
        self.due_on: Days = np.full((len(steps), count), MISSING, dtype=np.int32)
        self.codes: Codes = np.full((len(steps), count), NONE, dtype=np.int8)
        self.outward = self.outward.copy()
        for at, step in enumerate(steps):
            self._visit(at, step)

    def _visit(self, at: int, step: Step) -> None:
        places = self._places(step)
        occurrence, due, until = self._window(step, places)
        past = self.cases.workdays.shift(until, RECENT, self.rows[places])
        live = (occurrence != MISSING) & (past >= self.as_of)
        places, occurrence, due, until = places[live], occurrence[live], due[live], until[live]
        if len(places):
            self._meet(at, step, places, occurrence, due, until)

    def _places(self, step: Step) -> Rows:
        """The cases that a step may concern today."""
        if step.asks_of_cash:
            covered = self.gates.parked[self.rows] == CODE[NoActionReason.COVERED_BY_CASH]
            return np.flatnonzero(covered & (self.cases.amounts("cash_unallocated")[self.rows] > 0))
        return np.arange(len(self.rows)) if step.beside_round else np.flatnonzero(~self.in_round)

    def _window(self, step: Step, places: Rows) -> tuple[Days, Days, Days]:
        """(occurrence, due, until) of the occurrence that is next or under way."""
        rows, workdays = self.rows[places], self.cases.workdays
        if step.every is not None:
            occurrence, due = self._recurrence(step.every, rows)
        elif step.asks_of_cash:
            occurrence = self.cases.days("cash_unallocated_on")[rows]
            due = workdays.later(occurrence, step.wait, rows)
            return occurrence, due, np.maximum(due, np.int32(self.as_of))
        else:
            assert step.at is not None
            occurrence = self._anchor(step.at, rows)
            due = workdays.shift(occurrence, step.at.shift, rows)
        if isinstance(step.until, Moment):
            until = workdays.later(self._anchor(step.until, rows), step.until.shift, rows)
        else:
            until = workdays.shift(due, step.until or 0, rows)
        if step.every is not None and step.every.rhythm is Rhythm.PAY_RUN:
            until = np.where(occurrence > due, np.minimum(until, occurrence), until)
        return occurrence, due, until

    def _anchor(self, moment: Moment, rows: Rows) -> Days:
        return self.cases.days(_ANCHORS[moment.anchor])[rows]

    def _recurrence(self, every: Recurrence, rows: Rows) -> tuple[Days, Days]:
        match every.rhythm:
            case Rhythm.MONTH:
                day = self._day_of_month(every.number, rows)
                return day, day
            case Rhythm.YEAR:
                day = self._anniversary(rows)
                return day, self.cases.workdays.shift(day, 0, rows)
            case Rhythm.PAY_RUN:
                run = self.cases.days("next_pay_run_on")[rows]
                due = self.cases.workdays.shift(run, -every.number, rows)
                if every.otherwise is None:
                    return run, due
                day = self._day_of_month(every.otherwise.number, rows)
                return np.where(run != MISSING, run, day), np.where(run != MISSING, due, day)

    def _day_of_month(self, number: int, rows: Rows) -> Days:
        """The customer's statement day of this month, else the working day of that number."""
        month = np.datetime64(self.as_of, "D").astype("datetime64[M]")
        before = int(month.astype("datetime64[D]").astype(np.int64)) - 1
        day = self.cases.workdays.shift(np.full(len(rows), before, dtype=np.int32), number, rows)
        own = self.cases.days("statement_on")[rows]
        return np.where(own != MISSING, own, day)

    def _anniversary(self, rows: Rows) -> Days:
        """The last anniversary of the first invoice; none in the first year."""
        first = self.cases.days("first_invoice_on")[rows]
        began = np.where(first == MISSING, 0, first).astype("datetime64[D]")
        month = began.astype("datetime64[M]")
        year = began.astype("datetime64[Y]")
        months, days = month - year.astype("datetime64[M]"), began - month.astype("datetime64[D]")
        this_year = np.datetime64(self.as_of, "D").astype("datetime64[Y]")
        latest = np.full(len(rows), MISSING, dtype=np.int32)
        for back in (1, 0):
            of_year = (this_year - back).astype("datetime64[M]") + months
            day = (of_year.astype("datetime64[D]") + days).astype(np.int64).astype(np.int32)
            reached = (day <= self.as_of) & (this_year - back > year)
            latest = np.where(reached, day, latest)
        return np.where(first == MISSING, MISSING, latest)

    def _meet(self, at: int, step: Step, places: Rows, occurrence: Days, due: Days, until: Days) -> None:
        rows = self.rows[places]
        done, open_code, attempts = self._past(step, places, occurrence)
        skip = np.full(len(places), NONE, dtype=np.int8)
        reached = due <= self.as_of
        skip[reached & ~self._condition(step, places)] = SKIP[SkipReason.CONDITION_FALSE]
        skip[reached & (until < self.as_of)] = SKIP[SkipReason.TOO_LATE]
        code, ends = open_code.copy(), np.full(len(places), MISSING, dtype=np.int32)
        status = np.where(done, Status.DONE, np.where(code != NONE, Status.OPEN, Status.NOT_REACHED)).astype(np.int8)
        free = status == Status.NOT_REACHED
        stopped = self.gates.stopped[rows] != NONE
        over = free & (skip != NONE) & ~stopped
        status[over] = Status.PASSED_OVER
        waiting = free & ~over & ~reached
        status[waiting], code[waiting], ends[waiting] = Status.WAITING, CODE[NoActionReason.WAIT], due[waiting]
        rest = np.flatnonzero(free & ~over & ~waiting)
        verdict = self.gates.of_step(step, rows[rest])
        verdict.put(self.outward[places[rest]], NoActionReason.WAIT)
        verdict.put_codes(np.where(skip[rest] != NONE, self.gates.stopped[rows[rest]], NONE))
        code[rest], ends[rest] = verdict.code, verdict.until
        status[rest] = np.where(verdict.code == NONE, Status.TAKEN, Status.STOPPED)
        self.status[at, places], self.due_on[at, places], self.codes[at, places] = status, due, code
        taken = status == Status.TAKEN
        self.outward[places[taken]] = True
        self.taken[places[taken]] = at
        met = (status == Status.WAITING) | (status == Status.STOPPED) | (status == Status.OPEN)
        self.frontier.meet(at, places[met], code[met], ends[met], due[met], np.zeros(int(met.sum()), dtype=np.int16))
        chosen = over | taken
        if chosen.any():
            self.chunks.append(
                Chunk(
                    step=step,
                    rows=rows[chosen],
                    due_on=due[chosen],
                    attempt=attempts[chosen] + 1,
                    occurrence=occurrence[chosen],
                    skip=np.where(over[chosen], skip[chosen], NONE),
                    other_channel=np.zeros(int(chosen.sum()), dtype=bool),
                )
            )

    def _condition(self, step: Step, places: Rows) -> Flags:
        holds = self.holds[step.name][places] if step.name in self.holds else np.ones(len(places), dtype=bool)
        if step.only is not Only.NO_STATEMENT:
            return holds
        told = self._last_statement()[places]
        rest = self.cases.workdays.shift(told, STATEMENT_REST, self.rows[places])
        return holds & (rest < self.as_of)

    def _last_statement(self) -> Days:
        kind, state = self.history.kind[self.actions], self.history.state[self.actions]
        sent = (kind == KIND[StepKind.STATEMENT]) & (state == STATE[ActionState.EXECUTED])
        days = np.full(len(self.rows), MISSING, dtype=np.int32)
        np.maximum.at(days, self.place[sent], self.history.executed_on[self.actions[sent]])
        return days

    def _past(self, step: Step, places: Rows, occurrence: Days) -> tuple[Flags, Codes, npt.NDArray[np.int64]]:
        """(done, why it waits while open, ended attempts) of the step, for this occurrence."""
        count = len(self.rows)
        done, attempts = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
        open_code = np.full(count, NONE, dtype=np.int8)
        history = self.history
        if step.name in history.names:
            name = history.names.index(step.name)
            mine = (history.name[self.actions] == name) & ~history.in_round[self.actions]
            actions, place = self.actions[mine], self.place[mine]
            state, kind = history.state[actions], history.kind[actions]
            wanted = np.full(count, MISSING, dtype=np.int32)
            wanted[places] = occurrence
            same = history.occurrence[actions] == wanted[place]
            pending = IS_OPEN[state]
            open_code[place[pending]] = OPEN_CODES[kind[pending], state[pending]]
            np.add.at(attempts, place[same & IS_TERMINAL[state]], 1)
            ended = same & ~pending & (state != STATE[ActionState.CANCELLED])
            if step.makes_up:
                # What went named its items, which do not come back; what had no address goes once there is one.
                again = (state == STATE[ActionState.FAILED]) & self.gates.addressed(self.rows[place])
                again &= attempts[place] < MOST_TRIES
                ended &= (state != STATE[ActionState.EXECUTED]) & ~again
            if step.every is not None and step.every.rhythm is Rhythm.PAY_RUN:
                ended |= IS_DONE[state] & _same_month(history.occurrence[actions], wanted[place])
            done[place[ended]] = True
        return done[places], open_code[places], attempts[places]


def _same_month(first: Days, second: Days) -> Flags:
    same: Flags = (_month(first) == _month(second)) & (first != MISSING) & (second != MISSING)
    return same


def _month(days: Days) -> npt.NDArray[np.datetime64]:
    return np.where(days == MISSING, 0, days).astype("datetime64[D]").astype("datetime64[M]")
