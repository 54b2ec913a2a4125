"""Walks the cases of one journey through its steps, as of a date: what is done, due, passed over, stopped or taken.

Steps are visited in order, each over all cases that have come to it. Passing a step over lets a case come to the next
in the same walk; taking one does not, for what follows waits until it is really done (law 2).
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.reasons import NoActionReason, SkipReason
from maatpak.kernel.words import PartyKind, Stage, StepKind
from policies.frontier import SKIP, Chunk, Frontier, Status
from policies.gates import LASTING, Gates, Verdict
from policies.history import CODE, NONE, Codes
from policies.journey import Journey, Step
from policies.schema import ChannelRule, Only
from policies.standing import Standing
from policies.timing import Anchor, Moment
from policies.workdays import MISSING, NEVER, Days, Flags, Rows

R = NoActionReason
STUCK = frozenset({R.EXPERIENCE, R.EVIDENCE_MISSING, R.NO_ADDRESS, R.STEP_FAILED, R.STEP_UNKNOWN, R.STEP_REJECTED})
"""Reasons that, when they last, send a case to a person's decision."""

_ONE_WAY = frozenset({ChannelRule.POST_AND_EMAIL, None})
"""Channel rules that leave no other channel to try."""

_ANCHORS = {
    Anchor.DUE: "driver_bank_due_on",
    Anchor.PAY_RUN: "driver_pay_run_on",
    Anchor.FIRST_INVOICE: "first_invoice_on",
}
"""Inside a round."""

LETTERS_A_YEAR = 2
"""Manager letters that a party gets in a year."""

_NO_DAYS: Days = np.empty(0, dtype=np.int32)

_STUCK = [int(CODE[reason]) for reason in STUCK]


@dataclass
class Walk:
    """One walk. `rows` are the cases' rows in the frame; everything else has a place a case, in that order."""

    journey: Journey
    standing: Standing
    gates: Gates
    rows: Rows
    holds: dict[str, Flags]
    """For each step with a rule: where it holds."""
    entry: npt.NDArray[np.int8]
    """Rank of the stage at which the case came into the journey."""
    rerouted_on: Days
    plan_asked_on: Days
    events: dict[str, Days]
    chunks: list[Chunk] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.rows)
        shape = (len(self.standing.steps), count)
        self.cases = self.gates.cases
        self.as_of = self.cases.as_of
        self.status: npt.NDArray[np.int8] = np.zeros(shape, dtype=np.int8)
        self.due_on: Days = np.full(shape, MISSING, dtype=np.int32)
        self.codes: Codes = np.full(shape, NONE, dtype=np.int8)
        self.passed: Flags = np.zeros(shape, dtype=bool)
        waived_on, done_on = self.standing.waived_on, self.standing.done_on
        self.done_on = np.where(done_on == MISSING, waived_on, done_on)
        self.executed = self.standing.executed | ((done_on == MISSING) & (waived_on != MISSING))
        self.closed_on: dict[str, Days] = {}
        self.frontier = Frontier.blank(count)
        self.taken: npt.NDArray[np.int16] = np.full(count, -1, dtype=np.int16)
        """The outward step taken, else an inward one."""
        self.outward: Flags = np.zeros(count, dtype=bool)
        self.pending: Days = np.full(count, MISSING, dtype=np.int32)
        """A reaction to come that reaches the customer: the journey waits for it."""
        for at, step in enumerate(self.standing.steps):
            if step.on is not None:
                self._react(at, step)
            else:
                self._pass(at, step)

    def _react(self, at: int, step: Step) -> None:
        """A reaction is due once an event; nothing comes after it."""
        event = self.events[step.name]
        if (event == MISSING).all():
            return
        done = self.standing.done_on[at] != MISSING
        self.status[at, done & (event != MISSING)] = Status.DONE
        lost = np.isin(self.standing.ended[at], [CODE[R.STEP_FAILED], CODE[R.STEP_REJECTED]])
        places = np.flatnonzero((event != MISSING) & ~done & ~lost)
        if len(places):
            due = self.cases.workdays.later(event[places], step.wait, self.rows[places])
            self._meet(at, step, places, due)
            if step.outward:
                self._await_reaction(at, places, due)

    def _await_reaction(self, at: int, places: Rows, due: Days) -> None:
        """The journey rests until a reaction was taken, unless that cannot be."""
        late = self.cases.workdays.shift(due, self.gates.guardrails.escalation.give_up_after, self.rows[places])
        awaited = np.isin(self.status[at, places], [Status.WAITING, Status.STOPPED]) & (self.as_of <= late)
        self.pending[places[awaited]] = np.maximum(self.pending[places[awaited]], due[awaited])

    def _pass(self, at: int, step: Step) -> None:
        """A step of the course: whoever has come to it and has not done it."""
        standing = self.standing
        done = (self.done_on[at] != MISSING) | standing.behind[at]
        if step.kind is StepKind.DECIDE:
            done &= ~self._again(at, step)
        if step.kind is StepKind.PLAN_OFFER:
            done &= self.plan_asked_on <= standing.done_on[at]
        self.passed[at] = done
        self.status[at, done] = Status.DONE
        ready = ~done
        for name in step.after:
            ready &= self.passed[standing.column[name]]
        places = np.flatnonzero(ready)
        due = self._due(step, places) if len(places) else _NO_DAYS
        forced_on = np.where(done, MISSING, self._forced(at, step))
        if (forced_on != MISSING).any():
            everywhere = np.full(len(self.rows), MISSING, dtype=np.int32)
            everywhere[places] = due
            everywhere = np.where(forced_on != MISSING, forced_on, everywhere)
            places = np.flatnonzero(ready | (forced_on != MISSING))
            due = everywhere[places]
        if len(places):
            self._meet(at, step, places, due)

    def _again(self, at: int, step: Step) -> Flags:
        """A decision that let the case rest or go on is asked again after a while."""
        standing = self.standing
        if self.journey.closing.get(step.name) is not None:
            return np.zeros(len(self.rows), dtype=bool)
        after = self.gates.guardrails.decide_again_after
        again = self.cases.workdays.shift(standing.done_on[at], after, self.rows)
        asked: Flags = (again != MISSING) & standing.executed[at] & ~standing.final[at] & (again <= self.as_of)
        return asked

    def _forced(self, at: int, step: Step) -> Days:
        """From when the step is next whatever comes before it; MISSING where it is not."""
        forced_on: Days = self.standing.forced_on[at]
        if step.kind is StepKind.PLAN_OFFER:
            forced_on = np.maximum(forced_on, self.plan_asked_on)
        if step.name in self.closed_on:
            forced_on = np.maximum(forced_on, self.closed_on[step.name])
        return forced_on

    def _due(self, step: Step, places: Rows) -> Days:
        """The later of its own date and the waits after what it follows; today where neither says anything."""
        workdays, rows = self.cases.workdays, self.rows[places]
        # A demand whose letter came back is due from then on.
        due: Days = self.standing.returned_on[self.standing.column[step.name], places]
        if step.at is not None:
            day = workdays.shift(self._anchor(step.at, rows), step.at.shift, rows)
            due = np.maximum(due, np.where(day == MISSING, NEVER, day))
            if step.at.also is not None:
                # Who has no rhythm has no run to wait for.
                due = np.maximum(due, workdays.shift(self._anchor(step.at.also, rows), step.at.also.shift, rows))
        for name in step.after:
            at = self.standing.column[name]
            since = self.done_on[at, places]
            if step.escalating:
                evidence = self.standing.evidence_on[at, places]
                since = np.where(evidence != MISSING, evidence, since)
            executed = self.executed[at, places]
            waited = workdays.later(since, step.waits[name], rows)
            due = np.maximum(due, np.where(executed, waited, since))
        return np.where(due == MISSING, np.int32(self.as_of), due)

    def _anchor(self, moment: Moment, rows: Rows) -> Days:
        return self.cases.days(_ANCHORS[moment.anchor])[rows]

    def _meet(self, at: int, step: Step, places: Rows, due: Days) -> None:
        """Sort out the cases that have come to a step: open, ended, waiting, passed over, stopped, or free for it."""
        rows = self.rows[places]
        self.due_on[at, places] = due
        code = self.standing.open[at, places].copy()
        until = np.full(len(places), MISSING, dtype=np.int32)
        status = np.where(code != NONE, Status.OPEN, Status.NOT_REACHED).astype(np.int8)
        lacks = np.zeros(len(places), dtype=np.int16)
        self._mark_ended(at, step, places, code, until, status)
        skip = self._skips(at, step, places, due)
        free = status == Status.NOT_REACHED
        over = free & (skip != NONE) & ~self.gates.frozen(step, rows)
        status[over] = Status.PASSED_OVER
        waiting = free & ~over & (due > self.as_of)
        status[waiting], code[waiting], until[waiting] = Status.WAITING, CODE[R.WAIT], due[waiting]
        frozen = free & ~over & ~waiting & (skip != NONE)
        if frozen.any():
            verdict = self.gates.of_case(rows[frozen])
            status[frozen], code[frozen], until[frozen] = Status.STOPPED, verdict.code, verdict.until
        rest = np.flatnonzero(free & ~over & ~waiting & ~frozen)
        if len(rest):
            verdict = self._judge(step, places[rest])
            code[rest], until[rest], lacks[rest] = verdict.code, verdict.until, verdict.lacks
            status[rest] = np.where(verdict.code == NONE, Status.TAKEN, Status.STOPPED)
        status = self._take(step, places, status, code, until)
        self.status[at, places], self.codes[at, places] = status, code
        self._record(at, step, places, due, status, skip)
        met = (status != Status.PASSED_OVER) & (status != Status.TAKEN)
        self.frontier.meet(at, places[met], code[met], until[met], due[met], lacks[met])
        self._close(at, step, places, due, status, lacks)

    def _judge(self, step: Step, places: Rows) -> Verdict:
        verdict = self.gates.of_step(step, self.rows[places], self.rerouted_on[places])
        if step.escalating:
            verdict.put(self._unheard(step, places), R.EVIDENCE_MISSING)
        if step.on is None and step.outward:
            pending = self.pending[places]
            verdict.put(pending != MISSING, R.WAIT, np.maximum(pending, np.int32(self.as_of)))
        return verdict

    def _unheard(self, step: Step, places: Rows) -> Flags:
        """Whether a demand that it follows was sent and nothing tells that its letter arrived (law 5)."""
        unheard = np.zeros(len(places), dtype=bool)
        for name in step.after:
            at = self.standing.column[name]
            if self.standing.steps[at].escalating:
                arrived = self.standing.evidence_on[at, places] != MISSING
                unheard |= self.standing.executed[at, places] & ~arrived
        return unheard

    def _mark_ended(
        self, at: int, step: Step, places: Rows, code: Codes, until: Days, status: npt.NDArray[np.int8]
    ) -> None:
        """Steps that failed, were rejected or have an unknown outcome, unless they may be tried again."""
        ended = self.standing.ended[at, places]
        if (ended == NONE).all():
            return
        retry = self.standing.retry_on[at, places]
        free = (retry != MISSING) & (retry <= self.as_of)
        free |= (ended == CODE[R.STEP_FAILED]) & self._other_way(at, step, places)
        mask = (status == Status.NOT_REACHED) & (ended != NONE) & ~free
        status[mask], code[mask], until[mask] = Status.ENDED, ended[mask], retry[mask]

    def _other_way(self, at: int, step: Step, places: Rows) -> Flags:
        """Whether a failed step has not failed twice and another channel is left."""
        rows = self.rows[places]
        names = ("email_known", "phone_known", "post_known")
        known = sum(self.cases.flags(name)[rows].astype(np.int8) for name in names)
        if step.kind is StepKind.CALL:
            possible = known >= 1
        elif step.channel in _ONE_WAY or step.escalating:
            possible = np.zeros(len(places), dtype=bool)
        else:
            possible = known >= np.where(self._asks_of_known(step, rows), 2, 1)
        left: Flags = possible & (self.standing.failures[at, places] < 2)
        return left

    def _asks_of_known(self, step: Step, rows: Rows) -> Flags:
        """Whether the channel that a step asks for has an address, so that this is not why it failed."""
        cases = self.cases
        match step.channel:
            case ChannelRule.EMAIL:
                return cases.flags("email_known")[rows]
            case ChannelRule.SMS:
                return cases.flags("phone_known")[rows]
            case ChannelRule.POST:
                return cases.flags("post_known")[rows]
        return (
            (cases.are("preferred_channel", "email") & cases.flags("email_known"))
            | (cases.are("preferred_channel", "sms") & cases.flags("phone_known"))
            | (cases.are("preferred_channel", "post") & cases.flags("post_known"))
        )[rows]

    def _skips(self, at: int, step: Step, places: Rows, due: Days) -> Codes:
        """Why the step is passed over where it is due; NONE where it is not."""
        skip = np.full(len(places), NONE, dtype=np.int8)
        rows = self.rows[places]
        reached = due <= self.as_of
        if step.name in self.holds or step.only is not None:
            fails = ~self._condition(step, places)
            skip[reached & fails] = SKIP[SkipReason.CONDITION_FALSE]
            if step.escalating:
                uncovered = ~self.cases.are("party_kind", PartyKind.BUSINESS)[rows]
                skip[reached & fails & uncovered] = SKIP[SkipReason.LAW_NOT_COVERED]
        if step.until is not None:
            limit = (
                self.cases.workdays.shift(due, step.until, rows)
                if isinstance(step.until, int)
                else self.cases.workdays.shift(self._anchor(step.until, rows), step.until.shift, rows)
            )
            skip[reached & (limit != MISSING) & (limit < self.as_of)] = SKIP[SkipReason.TOO_LATE]
        if step.on is None:
            behind = (self.entry[places] > step.stage.rank) & (self.standing.forced_on[at, places] == MISSING)
            skip[behind] = SKIP[SkipReason.STAGE_PASSED]
        return skip

    def _condition(self, step: Step, places: Rows) -> Flags:
        rows, cases = self.rows[places], self.cases
        holds = self.holds[step.name][places] if step.name in self.holds else np.ones(len(places), dtype=bool)
        match step.only:
            case Only.HALF_PAID | Only.LESS_PAID:
                half = cases.flags("part_paid_half")[rows]
                return holds & (half if step.only is Only.HALF_PAID else ~half)
            case Only.MANDATE_GONE:
                gone = (ReturnCause.MANDATE, ReturnCause.ACCOUNT)
                return holds & np.logical_or(*(cases.are("debit_return_cause", cause)[rows] for cause in gone))
            case Only.REFUNDED:
                return holds & cases.are("debit_return_cause", ReturnCause.REFUSED)[rows]
            case Only.LETTER_LEFT:
                return holds & (cases.amounts("manager_letters_12m")[rows] < LETTERS_A_YEAR)
            case _:
                return holds

    def _take(
        self, step: Step, places: Rows, status: npt.NDArray[np.int8], code: Codes, until: Days
    ) -> npt.NDArray[np.int8]:
        """A case takes one outward step; what else is free waits for the next working day."""
        if not step.outward:
            return status
        second = (status == Status.TAKEN) & self.outward[places]
        following = self.cases.workdays.shift(np.full(len(places), self.as_of, np.int32), 1, self.rows[places])
        status = np.where(second, np.int8(Status.WAITING), status)
        code[second], until[second] = CODE[R.WAIT], following[second]
        self.outward[places[status == Status.TAKEN]] = True
        return status

    def _record(self, at: int, step: Step, places: Rows, due: Days, status: npt.NDArray[np.int8], skip: Codes) -> None:
        """Keep what is proposed and what is passed over; the latter counts as done for what follows."""
        over = status == Status.PASSED_OVER
        self.passed[at, places[over]] = True
        self.done_on[at, places[over]] = self.as_of
        self.executed[at, places[over]] = False
        taken = status == Status.TAKEN
        first = self.taken[places] < 0
        self.taken[places[taken & (first | step.outward)]] = at
        chosen = over | taken
        if not chosen.any():
            return
        kept = places[chosen]
        event = self.events.get(step.name)
        failed = self.standing.ended[at, kept] == CODE[R.STEP_FAILED]
        self.chunks.append(
            Chunk(
                step=step,
                rows=self.rows[kept],
                due_on=due[chosen],
                attempt=self.standing.attempts[at, kept].astype(np.int64) + 1,
                occurrence=np.full(len(kept), MISSING, np.int32) if event is None else event[kept],
                skip=np.where(over[chosen], skip[chosen], NONE),
                other_channel=failed & self._asks_of_known(step, self.rows[kept]),
            )
        )

    def _close(
        self, at: int, step: Step, places: Rows, due: Days, status: npt.NDArray[np.int8], lacks: npt.NDArray[np.int16]
    ) -> None:
        """Where a step may not be taken for good, its branch ends in a person's decision (law 5)."""
        closing = self.journey.closing.get(step.name)
        code = self.codes[at, places]
        stopped = (status == Status.STOPPED) | (status == Status.ENDED)
        if closing is None or not stopped.any():
            return
        lasting = np.isin(code, _STUCK) | ((code == CODE[R.ESCALATION_BLOCKED]) & (lacks & LASTING > 0))
        if step.kind is StepKind.HANDOFF:
            lasting |= code == CODE[R.COVERED_BY_CASH]
        after = self.gates.guardrails.escalation.give_up_after
        given_up = self.cases.workdays.shift(due, after, self.rows[places])
        uncovered = code == CODE[R.LAW_NOT_COVERED]
        ends = np.where(uncovered, due, given_up)
        mask = stopped & (uncovered | lasting) & (ends <= self.as_of)
        closed = self.closed_on.setdefault(closing, np.full(len(self.rows), MISSING, dtype=np.int32))
        closed[places[mask]] = ends[mask]

    def again_on(self) -> Days:
        """Per case: when the decision that ended its journey is asked again; MISSING where it is not."""
        days = np.full(len(self.rows), MISSING, dtype=np.int32)
        after = self.gates.guardrails.decide_again_after
        for at, step in enumerate(self.standing.steps):
            if step.on is None and step.kind is StepKind.DECIDE and step.name not in self.journey.closing:
                asked = self.standing.executed[at] & ~self.standing.final[at]
                again = self.cases.workdays.shift(self.standing.done_on[at], after, self.rows)
                days = np.where(asked, again, days)
        return days


ENTRY_LIMIT = Stage.SOLVE
"""A reroute never enters a journey further on than this: there the customer's situation is looked at afresh."""
